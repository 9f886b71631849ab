"""Numbers at the edges of 64 and 32 bits in every place for one, next to redis-server."""

from __future__ import annotations

import re

import pytest

from carnelian.commands import declare_all
from carnelian.engine.catalogue.registry import Declaration, declarations
from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from differential.extremes import EDGES, with_extremes
from differential.generate import REFERENCE, Words, version
from differential.pair import Pair
from support.local import LocalClient
from support.wire import Reply

declare_all()

MEMBERS = [b"m%d" % i for i in range(300)]
# Stands for one that a server has written.
PAYLOAD = b"payload"

KEYS = {
    "string": b"string", "bitmap": b"string", "list": b"list", "set": b"set", "hash": b"hash",
    "sorted-set": b"zset", "geo": b"geo", "stream": b"stream", "hyperloglog": b"hll",
}  # fmt: skip

SEEDS: list[Words] = [
    (b"SET", b"string", b"10"),
    (b"RPUSH", b"list", *MEMBERS[:200]),
    (b"SADD", b"set", *MEMBERS),
    (b"HSET", b"hash", b"number", b"10", *[word for m in MEMBERS for word in (m, m)]),
    (b"ZADD", b"zset", *[word for i, m in enumerate(MEMBERS) for word in (b"%d" % i, m)]),
    (b"GEOADD", b"geo", b"13.36", b"38.11", b"m1", b"15.08", b"37.5", b"m2"),
    (b"XADD", b"stream", b"1-1", b"f", b"v"),
    (b"XADD", b"stream", b"2-1", b"f", b"v"),
    (b"XADD", b"stream", b"3-1", b"f", b"v"),
    (b"XGROUP", b"CREATE", b"stream", b"group", b"0"),
    (b"XREADGROUP", b"GROUP", b"group", b"me", b"COUNT", b"2", b"STREAMS", b"stream", b">"),
    (b"PFADD", b"hll", b"a", b"b"),
]  # fmt: skip

# What stands in all places but one.
USUAL: dict[str, bytes] = {
    "string": b"m1", "integer": b"1", "double": b"1", "unix-time": b"33177117420", "pattern": b"*",
    "group": b"group", "consumer": b"me", "id": b"1-1", "lastid": b"1-1", "last-id": b"5-1",
    "start": b"-", "end": b"+", "stop": b"-1", "min": b"-inf", "max": b"+inf", "cursor": b"0",
    "min-idle-time": b"0", "timeout": b"0.01", "db": b"0", "destination-db": b"1",
    "milliseconds": b"100000", "field": b"number", "longitude": b"13", "latitude": b"38",
    "radius": b"200", "width": b"400", "height": b"400", "encoding": b"i8", "offset": b"0",
    "threshold": b"1-1", "max-deleted-id": b"0-0", "serialized-value": PAYLOAD, "count": b"3",
    "numkeys": b"1", "index": b"1", "rank": b"1", "value": b"1", "seconds": b"100",
    "increment": b"1",
}  # fmt: skip
# Where a name means something else.
USUAL_OF: dict[str, dict[str, bytes]] = {
    "XAUTOCLAIM": {"start": b"0"},
    "XTRIM": {"threshold": b"1"},
    "XADD": {"id": b"9-1", "threshold": b"1"},
    "XREAD": {"id": b"0"},
    "XREADGROUP": {"id": b">"},
    "XGROUP CREATE": {"group": b"other"},
    "LRANGE": {"start": b"0"},
    "LTRIM": {"start": b"0"},
    "GETRANGE": {"start": b"0", "end": b"-1"},
    "SUBSTR": {"start": b"0", "end": b"-1"},
    "BITCOUNT": {"start": b"0", "end": b"-1"},
    "BITPOS": {"bit": b"1", "start": b"0", "end": b"-1"},
    "ZRANGE": {"start": b"0"},
    "ZREVRANGE": {"start": b"0"},
    "ZREMRANGEBYRANK": {"start": b"0"},
    "ZRANGEBYLEX": {"min": b"-", "max": b"+"},
    "ZREVRANGEBYLEX": {"min": b"-", "max": b"+"},
    "ZREMRANGEBYLEX": {"min": b"-", "max": b"+"},
    "ZLEXCOUNT": {"min": b"-", "max": b"+"},
    "ZRANGESTORE": {"min": b"0", "max": b"-1"},
    "ZREVRANGEBYSCORE": {"min": b"-inf", "max": b"+inf"},
    "SORT": {"pattern": b"#"},
    "SORT_RO": {"pattern": b"#"},
}
# Replies about time, chance or memory, of which only the form counts.
VAGUE = {
    "LOLWUT", "HRANDFIELD", "MEMORY USAGE", "SPOP", "SRANDMEMBER", "XADD", "XINFO STREAM",
    "XPENDING", "ZRANDMEMBER",
}  # fmt: skip
SCANS = {"SCAN", "SSCAN", "HSCAN", "ZSCAN"}
# What a later Redis refuses, having found that it overflows.
REFUSED_LATER = (
    b"ERR timeout is out of range",
    b"ERR timeout is not a float or out of range",
    b"ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
)
NO_MEMORY = b"ERR Insufficient memory, failed allocating transient memory, COUNT too high."
# An exception of Python's in place of an error.
NOT_OURS = re.compile(rb"ERR [A-Z]\w*(Error|Exception)\b")
# Not for a test: they end, stop or hold up a server, or depend on what it is doing.
LEFT_OUT = {
    "SHUTDOWN", "CLIENT PAUSE", "WAIT", "WAITAOF", "HELLO", "FAILOVER", "CLIENT TRACKING",
    "LATENCY DOCTOR", "DEBUG", "MIGRATE", "REPLICAOF", "SLAVEOF", "PSYNC", "SELECT", "SLOWLOG GET",
}  # fmt: skip
# How far strings would become long before they are too long.
LONG_STRINGS = {"SETBIT", "SETRANGE", "BITFIELD"}
# Replies of almost as many elements as are asked for.
NEGATIVE_COUNTS = {"SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER"}


