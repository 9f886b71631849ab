"""MULTI, EXEC, DISCARD, WATCH and UNWATCH."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from carnelian.resp.replies import NULL_ARRAY, OK, QUEUED, Error
from support.local import LocalClient, Recorder


@pytest.fixture
def other(engine: Engine) -> LocalClient:
    return LocalClient(engine)


def test_commands_run_together(client: LocalClient) -> None:
    assert client("MULTI") is OK
    assert client("SET", "a", 1) is QUEUED
    assert client("INCR", "a") is QUEUED
    assert client("GET", "a") is QUEUED
    assert client("EXEC") == [OK, 2, b"2"]


def test_an_error_while_running_stops_nothing(client: LocalClient) -> None:
    client("MULTI")
    client("SET", "a", "x")
    client("INCR", "a")
    client("SET", "b", "y")
    first, second, third = client("EXEC")
    assert first is OK and third is OK
    assert isinstance(second, Error)
    assert str(second) == "ERR value is not an integer or out of range"
    assert client("GET", "b") == b"y"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("NO-SUCH", "a"), "ERR unknown command 'NO-SUCH', with args beginning with: 'a' "),
        (("GET",), "ERR wrong number of arguments for 'get' command"),
        (("CONFIG", "NOPE"), "ERR unknown subcommand 'NOPE'. Try CONFIG HELP."),
        (("MONITOR", "x"), "ERR wrong number of arguments for 'monitor' command"),
    ],
)
def test_an_error_while_queueing_discards_all(
    client: LocalClient, words: tuple[str, ...], message: str
) -> None:
    client("MULTI")
    client("SET", "a", 1)
    assert client.error(*words) == message
    assert client.error("EXEC") == ("EXECABORT Transaction discarded because of previous errors.")
    assert client("GET", "a") is None
    assert client.error("EXEC") == "ERR EXEC without MULTI"


def test_exec_with_words_too_many_ends_the_transaction(client: LocalClient) -> None:
    client("MULTI")
    assert client.error("EXEC", "now") == (
        "EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command"
    )
    assert client.error("DISCARD") == "ERR DISCARD without MULTI"


def test_what_may_not_be_said(client: LocalClient) -> None:
    assert client.error("EXEC") == "ERR EXEC without MULTI"
    assert client.error("DISCARD") == "ERR DISCARD without MULTI"
    client("MULTI")
    assert client.error("MULTI") == "ERR MULTI calls can not be nested"
    assert client.error("WATCH", "a") == "ERR WATCH inside MULTI is not allowed"
    assert client("UNWATCH") is QUEUED
    assert client("EXEC") == [OK]


def test_discard(client: LocalClient, engine: Engine) -> None:
    client("WATCH", "a")
    client("MULTI")
    client("SET", "a", 1)
    assert client("DISCARD") is OK
    assert client("GET", "a") is None
    assert not engine.watches.keys


def test_replies_are_an_array_in_both_protocols(client: LocalClient) -> None:
    client("MULTI")
    assert client.call("EXEC").kind == b"*"
    client("WATCH", "a")
    client("SET", "a", 1)
    client("MULTI")
    assert client("EXEC") is NULL_ARRAY


class TestWatch:
    @pytest.mark.parametrize(
        "change",
        [
            ("SET", "k", "2"),
            ("DEL", "k"),
            ("EXPIRE", "k", "100"),
            ("RENAME", "k", "other"),
            ("FLUSHALL",),
            ("FLUSHDB",),
            ("SWAPDB", "0", "1"),
            ("MOVE", "k", "1"),
        ],
    )
    def test_a_change_breaks_it(
        self, client: LocalClient, other: LocalClient, change: tuple[str, ...]
    ) -> None:
        client("SET", "k", "1")
        client("WATCH", "a", "k")
        other(*change)
        client("MULTI")
        client("PING")
        assert client("EXEC") is NULL_ARRAY
        client("MULTI")
        assert client("EXEC") == []

    @pytest.mark.parametrize(
        "words", [("GET", "k"), ("DEL", "none"), ("SET", "x", "1"), ("EXPIRE", "none", "10")]
    )
    def test_nothing_else_does(
        self, client: LocalClient, other: LocalClient, words: tuple[str, ...]
    ) -> None:
        client("SET", "k", "1")
        client("WATCH", "k", "none")
        other(*words)
        client("MULTI")
        assert client("EXEC") == []

    def test_a_change_of_its_own_breaks_it(self, client: LocalClient) -> None:
        client("WATCH", "k")
        client("SET", "k", "1")
        client("MULTI")
        assert client("EXEC") is NULL_ARRAY

    def test_is_of_one_database(self, client: LocalClient, other: LocalClient) -> None:
        client("WATCH", "k")
        other("SELECT", 1)
        other("SET", "k", "1")
        client("MULTI")
        assert client("EXEC") == []

    def test_a_key_that_expires_breaks_it(self, client: LocalClient, clock: ManualClock) -> None:
        client("SET", "k", "1", "PX", 10)
        client("WATCH", "k")
        clock.advance(11)
        client("MULTI")
        assert client("EXEC") is NULL_ARRAY

    def test_a_key_that_had_expired_may_go(
        self, client: LocalClient, other: LocalClient, clock: ManualClock
    ) -> None:
        client("SET", "k", "1", "PX", 10)
        client.engine.keyspace.active_expire = False
        clock.advance(11)
        client("WATCH", "k")
        assert other("GET", "k") is None
        client("MULTI")
        assert client("EXEC") == []

    def test_swap_with_an_empty_database_is_no_change_for_an_expired_key(
        self, client: LocalClient, other: LocalClient, clock: ManualClock
    ) -> None:
        client("SET", "k", "1", "PX", 10)
        clock.advance(11)
        client("WATCH", "k")
        other("SWAPDB", 0, 1)
        client("MULTI")
        assert client("EXEC") == []

    def test_unwatch(self, client: LocalClient, other: LocalClient) -> None:
        client("WATCH", "k")
        other("SET", "k", "1")
        assert client("UNWATCH") is OK
        client("MULTI")
        assert client("EXEC") == []

    def test_leaves_nothing_behind(self, client: LocalClient, engine: Engine) -> None:
        client("WATCH", "a", "b", "a")
        assert len(engine.watches.keys) == 2
        engine.sessions.remove(client.session)
        assert not engine.watches.keys
        assert engine.keyspace.observer is None


class TestPropagation:
    def test_one_unit(self, client: LocalClient, engine: Engine) -> None:
        recorder = Recorder(engine)
        client("MULTI")
        client("SET", "a", 1)
        client("GET", "a")
        client("INCR", "a")
        client("EXEC")
        assert recorder.take() == [b"MULTI", b"SET a 1", b"INCR a", b"EXEC"]

    def test_one_command_needs_no_brackets(self, client: LocalClient, engine: Engine) -> None:
        recorder = Recorder(engine)
        client("MULTI")
        client("SET", "a", 1)
        client("EXEC")
        client("MULTI")
        client("GET", "a")
        client("EXEC")
        assert recorder.take() == [b"SET a 1"]


def test_a_blocking_command_does_not_block(client: LocalClient) -> None:
    client("MULTI")
    client("WAIT", 1, 0)
    assert client("EXEC") == [0]
    assert client.session.blocked is None
