"""engine.session(): transactions, messages, descriptors, being killed."""

from __future__ import annotations

import select
import threading
from collections.abc import Iterator

import pytest

import carnelian


@pytest.fixture
def engine() -> Iterator[carnelian.Engine]:
    with carnelian.Engine() as made:
        yield made


def readable(session: carnelian.LocalSession) -> bool:
    return bool(select.select([session], [], [], 0)[0])


def test_sessions_are_independent(engine):
    with engine.session(db=2) as one, engine.session() as two:
        one.execute("SET", "k", "v")
        two.execute("MULTI")
        assert two.execute("GET", "k") == b"QUEUED"
        assert one.execute("GET", "k") == b"v"
        assert two.execute("EXEC") == [None]
        assert engine.execute("EXISTS", "k") == 0


def test_a_database_that_is_not_there(engine):
    with pytest.raises(carnelian.Error, match="DB index is out of range"):
        engine.session(db=99)
    assert len(engine.core.sessions) == 0


def test_messages(engine):
    with engine.session() as session:
        assert session.execute("SUBSCRIBE", "a") == [b"subscribe", b"a", 1]
        assert session.execute("PSUBSCRIBE", "x*", "y*") == [
            [b"psubscribe", b"x*", 2],
            [b"psubscribe", b"y*", 3],
        ]
        assert session.get_message(0) is None
        engine.execute("PUBLISH", "a", "one")
        engine.execute("PUBLISH", "y1", b"\xff")
        assert session.execute("GET", "k") is None
        assert session.get_message() == [b"message", b"a", b"one"]
        assert session.get_message(5) == [b"pmessage", b"y*", b"y1", b"\xff"]
        assert session.get_message(0.01) is None
        assert session.execute("UNSUBSCRIBE", "a") == [b"unsubscribe", b"a", 2]
        assert engine.execute("PUBLISH", "a", "two") == 0


def test_a_message_wakes_whoever_waits(engine):
    with engine.session() as session:
        session.execute("SUBSCRIBE", "a")
        timer = threading.Timer(0.02, engine.execute, ("PUBLISH", "a", "late"))
        timer.start()
        assert session.get_message(None) == [b"message", b"a", b"late"]


def test_messages_of_the_key_space(engine):
    engine.execute("CONFIG", "SET", "notify-keyspace-events", "KEA")
    with engine.session() as session:
        session.execute("PSUBSCRIBE", "__keyevent@0__:*")
        engine.execute("SET", "k", "v")
        assert session.get_message(0) == [
            b"pmessage", b"__keyevent@0__:*", b"__keyevent@0__:set", b"k",
        ]  # fmt: skip


def test_monitor(engine):
    with engine.session() as session:
        assert session.execute("MONITOR") == b"OK"
        engine.execute("SET", "k", "v")
        assert session.get_message(0).endswith(b'[0 embedded:0] "SET" "k" "v"')


def test_a_descriptor_tells_of_messages(engine):
    with engine.session() as session:
        session.execute("SUBSCRIBE", "a")
        assert not readable(session)
        engine.execute("PUBLISH", "a", 1)
        engine.execute("PUBLISH", "a", 2)
        assert readable(session)
        session.get_message()
        assert readable(session)
        session.get_message()
        assert not readable(session)


def test_a_descriptor_asked_for_late(engine):
    with engine.session() as session:
        session.execute("SUBSCRIBE", "a")
        engine.execute("PUBLISH", "a", 1)
        assert readable(session)


def test_a_killed_session_says_so(engine):
    with engine.session() as session:
        session.execute("SUBSCRIBE", "a")
        engine.execute("PUBLISH", "a", "last")
        assert engine.execute("CLIENT", "KILL", "ID", session.id) == 1
        assert session.closed
        assert engine.execute("PUBLISH", "a", "too late") == 0
        assert session.get_message() == [b"message", b"a", b"last"]
        for _ in range(2):
            with pytest.raises(carnelian.EngineClosedError, match="this session is closed"):
                session.get_message()
        with pytest.raises(carnelian.EngineClosedError, match="this session is closed"):
            session.execute("PING")


def test_quit_replies_and_ends(engine):
    with engine.session() as session:
        assert session.execute("QUIT") == b"OK"
        assert session.closed


def test_a_thread_whose_session_was_killed_gets_another(engine):
    first = engine.execute("CLIENT", "ID")
    assert engine.execute("CLIENT", "KILL", "ID", first, "SKIPME", "no") == 1
    assert engine.execute("CLIENT", "ID") == first + 1


def test_client_reply_off(engine):
    with engine.session() as session:
        session.execute("CLIENT", "REPLY", "OFF")
        session.execute("SET", "k", "v")
        assert engine.execute("GET", "k") == b"v"


def test_client_reply_of_a_stream(engine):
    with engine.stream() as stream:
        stream.submit([[b"HELLO", b"3"]])
        stream.fetch(0)
        stream.submit([[b"CLIENT", b"REPLY", b"SKIP"], [b"PING"], [b"ECHO", b"a"]])
        stream.submit([[b"CLIENT", b"REPLY", b"OFF"], [b"PING"], [b"SUBSCRIBE", b"c"], [b"PING"]])
        stream.submit([[b"CLIENT", b"REPLY", b"ON"]])
        assert [stream.fetch(0) for _ in range(3)] == [b"a", [b"subscribe", b"c", 1], b"OK"]
        assert not stream.pending()


def test_closing_ends_what_the_session_had(engine):
    session = engine.session()
    session.execute("WATCH", "k")
    session.execute("SUBSCRIBE", "a")
    session.fileno()
    session.close()
    session.close()
    assert engine.core.watches.keys == {}
    assert engine.core.pubsub.channels == {}
    assert len(engine.core.sessions) == 0


def test_a_session_in_client_list(engine):
    with engine.session() as session:
        session.execute("CLIENT", "SETNAME", "worker")
        line = session.execute("CLIENT", "INFO").decode()
        assert f"id={session.id} addr=embedded:0 " in line
        assert " name=worker " in line
        assert " resp=3 " in line


def test_a_password_is_for_strangers():
    with carnelian.Engine(requirepass="secret") as engine:
        assert engine.execute("PING") == b"PONG"
        with engine.stream() as stranger:
            stranger.submit([[b"PING"], [b"AUTH", b"secret"], [b"PING"]])
            assert str(stranger.fetch()) == "NOAUTH Authentication required."
            assert [stranger.fetch(), stranger.fetch()] == [b"OK", b"PONG"]


def test_a_stream_keeps_the_order(engine):
    with engine.stream() as stream:
        stream.submit([[b"SUBSCRIBE", b"a"], [b"PUBLISH", b"a", b"m"], [b"PING"]])
        assert stream.fetch() == [b"subscribe", b"a", 1]
        # In RESP2 a subscribed session may only do so much.
        assert str(stream.fetch()).startswith("ERR Can't execute 'publish'")
        assert stream.fetch() == [b"pong", b""]


def test_commands_behind_a_blocked_one_wait(engine):
    engine.execute("CLIENT", "PAUSE", 60_000, "WRITE")
    with engine.stream() as stream:
        stream.submit([[b"GET", b"k"], [b"SET", b"k", b"1"], [b"INCR", b"k"], [b"GET", b"k"]])
        stream.submit([[b"PING"]])
        assert stream.fetch() is None
        assert not stream.pending()
        engine.execute("CLIENT", "UNPAUSE")
        assert [stream.fetch(0) for _ in range(4)] == [b"OK", 2, b"2", b"PONG"]
