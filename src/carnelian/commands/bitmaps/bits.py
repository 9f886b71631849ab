"""SETBIT, BITCOUNT, BITOP and their kin: single bits and ranges of them."""

import cython
from cython.cimports.carnelian.commands.bitmaps.bit_operands import bit_offset
from cython.cimports.carnelian.commands.common.lifetimes import integer
from cython.cimports.carnelian.datatypes.algorithms.bit_arrays import (
    AND,
    ANDOR,
    DIFF,
    DIFF1,
    NOT,
    ONE,
    OR,
    XOR,
    Source,
    combine,
    count,
    find,
    octets,
)
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import GENERIC, STRING
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.stdlib import free, malloc
from cython.cimports.libc.string import memcpy

from carnelian.engine.declaring import at, command
from carnelian.resp.replies import SYNTAX_ERROR, Error

GROUP = "bitmap"

# Longest text of which OBJECT ENCODING would say "embstr": results of BITOP are never that.
_EMBEDDED = cython.declare(cython.Py_ssize_t, 44)

_OPERATIONS: dict = {
    b"AND": AND,
    b"OR": OR,
    b"XOR": XOR,
    b"NOT": NOT,
    b"DIFF": DIFF,
    b"DIFF1": DIFF1,
    b"ANDOR": ANDOR,
    b"ONE": ONE,
}


@command("SETBIT key offset:integer value:integer", "write denyoom", keys=at(1, "RW access update"))
def setbit(session: Session, args: list):
    """Sets or clears a bit of the string at a key; replies with what it was.

    Since 2.2.0, O(1) where the string need not be made longer
    """
    db: Database = session.db
    key: bytes = args[1]
    offset: int64_t = bit_offset(db, args[2])
    bit: cython.bint = _bit(args[3])
    length: cython.Py_ssize_t = db.length_to_change(key)
    place: cython.Py_ssize_t = offset >> 3
    mask: cython.uchar = 0x80 >> (offset & 7)
    data: cython.p_uchar = cython.cast(cython.p_uchar, db.edit(key, place + 1))
    was: cython.bint = (data[place] & mask) != 0
    if was != bit:
        data[place] ^= mask
    if was != bit or length <= place:
        db.changed(key, STRING, b"setbit")
    return cython.cast(cython.int, was)


@cython.cfunc
@cython.exceptval(-1, check=True)
def _bit(text: bytes) -> cython.bint:
    """The value that a bit is to have."""
    if text == b"1":
        return True
    if text == b"0":
        return False
    raise Error("ERR bit is not an integer or out of range")


@command("GETBIT key offset:integer", "readonly fast", keys=at(1, "RO access"))
def getbit(session: Session, args: list):
    """Replies with a bit of the string at a key; beyond its end all bits are 0.

    Since 2.2.0, O(1)
    """
    db: Database = session.db
    offset: int64_t = bit_offset(db, args[2])
    digits = cython.declare(cython.char[24])
    length: cython.Py_ssize_t = 0
    data: octets = cython.cast(octets, db.view(args[1], digits, cython.address(length)))
    if offset >> 3 >= length:
        return 0
    return (data[offset >> 3] >> (7 - (offset & 7))) & 1


@cython.cfunc
@cython.exceptval(-1, check=True)
def _counts_bits(text: bytes) -> cython.bint:
    """Whether a range is given in bits, not in bytes."""
    unit: bytes = text.upper()
    if unit == b"BIT":
        return True
    if unit != b"BYTE":
        raise SYNTAX_ERROR
    return False


@cython.cfunc
@cython.exceptval(check=False)
def _bound(
    first: cython.pointer[int64_t],
    last: cython.pointer[int64_t],
    length: cython.Py_ssize_t,
    bits: cython.bint,
) -> cython.void:
    """Turn a range as given, where below zero counts from the end, into the bits it covers."""
    total: int64_t = length * 8 if bits else length
    if first[0] < 0:
        first[0] = max(first[0] + total, 0)
    if last[0] < 0:
        last[0] = max(last[0] + total, 0)
    last[0] = min(last[0], total - 1)
    if not bits:
        # A start beyond the end needs no scaling, which could overflow.
        first[0] = min(first[0], total) * 8
        last[0] = last[0] * 8 + 7


@command(
    "BITCOUNT key [range=(start:integer end:integer [unit@7.0.0=<BYTE | BIT>])]",
    "readonly",
    keys=at(1, "RO access"),
)
def bitcount(session: Session, args: list):
    """Counts the bits that are set in a string, or in a range of it.

    Since 2.6.0, O(N), with N the length of the range
    7.0.0: Added BYTE and BIT.
    """
    db: Database = session.db
    first: int64_t = 0
    last: int64_t = -1
    bits: cython.bint = False
    length: cython.Py_ssize_t = 0
    digits = cython.declare(cython.char[24])
    data: octets
    if len(args) == 3 or len(args) > 5:
        raise SYNTAX_ERROR
    if len(args) > 2:
        first = integer(args[2])
        last = integer(args[3])
    if len(args) == 5:
        bits = _counts_bits(args[4])
    data = cython.cast(octets, db.view(args[1], digits, cython.address(length)))
    if length == 0 or (first < 0 and last < 0 and first > last):
        return 0
    _bound(cython.address(first), cython.address(last), length, bits)
    return count(data, first, last)


