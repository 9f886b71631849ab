"""Declarations against COMMAND INFO and COMMAND DOCS of redis-server, for commands both have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carnelian.engine.engine import Engine
from support.local import LocalClient
from support.servers import ReferenceServer
from support.wire import Reply, WireClient

INFO = ("name", "arity", "flags", "first", "last", "step", "categories", "tips", "key specs")
DOCS = (
    "since", "group", "history", "arguments", "doc_flags", "deprecated_since", "replaced_by",
)  # fmt: skip

# What later versions than the reference's say otherwise: the fields, by the version.
NEWER: dict[str, dict[str, str]] = {
    "acl|deluser": {"tips": "7.2.0"},
    "acl|log": {"history": "7.2.0"},
    "acl|save": {"tips": "7.2.0"},
    "acl|setuser": {"tips": "7.2.0"},
    "bitcount": {"arguments": "7.2.0"},
    "bitfield": {"arguments": "7.2.0"},
    "bitfield_ro": {"arguments": "7.2.0"},
    "bitop": {"arguments": "7.2.0", "history": "8.2.0"},
    "bitpos": {"arguments": "7.2.0"},
    "client|kill": {"history": "7.4.0", "arguments": "7.4.0"},
    "client|list": {"history": "8.0.0", "arguments": "7.2.0"},
    "client|reply": {"arguments": "7.2.0"},
    "client|setname": {"tips": "7.2.0"},
    "client|unblock": {"arguments": "7.2.0"},
    "cluster|addslotsrange": {"arguments": "7.2.0"},
    "cluster|delslotsrange": {"arguments": "7.2.0"},
    "cluster|meet": {"arguments": "7.2.0"},
    "cluster|reset": {"arguments": "7.2.0"},
    "command|getkeys": {"arity": "7.2.0", "arguments": "7.2.0"},
    "command|getkeysandflags": {"arity": "7.2.0", "arguments": "7.2.0"},
    "config|get": {"arguments": "7.2.0"},
    "config|resetstat": {"tips": "7.2.0"},
    "config|rewrite": {"tips": "7.2.0"},
    "config|set": {"arguments": "7.2.0"},
    "flushall": {"arguments": "7.2.0"},
    "flushdb": {"arguments": "7.2.0"},
    "hello": {"arguments": "7.2.0"},
    "hscan": {"arguments": "7.4.0"},
    "latency|reset": {"tips": "7.2.0"},
    "lcs": {"arguments": "7.2.0"},
    "migrate": {"arguments": "7.2.0"},
    "mset": {"arguments": "7.2.0"},
    "msetnx": {"tips": "7.2.0", "arguments": "7.2.0"},
    "pfmerge": {"arguments": "7.2.0"},
    "psetex": {"doc_flags": "7.2.0", "deprecated_since": "7.2.0", "replaced_by": "7.2.0"},
    "psubscribe": {"arguments": "7.2.0"},
    "quit": {"doc_flags": "7.2.0", "deprecated_since": "7.2.0", "replaced_by": "7.2.0"},
    "randomkey": {"tips": "7.2.0"},
    "scan": {"tips": "7.2.0", "history": "8.0.0"},
    "set": {"history": "8.4.0", "arguments": "8.4.0"},
    "setex": {"doc_flags": "7.2.0", "deprecated_since": "7.2.0", "replaced_by": "7.2.0"},
    "setnx": {"doc_flags": "7.2.0", "deprecated_since": "7.2.0", "replaced_by": "7.2.0"},
    "shutdown": {"arguments": "7.2.0"},
    "xadd": {"history": "8.2.0", "arguments": "8.2.0"},
    "xread": {"history": "8.10.0", "arguments": "8.10.0"},
    "xreadgroup": {"history": "8.4.0", "arguments": "8.4.0"},
    "xinfo|consumers": {"history": "7.2.0"},
    "xinfo|stream": {"history": "7.2.0", "arguments": "7.2.0"},
    "xtrim": {"history": "8.2.0", "arguments": "8.2.0"},
    "zinter": {"history": "8.8.0", "arguments": "8.8.0"},
    "zinterstore": {"history": "8.8.0", "arguments": "8.8.0"},
    "zunion": {"history": "8.8.0", "arguments": "8.8.0"},
    "zunionstore": {"history": "8.8.0", "arguments": "8.8.0"},
    "zrank": {"arity": "7.2.0", "history": "7.2.0", "arguments": "7.2.0"},
    "zrevrank": {"arity": "7.2.0", "history": "7.2.0", "arguments": "7.2.0"},
    "slowlog|get": {"history": "8.10.0"},
    "sort": {"arguments": "7.2.0"},
    "sort_ro": {"arguments": "7.2.0"},
    "wait": {"flags": "7.2.0", "categories": "7.2.0"},
}

# Lines of command names, words, and where the keys stand among them.
KEY_POSITIONS = Path(__file__).parents[1] / "engine" / "key_positions.txt"
# Where later versions find keys and the reference none.
NEWER_KEYS = ["PFMERGE a"]


def plain(reply: Reply) -> Any:
    """A reply without its types, maps as dicts and sets in order."""
    if isinstance(reply.value, list):
        values = [plain(part) for part in reply.value]
        if reply.kind == b"%":
            return dict(zip(values[::2], values[1::2], strict=True))
        return sorted(values, key=repr) if reply.kind == b"~" else values
    if isinstance(reply.value, bytes):
        return reply.value.decode("latin-1")
    return reply.value


class Facts:
    """What a server says of each command, by name: field -> value."""

    def __init__(self, client: WireClient | LocalClient):
        self.of: dict[str, dict[str, Any]] = {}
        for row in plain(client.call("COMMAND")):
            self._add(row)
        for name, documentation in plain(client.call("COMMAND", "DOCS")).items():
            self._document(name, documentation)

    def _add(self, row: list[Any]) -> None:
        fields = dict(zip(INFO, row, strict=False))
        for spec in fields["key specs"]:
            spec.pop("notes", None)  # prose
        fields["key specs"].sort(key=repr)
        self.of[row[0]] = fields
        for subcommand in row[9]:
            self._add(subcommand)

    def _document(self, name: str, documentation: dict[str, Any]) -> None:
        fields = {field: documentation.get(field) for field in DOCS}
        fields["history"] = sorted(version for version, _ in documentation.get("history", ()))
        fields["arguments"] = list(bare(documentation.get("arguments", ())))
        self.of[name] |= fields
        for subcommand, its in documentation.get("subcommands", {}).items():
            self._document(subcommand, its)


def bare(arguments: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Arguments without display texts, which came after the reference."""
    for argument in arguments:
        kept = {name: value for name, value in argument.items() if name != "display_text"}
        if "arguments" in kept:
            kept["arguments"] = list(bare(kept["arguments"]))
        yield kept


