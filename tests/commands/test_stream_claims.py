"""XREADGROUP with CLAIM, XNACK, and the bounds of what XREAD and XREADGROUP reply."""

from __future__ import annotations

from itertools import pairwise

import pytest

import carnelian.commands.connections.client_commands
import carnelian.commands.streams  # noqa: F401
from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from carnelian.resp.replies import NO_REPLY, NULL_ARRAY
from carnelian.resp.writer import encode
from support.local import LocalClient, Recorder

MOST = 2**63 - 1


@pytest.fixture
def recorder(engine: Engine) -> Recorder:
    return Recorder(engine)


def taken(recorder: Recorder) -> list[bytes]:
    """What went out since the last look, whether as one or not."""
    return [words for words in recorder.take() if words not in (b"MULTI", b"EXEC")]


def filled(client: LocalClient, key: str = "s", count: int = 3) -> None:
    """Entries 1-0, 2-0, ... and a group that has read none of them."""
    for i in range(1, count + 1):
        client("XADD", key, f"{i}-0", "f", i)
    client("XGROUP", "CREATE", key, "g", 0)


def read(client: LocalClient, *words: str | int, key: str = "s") -> list:
    """What a consumer gets of a stream: ids, and idle time and count where they are given."""
    reply = client("XREADGROUP", "GROUP", "g", *words, "STREAMS", key, ">")
    if reply is NULL_ARRAY:
        return []
    ((name, entries),) = reply
    assert name == key.encode()
    return [(id, *rest) for id, _, *rest in entries]


# -- CLAIM ---------------------------------------------------------------------------------------


def test_what_waits_longest_comes_first_and_then_what_is_new(
    client: LocalClient, clock: ManualClock
) -> None:
    filled(client, count=5)
    read(client, "c", "COUNT", 3)
    now = clock.wall_ms()
    for id, ago in (("1-0", 100), ("2-0", 300), ("3-0", 40)):
        client("XCLAIM", "s", "g", "c", 0, id, "TIME", now - ago, "JUSTID")
    assert read(client, "d", "CLAIM", 50) == [
        (b"2-0", 300, 1), (b"1-0", 100, 1), (b"4-0", 0, 0), (b"5-0", 0, 0)
    ]  # fmt: skip
    assert read(client, "d", "CLAIM", 50) == []
    assert client("XPENDING", "s", "g", "-", "+", 9) == [
        [b"1-0", b"d", 0, 2], [b"2-0", b"d", 0, 2], [b"3-0", b"c", 40, 1],
        [b"4-0", b"d", 0, 1], [b"5-0", b"d", 0, 1],
    ]  # fmt: skip
    clock.advance(10)
    assert read(client, "e", "CLAIM", 50) == [(b"3-0", 50, 1)]


def test_the_entry_itself_is_as_ever(client: LocalClient, clock: ManualClock) -> None:
    filled(client, count=1)
    read(client, "c")
    clock.advance(70)
    words = ("XREADGROUP", "GROUP", "g", "c", "CLAIM", 70, "STREAMS", "s", ">")
    assert client(*words) == [[b"s", [[b"1-0", [b"f", b"1"], 70, 1]]]]
    words = ("XREADGROUP", "GROUP", "g", "c", "CLAIM", 70, "STREAMS", "s", "0")
    assert client(*words) == [[b"s", [[b"1-0", [b"f", b"1"]]]]]


def test_count_is_for_both_together(client: LocalClient, clock: ManualClock) -> None:
    filled(client, count=4)
    read(client, "c", "COUNT", 2)
    clock.advance(10)
    assert read(client, "d", "COUNT", 1, "CLAIM", 10) == [(b"1-0", 10, 1)]
    assert read(client, "d", "CLAIM", 10, "COUNT", 2) == [(b"2-0", 10, 1), (b"3-0", 0, 0)]


