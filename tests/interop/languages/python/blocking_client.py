"""The scenario with redis-py or valkey-py: ``python blocking_client.py redis``."""

from __future__ import annotations

import importlib
import sys
import threading
import time
from collections.abc import Callable

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
    run,
    same,
)  # fmt: skip

redis = importlib.import_module(sys.argv[1])
# valkey-py has kept redis-py's names but for those of the classes.
Client = getattr(redis, "Redis", None) or redis.Valkey
NoBackoff = importlib.import_module(f"{sys.argv[1]}.backoff").NoBackoff
Cluster = getattr(redis, "RedisCluster", None) or redis.ValkeyCluster


def client(**options):
    return Client(port=options.pop("port", PORT), **options)


r = client()


def fails(beginning: str, function: Callable, *arguments, **options) -> None:
    try:
        got = function(*arguments, **options)
    except (redis.ResponseError, redis.AuthenticationError) as error:
        # The code is taken off where there is a class of errors for it.
        names = {"NoPermissionError": "NOPERM ", "NoScriptError": "NOSCRIPT "}
        names["AuthenticationError"] = "WRONGPASS " if "invalid" in str(error) else ""
        text = str(error)
        code = names.get(type(error).__name__, "")
        error_with(beginning, ValueError(text if text.startswith(code) else code + text))
    else:
        raise AssertionError(f"{got!r} instead of an error with {beginning}")


def strings() -> None:
    r.flushall()
    r.set(ODD, ODD)
    same(r.get(ODD), ODD)
    r.set("empty", b"")
    same(r.get("empty"), b"")
    r.set("big", b"x" * 1_000_000)
    same(r.get("big"), b"x" * 1_000_000)
    r.set("text", TEXT)
    same(r.get("text").decode(), TEXT)
    same(r.strlen("text"), 12)
    r.mset({"a": 1, "b": 2})
    same(r.mget("a", "none", "b"), [b"1", None, b"2"])
    same(r.incrby("a", 41), 42)
    fails("value is not an integer", lambda: r.incr("text"))
    same(r.append("b", "34"), 3)
    same(r.getrange("b", 1, -1), b"34")


def expiry() -> None:
    r.set("e", 1, px=60_000)
    same(0 < r.pttl("e") <= 60_000, True)
    same(r.persist("e"), True)
    same(r.ttl("e"), -1)
    r.expire("e", 100)
    same(r.ttl("e") in (99, 100), True)
    same(r.ttl("none"), -2)
    r.set("short", "x", px=30)
    time.sleep(0.06)
    same(r.get("short"), None)
    same(r.set("e", 2, nx=True), None)
    same(r.getdel("e"), b"1")


def hashes() -> None:
    same(r.hset("h", mapping={"f1": "v1", "f2": b"\0\xff"}), 2)
    same(r.hgetall("h"), {b"f1": b"v1", b"f2": b"\0\xff"})
    same(r.hincrby("h", "n", 5), 5)
    same(float(r.hincrbyfloat("h", "n", 0.5)), 5.5)
    same(r.hmget("h", "f1", "none"), [b"v1", None])
    same(r.hexists("h", "none"), False)
    same(r.hdel("h", "f1", "none"), 1)
    same(r.hlen("h"), 2)


def sorted_sets() -> None:
    same(r.zadd("z", {"one": 1, "two": 2.5, "top": float("inf")}), 3)
    got = [tuple(pair) for pair in r.zrange("z", 0, -1, withscores=True)]
    same(got, [(b"one", 1.0), (b"two", 2.5), (b"top", float("inf"))])
    same(r.zrangebyscore("z", "(1", "+inf"), [b"two", b"top"])
    same(r.zincrby("z", 10, "one"), 11.0)
    same(r.zrank("z", "one"), 1)
    same(r.zrank("z", "none"), None)
    same(r.zscore("z", "two"), 2.5)
    same([tuple(pair) for pair in r.zpopmin("z")], [(b"two", 2.5)])
    same(r.zcard("z"), 2)


def streams() -> None:
    r.xgroup_create("s", "g", "0", mkstream=True)
    ids = [r.xadd("s", {"n": n}) for n in (1, 2, 3)]
    numbers = [tuple(map(int, i.split(b"-"))) for i in ids]
    same(numbers == sorted(set(numbers)), True)
    same(r.xlen("s"), 3)
    read = r.xreadgroup("g", "alice", {"s": ">"}, count=2)
    entries = dict(read)[b"s"] if isinstance(read, list) else read[b"s"]
    if entries and isinstance(entries[0], list):  # RESP3 of redis-py has a list of lists
        entries = entries[0]
    same([tuple(entry) for entry in entries], [(ids[0], {b"n": b"1"}), (ids[1], {b"n": b"2"})])
    same(r.xpending("s", "g")["pending"], 2)
    same(r.xack("s", "g", ids[0]), 1)
    claimed = r.xclaim("s", "g", "bob", 0, [ids[1]])
    same([tuple(entry) for entry in claimed], [(ids[1], {b"n": b"2"})])
    same(len(r.xrange("s")), 3)
    fails("BUSYGROUP", r.xgroup_create, "s", "g", "0")


