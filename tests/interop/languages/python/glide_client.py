"""The scenario with valkey-glide."""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import Awaitable, Callable
from pathlib import Path

from glide import (
    AdvancedGlideClientConfiguration,
    Batch,
    ClosingError,
    ClusterBatch,
    ConditionalChange,
    ExpirySet,
    ExpiryType,
    GlideClient,
    GlideClientConfiguration,
    GlideClusterClient,
    GlideClusterClientConfiguration,
    InfBound,
    MaxId,
    MinId,
    NodeAddress,
    ProtocolVersion,
    RangeByIndex,
    RangeByScore,
    RequestError,
    ScoreBoundary,
    Script,
    ServerCredentials,
    StreamGroupOptions,
    StreamReadGroupOptions,
    TlsAdvancedConfiguration,
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
    failed,
    same,
    tell,
)  # fmt: skip

# A connection, and a request, may take so long.
PATIENCE_MS = 10_000


async def client(port: int = PORT, **options) -> GlideClient:
    address = NodeAddress("localhost" if port == TLS_PORT else "127.0.0.1", port)
    chosen = {"request_timeout": PATIENCE_MS, **options}
    return await GlideClient.create(GlideClientConfiguration([address], **chosen))


async def fails(part: str, call: Awaitable, kind: type[Exception] = RequestError) -> None:
    """The client words errors of the server anew: what the server said is somewhere in them."""
    try:
        got = await call
    except kind as error:
        if part not in str(error):
            raise AssertionError(f"{error!r} instead of an error with {part}") from error
    else:
        raise AssertionError(f"{got!r} instead of an error with {part}")


async def strings(r: GlideClient) -> None:
    await r.flushall()
    await r.set(ODD, ODD)
    same(await r.get(ODD), ODD)
    await r.set("empty", b"")
    same(await r.get("empty"), b"")
    await r.set("big", b"x" * 1_000_000)
    same(await r.get("big"), b"x" * 1_000_000)
    await r.set("text", TEXT)
    same((await r.get("text") or b"").decode(), TEXT)
    same(await r.strlen("text"), 12)
    await r.mset({"a": "1", "b": "2"})
    same(await r.mget(["a", "none", "b"]), [b"1", None, b"2"])
    same(await r.incrby("a", 41), 42)
    await fails("value is not an integer", r.incr("text"))
    same(await r.append("b", "34"), 3)
    same(await r.getrange("b", 1, -1), b"34")


async def expiry(r: GlideClient) -> None:
    await r.set("e", "1", expiry=ExpirySet(ExpiryType.MILLSEC, 60_000))
    same(0 < await r.pttl("e") <= 60_000, True)
    same(await r.persist("e"), True)
    same(await r.ttl("e"), -1)
    await r.expire("e", 100)
    same(await r.ttl("e") in (99, 100), True)
    same(await r.ttl("none"), -2)
    await r.set("short", "x", expiry=ExpirySet(ExpiryType.MILLSEC, 30))
    await asyncio.sleep(0.06)
    same(await r.get("short"), None)
    same(await r.set("e", "2", ConditionalChange.ONLY_IF_DOES_NOT_EXIST), None)
    same(await r.getdel("e"), b"1")


async def hashes(r: GlideClient) -> None:
    same(await r.hset("h", {"f1": "v1", "f2": b"\0\xff"}), 2)
    same(await r.hgetall("h"), {b"f1": b"v1", b"f2": b"\0\xff"})
    same(await r.hincrby("h", "n", 5), 5)
    same(await r.hincrbyfloat("h", "n", 0.5), 5.5)
    same(await r.hmget("h", ["f1", "none"]), [b"v1", None])
    same(await r.hexists("h", "none"), False)
    same(await r.hdel("h", ["f1", "none"]), 1)
    same(await r.hlen("h"), 2)


