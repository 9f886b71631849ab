"""Directives whose values have a form of their own."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from carnelian.engine.config import quantities
from carnelian.engine.config.directive import Directive, Integer, Line, Memory
from carnelian.engine.config.mistakes import ConfigError
from carnelian.resp.quoting import quote

MAX_BIND_ADDRESSES = 16
WRONG_NUMBER = "wrong number of arguments"


def decode(text: bytes) -> str:
    """A text as file names are decoded, so that any bytes survive."""
    return quantities.c_string(text).decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes of a decoded text."""
    return text.encode("utf-8", "surrogateescape")


class Rate(Integer):
    """Ticks a second; an int, brought into 1 to 500 rather than refused."""

    __slots__ = ()

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> int:
        return max(1, min(500, super().parse(arguments, values)))


class Backlog(Memory):
    """The size of the replication backlog; an int, 16 kB if less is asked for."""

    __slots__ = ()
    least = 16 * quantities.KB

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> int:
        return max(self.least, super().parse(arguments, values))


class Save(Directive):
    """When to save a snapshot; a tuple of (seconds, changes).

    In a file every line adds to those before it, the first one replacing the default; ``""``
    drops them all.
    """

    __slots__ = ()
    multiple = True

    @property
    def form(self) -> str:
        return "pairs of seconds and changes"

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> tuple:
        if arguments == [b""]:
            arguments = []
        found = [quantities.parse_loose(argument) for argument in arguments]
        pairs = list(zip(found[::2], found[1::2], strict=False))
        valid = all(s is not None and c is not None and s >= 1 and c >= 0 for s, c in pairs)
        if len(found) % 2 or not valid:
            raise ConfigError("Invalid save parameters")
        return tuple(pairs)

    def format(self, value: tuple) -> bytes:
        return b" ".join([b"%d %d" % pair for pair in value])

    def lines(self, value: tuple) -> Iterable[Line]:
        # Without a line the default would come back.
        if not value:
            return (Line(b'save ""'),)
        return [Line(b"save %d %d" % pair) for pair in value]


class Bind(Directive):
    """The addresses to listen on; a tuple of str. One with ``-`` before it need not exist."""

    __slots__ = ()
    multiple = True

    @property
    def form(self) -> str:
        return f"up to {MAX_BIND_ADDRESSES} addresses"

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> tuple[str, ...]:
        if len(arguments) > MAX_BIND_ADDRESSES:
            raise ConfigError("Too many bind addresses specified.")
        if arguments == [b""]:
            return ()
        return tuple([decode(argument) for argument in arguments])

    def format(self, value: tuple[str, ...]) -> bytes:
        return encode(" ".join(value))

    def lines(self, value: tuple[str, ...]) -> Iterable[Line]:
        if value == self.default:
            return ()
        return (Line(b"%s %s" % (self.name.encode(), self.format(value) or b'""')),)


class BufferLimit(NamedTuple):
    """Output a client of some class may leave unread; 0 is no limit.

    Above ``hard`` bytes it is cut off at once, above ``soft`` bytes after ``seconds``.
    """

    hard: int
    soft: int
    seconds: int


class BufferLimits(NamedTuple):
    """The limits of each class of clients."""

    normal: BufferLimit
    replica: BufferLimit
    pubsub: BufferLimit


class OutputBufferLimits(Directive):
    """The limits on unread output; a BufferLimits. What is not named keeps its limit."""

    __slots__ = ()
    multiple = True
    classes = {b"normal": "normal", b"slave": "replica", b"replica": "replica", b"pubsub": "pubsub"}
    # CONFIG GET keeps the old name.
    shown = (b"normal", b"slave", b"pubsub")

    @property
    def form(self) -> str:
        return "class, hard limit, soft limit, seconds"

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> BufferLimits:
        if len(arguments) % 4:
            raise ConfigError("Wrong number of arguments in buffer limit configuration.")
        changed = {}
        for at in range(0, len(arguments), 4):
            name, hard, soft, seconds = arguments[at : at + 4]
            client_class = self.classes.get(quantities.c_string(name).lower())
            if client_class is None:
                raise ConfigError("Invalid client class specified in buffer limit configuration.")
            changed[client_class] = self.limit(hard, soft, seconds)
        return values[self.name]._replace(**changed)

    def limit(self, *arguments: bytes) -> BufferLimit:
        """The limits of one class; raises ConfigError if they are none."""
        hard = quantities.parse_memory(arguments[0])
        soft = quantities.parse_memory(arguments[1])
        seconds = quantities.parse_loose(arguments[2])
        good = seconds is not None and 0 <= seconds <= quantities.INT_MAX
        if hard is None or soft is None or seconds is None or not good:
            raise ConfigError(
                "Error in hard, soft or soft_seconds setting in buffer limit configuration."
            )
        return BufferLimit(hard, soft, seconds)

    def format(self, value: BufferLimits) -> bytes:
        limits = zip(self.shown, value, strict=True)
        return b" ".join([b"%s %d %d %d" % (name, *limit) for name, limit in limits])

    def lines(self, value: BufferLimits) -> Iterable[Line]:
        lines = []
        for name, limit in value._asdict().items():
            hard, soft = quantities.format_memory(limit.hard), quantities.format_memory(limit.soft)
            words = (self.name.encode(), name.encode(), hard, soft, b"%d" % limit.seconds)
            lines.append(Line(b" ".join(words), limit != getattr(self.default, name)))
        return lines


