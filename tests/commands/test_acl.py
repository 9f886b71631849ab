"""ACL: users, rules, and what is refused to whom."""

from __future__ import annotations

import re
from typing import Any

import pytest

from carnelian.engine.engine import Engine
from carnelian.engine.ground.flags import RESTRICTED
from carnelian.keyspace.clock import ManualClock
from carnelian.resp.replies import OK, QUEUED, Error
from support.local import LocalClient

HASH = b"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"  # of "secret"
NO_COMMAND = "NOPERM User %s has no permissions to run the '%s' command"
NO_KEY = "NOPERM No permissions to access a key"
NO_CHANNEL = "NOPERM No permissions to access a channel"
WRONG_PASS = "WRONGPASS invalid username-password pair or user is disabled."
MODIFIER = "ERR Error in ACL SETUSER modifier '%s': %s"


def fields(reply: Any) -> dict[bytes, Any]:
    """A flat map as a dict."""
    return dict(zip(*[iter(reply)] * 2, strict=True))


def stranger(engine: Engine) -> LocalClient:
    """A client from outside, as connections of a server are."""
    made = LocalClient(engine)
    engine.users.begin(made.session)
    return made


@pytest.fixture
def login(client: LocalClient):
    """Make a user with some rules, and a client that is this user."""

    def made(*rules: str, name: str = "alice") -> LocalClient:
        assert client("ACL", "SETUSER", name, "on", "nopass", *rules) is OK
        user = stranger(client.engine)
        assert user("AUTH", name, "x") is OK
        return user

    return made


