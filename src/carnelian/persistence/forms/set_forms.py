"""Sets in files: an intset, a listpack, or single members."""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.collections.set import Set
from cython.cimports.carnelian.datatypes.packs import intset, listpack
from cython.cimports.carnelian.datatypes.packs.listpack import DIGITS, Pack
from cython.cimports.carnelian.datatypes.tables import member_blocks
from cython.cimports.carnelian.datatypes.tables.members import Members
from cython.cimports.carnelian.persistence.bytes.byte_sink import Sink
from cython.cimports.carnelian.persistence.bytes.byte_source import Source
from cython.cimports.carnelian.persistence.bytes.command_file import ITEMS
from cython.cimports.carnelian.persistence.bytes.formats import (
    SET,
    SET_INTSET,
    SET_LISTPACK,
    WITH_PACKED_SETS,
)
from cython.cimports.carnelian.persistence.bytes.frozen import BUCKETS, Freezing, Frozen, Text
from cython.cimports.carnelian.persistence.bytes.objects import ObjectPointer
from cython.cimports.carnelian.persistence.forms.directory import register
from cython.cimports.carnelian.persistence.forms.form import Form
from cython.cimports.carnelian.persistence.forms.packs import put_pack, read_pack
from cython.cimports.cpython.object import PyObject
from cython.cimports.libc.stdint import int64_t, uint64_t

from carnelian.persistence.bytes.file_errors import Corrupt, EmptyValue

MOST_INTEGERS = cython.declare(int64_t, 1 << 30)


@cython.final
@cython.cclass
class SetForm(Form):
    """Of sets."""

    def type_of(self, value, version):
        """Sets in listpacks came with version 11."""
        if cython.cast(Set, value).ints is not cython.NULL:
            return SET_INTSET
        if cython.cast(Set, value).pack is not cython.NULL and version >= WITH_PACKED_SETS:
            return SET_LISTPACK
        return SET

    def put(self, sink, value):
        """An intset, a listpack, or the number of members and each."""
        ints: intset.Ints = cython.cast(Set, value).ints
        pack: Pack = cython.cast(Set, value).pack
        if ints is not cython.NULL:
            return sink.put_text(cython.cast(cython.p_const_char, ints), intset.total_of(ints))
        if pack is cython.NULL:
            return put_members(sink, value)
        if sink.version >= WITH_PACKED_SETS:
            return put_pack(sink, pack)
        return put_elements(sink, pack)

    def read(self, source, type, limits, thorough):
        """Members, an intset, or a listpack."""
        if type == SET:
            return read_set(source, limits)
        if type == SET_INTSET:
            return read_intset(source, limits)
        return set_of_pack(read_pack(source, "Set listpack", 1, thorough), limits)

    def freeze(self, freezer, index, value):
        """Member by member, if it has many."""
        members: Members = cython.cast(Set, value).table
        if members is None or members.used < freezer.big:
            return None
        frozen: FrozenSet = FrozenSet(freezer, index, members)
        members.begin_version(frozen)
        return frozen

    def rewrite(self, commands, key, value):
        """All at once: the members of a set are in no order that could be taken up again."""
        return commands.put_some(b"SADD", key, cython.cast(Set, value).members(), ITEMS)


register(Set, SetForm(), (SET, SET_INTSET, SET_LISTPACK))


@cython.cfunc
@cython.exceptval(-1)
def put_members(sink: Sink, value: ObjectPointer) -> cython.int:
    """The number of members, and each."""
    text: cython.p_const_char = cython.NULL
    length: cython.Py_ssize_t = 0
    walk = cython.declare(member_blocks.Walk)
    sink.put_length(cython.cast(Set, value).table.used)
    member_blocks.begin_walk(
        cython.address(walk),
        cython.cast(Set, value).table.segments,
        cython.cast(Set, value).table.buckets,
    )
    while member_blocks.walk_on(cython.address(walk), cython.address(text), cython.address(length)):
        sink.put_text(text, length)
    return 0


