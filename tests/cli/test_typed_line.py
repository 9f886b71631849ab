"""What helps while a line is typed: suggestions, hints, colours."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from carnelian.tools.cli.prompt import typed_line
from carnelian.tools.cli.prompt.kept_lines import may_be_kept
from carnelian.tools.cli.talking import command_docs
from carnelian.tools.cli.talking.command_docs import CommandDocs
from carnelian.tools.cli.wire.addresses import Address
from carnelian.tools.cli.wire.cli_client import Client

from .programs import Echo

KEYS = [b"user:1", b"user:2", "f\u00fcr".encode(), b"with space", b"\xff"]


@pytest.fixture(scope="module")
def docs() -> CommandDocs:
    """Of a server that knows none: our own."""
    echo = Echo()
    client = Client(Address(port=echo.port))
    found = command_docs.fetch(client)
    client.close()
    echo.close()
    return found


def keys(prefix: bytes) -> Iterable[bytes]:
    return [key for key in KEYS if key.startswith(prefix)]


def directives(prefix: str) -> Iterable[str]:
    return [name for name in ("maxmemory", "maxclients", "hz") if name.startswith(prefix)]


def texts(docs: CommandDocs, before: str) -> list[str]:
    return [each.text for each in typed_line.suggest(docs, before, keys, directives)[1]]


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("getd", ["getdel"]),
        ("GETD", ["GETDEL"]),
        ("set ", ["user:1", "user:2", "f\u00fcr", '"with space"', '"\\xff"']),
        ("set us", ["user:1", "user:2"]),
        ('set "us', ["user:1", "user:2"]),
        ("get user:1 ", []),
        ("copy user:1 us", ["user:1", "user:2"]),
        ("mget user:1 us", ["user:1", "user:2"]),
        ("hset us", ["user:1", "user:2"]),
        ("hset h us", []),
        ("zadd z n", ["nx"]),
        ("getex k P", ["PX", "PXAT", "PERSIST"]),
        ("xread COUNT 5 STREAMS u", ["user:1", "user:2"]),
        ("config ge", ["get"]),
        ("config get max", ["maxmemory", "maxclients"]),
        ("config set h", ["hz"]),
        ("config set hz ", []),
        ("help @str", ["@stream", "@string"]),
        ("help getd", ["GETDEL"]),
        ("help config r", ["RESETSTAT", "REWRITE"]),
        ("\\wa", ["\\watch"]),
        ("\\watch 2 getd", ["getdel"]),
        ("5 getd", ["getdel"]),
        ("nosuch ", []),
    ],
)
def test_suggestions(docs: CommandDocs, before: str, found: list[str]) -> None:
    assert texts(docs, before) == found


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("get", " key"),
        ("get ", "key"),
        ("get a", ""),
        ("append a ", "value"),
        ("getex k", " [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT "
                    "unix-time-milliseconds|PERSIST]"),
        ("getex k ex ", "seconds"),
        ("getex k ex 5", ""),
        ("mset a 1", " [key value ...]"),
        ("del a", " [key ...]"),
        ("config set ", "parameter value [parameter value ...]"),
        ("rename a ", "newkey"),
        ("nosuch a", ""),
        ("\\watch 1 rename a ", "newkey"),
        ("lpop l", " [count]"),
    ],
)  # fmt: skip
def test_hints(docs: CommandDocs, line: str, hint: str) -> None:
    assert typed_line.hint(docs, line) == hint


@pytest.mark.parametrize(
    ("line", "kinds"),
    [
        ("set user:1 'x y' ex 10", "command key string token number"),
        ("nosuch a 1", "unknown value number"),
        ("config get x", "command command value"),
        ("\\watch 2 get a", "own own command key"),
        ("help get", "own value"),
        ("lpush l 1 two", "command key number value"),
    ],
)
def test_colours(docs: CommandDocs, line: str, kinds: str) -> None:
    pieces = typed_line.pieces(docs, line)
    assert "".join(piece.text for piece in pieces) == line
    assert " ".join(piece.kind for piece in pieces if piece.kind) == kinds


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("get a", True),
        ("AUTH secret", False),
        ("3 auth u secret", False),
        ('"auth" secret', False),
        ("hello 3 AUTH u secret", False),
        ("acl setuser ann on >secret", False),
        ("acl whoami", True),
        ("config set requirepass secret", False),
        ("CONFIG SET masterauth secret", False),
        ("migrate h 1 k 0 5 AUTH2 u p", False),
        ("sentinel set m auth-pass secret", False),
        ("\\watch auth secret", False),
        (" get a", False),
    ],
)
def test_what_the_history_keeps(line: str, kept: bool) -> None:
    assert may_be_kept(line) is kept
