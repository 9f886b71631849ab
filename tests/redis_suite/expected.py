"""The list of units that must pass and of the tests left out of them, with reasons."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EXPECTED_FILE = Path(__file__).with_name("expected.toml")
VERSION = "7.0.15"


@dataclass(frozen=True)
class Unit:
    """One file of the suite and what is left out of it.

    ``excluded`` maps test name -> feature it waits for, ``deny_tags`` tag -> feature.
    ``insert_before`` maps test name -> Tcl line put before it, which does what a skipped test
    would have done for it. ``insert_first`` is a Tcl line put before everything else. ``replaced``
    maps texts of the file to what newer versions of Redis have in their place.
    """

    name: str
    excluded: dict[str, str] = field(default_factory=dict)
    deny_tags: dict[str, str] = field(default_factory=dict)
    insert_before: dict[str, str] = field(default_factory=dict)
    insert_first: str = ""
    # Whether all of it is run over TLS, without which it has no tests.
    tls: bool = False
    # Whether it crashes servers on purpose, to see what they log.
    crashes: bool = False
    replaced: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """All units, in the order of the file, and the text behind each reason."""

    reasons: dict[str, str]
    units: dict[str, Unit]


def load(path: Path = EXPECTED_FILE) -> Expected:
    """Reads the list; raises ValueError where it names an unknown reason or a test twice."""
    document = tomllib.loads(path.read_text())
    reasons: dict[str, str] = document.pop("reasons")
    units = {name: _unit(name, table, reasons) for name, table in document.items()}
    return Expected(reasons, units)


def _unit(name: str, table: dict[str, Any], reasons: dict[str, str]) -> Unit:
    excluded: dict[str, str] = {}
    for reason, tests in table.get("excluded", {}).items():
        for test in tests:
            if test in excluded:
                raise ValueError(f"{name}: {test!r} is excluded twice")
            excluded[test] = reason
    deny_tags = table.get("deny-tags", {})
    newer: dict[str, dict[str, str]] = table.get("replaced", {})
    replaced = {old: new for texts in newer.values() for old, new in texts.items()}
    unknown = {*excluded.values(), *deny_tags.values(), *newer} - reasons.keys()
    if unknown:
        raise ValueError(f"{name}: unknown reasons {sorted(unknown)}")
    before, first = table.get("insert-before", {}), table.get("insert-first", "")
    tls, crashes = table.get("tls", False), table.get("crashes", False)
    return Unit(name, excluded, deny_tags, before, first, tls, crashes, replaced)
