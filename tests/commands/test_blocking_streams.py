"""Sessions that wait for entries of streams."""

from __future__ import annotations

import pytest

import carnelian.commands.connections.client_commands
import carnelian.commands.streams  # noqa: F401
from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from carnelian.resp.replies import NO_REPLY, NULL_ARRAY
from support.local import LocalClient, Recorder
from support.wire import Reply


class Waiter(LocalClient):
    """A client whose command waits."""

    def wait(self, *words: bytes | str | int) -> None:
        assert self(*words) is NO_REPLY
        assert self.session.blocked is not None

    def got(self) -> object:
        """What it was sent, as plain values; None as long as it waits."""
        if self.session.blocked is not None:
            assert not self.session.sent
            return None
        (reply,) = self.messages()
        return plain(reply)


def plain(reply: Reply) -> object:
    if isinstance(reply.value, list):
        return [plain(item) for item in reply.value]
    return reply.value if reply.value is not None else "null"


@pytest.fixture
def waiter(engine: Engine) -> Waiter:
    return Waiter(engine)


GROUP = ("XREADGROUP", "GROUP", "g", "c", "BLOCK", 0, "STREAMS")
ENTRY = [b"1-1", [b"f", b"v"]]


def test_what_is_there_is_not_waited_for(client: LocalClient) -> None:
    client("XADD", "s", "1-1", "f", "v")
    assert client("XREAD", "BLOCK", 0, "STREAMS", "none", "s", "$", "0") == [[b"s", [ENTRY]]]


def test_the_end_is_that_of_when_it_was_asked_for(client: LocalClient, waiter: Waiter) -> None:
    client("XADD", "s", "1-0", "f", "v")
    waiter.wait("XREAD", "BLOCK", 0, "STREAMS", "s", "t", "$", "$")
    client("MULTI")
    client("XADD", "s", "1-1", "f", "v")
    client("XADD", "s", "1-2", "f", "v")
    client("EXEC")
    assert waiter.got() == [[b"s", [ENTRY, [b"1-2", [b"f", b"v"]]]]]


def test_readers_each_get_all_and_members_of_a_group_take_turns(
    client: LocalClient, engine: Engine
) -> None:
    readers = [Waiter(engine) for _ in range(2)]
    members = [Waiter(engine) for _ in range(2)]
    client("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    for reader in readers:
        reader.wait("XREAD", "BLOCK", 0, "STREAMS", "s", "0")
    for member in members:
        member.wait(*GROUP, "s", ">")
    client("XADD", "s", "1-1", "f", "v")
    assert [reader.got() for reader in readers] == [[[b"s", [ENTRY]]]] * 2
    assert members[0].got() == [[b"s", [ENTRY]]]
    assert members[1].got() is None
    client("XADD", "s", "1-2", "f", "v")
    assert members[1].got() == [[b"s", [[b"1-2", [b"f", b"v"]]]]]


def test_history_is_not_waited_for(client: LocalClient) -> None:
    client("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    assert client(*GROUP, "s", "0") == [[b"s", []]]


NO_GROUP = b"NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option"
WRONG = b"WRONGTYPE Operation against a key holding the wrong kind of value"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("DEL s", NO_GROUP),
        ("FLUSHALL", NO_GROUP),
        ("XGROUP DESTROY s g", NO_GROUP),
        ("RENAME s t", NO_GROUP),
        ("SWAPDB 0 1", NO_GROUP),
        ("PEXPIREAT s 1", NO_GROUP),
        ("SET s x", WRONG),
        ("MOVE s 2", NO_GROUP),
    ],
)
def test_a_group_that_goes(client: LocalClient, waiter: Waiter, words: str, error: bytes) -> None:
    client("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    waiter.wait(*GROUP, "s", ">")
    client(*words.split())
    assert waiter.got() == error


def test_a_reader_waits_on_whatever_becomes_of_the_key(client: LocalClient, waiter: Waiter) -> None:
    client("XADD", "s", "1-0", "f", "v")
    waiter.wait("XREAD", "BLOCK", 0, "STREAMS", "s", "$")
    client("DEL", "s")
    client("SET", "s", "x")
    client("DEL", "s")
    assert waiter.got() is None
    client("XADD", "s", "1-1", "f", "v")
    assert waiter.got() == [[b"s", [ENTRY]]]


def test_time_is_over(
    client: LocalClient, waiter: Waiter, clock: ManualClock, engine: Engine
) -> None:
    waiter.wait("XREAD", "BLOCK", 50, "STREAMS", "s", "$")
    clock.advance(49)
    engine.on_deadline()
    assert waiter.got() is None
    clock.advance(1)
    engine.on_deadline()
    assert waiter.got() == "null"


def test_nothing_waits_inside_a_transaction(client: LocalClient) -> None:
    client("MULTI")
    client("XREAD", "BLOCK", 0, "STREAMS", "s", "$")
    assert client("EXEC") == [NULL_ARRAY]


def test_unblocked_by_another_client(client: LocalClient, waiter: Waiter) -> None:
    for how, reply in (
        ("TIMEOUT", "null"),
        ("ERROR", b"UNBLOCKED client unblocked via CLIENT UNBLOCK"),
    ):
        waiter.wait("XREAD", "BLOCK", 0, "STREAMS", "s", "$")
        assert client("CLIENT", "UNBLOCK", waiter.session.id, how) == 1
        assert waiter.got() == reply


def test_what_a_waiter_took_goes_out(
    client: LocalClient, waiter: Waiter, engine: Engine, clock: ManualClock
) -> None:
    client("XGROUP", "CREATE", "s", "g", "$", "MKSTREAM")
    waiter.wait(*GROUP, "s", ">")
    recorder = Recorder(engine)
    client("XADD", "s", "1-1", "f", "v")
    now = clock.wall_ms()
    assert recorder.take() == [
        b"XADD s 1-1 f v",
        b"XCLAIM s g c 0 1-1 TIME %d RETRYCOUNT 1 FORCE JUSTID LASTID 1-1" % now,
    ]


@pytest.mark.parametrize(
    ("timeout", "message"),
    [
        ("-1", "ERR timeout is negative"),
        ("x", "ERR timeout is not an integer or out of range"),
        ("9223372036854775807", "ERR timeout is out of range"),
    ],
)
def test_malformed_times(client: LocalClient, timeout: str, message: str) -> None:
    assert client.error("XREAD", "BLOCK", timeout, "STREAMS", "s", "$") == message
