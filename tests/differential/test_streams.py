"""The stream commands against redis-server, on random sequences of them.

What differs, and why, so that it is kept out of the sequences or not looked at:

- Redis 7.2 makes a consumer that asks and gets nothing, too: all are made beforehand.
- Redis 7.4 counts what a group has read and not read yet (``entries-read``, ``lag``) across gaps
  that deleting and trimming leave: both are compared only in streams without any.
- Redis 8.2 lets no group have read more than there ever was: ENTRIESREAD asks for no more, other
  than in a test of its own.
- Redis 7.4 reads the last entry at the id ``+``: it is not asked for.
- Redis 7.4 says otherwise how XREAD is unbalanced: the words of that error are not compared.
- Redis 7.2 says since when a consumer got nothing (``inactive``, ``active-time``).
- The number of nodes of Redis's radix tree, and times, are not compared.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from differential.pair import Pair
from support.wire import Reply

Words = tuple[bytes, ...]

KEYS = [b"a"] * 10 + [b"b"] * 4 + [b"text", b"none"]
GROUPS = [b"g"] * 8 + [b"h"] * 4 + [b"x"]
CONSUMERS = [b"c", b"d", b"e"]
FIELDS = [b"f", b"name", b"7", b"", b"long" * 20]
VALUES = [b"v", b"1", b"-5", b"123456789", b"007", b"", b"w" * 100, b"9223372036854775808"]
IDS = [b"0", b"0-0", b"0-1", b"1", b"1-0", b"2-5", b"3-1", b"5", b"7-7", b"9-2", b"20", b"60"]
ODD_IDS = [
    b"-", b"+", b"$", b">", b"*", b"", b"x", b"1-", b"-1", b"1-x", b"5-*", b"(1", b"1-1-1", b" 3",
    b"007", b"+4", b"1-+2", b"1--2", b"1--02", b"18446744073709551615", b"1-18446744073709551616",
    b"18446744073709551615-18446744073709551615", b"0-18446744073709551615",
]  # fmt: skip
COUNTS = [b"1", b"2", b"3", b"10", b"100", b"0", b"-1"]
LENGTHS = [b"0", b"1", b"2", b"5", b"10", b"30"]
NODES = [1, 2, 3, 7, 100]


class Sequences:
    """Makes random commands; ids rise, so that most that are added are accepted."""

    def __init__(self, chance: Random, gapless: bool):
        self.chance = chance
        self.gapless = gapless
        self.ms = 1
        # Those that were given out.
        self.ids = [b"1-1"]

    def one_of(self, *choices: Any) -> Any:
        return self.chance.choice(choices)

    def id(self) -> bytes:
        """An id that may well be there."""
        roll = self.chance.random()
        if roll < 0.03:
            return self.chance.choice(ODD_IDS)
        if roll < 0.1:
            return self.chance.choice(IDS)
        if roll < 0.7:
            return self.chance.choice(self.ids[-40:])
        ms = self.chance.randint(max(1, self.ms - 30), self.ms)
        return b"%d-%d" % (ms, self.chance.randint(0, 2)) if roll < 0.9 else b"%d" % ms

    def end(self) -> bytes:
        """An end of an interval."""
        roll = self.chance.random()
        if roll < 0.4:
            return self.one_of(b"-", b"+")
        return b"(" + self.id() if roll < 0.5 else self.id()

    def some(self, most: int, make: Any) -> list[bytes]:
        return [make() for _ in range(self.chance.randint(1, most))]

    def maybe(self, *words: bytes, share: float = 0.4) -> list[bytes]:
        return list(words) if self.chance.random() < share else []

    def count(self) -> list[bytes]:
        return self.maybe(b"COUNT", self.chance.choice(COUNTS))

    def key(self) -> bytes:
        return self.chance.choice(KEYS)

    def group(self) -> bytes:
        return self.chance.choice(GROUPS)

    def consumer(self) -> bytes:
        return self.chance.choice(CONSUMERS)

    def command(self) -> Words:
        """One command; in a gapless sequence none that removes entries."""
        makers = [self.xadd] * 8 + [self.xrange] * 2 + [self.xread, self.others, self.xinfo]
        makers += [self.xreadgroup] * 4 + [self.xgroup, self.xack, self.xpending, self.xpending]
        makers += [self.xclaim, self.xautoclaim]
        if not self.gapless:
            makers += [self.xdel, self.xdel, self.xtrim, self.xsetid]
        words = self.chance.choice(makers)()
        if self.chance.random() < 0.03:
            words = self.spoilt(words)
        return tuple(words)

    def spoilt(self, words: list[bytes]) -> list[bytes]:
        """A word too few, too many or another one."""
        at = self.chance.randrange(1, len(words)) if len(words) > 1 else 1
        other = [self.one_of(b"junk", b"10", b"a", b"COUNT", b"LIMIT", b"", b"MAXLEN")]
        return words[:at] + self.one_of([], other) + words[at + self.one_of(0, 1) :]

    def trimming(self) -> list[bytes]:
        how = self.one_of(b"MAXLEN", b"minid")
        bound = self.chance.choice(LENGTHS) if how == b"MAXLEN" else self.id()
        words = [how, *self.maybe(self.one_of(b"=", b"~")), bound]
        return words + self.maybe(b"LIMIT", self.chance.choice(COUNTS), share=0.3)

    def xadd(self) -> list[bytes]:
        self.ms += self.one_of(0, 0, 1, 1, 2)
        roll = self.chance.random()
        id = b"%d-*" % self.ms if roll < 0.5 else b"%d-%d" % (self.ms, self.chance.randint(0, 300))
        pairs = [word for _ in range(self.one_of(1, 1, 2, 3)) for word in self.pair()]
        if roll < 0.1:
            id, pairs = self.id(), [b"f", b"v"]
        # The clock of each server is its own.
        id = id.replace(b"*", b"1") if id == b"*" else id
        trimming = [] if self.gapless or self.chance.random() < 0.8 else self.trimming()
        return [b"XADD", self.key(), *self.maybe(b"NOMKSTREAM", share=0.1), *trimming, id, *pairs]

    def pair(self) -> list[bytes]:
        return [self.one_of(b"f", self.chance.choice(FIELDS)), self.chance.choice(VALUES)]

    def xrange(self) -> list[bytes]:
        name = self.one_of(b"XRANGE", b"XREVRANGE")
        return [name, self.key(), self.end(), self.end(), *self.count()]

    def xdel(self) -> list[bytes]:
        return [b"XDEL", self.key(), *self.some(4, self.id)]

    def xtrim(self) -> list[bytes]:
        return [b"XTRIM", self.key(), *self.trimming()]

    def xsetid(self) -> list[bytes]:
        self.ms += 1
        # None that is below one that was deleted, which was allowed until 7.2.
        words = [b"XSETID", self.key(), b"%d-5" % self.ms]
        words += self.maybe(b"ENTRIESADDED", self.chance.choice([*COUNTS, b"1000"]))
        return words + self.maybe(b"MAXDELETEDID", self.id())

    def streams(self, special: bytes) -> list[bytes]:
        keys = self.some(2, self.key)
        ids = [self.one_of(special, self.id()) for _ in keys]
        return [b"STREAMS", *keys, *(special if id == b"+" else id for id in ids)]

    def xread(self) -> list[bytes]:
        return [b"XREAD", *self.count(), *self.streams(b"$")]

    def xreadgroup(self) -> list[bytes]:
        words = [b"XREADGROUP", b"GROUP", self.group(), self.consumer(), *self.count()]
        return words + self.maybe(b"NOACK", share=0.1) + self.streams(b">")

    def xgroup(self) -> list[bytes]:
        key, group = self.key(), self.group()
        read = self.maybe(b"ENTRIESREAD", self.one_of(b"0", b"-1"), share=0.2)
        start = self.one_of(b"$", b"0", b"0", self.id())
        return self.one_of(
            [b"XGROUP", b"CREATE", key, group, start, *self.maybe(b"MKSTREAM"), *read],
            [b"XGROUP", b"CREATE", key, group, start, *self.maybe(b"MKSTREAM"), *read],
            [b"XGROUP", b"SETID", key, group, start, *read],
            [b"XGROUP", b"CREATECONSUMER", key, group, self.consumer()],
            [b"XGROUP", b"DELCONSUMER", key, group, self.consumer()],
            [b"XGROUP", b"DESTROY", key, self.one_of(group, b"x")],
        )

    def xack(self) -> list[bytes]:
        return [b"XACK", self.key(), self.group(), *self.some(4, self.id)]

    def xpending(self) -> list[bytes]:
        words = [b"XPENDING", self.key(), self.group()]
        if self.chance.random() < 0.4:
            return words
        words += self.maybe(b"IDLE", self.one_of(b"0", b"100000000"), share=0.2)
        words += [self.end(), self.end(), self.chance.choice(COUNTS)]
        return words + self.maybe(self.consumer())

    def xclaim(self) -> list[bytes]:
        words = [b"XCLAIM", self.key(), self.group(), self.consumer()]
        words += [self.one_of(b"0", b"0", b"100000000"), *self.some(3, self.id)]
        for option in (
            [b"IDLE", self.one_of(b"0", b"1000", b"-5")],
            [b"TIME", self.one_of(b"0", b"-1", b"99999999999999")],
            [b"RETRYCOUNT", self.one_of(b"0", b"7", b"-1", b"9223372036854775807")],
            [b"LASTID", self.id()],
            [b"FORCE"],
            [b"JUSTID"],
        ):
            words += self.maybe(*option, share=0.2)
        return words

    def xautoclaim(self) -> list[bytes]:
        words = [b"XAUTOCLAIM", self.key(), self.group(), self.consumer()]
        words += [self.one_of(b"0", b"0", b"100000000"), self.end(), *self.count()]
        return words + self.maybe(b"JUSTID")

    def xinfo(self) -> list[bytes]:
        full = self.maybe(b"FULL", *self.count())
        return self.one_of(
            [b"XINFO", b"STREAM", self.key(), *full],
            [b"XINFO", b"GROUPS", self.key()],
            [b"XINFO", b"CONSUMERS", self.key(), self.group()],
        )

    def others(self) -> list[bytes]:
        key = self.one_of(b"a", b"b")
        return self.one_of(
            [b"XLEN", self.key()],
            [b"TYPE", key],
            [b"OBJECT", b"ENCODING", key],
            [b"COPY", key, self.one_of(b"a", b"b"), b"REPLACE"],
            [b"RENAME", key, self.one_of(b"a", b"b")],
            [b"EXISTS", key],
            self.one_of([b"DEL", key], *[[b"XLEN", key]] * 5),
        )


# -- Comparing -----------------------------------------------------------------------------------

UNCOMPARED = {
    b"radix-tree-nodes", b"idle", b"inactive", b"seen-time", b"active-time", b"idmp-duration",
    b"idmp-maxsize", b"pids-tracked", b"iids-tracked", b"iids-added", b"iids-duplicates",
    b"nacked-count",
}  # fmt: skip
COUNTED = {b"entries-read", b"lag"}


def comparable(words: Words, reply: Reply, gapless: bool) -> object:
    """A reply without what the two sides need not agree on."""
    name = words[0].upper()
    if reply.kind == b"-":
        return b"unbalanced" if b"Unbalanced" in reply.text else reply
    if name == b"XINFO" and reply.kind in b"*%":
        return described(reply, UNCOMPARED if gapless else UNCOMPARED | COUNTED)
    if name == b"XPENDING" and reply.value and isinstance(reply.items[0].value, list):
        return [[row.items[0], row.items[1], row.items[3]] for row in reply.items]
    return reply


def described(reply: Reply, hidden: set[bytes]) -> object:
    """What XINFO says: maps as such, without times."""
    if not isinstance(reply.value, list):
        return reply.value
    items = reply.items
    if items and items[0].value in (b"name", b"length"):
        pairs = zip(items[::2], items[1::2], strict=True)
        return {
            key.value: timeless(value) if key.value == b"pending" else described(value, hidden)
            for key, value in pairs
            if key.value not in hidden
        }
    return [described(item, hidden) for item in items]


def timeless(pending: Reply) -> object:
    """Pending entries without when they were delivered; or how many there are."""
    if not isinstance(pending.value, list):
        return pending.value
    return [[part.value for part in row.items[:-2] + row.items[-1:]] for row in pending.items]


def run(pair: Pair, seed: int, length: int) -> None:
    """A random sequence on both sides; all there is to compare is compared."""
    chance = Random(seed)
    gapless = chance.random() < 0.3
    made = Sequences(chance, gapless)
    pair.start(chance.choice([2, 3]))
    pair.check("CONFIG", "SET", "stream-node-max-entries", chance.choice(NODES))
    pair.check("CONFIG", "SET", "stream-node-max-bytes", chance.choice([0, 100, 300, 4096]))
    pair.check("SET", "text", "x")
    history: list[Words] = []
    reread = 0  # reads of one's own pending entries, which 7.0 takes for changes, and 7.2 does not

    def both(*words: bytes) -> None:
        nonlocal reread
        history.append(words)
        theirs, ours = pair.reference.call(*words), pair.ours.call(*words)
        expected = comparable(words, theirs, gapless)
        assert comparable(words, ours, gapless) == expected, (
            f"seed {seed}: {history}:\n  redis-server: {theirs}\n  carnelian:    {ours}"
        )
        if words[0] == b"XADD" and theirs.kind == b"$" and theirs.value:
            made.ids.append(theirs.text)
        if words[0].upper() == b"XREADGROUP" and theirs.kind != b"-" and b"STREAMS" in words:
            rest = words[words.index(b"STREAMS") + 1 :]
            newest = b">", b"18446744073709551615-18446744073709551615"
            reread += sum(read not in newest for read in rest[len(rest) // 2 :])

    for key in (b"a", b"b"):
        both(b"XGROUP", b"CREATE", key, b"g", b"0", b"MKSTREAM")
    both(b"XGROUP", b"CREATE", b"a", b"h", b"$")
    for _ in range(length):
        words = made.command()
        for key, group, consumer in asking(words):
            both(b"XGROUP", b"CREATECONSUMER", key, group, consumer)
        both(*words)
    for key in (b"a", b"b"):
        both(b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0")
        both(b"XREVRANGE", key, b"+", b"-")
    theirs, ours = pair.events()
    assert ours == theirs, f"seed {seed}: {history}"
    expected, counters = pair.counters()
    expected["rdb_changes_since_last_save"] -= reread
    assert counters == expected, f"seed {seed}: {history}"
    pair.check("DEBUG", "DIGEST")


def asking(words: Words) -> list[Words]:
    """The consumers that a command makes if they are not there."""
    name = words[0].upper()
    if name in (b"XCLAIM", b"XAUTOCLAIM") and len(words) > 3:
        return [words[1:4]]
    if name == b"XREADGROUP" and b"STREAMS" in words and len(words) > 3:
        rest = words[words.index(b"STREAMS") + 1 :]
        return [(key, *words[2:4]) for key in rest[: len(rest) // 2]]
    return []


@pytest.mark.parametrize("seed", range(40))
def test_random_sequences(pair: Pair, seed: int) -> None:
    run(pair, seed, 120)


def read_and_lag(reply: Reply) -> tuple[object, object]:
    """What the first group of XINFO GROUPS has read, and what it has not read yet."""
    words = reply.items[0].items
    told = {name.value: value.value for name, value in zip(words[::2], words[1::2], strict=True)}
    return told[b"entries-read"], told[b"lag"]


@pytest.mark.parametrize("read", [-1, 0, 1, 2, 3, 4, 10])
@pytest.mark.parametrize("id", ["1-0", "2-0", "3-0", "5-0", "$"])
def test_what_a_group_is_said_to_have_read(pair: Pair, id: str, read: int) -> None:
    """Up to what was added both sides agree; 7.0 believes more, and has a lag below nothing.

    Of a group that has yet to read the first entry, 7.4 knows better than what it is told.
    """
    pair.start(2)
    for number in (1, 2, 3):
        pair.check("XADD", "s", f"{number}-0", "f", "v")
    pair.check("XGROUP", "CREATE", "s", "g", id, "ENTRIESREAD", read)
    words = ("XINFO", "GROUPS", "s")
    for _ in range(2):
        if read <= 3:
            pair.check(*words)
        else:
            assert read_and_lag(pair.reference.call(*words)) == (read, 3 - read)
            assert read_and_lag(pair.ours.call(*words)) == (3, 0)
        pair.check("XGROUP", "SETID", "s", "g", id, "ENTRIESREAD", read)


def test_what_7_0_believed_is_put_right_when_it_is_read(pair: Pair) -> None:
    pair.start(2)
    for number in (1, 2, 3):
        pair.check("XADD", "s", f"{number}-0", "f", "v")
    pair.reference.call("XGROUP", "CREATE", "s", "g", "2-0", "ENTRIESREAD", "10")
    dump = pair.reference.call("DUMP", "s").text
    assert pair.ours.call("RESTORE", "t", 0, dump).text == b"OK"
    assert read_and_lag(pair.ours.call("XINFO", "GROUPS", "t")) == (3, 0)