class TestSetUser:
    def test_a_new_user_may_nothing(self, client: LocalClient) -> None:
        assert client("ACL", "SETUSER", "alice") is OK
        assert client("ACL", "LIST") == [
            b"user alice off sanitize-payload resetchannels -@all",
            b"user default on nopass sanitize-payload ~* &* +@all",
        ]
        assert fields(client("ACL", "GETUSER", "alice")) == {
            b"flags": [b"off", b"sanitize-payload"],
            b"passwords": [],
            b"commands": b"-@all",
            b"keys": b"",
            b"channels": b"",
            b"selectors": [],
        }
        assert client("ACL", "GETUSER", "nobody") is None
        assert client("ACL", "USERS") == [b"alice", b"default"]

    def test_everything_of_a_user(self, client: LocalClient) -> None:
        assert client(
            "ACL", "SETUSER", "alice", "ON", ">secret", "%R~a", "~b", "&c", "+@read", "-get",
            "+config|GET", "skip-sanitize-payload", "(+set", "%W~d", "&*)", "(allkeys allcommands)",
        ) is OK  # fmt: skip
        shown = fields(client("ACL", "GETUSER", "alice"))
        selectors = [fields(each) for each in shown.pop(b"selectors")]
        assert shown == {
            b"flags": [b"on", b"skip-sanitize-payload"],
            b"passwords": [HASH],
            b"commands": b"-@all +@read -get +config|get",
            b"keys": b"%R~a ~b",
            b"channels": b"&c",
        }
        assert selectors == [
            {b"commands": b"-@all +set", b"keys": b"%W~d", b"channels": b"&*"},
            {b"commands": b"+@all", b"keys": b"~*", b"channels": b""},
        ]
        assert client("ACL", "LIST")[0] == (
            b"user alice on skip-sanitize-payload #" + HASH + b" %R~a ~b resetchannels &c "
            b"-@all +@read -get +config|get (%W~d &* -@all +set) (~* resetchannels +@all)"
        )
        assert client("ACL", "SETUSER", "alice", "clearselectors") is OK
        assert fields(client("ACL", "GETUSER", "alice"))[b"selectors"] == []
        assert client("ACL", "SETUSER", "alice", "reset") is OK
        assert client("ACL", "LIST")[0] == b"user alice off sanitize-payload resetchannels -@all"

    @pytest.mark.parametrize(
        ("rules", "shown"),
        [
            ("+get +set -get", "-@all +set -get"),
            ("+get -get +get", "-@all +get"),
            ("+config|get +config", "-@all +config"),
            ("+config -config|set +config|set", "-@all +config +config|set"),
            ("+memory|doctor +@all +client|id", "+@all +client|id"),
            (
                "+@all -@string +GET -debug +debug|Object",
                "+@all -@string +get -debug +debug|object",
            ),
            ("+select|0 +select|1 -select", "-@all -select"),
            ("+@STRING -@string", "-@all -@string"),
            ("allcommands -flushall nocommands", "-@all"),
        ],
    )
    def test_command_rules(self, client: LocalClient, rules: str, shown: str) -> None:
        assert client("ACL", "SETUSER", "u", *rules.split()) is OK
        assert fields(client("ACL", "GETUSER", "u"))[b"commands"] == shown.encode()

    @pytest.mark.parametrize(
        ("rules", "shown"),
        [
            ("%R~a %W~a", "~a"),
            ("%RW~a %wr~b", "~a ~b"),
            ("~a ~b ~a", "~a ~b"),
            ("~a ~*", "~*"),
            ("~a allkeys resetkeys %R", "%R~"),
            ("%R~a~b", "%R~a~b"),
        ],
    )
    def test_key_rules(self, client: LocalClient, rules: str, shown: str) -> None:
        assert client("ACL", "SETUSER", "u", *rules.split()) is OK
        assert fields(client("ACL", "GETUSER", "u"))[b"keys"] == shown.encode()

    @pytest.mark.parametrize(
        ("rule", "reason"),
        [
            ("nonsense", "Syntax error"),
            ("%~", "Syntax error"),
            ("%", "Syntax error"),
            ("%RR~a", "Syntax error"),
            ("%X~a", "Syntax error"),
            ("~a b", "Syntax error"),
            ("&a\tb", "Syntax error"),
            (")", "Syntax error"),
            (" () ", "Syntax error"),
            ("(on)", "Syntax error"),
            ('("+get)', "Syntax error"),
            ("+", "Unknown command or category name in ACL"),
            ("+nonsense", "Unknown command or category name in ACL"),
            ("-nonsense", "Unknown command or category name in ACL"),
            ("+@nonsense", "Unknown command or category name in ACL"),
            ("-config|nonsense", "Unknown command or category name in ACL"),
            ("+config|nonsense", "Unknown command or category name in ACL"),
            ("-select|0", "Unknown command or category name in ACL"),
            ("+get|a|b", "Unknown command or category name in ACL"),
            ("+config|get|a", "Allowing first-arg of a subcommand is not supported"),
            ("+config|", "Syntax error"),
            ("+select|", "Syntax error"),
            ("<secret", "The password you are trying to remove from the user does not exist"),
            (
                "#abc",
                "The password hash must be exactly 64 characters and contain only lowercase "
                "hexadecimal characters",
            ),
            (
                "!" + "A" * 64,
                "The password hash must be exactly 64 characters and contain only lowercase "
                "hexadecimal characters",
            ),
        ],
    )
    def test_bad_rules_change_nothing(self, client: LocalClient, rule: str, reason: str) -> None:
        assert client.error("ACL", "SETUSER", "u", "on", rule) == MODIFIER % (rule, reason)
        assert client("ACL", "USERS") == [b"default"]
        client("ACL", "SETUSER", "u", "on", "+get")
        before = client("ACL", "LIST")
        assert client.error("ACL", "SETUSER", "u", "off", "~x", rule) == MODIFIER % (rule, reason)
        assert client("ACL", "LIST") == before

    def test_patterns_after_all(self, client: LocalClient) -> None:
        keys = (
            "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does "
            "not have any effect. Try 'resetkeys' to start with an empty list of patterns"
        )
        channels = (
            "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and "
            "does not have any effect. Try 'resetchannels' to start with an empty list of channels"
        )
        assert client.error("ACL", "SETUSER", "u", "~*", "~a") == MODIFIER % ("~a", keys)
        assert client.error("ACL", "SETUSER", "u", "&*", "&a") == MODIFIER % ("&a", channels)
        assert client.error("ACL", "SETUSER", "u", "(&* &a)") == MODIFIER % ("(&* &a)", channels)

    def test_names(self, client: LocalClient) -> None:
        for name in ("a b", "a\0", "a\n"):
            assert client.error("ACL", "SETUSER", name) == (
                "ERR Usernames can't contain spaces or null characters"
            )
        assert client("ACL", "SETUSER", "", "on", "") is OK
        assert client("ACL", "SETUSER", b"\xff") is OK
        assert client("ACL", "USERS") == [b"", b"default", b"\xff"]

    def test_parentheses(self, client: LocalClient) -> None:
        for words in (["("], ["(+get"], ["(+get", "~a"], ["(+get", "(+set", "~a)"]):
            assert client.error("ACL", "SETUSER", "u", *words) == (
                f"ERR Unmatched parenthesis in acl selector starting at '{words[0]}'."
            )
        assert client("ACL", "SETUSER", "u", "(", "+get", "~a", ")", "()") is OK
        grants = [fields(one) for one in fields(client("ACL", "GETUSER", "u"))[b"selectors"]]
        assert [one[b"commands"] for one in grants] == [b"-@all +get", b"-@all"]

    def test_channels_of_new_users(self, client: LocalClient) -> None:
        client("CONFIG", "SET", "acl-pubsub-default", "allchannels")
        client("ACL", "SETUSER", "u", "()")
        client("CONFIG", "SET", "acl-pubsub-default", "resetchannels")
        assert b"&*" in client("ACL", "LIST")[-1]
        shown = fields(client("ACL", "GETUSER", "u"))
        assert shown[b"channels"] == fields(shown[b"selectors"][0])[b"channels"] == b"&*"
        client("ACL", "SETUSER", "u", "reset")
        assert fields(client("ACL", "GETUSER", "u"))[b"channels"] == b""

    def test_is_kept_from_monitors_and_the_slow_log(self, client: LocalClient) -> None:
        client("CONFIG", "SET", "slowlog-log-slower-than", 0)
        client("ACL", "SETUSER", "alice", ">secret")
        assert client("SLOWLOG", "GET", 1)[0][3] == [b"ACL", b"SETUSER", *[b"(redacted)"] * 2]
        client("ACL", "SETUSER", "al ice")
        assert client("SLOWLOG", "GET", 1)[0][3] == [b"ACL", b"SETUSER", b"(redacted)"]


