"""Sessions that wait for elements of lists."""

from __future__ import annotations

import gc

import pytest

import carnelian.commands.connections.client_commands
import carnelian.commands.lists  # noqa: F401
from carnelian.engine.catalogue.registry import Command
from carnelian.engine.engine import Engine
from carnelian.engine.shared.begun import Blocked
from carnelian.keyspace.clock import ManualClock
from carnelian.replication.primary.primary_side import primary_of
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


def blpop(engine: Engine) -> Command:
    command = engine.registry.find("blpop")
    assert command is not None
    return command


def plain(reply: Reply) -> object:
    if isinstance(reply.value, list):
        return [plain(item) for item in reply.value]
    return reply.value if reply.value is not None else "null"


@pytest.fixture
def waiter(engine: Engine) -> Waiter:
    return Waiter(engine)


def waiters(engine: Engine, count: int) -> list[Waiter]:
    return [Waiter(engine) for _ in range(count)]


def test_elements_that_are_there_are_taken_at_once(client: LocalClient) -> None:
    client("RPUSH", "k", *"abcdef")
    assert client("BLPOP", "none", "k", 0) == [b"k", b"a"]
    assert client("BRPOP", "k", "none", 0) == [b"k", b"f"]
    assert client("BLMPOP", 0, 2, "none", "k", "LEFT", "COUNT", 2) == [b"k", [b"b", b"c"]]
    assert client("BLMOVE", "k", "m", "RIGHT", "LEFT", 0) == b"e"
    assert client("BRPOPLPUSH", "k", "m", 0) == b"d"
    assert client("LRANGE", "m", 0, -1) == [b"d", b"e"]


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("BLPOP k 0", [b"k", b"a"]),
        ("BRPOP other k 0", [b"k", b"c"]),
        ("BLMPOP 0 1 k LEFT", [b"k", [b"a"]]),
        ("BLMPOP 0 1 k RIGHT COUNT 5", [b"k", [b"c", b"b", b"a"]]),
        ("BLMOVE k m LEFT LEFT 0", b"a"),
        ("BRPOPLPUSH k m 0", b"c"),
    ],
)
def test_waiting(client: LocalClient, waiter: Waiter, words: str, reply: object) -> None:
    waiter.wait(*words.split())
    assert waiter.got() is None
    assert client("RPUSH", "k", *"abc") == 3
    assert waiter.got() == reply


def test_first_come_first_served(client: LocalClient, engine: Engine) -> None:
    several = waiters(engine, 5)
    for each in several:
        each.wait("BLPOP", "k", 0)
    client("RPUSH", "k", "1", "2")
    client("RPUSH", "k", "3")
    assert [each.got() for each in several] == [
        [b"k", b"1"], [b"k", b"2"], [b"k", b"3"], None, None,
    ]  # fmt: skip
    assert engine.blocking.count == 2


def test_the_first_key_named_goes_first(client: LocalClient, waiter: Waiter) -> None:
    waiter.wait("BLPOP", "a", "b", "a", 0)
    client("MULTI")
    client("RPUSH", "b", "1")
    client("RPUSH", "a", "2")
    client("EXEC")
    assert waiter.got() == [b"a", b"2"]
    assert client("LLEN", "b") == 1


def test_what_came_and_went_in_a_transaction_serves_nobody(
    client: LocalClient, waiter: Waiter
) -> None:
    waiter.wait("BLPOP", "k", 0)
    for words in (["MULTI"], ["LPUSH", "k", "a"], ["DEL", "k"], ["SET", "k", "x"], ["EXEC"]):
        client(*words)
    assert waiter.got() is None
    for words in (["MULTI"], ["DEL", "k"], ["LPUSH", "k", "a"], ["LPUSH", "k", "b"], ["EXEC"]):
        client(*words)
    assert waiter.got() == [b"k", b"b"]


@pytest.mark.parametrize("words", ["RENAME other k", "COPY other k", "SWAPDB 0 1"])
def test_other_ways_for_a_key_to_come(client: LocalClient, waiter: Waiter, words: str) -> None:
    waiter.wait("BLPOP", "k", 0)
    client("RPUSH", "other", "a")
    if words.startswith("SWAPDB"):
        client("SELECT", 1)
        client("RPUSH", "k", "a")
        client("SELECT", 0)
    client(*words.split())
    assert waiter.got() == [b"k", b"a"]


def test_a_key_of_another_type_wakes_nobody(client: LocalClient, waiter: Waiter) -> None:
    waiter.wait("BLPOP", "k", 0)
    client("SET", "k", "x")
    client("APPEND", "k", "y")
    assert waiter.got() is None
    client("DEL", "k")
    client("RPUSH", "k", "a")
    assert waiter.got() == [b"k", b"a"]