async def sorted_sets(r: GlideClient) -> None:
    same(await r.zadd("z", {"one": 1, "two": 2.5, "top": float("inf")}), 3)
    got = await r.zrange_withscores("z", RangeByIndex(0, -1))
    same(got, {b"one": 1.0, b"two": 2.5, b"top": float("inf")})
    above = RangeByScore(ScoreBoundary(1, is_inclusive=False), InfBound.POS_INF)
    same(await r.zrange("z", above), [b"two", b"top"])
    same(await r.zincrby("z", 10, "one"), 11.0)
    same(await r.zrank("z", "one"), 1)
    same(await r.zrank("z", "none"), None)
    same(await r.zscore("z", "two"), 2.5)
    same(await r.zpopmin("z"), {b"two": 2.5})
    same(await r.zcard("z"), 2)


async def streams(r: GlideClient) -> None:
    await r.xgroup_create("s", "g", "0", StreamGroupOptions(make_stream=True))
    ids = [await r.xadd("s", [("n", str(n))]) or b"" for n in (1, 2, 3)]
    numbers = [tuple(map(int, i.split(b"-"))) for i in ids]
    same(numbers == sorted(set(numbers)), True)
    same(await r.xlen("s"), 3)
    read = await r.xreadgroup({"s": ">"}, "g", "alice", StreamReadGroupOptions(count=2))
    same(read, {b"s": {ids[0]: [[b"n", b"1"]], ids[1]: [[b"n", b"2"]]}})
    same((await r.xpending("s", "g"))[0], 2)
    same(await r.xack("s", "g", [ids[0]]), 1)
    same(await r.xclaim("s", "g", "bob", 0, [ids[1]]), {ids[1]: [[b"n", b"2"]]})
    same(len(await r.xrange("s", MinId(), MaxId()) or ()), 3)
    await fails("BUSYGROUP", r.xgroup_create("s", "g", "0"))


async def scan(r: GlideClient) -> None:
    await r.mset({f"scan:{n}": str(n) for n in range(500)})
    found: set = set()
    cursor: bytes | None = None
    while cursor != b"0":
        cursor, keys = await r.scan(cursor or "0", "scan:*", 50)
        found.update(keys)
    same(found, {f"scan:{n}".encode() for n in range(500)})


async def pipeline(r: GlideClient) -> None:
    batch = Batch(is_atomic=False)
    for _ in range(500):
        batch.incr("p")
    batch.lpush("p", ["x"]).incr("p")
    replies = await r.exec(batch, raise_on_error=False) or []
    same(replies[-1], 501)
    same("WRONGTYPE" in str(replies[500]), True)


async def transaction(r: GlideClient) -> None:
    same(await r.exec(Batch(True).set("t", "1").incr("t"), True), ["OK", 2])
    own, other = await client(), await client()
    await own.watch(["t"])
    await other.set("t", "10")
    same(await own.exec(Batch(True).set("t", "0"), True), None)
    same(await r.get("t"), b"10")
    await own.close()
    await other.close()


async def script(r: GlideClient) -> None:
    same(await r.invoke_script(Script(SCRIPT), ["k"], ["v"]), [b"k", b"v", 7, [b"x"]])
    same(await r.custom_command(["EVAL", SCRIPT, "1", "k", "v"]), [b"k", b"v", 7, [b"x"]])
    await fails("NoScript", r.custom_command(["EVALSHA", "0" * 40, "0"]))
    sha = await r.custom_command(["SCRIPT", "LOAD", INCREMENT])
    replies = [await r.custom_command(["EVALSHA", sha, "1", "counter", "3"]) for _ in range(2)]
    same(replies, [3, 6])
    await fails("MINE", r.invoke_script(Script(OWN_ERROR)))


async def pubsub(r: GlideClient) -> None:
    modes = GlideClientConfiguration.PubSubChannelModes
    chosen = GlideClientConfiguration.PubSubSubscriptions(
        {modes.Exact: {"news"}, modes.Pattern: {"n*s"}}, None, None
    )
    listener = await client(pubsub_subscriptions=chosen)
    same(await r.publish(b"\0hello", "news"), 2)
    got = [await asyncio.wait_for(listener.get_pubsub_message(), 10) for _ in range(2)]
    same({(m.message, m.channel, m.pattern) for m in got},
         {(b"\0hello", b"news", None), (b"\0hello", b"news", b"n*s")})  # fmt: skip
    await listener.close()


