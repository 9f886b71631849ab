"""DEBUG: for tests and for those who look into the engine; not for applications.

Features add subcommands of their own to ``engine.debug_commands``.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from carnelian.datatypes.collections import quicklist
from carnelian.engine import data_digest
from carnelian.engine.config.quantities import parse_memory
from carnelian.engine.declaring import command
from carnelian.engine.session import Session
from carnelian.keyspace.sparing import DIGESTING
from carnelian.persistence.aof.append_commands import debug_flush_sleep, debug_load
from carnelian.persistence.saving.save_commands import debug_reload, debug_skip_sums
from carnelian.resp.numbers import parse_float, parse_int
from carnelian.resp.replies import (
    NO_SUCH_KEY,
    OK,
    Attribute,
    BigNumber,
    Error,
    FlatMap,
    FlatSet,
    Push,
    Several,
    Status,
    Verbatim,
)

GROUP = "server"

Handler = Callable[[Session, list[bytes]], object]


@command("DEBUG", "admin noscript loading stale protected", arity=-2, syscmd=True)
def debug(session: Session, args: list[bytes]) -> object:
    """Looks into the engine, or disturbs it, for tests.

    Since 1.0.0, Depends on the subcommand
    """
    name = args[1].lower()
    handler = session.engine.debug_commands.get(name)
    if handler is None:
        lowest, highest, handler = _SUBCOMMANDS.get(name, (0, -1, _help))
        if not lowest <= len(args) - 2 <= highest:
            raise _wrong_subcommand(args)
    return handler(session, args)


def _wrong_subcommand(args: list[bytes]) -> Error:
    return Error(
        b"ERR unknown subcommand or wrong number of arguments for '%s'. Try DEBUG HELP."
        % args[1][:128]
    )


def _help(session: Session, args: list[bytes]) -> list[Status]:
    names = sorted({*_SUBCOMMANDS, *session.engine.debug_commands})
    lines = [b"DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"]
    return [Status(line) for line in lines + [name.upper() for name in names]]


# A month, in seconds.
_LONGEST_SLEEP = 30 * 24 * 3600


def _sleep(session: Session, args: list[bytes]) -> object:
    """Hold everything up for so many seconds; not at all for what is no such number."""
    try:
        seconds = parse_float(args[2])
    except Error:
        return OK
    if seconds > 0:
        time.sleep(min(seconds, _LONGEST_SLEEP))
    return OK


def _set_active_expire(session: Session, args: list[bytes]) -> object:
    session.keyspace.active_expire = parse_int(args[2]) != 0
    return OK


def _of_all_held(handler: Handler) -> Handler:
    """Have a handler see keys whose time is over, for as long as they are there."""

    def handle(session: Session, args: list[bytes]) -> object:
        session.keyspace.spare_overdue(DIGESTING)
        try:
            return handler(session, args)
        finally:
            session.keyspace.cease_sparing(DIGESTING)

    return handle


def _object(session: Session, args: list[bytes]) -> Status:
    db, key = session.db, args[2]
    if not db.holds(key):
        raise NO_SUCH_KEY
    idle = db.idle_seconds(key) or 0
    value = db.peek(key)
    length = len(value) + 1 if isinstance(value, bytes) else value.memory()
    text = b"Value at:0x%x refcount:1 encoding:%s serializedlength:%d lru:%d lru_seconds_idle:%d"
    text %= (id(value), db.encoding(key), length, _lru_clock(session) - idle, idle)
    return Status(text + (b"" if isinstance(value, bytes) else value.details()))


def _lru_clock(session: Session) -> int:
    return session.engine.clock.ms // 1000 & 0xFFFFFF


def _sdslen(session: Session, args: list[bytes]) -> Status:
    db, key = session.db, args[2]
    if not db.holds(key):
        raise NO_SUCH_KEY
    value = db.peek(key)
    if not isinstance(value, bytes) or db.encoding(key) == b"int":
        raise Error("ERR Not an sds encoded string.")
    # Both stand in one block, whose room to grow is told by MEMORY USAGE.
    return Status(
        b"key_sds_len:%d, key_sds_avail:0, key_zmalloc: %d, "
        b"val_sds_len:%d, val_sds_avail:0, val_zmalloc: %d"
        % (len(key), len(key), len(value), len(value))
    )


def _listpack(session: Session, args: list[bytes]) -> Status:
    """Log the elements of a listpack."""
    value = _encoded(session, args[2], b"listpack")
    lines = [f"{{{index} {item!r}}}" for index, item in enumerate(value)]
    session.engine.log("warning", "\n".join([f"{{elements {len(lines)}}}", *lines]))
    return Status(b"Listpack structure printed on stdout")


def _quicklist(session: Session, args: list[bytes]) -> Status:
    """Log the nodes of a list, and its elements if a number other than 0 asks for them."""
    value = _encoded(session, args[2], b"quicklist")
    nodes = value.quicklist
    lines = [f"{{count {nodes.count} nodes {nodes.nodes} fill {nodes.fill} depth {nodes.depth}}}"]
    for plain, count, size, stream in nodes.describe():
        kind = "plain" if plain else "packed"
        lines.append(f"{{node {kind} count {count} size {size} compressed {stream}}}")
    if len(args) > 3 and args[3].strip(b"0"):
        lines += [repr(item) for item in value]
    session.engine.log("warning", "\n".join(lines))
    return Status(b"Quicklist structure printed on stdout")


def _encoded(session: Session, key: bytes, encoding: bytes) -> Any:
    """The value of a key; raises Error if there is none or it has another encoding."""
    if not session.db.has(key):
        raise NO_SUCH_KEY
    if session.db.encoding(key) != encoding:
        raise Error(b"ERR Not a %s encoded object." % encoding)
    return session.db.peek(key)


def _packed_threshold(session: Session, args: list[bytes]) -> object:
    """Bytes from which on elements of lists are nodes of their own; 0: as the limits say."""
    size = parse_memory(args[2])
    if size is None or size > _HIGHEST_THRESHOLD:
        raise Error("ERR argument must be a memory value bigger than 1 and smaller than 4gb")
    quicklist.set_large_from(size)
    return OK


_HIGHEST_THRESHOLD = (1 << 32) - (1 << 20)


def _populate(session: Session, args: list[bytes]) -> object:
    """Make keys ``prefix:0`` to ``prefix:count-1``, with values of a size if it is given."""
    count = _positive(args[2])
    prefix = args[3] if len(args) > 3 else b"key"
    size = _positive(args[4]) if len(args) > 4 else 0
    db = session.db
    for number in range(count):
        key = b"%s:%d" % (prefix, number)
        if db.holds(key):
            continue
        value = b"value:%d" % number
        if size:
            value = value[:size].ljust(size, b"\0")
        db.set_string(key, value)
        if session.keyspace.observer is not None:
            session.engine.changes(db, key, 0, b"")
    return OK


def _positive(word: bytes) -> int:
    number = parse_int(word)
    if number < 0:
        raise Error("ERR value is out of range, must be positive")
    return number


def _digest(session: Session, args: list[bytes]) -> Status:
    return Status(data_digest.of_everything(session.engine).hex().encode())


def _digest_value(session: Session, args: list[bytes]) -> list[Status]:
    found = []
    for key in args[2:]:
        entry = data_digest.Digest()
        data_digest.of_value(session.db, key, entry)
        found.append(Status(entry.value().hex().encode()))
    return found


def _protocol(session: Session, args: list[bytes]) -> object:
    """One reply of the type that is named."""
    name = args[2].lower()
    if name == b"push":
        if session.protocol < 3:
            raise Error("ERR RESP2 is not supported by this command")
        return Several(
            [Push([b"server-cpu-usage", 42]), b"Some real reply following the push reply"]
        )
    if name not in _SAMPLES:
        raise Error(
            "ERR Wrong protocol type name. Please use one of the following: string|integer|double|"
            "bignum|null|array|set|map|attrib|push|verbatim|true|false"
        )
    return _SAMPLES[name]


_SAMPLES: dict[bytes, object] = {
    b"string": b"Hello World",
    b"integer": 12345,
    b"double": 3.141,
    b"bignum": BigNumber(1234567999999999999999999999999999999),
    b"null": None,
    b"array": [0, 1, 2],
    b"set": FlatSet([0, 1, 2]),
    b"map": FlatMap([0, False, 1, True, 2, False]),
    b"attrib": Attribute(
        {b"key-popularity": [b"key:123", 90]}, b"Some real reply following the attribute"
    ),
    b"verbatim": Verbatim(b"This is a verbatim\nstring"),
    b"true": True,
    b"false": False,
}


def _error(session: Session, args: list[bytes]) -> object:
    raise Error(args[2])


def _log(session: Session, args: list[bytes]) -> object:
    session.engine.log("warning", f"DEBUG LOG: {args[2].decode('utf-8', 'backslashreplace')}")
    return OK


def _structsize(session: Session, args: list[bytes]) -> bytes:
    return b"bits:64 entry:8 bucket:64 "


def _htstats(session: Session, args: list[bytes]) -> Verbatim:
    databases = session.keyspace.databases
    index = parse_int(args[2])
    if not 0 <= index < len(databases):
        raise Error("ERR Out of range database")
    tables = databases[index].table_stats
    lines = ["[Dictionary HT]", *_table(tables["keys"])]
    lines += ["[Expires HT]", *_table(tables["expires"])]
    return Verbatim("\n".join(lines).encode() + b"\n")


def _table(figures: dict[str, int]) -> list[str]:
    return [f" {name.replace('_', ' ')}: {figure}" for name, figure in figures.items()]


def _rewrite_config(session: Session, args: list[bytes]) -> object:
    session.engine.config.rewrite(force_all=True)
    return OK


def _pause_cron(session: Session, args: list[bytes]) -> object:
    session.engine.cron_paused = parse_int(args[2]) != 0
    return OK


def _accept(session: Session, args: list[bytes]) -> object:
    """A switch of something that does not exist here."""
    return OK


def _crash(session: Session, args: list[bytes]) -> object:
    os.kill(os.getpid(), signal.SIGSEGV)
    return OK


def _panic(session: Session, args: list[bytes]) -> object:
    session.engine.log("warning", "DEBUG asked for a crash")
    os.abort()


# Name -> (fewest words after it, most words after it, handler).
_SUBCOMMANDS: dict[bytes, tuple[int, int, Handler]] = {
    b"help": (0, 0, _help),
    b"sleep": (1, 1, _sleep),
    b"set-active-expire": (1, 1, _set_active_expire),
    b"object": (1, 1, _of_all_held(_object)),
    b"sdslen": (1, 1, _of_all_held(_sdslen)),
    b"populate": (1, 3, _populate),
    b"digest": (0, 0, _digest),
    b"digest-value": (0, 1 << 30, _of_all_held(_digest_value)),
    b"protocol": (1, 1, _protocol),
    b"error": (1, 1, _error),
    b"log": (1, 1, _log),
    b"structsize": (0, 0, _structsize),
    b"htstats": (1, 1, _htstats),
    b"config-rewrite-force-all": (0, 0, _rewrite_config),
    b"pause-cron": (1, 1, _pause_cron),
    b"aof-flush-sleep": (1, 1, debug_flush_sleep),
    b"loadaof": (0, 0, debug_load),
    b"reload": (0, 3, debug_reload),
    b"set-skip-checksum-validation": (1, 1, debug_skip_sums),
    b"listpack": (1, 1, _listpack),
    b"quicklist": (1, 2, _quicklist),
    b"quicklist-packed-threshold": (1, 1, _packed_threshold),
    b"set-disable-deny-scripts": (1, 1, _accept),
    b"segfault": (0, 0, _crash),
    b"panic": (0, 0, _panic),
    b"assert": (0, 0, _panic),
}