def test_what_need_not_wait_is_taken_over_once(client: LocalClient) -> None:
    filled(client)
    read(client, "c")
    assert read(client, "d", "CLAIM", 0) == [(b"%d-0" % i, 0, 1) for i in (1, 2, 3)]
    assert read(client, "d", "CLAIM", 0, "COUNT", 2) == [(b"1-0", 0, 2), (b"2-0", 0, 2)]
    assert read(client, "d", "CLAIM", 0) == [(b"1-0", 0, 3), (b"2-0", 0, 3), (b"3-0", 0, 2)]


def test_the_longest_wait_is_for_ever(client: LocalClient, clock: ManualClock) -> None:
    filled(client)
    read(client, "c", "COUNT", 1)
    clock.advance(10**6)
    assert read(client, "c", "CLAIM", MOST) == [(b"2-0", 0, 0), (b"3-0", 0, 0)]


def test_without_acknowledgment_only_new_entries_are_not_pending(
    client: LocalClient, clock: ManualClock, recorder: Recorder
) -> None:
    filled(client, count=2)
    read(client, "c", "COUNT", 1)
    clock.advance(50)
    recorder.take()
    assert read(client, "d", "NOACK", "CLAIM", 50) == [(b"1-0", 50, 1), (b"2-0", 0, 0)]
    now = clock.wall_ms()
    assert taken(recorder) == [
        b"XCLAIM s g d 0 1-0 TIME %d RETRYCOUNT 2 FORCE JUSTID LASTID 1-0" % now,
        b"XGROUP SETID s g 2-0 ENTRIESREAD 2",
    ]
    assert client("XPENDING", "s", "g", "-", "+", 9) == [[b"1-0", b"d", 0, 2]]


def test_what_is_deleted_is_passed_over(client: LocalClient, clock: ManualClock) -> None:
    filled(client)
    read(client, "c")
    clock.advance(50)
    client("XDEL", "s", "1-0", "2-0")
    assert read(client, "d", "CLAIM", 50, "COUNT", 1) == [(b"3-0", 50, 1)]
    assert client("XPENDING", "s", "g")[0] == 3
    client("XTRIM", "s", "MAXLEN", 0)
    clock.advance(50)
    assert read(client, "d", "CLAIM", 50) == []


def test_many_are_taken_over_in_their_order(client: LocalClient, clock: ManualClock) -> None:
    filled(client, count=2500)
    for _ in range(25):
        read(client, "c", "COUNT", 100)
        clock.advance(1)
    clock.advance(1000)
    client("XACK", "s", "g", "3-0", "1200-0")
    taken: list = []
    while some := read(client, "d", "COUNT", 7, "CLAIM", 1000):
        taken += some
    assert [id for id, _, _ in taken] == [b"%d-0" % i for i in range(1, 2501) if i not in (3, 1200)]
    assert all(first[1] >= second[1] for first, second in pairwise(taken))


def test_a_delivery_that_is_dated_back_is_found(client: LocalClient, clock: ManualClock) -> None:
    filled(client)
    read(client, "c")
    assert read(client, "d", "CLAIM", 1000) == []
    client("XCLAIM", "s", "g", "c", 0, "2-0", "IDLE", 1000, "JUSTID")
    assert read(client, "d", "CLAIM", 1000) == [(b"2-0", 1000, 1)]
    client("XGROUP", "SETID", "s", "g", 0)
    clock.advance(1)
    assert read(client, "e", "CLAIM", 1) == [
        (b"%d-0" % i, 1, count) for i, count in ((1, 1), (2, 2), (3, 1))
    ] + [(b"%d-0" % i, 0, 0) for i in (1, 2, 3)]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("CLAIM x", "min-idle-time is not an integer"),
        ("CLAIM -0", "min-idle-time is not an integer"),
        ("CLAIM +10", "min-idle-time is not an integer"),
        ("CLAIM -1", "min-idle-time must be a positive integer"),
        ("CLAIM", "min-idle-time is not an integer"),
        ("MAXCOUNT 0", "MAXCOUNT must be a positive integer"),
        ("MAXSIZE -1", "MAXSIZE must be a positive integer"),
        ("MAXCOUNT x", "value is not an integer or out of range"),
        ("COUNT 3 MAXCOUNT 2", "MAXCOUNT must be greater than or equal to COUNT"),
    ],
)
def test_malformed_options(client: LocalClient, words: str, message: str) -> None:
    filled(client)
    command = ["XREADGROUP", "GROUP", "g", "c", *words.split(), "STREAMS", "s", ">"]
    assert client.error(*command) == f"ERR {message}"


