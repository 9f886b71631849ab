"""HSETEX, HGETEX and HGETDEL: fields of a hash with the times when they go."""

import cython
from cython.cimports.carnelian.commands.common.lifetimes import ABSOLUTE, SECONDS, has_passed
from cython.cimports.carnelian.commands.hashes.basics import (
    tell_fields,
    to_change,
)
from cython.cimports.carnelian.commands.hashes.times import fields_from, moment_of, tell
from cython.cimports.carnelian.datatypes.collections.hash import Hash
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.events import HASH
from cython.cimports.carnelian.keyspace.removal.field_expiry import note_times
from cython.cimports.carnelian.resp.numbers import format_int

from carnelian.commands.common.operands import integer
from carnelian.engine.catalogue.registry import shown_word
from carnelian.engine.declaring import at, command
from carnelian.resp.replies import Error

GROUP = "hash"

_TOO_FEW: str = "ERR Number of fields must be a positive integer"
_UNITS: dict = {b"EX": SECONDS, b"PX": 0, b"EXAT": SECONDS | ABSOLUTE, b"PXAT": ABSOLUTE}
_TIMES: str = (
    "EX seconds:integer | PX milliseconds:integer | EXAT unix-time-seconds:unix-time"
    " | PXAT unix-time-milliseconds:unix-time"
)


# -- Getting ---------------------------------------------------------------------------------------


@command(
    "HGETDEL key FIELDS fields=(numfields:integer field ...)",
    "write fast",
    keys=at(1, "RW access delete"),
)
def hgetdel(session: Session, args: list):
    """Replies with the values of fields of a hash and removes them.

    Since 8.0.0, O(1) for each field
    """
    key: bytes = args[1]
    value: Hash = to_change(session, key)
    fields: list = fields_from(args, 2, _TOO_FEW)
    texts: list = []
    removed: list = []
    if value is None:
        return [None] * len(fields)
    for field in fields:
        texts.append(value.get(field))
        if value.remove(field):
            removed.append(field)
    if removed:
        session.db.changed(key, HASH, b"hdel", len(removed))
        tell_fields(session.db, key, b"hdel", removed)
        session.rewrite([b"HDEL", key, *removed])
        session.db.drop_if_empty(key, value.size())
    return texts


@command(
    f"HGETEX key [expiration=<{_TIMES} | PERSIST>] FIELDS fields=(numfields:integer field ...)",
    "write fast",
    keys=at(1, "RW access update"),
)
def hgetex(session: Session, args: list):
    """Replies with the values of fields of a hash and says when they expire.

    Since 8.0.0, O(1) for each field
    """
    key: bytes = args[1]
    value: Hash = to_change(session, key)
    option: bytes = args[2].upper()
    moment: cython.longlong = -1
    place: cython.Py_ssize_t = 2
    if option in _UNITS:
        moment = moment_of(session, args[3], _UNITS[option], "hgetex")
        place = 4
    elif option == b"PERSIST":
        place = 3
    fields: list = fields_from(args, place, _TOO_FEW)
    if value is None:
        return [None] * len(fields)
    texts: list = [value.get(field) for field in fields]
    if moment >= 0:
        _let_expire(session, key, value, fields, moment)
    elif option == b"PERSIST":
        _let_live(session, key, value, fields)
    return texts


@cython.cfunc
def _let_expire(session: Session, key: bytes, value: Hash, fields: list, moment: cython.longlong):
    """Let those of the fields that are there expire."""
    done: list = []
    past: cython.bint = has_passed(session, moment)
    for field in fields:
        if value.remove(field) if past else value.set_expiry(field, moment):
            done.append(field)
    tell(session, key, value, moment, [] if past else done, done if past else [])


@cython.cfunc
def _let_live(session: Session, key: bytes, value: Hash, fields: list):
    """Take their time from those of the fields that have one."""
    done: list = []
    for field in fields:
        if value.expiry(field) >= 0:
            value.set_expiry(field, 0)
            done.append(field)
    if done:
        session.db.changed(key, HASH, b"hpersist", len(done))
        tell_fields(session.db, key, b"hpersist", done)
        session.rewrite([b"HPERSIST", key, b"FIELDS", format_int(len(done)), *done])


# -- Setting ---------------------------------------------------------------------------------------


