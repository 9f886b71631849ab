"""BITFIELD: strings as arrays of integers of any width."""

import cython
from cython.cimports.carnelian.commands.bitmaps.bit_operands import field_offset
from cython.cimports.carnelian.commands.common.lifetimes import integer
from cython.cimports.carnelian.datatypes.algorithms.bit_arrays import field, octets, set_field
from cython.cimports.carnelian.datatypes.algorithms.decimals import to_longlong
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import STRING
from cython.cimports.cpython.bytes import PyBytes_AS_STRING
from cython.cimports.libc.stdint import INT64_MAX, int64_t, uint64_t
from cython.cimports.libc.string import strlen

from carnelian.engine.declaring import at, command
from carnelian.resp.replies import SYNTAX_ERROR, Error

GROUP = "bitmap"

_GET = cython.declare(cython.int, 1)
_SET = cython.declare(cython.int, 2)
_INCRBY = cython.declare(cython.int, 3)
_OPERATIONS: dict = {b"GET": 1, b"SET": 2, b"INCRBY": 3}

_WRAP = cython.declare(cython.int, 1)
_SAT = cython.declare(cython.int, 2)
_FAIL = cython.declare(cython.int, 3)
_OVERFLOWS: dict = {b"WRAP": 1, b"SAT": 2, b"FAIL": 3}

_ALL_ONES = cython.declare(uint64_t, 0xFFFFFFFFFFFFFFFF)


def _invalid_type() -> Error:
    return Error(
        "ERR Invalid bitfield type. Use something like i16 u8. "
        "Note that u64 is not supported but i64 is."
    )


@cython.final
@cython.cclass
class _Step:
    """One operation of a BITFIELD; ``value`` is what to set or add, as 64 bits."""

    operation: cython.int
    overflow: cython.int
    signed: cython.bint
    width: cython.int
    offset: int64_t
    value: int64_t

    @cython.cfunc
    def read(self, data: octets, length: cython.Py_ssize_t) -> uint64_t:
        """The integer that is there; a negative one in two's complement of 64 bits."""
        found: uint64_t = field(data, length, self.offset, self.width)
        if self.signed and self.width < 64 and (found >> (self.width - 1)) & 1:
            found |= _ALL_ONES << self.width
        return found

    @cython.cfunc
    def fit(self, value: uint64_t, change: int64_t, out: cython.pointer[uint64_t]) -> cython.bint:
        """Whether ``value + change`` overflows; ``out`` is the sum, made to fit if it does."""
        side: cython.int
        out[0] = value + cython.cast(uint64_t, change)
        if self.signed:
            side = self.signed_side(cython.cast(int64_t, value), change)
        else:
            side = self.unsigned_side(value, change)
        if side == 0:
            return False
        if self.overflow == _WRAP:
            out[0] = self.wrapped(out[0])
        elif self.signed:
            out[0] = (_ALL_ONES >> 1) >> (64 - self.width)
            if side < 0:
                out[0] = ~out[0]
        else:
            out[0] = _ALL_ONES >> (64 - self.width) if side > 0 else 0
        return True

    @cython.cfunc
    def signed_side(self, value: int64_t, change: int64_t) -> cython.int:
        """On which side the sum leaves the range: 1 above, -1 below, 0 not at all."""
        most: int64_t = INT64_MAX >> (64 - self.width)
        least: int64_t = ~most
        # Both wrap around for values far out of range, as they do in Redis.
        above: int64_t = cython.cast(
            int64_t, cython.cast(uint64_t, most) - cython.cast(uint64_t, value)
        )
        below: int64_t = cython.cast(
            int64_t, cython.cast(uint64_t, least) - cython.cast(uint64_t, value)
        )
        narrow: cython.bint = self.width < 64
        if value > most or ((narrow or (value >= 0 and change > 0)) and change > above):
            return 1
        if value < least or ((narrow or (value < 0 and change < 0)) and change < below):
            return -1
        return 0

    @cython.cfunc
    def unsigned_side(self, value: uint64_t, change: int64_t) -> cython.int:
        """The same for unsigned integers, of at most 63 bits."""
        most: uint64_t = _ALL_ONES >> (64 - self.width)
        if value > most or (change > 0 and cython.cast(uint64_t, change) > most - value):
            return 1
        if change < 0 and change < -cython.cast(int64_t, value):
            return -1
        return 0

    @cython.cfunc
    def wrapped(self, sum: uint64_t) -> uint64_t:
        """The low bits of a sum, the sign put before them."""
        high: uint64_t
        if self.width == 64:
            return sum
        high = _ALL_ONES << self.width
        if self.signed and (sum >> (self.width - 1)) & 1:
            return sum | high
        return sum & ~high


def _key_of_bitfield(args: list):
    """The key of a BITFIELD, and what its operations do with it."""
    i: cython.Py_ssize_t = 2
    count: cython.Py_ssize_t = len(args)
    while i < count:
        name: bytes = args[i].upper()
        if name == b"GET" and count - i > 2:
            i += 3
        elif name == b"OVERFLOW" and count - i > 1:
            i += 2
        else:
            return [(1, "RW access update")]
    return [(1, "RO access")]


