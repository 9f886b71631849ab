"""SUNIONCARD and SDIFFCARD: how many members a set would have that is not made."""

import cython
from cython.cimports.carnelian.datatypes.algorithms.bit_arrays import octets
from cython.cimports.carnelian.datatypes.algorithms.hyperloglog import (
    REGISTERS,
    estimate_ranks,
    rank_of,
)
from cython.cimports.carnelian.datatypes.collections.set import Set
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.string import memset

from carnelian.commands.common.operands import integer
from carnelian.engine.declaring import command, counted
from carnelian.resp.replies import SYNTAX_ERROR, Error

GROUP = "set"


@command(
    "SUNIONCARD numkeys:integer key ... [APPROX] [LIMIT limit:integer]",
    "readonly",
    keys=counted(1, "RO access"),
)
def sunioncard(session: Session, args: list):
    """Counts the members that any of the sets has.

    Since 8.10.0, O(N), with N the number of members of all sets
    """
    count, approximate, limit = _operands(args, True)
    sets: list = _present(session, args[2 : 2 + count])
    if len(sets) == 1:
        size = len(sets[0])
    elif approximate:
        size = _estimate(sets)
    else:
        size = _union_size(sets, limit)
    return min(size, limit) if limit else size


@command(
    "SDIFFCARD numkeys:integer key ... [LIMIT limit:integer]",
    "readonly",
    keys=counted(1, "RO access"),
)
def sdiffcard(session: Session, args: list):
    """Counts the members of the first set that no other has.

    Since 8.10.0, O(N), with N the number of members of all sets
    """
    count, _, limit = _operands(args, False)
    sets: list = [session.db.collection(key, Set) for key in args[2 : 2 + count]]
    first: Set = sets[0]
    others: list = [one for one in sets[1:] if one is not None]
    if first is None or first in others:
        return 0
    left: cython.Py_ssize_t = 0
    other: Set
    member: bytes
    for member in first.members():
        for other in others:
            if other.contains(member):
                break
        else:
            left += 1
            if left == limit:
                break
    return left


def _operands(args: list, approximating: cython.bint) -> tuple:
    """The number of keys, whether APPROX is there, and LIMIT, 0 if there is none."""
    count = integer(args[1], "ERR numkeys should be greater than 0", 1)
    if count > len(args) - 2:
        raise Error("ERR Number of keys can't be greater than number of args")
    approximate, limit = False, 0
    i: cython.Py_ssize_t = 2 + count
    while i < len(args):
        option: bytes = args[i].upper()
        if option == b"LIMIT" and i + 1 < len(args):
            limit = integer(args[i + 1], "ERR LIMIT can't be negative", 0)
            i += 2
        elif approximating and option == b"APPROX":
            approximate = True
            i += 1
        else:
            raise SYNTAX_ERROR
    return count, approximate, limit


def _present(session: Session, keys: list) -> list:
    """The sets that are there, each once; raises WrongType."""
    found: list = [session.db.collection(key, Set) for key in keys]
    return [one for i, one in enumerate(found) if one is not None and one not in found[:i]]


@cython.cfunc
@cython.exceptval(-1)
def _union_size(sets: list, limit: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """How many members there are, which may stop at a limit above 0."""
    members: set = set()
    one: Set
    for one in sorted(sets, key=len, reverse=True):
        if limit and one.size() >= limit:
            return limit
        members.update(one.members())
        if limit and len(members) >= limit:
            return limit
    return len(members)


@cython.cfunc
@cython.exceptval(-1)
def _estimate(sets: list) -> cython.longlong:
    """About how many members there are, by a HyperLogLog."""
    ranks = cython.declare(cython.uchar[16384])
    index: cython.int = 0
    rank: cython.int
    one: Set
    member: bytes
    memset(ranks, 0, REGISTERS)
    for one in sets:
        for member in one.members():
            rank = rank_of(
                cython.cast(octets, PyBytes_AS_STRING(member)),
                PyBytes_GET_SIZE(member),
                cython.address(index),
            )
            if rank > ranks[index]:
                ranks[index] = rank
    return estimate_ranks(ranks)