def instances(declaration: Declaration, all_versions: bool = False) -> list[tuple[str, Words]]:
    """All that are to be tried of a command."""
    name = declaration.name
    usual = USUAL | {"key": KEYS.get(declaration.group, b"string")} | USUAL_OF.get(name, {})
    found = []
    for place, words in with_extremes(declaration, usual, all_versions):
        if name in LONG_STRINGS and place == "offset" and 1000 < edge_of(words) < 1 << 32:
            continue
        if name in NEGATIVE_COUNTS and place == "count" and -(1 << 63) < edge_of(words) < -1000:
            continue
        if (name in SCANS and place == "cursor") or (name == "SET" and b"PXAT" in words):
            continue
        found.append((place, words))
    return found


def edge_of(words: Words) -> int:
    """The extreme number in a command."""
    return next((edge for edge in EDGES if b"%d" % edge in words[1:]), 0)


def chosen() -> list[Declaration]:
    known = [d for d in declarations.values() if version(d.documentation.since) <= REFERENCE]
    return [d for d in known if d.name not in LEFT_OUT and d.arguments]


def seed(pair: Pair) -> None:
    """The same keys on both sides."""
    for call in (pair.reference.call, pair.ours):
        call("FLUSHALL")
        for words in SEEDS:
            call(*words)


def agree(name: str, theirs: Reply, ours: Reply) -> bool:
    """Whether both replies to a command of that name say the same, as far as both know it."""
    if theirs == ours or ours.value in REFUSED_LATER:
        return True
    if theirs.kind != ours.kind:
        # Memory that is not needed here.
        return theirs.value == NO_MEMORY
    if name == "ZINCRBY":
        return float(theirs.text) == float(ours.text)
    if name in SCANS and theirs.items[0].value != b"0" == ours.items[0].value:
        # It overflows there, too.
        return True
    if name in SCANS:
        return [theirs.items[0], *in_order(theirs.items[1])] == [
            ours.items[0], *in_order(ours.items[1])
        ]  # fmt: skip
    if name == "XINFO STREAM":
        # Redis 8.6 has six fields more.
        return len(theirs.items) + 12 == len(ours.items)
    if name in ("GETRANGE", "SUBSTR"):
        # Before Redis 8.0, what ended before the string had its first byte all the same.
        return len(theirs.text) == 1 and ours.text == b""
    if name in VAGUE:
        return theirs.kind != b"*" or len(theirs.items) == len(ours.items)
    return False


def in_order(reply: Reply) -> list[bytes]:
    return sorted(part.text for part in reply.items)


@pytest.mark.parametrize("declaration", chosen(), ids=lambda declaration: declaration.name)
def test_both_say_the_same(pair: Pair, declaration: Declaration) -> None:
    tried = instances(declaration)
    if not tried:
        pytest.skip("it takes no numbers")
    pair.start(2)
    pair.reference.call("SET", "string", 7)
    payload = pair.reference.call("DUMP", "string").text
    faults = []
    for _, given in tried:
        seed(pair)
        words = tuple(payload if word is PAYLOAD else word for word in given)
        theirs, ours = pair.reference.call(*words), pair.ours.call(*words)
        if not agree(declaration.name, theirs, ours):
            faults.append(f"{words}: {theirs}, here {ours}")
        elif (
            ours.kind != b"-"
            and declaration.name not in VAGUE
            and pair.reference.call("DEBUG", "DIGEST") != (pair.ours.call("DEBUG", "DIGEST"))
        ):
            faults.append(f"{words}: another key space")
    assert not faults, f"{len(faults)} of {len(tried)}:\n" + "\n".join(faults[:40])


@pytest.mark.parametrize("count", [2**63 - 1, 2**63 - 2, 2**62, 2**60, 922337203685477581])
@pytest.mark.parametrize("name", sorted(SCANS))
def test_a_scan_of_very_many_finds_all(name: str, count: int) -> None:
    client = LocalClient(Engine(Config()))
    size = 5000
    for i in range(size):
        for words in (
            ("SET", f"k{i}", 1), ("SADD", "set", f"m{i}"), ("HSET", "hash", f"f{i}", 1),
            ("ZADD", "zset", i, f"m{i}"),
        ):  # fmt: skip
            client(*words)
    key = {"SCAN": [], "SSCAN": ["set"], "HSCAN": ["hash"], "ZSCAN": ["zset"]}[name]
    cursor, found = client(name, *key, 0, "COUNT", count)
    assert cursor == b"0"
    assert len(set(found[:: 2 if name in ("HSCAN", "ZSCAN") else 1])) == size + 3 * (not key)


@pytest.mark.parametrize("name", sorted(set(declarations) - LEFT_OUT))
def test_no_number_is_too_large_to_be_refused(name: str) -> None:
    """Commands that the reference does not know, too: what is wrong is said in our own words."""
    client = LocalClient(Engine(Config()))
    for _, words in instances(declarations[name], all_versions=True):
        client("FLUSHALL")
        for seeding in SEEDS:
            client(*seeding)
        try:
            reply = client.call(*words)
        except EOFError:
            # It waits for more than there is.
            client = LocalClient(Engine(Config()))
            continue
        assert reply.kind != b"-" or not NOT_OURS.match(reply.text), (words, reply)


@pytest.mark.parametrize("seconds", ["-1", "-1e308", "nan", "x", "", "-inf", "0"])
def test_no_time_to_sleep(pair: Pair, seconds: str) -> None:
    pair.check("DEBUG", "SLEEP", seconds)
