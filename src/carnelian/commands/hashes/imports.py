"""HIMPORT: many hashes of the same fields, whose names are sent once.

A set of fields belongs to the connection that has prepared it.
"""

import sys

import cython
from cython.cimports.carnelian.commands.hashes.basics import fields_noted, tell_fields, to_change
from cython.cimports.carnelian.datatypes.collections.hash import Hash
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import HASH

from carnelian.engine.catalogue.registry import refuse
from carnelian.engine.declaring import at, command
from carnelian.resp.replies import OK, Error

GROUP = "hash"

_ALL_SHARDS = ("request_policy:all_shards",)

command(
    "HIMPORT",
    "",
    arity=-2,
    group=GROUP,
    categories="hash",
    docstring="Makes hashes whose fields were named before.\n\nSince 8.10.0",
)(refuse)


@command("HIMPORT PREPARE fieldset-name field ...", "denyoom", hints=_ALL_SHARDS)
def himport_prepare(session: Session, args: list):
    """Names the fields of hashes that this connection is going to make.

    Since 8.10.0, O(N), with N the number of fields
    """
    fields = tuple(args[3:])
    if len(set(fields)) != len(fields):
        raise Error("ERR duplicate field name in fieldset")
    if session.fieldsets is None:
        session.fieldsets = {}
    size = sys.getsizeof(fields) + sum([sys.getsizeof(field) for field in fields])
    session.fieldsets[args[2]] = (fields, size + sys.getsizeof(args[2]))
    return OK


@command("HIMPORT SET key fieldset-name value ...", "write denyoom", keys=at(2, "OW update"))
def himport_set(session: Session, args: list):
    """Makes a hash of prepared fields, in place of one that is there.

    Since 8.10.0, O(N), with N the number of fields
    """
    db: Database = session.db
    key: bytes = args[2]
    limits = session.keyspace.limits
    known = None if session.fieldsets is None else session.fieldsets.get(args[3])
    value: Hash
    words: list = [b"HSET", key]
    i: cython.Py_ssize_t
    if known is None:
        raise Error("ERR no such fieldset")
    fields: tuple = known[0]
    if len(args) - 4 != len(fields):
        raise Error("ERR value count does not match fieldset field count")
    before: Hash = to_change(session, key)
    value = Hash()
    for i in range(len(fields)):
        value.set(limits, fields[i], args[i + 4])
        words.append(fields[i])
        words.append(args[i + 4])
    if before is None:
        db.add(key, value)
    else:
        db.replace(key, value)
        session.engine.effects.add(db.index, [b"DEL", key])
    session.rewrite(words)
    db.changed(key, HASH, b"hset", len(fields))
    if fields_noted(db):
        tell_fields(db, key, b"hset", list(fields))
    return OK


@command("HIMPORT DISCARD fieldset-name", "", hints=_ALL_SHARDS)
def himport_discard(session: Session, args: list):
    """Forgets a set of fields; returns whether there was one of that name.

    Since 8.10.0, O(1)
    """
    if session.fieldsets is None or args[2] not in session.fieldsets:
        return 0
    del session.fieldsets[args[2]]
    return 1


@command("HIMPORT DISCARDALL", "", hints=_ALL_SHARDS)
def himport_discardall(session: Session, args: list):
    """Forgets all sets of fields of this connection; returns how many there were.

    Since 8.10.0, O(N), with N the number of sets of fields
    """
    count = 0 if session.fieldsets is None else len(session.fieldsets)
    session.fieldsets = None
    return count
