"""AUTH, HELLO, PING, ECHO, SELECT, QUIT and RESET."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from carnelian.resp.replies import NO_REPLY, OK
from support.local import LocalClient
from support.wire import Reply

WRONG_PASS = "WRONGPASS invalid username-password pair or user is disabled."


def test_ping_answers_with_its_message(client: LocalClient) -> None:
    assert client.call("PING") == Reply(b"+", b"PONG")
    assert client.call("PING", "hello") == Reply(b"$", b"hello")
    assert client.error("PING", "a", "b") == "ERR wrong number of arguments for 'ping' command"


def test_ping_of_a_resp2_subscriber_is_an_array(client: LocalClient) -> None:
    client("SUBSCRIBE", "news")
    pong = [Reply(b"$", b"pong"), Reply(b"$", b"")]
    assert client.call("PING") == Reply(b"*", pong)
    assert client("PING", "hello") == [b"pong", b"hello"]
    client.session.protocol = 3
    assert client("PING") == b"PONG"


def test_echo(client: LocalClient) -> None:
    assert client.call("ECHO", b"\x00x") == Reply(b"$", b"\x00x")


def test_select(client: LocalClient) -> None:
    assert client("SELECT", 15) is OK
    assert client.session.db.index == 15
    assert client.error("SELECT", 16) == "ERR DB index is out of range"
    assert client.error("SELECT", -1) == "ERR DB index is out of range"
    assert client.error("SELECT", "x") == "ERR value is not an integer or out of range"
    assert client.error("SELECT", 2**31) == (
        "ERR value is out of range, value must between -2147483648 and 2147483647"
    )
    assert client.session.db.index == 15


class TestAuth:
    def test_without_a_password(self, client: LocalClient) -> None:
        assert client.error("AUTH", "x") == (
            "ERR AUTH <password> called without any password configured for the default user. "
            "Are you sure your configuration is correct?"
        )
        assert client("AUTH", "default", "anything") is OK
        assert client.error("AUTH", "nobody", "anything") == WRONG_PASS
        assert client.error("AUTH", "a", "b", "c") == "ERR syntax error"

    def test_a_password_binds_new_sessions_only(self, engine: Engine, client: LocalClient) -> None:
        assert client("CONFIG", "SET", "requirepass", b"se\x00cret") is OK
        assert client("PING") == b"PONG"
        stranger = LocalClient(engine)
        engine.users.begin(stranger.session)
        assert stranger.error("PING") == "NOAUTH Authentication required."
        assert stranger.error("AUTH", "se") == WRONG_PASS
        assert stranger.error("AUTH", "other", b"se\x00cret") == WRONG_PASS
        assert stranger("AUTH", b"se\x00cret") is OK
        assert stranger("PING") == b"PONG"

    def test_nobody_has_to_show_a_password_that_is_gone(
        self, engine: Engine, client: LocalClient
    ) -> None:
        client("CONFIG", "SET", "requirepass", "secret")
        stranger = LocalClient(engine)
        engine.users.begin(stranger.session)
        client("CONFIG", "SET", "requirepass", "")
        assert stranger("PING") == b"PONG"

    def test_passwords_are_kept_from_monitors_and_the_slow_log(
        self, engine: Engine, client: LocalClient
    ) -> None:
        watcher = LocalClient(engine)
        client("CONFIG", "SET", "slowlog-log-slower-than", 0)
        watcher("MONITOR")
        client("AUTH", "secret")
        client("AUTH", "user", "secret")
        client("HELLO", 2, "AUTH", "user", "secret", "SETNAME", "me")
        client("CONFIG", "SET", "requirepass", "secret", "maxmemory", 0)
        shown = [reply.text.partition(b"] ")[2] for reply in watcher.messages()]
        assert shown == [
            b'"AUTH" "(redacted)"',
            b'"AUTH" "(redacted)" "(redacted)"',
            b'"HELLO" "2" "AUTH" "(redacted)" "(redacted)" "SETNAME" "me"',
        ]
        logged = client("SLOWLOG", "GET", 1)[0][3]
        assert logged == [
            b"CONFIG", b"SET", b"requirepass", b"(redacted)", b"maxmemory", b"0"
        ]  # fmt: skip
        assert engine.config["requirepass"] == b"secret"


class TestHello:
    def test_tells_about_the_server(self, client: LocalClient) -> None:
        fields = dict(zip(*[iter(client("HELLO"))] * 2, strict=True))
        assert fields.pop(b"version").startswith(b"7.4.")
        assert fields == {
            b"server": b"redis",
            b"proto": 2,
            b"id": client.session.id,
            b"mode": b"standalone",
            b"role": b"master",
            b"modules": [],
        }

    def test_chooses_the_protocol_of_its_own_reply(self, client: LocalClient) -> None:
        assert client.call("HELLO", 3).kind == b"%"
        assert client.session.protocol == 3
        assert client.call("HELLO", 2).kind == b"*"
        assert client.session.protocol == 2

    @pytest.mark.parametrize("version", [0, 1, 4])
    def test_unsupported_protocol(self, client: LocalClient, version: int) -> None:
        assert client.error("HELLO", version) == "NOPROTO unsupported protocol version"

    def test_bad_options(self, client: LocalClient) -> None:
        not_a_number = "ERR Protocol version is not an integer or out of range"
        assert client.error("HELLO", "three") == not_a_number
        assert client.error("HELLO", 3, "SETNAME") == "ERR Syntax error in HELLO option 'SETNAME'"
        assert client.error("HELLO", 3, "AUTH", "x") == "ERR Syntax error in HELLO option 'AUTH'"
        assert client.error("HELLO", 3, "SETNAME", "a b") == (
            "ERR Client names cannot contain spaces, newlines or special characters."
        )
        assert client.session.protocol == 2

    def test_authenticates_and_names(self, engine: Engine, client: LocalClient) -> None:
        client("CONFIG", "SET", "requirepass", "secret")
        stranger = LocalClient(engine)
        engine.users.begin(stranger.session)
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


def test_quit_answers_and_closes(client: LocalClient) -> None:
    assert client("QUIT", "now") is OK
    assert client.session.closed


class TestReset:
    def test_undoes_everything(self, engine: Engine, client: LocalClient) -> None:
        client("HELLO", 3, "SETNAME", "me")
        client("CLIENT", "SETINFO", "lib-name", "lib")
        client("SELECT", 3)
        client("SUBSCRIBE", "a")
        client("PSUBSCRIBE", "b*")
        client("SSUBSCRIBE", "c")
        client("WATCH", "k")
        client("MONITOR")
        client("CLIENT", "NO-EVICT", "ON")
        client("CLIENT", "NO-TOUCH", "ON")
        client("MULTI")
        assert client.call("RESET") == Reply(b"+", b"RESET")
        session = client.session
        assert session.protocol == 2
        assert session.db.index == 0
        assert session.transaction is None and session.watch is None
        assert not (session.channels or session.patterns or session.shard_channels)
        assert session.flags == 0 and session.gate == 0
        assert session.name == b""
        assert session.lib_name == b"lib"
        assert not engine.monitored
        assert not engine.watches.keys and not engine.pubsub.channels

    def test_takes_effect_inside_a_transaction(self, client: LocalClient) -> None:
        client("MULTI")
        client("PING")
        client("RESET")
        assert client.error("EXEC") == "ERR EXEC without MULTI"

    def test_replies_though_replies_were_off(self, client: LocalClient) -> None:
        assert client("CLIENT", "REPLY", "OFF") is NO_REPLY
        client("RESET")
        assert client.session.reply_mode == 0

    def test_authentication_is_lost(self, client: LocalClient) -> None:
        client("CONFIG", "SET", "requirepass", "secret")
        client("RESET")
        assert client("PING") == b"PONG"  # nobody's, as it was
        client("AUTH", "secret")
        client("RESET")
        assert client.error("PING") == "NOAUTH Authentication required."
