"""The compiled modules that setup.py lists, and what of them is built."""

from __future__ import annotations

import ast
import importlib.machinery
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src"
SUFFIX = importlib.machinery.EXTENSION_SUFFIXES[0]


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
    """Modules whose shared object is missing or older than their source."""
    return [name for name in modules() if _is_outdated(shared_object(name))]


def _is_outdated(built: Path) -> bool:
    source = built.with_name(built.name.removesuffix(SUFFIX) + ".py")
    return not built.exists() or built.stat().st_mtime < source.stat().st_mtime
