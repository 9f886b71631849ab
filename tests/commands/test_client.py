"""The subcommands of CLIENT."""

from __future__ import annotations

import re

import pytest

from carnelian.engine.engine import Engine
from carnelian.keyspace.clock import ManualClock
from carnelian.resp.replies import NO_REPLY, OK, Verbatim
from support.local import LocalClient

FIELDS = [
    "id", "addr", "laddr", "fd", "name", "age", "idle", "flags", "db", "sub", "psub", "ssub",
    "multi", "watch", "qbuf", "qbuf-free", "argv-mem", "multi-mem", "rbs", "rbp", "obl", "oll",
    "omem", "tot-mem", "events", "cmd", "user", "redir", "resp", "lib-name", "lib-ver",
    "io-thread", "tot-net-in", "tot-net-out", "tot-cmds",
]  # fmt: skip


@pytest.fixture
def other(engine: Engine) -> LocalClient:
    return LocalClient(engine)


def fields(reply: object) -> dict[str, str]:
    """The fields of the one line that a reply consists of."""
    assert isinstance(reply, Verbatim)
    assert reply.text.endswith(b"\n") and reply.text.count(b"\n") == 1
    return dict(field.split("=", 1) for field in reply.text.decode().rstrip("\n").split(" "))


def ids(reply: object) -> list[int]:
    assert isinstance(reply, Verbatim)
    return [int(found) for found in re.findall(rb"^id=(\d+) ", reply.text, re.MULTILINE)]


class TestOwnConnection:
    def test_id_is_never_given_again(self, engine: Engine, client: LocalClient) -> None:
        first = client("CLIENT", "ID")
        engine.sessions.remove(client.session)
        assert LocalClient(engine)("CLIENT", "ID") == first + 1

    def test_name(self, client: LocalClient) -> None:
        assert client("CLIENT", "GETNAME") is None
        assert client("CLIENT", "SETNAME", "me") is OK
        assert client("CLIENT", "GETNAME") == b"me"
        for name in ("a b", "a\n", "é", "\x7f"):
            assert client.error("CLIENT", "SETNAME", name) == (
                "ERR Client names cannot contain spaces, newlines or special characters."
            )
        assert client("CLIENT", "SETNAME", "") is OK
        assert client("CLIENT", "GETNAME") is None

    def test_setinfo(self, client: LocalClient) -> None:
        assert client("CLIENT", "SETINFO", "LIB-NAME", "redis-py(x_v1)") is OK
        assert client("CLIENT", "SETINFO", "lib-ver", "1.2.3") is OK
        shown = fields(client("CLIENT", "INFO"))
        assert (shown["lib-name"], shown["lib-ver"]) == ("redis-py(x_v1)", "1.2.3")
        assert client.error("CLIENT", "SETINFO", "lib-name", "a b") == (
            "ERR lib-name cannot contain spaces, newlines or special characters."
        )
        assert client.error("CLIENT", "SETINFO", "what", "x") == "ERR Unrecognized option 'what'"
        assert client.error("CLIENT", "SETINFO", "lib-name") == (
            "ERR wrong number of arguments for 'client|setinfo' command"
        )

    def test_info_has_the_fields_in_order(self, client: LocalClient, clock: ManualClock) -> None:
        clock.advance(2500)
        shown = fields(client("CLIENT", "INFO"))
        assert list(shown) == FIELDS
        assert shown["id"] == str(client.session.id)
        assert shown["age"] == "2"
        assert shown["flags"] == "N"
        assert shown["cmd"] == "client|info"
        assert shown["user"] == "default"
        assert (shown["multi"], shown["watch"], shown["redir"]) == ("-1", "0", "-1")

    def test_info_of_a_busy_connection(self, client: LocalClient, other: LocalClient) -> None:
        other("HELLO", 3, "SETNAME", "busy")
        other("SELECT", 2)
        other("SUBSCRIBE", "a", "b")
        other("PSUBSCRIBE", "c*")
        other("SSUBSCRIBE", "d")
        other("WATCH", "x", "y")
        other("CLIENT", "NO-EVICT", "on")
        other("CLIENT", "NO-TOUCH", "on")
        other("MULTI")
        other("PING", "hello")
        shown = fields(client("CLIENT", "LIST", "ID", other.session.id))
        assert shown["name"] == "busy"
        assert shown["flags"] == "PxeT"
        assert shown["db"] == "2"
        assert (shown["sub"], shown["psub"], shown["ssub"]) == ("2", "1", "1")
        assert (shown["multi"], shown["watch"], shown["multi-mem"]) == ("1", "2", "9")
        assert shown["resp"] == "3"

    def test_reply_modes(self, client: LocalClient) -> None:
        session = client.session
        assert client("CLIENT", "REPLY", "skip") is NO_REPLY
        assert session.reply_mode == 2
        assert client("CLIENT", "REPLY", "off") is NO_REPLY
        assert client("CLIENT", "REPLY", "SKIP") is NO_REPLY
        assert session.reply_mode == 1
        assert client("CLIENT", "REPLY", "ON") is OK
        assert session.reply_mode == 0
        assert client.error("CLIENT", "REPLY", "maybe") == "ERR syntax error"

    @pytest.mark.parametrize("name", ["NO-EVICT", "NO-TOUCH"])
    def test_switches(self, client: LocalClient, name: str) -> None:
        assert client("CLIENT", name, "on") is OK
        assert client.session.flags
        assert client("CLIENT", name, "OFF") is OK
        assert client.session.flags == 0
        assert client.error("CLIENT", name, "yes") == "ERR syntax error"


