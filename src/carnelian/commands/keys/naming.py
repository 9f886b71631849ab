"""RENAME, COPY and MOVE: values that come under another key or into another database."""

import cython
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import GENERIC

from carnelian.commands.keys.indexes import database
from carnelian.engine.declaring import at, command
from carnelian.resp.replies import NO_SUCH_KEY, OK, SYNTAX_ERROR, Error

GROUP = "generic"

SAME: str = "ERR source and destination objects are the same"


@command("RENAME key newkey:key", "write", keys=(at(1, "RW access delete"), at(2, "OW update")))
def rename(session: Session, args: list):
    """Gives a key another name; a key that had that name is gone.

    Since 1.0.0, O(1)
    """
    _rename(session, args[1], args[2], False)
    return OK


@command(
    "RENAMENX key newkey:key", "write fast", keys=(at(1, "RW access delete"), at(2, "OW insert"))
)
def renamenx(session: Session, args: list):
    """Gives a key another name if no key has it.

    Since 1.0.0, O(1)
    3.2.0: It is no error that both names are the same.
    """
    return _rename(session, args[1], args[2], True)


@cython.cfunc
def _rename(session: Session, key: bytes, name: bytes, only_new: cython.bint):
    """Both: 1 if the key has the name now and had not."""
    db: Database = session.db
    if not db.has(key):
        raise NO_SUCH_KEY
    if key == name or (only_new and db.has(name)):
        return 0
    before: bytes = db.former(name)
    db.rename(key, name)
    db.changed(key, GENERIC, b"rename_from")
    db.changed(name, GENERIC, b"rename_to", 0)
    db.replaced(name, before)
    return 1


@command(
    "COPY source:key destination:key [DB destination-db:integer] [REPLACE]",
    "write denyoom",
    keys=(at(1, "RO access"), at(2, "OW update")),
)
def copy(session: Session, args: list):
    """Copies the value of a key, and when it expires, to another key.

    Since 6.2.0, O(1) for strings, O(N) for collections, with N the number of their items
    """
    source: bytes = args[1]
    destination: bytes = args[2]
    target, replace = _copy_options(session, args)
    if target is session.db and source == destination:
        raise Error(SAME)
    before = target.former(destination)
    if not session.db.touch(source) or not session.db.copy(source, target, destination, replace):
        return 0
    target.changed(destination, GENERIC, b"copy_to")
    target.replaced(destination, before)
    return 1


def _copy_options(session: Session, args: list) -> tuple:
    """The database to copy to, and whether to replace what is there."""
    target, replace = session.db, False
    rest = iter(args[3:])
    for option in rest:
        name = option.upper()
        index = next(rest, None) if name == b"DB" else None
        if name == b"REPLACE":
            replace = True
        elif index is not None:
            target = database(session, index)
        else:
            raise SYNTAX_ERROR
    if target.index and session.engine.cluster is not None:
        raise Error("ERR Copying to another database is not allowed in cluster mode")
    return target, replace


@command("MOVE key db:integer", "write fast", keys=at(1, "RW access update"))
def move(session: Session, args: list):
    """Moves a key into another database if that has no key of this name.

    Since 1.0.0, O(1)
    """
    key: bytes = args[1]
    if session.engine.cluster is not None:
        raise Error("ERR MOVE is not allowed in cluster mode")
    target: Database = database(session, args[2])
    if target is session.db:
        raise Error(SAME)
    if not session.db.move(key, target):
        return 0
    session.db.changed(key, GENERIC, b"move_from")
    target.changed(key, GENERIC, b"move_to", 0)
    return 1
