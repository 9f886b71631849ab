"""Numbers of databases, as arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.session import Session
    from carnelian.keyspace.database import Database

_LEAST, _MOST = -(1 << 31), (1 << 31) - 1


def parse_index(text: bytes, message: str = "") -> int:
    """A 32-bit integer.

    Raises:
        Error: it is none; with ``message`` if given, else with what is wrong.
    """
    try:
        index = parse_int(text)
    except Error:
        if not message:
            raise
        raise Error(message) from None
    if not _LEAST <= index <= _MOST:
        fallback = f"ERR value is out of range, value must between {_LEAST} and {_MOST}"
        raise Error(message or fallback)
    return index


def database(session: Session, text: bytes) -> Database:
    """The database of this number.

    Raises:
        Error: it is no integer, or there is no such database.
    """
    index = parse_index(text)
    databases = session.keyspace.databases
    if not 0 <= index < len(databases):
        raise Error("ERR DB index is out of range")
    return databases[index]
