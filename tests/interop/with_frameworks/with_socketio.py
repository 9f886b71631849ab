"""python-socketio's manager: what a program emits reaches the clients of another one."""

from __future__ import annotations

import asyncio

import socketio
from settings import PATIENCE, part, url

EVENTS = 300


class Recorded(socketio.AsyncServer):
    """A server without sockets: what it would send to its clients is kept."""

    def __init__(self, manager: socketio.AsyncRedisManager):
        super().__init__(client_manager=manager, async_mode="asgi")
        self.sent: list[tuple[str, object]] = []

    async def _send_packet(self, eio_sid, pkt) -> None:
        self.sent.append((eio_sid, pkt.data))

    async def _send_eio_packet(self, eio_sid, eio_pkt) -> None:
        self.sent.append((eio_sid, eio_pkt.data))


def check() -> None:
    """Fails with an AssertionError, or whatever python-socketio raises."""
    asyncio.run(_check())


async def _check() -> None:
    servers = [Recorded(socketio.AsyncRedisManager(url(14))) for _ in range(2)]
    sids = []
    for number, server in enumerate(servers):
        server.manager.initialize()
        sids.append(await server.manager.connect(f"eio-{number}", "/"))
    await asyncio.sleep(1)
    outside = socketio.RedisManager(url(14), write_only=True)
    with part("events"):
        await _events(servers, outside)
    with part("rooms"):
        # A room of one server, filled by the other.
        await servers[0].manager.enter_room(sids[1], "/", "guests")
        await asyncio.sleep(0.5)
        outside.emit("hello", {"number": -1}, room="guests")
        await _until(lambda: len(servers[1].sent) == EVENTS + 1)
        assert len(servers[0].sent) == EVENTS


async def _events(servers: list[Recorded], outside: socketio.RedisManager) -> None:
    for number in range(EVENTS):
        outside.emit("news", {"number": number})
    for server in servers:
        await _until(lambda server=server: len(server.sent) == EVENTS)
        numbers = [_number(data) for _, data in server.sent]
        assert numbers == list(range(EVENTS))


def _number(data: object) -> int:
    if isinstance(data, list):
        return data[1]["number"]
    return int(str(data).split('"number":')[1].rstrip("}]"))


async def _until(condition) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.02)
