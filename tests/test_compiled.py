"""The list of compiled modules in setup.py and the shared objects that are present agree."""

from pathlib import Path

import pytest

from support.compiled import SOURCES, SUFFIX, modules, shared_object


def test_each_is_built_and_nothing_else_is() -> None:
    present = set(SOURCES.rglob(f"*{SUFFIX}"))
    assert present == {shared_object(name) for name in modules()}


@pytest.mark.parametrize("header", sorted(SOURCES.rglob("*.pxd")), ids=lambda path: path.stem)
def test_a_header_of_an_interpreted_module_declares_no_class(header: Path) -> None:
    name = ".".join(header.relative_to(SOURCES).with_suffix("").parts)
    assert name in modules() or "cdef class" not in header.read_text()
