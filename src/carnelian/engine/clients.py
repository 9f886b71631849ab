"""Sessions as CLIENT LIST and the log show them.

See https://redis.io/docs/latest/commands/client-list/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from carnelian.engine.session import (
    FLAG_MONITOR,
    FLAG_NO_EVICT,
    FLAG_NO_TOUCH,
    FLAG_PRIMARY,
    FLAG_REPLICA,
)

if TYPE_CHECKING:
    from carnelian.engine.session import Session

# What a session that has no socket has in the place of its fields.
_NO_CARRIER: dict[str, object] = {
    "addr": "", "laddr": "", "fd": -1, "flags": "", "qbuf": 0, "qbuf-free": 0, "argv-mem": 0,
    "rbs": 0, "rbp": 0, "obl": 0, "oll": 0, "omem": 0, "tot-mem": 0, "events": "",
}  # fmt: skip

_KINDS = {
    b"normal": "normal",
    b"master": "master",
    b"replica": "replica",
    b"slave": "replica",
    b"pubsub": "pubsub",
}


def kind(session: Session) -> str:
    """``normal``, ``master``, ``replica`` or ``pubsub``: whose buffer limits hold for it."""
    if session.flags & FLAG_PRIMARY:
        return "master"
    if session.flags & FLAG_REPLICA:
        return "replica"
    return "pubsub" if _is_subscribed(session) else "normal"


def kind_named(word: bytes) -> str | None:
    """The kind that a TYPE option asks for, in any case; ``None`` if there is none."""
    return _KINDS.get(word.lower())


def describe(session: Session) -> bytes:
    """The line of CLIENT LIST about a session, without a line end."""
    own = _NO_CARRIER | session.describe()
    now = session.engine.clock.ms // 1000
    transaction, watch = session.transaction, session.watch
    fields: list[tuple[str, object]] = [
        ("id", session.id),
        ("addr", own["addr"]),
        ("laddr", own["laddr"]),
        ("fd", own["fd"]),
        ("name", session.name),
        ("age", max(0, now - session.created_ms // 1000)),
        ("idle", max(0, now - session.active_ms // 1000)),
        ("flags", _letters(session, _text(own["flags"]))),
        ("db", session.db.index),
        ("sub", len(session.channels or ())),
        ("psub", len(session.patterns or ())),
        ("ssub", len(session.shard_channels or ())),
        ("multi", -1 if transaction is None else len(transaction.queue)),
        ("watch", 0 if watch is None else len(watch.places)),
        ("qbuf", own["qbuf"]),
        ("qbuf-free", own["qbuf-free"]),
        ("argv-mem", own["argv-mem"]),
        ("multi-mem", 0 if transaction is None else transaction.memory),
        ("rbs", own["rbs"]),
        ("rbp", own["rbp"]),
        ("obl", own["obl"]),
        ("oll", own["oll"]),
        ("omem", own["omem"]),
        ("tot-mem", own["tot-mem"]),
        ("events", own["events"]),
        ("cmd", b"NULL" if session.command is None else session.command.name),
        ("user", session.user),
        ("redir", -1),
        ("resp", session.protocol),
        ("lib-name", session.lib_name),
        ("lib-ver", session.lib_ver),
    ]
    line = " ".join([f"{name}={_text(value)}" for name, value in fields])
    return line.encode("utf-8", "surrogateescape")


def _letters(session: Session, own: str) -> str:
    """The flags in Redis's order; ``own`` are those of the carrier: c, A and U."""
    flags, watch = session.flags, session.watch
    marks = (
        ("O", flags & FLAG_MONITOR),
        ("S", flags & FLAG_REPLICA),
        ("M", flags & FLAG_PRIMARY),
        ("P", _is_subscribed(session)),
        ("x", session.transaction is not None),
        ("b", session.blocked is not None),
        ("d", watch is not None and watch.broken),
        ("c", "c" in own),
        ("A", "A" in own),
        ("U", "U" in own),
        ("e", flags & FLAG_NO_EVICT),
        ("T", flags & FLAG_NO_TOUCH),
    )
    return "".join([letter for letter, present in marks if present]) or "N"


def _is_subscribed(session: Session) -> bool:
    return bool(session.channels or session.patterns or session.shard_channels)


def _text(value: object) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