@command(
    "BITFIELD key [operation=<GET get-block=(encoding offset:integer) | write=([OVERFLOW "
    "overflow-block=<WRAP | SAT | FAIL>] write-operation=<SET set-block=(encoding "
    "offset:integer value:integer) | INCRBY incrby-block=(encoding offset:integer "
    "increment:integer)>)> ...]",
    "write denyoom",
    keys=at(
        1,
        "RW update access variable_flags",
        notes="Only reads the key where all operations are GET",
    ),
    get_keys=_key_of_bitfield,
)
def bitfield(session: Session, args: list):
    """Reads, sets and counts up integers of any width in a string.

    Since 3.2.0, O(1) for each operation
    """
    db: Database = session.db
    steps: list = _parse(db, args)
    step: _Step
    for step in steps:
        if step.operation != _GET:
            return _change(db, args[1], steps)
    return _read(db, args[1], steps)


@command(
    "BITFIELD_RO key [GET get-block=(encoding offset:integer) ...*]",
    "readonly fast",
    keys=at(1, "RO access"),
)
def bitfield_ro(session: Session, args: list):
    """Reads integers of any width in a string.

    Since 6.0.0, O(1) for each operation
    """
    db: Database = session.db
    steps: list = _parse(db, args)
    step: _Step
    for step in steps:
        if step.operation != _GET:
            raise Error("ERR BITFIELD_RO only supports the GET subcommand")
    return _read(db, args[1], steps)


@cython.cfunc
def _parse(db: Database, args: list) -> list:
    """The operations in order; raises Error before any is done."""
    i: cython.Py_ssize_t = 2
    left: cython.Py_ssize_t
    overflow: cython.int = _WRAP
    operation: cython.int
    steps: list = []
    while i < len(args):
        left = len(args) - i - 1
        name: bytes = args[i].upper()
        if name == b"OVERFLOW" and left >= 1:
            overflow = _OVERFLOWS.get(args[i + 1].upper(), 0)
            if overflow == 0:
                raise Error("ERR Invalid OVERFLOW type specified")
            i += 2
            continue
        operation = _OPERATIONS.get(name, 0)
        if operation == 0 or left < (2 if operation == _GET else 3):
            raise SYNTAX_ERROR
        step: _Step = _step(db, operation, args[i + 1], args[i + 2])
        step.overflow = overflow
        if operation != _GET:
            step.value = integer(args[i + 3])
        steps.append(step)
        i += 3 if operation == _GET else 4
    return steps


@cython.cfunc
def _step(db: Database, operation: cython.int, encoding: bytes, offset: bytes) -> _Step:
    """An operation on an integer of that encoding (``i8``, ``u16``, ...) and place."""
    step: _Step = _Step()
    width: cython.longlong = 0
    text: cython.p_const_char = PyBytes_AS_STRING(encoding)
    step.operation = operation
    step.signed = text[0] == ord("i")
    if not step.signed and text[0] != ord("u"):
        raise _invalid_type()
    # The text is taken to end at its first zero byte.
    if not to_longlong(text + 1, strlen(text + 1), cython.address(width)):
        raise _invalid_type()
    if width < 1 or width > (64 if step.signed else 63):
        raise _invalid_type()
    step.width = cython.cast(cython.int, width)
    step.offset = field_offset(db, offset, step.width)
    return step


@cython.cfunc
def _read(db: Database, key: bytes, steps: list):
    """BITFIELD with no operation but GET."""
    digits = cython.declare(cython.char[24])
    length: cython.Py_ssize_t = 0
    data: octets = cython.cast(octets, db.view(key, digits, cython.address(length)))
    step: _Step
    values: list = []
    for step in steps:
        values.append(_reply(step, step.read(data, length)))
    return values


@cython.cfunc
def _reply(step: _Step, value: uint64_t):
    if step.signed:
        return cython.cast(int64_t, value)
    return value


@cython.cfunc
def _change(db: Database, key: bytes, steps: list):
    """BITFIELD that writes: the string is made long enough for all operations at once."""
    before: cython.Py_ssize_t = db.length_to_change(key)
    length: cython.Py_ssize_t = 0
    changes: cython.Py_ssize_t = 0
    old: uint64_t
    new: uint64_t = 0
    overflows: cython.bint
    step: _Step
    values: list = []
    for step in steps:
        if step.operation != _GET:
            length = max(length, (step.offset + step.width - 1) // 8 + 1)
    length = max(length, before)
    data: cython.p_uchar = cython.cast(cython.p_uchar, db.edit(key, length))
    for step in steps:
        old = step.read(data, length)
        if step.operation == _GET:
            values.append(_reply(step, old))
            continue
        if step.operation == _SET:
            overflows = step.fit(cython.cast(uint64_t, step.value), 0, cython.address(new))
        else:
            overflows = step.fit(old, step.value, cython.address(new))
        if overflows and step.overflow == _FAIL:
            values.append(None)
            continue
        set_field(data, step.offset, step.width, new)
        values.append(_reply(step, old if step.operation == _SET else new))
        if length > before or old != new:
            changes += 1
    if changes:
        db.changed(key, STRING, b"setbit", changes)
    return values
