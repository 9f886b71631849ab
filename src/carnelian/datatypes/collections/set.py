"""The set: an intset as long as it holds few integers and nothing else, a listpack while it is
small, then a table of members.
"""

from __future__ import annotations

import random as _random
from collections.abc import Iterator
from typing import TYPE_CHECKING

import cython
from cython.cimports.carnelian.datatypes.algorithms.rng import random_below
from cython.cimports.carnelian.datatypes.base.limits import Limits
from cython.cimports.carnelian.datatypes.base.memory import count as count_memory
from cython.cimports.carnelian.datatypes.base.sink import Gathered, Sink
from cython.cimports.carnelian.datatypes.base.string import format_integer, parse_integer
from cython.cimports.carnelian.datatypes.base.value import Value
from cython.cimports.carnelian.datatypes.packs import intset, listpack
from cython.cimports.carnelian.datatypes.tables.member_blocks import (
    Walk,
    begin_bucket,
    begin_walk,
    walk_on,
)
from cython.cimports.carnelian.datatypes.tables.members import Members
from cython.cimports.carnelian.datatypes.tables.table import hash_text
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from cython.cimports.libc.stdint import int64_t, uint64_t

if TYPE_CHECKING:
    from carnelian.datatypes.base.digest import Digest

# Bytes of the Python object.
SHELL = cython.declare(cython.Py_ssize_t, 48)
# An intset grows no further, whatever the directive allows.
MOST_INTEGERS = cython.declare(int64_t, 1 << 30)
# Buckets that a scan looks at for every member it was asked for.
SCAN_PATIENCE = cython.declare(cython.Py_ssize_t, 10)


