"""Keys and values of every type, shown and edited."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.peers import Client

from .browsing import Browser
from .conftest import Console

BINARY = {"b64": "/wA="}


@pytest.fixture
def client(console: Console, browser: Browser) -> Iterator[Client]:
    """A client of the server that the browser looks at."""
    client = console.client()
    yield client
    client.close()


def all_keys(browser: Browser, **wanted: object) -> tuple[list, int]:
    """All keys that are found, and in how many parts."""
    cursor, found, parts = "0", [], 0
    while True:
        told = browser.call("/api/keys", match="*", cursor=cursor, **wanted)
        found += told["keys"]
        parts += 1
        assert parts < 100
        cursor = told["cursor"]
        if cursor == "0":
            return sorted(found, key=str), parts


def test_keys_come_with_their_types(browser: Browser, client: Client) -> None:
    client.call("SET", "a:1", "x")
    client.call("HSET", "b", "f", "v")
    client.call("SET", b"\xff\0", "x")
    keys, _ = all_keys(browser)
    assert keys == [["a:1", "string"], ["b", "hash"], [BINARY, "string"]]
    told = browser.call("/api/keys", match="a:*")
    assert (told["keys"], told["size"]) == ([["a:1", "string"]], 3)
    assert browser.call("/api/keys", match="*", type="hash")["keys"] == [["b", "hash"]]
    assert browser.call("/api/keys", match="*", db=3)["keys"] == []


def test_many_keys_come_in_parts(browser: Browser, client: Client) -> None:
    client.call("DEBUG", "POPULATE", 3000)
    keys, parts = all_keys(browser)
    assert len({key for key, _ in keys}) == 3000
    assert parts >= 3


def test_a_search_that_finds_little_is_bounded(browser: Browser, client: Client) -> None:
    client.call("DEBUG", "POPULATE", 30_000)
    told = browser.call("/api/keys", match="nothing")
    assert told["keys"] == []
    assert told["looked"] == 20_000
    assert told["cursor"] != "0"


def test_no_key_is_touched_by_looking(browser: Browser, client: Client) -> None:
    client.call("SET", "k", "v")
    client.call("CONFIG", "RESETSTAT")
    browser.value("k")
    browser.call("/api/keys", match="*")
    info = client.call("INFO", "commandstats").decode()
    assert "cmdstat_keys:" not in info


def test_texts(browser: Browser, client: Client) -> None:
    client.call("SET", "k", "héllo", "PX", 50_000)
    told = browser.value("k")
    assert told["type"] == "string"
    assert 0 < told["ttl"] <= 50_000
    assert (told["value"], told["size"], told["cut"]) == ("héllo", 6, False)
    saved = browser.edit("string.set", "k", value="new", version=told["version"])
    assert saved.status == 200
    assert client.call("GET", "k") == b"new"
    assert 0 < client.call("PTTL", "k") <= 50_000


def test_nobody_overwrites_what_somebody_else_has_changed(browser: Browser, client: Client) -> None:
    client.call("SET", "k", "old")
    version = browser.value("k")["version"]
    client.call("SET", "k", "theirs")
    answer = browser.edit("string.set", "k", value="mine", version=version)
    assert (answer.status, answer.json["error"]) == (409, "Somebody else has changed it meanwhile.")
    assert client.call("GET", "k") == b"theirs"
    client.call("DEL", "k")
    assert (
        browser.edit("string.set", "k", value="mine", version=version).json["error"]
        == "It is gone."
    )
    client.call("LPUSH", "k", "x")
    answer = browser.edit("string.set", "k", value="mine", version=version)
    assert (answer.status, answer.json["error"].split()[0]) == (422, "WRONGTYPE")


def test_bytes_go_there_and_back(browser: Browser, client: Client) -> None:
    client.call("SET", b"\xff\0", bytes(range(256)))
    told = browser.value(BINARY)
    assert (
        browser.edit("string.set", BINARY, value=told["value"], version=told["version"]).status
        == 200
    )
    assert client.call("GET", b"\xff\0") == bytes(range(256))


def test_a_long_text_is_shown_in_part(browser: Browser, client: Client) -> None:
    client.call("SET", "k", "é" * 100_000)
    told = browser.value("k")
    assert (told["size"], told["cut"], told["editable"]) == (200_000, True, True)
    assert told["value"] == "é" * (len(told["value"]))
    assert "version" not in told
    assert browser.value("k", whole=True)["value"] == "é" * 100_000
    client.call("SETRANGE", "k", 2_000_000, "x")
    told = browser.value("k", whole=True)
    assert (told["cut"], told["editable"]) == (True, False)


def test_bits_and_hyperloglogs_are_told(browser: Browser, client: Client) -> None:
    client.call("SETBIT", "b", 9, 1)
    client.call("PFADD", "h", "a", "b", "c")
    assert browser.value("b")["bits"] == 1
    assert browser.value("h")["distinct"] == 3
    assert browser.edit("string.bit", "b", offset=8, bit=True).status == 200
    assert client.call("GET", "b") == b"\0\xc0"


def test_hashes_with_times_of_their_fields(browser: Browser, client: Client) -> None:
    client.call("HSET", "h", "a", "1", "b", "2")
    client.call("HPEXPIRE", "h", 60_000, "FIELDS", 1, "a")
    items = {item["field"]: item for item in browser.value("h")["items"]}
    version = items["b"].pop("version")
    assert items["b"] == {"field": "b", "value": "2", "size": 1, "ttl": -1}
    assert browser.edit("hash.set", "h", field="b", value="2", version=version).status == 200
    assert 0 < items["a"]["ttl"] <= 60_000
    version = browser.call("/api/element", key="h", type="hash", field="a")["version"]
    assert browser.edit("hash.set", "h", field="a", value="x", version=version).status == 200
    assert client.call("HGET", "h", "a") == b"x"
    assert 0 < client.call("HPTTL", "h", "FIELDS", 1, "a")[0] <= 60_000
    assert browser.edit("hash.set", "h", field="a", value="y", version=version).status == 409
    assert (
        browser.edit("hash.set", "h", field="a", value="y").json["error"]
        == "There is such a field."
    )
    assert browser.edit("hash.set", "h", field="c", value="3").status == 200
    assert browser.edit("hash.expire", "h", field="a").status == 200
    assert client.call("HPTTL", "h", "FIELDS", 1, "a") == [-1]
    assert browser.edit("hash.delete", "h", field="c").json == {"done": 1}
    answer = browser.edit(
        "hash.set",
        "h",
        field="z",
        old="a",
        value="x",
        version=browser.call("/api/element", key="h", type="hash", field="a")["version"],
    )
    assert answer.status == 200
    assert client.call("HGETALL", "h") == [b"b", b"2", b"z", b"x"]


def test_a_large_hash_comes_in_parts_and_is_searched(browser: Browser, client: Client) -> None:
    for number in range(1000):
        client.call("HSET", "h", f"field:{number}", "v" * 10)
    told = browser.value("h")
    assert told["size"] == 1000
    assert len(told["items"]) < 1000
    seen, cursor = {item["field"] for item in told["items"]}, told["cursor"]
    while cursor is not None:
        told = browser.value("h", cursor=cursor)
        seen |= {item["field"] for item in told["items"]}
        cursor = told["cursor"]
    assert len(seen) == 1000
    found = []
    cursor = "0"
    while cursor is not None:
        told = browser.value("h", match="field:77*", cursor=cursor)
        found += [item["field"] for item in told["items"]]
        cursor = told["cursor"]
    assert len(set(found)) == 11


def test_lists(browser: Browser, client: Client) -> None:
    client.call("RPUSH", "l", *range(250))
    told = browser.value("l")
    assert [item["index"] for item in told["items"]] == list(range(100))
    assert told["cursor"] == "100"
    last = browser.value("l", cursor="200")
    assert (last["items"][-1]["value"], last["cursor"]) == ("249", None)
    backwards = browser.value("l", reverse=True)
    assert [item["value"] for item in backwards["items"][:2]] == ["249", "248"]
    assert backwards["items"][-1]["index"] == 150
    version = told["items"][3]["version"]
    assert browser.edit("list.set", "l", index="3", value="three", version=version).status == 200
    assert client.call("LINDEX", "l", 3) == b"three"
    assert browser.edit("list.delete", "l", index="3", version=version).status == 409
    version = browser.value("l")["items"][3]["version"]
    assert browser.edit("list.delete", "l", index="3", version=version).status == 200
    assert client.call("LRANGE", "l", 2, 4) == [b"2", b"4", b"5"]
    assert browser.edit("list.push", "l", value="first", end="left").json == {"done": 250}
    assert client.call("LINDEX", "l", 0) == b"first"


def test_sets(browser: Browser, client: Client) -> None:
    client.call("SADD", "s", "a", "b")
    assert sorted(item["value"] for item in browser.value("s")["items"]) == ["a", "b"]
    assert browser.edit("set.add", "s", value="a").status == 409
    assert browser.edit("set.add", "s", value="c", old="b").status == 200
    assert browser.edit("set.delete", "s", value="a").json == {"done": 1}
    assert client.call("SMEMBERS", "s") == [b"c"]
    assert (
        browser.edit("set.add", "s", value="d", old="gone").json["error"] == "The member is gone."
    )


def test_sorted_sets(browser: Browser, client: Client) -> None:
    for number in range(150):
        client.call("ZADD", "z", number / 2, f"m{number}")
    told = browser.value("z")
    assert told["items"][1] == {"value": "m1", "size": 2, "score": "0.5"}
    assert told["cursor"] == "100"
    assert browser.value("z", reverse=True)["items"][0]["value"] == "m149"
    assert [item["value"] for item in browser.value("z", match="m149")["items"]] == ["m149"]
    assert browser.edit("zset.set", "z", value="m0", score="-inf").status == 200
    assert browser.edit("zset.set", "z", value="new", score="7", old="m1").status == 200
    assert client.call("ZSCORE", "z", "m1") is None
    assert client.call("ZSCORE", "z", "new") == b"7"
    answer = browser.edit("zset.set", "z", value="m0", score="x")
    assert (answer.status, answer.json["error"]) == (422, "ERR value is not a valid float")
    assert browser.edit("zset.delete", "z", value="new").json == {"done": 1}


def test_streams_with_their_groups(browser: Browser, client: Client) -> None:
    for number in range(1, 151):
        client.call("XADD", "x", f"{number}-0", "n", number)
    client.call("XGROUP", "CREATE", "x", "g", "0")
    client.call("XREADGROUP", "GROUP", "g", "worker", "COUNT", 3, "STREAMS", "x", ">")
    told = browser.value("x")
    assert told["items"][0]["id"] == "150-0"
    assert told["items"][0]["fields"] == [[{"value": "n", "size": 1}, {"value": "150", "size": 3}]]
    assert told["cursor"] == "51-0"
    assert browser.value("x", cursor="51-0")["items"][0]["id"] == "50-0"
    assert browser.value("x", reverse=True)["items"][0]["id"] == "1-0"
    (group,) = told["groups"]
    assert (group["name"], group["pending"], group["lag"]) == ("g", 3, 147)
    assert (group["members"][0]["name"], group["members"][0]["pending"]) == ("worker", 3)
    assert browser.edit("stream.add", "x", id="200-0", pairs=["a", "b"]).json == {"done": "200-0"}
    assert browser.edit("stream.add", "x", pairs=["a"]).status == 400
    assert browser.edit("stream.delete", "x", id="200-0").json == {"done": 1}
    assert browser.edit("stream.group", "x", group="h", id="$").status == 200
    assert browser.edit("stream.ungroup", "x", group="g").json == {"done": 1}
    assert [group["name"] for group in browser.value("x")["groups"]] == ["h"]


def test_arrays(browser: Browser, client: Client) -> None:
    client.call("ARSET", "a", 5, "x", "y")
    told = browser.value("a")
    assert (told["size"], told["length"]) == (2, 7)
    assert [(item["index"], item["value"]) for item in told["items"]] == [("5", "x"), ("6", "y")]
    version = told["items"][0]["version"]
    assert browser.edit("array.set", "a", index="5", value="z", version=version).status == 200
    assert browser.edit("array.set", "a", index="5", value="z", version=version).status == 409
    large = str(2**63 + 5)
    assert browser.edit("array.set", "a", index=large, value="far").status == 200
    assert browser.value("a")["items"][-1]["index"] == large
    assert browser.edit("array.delete", "a", index="6").json == {"done": 1}
    assert browser.edit("array.set", "a", index="-1", value="v").status == 400


def test_what_is_done_to_keys(browser: Browser, client: Client) -> None:
    client.call("SET", "a", "1")
    client.call("SET", "b", "2")
    assert browser.edit("key.rename", "a", name="b").json["error"] == "There is a key of that name."
    assert browser.edit("key.rename", "a", name="b", overwrite=True).status == 200
    assert browser.edit("key.copy", "b", name="c").status == 200
    assert browser.edit("key.copy", "b", name="c").status == 409
    assert browser.edit("key.expire", "b", ttl=5000).status == 200
    assert 0 < client.call("PTTL", "b") <= 5000
    assert browser.edit("key.expire", "b").status == 200
    assert client.call("PTTL", "b") == -1
    assert browser.edit("key.delete", "b").json == {"done": 1}
    assert browser.call("/api/keys/delete", keys=["c", "missing"]) == {"done": 1}
    assert browser.post("/api/keys/delete", {"keys": []}).status == 400
    assert browser.edit("key.explode", "b").status == 400
    assert client.call("DBSIZE") == 0
    assert browser.value("b") == {"type": "none"}


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("string", {"value": "v"}),
        ("hash", {"field": "f", "value": "v"}),
        ("list", {"value": "v"}),
        ("set", {"value": "v"}),
        ("zset", {"value": "v", "score": "1.5"}),
        ("stream", {"pairs": ["f", "v"]}),
        ("array", {"index": "3", "value": "v"}),
    ],
)
def test_keys_are_made(browser: Browser, client: Client, kind: str, wanted: dict) -> None:
    assert browser.edit("key.create", "new", type=kind, ttl=60_000, **wanted).status == 200
    assert client.call("TYPE", "new") == b"+" + kind.encode()
    assert 0 < client.call("PTTL", "new") <= 60_000
    assert browser.edit("key.create", "new", type=kind, **wanted).status == 409


def test_databases_are_apart(browser: Browser, client: Client) -> None:
    assert browser.edit("key.create", "k", db=3, value="three").status == 200
    assert browser.value("k", db=3)["value"] == "three"
    assert browser.value("k") == {"type": "none"}
    told = browser.call("/api/databases")
    assert told == {"filled": {"3": 1}, "count": 16, "cluster": False}
    answer = browser.post("/api/value", {"key": "k", "db": 99})
    assert (answer.status, answer.json["error"]) == (422, "ERR DB index is out of range")
