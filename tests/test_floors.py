"""No import runs upwards between the floors of docs/architecture.md, and none in a circle."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import carnelian
from support.compiled import SOURCES

FLOORS = (
    {"datatypes"},
    {"resp"},
    {"keyspace"},
    {"net"},
    {"engine"},
    {"persistence"},
    {"commands", "scripting"},
    {"replication"},
    {"cluster"},
    {"embedded"},
    {"server"},
    {"sentinel"},
    {"tools"},
)
HEIGHT = {package: height for height, packages in enumerate(FLOORS) for package in packages}
ROOF = len(FLOORS)
# What of an embedded engine talks to others.
DOORS = ("primary_thread", "serving")

CIMPORT = re.compile(r"^\s*from\s+(carnelian[\w.]*)\s+cimport\s+(\([^)]*\)|.+)$", re.MULTILINE)


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {path: module_name(path) for path in sorted(SOURCES.glob("carnelian/**/*.p*[yd]"))}
MODULES = frozenset(FILES.values())


def package_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def height(module: str) -> int:
    """The floor of a module; what stands in no package is the front of the house."""
    return HEIGHT.get(package_of(module), ROOF)


class Imports(ast.NodeVisitor):
    """Pairs of module and name that a source imports; None for the name of a module itself."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str | None]] = []

    def visit_Import(self, node: ast.Import) -> None:
        self.found += [(alias.name, None) for alias in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        assert node.level == 0, "imports are absolute"
        module = (node.module or "").removeprefix("cython.cimports.")
        self.found += [(module, alias.name) for alias in node.names]


def imports(path: Path) -> Iterator[str]:
    """The modules of ours that a source or a header imports, for type checking alone or not."""
    text = path.read_text()
    if path.suffix == ".pxd":
        found: list[tuple[str, str | None]] = [
            (module, name.split()[0])
            for module, names in CIMPORT.findall(text)
            for name in names.strip("() ").split(",")
            if name.strip()
        ]
    else:
        visitor = Imports()
        visitor.visit(ast.parse(text))
        found = visitor.found
    for module, name in found:
        if module.split(".")[0] == "carnelian":
            yield from _resolved(module, name)


def _resolved(module: str, name: str | None) -> Iterator[str]:
    if f"{module}.{name}" in MODULES:
        yield f"{module}.{name}"
    elif module != "carnelian":
        yield module
    elif name in carnelian.__all__ or name is None:
        yield "carnelian"
    # What is left are the facts in carnelian/__init__.py, which imports nothing by itself.


GRAPH: dict[str, set[str]] = {name: set() for name in MODULES}
for _path, _name in FILES.items():
    GRAPH[_name].update(other for other in imports(_path) if other != _name)


def test_every_package_has_its_floor() -> None:
    packages = {
        name.split(".")[1]
        for path, name in FILES.items()
        if path.stem == "__init__" and "." in name
    }
    assert packages <= HEIGHT.keys()


def test_no_import_runs_upwards() -> None:
    upward = [
        f"{module} imports {other}"
        for module, others in sorted(GRAPH.items())
        for other in sorted(others)
        if height(other) > height(module)
    ]
    assert not upward, "\n".join(upward)


def test_who_does_no_io_does_not_know_the_network() -> None:
    silent = {"engine", "commands", "persistence", "scripting", "embedded"}
    talking = [
        f"{module} imports {other}"
        for module, others in sorted(GRAPH.items())
        for other in sorted(others)
        if package_of(module) in silent and package_of(other) == "net"
        # An embedded engine that follows a primary, or serves others, has a thread that does it.
        if not module.startswith(
            ("carnelian.embedded.primary_thread", "carnelian.embedded.serving.")
        )
    ]
    assert not talking, "\n".join(talking)


def test_no_imports_run_in_a_circle() -> None:
    try:
        TopologicalSorter(GRAPH).prepare()
    except CycleError as error:
        raise AssertionError(" <- ".join(error.args[1])) from None
