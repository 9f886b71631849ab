"""What users may not do they may not do in scripts either, however they come to run one."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from support.local import LocalClient

KEY = "return redis.call('GET', 'y1')"
COMMAND = "return redis.call('HSET', 'x1', 'f', 'v')"
CHANNEL = "return redis.call('PUBLISH', 'news', 'm')"
ALLOWED = "redis.call('SET', 'x1', 'v'); return redis.call('GET', 'x1')"
LIBRARY = """#!lua name=lib
redis.register_function('f', function(keys, args) return redis.call('GET', args[1]) end)
"""


@pytest.fixture
def bob(engine: Engine) -> LocalClient:
    """A client whose user may run scripts, and little else, with keys that begin with x."""
    root = LocalClient(engine)
    rules = ("+@scripting", "+acl|whoami", "+set", "+get", "+publish", "+multi", "+exec", "~x*")
    assert root("ACL", "SETUSER", "bob", "on", ">secret", "resetchannels", "&own*", *rules) == b"OK"
    assert root("FUNCTION", "LOAD", LIBRARY) == b"lib"
    client = LocalClient(engine)
    assert client("AUTH", "bob", "secret") == b"OK"
    return client


@pytest.mark.parametrize(
    ("script", "reason", "word"),
    [
        (KEY, "No permissions to access a key", b"y1"),
        (COMMAND, "User bob has no permissions to run the 'hset' command", b"hset"),
        (CHANNEL, "No permissions to access a channel", b"news"),
    ],
)
def test_a_script_is_refused(
    engine: Engine, bob: LocalClient, script: str, reason: str, word: bytes
) -> None:
    assert f"ERR ACL failure in script: {reason}" in bob.error("EVAL", script, 0)
    [newest] = engine.users.log.latest(1)
    assert (newest.context, newest.object, newest.user) == (b"lua", word, b"bob")


def test_what_is_allowed_runs(bob: LocalClient) -> None:
    assert bob("EVAL", ALLOWED, 0) == b"v"
    assert bob("FCALL", "f", 0, "x1") == b"v"


def test_functions_are_refused(bob: LocalClient) -> None:
    assert "No permissions to access a key" in bob.error("FCALL", "f", 0, "y1")


def test_declared_keys_are_looked_at_before_the_script_runs(bob: LocalClient) -> None:
    assert bob.error("EVAL", "return 1", 1, "y") == "NOPERM No permissions to access a key"


def test_in_transactions(bob: LocalClient) -> None:
    bob("MULTI")
    bob("EVAL", KEY, 0)
    [failure] = bob("EXEC")
    assert "No permissions to access a key" in str(failure)


def test_rights_end_with_the_script(engine: Engine, bob: LocalClient) -> None:
    root = LocalClient(engine)
    assert root("SET", "y1", "v") == b"OK"
    assert "No permissions" in bob.error("EVAL", KEY, 0)
    assert root("EVAL", KEY, 0) == b"v"
    assert "No permissions" in bob.error("EVAL", KEY, 0)


def test_asking_first(engine: Engine, bob: LocalClient) -> None:
    def may(*words: str) -> object:
        arguments = ", ".join(repr(word) for word in words)
        return bob("EVAL", f"return redis.acl_check_cmd({arguments})", 0)

    before = len(LocalClient(engine)("ACL", "LOG"))
    assert may("set", "x1", "v") == 1
    assert may("set", "y1", "v") is None
    assert may("hset", "x1", "f", "v") is None
    assert may("publish", "own1", "m") == 1
    assert may("publish", "news", "m") is None
    assert len(LocalClient(engine)("ACL", "LOG")) == before


def test_the_log_of_refusals_shows_who_called(engine: Engine, bob: LocalClient) -> None:
    root = LocalClient(engine)
    root("EVAL", "return redis.call('PING')", 0)
    bob.error("EVAL", KEY, 0)
    entry = root("ACL", "LOG")[0]
    facts = dict(zip(entry[::2], entry[1::2], strict=True)) if isinstance(entry, list) else entry
    assert facts[b"context"] == b"lua"
    line = facts[b"client-info"]
    assert line.startswith(b"id=%d " % bob.session.id)
    assert b" cmd=eval user=bob " in line


@pytest.mark.parametrize("words", ["'nothing'", "'get'", "'acl', 'nothing'"])
def test_asking_about_no_command(bob: LocalClient, words: str) -> None:
    error = bob.error("EVAL", f"return redis.acl_check_cmd({words})", 0)
    assert error.startswith("ERR Invalid command passed to redis.acl_check_cmd()")


def test_what_changes_rights_runs_in_no_script(bob: LocalClient) -> None:
    for words in ("'ACL', 'SETUSER', 'bob', 'allcommands'", "'AUTH', 'default', ''"):
        error = bob.error("EVAL", f"return redis.call({words})", 0)
        assert "not allowed from script" in error
