"""Headers agree with the sources beside them, and nothing is only given another name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from support.compiled import SOURCES, modules

CONSTANT = re.compile(r"^    ([A-Z_]+) = (\w+)", re.MULTILINE)
BODIES = sorted(SOURCES.glob("carnelian/**/*.py"))


def module_of(body: Path) -> str:
    return ".".join(body.relative_to(SOURCES).with_suffix("").parts)


# Sources that are not compiled, whose numbers compiled modules take from a header.
SHARED = [
    body
    for body in BODIES
    if module_of(body) not in modules() and body.with_suffix(".pxd").exists()
]


def assigned(body: Path) -> dict[str, int]:
    """The numbers that a source gives to interpreted modules."""
    return {
        node.targets[0].id: node.value.value
        for node in ast.parse(body.read_text()).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, int)
    }


@pytest.mark.parametrize("body", SHARED, ids=module_of)
def test_both_sides_have_the_same_numbers(body: Path) -> None:
    header = CONSTANT.findall(body.with_suffix(".pxd").read_text())
    assert {name: int(value, 0) for name, value in header} == assigned(body)


def renamings(body: Path) -> list[str]:
    """Names that only stand for an imported one."""
    tree = ast.parse(body.read_text())
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    names = [alias for node in imports for alias in node.names]
    imported = {alias.asname or alias.name for alias in names}
    aliases = [alias for alias in names if (alias.asname or "").startswith("_")]
    return [f"{alias.name} as {alias.asname}" for alias in aliases] + [
        ast.unparse(node)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and ast.unparse(node.value.func) == "cython.declare"
        and isinstance(node.value.args[-1], ast.Name | ast.Attribute)
        and ast.unparse(node.value.args[-1]).split(".")[0] in imported - {"cython"}
        and len(node.value.args) == 2
    ]


def test_nothing_is_only_given_another_name() -> None:
    found = [f"{module_of(body)}: {name}" for body in BODIES for name in renamings(body)]
    assert not found, "\n".join(found)
