"""Input that a transport has taken from its socket, of which the poller knows nothing."""

from __future__ import annotations

from carnelian.engine.engine import Engine
from carnelian.net.loop import Loop
from carnelian.net.poller import socket_pair
from carnelian.server.connection import Connection, Hub
from support.transports import Hoarding
from support.wire import request


class Silent:
    """A log for what is none of this test's business."""

    def __call__(self, level: str, message: str) -> None:
        pass

    def enabled(self, level: str) -> bool:
        return False


def test_a_connection_serves_it_without_a_wait() -> None:
    loop = Loop()
    ours, theirs = socket_pair()
    hub = Hub(Engine(), loop, Silent())
    loop.hooks = hub
    connection = Connection(hub, Hoarding(loop, ours.detach()))
    hub.adopt(connection)
    text = "x" * 10_000
    theirs.send(request("ECHO", text) * 4)
    loop.turn()
    first = connection.input_total
    loop.turn()
    assert 0 < first < connection.input_total
    while connection.commands < 4:
        loop.turn()
    hub.flush()
    assert theirs.recv(1_000_000) == b"$10000\r\n%b\r\n" % text.encode() * 4
    hub.close_all()
    assert connection.transport.fd == -1
    loop.close()
    theirs.close()
