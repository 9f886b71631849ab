"""The pages besides keys: figures, slow log, clients, messages, map, configuration, commands."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from support.waiting import free_port, wait_for

from .browsing import Browser
from .conftest import Console, StartConsole


def test_what_the_server_is(console: Console, browser: Browser) -> None:
    told = browser.call("/api/about")
    assert told["address"] == f"127.0.0.1:{console.server.port}"
    assert (told["name"], told["user"], told["mode"]) == ("carnelian", "default", "standalone")


def test_figures_by_the_second(console: Console, browser: Browser) -> None:
    client = console.client()
    browser.call("/api/figures", since=0)

    def told() -> Any:
        for _ in range(50):
            client.call("GET", "missing")
        figures = browser.call("/api/figures", since=0)
        return figures if len(figures["samples"]) >= 2 else None

    figures = wait_for(told)
    sample = figures["samples"][-1]
    assert sample["commands"] > 0
    assert sample["misses"] > 0
    assert sample["clients"] >= 2
    assert 0 < sample["p50"] <= sample["p99"] <= sample["p999"]
    assert sample["used"] > 0
    last = sample["number"]
    assert all(new["number"] > last for new in browser.call("/api/figures", since=last)["samples"])
    assert figures["info"]["redis_mode"] == "standalone"
    names = wait_for(lambda: [c["name"] for c in browser.call("/api/figures")["commands"]])
    assert "info" in names or "get" in names


def test_slow_log(console: Console, browser: Browser) -> None:
    client = console.client()
    client.call("CLIENT", "SETNAME", "slowpoke")
    client.call("CONFIG", "SET", "slowlog-log-slower-than", "0")
    client.call("SET", "k", "x" * 1000)
    client.call("CONFIG", "SET", "slowlog-log-slower-than", "10000")
    told = browser.call("/api/slow")
    entry = next(entry for entry in told["entries"] if entry["words"][0]["value"] == "SET")
    assert entry["name"] == "slowpoke"
    # The server itself shortens long words.
    assert entry["words"][2]["value"].startswith("xxx")
    assert told["threshold"] == "10000"
    browser.call("/api/slow/clear")
    assert browser.call("/api/slow")["length"] == 0


def test_clients_are_listed_and_closed(console: Console, browser: Browser) -> None:
    client = console.client()
    client.call("CLIENT", "SETNAME", "victim")
    told = browser.call("/api/clients")
    (victim,) = [one for one in told["clients"] if one["name"] == "victim"]
    assert told["own"] in [one["id"] for one in told["clients"]]
    assert browser.call("/api/clients/kill", id=int(victim["id"])) == {"killed": 1}
    assert client.at_end()
    assert browser.call("/api/clients/kill", id=int(victim["id"])) == {"killed": 0}


def follow(browser: Browser, wanted: dict) -> tuple[list[dict], threading.Thread]:
    """The lines of a tap, as they come."""
    lines: list[dict] = []

    def read() -> None:
        answer = browser.post("/api/tap", wanted)
        lines.extend(json.loads(line) for line in answer.body.splitlines())

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return lines, thread


def test_messages_are_tapped(console: Console, browser: Browser) -> None:
    lines, thread = follow(
        browser,
        {"kind": "messages", "channels": ["news"], "patterns": ["o*"], "seconds": 2},
    )
    client = console.client()
    wait_for(lambda: client.call("PUBLISH", "news", "hello"))
    assert browser.call("/api/channels")["channels"] == [[{"value": "news", "size": 4}, 1]]
    assert browser.call("/api/publish", channel="other", message="x") == {"receivers": 1}
    thread.join(10)
    items = [item for line in lines for item in line.get("items", ())]
    assert [(item["channel"]["value"], item["message"]["value"]) for item in items] == [
        ("news", "hello"),
        ("other", "x"),
    ]
    assert items[1]["pattern"]["value"] == "o*"
    assert lines[-1] == {"end": "The tap was open for 2 seconds, and was closed."}
    assert browser.post("/api/tap", {"kind": "messages"}).status == 400


def test_commands_are_tapped(console: Console, browser: Browser) -> None:
    lines, thread = follow(browser, {"kind": "monitor", "seconds": 2})
    client = console.client()
    wait_for(lambda: b"flags=O" in client.call("CLIENT", "LIST"))
    client.call("SELECT", 2)
    client.call("SET", "k] ", "v")
    thread.join(10)
    items = [item for line in lines for item in line.get("items", ())]
    (item,) = [item for item in items if item["command"]["value"].startswith('"SET"')]
    assert (item["db"], item["command"]["value"]) == ("2", '"SET" "k] " "v"')


def test_taps_are_few(console: Console, browser: Browser) -> None:
    client = console.client()
    threads = [follow(browser, {"kind": "monitor", "seconds": 5})[1] for _ in range(4)]
    wait_for(lambda: client.call("CLIENT", "LIST").count(b"flags=O") == 4)
    answer = browser.post("/api/tap", {"kind": "messages", "channels": ["x"]})
    assert answer.status == 429
    assert answer.json["error"] == "There are taps open already: close one first."
    for thread in threads:
        thread.join(20)
    assert client.call("CLIENT", "LIST").count(b"flags=O") == 0


def test_configuration(console: Console, browser: Browser) -> None:
    told = browser.call("/api/settings")["settings"]
    settings = {setting["name"]: setting for setting in told}
    maxmemory = settings["maxmemory"]
    assert (maxmemory["value"], maxmemory["default"], maxmemory["change"]) == ("0", "0", "any time")
    assert maxmemory["summary"]
    assert settings["port"]["value"] == str(console.server.port)
    assert settings["databases"]["change"] == "at start"
    assert settings["dir"]["change"] == "protected"
    assert browser.call("/api/settings/set", name="maxmemory", value="100mb") == {
        "value": "104857600"
    }
    answer = browser.post("/api/settings/set", {"name": "maxmemory", "value": "lots"})
    assert answer.status == 422
    assert answer.json["error"].startswith("ERR CONFIG SET failed")
    assert browser.post("/api/settings/set", {"name": "max*", "value": "1"}).status == 400
    answer = browser.post("/api/settings/act", {"act": "rewrite"})
    assert answer.json["error"] == "ERR The server is running without a config file"
    browser.call("/api/settings/set", name="maxmemory", value="0")


def test_passwords_stay_where_they_are(start: StartConsole) -> None:
    console = start("--requirepass", "sesame", "--masterauth", "open")
    browser = console.browser()
    browser.log_in("default", "sesame")
    answer = browser.post("/api/settings")
    assert b"sesame" not in answer.body
    settings = {setting["name"]: setting for setting in answer.json["settings"]}
    assert (settings["requirepass"]["value"], settings["requirepass"]["set"]) == ("", True)
    assert (settings["masterauth"]["value"], settings["masterauth"]["set"]) == ("", True)
    assert browser.call("/api/settings/set", name="masterauth", value="x") == {"value": ""}


def test_the_command_line(browser: Browser) -> None:
    def reply(line: str) -> Any:
        return browser.call("/api/typed", line=line)["reply"]

    assert reply("SET k 'a b'") == {"status": "OK"}
    assert reply('APPEND k "\\xff"') == 4
    assert reply("GET k") == {"b64": "YSBi/w=="}
    assert reply("GET missing") is None
    assert reply("LPUSH k x")["error"].startswith("WRONGTYPE")
    assert reply("EVAL 'return {1,{2},\"x\"}' 0") == [1, [2], "x"]
    assert reply("SET n 9223372036854775807") == {"status": "OK"}
    assert reply("INCRBY n 0") == {"int": "9223372036854775807"}
    assert reply("MULTI") == {"status": "OK"}
    assert reply("PING") == {"status": "QUEUED"}
    assert reply("EXEC") == [{"status": "PONG"}]
    assert browser.call("/api/typed", line="SELECT 2")["db"] == 2
    assert reply("EXISTS k") == 0
    assert browser.call("/api/typed", line="SELECT 0")["db"] == 0


@pytest.mark.parametrize(
    "line", ["MONITOR", "subscribe x", "HELLO 3", "auth a b", "client reply off", "quit", "'", ""]
)
def test_what_cannot_be_typed(browser: Browser, line: str) -> None:
    assert browser.post("/api/typed", {"line": line}).status == 400
    assert browser.call("/api/typed", line="PING")["reply"] == {"status": "PONG"}


def test_long_replies_are_shortened(console: Console, browser: Browser) -> None:
    console.client().call("RPUSH", "l", *range(6000))
    told = browser.call("/api/typed", line="LRANGE l 0 -1")
    assert (len(told["reply"]), told["cut"]) == (5000, True)


def test_commands_are_described(browser: Browser) -> None:
    names = browser.call("/api/commands")["commands"]
    assert {"GET", "CONFIG SET", "XGROUP CREATE"} <= set(names)
    told = browser.call("/api/commands/describe", name="EXPIRE")
    assert told["arguments"] == "key seconds [NX | XX | GT | LT]"
    assert told["summary"]
    assert browser.call("/api/commands/describe", name="NOTHING") == {}


def test_replication_map(start: StartConsole) -> None:
    primary = start()
    replica = start("--replicaof", f"127.0.0.1 {primary.server.port}")
    below, above = replica.entered(), primary.entered()

    def linked() -> Any:
        told = below.call("/api/replication")
        return told["primary"]["link"] == "up" and told

    told = wait_for(linked)
    assert (told["role"], told["primary"]["address"]) == (
        "replica",
        f"127.0.0.1:{primary.server.port}",
    )

    def followed() -> Any:
        told = above.call("/api/replication")
        return told["replicas"] and told["replicas"][0]["state"] == "online" and told

    told = wait_for(followed)
    assert told["role"] == "primary"
    assert told["replicas"][0]["address"] == f"127.0.0.1:{replica.server.port}"
    assert above.call("/api/cluster") == {"nodes": None}


def test_cluster_map(start: StartConsole) -> None:
    console = start("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    client = console.client()
    client.call("CLUSTER", "ADDSLOTSRANGE", 0, 9, 20, 16383)
    browser = console.entered()
    told = browser.call("/api/cluster")
    (node,) = told["nodes"]
    assert (node["role"], node["own"], node["slots"]) == ("primary", True, [[0, 9], [20, 16383]])
    assert node["count"] == 16374
    assert browser.call("/api/slot", key="foo") == {"slot": 12182, "keys": 0}
    assert browser.call("/api/databases")["cluster"] is True
