"""APPEND, GETRANGE, LCS and their kin: commands that look into strings or change a part of one."""

import cython
from cython.cimports.carnelian.commands.lifetimes import integer
from cython.cimports.carnelian.datatypes.xxh3 import hexdigest
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import STRING

from carnelian.datatypes import lcs as subsequence
from carnelian.engine.registry import at, command
from carnelian.resp.replies import Error, FlatMap, SyntaxError_


@command(
    "APPEND",
    arity=3,
    flags="write denyoom fast",
    keys=at(1, "RW insert"),
    group="string",
    since="2.0.0",
    complexity="O(1) on average for short values: a string grows with room in reserve",
    summary="Appends to the string at a key, which counts as empty if there is none.",
    arguments="key:key value:string",
)
def append(session: Session, args: list):
    db: Database = session.db
    length = db.append(args[1], args[2])
    db.changed(args[1], STRING, b"append")
    return length


@command(
    "STRLEN",
    arity=2,
    flags="readonly fast",
    keys=at(1, "RO"),
    group="string",
    since="2.2.0",
    complexity="O(1)",
    summary="Replies with the length of the string at a key.",
    arguments="key:key",
)
def strlen(session: Session, args: list):
    return session.db.string_length(args[1])


@command(
    "SETRANGE",
    arity=4,
    flags="write denyoom",
    keys=at(1, "RW update"),
    group="string",
    since="2.2.0",
    complexity="O(M), with M the length of the new part, where the string need not be made longer",
    summary="Overwrites a part of the string at a key, made longer with zero bytes if need be.",
    arguments="key:key offset:integer value:string",
)
def setrange(session: Session, args: list):
    db: Database = session.db
    part: bytes = args[3]
    length = db.set_range(args[1], integer(args[2]), part)
    if len(part) > 0:
        db.changed(args[1], STRING, b"setrange")
    return length


@command(
    "GETRANGE",
    arity=4,
    flags="readonly",
    keys=at(1, "RO access"),
    group="string",
    since="2.4.0",
    complexity="O(N), with N the length of the part",
    summary="Replies with a part of the string at a key.",
    arguments="key:key start:integer end:integer",
)
def getrange(session: Session, args: list):
    start: cython.longlong = integer(args[2])
    end: cython.longlong = integer(args[3])
    return session.db.get_range(args[1], start, end)


@command(
    "SUBSTR",
    arity=4,
    flags="readonly",
    keys=at(1, "RO access"),
    group="string",
    since="1.0.0",
    complexity="O(N), with N the length of the part",
    summary="GETRANGE by the name it had before.",
    arguments="key:key start:integer end:integer",
    deprecated=("2.0.0", "`GETRANGE`"),
    doc_flags="deprecated",
)
def substr(session: Session, args: list):
    return getrange(session, args)


@command(
    "DIGEST",
    arity=2,
    flags="readonly fast",
    keys=at(1, "RO access"),
    group="string",
    since="8.4.0",
    complexity="O(N), with N the length of the string",
    summary="Replies with the XXH3 hash of the string at a key, as hexadecimal digits.",
    arguments="key:key",
)
def digest(session: Session, args: list):
    value = session.db.string(args[1])
    return None if value is None else hexdigest(value)


@command(
    "LCS",
    arity=-3,
    flags="readonly",
    keys=at(1, "RO access", last=1),
    group="string",
    since="7.0.0",
    complexity="O(N*M), with N and M the lengths of the strings; as much memory",
    summary="Finds the longest common subsequence of the strings at two keys.",
    arguments=(
        "key1:key#0 key2:key#0 [LEN] [IDX] [MINMATCHLEN min-match-len:integer] [WITHMATCHLEN]"
    ),
)
def lcs(session: Session, args: list):
    a, b = session.db.lookup(args[1]), session.db.lookup(args[2])
    if not (_is_text(a) and _is_text(b)):
        raise Error("ERR The specified keys must contain string values")
    words, least = _lcs_options(args)
    if b"LEN" in words and b"IDX" in words:
        raise Error("ERR If you want both the length and indexes, please just use IDX.")
    text, runs = _compare(session, a or b"", b or b"")
    if b"IDX" in words:
        measured = b"WITHMATCHLEN" in words
        matches = [_match(run, measured) for run in runs if run[2] >= least]
        return FlatMap([b"matches", matches, b"len", len(text)])
    return len(text) if b"LEN" in words else text


def _is_text(value: object) -> bool:
    return value is None or type(value) is bytes


def _lcs_options(args: list) -> tuple[set[bytes], int]:
    """The words given, and the least length of a match to report."""
    words = set()
    least = 0
    rest = iter(args[3:])
    for option in rest:
        name = option.upper()
        if name == b"MINMATCHLEN":
            length = next(rest, None)
            if length is None:
                raise SyntaxError_()
            least = integer(length)
        elif name in (b"LEN", b"IDX", b"WITHMATCHLEN"):
            words.add(name)
        else:
            raise SyntaxError_()
    return words, least


def _compare(session: Session, a: bytes, b: bytes) -> tuple:
    if max(len(a), len(b)) >= 0xFFFFFFFF - 1:
        raise Error("ERR String too long for LCS")
    if subsequence.table_size(a, b) > session.keyspace.max_string:
        raise Error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
    try:
        return subsequence.compare(a, b)
    except MemoryError:
        raise Error("ERR Insufficient memory, failed allocating transient memory for LCS") from None


def _match(run: tuple, measured: bool) -> list:
    start_a, start_b, length = run
    ranges = [[start_a, start_a + length - 1], [start_b, start_b + length - 1]]
    return [*ranges, length] if measured else ranges
