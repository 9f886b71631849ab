"""Replies of many members: what they are made of, and the one place that chooses their form.

- Rows (:mod:`carnelian.resp.rows`) are on the wire what they are, without an object for each.
- A :class:`carnelian.resp.replies.Lazy` is made part by part while it is written, so that a very
  large reply never lies in memory as a whole.
- A list of Python values is for all others: for EXEC, commands within commands, embedded engines.
"""

from collections.abc import Iterator

import cython
from cython.cimports.carnelian.commands.common.many import PARTS, ROWS
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.ground.flags import PART
from cython.cimports.carnelian.resp.rows import ARRAY, MAP, SET, Rows, rows_of

from carnelian.resp.replies import FlatMap, FlatSet, Lazy

# A larger reply is not to be built at once.
_MOST_ROWS = cython.declare(cython.Py_ssize_t, 4096)


@cython.cclass
class Many:
    """Members of a reply, to be had in each of its forms; a subclass for each kind of value.

    It is used for one reply only, and the value does not change meanwhile.
    """

    def pour(self, sink):
        """All members, which are texts, into a sink."""
        raise NotImplementedError

    def listed(self):
        """All members as Python values."""
        return [member for part in self.parts() for member in part]

    def parts(self) -> Iterator[list]:
        """The same as lists of some of them each."""
        raise NotImplementedError

    def total(self):
        """How many elements the parts have in all; -1 if only their end tells."""
        return -1


def reply_of(session, members, size, kind=ARRAY, forms=ROWS | PARTS):
    """An ARRAY, a MAP or a SET of these members, about so many, in one of the forms they have.

    Other forms than a list are for the reply of the very command that a session sent. Elsewhere
    (within a transaction, another command, an embedded engine) Python values are wanted, and others
    may change the value before the reply is written.
    """
    if session.takes_rows:
        engine: Engine = session.engine
        if engine.depth == 0:
            if size <= _MOST_ROWS and forms & ROWS:
                rows: Rows = rows_of(kind)
                members.pour(rows)
                return rows
            if size > PART and forms & PARTS:
                return _lazy(members, kind)
    found: list = members.listed()
    return found if kind == ARRAY else _type_of(kind)(found)


@cython.cfunc
def _lazy(members: Many, kind: cython.char):
    total: cython.Py_ssize_t = members.total()
    return Lazy(members.parts(), None if total < 0 else total, _type_of(kind))


@cython.cfunc
def _type_of(kind: cython.char) -> type:
    if kind == MAP:
        return FlatMap
    return FlatSet if kind == SET else list
