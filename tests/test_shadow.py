"""What is shown to mypy in place of the compiled sources."""

from __future__ import annotations

from pathlib import Path

from shadow.headers import read
from shadow.sources import Shadows

HEADER = """
from carnelian.places cimport Place
from libc.stdint cimport int64_t

cdef enum:
    MOST = 3  # of them

cdef struct Cell:
    int64_t number
    const char *text

ctypedef const Cell *Cells

cdef inline bint full(const Cell *cell) noexcept nogil:
    return cell.number == MOST

cdef class Box:
    cdef readonly Py_ssize_t size, room
    cdef public Place place
    cdef list kept
    cdef object label

    cdef int put(self, Cell *cell, bint last) except -1
    cpdef bytes name(
        self, message=*
    )
"""
SOURCE = '''
"""Boxes."""

import cython
from cython.cimports.carnelian.boxes import MOST, Cell
from cython.cimports.carnelian.places import (
    Place,
    nowhere,
)


@cython.cclass
class Box:
    """A box."""

    def __cinit__(self, label: str | None = None):
        self.kept = []
        self.label: str | None = label

    def put(self, cell: cython.pointer[cython.const[Cell]], last: cython.bint) -> cython.int:
        digits = cython.declare(cython.char[MOST])
        return 0 if cell is cython.NULL else cell.number
'''


def shadows(directory: Path) -> Shadows:
    package = directory / "src" / "carnelian"
    package.mkdir(parents=True)
    (package / "boxes.pxd").write_text(HEADER)
    (package / "boxes.py").write_text(SOURCE)
    (package / "places.pxd").write_text("cdef class Place:\n    pass\n")
    return Shadows(directory / "src")


def test_a_header_is_read(tmp_path: Path) -> None:
    header = shadows(tmp_path).headers["carnelian.boxes"]
    assert header.constants == ["MOST"]
    assert header.structs["Cell"].variables == {"number": "int64_t", "text": "const char *"}
    assert header.aliases == {"Cells": "const Cell *"}
    assert header.functions["full"].arguments == [("cell", "const Cell *")]
    box = header.classes["Box"]
    assert box.variables == {
        "size": "Py_ssize_t", "room": "Py_ssize_t", "place": "Place", "kept": "list",
        "label": "object",
    }  # fmt: skip
    assert box.functions["put"].kind == "int" and not box.functions["put"].shared
    assert box.functions["name"].arguments == [("self", ""), ("message", "")]
    assert box.functions["name"].shared


def test_lines_stay_where_they_are(tmp_path: Path) -> None:
    shadows(tmp_path).write(tmp_path / "shadow")
    lines = (tmp_path / "shadow" / "carnelian" / "boxes.py").read_text().splitlines()
    told = dict(enumerate(lines, 1))
    assert len(lines) == SOURCE.count("\n")
    assert told[4].startswith("import cython; from typing import Any; ")
    assert "from carnelian.boxes_h import Cell as Cell" in told[4]
    assert told[6] == "from carnelian.places import Place, nowhere"
    assert told[14] == '    """A box."""; size: int; room: int; place: Place'
    assert told[16].strip().startswith("def __init__(")
    assert told[20].strip() == "def put(self, cell: Cell, last: cython.bint) -> cython.int:"
    assert told[21].strip() == "digits = cython.declare(cython.pointer[cython.char])"
    assert told[22].strip() == "return 0 if cell is cython.null() else cell.number"


def test_a_stub_has_what_only_the_header_declares(tmp_path: Path) -> None:
    shadows(tmp_path).write(tmp_path / "shadow")
    stub = (tmp_path / "shadow" / "carnelian" / "boxes_h.pyi").read_text()
    assert "class Cell(Struct):\n    number: int\n    text: Any\n" in stub
    assert "Cells = Cell\n" in stub
    assert "MOST: Final[int]\n" in stub
    assert "def full(cell: Cell) -> bool: ...\n" in stub


def test_every_header_is_understood() -> None:
    for path in (Path(__file__).parents[1] / "src").rglob("*.pxd"):
        header = read(path)
        for scope in (header, *header.classes.values(), *header.structs.values()):
            assert all(name.isidentifier() for name in scope.variables), path
            assert all(name.isidentifier() for name in scope.functions), path
