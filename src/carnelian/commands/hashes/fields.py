"""HSET, HGET and their kin: single fields of a hash."""

import cython
from cython.cimports.carnelian.commands.common.lifetimes import integer
from cython.cimports.carnelian.commands.hashes.basics import (
    fields_noted,
    tell_fields,
    to_change,
    to_read,
)
from cython.cimports.carnelian.datatypes.algorithms.decimals import to_longlong
from cython.cimports.carnelian.datatypes.collections.hash import Hash
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import HASH
from cython.cimports.carnelian.resp.numbers import add_floats, format_int
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE

from carnelian.engine.declaring import at, command
from carnelian.resp.replies import OK, Error

GROUP = "hash"

_MOST = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)


# -- Setting ---------------------------------------------------------------------------------------


@command("HSET key field_value=(field value) ...", "write denyoom fast", keys=at(1, "RW update"))
def hset(session: Session, args: list):
    """Sets fields of a hash, which is made if it is not there; counts the new ones.

    Since 2.0.0, O(1) for each field
    4.0.0: Several fields can be given.
    """
    return _set_all(session, args, "hset")


@command("HMSET key field_value=(field value) ...", "write denyoom fast", keys=at(1, "RW update"))
def hmset(session: Session, args: list):
    """Sets fields of a hash, which is made if it is not there.

    Since 2.0.0, O(1) for each field
    Deprecated since 4.0.0: `HSET` with multiple field-value pairs
    """
    _set_all(session, args, "hmset")
    return OK


@cython.cfunc
def _set_all(session: Session, args: list, name: str):
    """Set the fields given and count those that are new."""
    key: bytes = args[1]
    count: cython.Py_ssize_t = len(args)
    added: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    if count % 2:
        raise Error(f"ERR wrong number of arguments for '{name}' command")
    value: Hash = _to_set(session, key)
    for i in range(2, count, 2):
        added += value.set(session.keyspace.limits, args[i], args[i + 1])
    session.db.changed(key, HASH, b"hset", (count - 2) // 2)
    if fields_noted(session.db):
        tell_fields(session.db, key, b"hset", args[2::2])
    return added


@cython.cfunc
def _to_set(session: Session, key: bytes) -> Hash:
    """The hash at a key, made if it is not there."""
    value: Hash = to_change(session, key)
    if value is None:
        value = Hash()
        session.db.add(key, value)
    return value


@command("HSETNX key field value", "write denyoom fast", keys=at(1, "RW insert"))
def hsetnx(session: Session, args: list):
    """Sets a field of a hash unless it is there.

    Since 2.0.0, O(1)
    """
    value: Hash = to_change(session, args[1])
    if value is not None and value.contains(args[2]):
        return 0
    value = _to_set(session, args[1])
    value.set(session.keyspace.limits, args[2], args[3])
    session.db.changed(args[1], HASH, b"hset", 1)
    if fields_noted(session.db):
        tell_fields(session.db, args[1], b"hset", [args[2]])
    return 1


@command("HDEL key field ...", "write fast", keys=at(1, "RW delete"))
def hdel(session: Session, args: list):
    """Removes fields from a hash, which goes with its last one.

    Since 2.0.0, O(1) for each field
    2.4.0: Several fields can be given.
    """
    db: Database = session.db
    key: bytes = args[1]
    value: Hash = to_change(session, key)
    removed: cython.Py_ssize_t = 0
    noted: list | None = [] if fields_noted(db) else None
    i: cython.Py_ssize_t
    if value is None:
        return 0
    for i in range(2, len(args)):
        if value.remove(args[i]):
            removed += 1
            if noted is not None:
                noted.append(args[i])
        if value.size() == 0:
            break
    if removed:
        db.changed(key, HASH, b"hdel", removed)
        if noted is not None:
            tell_fields(db, key, b"hdel", noted)
    db.drop_if_empty(key, value.size())
    return removed


# -- Counting --------------------------------------------------------------------------------------


@command(
    "HINCRBY key field increment:integer", "write denyoom fast", keys=at(1, "RW access update")
)
def hincrby(session: Session, args: list):
    """Adds to the integer in a field of a hash, which counts as 0 if it is not there.

    Since 2.0.0, O(1)
    """
    delta: cython.longlong = integer(args[3])
    number: cython.longlong = 0
    value: Hash = to_change(session, args[1])
    text: bytes | None = None if value is None else value.get(args[2])
    if text is not None and not to_longlong(
        PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), cython.address(number)
    ):
        raise Error("ERR hash value is not an integer")
    if (delta > 0 and number > _MOST - delta) or (delta < 0 and number < ~_MOST - delta):
        raise Error("ERR increment or decrement would overflow")
    number += delta
    if value is None:
        value = _to_set(session, args[1])
    value.set(session.keyspace.limits, args[2], format_int(number), True)
    session.db.changed(args[1], HASH, b"hincrby", 1)
    if fields_noted(session.db):
        tell_fields(session.db, args[1], b"hincrby", [args[2]])
    return number