def scan() -> None:
    r.mset({f"scan:{n}": n for n in range(500)})
    same(set(r.scan_iter("scan:*", 50)), {f"scan:{n}".encode() for n in range(500)})


def pipeline() -> None:
    pipe = r.pipeline(transaction=False)
    for _ in range(500):
        pipe.incr("p")
    replies = pipe.lpush("p", "x").incr("p").execute(raise_on_error=False)
    same(replies[-1], 501)
    error_with("WRONGTYPE", replies[500])


def transaction() -> None:
    same(r.pipeline().set("t", 1).incr("t").execute(), [True, 2])
    with r.pipeline() as pipe:
        pipe.watch("t")
        client().set("t", 10)
        pipe.multi()
        pipe.set("t", 0)
        try:
            pipe.execute()
        except redis.WatchError:
            pass
        else:
            raise AssertionError("it was done")
    same(r.get("t"), b"10")


def script() -> None:
    same(r.eval(SCRIPT, 1, "k", "v"), [b"k", b"v", 7, [b"x"]])
    fails("NOSCRIPT", r.evalsha, "0" * 40, 0)
    sha = r.script_load(INCREMENT)
    same([r.evalsha(sha, 1, "counter", 3) for _ in range(2)], [3, 6])
    fails("MINE", r.eval, OWN_ERROR, 0)


def _messages(pubsub, count: int) -> list[tuple]:
    got: list[tuple] = []
    deadline = time.monotonic() + 10
    while len(got) < count and time.monotonic() < deadline:
        message = pubsub.get_message(timeout=1)
        if message:
            got.append((message["type"], message["pattern"], message["channel"], message["data"]))
    return got


def pubsub(**options) -> None:
    with client(**options).pubsub() as listener:
        listener.subscribe("news")
        listener.psubscribe("n*s")
        same([kind for kind, *_ in _messages(listener, 2)], ["subscribe", "psubscribe"])
        same(r.publish("news", b"\0hello"), 2)
        same(
            sorted(_messages(listener, 2)),
            [("message", None, b"news", b"\0hello"), ("pmessage", b"n*s", b"news", b"\0hello")],
        )


def blocking() -> None:
    same(r.blpop("idle", 0.1), None)
    timer = threading.Timer(0.05, client().lpush, ("queue", "job"))
    timer.start()
    same(tuple(r.blpop("queue", 5)), (b"queue", b"job"))
    timer.join()


def resp3() -> None:
    three = client(protocol=3)
    three.hset("h3", mapping={"a": 1})
    three.zadd("z3", {"m": 1.5})
    same(three.hgetall("h3"), {b"a": b"1"})
    same(three.zscore("z3", "m"), 1.5)
    same(type(three.zscore("z3", "m")), float)
    same(type(three.acl_getuser("app")), dict)
    same(three.client_info()["resp"], "3")
    pubsub(protocol=3)


def tls() -> None:
    secure = client(port=TLS_PORT, ssl=True, ssl_ca_certs=CA)
    same(secure.ping(), True)
    secure.set("secret", b"s" * 100_000)
    same(secure.get("secret"), b"s" * 100_000)
    # It would try again and again otherwise.
    once = importlib.import_module(f"{sys.argv[1]}.retry").Retry(NoBackoff(), 0)
    try:
        client(port=TLS_PORT, ssl=True, retry=once).ping()
    except redis.ConnectionError:
        return
    raise AssertionError("a certificate of nobody was taken")


def acl() -> None:
    app = client(username="app", password="sesame")
    app.set("app:k", "v")
    same(app.get("app:k"), b"v")
    fails("NOPERM", app.get, "other")
    fails("WRONGPASS", client(username="app", password="wrong").ping)


def cluster() -> None:
    if not CLUSTER_PORT:
        raise NotHere("no cluster")
    many = Cluster(host="127.0.0.1", port=CLUSTER_PORT)
    for n in range(100):
        many.set(f"c:{n}", n)
    same([many.get(f"c:{n}") for n in range(100)], [b"%d" % n for n in range(100)])
    many.mset({"{tag}a": 1, "{tag}b": 2})
    same(many.mget("{tag}a", "{tag}b"), [b"1", b"2"])
    same(many.eval("return redis.call('MGET', KEYS[1], KEYS[2])", 2, "{tag}a", "{tag}b"),
         [b"1", b"2"])  # fmt: skip
    pipe = many.pipeline()
    for n in range(100):
        pipe.get(f"c:{n}")
    same(pipe.execute(), [b"%d" % n for n in range(100)])
    many.close()


STEPS = (
    strings, expiry, hashes, sorted_sets, streams, scan, pipeline, transaction, script, pubsub,
    blocking, resp3, tls, acl, cluster,
)  # fmt: skip

if __name__ == "__main__":
    print(f"version {sys.argv[1]}-py {redis.__version__}", flush=True)
    run({step.__name__: step for step in STEPS})
