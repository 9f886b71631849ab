"""Looks at all elements of a range: to list them, to search among them, and to sum them up."""

import cython
from cython.cimports.carnelian.commands.arrays.array_operands import index_of, unsigned
from cython.cimports.carnelian.commands.arrays.libc import isinf, isnan, strtold
from cython.cimports.carnelian.commands.arrays.predicates import Plan
from cython.cimports.carnelian.commands.arrays.range_scans import (
    AND,
    EQUAL,
    LEAST,
    MOST,
    OR,
    SUM,
    USED,
    Sums,
)
from cython.cimports.carnelian.commands.common.many import PARTS, Many, reply_of
from cython.cimports.carnelian.datatypes.algorithms.decimals import is_space
from cython.cimports.carnelian.datatypes.arrays.array import HIGHEST, Array
from cython.cimports.carnelian.datatypes.arrays.array_walk import Walk, begin_walk, walk_on
from cython.cimports.carnelian.datatypes.arrays.words import (
    FRACTION,
    INTEGER,
    SCRATCH,
    bytes_of,
    double_of,
    integer_of,
    is_text,
    kind_of,
    text_of,
)
from cython.cimports.carnelian.datatypes.base.string import parse_integer
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.resp.rows import ARRAY
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.libc import errno as libc
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.stdio import snprintf
from cython.cimports.libc.string import memcpy, memset

from carnelian.commands.arrays.predicates import limit_of
from carnelian.engine.declaring import at, command
from carnelian.resp.replies import SYNTAX_ERROR, Error

GROUP = "array"

# Pairs that a reply is made of at a time.
_PART = cython.declare(cython.Py_ssize_t, 512)
# Texts from here on are no numbers.
_LONGEST_NUMBER = cython.declare(cython.Py_ssize_t, 5 * 1024)
_OPERATIONS: dict[bytes, int] = {
    b"SUM": 0, b"MIN": 1, b"MAX": 2, b"AND": 3, b"OR": 4, b"XOR": 5, b"MATCH": 6, b"USED": 7
}  # fmt: skip


@command(
    "ARSCAN key start:integer end:integer [LIMIT limit:integer]",
    "readonly",
    keys=at(1, "RO access"),
)
def arscan(session: Session, args: list):
    """Returns the elements of a range with their indexes.

    Since 8.8.0, O(N), with N the number of elements, and of free places in dense slices
    """
    start: uint64_t = index_of(args[2])
    end: uint64_t = index_of(args[3])
    array: Array
    limit: uint64_t = HIGHEST
    if len(args) == 6:
        if args[4].upper() != b"LIMIT":
            raise SYNTAX_ERROR
        limit = limit_of(args[5])
    elif len(args) != 4:
        raise Error("ERR wrong number of arguments for 'arscan' command")
    array = session.db.collection(args[1], Array)
    if array is None:
        return []
    limit = min(limit, array.count)
    return reply_of(session, Pairs(array, start, end, limit), limit, ARRAY, PARTS)


@cython.final
@cython.cclass
class Pairs(Many):
    """The elements of a range with their indexes."""

    def __init__(self, array: Array, start: uint64_t, end: uint64_t, limit: uint64_t):
        self.array = array
        self.start = start
        self.end = end
        self.limit = limit

    def parts(self):
        """All pairs, some at a time."""
        at: uint64_t = self.start
        left: uint64_t = self.limit
        while left:
            some: list = self.array.items(at, self.end, min(left, _PART))
            if not some:
                return
            left -= len(some)
            at = some[len(some) - 1][0]
            yield [[unsigned(index), text] for index, text in some]
            if at == self.end:
                return
            at = at + 1 if self.start <= self.end else at - 1


# -- Searching -------------------------------------------------------------------------------------


@command(
    "ARGREP key start end predicate=<exact=(exact=EXACT:pure-token string) | "
    "match=(match=MATCH:pure-token string) | glob=(glob=GLOB:pure-token pattern:string) | "
    "re=(re=RE:pure-token pattern:string)> ... "
    "[options=<AND | OR | LIMIT limit:integer | WITHVALUES | NOCASE> ...]",
    "readonly",
    keys=at(1, "RO access"),
)
def argrep(session: Session, args: list):
    """Returns the indexes of those elements of a range that are looked for.

    Since 8.8.0, O(N * M), with N the number of elements, and of free places in dense slices, and M
    the cost of the predicates
    """
    first = _bound(args[2])
    last = _bound(args[3])
    plan: Plan = Plan(args, 4)
    array: Array = session.db.collection(args[1], Array)
    walk = cython.declare(Walk)
    scratch = cython.declare(cython.char[SCRATCH])
    index: uint64_t = 0
    word: uint64_t = 0
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char
    found: list = []
    left: uint64_t = HIGHEST if plan.limit is None else plan.limit
    if array is None:
        return found
    begin_walk(
        cython.address(walk),
        cython.address(array.index),
        array.shift,
        array.length - 1 if first is None else first,
        array.length - 1 if last is None else last,
    )
    while left and walk_on(cython.address(walk), cython.address(index), cython.address(word)):
        text = text_of(word, scratch, cython.address(length))
        if plan.selects(text, length):
            left -= 1
            shown = unsigned(index)
            found.append([shown, bytes_of(word)] if plan.with_values else shown)
    return found


def _bound(text: bytes):
    """An end of a range; None for the end of the array."""
    if text == b"-":
        return 0
    return None if text == b"+" else index_of(text)


