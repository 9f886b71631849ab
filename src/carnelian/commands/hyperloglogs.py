"""PFADD, PFCOUNT and PFMERGE: counting different elements with a small error.

See https://redis.io/docs/latest/commands/?group=hyperloglog
"""

import os

import cython
from cython.cimports.carnelian.datatypes.algorithms.bit_arrays import octets
from cython.cimports.carnelian.datatypes.algorithms.hyperloglog import (
    DENSE,
    HEADER,
    REGISTERS,
    Sketch,
    cache,
    cached,
    estimate,
    estimate_ranks,
    invalidate,
    is_valid,
    merge,
    raise_register,
    rank_of,
)
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import STRING
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.string import memcpy, memset

from carnelian.datatypes.algorithms.hyperloglog import self_test
from carnelian.engine.declaring import at, command
from carnelian.resp.replies import OK, Error, Status

GROUP = "hyperloglog"

# Of a change that is told to nobody but those who watch the key.
_SILENT = cython.declare(cython.int, 0)


def _no_hyperloglog() -> Error:
    return Error("WRONGTYPE Key is not a valid HyperLogLog string value.")


def _corrupt() -> Error:
    return Error("INVALIDOBJ Corrupted HLL object detected")


@command("PFADD key [element ...]", "write denyoom fast", keys=at(1, "RW insert"))
def pfadd(session: Session, args: list):
    """Adds elements to a HyperLogLog, made if there is none.

    Since 2.8.9, O(1) for each element
    """
    db: Database = session.db
    key: bytes = args[1]
    length: cython.Py_ssize_t = db.length_to_change(key)
    changes: cython.Py_ssize_t
    data: cython.p_uchar
    if length < 0:
        changes = 1 + _add_sparse(db, key, cython.NULL, -1, args)
    else:
        _check(db, key)
        data = cython.cast(cython.p_uchar, db.edit(key, length))
        if data[4] == DENSE:
            changes = _add_dense(data, args)
        else:
            changes = _add_sparse(db, key, data, length, args)
    if changes == 0:
        return 0
    db.changed(key, STRING, b"pfadd", changes)
    return 1


@cython.cfunc
@cython.exceptval(-1)
def _check(db: Database, key: bytes) -> cython.int:
    """Raise Error if the string under a key is no HyperLogLog."""
    digits = cython.declare(cython.char[24])
    length: cython.Py_ssize_t = 0
    data: octets = cython.cast(octets, db.glimpse(key, digits, cython.address(length)))
    if not is_valid(data, length):
        raise _no_hyperloglog()
    return 0


@cython.cfunc
@cython.exceptval(-1)
def _add_dense(data: cython.p_uchar, args: list) -> cython.Py_ssize_t:
    """Add the elements of a PFADD; returns how many registers changed."""
    changes: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    index: cython.int = 0
    rank: cython.int
    for i in range(2, len(args)):
        element: bytes = args[i]
        rank = rank_of(
            cython.cast(octets, PyBytes_AS_STRING(element)),
            PyBytes_GET_SIZE(element),
            cython.address(index),
        )
        changes += raise_register(data + HEADER, index, rank)
    if changes:
        invalidate(data)
    return changes


@cython.cfunc
@cython.exceptval(-1)
def _add_sparse(
    db: Database, key: bytes, data: octets, length: cython.Py_ssize_t, args: list
) -> cython.Py_ssize_t:
    """The same where the HyperLogLog is sparse, or is not there yet (``length`` below 0)."""
    sketch: Sketch = Sketch()
    changes: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    changed: cython.int
    most: int64_t = db.keyspace.limits.hll_sparse_max_bytes
    if length < 0:
        sketch.clear()
    else:
        sketch.load(data, length)
    for i in range(2, len(args)):
        element: bytes = args[i]
        changed = sketch.add(
            cython.cast(octets, PyBytes_AS_STRING(element)), PyBytes_GET_SIZE(element), most
        )
        if changed < 0:
            raise _corrupt()
        changes += changed
    if changes or length < 0:
        invalidate(sketch.data)
        _store(db, key, sketch, length)
    return changes


@cython.cfunc
@cython.exceptval(-1)
def _store(db: Database, key: bytes, sketch: Sketch, length: cython.Py_ssize_t) -> cython.int:
    """Put a sketch under its key, where a string of that length was (none if below 0)."""
    if length > sketch.length:
        db.set_text(key, b"", True)
    memcpy(db.edit(key, sketch.length), sketch.data, sketch.length)
    return 0


@command(
    "PFCOUNT key ...",
    "readonly may_replicate",
    keys=at(
        1,
        "RW access",
        last=-1,
        notes="RW: the count is kept in the value, which replicas have to see",
    ),
)
def pfcount(session: Session, args: list):
    """Estimates how many different elements were added to HyperLogLogs together.

    Since 2.8.9, O(1) for a key whose count is known, else O(N) in the keys, each of 16384 steps
    """
    ranks = cython.declare(cython.uchar[16384])
    if len(args) == 2:
        return _count(session.db, args[1])
    _merge_all(session.db, args, ranks)
    return estimate_ranks(ranks)


