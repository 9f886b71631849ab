"""The compiled modules that setup.py lists, and what of them is built."""

from __future__ import annotations

import ast
import importlib.machinery
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src"
SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]

# In a header, and in a source in pure Python mode.
_CIMPORT = re.compile(
    r"^from (?:cython\.cimports\.(?=\S+ import)|(?=\S+ cimport))(carnelian[\w.]*)", re.MULTILINE
)


def modules() -> tuple[str, ...]:
    """The names in COMPILED and WHOLE."""
    lists = {
        getattr(node.targets[0], "id", ""): node.value
        for node in ast.parse((ROOT / "setup.py").read_text()).body
        if isinstance(node, ast.Assign)
    }
    return ast.literal_eval(lists["COMPILED"]) + ast.literal_eval(lists["WHOLE"])


def shared_object(name: str) -> Path:
    """Where the compiled form of a module belongs."""
    return SOURCES / (name.replace(".", "/") + SUFFIX)


def outdated() -> list[str]:
    """Modules whose shared object is missing or older than what it was made of."""
    return [name for name in modules() if _is_outdated(shared_object(name))]


def _is_outdated(built: Path) -> bool:
    if not built.exists():
        return True
    source = built.with_name(built.name.removesuffix(SUFFIX) + ".py")
    made_of = {source, *_headers_of(source)}
    return built.stat().st_mtime < max(path.stat().st_mtime for path in made_of)


def _headers_of(source: Path) -> set[Path]:
    """The headers that the layout of a compiled module depends on."""
    found: set[Path] = set()
    left = set(_named_in(source) | _named_in(source.with_suffix(".pxd")))
    while left:
        header = left.pop()
        if header not in found:
            found.add(header)
            left |= _named_in(header)
    own = source.with_suffix(".pxd")
    return found | {own} if own.exists() else found


@cache
def _named_in(path: Path) -> frozenset[Path]:
    """The headers that a file takes declarations from."""
    if not path.exists():
        return frozenset()
    names = _CIMPORT.findall(path.read_text())
    headers = (SOURCES / (name.replace(".", "/") + ".pxd") for name in names)
    return frozenset(header for header in headers if header.exists())
