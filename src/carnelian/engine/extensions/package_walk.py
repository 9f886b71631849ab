"""The modules of a package, by the names of its files."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator


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
        entries = {entry.name.partition(".")[0]: entry for entry in os.scandir(folder)}
        for stem, entry in sorted(entries.items()):
            if stem.startswith("__"):
                continue
            yield f"{package}.{stem}"
            if entry.is_dir():
                yield from _modules((entry.path,), f"{package}.{stem}")
