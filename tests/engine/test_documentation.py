"""What docstrings of handlers say about commands."""

from __future__ import annotations

import pytest

from carnelian.commands import declare_all
from carnelian.engine.catalogue.documentation import Documentation, parse
from carnelian.engine.catalogue.registry import declarations
from carnelian.engine.declaring import split_name


def test_all_that_can_be_said() -> None:
    told = parse("""Puts elements before the first of a list,
    one after the other.

    Since 1.0.0, O(1) for each element
        that is pushed
    2.4.0: Several elements can be given.
    Deprecated since 6.2.0: `LMOVE`

    This paragraph is for those who read the source.
    """)
    assert told == Documentation(
        summary="Puts elements before the first of a list, one after the other.",
        since="1.0.0",
        complexity="O(1) for each element that is pushed",
        history=(("2.4.0", "Several elements can be given."),),
        deprecated=("6.2.0", "`LMOVE`"),
    )


def test_a_summary_is_enough() -> None:
    assert parse("Does it.") == Documentation(summary="Does it.")
    assert parse("Does it.\n\n    Since 7.0.0\n    ") == Documentation("Does it.", since="7.0.0")
    assert parse("") == Documentation()


@pytest.mark.parametrize("entry", ["Since long ago", "Since 1.0.0. O(1)"])
def test_what_cannot_be_read(entry: str) -> None:
    with pytest.raises(ValueError, match="says neither since when, nor what changed"):
        parse(f"Does it.\n\n{entry}")


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("GET key", "GET", "key"),
        ("CONFIG GET parameter ...", "CONFIG GET", "parameter ..."),
        ("COMMAND GETKEYSANDFLAGS command [arg ...]", "COMMAND GETKEYSANDFLAGS",
         "command [arg ...]"),
        ("CLIENT NO-EVICT enabled=<ON | OFF>", "CLIENT NO-EVICT", "enabled=<ON | OFF>"),
        ("my.cmd x", "my.cmd", "x"),
        ("PING [message]", "PING", "[message]"),
        ("MULTI", "MULTI", ""),
    ],
)  # fmt: skip
def test_a_name_and_what_follows_it(text: str, name: str, arguments: str) -> None:
    assert split_name(text) == (name, arguments)


def test_every_command_says_what_it_does_and_since_when() -> None:
    declare_all()
    for name, declaration in declarations.items():
        told = declaration.documentation
        assert told.summary.endswith("."), name
        assert told.summary == told.summary.strip()
        assert all(change.endswith(".") for _, change in told.history), name