class TestPasswords:
    def test_several(self, client: LocalClient) -> None:
        client("ACL", "SETUSER", "u", "on", ">one", ">two", "#" + HASH.decode())
        user = stranger(client.engine)
        for password in ("one", "two", "secret"):
            assert user("AUTH", "u", password) is OK
        assert user.error("AUTH", "u", "three") == WRONG_PASS
        client("ACL", "SETUSER", "u", "<one", "!" + HASH.decode())
        assert user.error("AUTH", "u", "one") == WRONG_PASS
        assert user("AUTH", "u", "two") is OK
        client("ACL", "SETUSER", "u", "off")
        assert user.error("AUTH", "u", "two") == WRONG_PASS
        client("ACL", "SETUSER", "u", "on", "nopass")
        assert user("AUTH", "u", "whatever") is OK
        client("ACL", "SETUSER", "u", "resetpass")
        assert user.error("AUTH", "u", "two") == WRONG_PASS

    def test_requirepass_is_that_of_the_default_user(self, client: LocalClient) -> None:
        client("CONFIG", "SET", "requirepass", "secret")
        shown = fields(client("ACL", "GETUSER", "default"))
        assert shown[b"passwords"] == [HASH]
        assert shown[b"flags"] == [b"on", b"sanitize-payload"]
        user = stranger(client.engine)
        assert user.error("GET", "k") == "NOAUTH Authentication required."
        assert user.error("AUTH", "other") == WRONG_PASS
        client("ACL", "SETUSER", "default", ">other")
        assert user("AUTH", "other") is OK
        client("CONFIG", "SET", "requirepass", "")
        assert fields(client("ACL", "GETUSER", "default"))[b"flags"][1] == b"nopass"

    def test_the_default_user_may_be_off(self, client: LocalClient, login) -> None:
        client("ACL", "SETUSER", "default", "off")
        user = stranger(client.engine)
        assert user.error("PING") == "NOAUTH Authentication required."
        assert user.error("AUTH", "default", "x") == WRONG_PASS
        assert user.error("HELLO", "3").startswith("NOAUTH HELLO must be called with the client")
        client("ACL", "SETUSER", "bob", "on", ">secret", "+ping")
        user("HELLO", "3", "AUTH", "bob", "secret")
        assert user("PING") == b"PONG"
        assert user.session.protocol == 3

    def test_genpass(self, client: LocalClient) -> None:
        for words, digits in (((), 64), ((1,), 1), ((5,), 2), ((4096,), 1024)):
            made = client("ACL", "GENPASS", *words)
            assert re.fullmatch(rb"[0-9a-f]+", made)
            assert len(made) == digits
        assert client("ACL", "GENPASS") != client("ACL", "GENPASS")
        for bits in (0, -1, 4097):
            assert client.error("ACL", "GENPASS", bits) == (
                "ERR ACL GENPASS argument must be the number of bits for the output password, a "
                "positive number up to 4096"
            )
        assert client.error("ACL", "GENPASS", "x") == (
            "ERR value is not an integer or out of range"
        )
        assert client.error("ACL", "GENPASS", "1", "2") == (
            "ERR unknown subcommand or wrong number of arguments for 'GENPASS'. Try ACL HELP."
        )