def test_an_expired_key_wakes_nobody(
    client: LocalClient, waiter: Waiter, clock: ManualClock, engine: Engine
) -> None:
    waiter.wait("BLPOP", "k", 0)
    client("MULTI")
    client("LPUSH", "k", "a")
    client("PEXPIREAT", "k", clock.ms - 1)
    client("EXEC")
    assert waiter.got() is None


def test_chains(client: LocalClient, engine: Engine) -> None:
    one, two, three = waiters(engine, 3)
    three.wait("BLPOP", "c", 0)
    two.wait("BLMOVE", "b", "c", "LEFT", "LEFT", 0)
    one.wait("BRPOPLPUSH", "a", "b", 0)
    client("RPUSH", "a", "x")
    assert (one.got(), two.got(), three.got()) == (b"x", b"x", [b"c", b"x"])
    assert client("EXISTS", "a", "b", "c") == 0


def test_a_list_moved_onto_itself(client: LocalClient, waiter: Waiter) -> None:
    waiter.wait("BLMOVE", "k", "k", "LEFT", "RIGHT", 0)
    client("RPUSH", "k", "a", "b")
    assert waiter.got() == b"a"
    assert client("LRANGE", "k", 0, -1) == [b"b", b"a"]


def test_a_destination_of_another_type(client: LocalClient, engine: Engine) -> None:
    one, two = waiters(engine, 2)
    client("SET", "s", "x")
    one.wait("BLMOVE", "k", "s", "LEFT", "LEFT", 0)
    two.wait("BLPOP", "k", 0)
    client("RPUSH", "k", "a")
    assert str(one.got()).startswith("b'WRONGTYPE")
    assert two.got() == [b"k", b"a"]


def test_timeouts(client: LocalClient, waiter: Waiter, clock: ManualClock, engine: Engine) -> None:
    waiter.wait("BLPOP", "k", "0.0101")
    assert engine.next_deadline_ms() == clock.ms + 11
    clock.advance(10)
    engine.blocking.expire(clock.wall_ms())
    assert waiter.got() is None
    clock.advance(1)
    engine.blocking.expire(clock.wall_ms())
    assert waiter.messages()[0] == Reply(b"*", None)
    client("RPUSH", "k", "a")
    assert client("LLEN", "k") == 1


@pytest.mark.parametrize(
    "words", ["BRPOP k 1", "BLMPOP 1 1 k LEFT", "BLMOVE k m LEFT LEFT 1", "BRPOPLPUSH k m 1"]
)
def test_every_timeout_is_a_null_array(
    waiter: Waiter, clock: ManualClock, engine: Engine, words: str
) -> None:
    waiter.wait(*words.split())
    clock.advance(1000)
    engine.blocking.expire(clock.wall_ms())
    assert waiter.messages()[0] == Reply(b"*", None)


def test_nothing_waits_in_a_transaction(client: LocalClient) -> None:
    client("MULTI")
    for words in ("BLPOP k 0", "BLMOVE k m LEFT LEFT 0", "BLMPOP 0 1 k LEFT", "BRPOPLPUSH k m 0"):
        client(*words.split())
    assert client("EXEC") == [NULL_ARRAY, None, NULL_ARRAY, None]


@pytest.mark.parametrize(
    ("timeout", "error"),
    [
        ("x", "ERR timeout is not a float or out of range"),
        ("1 ", "ERR timeout is not a float or out of range"),
        ("nan", "ERR timeout is not a float or out of range"),
        ("-1", "ERR timeout is negative"),
        ("-0.1", "ERR timeout is negative"),
        ("-inf", "ERR timeout is negative"),
        ("inf", "ERR timeout is out of range"),
        ("9223372036854775808", "ERR timeout is out of range"),
        ("9223372036854775", "ERR timeout is out of range"),
    ],
)
def test_bad_timeouts(client: LocalClient, timeout: str, error: str) -> None:
    client("RPUSH", "k", "a")
    assert client.error("BLPOP", "k", timeout) == error
    assert client.error("BRPOPLPUSH", "k", "m", timeout) == error
    assert client.error("BLMOVE", "k", "m", "LEFT", "LEFT", timeout) == error
    assert client.error("BLMPOP", timeout, 1, "k", "LEFT") == error
    assert client.error("BLMOVE", "k", "m", "UP", "LEFT", timeout) == "ERR syntax error"


def test_unblocking(client: LocalClient, engine: Engine) -> None:
    one, two = waiters(engine, 2)
    one.wait("BLPOP", "k", 0)
    two.wait("BLPOP", "k", 0)
    assert client("CLIENT", "UNBLOCK", one.session.id) == 1
    assert one.messages()[0] == Reply(b"*", None)
    assert client("CLIENT", "UNBLOCK", two.session.id, "ERROR") == 1
    assert two.got() == b"UNBLOCKED client unblocked via CLIENT UNBLOCK"
    assert client("CLIENT", "UNBLOCK", two.session.id) == 0
    command = blpop(engine)
    assert (command.calls, command.failed_calls) == (2, 1)
    assert engine.stats.errors == {"UNBLOCKED": 1}
    assert not engine.blocking.waiters