@command(
    "BITPOS key bit:integer [range=(start:integer [end-unit-block=(end:integer "
    "[unit@7.0.0=<BYTE | BIT>])])]",
    "readonly",
    keys=at(1, "RO access"),
)
def bitpos(session: Session, args: list):
    """Finds the first bit of a value in a string, or in a range of it.

    Since 2.8.7, O(N), with N the length of the range
    7.0.0: Added BYTE and BIT.
    """
    db: Database = session.db
    bit: int64_t = integer(args[2])
    first: int64_t = 0
    last: int64_t = -1
    bits: cython.bint = False
    length: cython.Py_ssize_t = 0
    digits = cython.declare(cython.char[24])
    data: octets
    position: int64_t
    if bit != 0 and bit != 1:
        raise Error("ERR The bit argument must be 1 or 0.")
    if len(args) > 6:
        raise SYNTAX_ERROR
    if len(args) > 3:
        first = integer(args[3])
    if len(args) == 6:
        bits = _counts_bits(args[5])
    if len(args) > 4:
        last = integer(args[4])
    data = cython.cast(octets, db.view(args[1], digits, cython.address(length)))
    if data is cython.NULL:
        return -1 if bit else 0
    _bound(cython.address(first), cython.address(last), length, bits)
    position = find(data, first, last, bit)
    # Zeros go on beyond the end of a string, unless the range has an end.
    if position < 0 and not bit and first <= last and len(args) < 5:
        return last + 1
    return position


@command(
    "BITOP operation=<AND | OR | XOR | NOT | DIFF@8.2.0 | DIFF1@8.2.0 | ANDOR@8.2.0 | "
    "ONE@8.2.0> destkey:key key ...",
    "write denyoom",
    keys=[at(2, "OW update"), at(3, "RO access", last=-1)],
)
def bitop(session: Session, args: list):
    """Combines strings bit by bit and keeps the result at a key.

    Since 2.6.0, O(N), with N the bytes of all sources
    8.2.0: Added DIFF, DIFF1, ANDOR and ONE.
    """
    db: Database = session.db
    operation: cython.int = _operation(args)
    key: bytes = args[2]
    result: bytes = _combined(db, operation, args[3:])
    size: cython.Py_ssize_t = len(result)
    if size == 0:
        if db.delete(key):
            db.changed(key, GENERIC, b"del")
        return 0
    if size > _EMBEDDED:
        db.set_text(key, result)
    else:
        db.set_text(key, b"")
        memcpy(db.edit(key, size), PyBytes_AS_STRING(result), size)
    db.changed(key, STRING, b"set")
    return size


@cython.cfunc
@cython.exceptval(-1, check=True)
def _operation(args: list) -> cython.int:
    """The operation of a BITOP that has enough sources for it."""
    name: bytes = args[1].upper()
    operation: cython.int = _OPERATIONS.get(name, 0)
    if operation == 0:
        raise SYNTAX_ERROR
    if operation == NOT and len(args) != 4:
        raise Error("ERR BITOP NOT must be called with a single source key.")
    if operation in (DIFF, DIFF1, ANDOR) and len(args) < 5:
        raise Error(b"ERR BITOP " + name + b" must be called with at least two source keys.")
    return operation


@cython.cfunc
def _combined(db: Database, operation: cython.int, keys: list) -> bytes:
    """What BITOP makes of the strings at these keys; raises WrongType."""
    given: cython.Py_ssize_t = len(keys)
    total: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    source: cython.pointer[Source]
    sources: cython.pointer[Source] = cython.cast(
        cython.pointer[Source], malloc(given * cython.sizeof(Source))
    )
    if sources is cython.NULL:
        raise MemoryError
    try:
        # Looking a key up may delete it: only when all are met do places in memory stay.
        for i in range(given):
            db.view(keys[i], sources[i].digits, cython.address(sources[i].length))
            total = max(total, sources[i].length)
        for i in range(given):
            source = cython.address(sources[i])
            source.data = cython.cast(
                octets, db.glimpse(keys[i], source.digits, cython.address(source.length))
            )
        result: bytes = PyBytes_FromStringAndSize(cython.NULL, total)
        combine(
            operation,
            cython.cast(cython.p_uchar, PyBytes_AS_STRING(result)),
            total,
            sources,
            given,
        )
        return result
    finally:
        free(sources)