@pytest.fixture(scope="module")
def theirs(redis_server: ReferenceServer) -> Facts:
    client = WireClient(redis_server.port)
    client.call("HELLO", 3)
    return Facts(client)


@pytest.fixture(scope="module")
def ours() -> Facts:
    return Facts(LocalClient(Engine(), protocol=3))


def test_they_agree_on_all_but_what_is_newer(theirs: Facts, ours: Facts) -> None:
    differences = {
        name: {field for field in fields if fields[field] != theirs.of[name][field]}
        for name, fields in ours.of.items()
        if name in theirs.of
    }
    listed = {name: set(fields) for name, fields in NEWER.items() if name in theirs.of}
    faults = [
        f"{name}: {field}\n{theirs.of[name][field]}\n{ours.of[name][field]}"
        for name, fields in differences.items()
        for field in fields - listed.get(name, set())
    ]
    assert not faults, "\n".join(faults)
    stale = {name: fields - differences[name] for name, fields in listed.items()}
    assert not {name: fields for name, fields in stale.items() if fields}


def test_no_subcommand_is_missing(theirs: Facts, ours: Facts) -> None:
    expected = {name for name in theirs.of if name.partition("|")[0] in ours.of}
    assert expected <= set(ours.of)


def test_they_find_the_same_keys(redis_server: ReferenceServer) -> None:
    theirs, ours = WireClient(redis_server.port), LocalClient(Engine())
    known = plain(theirs.call("COMMAND", "LIST"))
    for line in KEY_POSITIONS.read_text().splitlines():
        name, *words = line.partition(" ->")[0].split()
        head, _, subcommand = name.partition("|")
        if line.partition(" ->")[0] in NEWER_KEYS or name.lower() not in known:
            continue
        # A word of the table stands where the subcommand was.
        command = [head, subcommand, *words[1:]] if subcommand else [head, *words]
        for question in ("GETKEYS", "GETKEYSANDFLAGS"):
            expected = plain(theirs.call("COMMAND", question, *command))
            assert plain(ours.call("COMMAND", question, *command)) == expected, line


def test_every_argument_has_a_text_to_display_if_it_stands_alone() -> None:
    client = LocalClient(Engine(), protocol=3)

    def check(arguments: list[dict[str, Any]]) -> None:
        for argument in arguments:
            assert ("display_text" in argument) == (argument["type"] not in ("oneof", "block"))
            check(argument.get("arguments", []))

    for documentation in plain(client.call("COMMAND", "DOCS")).values():
        check(documentation.get("arguments", []))
