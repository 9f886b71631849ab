"""Listpacks in files, and the ziplists that came before them."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.packs import listpack, slim
from cython.cimports.carnelian.datatypes.packs.listpack import Bytes, Pack
from cython.cimports.carnelian.datatypes.packs.slim import duplicate_full
from cython.cimports.carnelian.persistence.bytes.byte_sink import Sink
from cython.cimports.carnelian.persistence.bytes.byte_source import Source
from cython.cimports.carnelian.persistence.bytes.ziplists import from_ziplist
from cython.cimports.libc.string import memcpy

from carnelian.persistence.bytes.file_errors import Corrupt, EmptyValue


def put_pack(sink: Sink, pack: Bytes) -> cython.int:
    """A listpack, in its full form, as a string."""
    full: Pack
    if listpack.is_slim(pack):
        full = duplicate_full(pack)
        try:
            return put_pack(sink, full)
        finally:
            listpack.destroy(full)
    return sink.put_text(cython.cast(cython.p_const_char, pack), listpack.total_of(pack))


def read_pack(source: Source, what: str, step: cython.int, thorough: cython.bint) -> Pack:
    """A listpack of groups of ``step`` elements; the first of each occurs once if ``thorough``."""
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char = source.read_text(cython.address(length))
    pack: Pack
    if not listpack.is_valid(cython.cast(Bytes, text), length):
        raise Corrupt(f"{what} integrity check failed.")
    pack = listpack.blank(length)
    memcpy(pack, text, length)
    return checked(pack, what, step, thorough)


def read_slim_pack(source: Source, what: str, step: cython.int, thorough: cython.bint) -> Pack:
    """As :func:`read_pack`; it is slim from now on."""
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char = source.read_text(cython.address(length))
    pack: Pack = slim.from_full(cython.cast(Bytes, text), length)
    if pack is cython.NULL:
        raise Corrupt(f"{what} integrity check failed.")
    return checked(pack, what, step, thorough)


def read_ziplist(source: Source, what: str, step: cython.int) -> Pack:
    """A ziplist of groups of ``step`` elements, the first of each being there once."""
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char = source.read_text(cython.address(length))
    pack: Pack = from_ziplist(cython.cast(Bytes, text), length)
    if pack is cython.NULL:
        raise Corrupt(f"{what} integrity check failed.")
    return checked(pack, what, step, step > 1)


@cython.cfunc
@cython.exceptval(check=True)
def checked(pack: Pack, what: str, step: cython.int, thorough: cython.bint) -> Pack:
    """The listpack if it has whole groups, and some; else it is given up."""
    elements: cython.Py_ssize_t = listpack.count_of(pack)
    if elements % step == 0 and not (thorough and repeats(pack, step)):
        if elements:
            return pack
        listpack.destroy(pack)
        raise EmptyValue(what)
    listpack.destroy(pack)
    raise Corrupt(f"{what} integrity check failed.")


def repeats(pack: Pack, step: cython.int) -> cython.bint:
    """Whether the first element of a group is that of another one, too."""
    seen: set = set()
    at: cython.Py_ssize_t = listpack.first(pack)
    _i: cython.int
    groups: cython.Py_ssize_t = 0
    while at:
        seen.add(listpack.bytes_at(pack, at))
        groups += 1
        for _i in range(step):
            at = listpack.after(pack, at)
    return len(seen) != groups
