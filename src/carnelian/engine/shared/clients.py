"""Sessions as CLIENT LIST and the log show them.

See https://redis.io/docs/latest/commands/client-list/
"""

from __future__ import annotations

from typing import Any

from cython.cimports.carnelian.engine.ground.flags import (
    FLAG_MONITOR,
    FLAG_NO_EVICT,
    FLAG_NO_TOUCH,
    FLAG_PRIMARY,
    FLAG_READONLY,
    FLAG_REPLICA,
)
from cython.cimports.carnelian.engine.shared.client_state import Client

_LINE = (
    b"id=%d addr=%s laddr=%s fd=%d name=%s age=%d idle=%d flags=%s db=%d sub=%d psub=%d ssub=%d "
    b"multi=%d watch=%d qbuf=%d qbuf-free=%d argv-mem=%d multi-mem=%d rbs=%d rbp=%d obl=%d oll=%d "
    b"omem=%d tot-mem=%d events=%s cmd=%s user=%s redir=%d resp=%d lib-name=%s lib-ver=%s "
    b"io-thread=%d tot-net-in=%d tot-net-out=%d tot-cmds=%d"
)

# Bytes of a session's own objects, as far as they are always there.
OBJECT_SIZE = 1024

# Entries of dictionaries: a watched key's tuple and two entries, a subscription's two entries.
WATCH_SIZE = 250
SUBSCRIPTION_SIZE = 200
# The same for a prefix that a client tracks, with its bytes.
PREFIX_SIZE = 250

_KINDS = {
    b"normal": "normal",
    b"master": "master",
    b"replica": "replica",
    b"slave": "replica",
    b"pubsub": "pubsub",
}


def kind(session: Client) -> str:
    """``normal``, ``master``, ``replica`` or ``pubsub``: whose buffer limits hold for it."""
    if session.flags & FLAG_PRIMARY:
        return "master"
    if session.flags & FLAG_REPLICA:
        return "replica"
    return "pubsub" if _is_subscribed(session) else "normal"


def kind_named(word: bytes) -> str | None:
    """The kind that a TYPE option asks for, in any case; ``None`` if there is none."""
    return _KINDS.get(word.lower())


def describe(session: Client, now_ms: int) -> bytes:
    """The line of CLIENT LIST about a session at a time, without a line end."""
    described: dict[str, Any] = session.describe()
    carried = described.get
    now = now_ms // 1000
    transaction, watch = session.transaction or session.executing, session.watch
    channels, patterns, shards = session.channels, session.patterns, session.shard_channels
    return _LINE % (
        session.id,
        carried("addr", b""),
        carried("laddr", b""),
        carried("fd", -1),
        session.name,
        max(0, now - session.created_ms // 1000),
        max(0, now - session.active_ms // 1000),
        _letters(session, carried("flags", b"")),
        session.db.index,
        len(channels) if channels else 0,
        len(patterns) if patterns else 0,
        len(shards) if shards else 0,
        -1 if transaction is None else len(transaction.queue),
        0 if watch is None else len(watch.places),
        carried("qbuf", 0),
        carried("qbuf-free", 0),
        carried("argv-mem", 0),
        0 if transaction is None else transaction.memory,
        carried("rbs", 0),
        carried("rbp", 0),
        carried("obl", 0),
        carried("oll", 0),
        carried("omem", 0),
        carried("tot-mem", 0),
        carried("events", b""),
        _command_name(session),
        session.user,
        -1 if session.tracking is None else session.tracking.redirect,
        session.protocol,
        session.lib_name,
        session.lib_ver,
        0,
        carried("tot-net-in", 0),
        carried("tot-net-out", 0),
        session.commands,
    )


def _command_name(session: Client) -> bytes:
    """What the client has asked for last, whatever became of it."""
    if session.executing is not None:
        return b"exec"
    return b"NULL" if session.command is None else session.command.name


def transaction_memory(session: Client) -> int:
    """Bytes of what MULTI has queued and WATCH watches."""
    queued = session.transaction.memory if session.transaction is not None else 0
    watched = len(session.watch.places) if session.watch is not None else 0
    return queued + watched * WATCH_SIZE


def subscription_memory(session: Client) -> int:
    """Bytes of the entries that subscriptions take; the names are shared."""
    count = session.subscription_count() + len(session.shard_channels or ())
    return count * SUBSCRIPTION_SIZE


def tracking_memory(session: Client) -> int:
    """Bytes of the prefixes that a client tracks."""
    return len(session.tracking.prefixes) * PREFIX_SIZE


def fieldset_memory(session: Client) -> int:
    """Bytes of the fields that a client has prepared. O(sets of them)."""
    return sum([size for _, size in (session.fieldsets or {}).values()])


def _letters(session: Client, own: bytes) -> bytes:
    """The flags in Redis's order; ``own`` are those of the carrier: c, A and U."""
    flags, watch = session.flags, session.watch
    letters = b""
    if flags & FLAG_MONITOR:
        letters += b"O"
    if flags & FLAG_REPLICA:
        letters += b"S"
    if flags & FLAG_PRIMARY:
        letters += b"M"
    if _is_subscribed(session):
        letters += b"P"
    if session.transaction is not None or session.executing is not None:
        letters += b"x"
    if session.blocked is not None:
        letters += b"b"
    if session.tracking is not None:
        letters += b"t"
        letters += b"R" * session.tracking.broken
        letters += b"B" * session.tracking.bcast
    if watch is not None and watch.broken:
        letters += b"d"
    letters += own
    if flags & FLAG_READONLY:
        letters += b"r"
    if flags & FLAG_NO_EVICT:
        letters += b"e"
    if flags & FLAG_NO_TOUCH:
        letters += b"T"
    return letters or b"N"


def _is_subscribed(session: Client) -> bool:
    return bool(session.channels or session.patterns or session.shard_channels)