class TestCommands:
    def test_only_what_is_allowed(self, login) -> None:
        user = login("+get", "~*")
        assert user("GET", "k") is None
        assert user.error("SET", "k", "v") == NO_COMMAND % ("alice", "set")
        assert user.error("CONFIG", "GET", "x") == NO_COMMAND % ("alice", "config|get")
        assert user.error("NONSENSE").startswith("ERR unknown command")
        assert user.error("SET") == "ERR wrong number of arguments for 'set' command"
        assert user("AUTH", "alice", "x") is OK
        assert user("QUIT") is OK

    def test_categories_and_subcommands(self, login) -> None:
        user = login("+@all", "-@dangerous", "+config|get", "-client|id", "~*")
        assert user.error("FLUSHALL") == NO_COMMAND % ("alice", "flushall")
        assert user("CONFIG", "GET", "nothing") == []
        assert user.error("CONFIG", "SET", "hz", "10") == NO_COMMAND % ("alice", "config|set")
        assert user.error("CLIENT", "ID") == NO_COMMAND % ("alice", "client|id")
        assert user("CLIENT", "GETNAME") is None

    def test_first_arguments(self, client: LocalClient, login) -> None:
        user = login("+select|0", "+debug|Sleep")
        assert user("SELECT", "0") is OK
        assert user.error("SELECT", "1") == NO_COMMAND % ("alice", "select")
        client("ACL", "SETUSER", "alice", "+select|1")
        assert user("SELECT", "1") is OK
        client("ACL", "SETUSER", "alice", "-select")
        assert user.error("SELECT", "0") == NO_COMMAND % ("alice", "select")

    def test_changes_hold_at_once(self, client: LocalClient, login) -> None:
        user = login("+@all", "~*", "&*")
        assert not user.session.gate & RESTRICTED
        assert user("SET", "k", "v") is OK
        client("ACL", "SETUSER", "alice", "-set")
        assert user.session.gate & RESTRICTED
        assert user.error("SET", "k", "v") == NO_COMMAND % ("alice", "set")
        client("ACL", "SETUSER", "alice", "+set")
        assert not user.session.gate & RESTRICTED

    def test_the_default_user_may_have_limits(self, client: LocalClient) -> None:
        user = stranger(client.engine)
        client("ACL", "SETUSER", "default", "-get")
        assert user.error("GET", "k") == NO_COMMAND % ("default", "get")
        assert client("GET", "k") is None  # nobody's session

    def test_a_renamed_command_keeps_its_rules(self) -> None:
        from carnelian.engine.config import Config

        config = Config()
        config.load_text('rename-command get fetch\nrename-command flushall ""')
        client = LocalClient(Engine(config))
        assert client("ACL", "SETUSER", "u", "on", "nopass", "+@all", "-get", "-flushall") is OK
        user = stranger(client.engine)
        user("AUTH", "u", "x")
        assert user.error("FETCH", "k") == NO_COMMAND % ("u", "get")
        assert client.error("ACL", "SETUSER", "u", "+fetch") == MODIFIER % (
            "+fetch", "Unknown command or category name in ACL"
        )  # fmt: skip


