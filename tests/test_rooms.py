"""The rooms of the house: few files in each, a name for each file, and one direction of imports."""

from __future__ import annotations

from collections import Counter, defaultdict
from graphlib import CycleError, TopologicalSorter

import pytest

from support.compiled import SOURCES
from test_floors import FILES, GRAPH

# Files of a room that a reader can still keep in mind.
MOST_FILES = 12

ROOMS = sorted({name.rsplit(".", 1)[0] for name in GRAPH if "." in name})


def test_a_room_has_a_dozen_files_at_most() -> None:
    rooms = Counter(
        path.parent.relative_to(SOURCES)
        for path in FILES
        if path.suffix == ".py" and path.stem != "__init__"
    )
    assert not {str(room): count for room, count in rooms.items() if count > MOST_FILES}


def test_a_name_is_that_of_one_file() -> None:
    """``libc`` excepted: what a room takes of the C library stands beside those who take it."""
    names = Counter(
        path.with_suffix("").name
        for path in {path.with_suffix(".py") for path in FILES}
        if path.stem not in ("__init__", "libc")
    )
    assert not [name for name, count in names.items() if count > 1]


def test_a_room_says_what_stands_in_it() -> None:
    silent = [
        str(path.parent.relative_to(SOURCES))
        for path in FILES
        if path.name == "__init__.py" and not path.read_text().startswith('"""')
    ]
    assert not silent


@pytest.mark.parametrize("room", ROOMS)
def test_no_rooms_beside_each_other_import_in_a_circle(room: str) -> None:
    """Taken as wholes, with all that stands in them."""
    beside: dict[str, set[str]] = defaultdict(set)
    for module, others in GRAPH.items():
        for other in others:
            if module.startswith(f"{room}.") and other.startswith(f"{room}."):
                here, there = (name[len(room) + 1 :].split(".")[0] for name in (module, other))
                if here != there:
                    beside[here].add(there)
    try:
        TopologicalSorter(beside).prepare()
    except CycleError as error:
        raise AssertionError(f"{room}: " + " <- ".join(error.args[1])) from None
