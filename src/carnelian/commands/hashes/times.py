"""HEXPIRE, HTTL and their kin: when fields of a hash go by themselves.

See https://redis.io/docs/latest/commands/hexpire/
"""

import cython
from cython.cimports.carnelian.commands.common.lifetimes import ABSOLUTE, SECONDS, has_passed
from cython.cimports.carnelian.commands.common.lifetimes import integer as parse_time
from cython.cimports.carnelian.commands.hashes.basics import (
    fields_noted,
    tell_fields,
    to_change,
    to_read,
)
from cython.cimports.carnelian.datatypes.collections.hash import Hash
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.events import HASH
from cython.cimports.carnelian.keyspace.removal.field_expiry import note_times
from cython.cimports.carnelian.resp.numbers import format_int

from carnelian.commands.common.lifetimes import invalid_time
from carnelian.commands.common.operands import integer
from carnelian.engine.declaring import at, command
from carnelian.resp.replies import Error

GROUP = "hash"

# The times of fields have 46 bits in Redis.
_MOST = cython.declare(cython.longlong, 0x3FFFFFFFFFFF)

_TOO_FEW_TO_SET: str = "ERR Parameter `numFields` should be greater than 0"
_TOO_FEW: str = "ERR Number of fields must be a positive integer"

NX = cython.declare(cython.int, 1)
XX = cython.declare(cython.int, 2)
GT = cython.declare(cython.int, 3)
LT = cython.declare(cython.int, 4)
_CONDITIONS = cython.declare(dict, {b"NX": NX, b"XX": XX, b"GT": GT, b"LT": LT})

_FIELDS: str = "FIELDS fields=(numfields:integer field:string ...)"
_CONDITION: str = "[condition=<NX | XX | GT | LT>]"

# What is replied for a field.
_NOT_THERE = cython.declare(cython.int, -2)
_NOT_MET = cython.declare(cython.int, 0)
_UPDATED = cython.declare(cython.int, 1)
_DELETED = cython.declare(cython.int, 2)


# -- What others of the family use -----------------------------------------------------------------


def moment_of(session: Session, text: bytes, unit: cython.int, name: str):
    """The unix time in ms that was given; one in the past is as good as any."""
    moment: cython.longlong = parse_time(text)
    now: cython.longlong = 0 if unit & ABSOLUTE else session.keyspace.clock.ms
    if moment < 0:
        raise Error("ERR invalid expire time, must be >= 0")
    if unit & SECONDS:
        if moment > _MOST // 1000:
            raise invalid_time(name)
        moment *= 1000
    if moment > _MOST - now:
        raise invalid_time(name)
    return moment + now


def fields_from(args: list, at: cython.Py_ssize_t, message: str):
    """The fields of ``FIELDS numfields field ...``, which ends the arguments."""
    if at + 1 >= len(args) or args[at].upper() != b"FIELDS":
        raise Error("ERR Mandatory argument FIELDS is missing or not at the right position")
    if integer(args[at + 1], message, 1) != len(args) - at - 2:
        raise Error("ERR The `numfields` parameter must match the number of arguments")
    return args[at + 2 :]


def tell(
    session: Session,
    key: bytes,
    value: Hash,
    moment: cython.longlong,
    updated: list,
    deleted: list,
):
    """Fields expire at ``moment`` from now on, or were deleted because that is past."""
    if not updated and not deleted:
        return
    event: bytes = b"hdel" if deleted else b"hexpire"
    session.db.changed(key, HASH, event, len(updated) + len(deleted))
    tell_fields(session.db, key, event, deleted or updated)
    if updated:
        note_times(session.db, key)
    pass_on(session, key, moment, updated, deleted)
    session.db.drop_if_empty(key, value.size())


@cython.cfunc
def pass_on(session: Session, key: bytes, moment: cython.longlong, updated: list, deleted: list):
    """What replicas get: never a time that counts from now, nor one that is past."""
    if deleted:
        session.rewrite([b"HDEL", key, *deleted])
    else:
        count: bytes = format_int(len(updated))
        session.rewrite([b"HPEXPIREAT", key, format_int(moment), b"FIELDS", count, *updated])


# -- Setting ---------------------------------------------------------------------------------------


@command(
    f"HEXPIRE key seconds:integer {_CONDITION} {_FIELDS}",
    "write denyoom fast",
    keys=at(1, "RW update"),
)
def hexpire(session: Session, args: list):
    """Lets fields of a hash expire after some seconds.

    Since 7.4.0, O(1) for each field
    """
    return _expire(session, args, SECONDS, "hexpire")


@command(
    f"HPEXPIRE key milliseconds:integer {_CONDITION} {_FIELDS}",
    "write denyoom fast",
    keys=at(1, "RW update"),
)
def hpexpire(session: Session, args: list):
    """Lets fields of a hash expire after some milliseconds.

    Since 7.4.0, O(1) for each field
    """
    return _expire(session, args, 0, "hpexpire")


@command(
    f"HEXPIREAT key unix-time-seconds:unix-time {_CONDITION} {_FIELDS}",
    "write denyoom fast",
    keys=at(1, "RW update"),
)
def hexpireat(session: Session, args: list):
    """Lets fields of a hash expire at a unix time in seconds.

    Since 7.4.0, O(1) for each field
    """
    return _expire(session, args, SECONDS | ABSOLUTE, "hexpireat")


