"""Users of an engine in the same process: sessions of theirs, clients that log in, modules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

import carnelian


@pytest.fixture
def engine() -> Iterator[carnelian.Engine]:
    with carnelian.Engine() as made:
        made.execute("ACL", "SETUSER", "alice", "on", ">secret", "+@all", "-@dangerous", "~a*")
        yield made


def test_nobody_needs_no_rights(engine):
    engine.execute("ACL", "SETUSER", "default", "off", "reset")
    assert engine.execute("SET", "k", "v") == "OK" or engine.execute("GET", "k") == b"v"
    with engine.session() as session:
        assert session.execute("GET", "k") == b"v"
        assert session.execute("ACL", "WHOAMI") == b"default"


def test_a_session_of_a_user(engine):
    with engine.session(user="alice") as session:
        session.execute("SET", "a", "1")
        assert session.execute("ACL", "WHOAMI") == b"alice"
        with pytest.raises(carnelian.Error, match="NOPERM No permissions to access a key"):
            session.execute("GET", "b")
        with pytest.raises(carnelian.Error, match="User alice has no permissions to run the 'fl"):
            session.execute("FLUSHALL")
        engine.execute("ACL", "DELUSER", "alice")
        assert session.closed


def test_only_of_users_that_may_log_in(engine):
    with pytest.raises(carnelian.Error, match="ERR User 'bob' not found"):
        engine.session(user="bob")
    engine.execute("ACL", "SETUSER", "alice", "off")
    with pytest.raises(carnelian.Error, match="ERR User 'alice' is disabled"):
        engine.session(user=b"alice")
    assert len(engine.core.sessions) == 1


def test_redis_py_logs_in(engine):
    client = carnelian.Redis(engine=engine, username="alice", password="secret")
    client.set("a", "1")
    assert client.get("a") == b"1"
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.get("b")
    with pytest.raises(redis.exceptions.NoPermissionError):
        client.set("b", "1")
    with client.pipeline() as pipe:
        pipe.get("a")
        pipe.get("b")
        with pytest.raises(redis.exceptions.NoPermissionError):
            pipe.execute()
    assert client.acl_whoami() == "alice" or client.acl_whoami() == b"alice"
    wrong = carnelian.Redis(engine=engine, username="alice", password="other")
    with pytest.raises(redis.AuthenticationError):
        wrong.ping()


def test_redis_py_knows_what_is_said_about_users(engine):
    client = carnelian.Redis(engine=engine, decode_responses=True)
    assert client.acl_setuser(
        "bob", enabled=True, passwords=["+one"], commands=["+get", "-set"], keys=["b*"],
        channels=["c"],
    )  # fmt: skip
    shown: Any = client.acl_getuser("bob")
    assert shown["commands"] == ["+get", "-set"]
    assert "on" in shown["flags"]
    assert client.acl_users() == ["alice", "bob", "default"]
    assert client.acl_dryrun("bob", "get", "b1") == "OK"
    assert client.acl_deluser("bob") == 1
    assert client.acl_log() == []


def test_what_a_command_of_a_user_calls_is_judged(engine, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import carnelian\n"
        "@carnelian.command('MINE.COPY from to', 'write', keys=(1, 2, 1), categories='Mine')\n"
        "def copy(session, args):\n"
        "    session.call('SET', args[2], session.call('GET', args[1]))\n"
        "@carnelian.command('MINE.ANY', 'readonly', get_keys=lambda args: 1 / 0)\n"
        "def any(session, args):\n"
        "    return 'any'\n"
    )
    engine.execute("ACL", "SETUSER", "late", "on", "nopass", "+@all", "-@all")
    engine.load_module(path)
    engine.execute("SET", "a", "1")
    assert engine.execute("ACL", "CAT", "mine") == [b"mine.copy"]
    with engine.session(user="alice") as session:
        session.execute("MINE.COPY", "a", "a2")
        assert engine.execute("GET", "a2") == b"1"
        with pytest.raises(carnelian.Error, match="NOPERM No permissions to access a key"):
            session.execute("MINE.COPY", "a", "b")
        # A finder of keys that fails tells none, so that nothing is allowed.
        with pytest.raises(carnelian.Error, match="NOPERM No permissions to access a key"):
            session.execute("MINE.ANY")
        engine.execute("ACL", "SETUSER", "alice", "-set")
        with pytest.raises(carnelian.Error, match="NOPERM User alice has no permissions to run th"):
            session.execute("MINE.COPY", "a", "a3")
        engine.execute("ACL", "SETUSER", "alice", "-@mine")
        with pytest.raises(carnelian.Error, match=r"run the 'mine\.copy' command"):
            session.execute("MINE.COPY", "a", "a3")
    assert engine.execute("ACL", "DRYRUN", "late", "MINE.COPY", "a", "a") != "OK"


def test_rules_follow_what_is_loaded(engine, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import carnelian\n"
        "@carnelian.command('MINE.GET key', 'readonly', keys=1, categories='mine')\n"
        "def get(session, args):\n"
        "    return args[1]\n"
    )
    name = engine.load_module(path)
    engine.execute("ACL", "SETUSER", "bob", "on", "nopass", "~*", "+@mine", "+mine.get")
    engine.unload_module(name)
    with engine.session(user="bob") as session:
        with pytest.raises(carnelian.Error, match=r"unknown command"):
            session.execute("MINE.GET", "k")
        engine.load_module(path)
        assert session.execute("MINE.GET", "k") == b"k"


@pytest.mark.parametrize("categories", ["all", "a@b", "-", "é"])
def test_names_of_categories(categories):
    with pytest.raises(ValueError, match="is no name of an ACL category"):
        carnelian.command("X.Y", categories=categories)(lambda session, args: None)


def test_an_acl_file(tmp_path: Path) -> None:
    path = tmp_path / "users.acl"
    path.write_text("user alice on nopass ~* +get\n")
    with carnelian.Engine(aclfile=str(path), acl_pubsub_default="allchannels") as engine:
        assert engine.execute("ACL", "USERS") == [b"alice", b"default"]
        with engine.session(user="alice") as session:
            assert session.execute("GET", "k") is None
        assert engine.execute("ACL", "SAVE") is not None
    assert "user alice on nopass sanitize-payload ~* &* -@all +get\n" in path.read_text()
    path.write_text("nonsense\n")
    with pytest.raises(ValueError, match="should start with user keyword"):
        carnelian.Engine(aclfile=str(path))