def test_xread_claims_nothing(client: LocalClient) -> None:
    assert client.error("XREAD", "CLAIM", 1, "STREAMS", "s", "0") == (
        "ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead."
    )


class Waiter(LocalClient):
    def wait(self, *words: str | int) -> None:
        assert self("XREADGROUP", "GROUP", "g", *words, "STREAMS", "s", ">") is NO_REPLY, (
            "there was something"
        )

    def got(self) -> list | None:
        """What it was sent, None as long as it waits."""
        if self.session.blocked is not None:
            assert not self.session.sent
            return None
        (value,) = self.session.sent
        self.session.sent = []
        if value is NULL_ARRAY:
            return []
        return [(id, *rest) for id, _, *rest in value[0][1]]


@pytest.fixture
def waiter(engine: Engine) -> Waiter:
    return Waiter(engine)


def pass_time(engine: Engine, clock: ManualClock, milliseconds: int) -> None:
    """Let time go by, as a loop does that wakes up when the engine asks it to."""
    end = engine.clock.ms + milliseconds
    while (due := engine.next_deadline_ms()) and due <= end:
        clock.advance(max(due - engine.clock.ms, 0))
        engine.on_deadline()
    clock.advance(end - engine.clock.ms)
    engine.on_deadline()


def test_who_waits_gets_what_becomes_due(
    client: LocalClient, engine: Engine, clock: ManualClock, waiter: Waiter, recorder: Recorder
) -> None:
    filled(client)
    read(client, "c")
    clock.advance(300)
    waiter.wait("w", "BLOCK", 0, "CLAIM", 1000)
    pass_time(engine, clock, 699)
    assert waiter.got() is None
    recorder.take()
    pass_time(engine, clock, 1)
    assert waiter.got() == [(b"%d-0" % i, 1000, 1) for i in (1, 2, 3)]
    engine.effects.flush()
    assert [words.split()[:4] for words in taken(recorder)] == [[b"XCLAIM", b"s", b"g", b"w"]] * 3
    assert engine.next_deadline_ms() == 0
    assert engine.blocking.timed == 0


def test_who_waits_is_answered_when_the_time_is_over(
    client: LocalClient, engine: Engine, clock: ManualClock, waiter: Waiter
) -> None:
    filled(client)
    read(client, "c")
    waiter.wait("w", "BLOCK", 500, "CLAIM", 501)
    pass_time(engine, clock, 499)
    assert waiter.got() is None
    pass_time(engine, clock, 1)
    assert waiter.got() == []
    waiter.wait("w", "BLOCK", 2, "CLAIM", 501)
    pass_time(engine, clock, 1)
    assert waiter.got() == [(b"%d-0" % i, 501, 1) for i in (1, 2, 3)]


def test_new_entries_are_not_waited_for_longer(
    client: LocalClient, engine: Engine, clock: ManualClock, waiter: Waiter
) -> None:
    filled(client)
    read(client, "c")
    waiter.wait("w", "BLOCK", 0, "CLAIM", 1000)
    pass_time(engine, clock, 100)
    client("XADD", "s", "9-0", "f", "v")
    assert waiter.got() == [(b"9-0", 0, 0)]


def test_what_others_get_meanwhile_becomes_due_in_its_time(
    client: LocalClient, engine: Engine, clock: ManualClock, waiter: Waiter
) -> None:
    client("XGROUP", "CREATE", "s", "g", 0, "MKSTREAM")
    other = Waiter(engine)
    other.wait("c", "BLOCK", 0, "CLAIM", 100)
    waiter.wait("w", "BLOCK", 0, "CLAIM", 100)
    pass_time(engine, clock, 30)
    client("XADD", "s", "1-0", "f", "v")
    assert other.got() == [(b"1-0", 0, 0)]
    assert waiter.got() is None
    pass_time(engine, clock, 99)
    assert waiter.got() is None
    pass_time(engine, clock, 1)
    assert waiter.got() == [(b"1-0", 100, 1)]


