"""Commands that redis-benchmark is to send, each with the data that it meets.

The tests of redis-benchmark itself have the same names and send the same words here; only the data
differs: what pops finds something to pop in every request, and nothing is left from a run before.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness import script_workloads
from harness.client import encode

# Members that one request of a set-up adds.
_AT_ONCE = 500
_LIST_LENGTH = 100_000
# Any point within a degree of this one.
_LONGITUDE, _LATITUDE = 13.361389, 38.115556

# The requests that prepare a run, for its number of requests and the size of a value.
Fill = Callable[[int, int], Iterator[bytes]]


@dataclass(frozen=True)
class Workload:
    """A command line for redis-benchmark; ``{data}`` in it is a value of the size asked for."""

    line: str
    fill: Fill | None = None

    def command(self, size: int) -> tuple[str, ...]:
        return tuple(word.replace("{data}", "x" * size) for word in shlex.split(self.line))

    @property
    def name(self) -> str:
        """The command's name."""
        return self.line.split(maxsplit=1)[0]


def spread(name: str, key: bytes, words: Iterator[Sequence[bytes]]) -> Iterator[bytes]:
    """Requests that add all elements, each of one word or several, many at once."""
    batch: list[bytes] = []
    elements = 0
    for element in words:
        batch += element
        elements += 1
        if elements == _AT_ONCE:
            yield encode(name, key, *batch)
            batch, elements = [], 0
    if batch:
        yield encode(name, key, *batch)


def _nothing(key: bytes) -> Fill:
    def fill(requests: int, size: int) -> Iterator[bytes]:
        yield encode("DEL", key)

    return fill


def _list(length: int | None) -> Fill:
    """A list of so many elements, or of as many as there are requests."""

    def fill(requests: int, size: int) -> Iterator[bytes]:
        yield encode("DEL", "mylist")
        count = requests if length is None else length
        yield from spread("RPUSH", b"mylist", ([b"x" * size] for _ in range(count)))

    return fill


def _set(requests: int, size: int) -> Iterator[bytes]:
    yield encode("DEL", "myset")
    yield from spread("SADD", b"myset", ([b"element:%012d" % i] for i in range(requests)))


def _sorted_set(requests: int, size: int) -> Iterator[bytes]:
    yield encode("DEL", "myzset")
    members = ([b"%d" % (i * 7919 % 1_000_003), b"element:%012d" % i] for i in range(requests))
    yield from spread("ZADD", b"myzset", members)


def _hash_of_20(requests: int, size: int) -> Iterator[bytes]:
    yield encode("DEL", "hash20")
    fields = ([b"field:%d" % i, b"value:%012d" % i] for i in range(20))
    yield from spread("HSET", b"hash20", fields)


def _scores(count: int, key: bytes) -> Fill:
    def fill(requests: int, size: int) -> Iterator[bytes]:
        yield encode("DEL", key)
        members = ([b"%d.5" % i, b"element:%012d" % i] for i in range(count))
        yield from spread("ZADD", key, members)

    return fill


def _two_sets(requests: int, size: int) -> Iterator[bytes]:
    """Two sets of a thousand members, five hundred of them in both."""
    for key, first in ((b"set:a", 0), (b"set:b", 500)):
        yield encode("DEL", key)
        members = ([b"element:%012d" % i] for i in range(first, first + 1000))
        yield from spread("SADD", key, members)


def _bits(requests: int, size: int) -> Iterator[bytes]:
    yield encode("SET", "bits", bytes(range(256)) * 16)


def _places(requests: int, size: int) -> Iterator[bytes]:
    """Ten thousand places in a square of two degrees; some 120 are within 10 km of its middle."""
    yield encode("DEL", "places")
    places = (
        [
            b"%.6f" % (_LONGITUDE - 1 + 2 * (i % 100) / 100),
            b"%.6f" % (_LATITUDE - 1 + 2 * (i // 100) / 100),
            b"place:%d" % i,
        ]
        for i in range(10_000)
    )
    yield from spread("GEOADD", b"places", places)


_SCRIPTS = script_workloads.lines()

WORKLOADS = {
    "LPUSH": Workload("LPUSH mylist {data}", _nothing(b"mylist")),
    "RPUSH": Workload("RPUSH mylist {data}", _nothing(b"mylist")),
    "LPOP": Workload("LPOP mylist", _list(None)),
    "RPOP": Workload("RPOP mylist", _list(None)),
    "SADD": Workload("SADD myset element:__rand_int__", _nothing(b"myset")),
    "HSET": Workload("HSET myhash element:__rand_int__ {data}", _nothing(b"myhash")),
    "SPOP": Workload("SPOP myset", _set),
    "ZADD": Workload("ZADD myzset __rand_int__ element:__rand_int__", _nothing(b"myzset")),
    "ZPOPMIN": Workload("ZPOPMIN myzset", _sorted_set),
    "LRANGE_100": Workload("LRANGE mylist 0 99", _list(_LIST_LENGTH)),
    "LRANGE_300": Workload("LRANGE mylist 0 299", _list(_LIST_LENGTH)),
    "LRANGE_500": Workload("LRANGE mylist 0 499", _list(_LIST_LENGTH)),
    "LRANGE_600": Workload("LRANGE mylist 0 599", _list(_LIST_LENGTH)),
    "XADD": Workload("XADD mystream * myfield {data}", _nothing(b"mystream")),
    "HGETALL_20": Workload("HGETALL hash20", _hash_of_20),
    "ZRANGE_100": Workload("ZRANGE scores100 0 99 WITHSCORES", _scores(100, b"scores100")),
    "ZRANGEBYSCORE_100": Workload(
        "ZRANGEBYSCORE scores10k 5000 5100 LIMIT 0 100", _scores(10_000, b"scores10k")
    ),
    "SINTER_1000": Workload("SINTER set:a set:b", _two_sets),
    "BITCOUNT_4096": Workload("BITCOUNT bits", _bits),
    "PFADD": Workload("PFADD visitors element:__rand_int__", _nothing(b"visitors")),
    "GEOSEARCH_10KM": Workload(
        f"GEOSEARCH places FROMLONLAT {_LONGITUDE} {_LATITUDE} BYRADIUS 10 km ASC", _places
    ),
    **{name: Workload(line, script_workloads.load_all) for name, line in _SCRIPTS.items()},
}
SCRIPTS = ",".join(_SCRIPTS)
TYPES = (
    "PING_INLINE,PING_MBULK,SET,GET,INCR,LPUSH,RPUSH,LPOP,RPOP,SADD,HSET,SPOP,ZADD,ZPOPMIN,"
    "LRANGE_100,LRANGE_300,LRANGE_500,LRANGE_600,MSET,XADD,HGETALL_20,ZRANGE_100,"
    "ZRANGEBYSCORE_100,SINTER_1000,BITCOUNT_4096,PFADD,GEOSEARCH_10KM"
)
