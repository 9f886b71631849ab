"""Clients that write to slots while these move, and know what they were promised."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import redis

from cluster.moving_nodes import MovingNode

_UNREACHABLE = (redis.ConnectionError, redis.TimeoutError, OSError)


class LoadingClient(threading.Thread):
    """A client that writes one after the other, and goes where it is sent.

    - ``acknowledged``: how often each counter was increased, for certain;
    - ``doubtful``: and how often nobody knows, as there was no reply;
    - ``errors``: replies that were neither what they should be nor MOVED.

    Args:
        nodes: where to ask.
        tags: of the keys, one for each slot.
        number: of the client; no other has its keys.
        forgiven: errors that are to be expected where nodes are killed.
    """

    def __init__(
        self,
        nodes: Sequence[MovingNode],
        tags: Sequence[str],
        number: int,
        forgiven: tuple[type[Exception], ...] = (),
    ):
        super().__init__(daemon=True)
        self._nodes = {node.port: node for node in nodes}
        self._tags = tags
        self._number = number
        self._forgiven = forgiven
        self._at = dict.fromkeys(tags, nodes[0].port)
        self._clients: dict[int, redis.Redis] = {}
        self.acknowledged = dict.fromkeys(tags, 0)
        self.doubtful = dict.fromkeys(tags, 0)
        self.redirected = 0
        self.errors: list[str] = []
        self.slowest = 0.0
        self._ended = threading.Event()

    def end(self) -> None:
        """Stop writing, and wait for the last reply."""
        self._ended.set()
        self.join(60)
        assert not self.is_alive()

    def keys(self, tag: str) -> dict[str, str]:
        """Its keys under a tag."""
        names = ("counter", "list", "hash", "zset", "set", "stream", "left", "right", "brief")
        return {name: f"{tag}{name}{self._number}" for name in names}

    def run(self) -> None:
        """Write until the end."""
        count = 0
        while not self._ended.is_set():
            for tag in self._tags:
                count += 1
                self._write(tag, count)

    def _write(self, tag: str, count: int) -> None:
        keys, before = self.keys(tag), self.acknowledged[tag] + self.doubtful[tag]
        # One unit, so that all of its keys have counted the same.
        reply = self._ask(
            tag,
            [
                ("INCR", keys["counter"]),
                ("RPUSH", keys["list"], count),
                ("HINCRBY", keys["hash"], f"f{count % 7}", 1),
                ("ZINCRBY", keys["zset"], 1, f"m{count % 5}"),
                ("SADD", keys["set"], count),
                ("XADD", keys["stream"], "*", "n", count),
            ],
        )
        if reply is not None and self.doubtful[tag] == 0 and reply[0] != before + 1:
            self.errors.append(f"{tag} counts {reply[0]}, not {before + 1}")
        self._ask(tag, [("MSET", keys["left"], count, keys["right"], count)], counts=False)
        pair = self._ask(tag, [("MGET", keys["left"], keys["right"])], counts=False)
        if pair is not None and pair[0][0] != pair[0][1]:
            self.errors.append(f"{tag} has halves: {pair}")
        self._ask(tag, [("SET", keys["brief"], count, "PX", 40 + count % 60)], counts=False)

    def _ask(self, tag: str, commands: list[tuple], counts: bool = True) -> list | None:
        while not self._ended.is_set() or counts:
            port = self._at[tag]
            began = time.monotonic()
            try:
                reply = self._run(port, commands)
            except redis.exceptions.MovedError as error:
                self._at[tag] = error.port
                self.redirected += 1
                continue
            except redis.exceptions.ExecAbortError:
                # One of its commands was sent elsewhere: ask one alone where.
                if not self._find(tag, commands[0]):
                    return None
                continue
            except redis.ResponseError as error:
                if not isinstance(error, self._forgiven):
                    self.errors.append(f"{type(error).__name__}: {error}")
                self._go_elsewhere(tag)
                return None
            except _UNREACHABLE:
                self._clients.pop(port, None)
                if counts:
                    self.doubtful[tag] += 1
                self._go_elsewhere(tag)
                return None
            self.slowest = max(self.slowest, time.monotonic() - began)
            if counts:
                self.acknowledged[tag] += 1
            return reply
        return None

    def _find(self, tag: str, command: tuple) -> bool:
        try:
            self._client(self._at[tag]).execute_command("EXISTS", command[1])  # type: ignore[no-untyped-call]
        except redis.exceptions.MovedError as error:
            self._at[tag] = error.port
            self.redirected += 1
        except redis.ResponseError as error:
            if not isinstance(error, self._forgiven):
                self.errors.append(f"{type(error).__name__}: {error}")
            self._go_elsewhere(tag)
            return False
        except _UNREACHABLE:
            self._clients.pop(self._at[tag], None)
            self._go_elsewhere(tag)
            return False
        return True

    def _go_elsewhere(self, tag: str) -> None:
        ports = list(self._nodes)
        self._at[tag] = ports[(ports.index(self._at[tag]) + 1) % len(ports)]
        time.sleep(0.02)

    def _client(self, port: int) -> redis.Redis:
        client = self._clients.get(port)
        if client is None:
            client = self._clients[port] = self._nodes[port].connection(socket_timeout=20)
        return client

    def _run(self, port: int, commands: list[tuple]) -> list:
        client = self._client(port)
        if len(commands) == 1:
            return [client.execute_command(*commands[0])]  # type: ignore[no-untyped-call]
        pipeline = client.pipeline(transaction=True)
        pipeline.response_callbacks.clear()
        for command in commands:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
        return pipeline.execute()


def check(client: LoadingClient, node: MovingNode, tag: str) -> None:
    """What a node has of a client's keys is what the client was promised."""
    keys = client.keys(tag)
    counted = int(node("GET", keys["counter"]) or 0)
    least = client.acknowledged[tag]
    assert least <= counted <= least + client.doubtful[tag], (tag, least, counted)
    for verb, name in (("LLEN", "list"), ("SCARD", "set"), ("XLEN", "stream")):
        assert node(verb, keys[name]) == counted, (name, tag)
    assert sum(int(value) for value in node("HVALS", keys["hash"])) == counted
    scores = node("ZRANGE", keys["zset"], 0, -1, "WITHSCORES")[1::2]
    assert sum(float(score) for score in scores) == counted
    numbers = [int(value) for value in node("LRANGE", keys["list"], 0, -1)]
    assert numbers == sorted(set(numbers))