def test_no_touch_leaves_no_trace(
    client: LocalClient, other: LocalClient, clock: ManualClock
) -> None:
    other("SET", "k", "v")
    client("CLIENT", "NO-TOUCH", "ON")
    clock.advance(10_000)
    client("GET", "k")
    assert client("OBJECT", "IDLETIME", "k") == 10
    client("TOUCH", "k")
    assert client("OBJECT", "IDLETIME", "k") == 0
    clock.advance(10_000)
    client("CLIENT", "NO-TOUCH", "OFF")
    client("GET", "k")
    assert client("OBJECT", "IDLETIME", "k") == 0


class TestList:
    def test_all_in_order(self, client: LocalClient, other: LocalClient) -> None:
        assert ids(client("CLIENT", "LIST")) == [client.session.id, other.session.id]

    def test_by_id_in_the_order_asked_for(self, client: LocalClient, other: LocalClient) -> None:
        mine, its = client.session.id, other.session.id
        assert ids(client("CLIENT", "LIST", "ID", its, 99, mine)) == [its, mine]
        assert client.error("CLIENT", "LIST", "ID", "x") == "ERR Invalid client ID"

    def test_by_type(self, client: LocalClient, other: LocalClient) -> None:
        other("SUBSCRIBE", "a")
        assert ids(client("CLIENT", "LIST", "TYPE", "normal")) == [client.session.id]
        assert ids(client("CLIENT", "LIST", "TYPE", "PubSub")) == [other.session.id]
        assert ids(client("CLIENT", "LIST", "TYPE", "replica")) == []
        assert client.error("CLIENT", "LIST", "TYPE", "x") == "ERR Unknown client type 'x'"

    @pytest.mark.parametrize("words", [("TYPE",), ("ID",), ("what",), ("TYPE", "normal", "ID")])
    def test_bad_options(self, client: LocalClient, words: tuple[str, ...]) -> None:
        assert client.error("CLIENT", "LIST", *words) == "ERR syntax error"


class TestKill:
    def test_old_form(self, client: LocalClient) -> None:
        assert client.error("CLIENT", "KILL", "1.2.3.4:5") == "ERR No such client"
        assert client("CLIENT", "KILL", client.session.peer()) is OK
        assert client.session.closed

    def test_by_id(self, client: LocalClient, other: LocalClient) -> None:
        assert client("CLIENT", "KILL", "ID", other.session.id) == 1
        assert other.session.closed and not client.session.closed
        assert client("CLIENT", "KILL", "ID", other.session.id) == 0
        assert client("CLIENT", "KILL", "ID", client.session.id) == 0
        assert client("CLIENT", "KILL", "ID", client.session.id, "SKIPME", "no") == 1
        assert client.session.closed

    def test_filters_are_combined(self, client: LocalClient, other: LocalClient) -> None:
        other("SUBSCRIBE", "a")
        third = LocalClient(client.engine)
        assert client("CLIENT", "KILL", "TYPE", "pubsub", "ID", third.session.id) == 0
        assert client("CLIENT", "KILL", "TYPE", "pubsub", "USER", "default") == 1
        assert other.session.closed and not third.session.closed

    def test_by_age(self, client: LocalClient, other: LocalClient, clock: ManualClock) -> None:
        clock.advance(10_000)
        young = LocalClient(client.engine)
        clock.advance(5_000)
        assert client("CLIENT", "KILL", "MAXAGE", 10) == 1
        assert other.session.closed and not young.session.closed

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("ID", "10", "wrong"), "ERR syntax error"),
            (("ID", "str"), "ERR client-id should be greater than 0"),
            (("ID", "0"), "ERR client-id should be greater than 0"),
            (("TYPE", "x"), "ERR Unknown client type 'x'"),
            (("USER", "x"), "ERR No such user 'x'"),
            (("SKIPME", "maybe"), "ERR syntax error"),
            (("MAXAGE", "x"), "ERR maxage is not an integer or out of range"),
            (("MAXAGE", "0"), "ERR maxage should be greater than 0"),
            (("WHAT", "x"), "ERR syntax error"),
            ((), "ERR wrong number of arguments for 'client|kill' command"),
        ],
    )
    def test_bad_filters(self, client: LocalClient, words: tuple[str, ...], message: str) -> None:
        assert client.error("CLIENT", "KILL", *words) == message


