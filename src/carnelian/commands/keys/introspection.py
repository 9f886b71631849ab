"""OBJECT: what is known of a value beside its content."""

from __future__ import annotations

from carnelian.engine.registry import at, command, container
from carnelian.engine.session import Session
from carnelian.resp.replies import Error

_SWITCHING = (
    "Please note that when switching between policies at runtime LRU and LFU data will take some "
    "time to adjust."
)

container(
    "OBJECT",
    group="generic",
    since="2.2.3",
    summary="Holds the commands that tell how a value is kept.",
    help_since="6.2.0",
)


@command(
    "OBJECT ENCODING",
    arity=3,
    flags="readonly",
    keys=at(2, "RO"),
    group="generic",
    since="2.2.3",
    complexity="O(1)",
    summary="Replies with the name of the representation of a value.",
    arguments="key:key",
    categories="keyspace",
    hints="nondeterministic_output",
)
def encoding(session: Session, args: list[bytes]) -> object:
    return session.db.encoding(args[2])


@command(
    "OBJECT FREQ",
    arity=3,
    flags="readonly",
    keys=at(2, "RO"),
    group="generic",
    since="4.0.0",
    complexity="O(1)",
    summary="Replies with how often a key is used, on a logarithmic scale of 0 to 255.",
    arguments="key:key",
    categories="keyspace",
    hints="nondeterministic_output",
)
def freq(session: Session, args: list[bytes]) -> object:
    frequency = session.db.frequency(args[2])
    if frequency is not None and not session.keyspace.lfu:
        raise Error(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. "
            + _SWITCHING
        )
    return frequency


@command(
    "OBJECT IDLETIME",
    arity=3,
    flags="readonly",
    keys=at(2, "RO"),
    group="generic",
    since="2.2.3",
    complexity="O(1)",
    summary="Replies with the seconds since a key was last used.",
    arguments="key:key",
    categories="keyspace",
    hints="nondeterministic_output",
)
def idletime(session: Session, args: list[bytes]) -> object:
    seconds = session.db.idle_seconds(args[2])
    if seconds is not None and session.keyspace.lfu:
        raise Error("ERR An LFU maxmemory policy is selected, idle time not tracked. " + _SWITCHING)
    return seconds


@command(
    "OBJECT REFCOUNT",
    arity=3,
    flags="readonly",
    keys=at(2, "RO"),
    group="generic",
    since="2.2.3",
    complexity="O(1)",
    summary="Replies with the number of references to a value, which is 1.",
    arguments="key:key",
    categories="keyspace",
    hints="nondeterministic_output",
)
def refcount(session: Session, args: list[bytes]) -> object:
    return 1 if session.db.encoding(args[2]) is not None else None
