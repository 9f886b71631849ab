"""MONITOR, SLOWLOG and TIME."""

from __future__ import annotations

import pytest

import carnelian.commands.lists  # noqa: F401
from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from carnelian.resp.replies import NO_REPLY, OK, Status
from support.local import LocalClient


def test_time(client: LocalClient, clock: ManualClock) -> None:
    clock.advance_us(42)
    assert client("TIME") == [b"1000000000", b"42"]


class TestMonitor:
    @pytest.fixture
    def watcher(self, engine: Engine) -> LocalClient:
        watcher = LocalClient(engine)
        assert watcher("MONITOR") is OK
        return watcher

    def test_shows_commands_as_they_run(self, client: LocalClient, watcher: LocalClient) -> None:
        client("SELECT", 3)
        client("set", "k", b'a"\\\n\x00\xff')
        assert watcher.session.sent == [
            b'1000000000.000000 [0 ] "SELECT" "3"',
            b'1000000000.000000 [3 ] "set" "k" "a\\"\\\\\\n\\x00\\xff"',
        ]
        assert all(isinstance(line, Status) for line in watcher.session.sent)

    def test_shows_transactions_in_order(self, client: LocalClient, watcher: LocalClient) -> None:
        client("MULTI")
        client("SET", "k", 1)
        client("EXEC")
        words = [line.rpartition(b"] ")[2] for line in watcher.session.sent]
        assert words == [b'"MULTI"', b'"SET" "k" "1"', b'"EXEC"']

    def test_shows_a_command_that_waits_once(
        self, client: LocalClient, watcher: LocalClient, engine: Engine
    ) -> None:
        LocalClient(engine)("BLPOP", "k", 0)
        client("RPUSH", "k", "a")
        words = [line.rpartition(b"] ")[2] for line in watcher.session.sent]
        assert words == [b'"BLPOP" "k" "0"', b'"RPUSH" "k" "a"']

    def test_hides_what_administrators_do(self, client: LocalClient, watcher: LocalClient) -> None:
        client("CONFIG", "GET", "maxmemory")
        client("CLIENT", "LIST")
        client("NO-SUCH")
        assert watcher.session.sent == []

    def test_twice_is_once(self, client: LocalClient, watcher: LocalClient) -> None:
        assert watcher("MONITOR") is NO_REPLY
        client("PING")
        assert len(watcher.session.sent) == 1

    def test_not_in_a_transaction(self, client: LocalClient) -> None:
        client("MULTI")
        client("MONITOR")
        assert str(client("EXEC")[0]) == "ERR MONITOR isn't allowed for DENY BLOCKING client"

    def test_ends_with_the_session(self, engine: Engine, watcher: LocalClient) -> None:
        assert engine.monitored
        engine.sessions.remove(watcher.session)
        assert not engine.monitored


class TestSlowlog:
    @pytest.fixture(autouse=True)
    def everything_is_slow(self, client: LocalClient) -> None:
        client("CONFIG", "SET", "slowlog-log-slower-than", 0)
        client("SLOWLOG", "RESET")

    def test_entries(self, client: LocalClient, clock: ManualClock) -> None:
        client("CLIENT", "SETNAME", "me")
        client("GET", "k")
        newest = client("SLOWLOG", "GET", 1)
        assert newest == [[newest[0][0], 1_000_000_000, 0, [b"GET", b"k"], b"", b"me", 2]]
        ids = [entry[0] for entry in client("SLOWLOG", "GET", -1)]
        assert ids == sorted(ids, reverse=True)

    def test_long_commands_are_cut(self, client: LocalClient) -> None:
        def logged(*words: str) -> tuple[list[bytes], int]:
            client(*words)
            entry = client("SLOWLOG", "GET", 1)[0]
            return entry[3], entry[6]

        assert logged("GET", "x" * 130)[0] == [b"GET", b"x" * 128 + b"... (2 more bytes)"]
        words, count = logged("DEL", *map(str, range(40)))
        assert (len(words), count) == (32, 41)
        assert words[-1] == b"... (10 more arguments)"
        client("CONFIG", "SET", "slowlog-entry-max-argc", 5, "slowlog-entry-max-string-len", 16)
        assert logged("SADD", "k", "a", "b", "c") == ([b"SADD", b"k", b"a", b"b", b"c"], 5)
        assert logged("SADD", "k", *"abcdefgh") == (
            [b"SADD", b"k", b"a", b"b", b"... (6 more arguments)"], 10,
        )  # fmt: skip
        assert logged("SET", "k", "A" * 20)[0][2] == b"A" * 16 + b"... (4 more bytes)"
        client("CONFIG", "SET", "slowlog-entry-max-argc", 2)
        assert logged("SADD", "k", "a", "b") == ([b"SADD", b"... (3 more arguments)"], 4)
        for name, value in (("argc", 1), ("string-len", 0)):
            message = client.error("CONFIG", "SET", f"slowlog-entry-max-{name}", value)
            assert "argument must be between" in message

    def test_get_shows_ten(self, client: LocalClient) -> None:
        for _ in range(20):
            client("PING")
        assert len(client("SLOWLOG", "GET")) == 10
        assert len(client("SLOWLOG", "GET", 0)) == 0
        assert len(client("SLOWLOG", "GET", -1)) == client("SLOWLOG", "LEN") - 1
        for count in (-2, "x"):
            assert client.error("SLOWLOG", "GET", count) == (
                "ERR count should be greater than or equal to -1"
            )

    def test_keeps_as_many_as_configured(self, client: LocalClient) -> None:
        client("CONFIG", "SET", "slowlog-max-len", 3)
        for _ in range(10):
            client("PING")
        assert client("SLOWLOG", "LEN") == 3

    def test_reset_keeps_counting_ids(self, client: LocalClient) -> None:
        client("PING")
        before = client("SLOWLOG", "GET", 1)[0][0]
        assert client("SLOWLOG", "RESET") is OK
        assert client("SLOWLOG", "GET", 1)[0][0] > before

    def test_exec_is_left_out(self, client: LocalClient) -> None:
        client("MULTI")
        client("PING")
        client("EXEC")
        words = [entry[3] for entry in client("SLOWLOG", "GET", 2)]
        assert words == [[b"PING"], [b"MULTI"]]

    def test_can_be_off(self, client: LocalClient) -> None:
        client("CONFIG", "SET", "slowlog-log-slower-than", -1)
        client("SLOWLOG", "RESET")
        client("PING")
        assert client("SLOWLOG", "LEN") == 0