@command(
    "HINCRBYFLOAT key field increment:double", "write denyoom fast", keys=at(1, "RW access update")
)
def hincrbyfloat(session: Session, args: list):
    """Adds to the floating-point number in a field of a hash, 0 if it is not there.

    Since 2.6.0, O(1)
    """
    key: bytes = args[1]
    field: bytes = args[2]
    _check_increment(args[3])
    value: Hash = to_change(session, key)
    text: bytes | None = None if value is None else value.get(field)
    number: bytes = _add_to_text(b"0" if text is None else text, args[3])
    if value is None:
        value = _to_set(session, key)
    value.set(session.keyspace.limits, field, number, True)
    session.db.changed(key, HASH, b"hincrbyfloat", 1)
    if fields_noted(session.db):
        tell_fields(session.db, key, b"hincrbyfloat", [field])
    _pass_on(session, key, field, number, value.expiry(field))
    return number


@cython.cfunc
def _check_increment(text: bytes):
    """Raise unless it is a finite number."""
    try:
        add_floats(b"0", text)
    except Error as error:
        if b"NaN" not in error.message:
            raise
        raise Error("ERR value is NaN or Infinity") from None


@cython.cfunc
def _add_to_text(current: bytes, increment: bytes) -> bytes:
    try:
        return add_floats(current, increment)
    except Error as error:
        if b"NaN" in error.message:
            raise
        raise Error("ERR hash value is not a float") from None


@cython.cfunc
def _pass_on(session: Session, key: bytes, field: bytes, number: bytes, expiry: cython.longlong):
    """Replicas take the result, as their C library may round otherwise, and keep the time."""
    if expiry < 0:
        session.rewrite([b"HSET", key, field, number])
    else:
        session.rewrite([b"HSETEX", key, b"KEEPTTL", b"FIELDS", b"1", field, number])


# -- Getting ---------------------------------------------------------------------------------------


@command("HGET key field", "readonly fast", keys=at(1, "RO access"))
def hget(session: Session, args: list):
    """Replies with the value of a field of a hash.

    Since 2.0.0, O(1)
    """
    value: Hash = to_read(session, args[1])
    return None if value is None else value.get(args[2])


@command("HMGET key field ...", "readonly fast", keys=at(1, "RO access"))
def hmget(session: Session, args: list):
    """Replies with the values of several fields of a hash.

    Since 2.0.0, O(1) for each field
    """
    value: Hash = to_read(session, args[1])
    if value is None:
        return [None] * (len(args) - 2)
    return [value.get(field) for field in args[2:]]


@command("HEXISTS key field", "readonly fast", keys=at(1, "RO"))
def hexists(session: Session, args: list):
    """Tells whether a hash has a field.

    Since 2.0.0, O(1)
    """
    value: Hash = to_read(session, args[1])
    return 1 if value is not None and value.contains(args[2]) else 0


@command("HSTRLEN key field", "readonly fast", keys=at(1, "RO"))
def hstrlen(session: Session, args: list):
    """Counts the bytes of the value of a field.

    Since 3.2.0, O(1)
    """
    value: Hash = to_read(session, args[1])
    return 0 if value is None else value.length_of(args[2])


@command("HLEN key", "readonly fast", keys=at(1, "RO"))
def hlen(session: Session, args: list):
    """Counts the fields of a hash.

    Since 2.0.0, O(1)
    """
    value: Hash = to_read(session, args[1])
    return 0 if value is None else value.size()