@command(
    f"HPEXPIREAT key unix-time-milliseconds:unix-time {_CONDITION} {_FIELDS}",
    "write denyoom fast",
    keys=at(1, "RW update"),
)
def hpexpireat(session: Session, args: list):
    """Lets fields of a hash expire at a unix time in milliseconds.

    Since 7.4.0, O(1) for each field
    """
    return _expire(session, args, ABSOLUTE, "hpexpireat")


@cython.cfunc
def _expire(session: Session, args: list, unit: cython.int, name: str):
    """All four: for each field what became of it."""
    key: bytes = args[1]
    value: Hash = to_change(session, key)
    moment: cython.longlong = moment_of(session, args[2], unit, name)
    condition: cython.int = _CONDITIONS.get(args[3].upper(), 0)
    fields: list = fields_from(args, 4 if condition else 3, _TOO_FEW_TO_SET)
    if value is None:
        return [_NOT_THERE] * len(fields)
    past: cython.bint = has_passed(session, moment)
    results: list = []
    done: list = []
    for field in fields:
        result: cython.int = _expire_field(value, field, condition, moment, past)
        if result > 0:
            done.append(field)
        results.append(result)
    tell(session, key, value, moment, [] if past else done, done if past else [])
    return results


@cython.cfunc
@cython.exceptval(-9)
def _expire_field(
    value: Hash,
    field: bytes,
    condition: cython.int,
    moment: cython.longlong,
    past: cython.bint,
) -> cython.int:
    current: cython.longlong = value.expiry(field)
    if current == -2:
        return _NOT_THERE
    if condition and not _meets(condition, moment, current):
        return _NOT_MET
    if past:
        value.remove(field)
        return _DELETED
    value.set_expiry(field, moment)
    return _UPDATED


@cython.cfunc
@cython.exceptval(check=False)
def _meets(condition: cython.int, moment: cython.longlong, current: cython.longlong) -> cython.bint:
    """Whether the present time (-1: none, which counts as endless) lets a new one replace it."""
    if condition == NX:
        return current == -1
    if condition == XX:
        return current != -1
    if condition == GT:
        return current != -1 and moment > current
    return current == -1 or moment < current


@command(f"HPERSIST key {_FIELDS}", "write fast", keys=at(1, "RW update"))
def hpersist(session: Session, args: list):
    """Lets fields of a hash live until they are deleted.

    Since 7.4.0, O(1) for each field
    """
    value: Hash = to_change(session, args[1])
    fields: list = fields_from(args, 2, _TOO_FEW)
    results: list = []
    field: bytes
    if value is None:
        return [_NOT_THERE] * len(fields)
    for field in fields:
        expiry: cython.longlong = value.expiry(field)
        if expiry >= 0:
            value.set_expiry(field, 0)
        results.append(1 if expiry >= 0 else expiry)
    if 1 in results:
        session.db.changed(args[1], HASH, b"hpersist", 1)
        if fields_noted(session.db):
            done: list = [field for field, was in zip(fields, results, strict=True) if was == 1]
            tell_fields(session.db, args[1], b"hpersist", done)
    return results


# -- Asking ----------------------------------------------------------------------------------------


@command(
    f"HTTL key {_FIELDS}", "readonly fast", keys=at(1, "RO access"), hints="nondeterministic_output"
)
def httl(session: Session, args: list):
    """Replies with the seconds until fields expire: -1 for never, -2 if there is none.

    Since 7.4.0, O(1) for each field
    """
    return _times(session, args, session.keyspace.clock.ms, 1000)


@command(
    f"HPTTL key {_FIELDS}",
    "readonly fast",
    keys=at(1, "RO access"),
    hints="nondeterministic_output",
)
def hpttl(session: Session, args: list):
    """Replies with the milliseconds until fields expire: -1 for never, -2 if there is none.

    Since 7.4.0, O(1) for each field
    """
    return _times(session, args, session.keyspace.clock.ms, 1)


@command(f"HEXPIRETIME key {_FIELDS}", "readonly fast", keys=at(1, "RO access"))
def hexpiretime(session: Session, args: list):
    """Replies with the unix times in seconds when fields expire: -1 for never.

    Since 7.4.0, O(1) for each field
    """
    return _times(session, args, 0, 1000)


@command(f"HPEXPIRETIME key {_FIELDS}", "readonly fast", keys=at(1, "RO access"))
def hpexpiretime(session: Session, args: list):
    """Replies with the unix times in milliseconds when fields expire: -1 for never.

    Since 7.4.0, O(1) for each field
    """
    return _times(session, args, 0, 1)


@cython.cfunc
def _times(session: Session, args: list, since: cython.longlong, unit: cython.longlong):
    """All four: for each field when it expires, in units of so many ms, begun ones counted."""
    value: Hash = to_read(session, args[1])
    fields: list = fields_from(args, 2, _TOO_FEW)
    results: list = []
    field: bytes
    if value is None:
        return [_NOT_THERE] * len(fields)
    for field in fields:
        expiry: cython.longlong = value.expiry(field)
        results.append(expiry if expiry < 0 else (expiry - since + unit - 1) // unit)
    return results