@cython.cfunc
@cython.exceptval(-1)
def put_elements(sink: Sink, pack: Pack) -> cython.int:
    """A listpack as the number of members, and each."""
    digits = cython.declare(cython.char[DIGITS])
    text: cython.p_const_char
    length: cython.Py_ssize_t = 0
    at: cython.Py_ssize_t = listpack.first(pack)
    sink.put_length(listpack.count_of(pack))
    while at:
        text = listpack.text_at(pack, at, digits, cython.address(length))
        sink.put_text(text, length)
        at = listpack.after(pack, at)
    return 0


# -- In --------------------------------------------------------------------------------------------


@cython.cfunc
def read_set(source: Source, limits: Limits):
    """The members of a set, in the smallest form that takes them."""
    count: cython.Py_ssize_t = source.read_count()
    made: Set = Set()
    text: cython.p_const_char
    length: cython.Py_ssize_t = 0
    left: cython.Py_ssize_t = count
    if count == 0:
        raise EmptyValue("Set")
    if count > min(limits.set_max_intset_entries, MOST_INTEGERS):
        made.to_table(count)
    while left > 0:
        left -= 1
        text = source.read_text(cython.address(length))
        if not made.add_text(limits, text, length):
            raise Corrupt("Duplicate set members detected")
    return made


@cython.cfunc
def read_intset(source: Source, limits: Limits):
    """A set of integers."""
    length: cython.Py_ssize_t = 0
    text: cython.p_const_char = source.read_text(cython.address(length))
    made: Set = Set()
    ints: intset.Ints
    try:
        ints = intset.from_text(text, length)
    except ValueError:
        raise Corrupt("Intset integrity check failed.") from None
    intset.destroy(made.ints)
    made.ints = ints
    if intset.count_of(ints) == 0:
        raise Corrupt("Intset integrity check failed.")
    if intset.count_of(ints) > limits.set_max_intset_entries:
        made.to_table(0)
    return made


@cython.cfunc
def set_of_pack(pack: Pack, limits: Limits) -> Set:
    """A set that is that listpack, or a table if it is too large for one."""
    made: Set = Set(packed=True)
    listpack.destroy(made.pack)
    made.pack = pack
    if listpack.count_of(pack) > limits.set_max_listpack_entries:
        made.to_table(0)
    return made


# -- In parts --------------------------------------------------------------------------------------


@cython.final
@cython.cclass
class FrozenSet(Frozen):
    """The members of a big set."""

    def __init__(self, freezer: Freezing, index: cython.int, members: Members):
        self.freezer = freezer
        self.index = index
        self.members = members
        self.count = members.used
        self.cursor = 0
        self.record: Any = None

    def walk(self):
        """Hand out what some buckets hold."""
        bucket: cython.pointer[uint64_t] = cython.NULL
        _bucket: cython.Py_ssize_t
        for _bucket in range(BUCKETS):
            self.cursor = self.members.scan(self.cursor, cython.address(bucket))
            self.members.keep(bucket)
            if self.cursor == 0:
                return True
            # Texts may be long.
            if self.freezer.late():
                return False
        return False

    def keep_bucket(self, bucket):
        """Hand out the members of a bucket."""
        walk = cython.declare(member_blocks.Walk)
        part = cython.declare(Text)
        if self.freezer.fault is not None:
            return 0
        member_blocks.begin_bucket(cython.address(walk), bucket)
        try:
            while member_blocks.walk_on(
                cython.address(walk), cython.address(part.text), cython.address(part.length)
            ):
                self.freezer.output.put_part(self, cython.address(part))
        except Exception as fault:
            self.freezer.fault = fault
        return 0

    def finish(self, complete):
        """Let the members go on without versions."""
        self.members.end_version(complete)
        if cython.cast(cython.pointer[PyObject], self.members).ob_refcnt == 1:
            # They were dropped meanwhile, and are freed in steps.
            self.freezer.keyspace.trash.add_value(self.members)
        self.members = None
        return 0

    def type_of(self, version):
        """Single members."""
        return SET

    def put_part(self, record, compressing, part):
        """Write a member."""
        member: cython.pointer[cython.const[Text]] = cython.cast(
            cython.pointer[cython.const[Text]], part
        )
        return record.put_text(member.text, member.length)

    def rewrite_part(self, commands, key, part):
        """Write the command that adds a member."""
        member: cython.pointer[cython.const[Text]] = cython.cast(
            cython.pointer[cython.const[Text]], part
        )
        return commands.put([b"SADD", key, member.text[: member.length]])