# -- Summing up ------------------------------------------------------------------------------------


@command(
    "AROP key start:integer end:integer operation=<SUM | MIN | MAX | AND | OR | XOR | "
    "match=(match=MATCH:pure-token value) | USED>",
    "readonly",
    keys=at(1, "RO access"),
)
def arop(session: Session, args: list):
    """Returns what an operation makes of the elements of a range.

    Since 8.8.0, O(N), with N the number of elements, and of free places in dense slices
    """
    start: uint64_t = index_of(args[2])
    end: uint64_t = index_of(args[3])
    sums = cython.declare(Sums)
    array: Array
    operation = _OPERATIONS.get(args[4].upper())
    if operation is None:
        raise Error("ERR unknown operation")
    memset(cython.address(sums), 0, cython.sizeof(sums))
    sums.operation = operation
    if sums.operation == EQUAL:
        if len(args) != 6:
            raise Error("ERR MATCH requires a value argument")
    elif len(args) != 5:
        raise Error("ERR wrong number of arguments for 'arop' command")
    array = session.db.collection(args[1], Array)
    if array is not None:
        sum_up(array, start, end, cython.address(sums), args[len(args) - 1])
    return result_of(cython.address(sums))


@cython.cfunc
@cython.exceptval(-1)
def sum_up(
    array: Array, start: uint64_t, end: uint64_t, sums: cython.pointer[Sums], value: bytes
) -> cython.int:
    """Take all elements of a range in."""
    walk = cython.declare(Walk)
    index: uint64_t = 0
    word: uint64_t = 0
    text: cython.p_const_char = PyBytes_AS_STRING(value)
    length: cython.Py_ssize_t = PyBytes_GET_SIZE(value)
    begin_walk(cython.address(walk), cython.address(array.index), array.shift, start, end)
    while walk_on(cython.address(walk), cython.address(index), cython.address(word)):
        if sums.operation == USED:
            sums.count += 1
        elif sums.operation == EQUAL:
            sums.count += is_text(word, text, length)
        else:
            take_in(sums, word)
    return 0


@cython.cfunc
@cython.exceptval(check=False)
def take_in(sums: cython.pointer[Sums], word: uint64_t) -> cython.void:
    """Take an element in, if it is a number."""
    scratch = cython.declare(cython.char[SCRATCH])
    length: cython.Py_ssize_t = 0
    whole: int64_t = 0
    number: cython.longdouble = 0
    kind: cython.int = kind_of(word)
    is_whole: cython.bint = kind == INTEGER
    text: cython.p_const_char
    if is_whole:
        whole = integer_of(word)
    elif kind == FRACTION:
        number = double_of(word)
    else:
        text = text_of(word, scratch, cython.address(length))
        is_whole = parse_integer(text, length, cython.address(whole))
        if not is_whole and not to_number(text, length, cython.address(number)):
            return
    if is_whole:
        number = cython.cast(cython.longdouble, whole)
    if sums.operation <= MOST:
        combine(sums, number)
    elif is_whole or to_whole(number, cython.address(whole)):
        combine_bits(sums, whole)


@cython.cfunc
@cython.exceptval(check=False)
def to_number(
    text: cython.p_const_char, length: cython.Py_ssize_t, number: cython.p_longdouble
) -> cython.bint:
    """Whether a text is a number in the range of ``long double``."""
    copy = cython.declare(cython.char[5120])
    stop: cython.p_char = cython.NULL
    if length == 0 or length >= _LONGEST_NUMBER or is_space(text[0]):
        return False
    memcpy(copy, text, length)
    copy[length] = 0
    libc.errno = 0
    number[0] = strtold(copy, cython.address(stop))
    if stop - copy != length or isnan(number[0]):
        return False
    return not (libc.errno == libc.ERANGE and (isinf(number[0]) or number[0] == 0))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def to_whole(number: cython.longdouble, whole: cython.pointer[int64_t]) -> cython.bint:
    """What is before the point of a number, if it fits 64 bits."""
    if isnan(number) or number < -9223372036854775808.0 or number >= 9223372036854775808.0:
        return False
    whole[0] = cython.cast(int64_t, number)
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def combine(sums: cython.pointer[Sums], number: cython.longdouble) -> cython.void:
    """Take a number in."""
    if not sums.any:
        sums.number = number
        sums.any = True
    elif sums.operation == SUM:
        sums.number += number
    elif sums.operation == LEAST:
        sums.number = min(sums.number, number)
    else:
        sums.number = max(sums.number, number)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def combine_bits(sums: cython.pointer[Sums], whole: int64_t) -> cython.void:
    """Take an integer in."""
    if not sums.any:
        sums.bits = whole
        sums.any = True
    elif sums.operation == AND:
        sums.bits &= whole
    elif sums.operation == OR:
        sums.bits |= whole
    else:
        sums.bits ^= whole


@cython.cfunc
def result_of(sums: cython.pointer[Sums]):
    """What is replied."""
    digits = cython.declare(cython.char[64])
    if sums.operation >= EQUAL:
        return sums.count
    if not sums.any:
        return None
    if sums.operation >= AND:
        return sums.bits
    if isinf(sums.number):
        return b"inf" if sums.number > 0 else b"-inf"
    if isnan(sums.number):
        return b"nan"
    return PyBytes_FromStringAndSize(digits, snprintf(digits, 64, b"%.17Lg", sums.number))