@cython.final
@cython.no_gc
@cython.cclass
class Set(Value):
    """Distinct byte strings without an order.

    :meth:`add` takes the thresholds that decide the form (``set-max-intset-entries``,
    ``set-max-listpack-entries``, ``set-max-listpack-value``); a set never goes back to a smaller
    one. ``Set(packed=True)`` starts as a listpack, for members that are not known to be integers.
    """

    type_name = b"set"

    def __cinit__(self, packed: bool = False):
        if packed:
            self.pack = listpack.create()
        else:
            self.ints = intset.create()
        count_memory(SHELL)

    def __dealloc__(self):
        self.drop_small()
        count_memory(-SHELL)

    def drop_small(self) -> cython.void:
        """Give the memory of the small forms back."""
        if self.ints is not cython.NULL:
            intset.destroy(self.ints)
            self.ints = cython.NULL
        if self.pack is not cython.NULL:
            listpack.destroy(self.pack)
            self.pack = cython.NULL

    # -- As a value ------------------------------------------------------------------------------

    def encoding(self):
        """``intset``, ``listpack`` or ``hashtable``."""
        if self.ints is not cython.NULL:
            return b"intset"
        return b"listpack" if self.pack is not cython.NULL else b"hashtable"

    def memory(self):
        """Bytes held."""
        if self.ints is not cython.NULL:
            return SHELL + intset.memory_of(self.ints)
        if self.pack is not cython.NULL:
            return SHELL + listpack.memory_of(self.pack)
        return SHELL + self.table.memory()

    def free_effort(self):
        """The number of members of a table."""
        return self.table.used if self.table is not None else 1

    def free_some(self) -> cython.bint:
        """Free some members of a set that nobody uses any more; returns whether more are left."""
        return self.table is not None and self.table.free_some()

    def copy(self):
        """Another set of the same members."""
        twin: Set = Set()
        if self.ints is not cython.NULL:
            twin.drop_small()
            twin.ints = intset.duplicate(self.ints)
        elif self.pack is not cython.NULL:
            twin.drop_small()
            twin.pack = listpack.duplicate(self.pack)
        else:
            twin.drop_small()
            twin.table = self.table.copy()
        return twin

    def digest(self, digest: Digest) -> None:
        """Take all members in, in any order (DEBUG DIGEST)."""
        for member in self.members():
            digest.blend(member)

    def __len__(self) -> int:
        return self.size()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.members())

    def __contains__(self, member: bytes) -> bool:
        return self.contains(member)

    @property
    def intset(self) -> bytes | None:
        """The bytes of the intset, None in another form."""
        if self.ints is cython.NULL:
            return None
        return PyBytes_FromStringAndSize(
            cython.cast(cython.p_char, self.ints), intset.total_of(self.ints)
        )

    def size(self) -> cython.Py_ssize_t:
        """The number of members. O(1), O(members) for a listpack of 65535 or more."""
        if self.ints is not cython.NULL:
            return intset.count_of(self.ints)
        if self.pack is not cython.NULL:
            return listpack.count_of(self.pack)
        return self.table.used

    # -- Members ---------------------------------------------------------------------------------

    def contains(self, member: bytes) -> cython.bint:
        """Whether a member is there. O(1), O(log n) in an intset, O(n) in a listpack."""
        if self.table is not None:
            return self.table.contains(
                cython.cast(uint64_t, hash(member)),
                PyBytes_AS_STRING(member),
                PyBytes_GET_SIZE(member),
            )
        return self.contains_text(PyBytes_AS_STRING(member), PyBytes_GET_SIZE(member))

    def contains_text(self, text: cython.p_const_char, length: cython.Py_ssize_t) -> cython.bint:
        """:meth:`contains` of a text that is no Python object."""
        number: int64_t = 0
        if self.ints is not cython.NULL:
            return parse_integer(text, length, cython.address(number)) and intset.contains(
                self.ints, number
            )
        if self.pack is not cython.NULL:
            return listpack.find(self.pack, listpack.first(self.pack), text, length, 0) != 0
        return self.table.contains(hash_text(text, length), text, length)

    def contains_number(self, number: int64_t) -> cython.bint:
        """:meth:`contains` of the decimal form of a number."""
        digits = cython.declare(cython.char[24])
        length: cython.int
        if self.ints is not cython.NULL:
            return intset.contains(self.ints, number)
        length = format_integer(number, digits)
        return self.contains_text(digits, length)

    def add(self, limits: Limits, member: bytes) -> cython.bint:
        """Add a member; returns whether it was not there."""
        text: cython.p_char = PyBytes_AS_STRING(member)
        length: cython.Py_ssize_t = PyBytes_GET_SIZE(member)
        if self.table is None:
            return self.add_text(limits, text, length)
        return self.table.add(cython.cast(uint64_t, hash(member)), text, length)

    def add_text(
        self, limits: Limits, text: cython.p_const_char, length: cython.Py_ssize_t
    ) -> cython.bint:
        """:meth:`add` of a text that is no Python object."""
        if self.ints is not cython.NULL:
            return self.add_to_ints(limits, text, length)
        if self.pack is not cython.NULL:
            return self.add_to_pack(limits, text, length)
        return self.table.add(hash_text(text, length), text, length)

    def add_to_ints(
        self, limits: Limits, text: cython.p_const_char, length: cython.Py_ssize_t
    ) -> cython.bint:
        """Add to an intset, which may have to become something larger."""
        number: int64_t = 0
        added: cython.bint
        if parse_integer(text, length, cython.address(number)):
            added = intset.add(cython.address(self.ints), number)
            if intset.count_of(self.ints) > min(limits.set_max_intset_entries, MOST_INTEGERS):
                self.to_table(0)
            return added
        if self.fits_pack(limits, length):
            self.to_pack()
            listpack.append(cython.address(self.pack), text, length)
            return True
        self.to_table(1)
        return self.table.add(hash_text(text, length), text, length)

    def fits_pack(self, limits: Limits, length: cython.Py_ssize_t) -> cython.bint:
        """Whether the intset and one member of that length may be a listpack."""
        count: cython.Py_ssize_t = intset.count_of(self.ints)
        longest: cython.Py_ssize_t = 0
        digits = cython.declare(cython.char[24])
        if count:
            longest = max(
                format_integer(intset.get(self.ints, 0), digits),
                format_integer(intset.get(self.ints, count - 1), digits),
            )
        return (
            count < limits.set_max_listpack_entries
            and length <= limits.set_max_listpack_value
            and longest <= limits.set_max_listpack_value
        )

    def add_to_pack(
        self, limits: Limits, text: cython.p_const_char, length: cython.Py_ssize_t
    ) -> cython.bint:
        """Add to a listpack, which may have to become a table."""
        if listpack.find(self.pack, listpack.first(self.pack), text, length, 0):
            return False
        if (
            listpack.count_of(self.pack) < limits.set_max_listpack_entries
            and length <= limits.set_max_listpack_value
            and listpack.safe_to_add(self.pack, length)
        ):
            listpack.append(cython.address(self.pack), text, length)
            return True
        self.to_table(1)
        return self.table.add(hash_text(text, length), text, length)

    def remove(self, member: bytes) -> cython.bint:
        """Remove a member; returns whether it was there."""
        text: cython.p_char = PyBytes_AS_STRING(member)
        length: cython.Py_ssize_t = PyBytes_GET_SIZE(member)
        number: int64_t = 0
        at: cython.Py_ssize_t
        if self.ints is not cython.NULL:
            return parse_integer(text, length, cython.address(number)) and intset.remove(
                cython.address(self.ints), number
            )
        if self.pack is not cython.NULL:
            at = listpack.find(self.pack, listpack.first(self.pack), text, length, 0)
            if at:
                listpack.remove(cython.address(self.pack), at)
            return at != 0
        return self.table.remove(cython.cast(uint64_t, hash(member)), text, length)

    def members(self) -> list:
        """All members: ascending in an intset, as added in a listpack, else in no order. O(n)."""
        every: Gathered = Gathered()
        self.pour(every)
        return every.items

    def pour(self, sink: Sink) -> cython.int:
        """As :meth:`members`, into a sink."""
        walk = cython.declare(Walk)
        text: cython.p_const_char = cython.NULL
        length: cython.Py_ssize_t = 0
        i: cython.Py_ssize_t
        if self.ints is not cython.NULL:
            for i in range(intset.count_of(self.ints)):
                sink.number(intset.get(self.ints, i))
            return 0
        if self.pack is not cython.NULL:
            listpack.pour(self.pack, listpack.first(self.pack), listpack.total_of(self.pack), sink)
            return 0
        begin_walk(cython.address(walk), self.table.segments, self.table.buckets)
        while walk_on(cython.address(walk), cython.address(text), cython.address(length)):
            sink.text(text, length)
        return 0

    # -- Some of them ----------------------------------------------------------------------------

    def random(self) -> bytes:
        """Any member, each as likely as the others; the set must not be empty."""
        if self.ints is not cython.NULL:
            return text_of(intset.get(self.ints, random_below(intset.count_of(self.ints))))
        if self.pack is not cython.NULL:
            return listpack.bytes_at(self.pack, listpack.random_at(self.pack, 1))
        return self.table.random()

    def sample(self, count: cython.Py_ssize_t) -> list:
        """So many different members, in no order; all of them if there are no more.

        O(count) where that is much less than the size, else O(size).
        """
        size: cython.Py_ssize_t = self.size()
        if count >= size:
            return self.members()
        if self.table is None or count * 3 > size:
            return _random.sample(self.members(), count)
        chosen: set = set()
        while len(chosen) < count:
            chosen.add(self.table.random())
        return list(chosen)

    def pop(self) -> bytes:
        """Remove any member and return it; the set must not be empty."""
        if self.table is not None:
            return self.table.pop()
        member: bytes = self.random()
        self.remove(member)
        return member

    def scan(self, cursor: uint64_t, count: cython.Py_ssize_t):
        """Some members and the cursor to go on from, 0 at the end: as ``Database.scan``.

        The small forms are returned as a whole.
        """
        walk = cython.declare(Walk)
        bucket: cython.pointer[uint64_t] = cython.NULL
        text: cython.p_const_char = cython.NULL
        length: cython.Py_ssize_t = 0
        visits: cython.Py_ssize_t
        if self.table is None:
            return 0, self.members()
        count = min(count, self.table.used)
        visits = max(count, 1) * SCAN_PATIENCE
        found: list = []
        while True:
            cursor = self.table.scan(cursor, cython.address(bucket))
            begin_bucket(cython.address(walk), bucket[0])
            while walk_on(cython.address(walk), cython.address(text), cython.address(length)):
                found.append(PyBytes_FromStringAndSize(text, length))
            visits -= 1
            if cursor == 0 or len(found) >= count or visits <= 0:
                return cursor, found

    def common(self, others: list, most: cython.Py_ssize_t = 0) -> list:
        """The members that all other sets have, too; at most so many unless that is 0.

        O(n * len(others)), with n the size of this set: call it on the smallest.
        """
        shared: Gathered = Gathered()
        self.pour_common(others, most if most else self.size(), shared)
        return shared.items

    def pour_common(self, others: list, most: cython.Py_ssize_t, sink: Sink) -> cython.Py_ssize_t:
        """As :meth:`common`, into a sink; returns how many of ``most`` there were not."""
        walk = cython.declare(Walk)
        digits = cython.declare(cython.char[24])
        text: cython.p_const_char = cython.NULL
        length: cython.Py_ssize_t = 0
        i: cython.Py_ssize_t
        at: cython.Py_ssize_t
        if self.ints is not cython.NULL:
            for i in range(intset.count_of(self.ints)):
                if most == 0:
                    break
                length = format_integer(intset.get(self.ints, i), digits)
                if self.everywhere(others, digits, length):
                    sink.text(digits, length)
                    most -= 1
            return most
        if self.pack is not cython.NULL:
            at = listpack.first(self.pack)
            while at and most:
                text = listpack.text_at(self.pack, at, digits, cython.address(length))
                if self.everywhere(others, text, length):
                    sink.text(text, length)
                    most -= 1
                at = listpack.after(self.pack, at)
            return most
        begin_walk(cython.address(walk), self.table.segments, self.table.buckets)
        while most and walk_on(cython.address(walk), cython.address(text), cython.address(length)):
            if self.everywhere(others, text, length):
                sink.text(text, length)
                most -= 1
        return most

    def everywhere(
        self, others: list, text: cython.p_const_char, length: cython.Py_ssize_t
    ) -> cython.bint:
        """Whether all other sets have this member."""
        i: cython.Py_ssize_t
        for i in range(len(others)):
            if not cython.cast(Set, others[i]).contains_text(text, length):
                return False
        return True

    # -- The form --------------------------------------------------------------------------------

    def compact(self, limits: Limits) -> None:
        """Become an intset if all members are integers, and few enough of them."""
        number: int64_t = 0
        member: bytes
        if self.ints is not cython.NULL:
            return
        if self.size() > min(limits.set_max_intset_entries, MOST_INTEGERS):
            return
        fresh: Set = Set()
        for member in self.members():
            if not parse_integer(
                PyBytes_AS_STRING(member), PyBytes_GET_SIZE(member), cython.address(number)
            ):
                return
            intset.add(cython.address(fresh.ints), number)
        self.exchange(fresh)

    def to_pack(self) -> cython.int:
        """Turn the intset into a listpack."""
        pack: listpack.Pack = listpack.create()
        i: cython.Py_ssize_t
        for i in range(intset.count_of(self.ints)):
            listpack.append_integer(cython.address(pack), intset.get(self.ints, i))
        self.drop_small()
        self.pack = pack
        return 0

    def to_table(self, expected: cython.Py_ssize_t) -> cython.int:
        """Turn a small form into a table, with room for more members."""
        members: list = self.members()
        table: Members = Members()
        table.reserve(len(members) + expected)
        for member in members:
            table.add(
                cython.cast(uint64_t, hash(member)),
                PyBytes_AS_STRING(member),
                PyBytes_GET_SIZE(member),
            )
        self.drop_small()
        self.table = table
        return 0

    def renew(self, limits: Limits) -> None:
        """Take the form that a new set of the members would have. O(members)."""
        fresh: Set = Set()
        for member in self.members():
            fresh.add(limits, member)
        self.exchange(fresh)

    def exchange(self, other: Set) -> None:
        """Take the members of another set, in their form, and leave it one's own."""
        self.ints, other.ints = other.ints, self.ints
        self.pack, other.pack = other.pack, self.pack
        table: Members = other.table
        other.table = self.table
        self.table = table


@cython.cfunc
def text_of(number: int64_t) -> bytes:
    """The decimal form of a number."""
    digits = cython.declare(cython.char[24])
    return PyBytes_FromStringAndSize(digits, format_integer(number, digits))
