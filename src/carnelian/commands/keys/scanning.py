"""KEYS, SCAN and RANDOMKEY: which keys there are.

See https://redis.io/docs/latest/commands/scan/
"""

import re
from collections.abc import Iterator

import cython
from cython.cimports.carnelian.commands.common.many import PARTS, Many, reply_of
from cython.cimports.carnelian.datatypes.algorithms.decimals import to_longlong
from cython.cimports.carnelian.datatypes.algorithms.glob import matches
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.resp.rows import ARRAY
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE

from carnelian.datatypes.base.value import TYPE_NAMES
from carnelian.engine.declaring import command
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import SYNTAX_ERROR, Error

GROUP = "generic"

# What strtoul() reads, which is what clients have been sending.
_CURSOR: re.Pattern = re.compile(rb"(?:([+-]?)(\d+))?")
_CURSORS: int = 1 << 64
# More keys than that are not asked for at a time.
_MOST: int = 1 << 40


@command(
    "KEYS pattern",
    "readonly",
    categories="dangerous",
    hints=("request_policy:all_shards", "nondeterministic_output_order"),
)
def keys(session: Session, args: list):
    """Lists the keys that match a pattern; use SCAN on a big database.

    Since 1.0.0, O(N), with N the number of keys in the database
    """
    pattern: bytes = args[1]
    db: Database = session.db
    found: _Matching = _Matching.__new__(_Matching)
    found.db = db
    found.pattern = None if pattern == b"*" else pattern
    return reply_of(session, found, db.size(), ARRAY, PARTS)


@cython.final
@cython.cclass
class _Matching(Many):
    """The keys of a database that match a pattern, all of them if it is None."""

    db: Database
    pattern: bytes | None

    def parts(self) -> Iterator[list]:
        pattern: bytes | None = self.pattern
        for part in self.db.key_parts(pattern):
            yield part if pattern is None else [key for key in part if matches(pattern, key)]


@command(
    "RANDOMKEY",
    "readonly touches_arbitrary_keys",
    hints=("request_policy:all_shards", "response_policy:special", "nondeterministic_output"),
)
def randomkey(session: Session, args: list):
    """Replies with some key of the database, each as likely as any other.

    Since 1.0.0, O(1)
    """
    return session.db.random_key()


@command(
    "SCAN cursor:integer [MATCH pattern] [COUNT count:integer] [TYPE type@6.0.0]",
    "readonly touches_arbitrary_keys",
    hints=("nondeterministic_output", "request_policy:special", "response_policy:special"),
)
def scan(session: Session, args: list):
    """Lists keys part by part, with a cursor to go on from.

    Since 2.8.0, O(1) a call, O(N) for the whole of N keys
    6.0.0: Added TYPE.
    8.0.0: A type that there is not is an error.
    """
    db: Database = session.db
    cursor = parse_cursor(args[1])
    pattern, count, type_name = _options(args)
    cursor, found = db.scan(cursor, count, type_name, pattern)
    return [b"%d" % cursor, found]


def parse_cursor(text: bytes) -> int:
    """The cursor of a SCAN, HSCAN, SSCAN or ZSCAN: an unsigned 64-bit number.

    Raises:
        Error: it is none.
    """
    cursor: cython.longlong = 0
    size: cython.Py_ssize_t = PyBytes_GET_SIZE(text)
    if to_longlong(PyBytes_AS_STRING(text), size, cython.address(cursor)) and cursor >= 0:
        return cursor
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise Error("ERR invalid cursor")
    number = int(match[2] or 0)
    if number >= _CURSORS:
        raise Error("ERR invalid cursor")
    return _CURSORS - number if match[1] == b"-" and number else number


def parse_count(text: bytes) -> int:
    """The COUNT of a SCAN, HSCAN, SSCAN or ZSCAN, as far as it makes a difference.

    Raises:
        Error: it is none.
    """
    count = parse_int(text)
    if count < 1:
        raise SYNTAX_ERROR
    return min(count, _MOST)


def _options(args: list) -> tuple:
    """Pattern, count and name of a type; None where there is none."""
    pattern = type_name = None
    count = 10
    i: cython.Py_ssize_t
    for i in range(2, len(args), 2):
        name = args[i].upper()
        if i + 1 == len(args):
            raise SYNTAX_ERROR
        value = args[i + 1]
        if name == b"COUNT":
            count = parse_count(value)
        elif name == b"MATCH":
            pattern = None if value == b"*" else value
        elif name == b"TYPE":
            type_name = value.lower()
            if type_name not in TYPE_NAMES:
                raise Error(b"ERR unknown type name '%s'" % value)
        else:
            raise SYNTAX_ERROR
    return pattern, count, type_name
