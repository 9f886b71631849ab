"""What COMMAND says of each command is what redis-server says of it."""

from __future__ import annotations

from typing import Any

import pytest

from carnelian.engine.engine import Engine
from support.local import LocalClient
from support.wire import Reply, WireClient

# What has changed since 7.0, which is the version compared with, and in which version.
CHANGED = {
    ("command|getkeys", "arity"): "7.2",
    ("command|getkeysandflags", "arity"): "7.2",
    ("client|setname", "hints"): "7.2",
    ("config|resetstat", "hints"): "7.2",
    ("latency|reset", "hints"): "7.2",
    ("config|rewrite", "hints"): "7.2",
    ("msetnx", "hints"): "7.2",
    ("randomkey", "hints"): "7.2",
    ("scan", "hints"): "7.2",
    ("wait", "flags"): "7.2",
    ("wait", "categories"): "7.2",
}
# Subcommands that are newer.
NEWER = {"client": {"client|setinfo", "client|no-touch"}}
# Subcommands that are still to come.
TO_COME = {
    "client": {"client|tracking", "client|trackinginfo", "client|caching", "client|getredir"},
}

PARTS = (
    "name", "arity", "flags", "first", "last", "step", "categories", "hints", "specs",
    "subcommands",
)  # fmt: skip


def plain(reply: Reply) -> Any:
    """A reply as comparable values: sets sorted, maps without the notes, which are prose."""
    if not isinstance(reply.value, list):
        return reply.value
    if reply.kind == b"~":
        return sorted(map(plain, reply.value), key=repr)
    if reply.kind == b"%":
        pairs = zip(reply.value[::2], reply.value[1::2], strict=True)
        return {str(key.value): plain(value) for key, value in pairs if key.value != b"notes"}
    return [plain(item) for item in reply.value]


def table(reply: Reply) -> dict[str, dict[str, object]]:
    """The parts of each command and each subcommand, by its full name."""
    found = {}
    assert isinstance(reply.value, list)
    for item in reply.value:
        assert isinstance(item.value, list)
        *parts, subcommands = item.value
        values = [plain(part) for part in parts]
        name = values[0].decode()
        below = table(subcommands)
        found[name] = dict(zip(PARTS, [*values, set(below)], strict=True))
        found |= below
    return found


@pytest.fixture(scope="module")
def tables(redis_server) -> tuple[dict, dict]:
    reference = WireClient(redis_server.port)
    reference.call("HELLO", "3")
    theirs = table(reference.call("COMMAND"))
    reference.close()
    return table(LocalClient(Engine(), protocol=3).call("COMMAND")), theirs


def test_every_part_of_every_command(tables: tuple[dict, dict]) -> None:
    ours, theirs = tables
    different = []
    for name in sorted(ours.keys() & theirs.keys()):
        for part in PARTS[1:-1]:
            mine, its = ours[name][part], theirs[name][part]
            if mine != its and (name, part) not in CHANGED:
                different.append(f"{name} {part}: {mine!r} instead of {its!r}")
    assert not different, "\n".join(different)


def test_subcommands(tables: tuple[dict, dict]) -> None:
    ours, theirs = tables
    for name in sorted(ours.keys() & theirs.keys()):
        mine, its = ours[name]["subcommands"], theirs[name]["subcommands"]
        assert mine - NEWER.get(name, set()) == its - TO_COME.get(name, set()), name
