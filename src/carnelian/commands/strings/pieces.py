"""APPEND, GETRANGE, LCS and their kin: commands that look into strings or change a part of one."""

import cython
from cython.cimports.carnelian.commands.common.lifetimes import integer
from cython.cimports.carnelian.datatypes.algorithms.xxh3 import hexdigest
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import STRING

from carnelian.datatypes.algorithms import lcs as subsequence
from carnelian.engine.declaring import at, command
from carnelian.resp.replies import SYNTAX_ERROR, Error, FlatMap

GROUP = "string"


@command("APPEND key value", "write denyoom fast", keys=at(1, "RW insert"))
def append(session: Session, args: list):
    """Appends to the string at a key, which counts as empty if there is none.

    Since 2.0.0, O(1) on average for short values: a string grows with room in reserve
    """
    db: Database = session.db
    length = db.append(args[1], args[2])
    db.changed(args[1], STRING, b"append")
    return length


@command("STRLEN key", "readonly fast", keys=at(1, "RO"))
def strlen(session: Session, args: list):
    """Replies with the length of the string at a key.

    Since 2.2.0, O(1)
    """
    return session.db.string_length(args[1])


@command("SETRANGE key offset:integer value", "write denyoom", keys=at(1, "RW update"))
def setrange(session: Session, args: list):
    """Overwrites a part of the string at a key, made longer with zero bytes if need be.

    Since 2.2.0, O(M), with M the length of the new part, where the string need not be made longer
    """
    db: Database = session.db
    part: bytes = args[3]
    length = db.set_range(args[1], integer(args[2]), part)
    if len(part) > 0:
        db.changed(args[1], STRING, b"setrange")
    return length


@command("GETRANGE key start:integer end:integer", "readonly", keys=at(1, "RO access"))
def getrange(session: Session, args: list):
    """Replies with a part of the string at a key.

    Since 2.4.0, O(N), with N the length of the part
    """
    start: cython.longlong = integer(args[2])
    end: cython.longlong = integer(args[3])
    return session.db.get_range(args[1], start, end)


@command("SUBSTR key start:integer end:integer", "readonly", keys=at(1, "RO access"))
def substr(session: Session, args: list):
    """GETRANGE by the name it had before.

    Since 1.0.0, O(N), with N the length of the part
    Deprecated since 2.0.0: `GETRANGE`
    """
    return getrange(session, args)


@command("DIGEST key", "readonly fast", keys=at(1, "RO access"))
def digest(session: Session, args: list):
    """Replies with the XXH3 hash of the string at a key, as hexadecimal digits.

    Since 8.4.0, O(N), with N the length of the string
    """
    value = session.db.string(args[1])
    return None if value is None else hexdigest(value)


@command(
    "LCS key1:key#0 key2:key#0 [LEN] [IDX] [MINMATCHLEN min-match-len:integer] [WITHMATCHLEN]",
    "readonly",
    keys=at(1, "RO access", last=1),
)
def lcs(session: Session, args: list):
    """Finds the longest common subsequence of the strings at two keys.

    Since 7.0.0, O(N*M), with N and M the lengths of the strings; as much memory
    """
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
                raise SYNTAX_ERROR
            least = integer(length)
        elif name in (b"LEN", b"IDX", b"WITHMATCHLEN"):
            words.add(name)
        else:
            raise SYNTAX_ERROR
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
