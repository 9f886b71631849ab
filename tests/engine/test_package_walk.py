"""Packages are imported by the names of their files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from carnelian.engine.extensions.package_walk import import_all


def test_modules_and_packages_are_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "walked"
    (root / "inner").mkdir(parents=True)
    (root / "data").mkdir()
    for name in ("__init__.py", "b.py", "a.py", "inner/__init__.py", "inner/c.py", "data/d.py"):
        (root / name).touch()
    # Headers, compiled leftovers and what is no code at all.
    for name in ("header.pxd", "stub.pyi", "note.txt", "a.pxd"):
        (root / name).touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    try:
        walked = __import__("walked")
        import_all(walked.__path__, "walked")
        assert set(sys.modules) - before == {
            "walked", "walked.a", "walked.b", "walked.inner", "walked.inner.c",
        }  # fmt: skip
    finally:
        for name in set(sys.modules) - before:
            del sys.modules[name]
