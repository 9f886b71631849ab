"""The families of commands for long runs, and the differences that newer versions explain."""

from __future__ import annotations

from dataclasses import dataclass, field

from differential.generate import Words
from support.wire import Reply

OTHERS = ["SET", "DEL", "COPY", "RENAME", "TYPE", "OBJECT ENCODING", "EXISTS", "EXPIRE", "PERSIST"]


@dataclass(frozen=True)
class Family:
    """Commands to draw from, directives with values to draw from, and what reads a whole value."""

    names: list[str]
    reader: tuple[str | int, ...]
    settings: dict[str, list[int]] = field(default_factory=dict)


FAMILIES = {
    "strings": Family(
        [
            "APPEND", "DECR", "DECRBY", "GET", "GETDEL", "GETEX", "GETRANGE", "GETSET", "INCR",
            "INCRBY", "INCRBYFLOAT", "LCS", "MGET", "MSET", "MSETNX", "PSETEX", "SET", "SETEX",
            "SETNX", "SETRANGE", "STRLEN", "SUBSTR", *OTHERS,
        ],
        ("GET",),
    ),
    "keys": Family(
        [
            "SET", "SET", "SADD", "RPUSH", "HSET", "ZADD", "COPY", "DBSIZE", "DEL", "EXISTS",
            "EXPIRE", "EXPIREAT", "EXPIRETIME", "FLUSHALL", "FLUSHDB", "KEYS", "MOVE",
            "OBJECT ENCODING", "OBJECT FREQ", "OBJECT IDLETIME", "PERSIST", "PEXPIRE", "PEXPIREAT",
            "PEXPIRETIME", "PTTL", "RENAME", "RENAMENX", "SWAPDB", "TOUCH", "TTL", "TYPE",
            "UNLINK", "SCAN", "RANDOMKEY",
        ],
        ("GET",),
    ),
    "lists": Family(
        [
            "LPUSH", "RPUSH", "LPUSH", "RPUSH", "LPUSHX", "RPUSHX", "LPOP", "RPOP", "LRANGE",
            "LINDEX", "LSET", "LINSERT", "LREM", "LTRIM", "LLEN", "LPOS", "LMOVE", "RPOPLPUSH",
            "LMPOP", "BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH", "BLMPOP", *OTHERS,
        ],
        ("LRANGE", 0, -1),
        {"list-max-listpack-size": [-2, 2, 5, 128], "list-compress-depth": [0, 1, 2]},
    ),
    "hashes": Family(
        [
            "HDEL", "HEXISTS", "HGET", "HGETALL", "HINCRBY", "HINCRBYFLOAT", "HKEYS", "HLEN",
            "HMGET", "HMSET", "HSET", "HSET", "HSETNX", "HSTRLEN", "HVALS", "HSCAN", "HRANDFIELD",
            *OTHERS,
        ],
        ("HGETALL",),
        {"hash-max-listpack-entries": [0, 2, 10, 512], "hash-max-listpack-value": [1, 64]},
    ),
    "sets": Family(
        [
            "SADD", "SADD", "SADD", "SCARD", "SDIFF", "SDIFFSTORE", "SINTER", "SINTERCARD",
            "SINTERSTORE", "SISMEMBER", "SMEMBERS", "SMISMEMBER", "SMOVE", "SREM", "SUNION",
            "SUNIONSTORE", "SPOP", "SRANDMEMBER", "SSCAN", *OTHERS,
        ],
        ("SMEMBERS",),
        {"set-max-intset-entries": [0, 3, 512]},
    ),
    "sorted_sets": Family(
        [
            "ZADD", "ZADD", "ZADD", "ZINCRBY", "ZREM", "ZCARD", "ZSCORE", "ZMSCORE", "ZRANK",
            "ZREVRANK", "ZCOUNT", "ZRANGE", "ZREVRANGE", "ZRANGEBYSCORE", "ZREVRANGEBYSCORE",
            "ZRANGESTORE", "ZREMRANGEBYRANK", "ZREMRANGEBYSCORE", "ZPOPMIN", "ZPOPMAX", "ZMPOP",
            "BZPOPMIN", "BZPOPMAX", "BZMPOP", "ZUNION", "ZINTER", "ZDIFF", "ZUNIONSTORE",
            "ZINTERSTORE", "ZDIFFSTORE", "ZINTERCARD", "ZSCAN", "ZRANDMEMBER", "SADD", *OTHERS,
        ],
        ("ZRANGE", 0, -1, "WITHSCORES"),
        {"zset-max-listpack-entries": [0, 3, 128], "zset-max-listpack-value": [3, 64]},
    ),
    "bitmaps": Family(
        [
            "SETBIT", "SETBIT", "GETBIT", "BITCOUNT", "BITPOS", "BITOP", "BITFIELD", "BITFIELD_RO",
            "APPEND", *OTHERS,
        ],
        ("GET",),
    ),
    "hyperloglogs": Family(
        ["PFADD", "PFADD", "PFADD", "PFCOUNT", "PFMERGE", "GET", "STRLEN", *OTHERS],
        ("GET",),
        {"hll-sparse-max-bytes": [0, 100, 3000]},
    ),
    "geo": Family(
        [
            "GEOADD", "GEOADD", "GEOADD", "GEODIST", "GEOHASH", "GEOPOS", "GEOSEARCH",
            "GEOSEARCHSTORE", "GEORADIUS", "GEORADIUS_RO", "GEORADIUSBYMEMBER",
            "GEORADIUSBYMEMBER_RO", "ZADD", "ZRANGE", *OTHERS,
        ],
        ("ZRANGE", 0, -1, "WITHSCORES"),
        {"zset-max-listpack-entries": [0, 128]},
    ),
    "sort": Family(
        ["SORT", "SORT", "SORT_RO", "RPUSH", "SADD", "ZADD", "HSET", "MSET", *OTHERS],
        ("LRANGE", 0, -1),
    ),
    "transactions": Family(
        [
            "MULTI", "MULTI", "EXEC", "EXEC", "DISCARD", "WATCH", "UNWATCH", "SET", "GET", "INCR",
            "RPUSH", "LPOP", "HSET", "PUBLISH", "PUBSUB NUMPAT", "SPUBLISH", "EXPIRE", "DEL",
        ],
        ("GET",),
    ),
}  # fmt: skip