class TestUnblock:
    def test_of_nobody(self, client: LocalClient, other: LocalClient) -> None:
        assert client("CLIENT", "UNBLOCK", 99) == 0
        assert client("CLIENT", "UNBLOCK", other.session.id) == 0
        assert (
            client.error("CLIENT", "UNBLOCK", "x") == "ERR value is not an integer or out of range"
        )
        assert client.error("CLIENT", "UNBLOCK", 1, "later") == (
            "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"
        )

    @pytest.mark.parametrize(
        ("reason", "reply"),
        [
            ((), None),
            (("TIMEOUT",), None),
            (("ERROR",), "UNBLOCKED client unblocked via CLIENT UNBLOCK"),
        ],
    )
    def test_of_one_that_waits(
        self, client: LocalClient, other: LocalClient, reason: tuple[str, ...], reply: str | None
    ) -> None:
        other.engine.blocking.wait(other.session, [b"BLPOP"], [b"k"], 0, None)
        assert client("CLIENT", "UNBLOCK", other.session.id, *reason) == 1
        assert [one and str(one) for one in other.session.sent] == [reply]
        assert other.session.blocked is None


class TestPause:
    def test_holds_commands_back_until_unpause(
        self, client: LocalClient, other: LocalClient, clock: ManualClock
    ) -> None:
        assert client("CLIENT", "PAUSE", 60_000, "WRITE") is OK
        assert other("PUBLISH", "a", "b") is NO_REPLY
        assert other.session.blocked is not None
        assert client("PING") == b"PONG"
        assert client("CLIENT", "UNBLOCK", other.session.id) == 0
        assert client("CLIENT", "UNPAUSE") is OK
        assert other.session.sent == [0]
        assert other.session.blocked is None

    def test_ends_by_itself(
        self, client: LocalClient, other: LocalClient, clock: ManualClock
    ) -> None:
        client("CLIENT", "PAUSE", 100)
        assert other("PING") is NO_REPLY
        assert client("CLIENT", "UNPAUSE") is NO_REPLY
        clock.advance(101)
        client.engine.on_deadline()
        assert other.session.sent == [b"PONG"]
        assert client.session.sent == [OK]

    def test_a_second_pause_only_extends_the_first(
        self, client: LocalClient, clock: ManualClock
    ) -> None:
        client("CLIENT", "PAUSE", 1000, "WRITE")
        client("CLIENT", "PAUSE", 10, "ALL")
        pause = client.engine.pause
        assert not pause.writes_only
        assert pause.end_ms == clock.ms + 1000

    def test_the_longest_pause_has_an_end_that_fits(
        self, client: LocalClient, clock: ManualClock
    ) -> None:
        longest = 2**63 - 1 - clock.ms
        assert str(client("CLIENT", "PAUSE", longest + 1)) == "ERR timeout is out of range"
        assert client("CLIENT", "PAUSE", longest, "WRITE") == b"OK"
        assert client.engine.next_deadline_ms() == 2**63 - 1

    def test_unpause_in_a_transaction_waits_for_its_end(
        self, client: LocalClient, other: LocalClient
    ) -> None:
        client("CLIENT", "PAUSE", 60_000, "WRITE")
        other("PUBLISH", "a", "held")
        client("MULTI")
        client("CLIENT", "UNPAUSE")
        client("CLIENT", "LIST", "ID", other.session.id)
        replies = client("EXEC")
        assert fields(replies[1])["flags"] == "b"
        assert other.session.sent == [0]

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("x",), "ERR timeout is not an integer or out of range"),
            (("-1",), "ERR timeout is negative"),
            ((str(2**63 - 1),), "ERR timeout is out of range"),
            (("1", "some"), "ERR CLIENT PAUSE mode must be WRITE or ALL"),
        ],
    )
    def test_bad_operands(self, client: LocalClient, words: tuple[str, ...], message: str) -> None:
        assert client.error("CLIENT", "PAUSE", *words) == message


def test_unknown_subcommand(client: LocalClient) -> None:
    assert client.error("CLIENT", "NOSUCH", "ON") == (
        "ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP."
    )


def test_help_lists_every_subcommand(client: LocalClient) -> None:
    lines = client("CLIENT", "HELP")
    assert lines[0] == b"CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
    assert b"PAUSE <timeout> [WRITE|ALL]" in lines
    assert b"UNBLOCK <client-id> [TIMEOUT|ERROR]" in lines
    assert lines[-2] == b"HELP"