@cython.cfunc
def _count(db: Database, key: bytes):
    """PFCOUNT of one key, which keeps the count."""
    digits = cython.declare(cython.char[24])
    length: cython.Py_ssize_t = 0
    data: octets = cython.cast(octets, db.view(key, digits, cython.address(length)))
    cardinality: int64_t
    if data is cython.NULL:
        return 0
    if not is_valid(data, length):
        raise _no_hyperloglog()
    cardinality = cached(data)
    if cardinality < 0:
        cardinality = estimate(data, length)
        if cardinality < 0:
            raise _corrupt()
        cache(cython.cast(cython.p_uchar, db.edit(key, length)), cardinality)
        db.changed(key, _SILENT, b"pfcount")
    return cardinality


@cython.cfunc
@cython.exceptval(-1)
def _merge_all(db: Database, args: list, ranks: cython.p_uchar) -> cython.bint:
    """Fill ``ranks`` with the highest of all keys; returns whether one of them is dense."""
    digits = cython.declare(cython.char[24])
    length: cython.Py_ssize_t = 0
    i: cython.Py_ssize_t
    data: octets
    dense: cython.bint = False
    memset(ranks, 0, REGISTERS)
    for i in range(1, len(args)):
        data = cython.cast(octets, db.view(args[i], digits, cython.address(length)))
        if data is cython.NULL:
            continue
        if not is_valid(data, length):
            raise _no_hyperloglog()
        if data[4] == DENSE:
            dense = True
        if not merge(data, length, ranks):
            raise _corrupt()
    return dense


@command(
    "PFMERGE destkey:key [sourcekey:key ...]",
    "write denyoom",
    keys=[at(1, "RW access insert"), at(2, "RO access", last=-1)],
)
def pfmerge(session: Session, args: list):
    """Adds to a HyperLogLog what was added to others.

    Since 2.8.9, O(N) in the keys, each of 16384 steps
    """
    db: Database = session.db
    key: bytes = args[1]
    ranks = cython.declare(cython.uchar[16384])
    dense: cython.bint = _merge_all(db, args, ranks)
    most: int64_t = db.keyspace.limits.hll_sparse_max_bytes
    length: cython.Py_ssize_t = db.length_to_change(key)
    sketch: Sketch = _sketch(db, key, length)
    i: cython.int
    if dense:
        sketch.make_dense()
    for i in range(REGISTERS):
        if ranks[i]:
            sketch.raise_to(i, ranks[i], most)
    invalidate(sketch.data)
    _store(db, key, sketch, length)
    db.changed(key, STRING, b"pfadd")
    return OK


@cython.cfunc
def _sketch(db: Database, key: bytes, length: cython.Py_ssize_t) -> Sketch:
    """A copy of the HyperLogLog under a key, or an empty one (``length`` below 0)."""
    sketch: Sketch = Sketch()
    if length < 0:
        sketch.clear()
    else:
        _check(db, key)
        sketch.load(cython.cast(octets, db.edit(key, length)), length)
    return sketch


@command("PFDEBUG subcommand key", "write denyoom admin", keys=at(2, "RW access"), syscmd=True)
def pfdebug(session: Session, args: list):
    """Looks into a HyperLogLog: GETREG, DECODE, ENCODING; TODENSE changes its encoding.

    Since 2.8.9, O(N)
    """
    db: Database = session.db
    key: bytes = args[2]
    length: cython.Py_ssize_t = db.length_to_change(key)
    if length < 0:
        raise Error("ERR The specified key does not exist")
    sketch: Sketch = _sketch(db, key, length)
    name: bytes = args[1].upper()
    was_dense: cython.bint = sketch.encoding() == DENSE
    if name == b"ENCODING":
        return Status(b"dense" if was_dense else b"sparse")
    if name == b"DECODE":
        if was_dense:
            raise Error("ERR HLL encoding is not sparse")
        return sketch.opcodes()
    if name not in (b"GETREG", b"TODENSE"):
        raise Error(b"ERR Unknown PFDEBUG subcommand '" + args[1] + b"'")
    if not was_dense:
        if not sketch.make_dense():
            raise _corrupt()
        _store(db, key, sketch, length)
        # Not a change of the key's content, but replicas take part in it.
        db.keyspace.dirty += 1
    return sketch.ranks() if name == b"GETREG" else int(not was_dense)


@command("PFSELFTEST", "admin", syscmd=True)
def pfselftest(session: Session, args: list):
    """Tests registers, encodings and the error of estimates.

    Since 2.8.9, Takes seconds
    """
    seed = int.from_bytes(os.urandom(8), "little")
    fault = self_test(seed, session.keyspace.limits.hll_sparse_max_bytes)
    if fault is not None:
        raise Error(f"TESTFAILED {fault}")
    return OK