def test_a_session_that_leaves_is_forgotten(client: LocalClient, engine: Engine) -> None:
    one, two = waiters(engine, 2)
    one.wait("BLPOP", "k", "l", 0)
    two.wait("BLPOP", "k", 0)
    one.session.close()
    client("RPUSH", "k", "a")
    assert two.got() == [b"k", b"a"]
    assert not engine.blocking.waiters
    assert engine.blocking.count == 0


def test_propagation_follows_the_command_that_woke(
    client: LocalClient, engine: Engine, waiter: Waiter
) -> None:
    recorder = Recorder(engine)
    waiter.wait("BLMPOP", 0, 1, "k", "LEFT", "COUNT", 10)
    client("RPUSH", "k", "a", "b", "c")
    assert recorder.take() == [b"RPUSH k a b c", b"LPOP k 3"]
    waiter.messages()
    waiter.wait("BLMOVE", "k", "m", "left", "RIGHT", 0)
    client("RPUSH", "k", "a")
    assert recorder.take() == [b"RPUSH k a", b"LMOVE k m left RIGHT"]


def test_many_waiters_cost_little_each(client: LocalClient, engine: Engine) -> None:
    several = waiters(engine, 2000)
    for each in several:
        each.wait("BLPOP", "k", 0)
    calls = blpop(engine).calls
    for number in range(2000):
        client("RPUSH", "k", number)
    assert blpop(engine).calls - calls == 2000
    assert [each.got() for each in several] == [[b"k", b"%d" % number] for number in range(2000)]


def test_those_who_were_served_are_forgotten(client: LocalClient, engine: Engine) -> None:
    idle, busy = waiters(engine, 2)
    idle.wait("BLPOP", "idle", 60)
    for _ in range(1000):
        busy.wait("BLPOP", "busy", 1000)
        client("RPUSH", "busy", "a")
        busy.got()
    assert sum(isinstance(thing, Blocked) for thing in gc.get_objects()) < 200


def test_trying_in_vain_is_no_call(client: LocalClient, engine: Engine, waiter: Waiter) -> None:
    waiter.wait("BLPOP", "k", 0)
    for words in (("MULTI",), ("RPUSH", "k", "a"), ("LPOP", "k"), ("EXEC",)):
        client(*words)
    assert waiter.got() is None
    assert blpop(engine).calls == 0
    client("RPUSH", "k", "a")
    assert waiter.got() == [b"k", b"a"]
    assert blpop(engine).calls == 1


class SlowClock(ManualClock):
    """By which every command takes 700 microseconds."""

    taken_ns = 0

    def monotonic_ns(self) -> int:
        """700 microseconds later than it was when last asked."""
        self.taken_ns += 700_000
        return super().monotonic_ns() + self.taken_ns


def test_all_attempts_are_one_call_that_took_as_long() -> None:
    clock = SlowClock()
    engine = Engine(clock=clock)
    client = LocalClient(engine)
    command = blpop(engine)
    one, two, three = waiters(engine, 3)
    for each, timeout in ((one, 1), (two, 0), (three, 0)):
        each.wait("BLPOP", "k", timeout)
    assert (command.calls, command.microseconds) == (0, 0)
    clock.advance(1001)
    engine.blocking.expire(clock.ms)
    assert one.got() == "null"
    assert (command.calls, command.microseconds) == (1, 700)
    client("CLIENT", "UNBLOCK", two.session.id)
    assert (command.calls, command.microseconds) == (2, 1400)
    client("RPUSH", "k", "a")
    assert three.got() == [b"k", b"a"]
    assert (command.calls, command.microseconds) == (3, 1400 + 2 * 700)


def test_memory_is_asked_for_again(
    client: LocalClient, engine: Engine, waiter: Waiter, clock: ManualClock
) -> None:
    """Redis 7.2 and newer judge a command anew when it goes on."""
    client("RPUSH", "other", "a")
    waiter.wait("BLMOVE", "k", "to", "LEFT", "RIGHT", 0)
    client("CONFIG", "SET", "maxmemory", 1)
    client("RENAME", "other", "k")
    blmove = engine.registry.find("blmove")
    assert waiter.got() == b"OOM command not allowed when used memory > 'maxmemory'."
    assert blmove is not None
    assert (blmove.calls, blmove.rejected_calls) == (0, 1)
    assert client("LRANGE", "k", 0, -1) == [b"a"]


def test_replicas_are_asked_for_again(client: LocalClient, engine: Engine, waiter: Waiter) -> None:
    primary_of(engine)
    waiter.wait("BLPOP", "k", 0)
    client("MULTI")
    client("RPUSH", "k", "a")
    client("CONFIG", "SET", "min-replicas-to-write", 1)
    client("EXEC")
    assert waiter.got() == b"NOREPLICAS Not enough good replicas to write."
    assert client("LRANGE", "k", 0, -1) == [b"a"]
