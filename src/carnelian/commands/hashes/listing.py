"""HGETALL, HSCAN, HRANDFIELD and their kin: many fields of a hash."""

from collections.abc import Iterator

import cython
from cython.cimports.carnelian.commands.common.many import PARTS, Many, reply_of
from cython.cimports.carnelian.commands.hashes.basics import to_read
from cython.cimports.carnelian.datatypes.algorithms.glob import matches
from cython.cimports.carnelian.datatypes.base.sink import Sink
from cython.cimports.carnelian.datatypes.collections.hash import FIELDS, VALUES, Hash
from cython.cimports.carnelian.engine.ground.flags import PART
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.resp.rows import ARRAY, MAP

from carnelian.commands.keys.scanning import parse_count, parse_cursor
from carnelian.engine.declaring import at, command
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import SYNTAX_ERROR, Error, FlatMap

GROUP = "hash"

# What HRANDFIELD may be asked for, either way.
_MOST: int = (1 << 63) - 1


# -- All of them -----------------------------------------------------------------------------------


@command("HGETALL key", "readonly", keys=at(1, "RO access"), hints="nondeterministic_output_order")
def hgetall(session: Session, args: list):
    """Lists all fields of a hash with their values.

    Since 2.0.0, O(N), with N the number of fields
    """
    return _every(session, args[1], FIELDS | VALUES, MAP)


@command("HKEYS key", "readonly", keys=at(1, "RO access"), hints="nondeterministic_output_order")
def hkeys(session: Session, args: list):
    """Lists all fields of a hash.

    Since 2.0.0, O(N), with N the number of fields
    """
    return _every(session, args[1], FIELDS, ARRAY)


@command("HVALS key", "readonly", keys=at(1, "RO access"), hints="nondeterministic_output_order")
def hvals(session: Session, args: list):
    """Lists the values of all fields of a hash.

    Since 2.0.0, O(N), with N the number of fields
    """
    return _every(session, args[1], VALUES, ARRAY)


@cython.cfunc
def _every(session: Session, key: bytes, wanted: cython.int, kind: cython.char):
    """All fields, their values, or both."""
    value: Hash = to_read(session, key)
    if value is None:
        return FlatMap() if kind == MAP else []
    fields: _Fields = _Fields.__new__(_Fields)
    fields.value = value
    fields.wanted = wanted
    return reply_of(session, fields, value.size(), kind)


@cython.final
@cython.no_gc
@cython.cclass
class _Fields(Many):
    """All fields of a hash, their values, or both, as wanted.

    Those whose time is over are not among them, so that only the end tells how many there were.
    """

    value: Hash
    wanted: cython.int

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def pour(self, sink: Sink) -> cython.int:
        return self.value.pour(self.wanted, sink)

    @cython.cfunc
    def listed(self) -> list:
        return self.value.collect(self.wanted)

    def parts(self) -> Iterator[list]:
        cursor, part = self.value.scan(0, PART, self.wanted)
        yield part
        while cursor:
            cursor, part = self.value.scan(cursor, PART, self.wanted)
            yield part


# -- Some of them ----------------------------------------------------------------------------------


@command(
    "HSCAN key cursor:integer [MATCH pattern] [COUNT count:integer] [NOVALUES@7.4.0]",
    "readonly",
    keys=at(1, "RO access"),
    hints="nondeterministic_output",
)
def hscan(session: Session, args: list):
    """Lists fields with their values part by part, with a cursor to go on from.

    Since 2.8.0, O(1) a call, O(N) for the whole of N fields
    """
    cursor = parse_cursor(args[2])
    value: Hash = to_read(session, args[1])
    i: cython.Py_ssize_t
    if value is None:
        return [b"0", []]
    pattern, count, wanted = _scan_options(args)
    cursor, found = value.scan(cursor, count, wanted)
    step: cython.Py_ssize_t = 1 if wanted == FIELDS else 2
    if pattern is not None:
        chosen: list = []
        for i in range(0, len(found), step):
            if matches(pattern, found[i]):
                chosen.extend(found[i : i + step])
        found = chosen
    return [b"%d" % cursor, found]


def _scan_options(args: list) -> tuple:
    """Pattern (None for all), count, and what of the fields is wanted."""
    pattern, count, wanted = None, 10, FIELDS | VALUES
    i: cython.Py_ssize_t = 3
    while i < len(args):
        name = args[i].upper()
        if name == b"NOVALUES":
            wanted = FIELDS
            i += 1
            continue
        if i + 1 == len(args) or name not in (b"MATCH", b"COUNT"):
            raise SYNTAX_ERROR
        if name == b"MATCH":
            pattern = None if args[i + 1] == b"*" else args[i + 1]
        else:
            count = parse_count(args[i + 1])
        i += 2
    return pattern, count, wanted


@command(
    "HRANDFIELD key [options=(count:integer [WITHVALUES])]",
    "readonly",
    keys=at(1, "RO access"),
    hints="nondeterministic_output",
)
def hrandfield(session: Session, args: list):
    """Replies with one or several fields of a hash, whichever.

    Since 6.2.0, O(1); with a count O(N), for N fields asked for
    """
    if len(args) > 2:
        return _several(session, args)
    value: Hash = to_read(session, args[1])
    if value is None:
        return None
    one = value.random(FIELDS)
    return one[0] if one else None


@cython.cfunc
def _several(session: Session, args: list):
    """HRANDFIELD with a count: different fields, or each on its own if it is negative."""
    count = parse_int(args[2])
    if count < -_MOST:
        raise Error(f"ERR value is out of range, value must between {-_MOST} and {_MOST}")
    wanted: cython.int = FIELDS
    if len(args) > 3:
        if len(args) > 4 or args[3].upper() != b"WITHVALUES":
            raise SYNTAX_ERROR
        if not -(_MOST // 2) <= count <= _MOST // 2:
            raise Error("ERR value is out of range")
        wanted = FIELDS | VALUES
    value: Hash = to_read(session, args[1])
    if value is None or count == 0:
        return []
    pairs: cython.bint = session.protocol > 2 and wanted != FIELDS
    if count > 0:
        return _shaped(value.sample(min(count, value.size()), wanted), pairs)
    draws: _Draws = _Draws.__new__(_Draws)
    draws.value = value
    draws.count = -count
    draws.wanted = wanted
    draws.pairs = pairs
    return reply_of(session, draws, draws.count, ARRAY, PARTS)


@cython.cfunc
def _shaped(found: list, pairs: cython.bint) -> list:
    """Fields and values as they are, or each with its own."""
    return [found[i : i + 2] for i in range(0, len(found), 2)] if pairs else found


@cython.final
@cython.no_gc
@cython.cclass
class _Draws(Many):
    """So many fields, each drawn from all of them."""

    value: Hash
    count: cython.longlong
    wanted: cython.int
    pairs: cython.bint

    @cython.cfunc
    def listed(self) -> list:
        return self.draw(self.count)

    def parts(self) -> Iterator[list]:
        left: cython.longlong = self.count
        while left > 0:
            yield self.draw(min(left, PART))
            left -= PART

    @cython.cfunc
    def draw(self, count: cython.longlong) -> list:
        found: list = []
        _draw: cython.longlong
        for _draw in range(count):
            found += self.value.random(self.wanted)
        return _shaped(found, self.pairs)
