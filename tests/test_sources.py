"""Rules of the house that the linter does not know."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

from support.compiled import ROOT, SOURCES

LONGEST = 800


@pytest.mark.parametrize("top", ["src", "tests", "benchmarks"])
def test_no_file_outgrows_its_subject(top: str) -> None:
    lengths = {
        str(path.relative_to(ROOT)): path.read_text().count("\n")
        for path in (ROOT / top).rglob("*.p*")
        if path.suffix in (".py", ".pxd")
    }
    assert not {path: length for path, length in lengths.items() if length > LONGEST}


def silent_methods(node: ast.ClassDef) -> list[str]:
    """The public methods without a docstring; C functions may leave it at their name."""
    return [
        method.name
        for method in node.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef)
        and method.name[0] != "_"
        and ast.get_docstring(method) is None
        and "cython.cfunc" not in map(ast.unparse, method.decorator_list)
    ]


@pytest.mark.parametrize("path", sorted(SOURCES.rglob("*.py")), ids=lambda path: path.stem)
def test_public_methods_say_what_they_do(path: Path) -> None:
    """What overrides a method is described where that one is."""
    module = ".".join(path.relative_to(SOURCES).with_suffix("").parts).removesuffix(".__init__")
    classes = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
    silent = {node.name: silent_methods(node) for node in classes if node.name[0] != "_"}
    own = []
    for name, methods in silent.items():
        bases = getattr(importlib.import_module(module), name).__mro__[1:] if methods else ()
        inherited = {attribute for base in bases for attribute in dir(base)}
        own += [f"{name}.{method}" for method in methods if method not in inherited]
    assert not own
