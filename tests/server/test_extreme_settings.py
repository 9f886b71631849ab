"""A running server takes every value that its directives allow, and goes on serving."""

from __future__ import annotations

import re

import pytest

from carnelian.engine.config.directive import Integer
from carnelian.engine.config.directives import DIRECTIVES
from server.peers import ServerProcess

NOT_OURS = re.compile(rb"-.*[A-Z]\w*(Error|Exception)\b")
# What would move the server, or make it slow, or end it.
LEFT_OUT = {"port", "tls-port", "maxclients", "rdb-key-save-delay", "key-load-delay"}

NUMBERS = [
    directive
    for directive in DIRECTIVES
    if isinstance(directive, Integer)
    and "immutable" not in directive.flags
    and directive.name not in LEFT_OUT
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = ServerProcess(tmp_path_factory.mktemp("extreme"), "--save", "")
    yield server.wait_until_ready()
    server.stop()


@pytest.mark.parametrize("directive", NUMBERS, ids=lambda directive: directive.name)
def test_least_and_most(server, directive):
    client, other = server.connect(), server.connect()
    usual = client.call("CONFIG", "GET", directive.name)[1]
    for value in (directive.maximum, directive.maximum - 1, directive.minimum):
        reply = client.call("CONFIG", "SET", directive.name, value)
        assert not NOT_OURS.match(reply), (value, reply)
        # Some are brought into bounds of their own, or cut this client off.
        for words in (
            ("SET", "k", "v"), ("RPUSH", "l", *range(300)), ("SADD", "s", *range(300)),
            ("HSET", "h", *range(300)), ("ZADD", "z", *range(300)), ("XADD", "x", "*", "f", "v"),
            ("PFADD", "p", *range(300)), ("INFO",), ("CLIENT", "LIST"), ("SLOWLOG", "GET"),
            ("LATENCY", "LATEST"), ("GET", "k"), ("EXPIRE", "k", 100), ("FLUSHALL",),
        ):  # fmt: skip
            reply = other.call(*words)
            assert not (isinstance(reply, bytes) and NOT_OURS.match(reply)), (value, words, reply)
            if reply == b"":
                other = server.connect()
        client = server.connect()
        assert client.call("CONFIG", "SET", directive.name, usual) == b"+OK"
    log = server.log
    assert "Traceback" not in log, log[-2000:]
    client.close()
    other.close()
