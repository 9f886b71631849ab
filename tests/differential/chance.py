"""Random commands as in ``generate``, from a seed and quick: for runs of hundreds of thousands."""

from __future__ import annotations

import random
import time
from functools import cache

from carnelian.engine.catalogue.grammar import Argument, parse
from carnelian.engine.catalogue.registry import declarations
from differential import generate
from differential.generate import EXTREMES, INTEGERS, KEYS, ODD, Words

MEMBERS = [b"m%d" % number for number in range(60)]
NUMBERS = [b"%d" % number for number in INTEGERS * 4 + EXTREMES] + ODD
FIELDS = [b"u8", b"i5", b"u1", b"i64", b"u63", b"i33", b"u64", b"x8", b"i0"]
BITS = [b"%d" % number for number in range(0, 400, 7)] * 2 + [b"-1", b"x", b"#1", b"#3", b"#x"]
SPOILING = [*KEYS[:2], b"NX", b"XX", b"GET", b"EX", b"junk", b"500000", b""]

# Longest string that a command may make: SETBIT of bit 2147483647 fills 256 MB.
FEW = [b"%d" % number for number in (0, 1, 2, 3, 5, 10, 100, -1, -5)]


@cache
def arguments(name: str) -> tuple[tuple[bytes, ...], tuple[Argument, ...]]:
    """The words of a command's name, and those of its arguments that the reference knows."""
    declaration = declarations[name]
    nodes = parse(declaration.arguments, len(declaration.keys))
    return tuple(name.encode().split(b" ")), tuple(generate.known(nodes))


class Chance:
    """A source of commands of some names; the same for the same seed."""

    def __init__(self, seed: int, names: list[str]):
        self.random = random.Random(seed)
        self.names = names

    def command(self) -> Words:
        """One command, every tenth of them spoilt."""
        name, nodes = arguments(self.random.choice(self.names))
        words = list(name)
        for node in nodes:
            words += self._argument(name[0], node)
        return tuple(self._spoil(words) if self.random.random() < 0.1 else words)

    def _argument(self, name: bytes, node: Argument) -> list[bytes]:
        if node.optional and self.random.random() < 0.5:
            return []
        times = self.random.choice((1, 1, 2, 3)) if node.multiple else 1
        return [word for _ in range(times) for word in self._once(name, node)]

    def _once(self, name: bytes, node: Argument) -> list[bytes]:
        token = [node.token.encode()] if node.token is not None else []
        if node.type == "pure-token":
            return [self.random.choice((token[0], token[0].lower()))]
        if node.type == "oneof":
            choice = self.random.choice(generate.known(node.arguments))
            return token + self._argument(name, choice)
        if node.type == "block":
            parts = generate.known(node.arguments)
            return token + [word for part in parts for word in self._argument(name, part)]
        return [*token, self.random.choice(self._choices(name, node))]

    def _choices(self, name: bytes, node: Argument) -> list[bytes]:
        """The words that may stand for an argument."""
        if node.type == "key":
            return KEYS
        if node.type == "pattern":
            return generate.PATTERNS
        if node.type == "unix-time":
            return _moments(node.name)
        if node.name in ("seconds", "milliseconds"):
            return _durations(node.name)
        if node.name in ("db", "destination-db", "index1", "index2"):
            return [b"0", b"1", b"2", b"15", b"16", b"-1", b"x", b"2147483648"]
        if node.name == "numkeys":
            return [b"1", b"2", b"3"] * 4 + [b"0", b"-1", b"x"]
        if node.name == "cursor":
            return [b"0"] * 9 + [b"x"]
        if node.name == "encoding":
            return FIELDS
        if node.name == "offset" and name.startswith((b"BIT", b"SETBIT", b"GETBIT")):
            return BITS
        if node.name == "count" and name.endswith((b"RANDMEMBER", b"RANDFIELD")):
            return [*FEW, b"x"]
        if node.name in ("min", "max", "start", "stop"):
            return self._ends(node)
        if node.name in ("longitude", "latitude", "radius", "width", "height"):
            return [b"%d" % n for n in (0, 1, 13, -45, 85, 500)] * 4 + generate.NO_DOUBLES
        if node.type == "double" or node.name == "weight":
            return generate.DOUBLES * 3 + generate.NO_DOUBLES
        if node.type == "integer":
            return NUMBERS
        return self.random.choice((generate.TEXTS, MEMBERS))

    def _ends(self, node: Argument) -> list[bytes]:
        scores = generate.ENDS_OF_SCORES * 3 + generate.NO_DOUBLES
        if node.type == "integer":
            return NUMBERS
        if node.type == "double":
            return self.random.choice((scores, scores, scores, generate.ENDS_OF_TEXTS))
        return self.random.choice((generate.ENDS_OF_TEXTS, generate.ENDS_OF_TEXTS, scores, NUMBERS))

    def _spoil(self, words: list[bytes]) -> list[bytes]:
        """The command with a word too few, too many or another one."""
        at = self.random.randint(1, max(1, len(words) - 1))
        other = self.random.choice(SPOILING)
        way = self.random.randrange(3)
        if way == 0:
            return words[:at] + words[at + 1 :]
        return words[:at] + [other] + words[at + (way == 1) :]


def _durations(unit: str) -> list[bytes]:
    scale = 1 if unit == "seconds" else 1000
    usual = [500 * scale, 5000 * scale, 31536000 * scale]
    return [b"%d" % n for n in usual * 4 + [0, -1, -1000 * scale] + EXTREMES] + ODD


def _moments(name: str) -> list[bytes]:
    scale = 1000 if "milliseconds" in name else 1
    usual = [(int(time.time()) + ahead) * scale for ahead in (50_000, 500_000, 31_536_000)]
    return [b"%d" % n for n in usual * 4 + [0, -1] + EXTREMES] + ODD