RANDOM = {b"SPOP", b"SRANDMEMBER", b"HRANDFIELD", b"ZRANDMEMBER", b"RANDOMKEY"}
SCANS = {b"SCAN": 1, b"SSCAN": 2, b"HSCAN": 2, b"ZSCAN": 2}
BY_TEXT = {b"ZRANGEBYLEX", b"ZREVRANGEBYLEX", b"ZLEXCOUNT", b"ZREMRANGEBYLEX"}
CHECKED_FIRST = {b"BITCOUNT", b"BITPOS"}
UNORDERED = {b"SINTER", b"SUNION", b"SDIFF", b"SMEMBERS", b"KEYS", b"HKEYS", b"HVALS"}


def explained(words: Words, theirs: Reply, ours: Reply) -> str | None:
    """Which change of a newer version makes the replies differ; None if they should not."""
    name = words[0].upper()
    pair = (theirs.value, ours.value)
    if pair == (b"quicklist", b"listpack"):
        return "7.2: small lists are listpacks"
    if pair == (b"skiplist", b"listpack") and name == b"OBJECT":
        return "deliberate: SORT leaves a small sorted set in its listpack, Redis converts it"
    lists = isinstance(theirs.value, list) and isinstance(ours.value, list)
    if name == b"LRANGE" and lists and sorted(theirs.value) == sorted(ours.value):
        return "undefined: SORT BY patterns of ALPHA that are alike, stored"
    if name in BY_TEXT or (name.startswith(b"ZRANGE") and b"BYLEX" in map(bytes.upper, words)):
        return "undefined: ranges of texts where scores differ"
    if ours.kind == b"-" and name == b"LPOS" and b"-9223372036854775808" in words:
        return "7.2: LPOS refuses the rank -2^63"
    errors = (_first_error(theirs), _first_error(ours))
    if errors == (b"ERR timeout is negative", b"ERR timeout is out of range"):
        return "7.2: timeouts that are too long are not taken for negative ones"
    if _numbers_alike(theirs, ours):
        return "7.2: doubles are written with the fewest digits"
    if name in (b"GETRANGE", b"SUBSTR") and ours.value == b"" and words[-1].startswith(b"-"):
        return "8.0: an end before the start of a text is empty"
    if ours.kind == b"-" and name == b"SCAN" and b"TYPE" in map(bytes.upper, words):
        return "8.0: SCAN refuses a type that there is not"
    error = theirs.kind == b"-"
    if error and name in (b"BITCOUNT", b"BITPOS"):
        return "7.2, 8.0: BITCOUNT and BITPOS take more forms of their ranges"
    if ours.kind == b"-" and name in CHECKED_FIRST:
        return "8.0: BITCOUNT and BITPOS check their options before they look for the key"
    if error and name in (b"ZRANK", b"ZREVRANK") and len(words) == 4:
        return "7.2: ZRANK and ZREVRANK WITHSCORE"
    return None


def _first_error(reply: Reply) -> bytes | None:
    """What a transaction of one command failed with."""
    if isinstance(reply.value, list) and len(reply.value) == 1 and reply.value[0].kind == b"-":
        return reply.value[0].value
    return None


def _numbers_alike(theirs: Reply, ours: Reply) -> bool:
    """Whether the replies differ in nothing but the digits of doubles, of which ours has less."""
    if theirs == ours:
        return True
    if theirs.kind != ours.kind:
        return False
    if isinstance(theirs.value, list) and isinstance(ours.value, list):
        return len(theirs.value) == len(ours.value) and all(
            map(_numbers_alike, theirs.value, ours.value)
        )
    try:
        return float(theirs.value) == float(ours.value) and len(ours.value) <= len(theirs.value)
    except (TypeError, ValueError):
        return False