async def blocking(r: GlideClient) -> None:
    same(await r.blpop(["idle"], 0.1), None)
    other = await client()

    async def push() -> None:
        await asyncio.sleep(0.05)
        await other.lpush("queue", ["job"])

    pushing = asyncio.create_task(push())
    same(await r.blpop(["queue"], 5), [b"queue", b"job"])
    await pushing
    await other.close()


async def resp3(r: GlideClient) -> None:
    three = await client(protocol=ProtocolVersion.RESP3)
    await three.hset("h3", {"a": "1"})
    same(await three.hgetall("h3"), {b"a": b"1"})
    same(type(await three.custom_command(["ACL", "GETUSER", "app"])), dict)
    same(b"resp=3" in await three.custom_command(["CLIENT", "INFO"]), True)
    two = await client(protocol=ProtocolVersion.RESP2)
    same(await two.hgetall("h3"), {b"a": b"1"})
    await three.close()
    await two.close()


def _secure(authority: bytes | None) -> AdvancedGlideClientConfiguration:
    return AdvancedGlideClientConfiguration(
        connection_timeout=PATIENCE_MS,
        tls_config=TlsAdvancedConfiguration(root_pem_cacerts=authority),
    )


async def tls(r: GlideClient) -> None:
    authority = Path(CA).read_bytes()
    secure = await client(TLS_PORT, use_tls=True, advanced_config=_secure(authority))
    same(await secure.ping(), b"PONG")
    await secure.set("secret", b"s" * 100_000)
    same(await secure.get("secret"), b"s" * 100_000)
    await secure.close()
    await fails("", client(TLS_PORT, use_tls=True), ClosingError)


async def acl(r: GlideClient) -> None:
    app = await client(credentials=ServerCredentials("sesame", "app"))
    await app.set("app:k", "v")
    same(await app.get("app:k"), b"v")
    await fails("ermission", app.get("other"))
    await fails("WRONGPASS", client(credentials=ServerCredentials("wrong", "app")), ClosingError)
    await app.close()


async def cluster(r: GlideClient) -> None:
    if not CLUSTER_PORT:
        raise NotHere("no cluster")
    addresses = [NodeAddress("127.0.0.1", CLUSTER_PORT)]
    config = GlideClusterClientConfiguration(addresses, request_timeout=PATIENCE_MS)
    many = await GlideClusterClient.create(config)
    await asyncio.gather(*(many.set(f"c:{n}", str(n)) for n in range(100)))
    got = await asyncio.gather(*(many.get(f"c:{n}") for n in range(100)))
    same(got, [b"%d" % n for n in range(100)])
    await many.mset({"{tag}a": "1", "{tag}b": "2"})
    same(await many.mget(["{tag}a", "{tag}b"]), [b"1", b"2"])
    lua = Script("return redis.call('MGET', KEYS[1], KEYS[2])")
    same(await many.invoke_script(lua, ["{tag}a", "{tag}b"]), [b"1", b"2"])
    batch = ClusterBatch(is_atomic=False)
    for n in range(100):
        batch.get(f"c:{n}")
    same(await many.exec(batch, True), [b"%d" % n for n in range(100)])
    await many.close()


STEPS: tuple[Callable[[GlideClient], Awaitable[None]], ...] = (
    strings, expiry, hashes, sorted_sets, streams, scan, pipeline, transaction, script, pubsub,
    blocking, resp3, tls, acl, cluster,
)  # fmt: skip


async def main() -> int:
    print(f"version valkey-glide {importlib.metadata.version('valkey-glide')}", flush=True)
    r = await client()
    for step in STEPS:
        try:
            await asyncio.wait_for(step(r), 30)
        except Exception as error:
            tell(step.__name__, error)
        else:
            tell(step.__name__, None)
    await r.close()
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
