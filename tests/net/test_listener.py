"""What a listener accepts, and of which kind that is."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from carnelian.net.listener import Listener, ListenError, open_sockets, tcp_socket
from carnelian.net.loop import Loop
from carnelian.net.transport import Transport


class Hall:
    """Takes in everybody."""

    def __init__(self, loop: Loop):
        self.loop = loop
        self.taken: list[Transport] = []

    def most(self) -> int:
        return 2

    def admit(self, listener: Listener, sock: socket.socket, address: tuple) -> None:
        sock.setblocking(False)
        self.taken.append(listener.make_transport(self.loop, sock.detach()))

    def failed(self, error: OSError) -> None:
        raise error


class Special(Transport):
    """Of another kind."""


@pytest.fixture
def hall() -> Iterator[Hall]:
    hall = Hall(Loop())
    yield hall
    for transport in hall.taken:
        transport.close()
    hall.loop.close()


@pytest.mark.parametrize("kind", [Transport, Special])
def test_the_listener_says_which_kind_of_transport(hall: Hall, kind: type[Transport]) -> None:
    listener = Listener(hall.loop, tcp_socket("127.0.0.1", 0, 10), hall, kind)
    clients = [socket.create_connection(listener.sock.getsockname()) for _ in range(3)]
    hall.loop.turn()
    assert [type(transport) for transport in hall.taken] == [kind] * 2
    hall.loop.turn()
    assert len(hall.taken) == 3
    for client, transport in zip(clients, hall.taken, strict=True):
        client.send(b"hello")
        assert transport.read(10) == b"hello"
        client.close()
    listener.close()


def test_where_nobody_can_listen() -> None:
    said: list[str] = []
    assert open_sockets(0, ["127.0.0.1"], 10, said.append) == []
    with pytest.raises(ListenError):
        open_sockets(1234, ["203.0.113.1"], 10, said.append)
    assert len(said) == 1
    assert said[0].startswith("Could not create server TCP listening socket 203.0.113.1:1234: bind")
    assert open_sockets(1234, ["-203.0.113.1"], 10, said.append) == []