@command(
    f"HSETEX key [condition=<FNX | FXX>] [expiration=<{_TIMES} | KEEPTTL>]"
    " FIELDS fields=(numfields:integer data=(field value) ...)",
    "write denyoom fast",
    keys=at(1, "RW update"),
)
def hsetex(session: Session, args: list):
    """Sets fields of a hash and says when they expire.

    Since 8.0.0, O(1) for each field
    """
    key: bytes = args[1]
    condition, option, moment, first = _set_options(session, args)
    value: Hash = to_change(session, key)
    fields: list = args[first::2]
    present: cython.Py_ssize_t = 0
    if condition is not None and value is not None:
        present = _count_present(value, fields)
    if present if condition == b"FNX" else condition == b"FXX" and present < len(fields):
        return 0
    if value is None:
        value = Hash()
        session.db.add(key, value)
    if moment is not None and has_passed(session, moment):
        _set_in_the_past(session, key, value, fields)
        return 1
    i: cython.Py_ssize_t
    for i in range(first, len(args), 2):
        value.set(session.keyspace.limits, args[i], args[i + 1], option is not None)
        if moment is not None:
            value.set_expiry(args[i], moment)
    session.db.changed(key, HASH, b"hset", len(fields))
    tell_fields(session.db, key, b"hset", fields)
    if moment is not None:
        session.db.changed(key, HASH, b"hexpire", 0)
        tell_fields(session.db, key, b"hexpire", fields)
        note_times(session.db, key)
        _pass_on(session, args, option, moment)
    return 1


@cython.cfunc
def _set_options(session: Session, args: list) -> tuple:
    """Condition, time option (both None if not given), moment, and where the fields begin."""
    condition = option = moment = None
    i: cython.Py_ssize_t = 2
    while i < len(args):
        name: bytes = args[i].upper()
        if name == b"FIELDS":
            return condition, option, moment, _first_field(args, i)
        if name in (b"FNX", b"FXX"):
            if condition is not None:
                raise Error("ERR Only one of FXX or FNX arguments can be specified")
            condition = name
        elif name in _UNITS or name == b"KEEPTTL":
            if option is not None:
                raise Error(
                    "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"
                )
            option = name
        else:
            raise Error(b"ERR unknown argument: " + shown_word(args[i], len(args[i])))
        i += 1
        if name in _UNITS:
            if i == len(args):
                raise Error("ERR missing expire time")
            moment = moment_of(session, args[i], _UNITS[name], "hsetex")
            i += 1
    raise _wrong_arity()


@cython.cfunc
@cython.exceptval(-1)
def _first_field(args: list, i: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """Where the fields begin, after checking their number."""
    left: cython.Py_ssize_t = len(args) - i - 2
    if left < 2:
        raise _wrong_arity()
    count = integer(args[i + 1], "ERR invalid number of fields", 1, (1 << 31) - 1)
    if left % 2 or count != left // 2:
        raise _wrong_arity()
    return i + 2


@cython.cfunc
def _wrong_arity():
    return Error("ERR wrong number of arguments for 'hsetex' command")


@cython.cfunc
@cython.exceptval(-1)
def _count_present(value: Hash, fields: list) -> cython.Py_ssize_t:
    """How many of the fields are there."""
    present: cython.Py_ssize_t = 0
    field: bytes
    for field in fields:
        present += value.contains(field)
    return present


@cython.cfunc
def _set_in_the_past(session: Session, key: bytes, value: Hash, fields: list):
    """Fields set to have gone already: those that were there go, and all is told as if set."""
    removed: list = [field for field in fields if value.remove(field)]
    session.db.changed(key, HASH, b"hset", len(fields))
    tell_fields(session.db, key, b"hset", fields)
    session.db.changed(key, HASH, b"hdel", 0)
    tell_fields(session.db, key, b"hdel", fields)
    session.rewrite([b"HDEL", key, *removed] if removed else [])
    session.db.drop_if_empty(key, value.size())


@cython.cfunc
def _pass_on(session: Session, args: list, option: bytes, moment: cython.longlong):
    """Replicas get the moment, not the time until then."""
    i: cython.Py_ssize_t = 2
    while args[i].upper() != option:
        i += 1
    session.rewrite([*args[:i], b"PXAT", format_int(moment), *args[i + 2 :]])