class ScoreAdjustments(Directive):
    """oom_score_adj of a primary, a replica and a background child; a tuple of three int."""

    __slots__ = ()
    multiple = True

    @property
    def form(self) -> str:
        return "three of -2000 to 2000"

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> tuple:
        if len(arguments) != 3:
            raise ConfigError(WRONG_NUMBER)
        found = [quantities.parse_loose(argument) for argument in arguments]
        if any(number is None or not -2000 <= number <= 2000 for number in found):
            raise ConfigError(
                "Invalid oom-score-adj-values, elements must be between -2000 and 2000."
            )
        return tuple(found)

    def format(self, value: tuple) -> bytes:
        return b" ".join([b"%d" % number for number in value])


class Events(Directive):
    """The classes of keyspace events to publish; a str of their letters in canonical order.

    ``A`` stands for every class but ``m``, ``n``, ``o`` and ``c``; ``K``, ``E`` and the letters
    behind ``m`` say which channels.
    """

    __slots__ = ()
    common = "g$lshzxetda"
    apart = "noc"
    channels = "KEmSTIV"

    @property
    def form(self) -> str:
        return f"letters of A{self.common}{self.apart}{self.channels}"

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> str:
        chosen = set(decode(arguments[0]))
        if not chosen <= set(f"A{self.common}{self.apart}{self.channels}"):
            raise ConfigError("Invalid event class character. Use 'Ag$lshzxeKEtmdnocaSTIV'.")
        letters = f"{self.common}{self.apart}{self.channels}"
        if "A" in chosen or chosen.issuperset(self.common):
            letters, chosen = letters.replace(self.common, "A"), chosen | {"A"}
        return "".join([c for c in letters if c in chosen])

    def format(self, value: str) -> bytes:
        # Redis does not show those beside an A.
        if "A" in value:
            value = "".join([c for c in value if c not in self.apart])
        return value.encode()

    def lines(self, value: str) -> Iterable[Line]:
        text = b"%s %s" % (self.name.encode(), quote(value.encode()))
        return (Line(text, value != self.default),)


class ReplicaOf(Directive):
    """The primary to follow; (host, port), or None on a primary."""

    __slots__ = ()
    multiple = True

    @property
    def form(self) -> str:
        return "host and port, or no one"

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> tuple[str, int] | None:
        if len(arguments) != 2:
            raise ConfigError(WRONG_NUMBER)
        host, port = decode(arguments[0]), quantities.parse_loose(arguments[1])
        if host.lower() == "no" and arguments[1].lower() == b"one":
            return None
        if port is None or not 0 <= port <= 65535:
            raise ConfigError("Invalid master port")
        return (host, port)

    def format(self, value: tuple[str, int] | None) -> bytes:
        return b"" if value is None else encode(f"{value[0]} {value[1]}")

    def lines(self, value: tuple[str, int] | None) -> Iterable[Line]:
        return () if value is None else (Line(b"replicaof %s" % self.format(value)),)


class Percentiles(Directive):
    """The percentiles of command latency that INFO shows; a tuple of float."""

    __slots__ = ()
    multiple = True

    @property
    def form(self) -> str:
        return "percentiles, 0 to 100"

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> tuple[float, ...]:
        if arguments == [b""]:
            return ()
        return tuple([self.percentile(argument) for argument in arguments])

    def percentile(self, argument: bytes) -> float:
        """One percentile; raises ConfigError if it is none."""
        try:
            if b"_" in argument or argument != argument.strip():
                raise ValueError
            hexadecimal = argument[:2].lower() == b"0x"
            number = float.fromhex(argument.decode()) if hexadecimal else float(argument)
        except ValueError:
            number = math.nan
        if math.isnan(number):
            raise ConfigError("Invalid latency-tracking-info-percentiles parameters")
        if not 0 <= number <= 100:
            raise ConfigError(
                "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"
            )
        return number

    def format(self, value: tuple[float, ...]) -> bytes:
        return " ".join([f"{number:f}".rstrip("0").rstrip(".") for number in value]).encode()

    def lines(self, value: tuple[float, ...]) -> Iterable[Line]:
        # Always written, as Redis does, an empty one too: no line would mean the default.
        return (Line(b"%s %s" % (self.name.encode(), self.format(value) or b'""')),)


class WorkingDirectory(Directive):
    """The directory of all files; its absolute path as a str.

    Paths are taken relative to the present value. The process does not move: a server follows
    with ``os.chdir``, an embedded engine must not.
    """

    __slots__ = ()

    @property
    def form(self) -> str:
        return "path"

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> str:
        if len(arguments) != 1:
            raise ConfigError(WRONG_NUMBER)
        path = os.path.join(values[self.name], decode(arguments[0]))
        try:
            if not arguments[0]:
                raise FileNotFoundError(2, os.strerror(2))
            # Fails as chdir would, without going there.
            os.stat(os.path.join(path, "."))
        except OSError as error:
            raise ConfigError(str(error.strerror)) from None
        return os.path.realpath(path)

    def format(self, value: str) -> bytes:
        return encode(value)

    def lines(self, value: str) -> Iterable[Line]:
        return (Line(b"dir %s" % quote(encode(value))),)
