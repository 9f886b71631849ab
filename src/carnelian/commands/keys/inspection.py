"""OBJECT: what is known of a value beside its content."""

from __future__ import annotations

from carnelian.engine.declaring import at, command
from carnelian.engine.help import container
from carnelian.engine.session import Session
from carnelian.resp.replies import Error

GROUP = "generic"

_SWITCHING = (
    "Please note that when switching between policies at runtime LRU and LFU data will take some "
    "time to adjust."
)

# Small integers count as shared by all keys, as in Redis: they have this many references.
_SHARED_INTEGERS = 10_000
_SHARED = (1 << 31) - 1

container(
    "OBJECT",
    group="generic",
    since="2.2.3",
    summary="Holds the commands that tell how a value is kept.",
    help_since="6.2.0",
)


@command(
    "OBJECT ENCODING key",
    "readonly",
    keys=at(2, "RO"),
    categories="keyspace",
    hints="nondeterministic_output",
)
def encoding(session: Session, args: list[bytes]) -> object:
    """Replies with the name of the representation of a value.

    Since 2.2.3, O(1)
    """
    return session.db.encoding(args[2]) if _is_there(session, args[2]) else None


@command(
    "OBJECT FREQ key",
    "readonly",
    keys=at(2, "RO"),
    categories="keyspace",
    hints="nondeterministic_output",
)
def freq(session: Session, args: list[bytes]) -> object:
    """Replies with how often a key is used, on a logarithmic scale of 0 to 255.

    Since 4.0.0, O(1)
    """
    if not _is_there(session, args[2]):
        return None
    if not session.keyspace.lfu:
        raise Error(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. "
            + _SWITCHING
        )
    return session.db.frequency(args[2])


@command(
    "OBJECT IDLETIME key",
    "readonly",
    keys=at(2, "RO"),
    categories="keyspace",
    hints="nondeterministic_output",
)
def idletime(session: Session, args: list[bytes]) -> object:
    """Replies with the seconds since a key was last used.

    Since 2.2.3, O(1)
    """
    if not _is_there(session, args[2]):
        return None
    if session.keyspace.lfu:
        raise Error("ERR An LFU maxmemory policy is selected, idle time not tracked. " + _SWITCHING)
    return session.db.idle_seconds(args[2])


@command(
    "OBJECT REFCOUNT key",
    "readonly",
    keys=at(2, "RO"),
    categories="keyspace",
    hints="nondeterministic_output",
)
def refcount(session: Session, args: list[bytes]) -> object:
    """Replies with the number of references to a value.

    Since 2.2.3, O(1)
    """
    db, key = session.db, args[2]
    if not _is_there(session, key):
        return None
    shared = db.encoding(key) == b"int" and 0 <= int(db.peek(key)) < _SHARED_INTEGERS
    return _SHARED if shared and not _counts_uses(session) else 1


def _is_there(session: Session, key: bytes) -> bool:
    """Whether a key exists: counted as a read, but neither touched nor told of if it does not."""
    present = session.db.has(key)
    stats = session.keyspace.stats
    stats.hits += present
    stats.misses += not present
    return present


def _counts_uses(session: Session) -> bool:
    """Whether evictions need every value to have an access clock of its own."""
    config = session.engine.config
    return config["maxmemory"] > 0 and "-l" in config["maxmemory-policy"]
