"""The scenario with redis.asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,
    NoPermissionError,
    NoScriptError,
    ResponseError,
    WatchError,
)  # fmt: skip
from steps import (
    CA,
    CLUSTER_PORT,
    INCREMENT,
    ODD,
    OWN_ERROR,
    PORT,
    SCRIPT,
    TEXT,
    TLS_PORT,
    NotHere,
    error_with,
    failed,
    same,
    tell,
)  # fmt: skip


def client(**options) -> redis.asyncio.Redis:
    return redis.asyncio.Redis(port=options.pop("port", PORT), **options)


async def fails(beginning: str, call: Awaitable, kind: type[Exception] = ResponseError) -> None:
    try:
        got = await call
    except kind as error:
        error_with(beginning, error)
    else:
        raise AssertionError(f"{got!r} instead of an error with {beginning}")


async def strings(r: redis.asyncio.Redis) -> None:
    await r.flushall()
    await r.set(ODD, ODD)
    same(await r.get(ODD), ODD)
    await r.set("empty", b"")
    same(await r.get("empty"), b"")
    await r.set("big", b"x" * 1_000_000)
    same(await r.get("big"), b"x" * 1_000_000)
    await r.set("text", TEXT)
    same((await r.get("text")).decode(), TEXT)
    same(await r.strlen("text"), 12)
    await r.mset({"a": 1, "b": 2})
    same(await r.mget("a", "none", "b"), [b"1", None, b"2"])
    same(await r.incrby("a", 41), 42)
    await fails("value is not an integer", r.incr("text"))
    same(await r.append("b", "34"), 3)
    same(await r.getrange("b", 1, -1), b"34")


async def expiry(r: redis.asyncio.Redis) -> None:
    await r.set("e", 1, px=60_000)
    same(0 < await r.pttl("e") <= 60_000, True)
    same(await r.persist("e"), True)
    same(await r.ttl("e"), -1)
    await r.expire("e", 100)
    same(await r.ttl("e") in (99, 100), True)
    same(await r.ttl("none"), -2)
    await r.set("short", "x", px=30)
    await asyncio.sleep(0.06)
    same(await r.get("short"), None)
    same(await r.set("e", 2, nx=True), None)
    same(await r.getdel("e"), b"1")


async def hashes(r: redis.asyncio.Redis) -> None:
    same(await r.hset("h", mapping={"f1": "v1", "f2": b"\0\xff"}), 2)
    same(await r.hgetall("h"), {b"f1": b"v1", b"f2": b"\0\xff"})
    same(await r.hincrby("h", "n", 5), 5)
    same(await r.hincrbyfloat("h", "n", 0.5), 5.5)
    same(await r.hmget("h", ["f1", "none"]), [b"v1", None])
    same(await r.hexists("h", "none"), False)
    same(await r.hdel("h", "f1", "none"), 1)
    same(await r.hlen("h"), 2)


async def sorted_sets(r: redis.asyncio.Redis) -> None:
    same(await r.zadd("z", {"one": 1, "two": 2.5, "top": float("inf")}), 3)
    got = [tuple(pair) for pair in await r.zrange("z", 0, -1, withscores=True)]
    same(got, [(b"one", 1.0), (b"two", 2.5), (b"top", float("inf"))])
    same(await r.zrangebyscore("z", "(1", "+inf"), [b"two", b"top"])
    same(await r.zincrby("z", 10, "one"), 11.0)
    same(await r.zrank("z", "one"), 1)
    same(await r.zrank("z", "none"), None)
    same(await r.zscore("z", "two"), 2.5)
    same([tuple(pair) for pair in await r.zpopmin("z")], [(b"two", 2.5)])
    same(await r.zcard("z"), 2)


async def streams(r: redis.asyncio.Redis) -> None:
    await r.xgroup_create("s", "g", "0", mkstream=True)
    ids = [await r.xadd("s", {"n": n}) for n in (1, 2, 3)]
    numbers = [tuple(map(int, i.split(b"-"))) for i in ids]
    same(numbers == sorted(set(numbers)), True)
    same(await r.xlen("s"), 3)
    read = await r.xreadgroup("g", "alice", {"s": ">"}, count=2)
    entries = dict(read)[b"s"]
    if entries and isinstance(entries[0], list):
        entries = entries[0]
    same([tuple(entry) for entry in entries], [(ids[0], {b"n": b"1"}), (ids[1], {b"n": b"2"})])
    same((await r.xpending("s", "g"))["pending"], 2)
    same(await r.xack("s", "g", ids[0]), 1)
    claimed = await r.xclaim("s", "g", "bob", 0, [ids[1]])
    same([tuple(entry) for entry in claimed], [(ids[1], {b"n": b"2"})])
    same(len(await r.xrange("s")), 3)
    await fails("BUSYGROUP", r.xgroup_create("s", "g", "0"))


async def scan(r: redis.asyncio.Redis) -> None:
    await r.mset({f"scan:{n}": n for n in range(500)})
    got = {key async for key in r.scan_iter("scan:*", 50)}
    same(got, {f"scan:{n}".encode() for n in range(500)})


async def pipeline(r: redis.asyncio.Redis) -> None:
    pipe = r.pipeline(transaction=False)
    for _ in range(500):
        pipe.incr("p")
    replies = await pipe.lpush("p", "x").incr("p").execute(raise_on_error=False)
    same(replies[-1], 501)
    error_with("WRONGTYPE", replies[500])


async def transaction(r: redis.asyncio.Redis) -> None:
    same(await r.pipeline().set("t", 1).incr("t").execute(), [True, 2])
    async with r.pipeline() as pipe, client() as other:
        await pipe.watch("t")
        await other.set("t", 10)
        pipe.multi()
        pipe.set("t", 0)
        await fails("Watched variable changed", pipe.execute(), WatchError)
    same(await r.get("t"), b"10")


async def script(r: redis.asyncio.Redis) -> None:
    same(await r.eval(SCRIPT, 1, "k", "v"), [b"k", b"v", 7, [b"x"]])
    await fails("No matching script", r.evalsha("0" * 40, 0), NoScriptError)
    sha = await r.script_load(INCREMENT)
    same([await r.evalsha(sha, 1, "counter", 3) for _ in range(2)], [3, 6])
    await fails("MINE", r.eval(OWN_ERROR, 0))


async def _messages(listener, count: int) -> list[tuple]:
    got: list[tuple] = []
    async with asyncio.timeout(10):
        while len(got) < count:
            message = await listener.get_message(timeout=1)
            if message:
                got.append(
                    (message["type"], message["pattern"], message["channel"], message["data"])
                )
    return got


async def pubsub(r: redis.asyncio.Redis, **options) -> None:
    async with client(**options) as own, own.pubsub() as listener:
        await listener.subscribe("news")
        await listener.psubscribe("n*s")
        same([kind for kind, *_ in await _messages(listener, 2)], ["subscribe", "psubscribe"])
        same(await r.publish("news", b"\0hello"), 2)
        same(
            sorted(await _messages(listener, 2)),
            [("message", None, b"news", b"\0hello"), ("pmessage", b"n*s", b"news", b"\0hello")],
        )


async def blocking(r: redis.asyncio.Redis) -> None:
    same(await r.blpop("idle", 0.1), None)

    async def push() -> None:
        await asyncio.sleep(0.05)
        await r.lpush("queue", "job")

    pushing = asyncio.create_task(push())
    same(tuple(await r.blpop("queue", 5)), (b"queue", b"job"))
    await pushing


async def resp3(r: redis.asyncio.Redis) -> None:
    async with client(protocol=3) as three:
        await three.hset("h3", mapping={"a": 1})
        await three.zadd("z3", {"m": 1.5})
        same(await three.hgetall("h3"), {b"a": b"1"})
        same(await three.zscore("z3", "m"), 1.5)
        same(type(await three.acl_getuser("app")), dict)
        same((await three.client_info())["resp"], "3")
    await pubsub(r, protocol=3)


async def tls(r: redis.asyncio.Redis) -> None:
    async with client(port=TLS_PORT, ssl=True, ssl_ca_certs=CA) as secure:
        same(await secure.ping(), True)
        await secure.set("secret", b"s" * 100_000)
        same(await secure.get("secret"), b"s" * 100_000)
    # It would try again and again otherwise.
    once = Retry(NoBackoff(), 0)
    async with client(port=TLS_PORT, ssl=True, retry=once) as stranger:
        await fails("", stranger.ping(), ConnectionError)


async def acl(r: redis.asyncio.Redis) -> None:
    async with client(username="app", password="sesame") as app:
        await app.set("app:k", "v")
        same(await app.get("app:k"), b"v")
        await fails("", app.get("other"), NoPermissionError)
    async with client(username="app", password="wrong") as wrong:
        await fails("", wrong.ping(), AuthenticationError)


async def cluster(r: redis.asyncio.Redis) -> None:
    if not CLUSTER_PORT:
        raise NotHere("no cluster")
    async with redis.asyncio.RedisCluster(host="127.0.0.1", port=CLUSTER_PORT) as many:
        await asyncio.gather(*(many.set(f"c:{n}", n) for n in range(100)))
        got = await asyncio.gather(*(many.get(f"c:{n}") for n in range(100)))
        same(got, [b"%d" % n for n in range(100)])
        await many.mset({"{tag}a": 1, "{tag}b": 2})
        same(await many.mget("{tag}a", "{tag}b"), [b"1", b"2"])
        lua = "return redis.call('MGET', KEYS[1], KEYS[2])"
        same(await many.eval(lua, 2, "{tag}a", "{tag}b"), [b"1", b"2"])


STEPS: tuple[Callable[[redis.asyncio.Redis], Awaitable[None]], ...] = (
    strings, expiry, hashes, sorted_sets, streams, scan, pipeline, transaction, script, pubsub,
    blocking, resp3, tls, acl, cluster,
)  # fmt: skip


async def main() -> int:
    print(f"version redis.asyncio {redis.__version__}", flush=True)
    async with client() as r:
        for step in STEPS:
            try:
                await step(r)
            except Exception as error:
                tell(step.__name__, error)
            else:
                tell(step.__name__, None)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