class TestKeys:
    def test_patterns(self, login) -> None:
        user = login("+@all", "~app:*", "~exact", "~[ab]?", "~x*y")
        for key in ("app:", "app:1", "exact", "a1", "b2", "xy", "x-y"):
            assert user("SET", key, "v") is OK, key
        for key in ("app", "exact1", "c1", "a", "x", "", "EXACT"):
            assert user.error("SET", key, "v") == NO_KEY, key
        assert user("MGET", "exact", "a1") == [b"v", b"v"]
        assert user.error("MGET", "exact", "other") == NO_KEY
        assert user("PING") == b"PONG"

    def test_reading_and_writing(self, client: LocalClient, login) -> None:
        user = login("+@all", "%R~r*", "%W~w*", "~b*")
        client("MSET", "r", "1", "w", "1", "b", "1")
        assert user("GET", "r") == b"1"
        assert user.error("GET", "w") == NO_KEY
        assert user.error("SET", "r", "2") == NO_KEY
        assert user("SET", "w", "2") is OK
        assert user.error("SET", "w", "2", "GET") == NO_KEY
        assert user("SET", "b", "2", "GET") == b"1"
        assert user("EXISTS", "r", "w", "b") == 3
        assert user.error("INCR", "r") == NO_KEY
        assert user("COPY", "r", "w2") == 1
        assert user.error("COPY", "w", "r2") == NO_KEY
        assert user("BITFIELD", "r", "GET", "u4", "0") == [3]
        assert user.error("BITFIELD", "r", "SET", "u4", "0", "1") == NO_KEY

    def test_selectors_do_not_add_up(self, login) -> None:
        user = login("(+get ~r*)", "(+set ~w*)")
        assert user("GET", "r") is None
        assert user("SET", "w", "v") is OK
        assert user.error("GET", "w") == NO_KEY
        assert user.error("SET", "r", "v") == NO_KEY
        assert user.error("DEL", "w") == NO_COMMAND % ("alice", "del")

    def test_sort_by_patterns(self, client: LocalClient, login) -> None:
        client("RPUSH", "list", "1")
        user = login("(+sort ~list)")
        by = "ERR BY option of SORT denied due to insufficient ACL permissions."
        get = "ERR GET option of SORT denied due to insufficient ACL permissions."
        for rules in ((), ("(+sort ~list ~v*)",), ("(+sort ~list %W~*)",)):
            client("ACL", "SETUSER", "alice", *rules)
            assert user.error("SORT", "list", "BY", "v*") == by
            assert user.error("SORT", "list", "GET", "v*") == get
            assert user("SORT", "list", "BY", "nosort") == [b"1"]
        client("ACL", "SETUSER", "alice", "(+sort ~list %R~*)")
        assert user("SORT", "list", "BY", "v*", "GET", "v*") == [None]


