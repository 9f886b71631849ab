"""XRANGE and XREVRANGE: entries by their ids."""

import cython
from cython.cimports.carnelian.commands.streams.stream_operands import (
    read_count,
    read_end,
    read_start,
)
from cython.cimports.carnelian.datatypes.streams.ids import Id
from cython.cimports.carnelian.datatypes.streams.scan import Scan
from cython.cimports.carnelian.datatypes.streams.stream import Stream
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.libc.stdint import int64_t

from carnelian.engine.declaring import at, command
from carnelian.resp.replies import NULL_ARRAY, SYNTAX_ERROR

GROUP = "stream"


@command("XRANGE key start end [COUNT count:integer]", "readonly", keys=at(1, "RO access"))
def xrange(session: Session, args: list):
    """Replies with the entries from one id to another.

    Since 5.0.0, O(N) with N the number of entries replied
    6.2.0: An end may be left out of the interval.
    """
    return _range(session, args, args[2], args[3], False)


@command("XREVRANGE key end start [COUNT count:integer]", "readonly", keys=at(1, "RO access"))
def xrevrange(session: Session, args: list):
    """Replies with the entries from one id back to another.

    Since 5.0.0, O(N) with N the number of entries replied
    6.2.0: An end may be left out of the interval.
    """
    return _range(session, args, args[3], args[2], True)


@cython.cfunc
def _range(session: Session, args: list, start_word: bytes, end_word: bytes, back: cython.bint):
    """Entries of an interval, in either direction."""
    start = cython.declare(Id)
    end = cython.declare(Id)
    count: int64_t = -1
    place: cython.Py_ssize_t
    read_start(start_word, cython.address(start))
    read_end(end_word, cython.address(end))
    for place in range(4, len(args), 2):
        if args[place].upper() != b"COUNT" or place + 1 == len(args):
            raise SYNTAX_ERROR
        count = read_count(args[place + 1])
    values: Stream = session.db.collection(args[1], Stream)
    if values is None:
        return []
    if count == 0:
        return NULL_ARRAY
    scan: Scan = values.scan(cython.address(start), cython.address(end), back)
    found: list = []
    while count != 0 and scan.next():
        found.append(scan.item())
        count -= 1
    return found
