"""Makes requests that no well-behaved client would send, of many kinds, from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable

from harness.client import encode

# Commands that would stop, block or silence the server, or reach other machines and files; their
# subcommands with them.
LEFT_OUT = frozenset(
    b"SHUTDOWN DEBUG MONITOR REPLICAOF SLAVEOF SYNC PSYNC MIGRATE FAILOVER SAVE BGSAVE "
    b"BGREWRITEAOF MODULE CONFIG CLIENT ACL CLUSTER SUBSCRIBE PSUBSCRIBE SSUBSCRIBE WAIT WAITAOF "
    b"RESTORE-ASKING REPLCONF ASKING READONLY READWRITE PFDEBUG PFSELFTEST SCRIPT EVAL FUNCTION "
    b"FCALL XREAD XREADGROUP BLPOP BRPOP BLMOVE BLMPOP BZPOPMIN BZPOPMAX BZMPOP BRPOPLPUSH".split()
)
_NUMBERS = [b"0", b"-1", b"1", b"+5", b"007", b" 3", b"3 ", b"0x10", b"1.5", b"1e400", b"nan"]
_NUMBERS += [b"-inf", b"9223372036854775807", b"-9223372036854775808", b"18446744073709551616"]
_LENGTHS = [b"-10", b"-1", b"3000000000", b"99999999999999999999", b"1048577", b"", b"abc", b"+1"]
_LENGTHS += [b"01", b"1 ", b"536870913", b"2147483648", b"-9223372036854775808", b"\x00"]
_WORDS = [b"EX", b"PX", b"NX", b"XX", b"GT", b"GET", b"KEEPTTL", b"MATCH", b"COUNT", b"TYPE", b"*"]
_WORDS += [b"[a-", b"\\", b"LIMIT", b"IDX", b"STORE", b"DB", b"REPLACE", b"", b"\x00", b"\xff\xff"]


class Malformer:
    """A stream of malformed requests; the same seed and commands give the same stream.

    ``commands`` are names as COMMAND LIST gives them, subcommands as ``object|encoding``.
    """

    def __init__(self, seed: int, commands: list[bytes]) -> None:
        self._random = random.Random(seed)
        words = [name.upper().split(b"|") for name in sorted(commands)]
        self._commands = [command for command in words if command[0] not in LEFT_OUT]
        # Kind, weight, and whether the connection is expected to survive it.
        self._kinds: list[tuple[Callable[[], bytes], int, bool]] = [
            (self.odd_command, 60, True),
            (self.unbalanced_inline, 6, False),
            (self.noise, 6, False),
            (self.wrong_length, 8, False),
            (self.mutated, 8, False),
            (self.truncated, 6, False),
            (self.long_inline, 1, False),
            (self.many_arguments, 1, True),
            (self.nested, 4, False),
        ]
        self._weights = [weight for _, weight, _ in self._kinds]

    def next(self) -> tuple[bytes, bool]:
        """A request, and whether the connection may be used for more after it."""
        (make, _, survives) = self._random.choices(self._kinds, self._weights)[0]
        return make(), survives

    def odd_command(self) -> bytes:
        """Well framed, but with arguments of any number and kind."""
        arguments = [self._argument() for _ in range(self._random.randrange(6))]
        return encode(*self._random.choice(self._commands), *arguments)

    def _argument(self) -> bytes:
        pick = self._random.random()
        if pick < 0.4:
            return b"key:%d" % self._random.randrange(50)
        if pick < 0.6:
            return self._random.choice(_NUMBERS)
        if pick < 0.85:
            return self._random.choice(_WORDS)
        return self._random.randbytes(self._random.randrange(40))

    def noise(self) -> bytes:
        return self._random.randbytes(self._random.randrange(1, 300)) + b"\r\n"

    def unbalanced_inline(self) -> bytes:
        quote = self._random.choice([b'"', b"'", b'"\\x', b'"\\', b"'\\'", b'""a'])
        return b"SET " + quote + self._random.randbytes(5).replace(b"\n", b"") + b"\r\n"

    def wrong_length(self) -> bytes:
        length = self._random.choice(_LENGTHS)
        if self._random.random() < 0.5:
            return b"*" + length + b"\r\n$4\r\nPING\r\n"
        return b"*2\r\n$4\r\nPING\r\n$" + length + b"\r\nabc\r\n"

    def mutated(self) -> bytes:
        """A good request with some bytes changed, inserted or removed."""
        data = bytearray(encode("SET", "key:1", self._random.randbytes(10)))
        for _ in range(self._random.randrange(1, 4)):
            at = self._random.randrange(len(data))
            match self._random.randrange(3):
                case 0:
                    data[at] = self._random.randrange(256)
                case 1:
                    data.insert(at, self._random.randrange(256))
                case _:
                    del data[at]
        return bytes(data)

    def truncated(self) -> bytes:
        """The beginning of a request; the rest never comes."""
        data = encode("SET", "key:1", b"x" * self._random.choice([5, 100, 40_000]))
        return data[: self._random.randrange(1, len(data))]

    def long_inline(self) -> bytes:
        return b"A" * self._random.choice([65_535, 65_537, 70_000])

    def many_arguments(self) -> bytes:
        return encode(b"DEL", *[b"k"] * self._random.choice([1_000, 20_000]))

    def nested(self) -> bytes:
        return b"*2\r\n" * self._random.randrange(1, 50) + b"$1\r\na\r\n"