def test_what_is_given_back_goes_to_who_waits(
    client: LocalClient, engine: Engine, waiter: Waiter
) -> None:
    filled(client)
    read(client, "c")
    plain = Waiter(engine)
    plain.wait("p", "BLOCK", 0)
    waiter.wait("w", "BLOCK", 0, "COUNT", 1, "CLAIM", 1000)
    assert client("XNACK", "s", "g", "FAIL", "IDS", 1, "2-0") == 1
    assert waiter.got() == [(b"2-0", -1, 1)]
    assert plain.got() is None


def test_who_goes_away_is_not_tried_again(
    client: LocalClient, engine: Engine, clock: ManualClock, waiter: Waiter
) -> None:
    filled(client)
    read(client, "c")
    waiter.wait("w", "BLOCK", 0, "CLAIM", 100)
    assert engine.blocking.timed == 1
    engine.sessions.remove(waiter.session)
    assert engine.blocking.timed == 0
    pass_time(engine, clock, 200)
    assert client("XPENDING", "s", "g")[3] == [[b"c", b"3"]]


# -- Giving back ---------------------------------------------------------------------------------


def pending(client: LocalClient) -> list:
    return client("XPENDING", "s", "g", "-", "+", 99)


def test_xnack_counts_as_its_mode_says(client: LocalClient, clock: ManualClock) -> None:
    filled(client, count=4)
    read(client, "c")
    clock.advance(5)
    assert client("XNACK", "s", "g", "silent", "ids", 1, "1-0") == 1
    assert client("XNACK", "s", "g", "FAIL", "IDS", 1, "2-0") == 1
    assert client("XNACK", "s", "g", "FATAL", "IDS", 2, "3-0", "9-0") == 1
    assert pending(client) == [
        [b"1-0", b"", -1, 0], [b"2-0", b"", -1, 1], [b"3-0", b"", -1, MOST], [b"4-0", b"c", 5, 1]
    ]  # fmt: skip
    assert client("XPENDING", "s", "g") == [4, b"1-0", b"4-0", [[b"c", b"1"]]]
    assert client("XNACK", "s", "g", "SILENT", "IDS", 1, "1-0") == 1
    assert client("XNACK", "s", "g", "FATAL", "IDS", 1, "3-0", "RETRYCOUNT", 7) == 1
    client("XCLAIM", "s", "g", "d", 10**9, "3-0", "RETRYCOUNT", MOST)
    client("XCLAIM", "s", "g", "d", 0, "3-0")
    client("XREADGROUP", "GROUP", "g", "d", "STREAMS", "s", "0")
    assert pending(client)[2] == [b"3-0", b"d", 0, MOST]
    client("XACK", "s", "g", "4-0", "3-0")
    assert client("XPENDING", "s", "g") == [2, b"1-0", b"2-0", []]


def test_what_was_given_back_comes_first_in_the_order_it_was(
    client: LocalClient, clock: ManualClock
) -> None:
    filled(client, count=4)
    read(client, "c")
    clock.advance(1000)
    client("XNACK", "s", "g", "FAIL", "IDS", 2, "4-0", "2-0")
    client("XNACK", "s", "g", "FAIL", "IDS", 1, "3-0")
    client("XNACK", "s", "g", "FAIL", "IDS", 1, "4-0")
    assert read(client, "d", "CLAIM", 1000) == [
        (b"2-0", -1, 1), (b"3-0", -1, 1), (b"4-0", -1, 1), (b"1-0", 1000, 1)
    ]  # fmt: skip
    client("XNACK", "s", "g", "FAIL", "IDS", 1, "3-0")
    assert read(client, "d", "CLAIM", MOST) == [(b"3-0", -1, 2)]