class TestChannels:
    def test_publishing_and_listening(self, login) -> None:
        user = login("+@pubsub", "&news:*", "&plain")
        assert user("PUBLISH", "news:1", "x") == 0
        assert user.error("PUBLISH", "other", "x") == NO_CHANNEL
        assert user.error("SPUBLISH", "other", "x") == NO_CHANNEL
        assert user.error("SUBSCRIBE", "news:1", "other") == NO_CHANNEL
        assert user.error("SSUBSCRIBE", "other") == NO_CHANNEL
        assert user.error("PSUBSCRIBE", "news:1*") == NO_CHANNEL
        assert not isinstance(user("PSUBSCRIBE", "news:*"), Error)
        assert not isinstance(user("SUBSCRIBE", "plain"), Error)
        assert not isinstance(user("UNSUBSCRIBE", "other"), Error)

    @pytest.mark.parametrize(
        ("command", "name"), [("SUBSCRIBE", "c1"), ("SSUBSCRIBE", "c1"), ("PSUBSCRIBE", "c*")]
    )
    def test_listeners_that_lose_a_channel_are_cut(
        self, client: LocalClient, login, command: str, name: str
    ) -> None:
        user, other = login("+@all", "&c1", "&c*"), login("+@all", "&c*")
        user(command, name)
        client("ACL", "SETUSER", "alice", "&more")
        client("ACL", "SETUSER", "alice", "allchannels")
        client("ACL", "SETUSER", "alice", "resetchannels", "&c1", "&c*")
        assert not user.session.closed
        client("ACL", "SETUSER", "alice", "resetchannels", "&d")
        assert user.session.closed
        assert not other.session.closed
        assert user.session.user == b"default"


class TestTransactions:
    def test_refused_when_it_is_queued(self, login) -> None:
        user = login("+multi", "+exec", "+get", "~*")
        user("MULTI")
        assert user("GET", "k") is QUEUED
        assert user.error("SET", "k", "v") == NO_COMMAND % ("alice", "set")
        assert user.error("EXEC").startswith("EXECABORT Transaction discarded because of previous")

    @pytest.mark.parametrize(
        ("rules", "reason"),
        [
            ("-publish", "no permission to execute the command or subcommand"),
            ("resetkeys", "no permission to touch the specified keys"),
            (
                "resetchannels",
                "no permission to access one of the channels used as arguments",
            ),
        ],
    )
    def test_refused_when_it_is_run(
        self, client: LocalClient, login, rules: str, reason: str
    ) -> None:
        user = login("+@all", "~*", "&*")
        user("MULTI")
        user("SET", "k", "v")
        user("PUBLISH", "c", "m")
        client("ACL", "SETUSER", "alice", rules)
        replies = user("EXEC")
        refused = [str(reply) for reply in replies if isinstance(reply, Error)]
        assert refused == [
            "NOPERM ACLs rules changed between the moment the transaction was accumulated and the "
            f"EXEC call. This command is no longer allowed for the following reason: {reason}"
        ]
        assert len(replies) == 2
        assert fields(client("ACL", "LOG")[0])[b"context"] == b"multi"

    def test_a_waiting_command_is_looked_at_again(self, client: LocalClient, login) -> None:
        user = login("+@all", "~list", "&*")
        user("BLPOP", "list", "0")
        client("ACL", "SETUSER", "alice", "-blpop")
        client("RPUSH", "list", "v")
        assert [str(sent) for sent in user.session.sent] == [NO_COMMAND % ("alice", "blpop")]
        assert client("LLEN", "list") == 1


class TestDelUser:
    def test_ends_sessions(self, client: LocalClient, login) -> None:
        user, other = login("+@all"), login("+@all", name="bob")
        assert client("ACL", "DELUSER", "alice", "nobody", "alice") == 1
        assert user.session.closed
        assert not other.session.closed
        assert client("ACL", "USERS") == [b"bob", b"default"]

    def test_the_one_who_asks_gets_a_reply(self, login) -> None:
        user = login("+@all")
        assert user("ACL", "DELUSER", "alice") == 1
        assert user.session.closed
        assert user.session.rights is user.session.engine.users.default

    def test_the_default_user_stays(self, client: LocalClient) -> None:
        client("ACL", "SETUSER", "alice")
        error = "ERR The 'default' user cannot be removed"
        assert client.error("ACL", "DELUSER", "alice", "default") == error
        assert client("ACL", "USERS") == [b"alice", b"default"]


