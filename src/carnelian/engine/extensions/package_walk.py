"""The modules of a package, by the names of its files."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator
from importlib.machinery import all_suffixes

_SUFFIXES = tuple(all_suffixes())


def import_all(folders: Iterable[str], package: str) -> None:
    """Import the modules of a package and those inside of it, packages first, by name.

    What ``pkgutil.walk_packages`` is for: that one loads ``inspect``, and looks into each file.

    Args:
        folders: the package's ``__path__``.
        package: its name.
    """
    for name in _modules(folders, package):
        importlib.import_module(name)


def _modules(folders: Iterable[str], package: str) -> Iterator[str]:
    for folder in folders:
        entries = {
            each.name.partition(".")[0]: each for each in os.scandir(folder) if _is_code(each)
        }
        for stem, entry in sorted(entries.items()):
            yield f"{package}.{stem}"
            if entry.is_dir():
                yield from _modules((entry.path,), f"{package}.{stem}")


def _is_code(entry: os.DirEntry[str]) -> bool:
    """Whether it is a module or a package: headers and leftovers lie beside them."""
    if entry.name.startswith("__"):
        return False
    return entry.name.endswith(_SUFFIXES) or os.path.isfile(os.path.join(entry.path, "__init__.py"))
