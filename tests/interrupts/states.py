"""What an engine and its sessions are like, and whether all of it fits together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import carnelian
from carnelian.engine.ground.flags import IN_MULTI, SUBSCRIBED
from interrupts.points import UNDISTURBED


class Broken(AssertionError):
    """Something is half changed."""


class Replica:
    """An engine that is told of every write, as an append-only file would be."""

    def __init__(self, source: carnelian.Engine):
        self._engine = carnelian.Engine()
        self._session = self._engine.session()
        self._taken: list[tuple[int, list[bytes]]] = []
        UNDISTURBED.add(self.take.__func__.__code__)  # type: ignore[attr-defined]
        source.core.effects.listen(self.take)

    def take(self, index: int, args: list[bytes]) -> None:
        """Hear of one write."""
        self._taken.append((index, list(args)))

    def data(self) -> dict[tuple[int, bytes], tuple[object, object]]:
        """What it comes to."""
        for index, args in self._taken:
            if index >= 0:
                self._session.box.select(index)
            reply = self._engine.core.execute(self._session.box, args)
            if isinstance(reply, carnelian.Error):
                raise Broken(f"{args} cannot be run again: {reply}")
        self._taken.clear()
        return data(self._engine)


def data(engine: carnelian.Engine) -> dict[tuple[int, bytes], tuple[object, object]]:
    """All keys with what they hold; expiry as its time."""
    found: dict[tuple[int, bytes], tuple[object, object]] = {}
    with engine.session() as session:
        for index in range(16):
            session.box.select(index)
            for key in session.execute("KEYS", "*"):
                value = session.execute("DUMP", key)
                if value is not None:
                    kind = session.execute("TYPE", key)
                    readable = _readable(session, key, kind)
                    found[index, key] = (readable, session.execute("PEXPIRETIME", key))
    return found


def _readable(session: Any, key: bytes, kind: bytes) -> object:
    match kind:
        case b"string":
            return session.execute("GET", key)
        case b"list":
            return session.execute("LRANGE", key, 0, -1)
        case b"set":
            return sorted(session.execute("SMEMBERS", key))
        case b"hash":
            flat = session.execute("HGETALL", key)
            return sorted(flat.items())
        case b"zset":
            return session.execute("ZRANGE", key, 0, -1, "WITHSCORES")
        case b"array":
            return session.execute("ARSCAN", key, 0, 2**64 - 2)
        case b"stream":
            return session.execute("XRANGE", key, "-", "+")
        case _:
            raise Broken(f"a type that nobody here can read: {kind!r}")


def sessions(engine: carnelian.Engine) -> list[tuple]:
    """What sessions have subscribed to, watch, have queued and wait for.

    One that is closed while the timer has its turn is taken out by that.
    """
    boxes: Iterable[Any] = engine.core.sessions
    return [_session(box) for box in boxes if not box.closed]


def _session(box: Any) -> tuple:
    return (
        box.id, box.db.index, box.gate, box.flags, box.reply_mode, box.name, box.protocol,
        sorted(box.channels or ()), sorted(box.patterns or ()), sorted(box.shard_channels or ()),
        None if box.transaction is None else [args for _, args in box.transaction.queue],
        None if box.watch is None else (sorted(box.watch.places), box.watch.broken),
        None if box.blocked is None else list(box.blocked.places),
    )  # fmt: skip


def check(engine: carnelian.Engine) -> None:
    """Raise Broken unless what the engine knows of its sessions is what they know themselves."""
    core = engine.core
    boxes: list[Any] = list(core.sessions)
    _same("depth", core.depth, 0)
    _same("interrupts", core.interrupts, [])
    _same("unit of propagation", list(core.effects._pending) if _reachable(core) else [], [])
    for hub, own in (
        (core.pubsub.channels, "channels"),
        (core.pubsub.patterns, "patterns"),
        (core.pubsub.shard_channels, "shard_channels"),
    ):
        known = {(name, box.id) for name, listeners in hub.items() for box in listeners}
        _same(own, known, {(name, box.id) for box in boxes for name in getattr(box, own) or ()})
        _same(f"empty {own}", [name for name, listeners in hub.items() if not listeners], [])
    watched = {(place, box.id) for place, watchers in core.watches.keys.items() for box in watchers}
    mine = {(place, box.id) for box in boxes if box.watch for place in box.watch.places}
    _same("watched keys", watched, mine)
    waiting = {
        (place, box.id)
        for place, kinds in core.blocking.waiters.items()
        for waiters in kinds.values()
        for box in waiters
    }
    blocked = [box for box in boxes if box.blocked is not None]
    _same("waiters", waiting, {(place, box.id) for box in blocked for place in box.blocked.places})
    _same("blocked sessions", core.blocking.count, len(blocked))
    _same("timed", core.blocking.timed, sum(1 for box in blocked if box.blocked.deadline_ms))
    followed = any(box.tracking is not None for box in boxes)
    wanted = core.config["notify-keyspace-events"] or followed
    interest = bool(watched or waiting or wanted)
    _same("observer", core.keyspace.observer is not None, interest)
    _same("monitored", core.monitored, len(core.monitors) > 0)
    for box in boxes:
        _same(f"transaction of {box.id}", box.transaction is not None, bool(box.gate & IN_MULTI))
        subscribed = bool(box.channels or box.patterns or box.shard_channels)
        _same(f"subscriptions of {box.id}", subscribed, bool(box.gate & SUBSCRIBED))


def _reachable(core: Any) -> bool:
    return hasattr(core.effects, "_pending")


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise Broken(f"{what}: {found!r}, but {expected!r}")
