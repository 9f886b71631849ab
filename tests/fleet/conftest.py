"""Fleets for tests, of each program that nodes may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleet.fleets import PROGRAMS, Fleet
from support.interrupts import heeded_interrupts as heeded_interrupts
from support.servers import require

MakeFleet = Callable[..., Fleet]


@pytest.fixture(params=PROGRAMS, scope="module")
def program(request: pytest.FixtureRequest) -> str:
    """The program of the nodes."""
    name: str = request.param
    if name != "carnelian-server":
        require(name, "redis-server")
    require("redis-cli", "redis-tools")
    return name


@pytest.fixture(scope="module")
def make_fleet(program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeFleet]:
    """Make fleets, which end with the module: ``make_fleet(shards, replicas, *directives)``."""
    fleets: list[Fleet] = []

    def make(shards: int, replicas: int, *words: str) -> Fleet:
        directory: Path = tmp_path_factory.mktemp("fleets") / "fleet"
        fleets.append(Fleet(directory, program, shards, replicas, *words))
        return fleets[-1]

    yield make
    for fleet in fleets:
        fleet.close()