def test_claims_take_what_was_given_back(client: LocalClient, recorder: Recorder) -> None:
    filled(client, count=4)
    read(client, "c")
    client("XNACK", "s", "g", "FAIL", "IDS", 4, "1-0", "2-0", "3-0", "4-0")
    client("XDEL", "s", "3-0", "4-0")
    assert client("XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", "0") == [[b"s", []]]
    recorder.take()
    assert client("XCLAIM", "s", "g", "d", MOST, "1-0", "3-0", "JUSTID") == [b"1-0"]
    assert client("XAUTOCLAIM", "s", "g", "e", 10**9, "2-0", "JUSTID") == [
        b"0-0", [b"2-0"], [b"4-0"]
    ]  # fmt: skip
    assert [words for words in taken(recorder) if not words.startswith(b"XCLAIM")] == [
        b"XACK s g 3-0", b"XACK s g 4-0"
    ]  # fmt: skip
    assert client("XPENDING", "s", "g") == [2, b"1-0", b"2-0", [[b"d", b"1"], [b"e", b"1"]]]


@pytest.mark.parametrize(
    "words",
    [
        "IDS 1 1-0 FORCE RETRYCOUNT 5",
        "FORCE IDS 1 1-0 RETRYCOUNT 5",
        "FORCE RETRYCOUNT 5 IDS 1 1-0",
        "RETRYCOUNT 5 IDS 2 8-0 9-0 IDS 1 1-0 FORCE",
    ],
)
def test_options_of_xnack_come_in_any_order(client: LocalClient, words: str) -> None:
    filled(client)
    assert client("XNACK", "s", "g", "FAIL", *words.split()) == 1
    assert client("XPENDING", "s", "g", "-", "+", 9) == [[b"1-0", b"", -1, 5]]


def test_xnack_may_make_an_entry_pending(client: LocalClient, recorder: Recorder) -> None:
    filled(client)
    client("XDEL", "s", "3-0")
    recorder.take()
    assert client("XNACK", "s", "g", "FAIL", "IDS", 1, "1-0") == 0
    assert recorder.take() == []
    assert client("XNACK", "s", "g", "FAIL", "IDS", 2, "1-0", "3-0", "FORCE") == 1
    assert client("XNACK", "s", "g", "FATAL", "IDS", 1, "2-0", "FORCE") == 1
    assert pending(client) == [[b"1-0", b"", -1, 0], [b"2-0", b"", -1, MOST]]
    assert recorder.take() == [
        b"XNACK s g FAIL IDS 2 1-0 3-0 FORCE", b"XNACK s g FATAL IDS 1 2-0 FORCE"
    ]  # fmt: skip


def test_what_is_nobodys_shows_in_xinfo(client: LocalClient) -> None:
    filled(client, count=2)
    read(client, "c")
    client("XNACK", "s", "g", "FAIL", "IDS", 1, "1-0")
    reply = client("XINFO", "STREAM", "s", "FULL")
    group = reply[reply.index(b"groups") + 1][0]
    found = dict(zip(group[::2], group[1::2], strict=True))
    assert (found[b"pel-count"], found[b"nacked-count"]) == (2, 1)
    assert found[b"pending"][0] == [b"1-0", b"", 0, 1]
    assert list(found)[4:7] == [b"pel-count", b"nacked-count", b"pending"]
    assert client("XGROUP", "DELCONSUMER", "s", "g", "c") == 1
    assert client("XPENDING", "s", "g") == [1, b"1-0", b"1-0", []]
    client("COPY", "s", "t")
    assert client("XPENDING", "t", "g", "-", "+", 9) == [[b"1-0", b"", -1, 1]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("s g MAYBE IDS 1 1-0", "ERR mode must be SILENT, FAIL, or FATAL"),
        ("s g FAIL 1 1-0 2-0", "ERR Unrecognized XNACK option '1'"),
        ("s g FAIL BAD IDS 1 1-0", "ERR Unrecognized XNACK option 'BAD'"),
        ("s g FAIL FATAL IDS 1 1-0", "ERR Unrecognized XNACK option 'FATAL'"),
        ("s g SILENT FORCE RETRYCOUNT 5", "ERR syntax error, expected IDS keyword"),
        ("s g FAIL IDS 1 1-0 RETRYCOUNT x", "ERR value is not an integer or out of range"),
        ("s g FAIL IDS 0 1-0", "ERR numids must be a positive integer"),
        ("s g FAIL IDS x 1-0", "ERR numids must be a positive integer"),
        ("s g FAIL IDS 3 1-0", "ERR number of IDs doesn't match numids"),
        ("s g FAIL IDS 1 1-0 2-0", "ERR Unrecognized XNACK option '2-0'"),
        ("s g FAIL IDS 1 1-0 RETRYCOUNT", "ERR Unrecognized XNACK option 'RETRYCOUNT'"),
        ("s g FAIL IDS 1 1-0 RETRYCOUNT -1", "ERR Invalid RETRYCOUNT value, must be >= 0"),
        ("s g FAIL IDS 1 x", "ERR Invalid stream ID specified as stream command argument"),
        ("s h FAIL IDS 1 1-0", "NOGROUP No such key 's' or consumer group 'h'"),
        ("t g FAIL IDS 1 1-0", "NOGROUP No such key 't' or consumer group 'g'"),
        (
            "string g FAIL IDS 1 1-0",
            "WRONGTYPE Operation against a key holding the wrong kind of value",
        ),
        ("s g FAIL IDS 1", "ERR wrong number of arguments for 'xnack' command"),
    ],
)
def test_malformed_xnack(client: LocalClient, words: str, message: str) -> None:
    import carnelian.commands.strings  # noqa: F401

    filled(client)
    client("SET", "string", "x")
    read(client, "c")
    assert client.error("XNACK", *words.split()) == message