class TestLog:
    def test_entries(self, client: LocalClient, clock: ManualClock, login) -> None:
        user = login("+set", "+publish", "+multi", "+exec", "~k")
        began = client.engine.clock.wall_ms()
        user("GET", "k")
        clock.advance(2500)
        user("GET", "k")
        user("SET", "other", "v")
        user("PUBLISH", "c", "m")
        user("MULTI")
        user("GET", "k")
        user.session.transaction = None
        user("auth", "alice2", "x")
        entries = [fields(entry) for entry in client("ACL", "LOG")]
        shown = [
            tuple(entry[name] for name in (b"reason", b"context", b"object", b"username"))
            for entry in entries
        ]
        assert shown == [
            (b"auth", b"toplevel", b"auth", b"alice2"),
            (b"command", b"multi", b"get", b"alice"),
            (b"channel", b"toplevel", b"c", b"alice"),
            (b"key", b"toplevel", b"other", b"alice"),
            (b"command", b"toplevel", b"get", b"alice"),
        ]
        last = entries[-1]
        assert last[b"count"] == 2
        assert [entry[b"entry-id"] for entry in entries] == [4, 3, 2, 1, 0]
        assert last[b"timestamp-created"] == began
        assert last[b"timestamp-last-updated"] == began + 2500
        assert last[b"age-seconds"] == 0.0
        assert b"user=alice" in last[b"client-info"]
        assert b"cmd=get" in last[b"client-info"]
        clock.advance(1250)
        assert fields(client("ACL", "LOG", 1)[0])[b"age-seconds"] == 1.25
        assert len(client("ACL", "LOG", 2)) == 2
        assert client("ACL", "LOG", -1) == []
        assert client("ACL", "LOG", "reset") is OK
        assert client("ACL", "LOG") == []

    def test_grouping_ends_after_a_minute(
        self, client: LocalClient, clock: ManualClock, login
    ) -> None:
        user = login()
        for elapsed_ms in (0, 60_000, 60_001):
            clock.advance(elapsed_ms)
            user("GET", "k")
        assert [fields(entry)[b"count"] for entry in client("ACL", "LOG")] == [1, 2]

    def test_its_length(self, client: LocalClient, login) -> None:
        user = login("+get")
        client("CONFIG", "SET", "acllog-max-len", 3)
        for number in range(5):
            user("GET", f"k{number}")
        objects = [fields(entry)[b"object"] for entry in client("ACL", "LOG")]
        assert objects == [b"k4", b"k3", b"k2"]
        client("CONFIG", "SET", "acllog-max-len", 0)
        user("GET", "k")
        assert client("ACL", "LOG") == []
        assert b"acl_access_denied_key:6" in client("INFO", "stats").text

    def test_bad_counts(self, client: LocalClient) -> None:
        error = "ERR value is not an integer or out of range"
        assert client.error("ACL", "LOG", "x") == error
        assert client.error("ACL", "LOG", "1", "2") == (
            "ERR unknown subcommand or wrong number of arguments for 'LOG'. Try ACL HELP."
        )

    def test_info(self, client: LocalClient, login) -> None:
        user = login("+get", "+publish")
        for words in (["SET", "a", "b"], ["GET", "k"], ["PUBLISH", "c", "m"], ["AUTH", "x", "y"]):
            user(*words)
        shown = client("INFO", "stats").text
        for reason in ("auth", "cmd", "key", "channel"):
            assert f"acl_access_denied_{reason}:1\r\n".encode() in shown


