"""What keys are, and how large: questions for many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from carnelian.tools.cli.wire.cli_client import Client


class Kind(NamedTuple):
    """A type of values: its name, what tells how many elements there are, and what these are."""

    name: str
    command: str
    unit: str


# In the order in which summaries tell of them.
KINDS = (
    Kind("list", "LLEN", "items"),
    Kind("hash", "HLEN", "fields"),
    Kind("string", "STRLEN", "bytes"),
    Kind("stream", "XLEN", "entries"),
    Kind("set", "SCARD", "members"),
    Kind("zset", "ZCARD", "members"),
)
_KINDS = {kind.name: kind for kind in KINDS}
_ARRAY = Kind("array", "ARLEN", "elements")


def kind_of(name: str) -> Kind:
    """The type of a name; those of modules have no elements that could be counted."""
    if name == "array":
        return _ARRAY
    return _KINDS.get(name) or Kind(name, "", "?")


def types_of(client: Client, keys: Sequence[bytes]) -> list[str]:
    """The names of the keys' types, ``none`` of what is not there any more."""
    replies = client.pipeline([("TYPE", key) for key in keys])
    return [reply.decode() if isinstance(reply, bytes) else "none" for reply in replies]


def elements_of(client: Client, keys: Sequence[bytes], types: Sequence[str]) -> list[int]:
    """How many elements, or bytes of a string, each key has; 0 if that cannot be told."""
    commands = [kind_of(name).command for name in types]
    asked = [(name, key) for name, key in zip(commands, keys, strict=True) if name]
    replies = iter(client.pipeline(asked))
    return [_size(next(replies)) if command else 0 for command in commands]


def memory_of(client: Client, keys: Sequence[bytes], samples: int) -> list[int]:
    """How many bytes each key takes, by so many samples of its elements (0: the server's way)."""
    more = ("SAMPLES", str(samples)) if samples else ()
    return [
        _size(reply) for reply in client.pipeline([("MEMORY", "USAGE", k, *more) for k in keys])
    ]


def _size(reply: object) -> int:
    return reply if isinstance(reply, int) and not isinstance(reply, bool) else 0
