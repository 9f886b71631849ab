"""The list of compiled modules in setup.py and the shared objects that are present agree."""

import ast
import importlib.machinery
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]


def compiled_modules() -> list[str]:
    tree = ast.parse((ROOT / "setup.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "COMPILED":
            return ast.literal_eval(node.value)
    raise AssertionError("setup.py has no COMPILED")


def test_each_is_built_and_nothing_else_is() -> None:
    expected = {ROOT / "src" / (name.replace(".", "/") + SUFFIX) for name in compiled_modules()}
    present = set((ROOT / "src").rglob(f"*{SUFFIX}"))
    assert present == expected


@pytest.mark.parametrize("header", sorted((ROOT / "src").rglob("*.pxd")), ids=lambda p: p.stem)
def test_a_header_of_an_interpreted_module_declares_no_class(header: Path) -> None:
    name = ".".join(header.relative_to(ROOT / "src").with_suffix("").parts)
    assert name in compiled_modules() or "cdef class" not in header.read_text()