class TestQuestions:
    def test_cat(self, client: LocalClient) -> None:
        categories = client("ACL", "CAT")
        assert categories[:3] == [b"keyspace", b"read", b"write"]
        assert b"scripting" in categories
        assert b"multi" in client("ACL", "CAT", "Transaction")
        assert b"config|get" in client("ACL", "CAT", "admin")
        assert b"get" not in client("ACL", "CAT", "stream")
        assert client.error("ACL", "CAT", "NoSuch") == "ERR Unknown category 'NoSuch'"
        assert client.error("ACL", "CAT", "a", "b") == (
            "ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP."
        )

    @pytest.mark.parametrize("sign", ["+", "-"])
    def test_a_category_is_the_set_of_its_commands(self, client: LocalClient, sign: str) -> None:
        users = client.engine.users
        for category in client("ACL", "CAT"):
            base = "-@all" if sign == "+" else "+@all"
            client("ACL", "SETUSER", "u", "reset", base, f"{sign}@{category.decode()}")
            assert fields(client("ACL", "GETUSER", "u"))[b"commands"] == (
                f"{base} {sign}@{category.decode()}".encode()
            )
            members = set(client("ACL", "CAT", category))
            user = users.get(b"u")
            assert user is not None
            for command in client.engine.registry.every():
                if command.has("no_auth"):
                    continue
                refused = user.judge(command, [b"x"] * max(abs(command.arity), 2))
                denied = refused is not None and refused[0] == 1
                assert denied == ((command.name in members) == (sign == "-")), command.name

    def test_dryrun(self, client: LocalClient) -> None:
        client("ACL", "SETUSER", "u", "+@all", "-set", "~a", "&c")
        assert client("ACL", "DRYRUN", "u", "GET", "a") is OK
        assert client("ACL", "DRYRUN", "u", "SET", "a", "v") == (
            b"User u has no permissions to run the 'set' command"
        )
        assert client("ACL", "DRYRUN", "u", "MGET", "a", "b") == (
            b"User u has no permissions to access the 'b' key"
        )
        assert client("ACL", "DRYRUN", "u", "PUBLISH", "d", "m") == (
            b"User u has no permissions to access the 'd' channel"
        )
        assert client.error("ACL", "DRYRUN", "x", "GET", "a") == "ERR User 'x' not found"
        assert client.error("ACL", "DRYRUN", "u", "nope") == "ERR Command 'nope' not found"
        assert client.error("ACL", "DRYRUN", "u", "config", "x") == (
            "ERR Command 'config' not found"
        )
        assert client.error("ACL", "DRYRUN", "u", "GET") == (
            "ERR wrong number of arguments for 'get' command"
        )
        assert client("ACL", "LOG") == []

    def test_whoami(self, client: LocalClient, login) -> None:
        assert client("ACL", "WHOAMI") == b"default"
        user = login("+@all")
        assert user("ACL", "WHOAMI") == b"alice"
        assert b" user=alice " in user("CLIENT", "INFO").text
        user("RESET")
        assert user("ACL", "WHOAMI") == b"default"

    def test_client_kill_by_user(self, client: LocalClient, login) -> None:
        user = login("+@all")
        assert client("CLIENT", "KILL", "USER", "alice") == 1
        assert user.session.closed
        assert client.error("CLIENT", "KILL", "USER", "nobody") == "ERR No such user 'nobody'"

    def test_without_a_file(self, client: LocalClient) -> None:
        for word in ("LOAD", "SAVE"):
            assert client.error("ACL", word) == (
                "ERR This Redis instance is not configured to use an ACL file. You may want to "
                "specify users via the ACL SETUSER command and then issue a CONFIG REWRITE "
                "(assuming you have a Redis configuration file set) in order to store users in "
                "the Redis configuration."
            )

    def test_help(self, client: LocalClient) -> None:
        lines = client("ACL", "HELP")
        assert lines[0] == b"ACL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
        assert b"DELUSER <username> [<username> ...]" in lines
        assert client.error("ACL", "HELP", "x") == (
            "ERR wrong number of arguments for 'acl|help' command"
        )
