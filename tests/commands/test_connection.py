"""AUTH, HELLO, PING, ECHO, SELECT, QUIT and RESET."""

from __future__ import annotations

import pytest

from carnelian.commands import declare_all
from carnelian.engine import authentication
from carnelian.engine.engine import Engine
from carnelian.resp.replies import NO_REPLY, OK
from support.local import LocalClient
from support.wire import Reply

declare_all()

WRONG_PASS = "WRONGPASS invalid username-password pair or user is disabled."


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def send(engine: Engine) -> LocalClient:
    return LocalClient(engine)


def test_ping_answers_with_its_message(send: LocalClient) -> None:
    assert send.call("PING") == Reply(b"+", b"PONG")
    assert send.call("PING", "hello") == Reply(b"$", b"hello")
    assert send.error("PING", "a", "b") == "ERR wrong number of arguments for 'ping' command"


def test_ping_of_a_resp2_subscriber_is_an_array(send: LocalClient) -> None:
    send("SUBSCRIBE", "news")
    pong = [Reply(b"$", b"pong"), Reply(b"$", b"")]
    assert send.call("PING") == Reply(b"*", pong)
    assert send("PING", "hello") == [b"pong", b"hello"]
    send.session.protocol = 3
    assert send("PING") == b"PONG"


def test_echo(send: LocalClient) -> None:
    assert send.call("ECHO", b"\x00x") == Reply(b"$", b"\x00x")


def test_select(send: LocalClient) -> None:
    assert send("SELECT", 15) is OK
    assert send.session.db.index == 15
    assert send.error("SELECT", 16) == "ERR DB index is out of range"
    assert send.error("SELECT", -1) == "ERR DB index is out of range"
    assert send.error("SELECT", "x") == "ERR value is not an integer or out of range"
    assert send.error("SELECT", 2**31) == (
        "ERR value is out of range, value must between -2147483648 and 2147483647"
    )
    assert send.session.db.index == 15


class TestAuth:
    def test_without_a_password(self, send: LocalClient) -> None:
        assert send.error("AUTH", "x") == (
            "ERR AUTH <password> called without any password configured for the default user. "
            "Are you sure your configuration is correct?"
        )
        assert send("AUTH", "default", "anything") is OK
        assert send.error("AUTH", "nobody", "anything") == WRONG_PASS
        assert send.error("AUTH", "a", "b", "c") == "ERR syntax error"

    def test_a_password_binds_new_sessions_only(self, engine: Engine, send: LocalClient) -> None:
        assert send("CONFIG", "SET", "requirepass", b"se\x00cret") is OK
        assert send("PING") == b"PONG"
        stranger = LocalClient(engine)
        authentication.begin(stranger.session)
        assert stranger.error("PING") == "NOAUTH Authentication required."
        assert stranger.error("AUTH", "se") == WRONG_PASS
        assert stranger.error("AUTH", "other", b"se\x00cret") == WRONG_PASS
        assert stranger("AUTH", b"se\x00cret") is OK
        assert stranger("PING") == b"PONG"

    def test_nobody_has_to_show_a_password_that_is_gone(
        self, engine: Engine, send: LocalClient
    ) -> None:
        send("CONFIG", "SET", "requirepass", "secret")
        stranger = LocalClient(engine)
        authentication.begin(stranger.session)
        send("CONFIG", "SET", "requirepass", "")
        assert stranger("PING") == b"PONG"

    def test_passwords_are_kept_from_monitors_and_the_slow_log(
        self, engine: Engine, send: LocalClient
    ) -> None:
        watcher = LocalClient(engine)
        send("CONFIG", "SET", "slowlog-log-slower-than", 0)
        watcher("MONITOR")
        send("AUTH", "secret")
        send("AUTH", "user", "secret")
        send("HELLO", 2, "AUTH", "user", "secret", "SETNAME", "me")
        send("CONFIG", "SET", "requirepass", "secret", "maxmemory", 0)
        shown = [reply.value.partition(b"] ")[2] for reply in watcher.messages()]
        assert shown == [
            b'"AUTH" "(redacted)"',
            b'"AUTH" "(redacted)" "(redacted)"',
            b'"HELLO" "2" "AUTH" "(redacted)" "(redacted)" "SETNAME" "me"',
        ]
        logged = send("SLOWLOG", "GET", 1)[0][3]
        assert logged == [
            b"CONFIG", b"SET", b"requirepass", b"(redacted)", b"maxmemory", b"0"
        ]  # fmt: skip
        assert engine.config["requirepass"] == b"secret"


