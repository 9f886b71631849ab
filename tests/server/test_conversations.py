"""Whole conversations, sent at once: the bytes that come back are those of redis-server."""

from __future__ import annotations

import re

import pytest

from support.servers import ReferenceServer
from support.wire import request

from .peers import Client, ServerProcess

# Each line is sent in one piece, followed by a PING that shows its end. {id} is the client's own.
CONVERSATIONS = """
CLIENT REPLY SKIP; PING; PING
CLIENT REPLY OFF; PING; CLIENT REPLY SKIP; PING; CLIENT REPLY ON
CLIENT REPLY SKIP; NO-SUCH; PING
CLIENT REPLY SKIP; SUBSCRIBE a; PING; UNSUBSCRIBE
CLIENT REPLY OFF; SUBSCRIBE a; UNSUBSCRIBE; RESET; PING
CLIENT REPLY SKIP; RESET; PING
CLIENT REPLY SKIP; CLIENT REPLY SKIP; PING; PING
CLIENT REPLY SKIP; CLIENT REPLY ON; PING
CLIENT REPLY SKIP; MULTI; PING; EXEC
CLIENT REPLY SKIP; CLIENT REPLY nonsense; PING
MULTI; CLIENT REPLY OFF; CLIENT REPLY ON; EXEC
CLIENT KILL SKIPME no ID {id}; PING
MULTI; QUIT; PING
MULTI; RESET; EXEC
QUIT a b c; PING
SUBSCRIBE a; RESET; GET k
SUBSCRIBE a; MULTI; PING; EXEC
HELLO 3; SUBSCRIBE a; PING; PING x; GET k; UNSUBSCRIBE a
HELLO 3; SUBSCRIBE a; HELLO 2; GET k; PING; UNSUBSCRIBE
HELLO 3; MULTI; SUBSCRIBE a b; PING; UNSUBSCRIBE a; EXEC; UNSUBSCRIBE b
MULTI; HELLO 3; PING; EXEC
MULTI; SELECT 3; SET x 1; EXEC; SELECT 0; GET x
MULTI; MONITOR; EXEC
CLIENT PAUSE 20 WRITE; SET a b; GET a; PING
CLIENT PAUSE 20 ALL; SET a b; GET a; PING
WATCH k; CLIENT PAUSE 20 WRITE; MULTI; SET k 1; EXEC; GET k
AUTH x y; RESET; QUIT
"""
LINES = [line for line in CONVERSATIONS.splitlines() if line]

# What each server says in its own way.
_OWN_FACTS = re.compile(rb"\$\d+\r\n\d+\.\d+\.\d+\r\n|\$2\r\nid\r\n:\d+\r\n")


def conversation(port: int, line: str) -> bytes:
    """All that a server answers, up to the last PING or the end of the connection."""
    client = Client(("127.0.0.1", port))
    own_id = str(client.call("CLIENT", "ID"))
    commands = [command.format(id=own_id).split() for command in line.split(";")]
    client.send(b"".join([request(*words) for words in [*commands, ("PING", "end")]]))
    received = b""
    while not received.endswith(b"$3\r\nend\r\n"):
        try:
            part = client.socket.recv(65536)
        except ConnectionResetError:
            part = b""
        if not part:
            break
        received += part
    client.close()
    return _OWN_FACTS.sub(b"", received)


@pytest.mark.parametrize("line", LINES)
def test_conversation(server: ServerProcess, redis_server: ReferenceServer, line: str) -> None:
    assert conversation(server.port, line) == conversation(redis_server.port, line)
