"""DUMP and RESTORE: single values out and in, in the form that RDB files have them."""

import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import GENERIC
from cython.cimports.libc.stdint import int64_t

from carnelian.engine.declaring import at, command
from carnelian.persistence.bytes.file_errors import FormatError
from carnelian.persistence.rdb import payloads
from carnelian.persistence.saving.snapshots import snapshots_of
from carnelian.resp.numbers import format_int, parse_int
from carnelian.resp.replies import OK, SYNTAX_ERROR, Error

GROUP = "generic"

_RESTORE_ARGUMENTS = (
    "key:key ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] "
    "[IDLETIME seconds:integer@5.0.0] [FREQ frequency:integer@5.0.0]"
)


@command(
    "DUMP key",
    "readonly",
    keys=(at(1, "RO access"),),
    categories="keyspace",
    hints=("nondeterministic_output",),
)
def dump(session: Session, args: list):
    """Replies with a payload that RESTORE makes the value of.

    Since 2.6.0, O(N) for a value of N elements
    """
    config = cython.cast(Engine, session.engine).config
    return payloads.of_key(session.db, args[1], config["rdb-version"], config["rdbcompression"])


@command(
    f"RESTORE {_RESTORE_ARGUMENTS}",
    "write denyoom",
    keys=(at(1, "OW update"),),
    categories="keyspace dangerous",
)
def restore(session: Session, args: list):
    """Sets a key to the value that a payload of DUMP stands for.

    Since 2.6.0, O(N) for a value of N elements, O(N*log(N)) for a sorted set
    3.0.0: Added REPLACE.
    5.0.0: Added ABSTTL.
    5.0.0: Added IDLETIME and FREQ.
    """
    replace, absolute, idle, frequency = _options(args)
    db: Database = session.db
    key: bytes = args[1]
    data: bytes = args[3]
    if not replace and db.has(key):
        raise Error("BUSYKEY Target key name already exists.")
    ttl: int64_t = parse_int(args[2])
    if ttl < 0:
        raise Error("ERR Invalid TTL value, must be >= 0")
    value: object = _value(session.engine, data)
    before: bytes = db.former(key)
    deleted: cython.bint = replace and db.delete(key)
    if ttl and not absolute:
        ttl += db.keyspace.clock.ms
    if ttl and ttl <= db.keyspace.clock.ms:
        if deleted:
            session.rewrite([b"DEL", key])
            db.changed(key, GENERIC, b"del")
        return OK
    db.add(key, value, ttl if ttl else -1)
    if ttl and not absolute:
        session.rewrite([*args[:2], format_int(ttl), *args[3:], b"ABSTTL"])
    if db.keyspace.lfu:
        if frequency >= 0:
            db.set_frequency(key, frequency)
    elif idle >= 0:
        db.set_idle(key, idle)
    db.note(key)
    db.changed(key, GENERIC, b"restore")
    db.replaced(key, before)
    return OK


@command(
    f"RESTORE-ASKING {_RESTORE_ARGUMENTS}",
    "write denyoom asking",
    keys=(at(1, "OW update"),),
    categories="keyspace dangerous",
    group="server",
    syscmd=True,
)
def restore_asking(session: Session, args: list):
    """RESTORE for keys that move between the nodes of a cluster.

    Since 3.0.0, O(N) for a value of N elements, O(N*log(N)) for a sorted set
    3.0.0: Added REPLACE.
    5.0.0: Added ABSTTL.
    5.0.0: Added IDLETIME and FREQ.
    """
    return restore(session, args)


@cython.cfunc
def _options(args: list):
    """REPLACE, ABSTTL, IDLETIME and FREQ; the last two are -1 if they are not there."""
    replace = absolute = False
    idle: int64_t = -1
    frequency: int64_t = -1
    i: cython.Py_ssize_t = 4
    while i < len(args):
        word: bytes = cython.cast(bytes, args[i]).lower()
        more: cython.bint = i + 1 < len(args)
        if word == b"replace":
            replace = True
        elif word == b"absttl":
            absolute = True
        elif word == b"idletime" and more and frequency == -1:
            i += 1
            idle = parse_int(args[i])
            if idle < 0:
                raise Error("ERR Invalid IDLETIME value, must be >= 0")
        elif word == b"freq" and more and idle == -1:
            i += 1
            frequency = parse_int(args[i])
            if not 0 <= frequency <= 255:
                raise Error("ERR Invalid FREQ value, must be >= 0 and <= 255")
        else:
            raise SYNTAX_ERROR
        i += 1
    return replace, absolute, idle, frequency


@cython.cfunc
def _value(engine: Engine, data: bytes):
    """The value of a payload; raises Error if it is none."""
    snapshots = snapshots_of(engine)
    thorough: bool = engine.config["sanitize-dump-payload"] != "no"
    if not payloads.is_sound(data, not snapshots.skips_sums):
        raise Error("ERR DUMP payload version or checksum are wrong")
    try:
        value = payloads.value_of(data, engine.keyspace.limits, thorough)
    except (FormatError, MemoryError) as fault:
        engine.log("verbose", f"Payload refused: {fault}")
        raise Error("ERR Bad data format") from None
    if thorough and not isinstance(value, bytes):
        checked = engine.facts.get("dump_payload_sanitizations", 0)
        engine.facts["dump_payload_sanitizations"] = checked + 1
    return value