class TestHello:
    def test_tells_about_the_server(self, send: LocalClient) -> None:
        fields = dict(zip(*[iter(send("HELLO"))] * 2, strict=True))
        assert fields.pop(b"version").startswith(b"7.4.")
        assert fields == {
            b"server": b"redis",
            b"proto": 2,
            b"id": send.session.id,
            b"mode": b"standalone",
            b"role": b"master",
            b"modules": [],
        }

    def test_chooses_the_protocol_of_its_own_reply(self, send: LocalClient) -> None:
        assert send.call("HELLO", 3).kind == b"%"
        assert send.session.protocol == 3
        assert send.call("HELLO", 2).kind == b"*"
        assert send.session.protocol == 2

    @pytest.mark.parametrize("version", [0, 1, 4])
    def test_unsupported_protocol(self, send: LocalClient, version: int) -> None:
        assert send.error("HELLO", version) == "NOPROTO unsupported protocol version"

    def test_bad_options(self, send: LocalClient) -> None:
        not_a_number = "ERR Protocol version is not an integer or out of range"
        assert send.error("HELLO", "three") == not_a_number
        assert send.error("HELLO", 3, "SETNAME") == "ERR Syntax error in HELLO option 'SETNAME'"
        assert send.error("HELLO", 3, "AUTH", "x") == "ERR Syntax error in HELLO option 'AUTH'"
        assert send.error("HELLO", 3, "SETNAME", "a b") == (
            "ERR Client names cannot contain spaces, newlines or special characters."
        )
        assert send.session.protocol == 2

    def test_authenticates_and_names(self, engine: Engine, send: LocalClient) -> None:
        send("CONFIG", "SET", "requirepass", "secret")
        stranger = LocalClient(engine)
        authentication.begin(stranger.session)
        assert stranger.error("HELLO", 3) == (
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the "
            "HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and "
            "select the RESP protocol version at the same time"
        )
        assert stranger.error("HELLO", 3, "AUTH", "default", "x", "SETNAME", "me") == WRONG_PASS
        assert stranger.session.name == b""
        assert stranger.session.protocol == 2
        stranger("HELLO", 3, "SETNAME", "me", "AUTH", "default", "secret")
        assert stranger("CLIENT", "GETNAME") == b"me"
        assert stranger.session.protocol == 3


def test_quit_answers_and_closes(send: LocalClient) -> None:
    assert send("QUIT", "now") is OK
    assert send.session.closed


class TestReset:
    def test_undoes_everything(self, engine: Engine, send: LocalClient) -> None:
        send("HELLO", 3, "SETNAME", "me")
        send("CLIENT", "SETINFO", "lib-name", "lib")
        send("SELECT", 3)
        send("SUBSCRIBE", "a")
        send("PSUBSCRIBE", "b*")
        send("SSUBSCRIBE", "c")
        send("WATCH", "k")
        send("MONITOR")
        send("CLIENT", "NO-EVICT", "ON")
        send("CLIENT", "NO-TOUCH", "ON")
        send("MULTI")
        assert send.call("RESET") == Reply(b"+", b"RESET")
        session = send.session
        assert session.protocol == 2
        assert session.db.index == 0
        assert session.transaction is None and session.watch is None
        assert not (session.channels or session.patterns or session.shard_channels)
        assert session.flags == 0 and session.gate == 0
        assert session.name == b""
        assert session.lib_name == b"lib"
        assert not engine.monitored
        assert not engine.watches.keys and not engine.pubsub.channels

    def test_takes_effect_inside_a_transaction(self, send: LocalClient) -> None:
        send("MULTI")
        send("PING")
        send("RESET")
        assert send.error("EXEC") == "ERR EXEC without MULTI"

    def test_replies_though_replies_were_off(self, send: LocalClient) -> None:
        assert send("CLIENT", "REPLY", "OFF") is NO_REPLY
        send("RESET")
        assert send.session.reply_mode == 0

    def test_authentication_is_lost(self, send: LocalClient) -> None:
        send("CONFIG", "SET", "requirepass", "secret")
        send("RESET")
        assert send.error("PING") == "NOAUTH Authentication required."