# -- Bounds of the whole reply -------------------------------------------------------------------


def test_maxcount_is_for_all_streams_together(client: LocalClient) -> None:
    for key in "stu":
        filled(client, key)
    reply = client("XREAD", "COUNT", 2, "MAXCOUNT", 3, "STREAMS", *"stu", 0, 0, 0)
    assert [(key, len(entries)) for key, entries in reply] == [(b"s", 2), (b"t", 1)]
    reply = client("XREAD", "MAXCOUNT", 4, "STREAMS", *"stu", 0, 0, 0)
    assert [(key, len(entries)) for key, entries in reply] == [(b"s", 3), (b"t", 1)]
    words = ("XREADGROUP", "GROUP", "g", "c", "MAXCOUNT", 3, "STREAMS", *"stu", ">", ">", ">")
    assert [(key, len(entries)) for key, entries in client(*words)] == [(b"s", 3)]
    assert client("XINFO", "CONSUMERS", "t", "g") == []
    assert [(key, len(entries)) for key, entries in client(*words)] == [(b"t", 3)]


def test_maxcount_bounds_what_is_taken_over(client: LocalClient, clock: ManualClock) -> None:
    filled(client)
    read(client, "c", "COUNT", 2)
    clock.advance(9)
    assert read(client, "d", "MAXCOUNT", 1, "CLAIM", 9) == [(b"1-0", 9, 1)]
    assert read(client, "d", "MAXCOUNT", 5, "CLAIM", 9) == [(b"2-0", 9, 1), (b"3-0", 0, 0)]


def test_maxsize_ends_a_reply_that_has_reached_it(client: LocalClient) -> None:
    for key in "st":
        filled(client, key)
    words = ("STREAMS", "s", "t", 0, 0)
    whole = client("XREAD", *words)
    assert client("XREAD", "MAXSIZE", 10**6, *words) == whole
    reply = client("XREAD", "MAXSIZE", 1, *words)
    assert [(key, len(entries)) for key, entries in reply] == [(b"s", 1)]
    entry = len(encode(whole[0][1][0], 2))
    reply = client("XREAD", "MAXSIZE", entry, *words)
    assert [(key, len(entries)) for key, entries in reply] == [(b"s", 1)]
    reply = client("XREAD", "MAXSIZE", entry + 1, *words)
    assert [(key, len(entries)) for key, entries in reply] == [(b"s", 2)]
    assert client("XREAD", "MAXSIZE", 1, "STREAMS", "s", "t", "9", "9") is NULL_ARRAY
