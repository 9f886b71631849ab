"""LMOVEM and BLMOVEM: several elements from one list to another."""

import cython
from cython.cimports.carnelian.commands.lists.ends import popped
from cython.cimports.carnelian.commands.lists.moves import side
from cython.cimports.carnelian.datatypes.collections.list import List
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.events import LIST

from carnelian.commands.common.operands import integer, timeout
from carnelian.engine.declaring import at, command
from carnelian.resp.replies import NULL_ARRAY, SYNTAX_ERROR

GROUP = "list"

_ENDS: str = "source:key destination:key wherefrom=<LEFT | RIGHT> whereto=<LEFT | RIGHT>"
_HOW_MANY: str = (
    "[how-many=(selector=<COUNT count:integer | EXACTLY exactly:integer> ordering=<OBO | BULK>)]"
)


@cython.final
@cython.cclass
class Order:
    """What is to be moved, and how.

    ``exactly`` moves nothing where there are fewer than ``count``; ``one_by_one`` lets each
    element pass those before it, so that they come in the other order where the ends are alike.
    """

    from_head: cython.bint
    to_head: cython.bint
    exactly: cython.bint
    one_by_one: cython.bint
    count: cython.Py_ssize_t

    def __init__(self, ends: list, how_many: list):
        """Read the two ends, and how many; raises Error."""
        self.from_head = side(ends[0])
        self.to_head = side(ends[1])
        self.exactly = False
        self.one_by_one = False
        self.count = 1
        if not how_many:
            return
        if len(how_many) != 3:
            raise SYNTAX_ERROR
        selector: bytes = how_many[0].upper()
        if selector not in (b"COUNT", b"EXACTLY"):
            raise SYNTAX_ERROR
        self.exactly = selector == b"EXACTLY"
        self.count = integer(how_many[1], "ERR count should be greater than 0", 1)
        ordering: bytes = how_many[2].upper()
        if ordering not in (b"OBO", b"BULK"):
            raise SYNTAX_ERROR
        self.one_by_one = ordering == b"OBO"


@command(
    f"LMOVEM {_ENDS} {_HOW_MANY}",
    "write denyoom",
    keys=(at(1, "RW access delete"), at(2, "RW insert")),
)
def lmovem(session: Session, args: list):
    """Takes elements from an end of a list and puts them at an end of another.

    Since 8.10.0, O(N), with N the number of elements moved
    """
    order: Order = Order(args[3:5], args[5:])
    moved = _move(session, args[1], args[2], order)
    if moved is None:
        return NULL_ARRAY if order.exactly else []
    return moved


@command(
    f"BLMOVEM {_ENDS} timeout:double {_HOW_MANY}",
    "write denyoom blocking",
    keys=(at(1, "RW access delete"), at(2, "RW insert")),
)
def blmovem(session: Session, args: list):
    """Moves elements from an end of a list to an end of another, or waits for them.

    Since 8.10.0, O(N), with N the number of elements moved
    """
    order: Order = Order(args[3:5], args[6:])
    milliseconds: cython.longlong = timeout(session, args[5])
    moved = _move(session, args[1], args[2], order)
    if moved is None:
        return session.engine.blocking.wait(
            session, args, [args[1]], milliseconds, NULL_ARRAY, b"list"
        )
    ordering: bytes = b"OBO" if order.one_by_one else b"BULK"
    session.rewrite([b"LMOVEM", *args[1:5], b"EXACTLY", b"%d" % len(moved), ordering])
    return moved


@cython.cfunc
def _move(session: Session, source: bytes, destination: bytes, order: Order):
    """The elements that were moved, as they stand now; None if there are too few."""
    db: Database = session.db
    origin: List = db.collection_to_change(source, List)
    if origin is None or (order.exactly and origin.size() < order.count):
        return None
    target: List = db.collection_to_change(destination, List)
    size: cython.Py_ssize_t = origin.size()
    count: cython.Py_ssize_t = min(order.count, size)
    first: cython.Py_ssize_t = 0 if order.from_head else size - count
    block: list = origin.items(first, count, True)
    if order.one_by_one and order.from_head == order.to_head:
        block.reverse()
    origin.remove_range(session.keyspace.limits, first, count)
    if target is None:
        target = List()
        db.add(destination, target)
    # What is put before the first stands in the other order.
    target.push(session.keyspace.limits, block[::-1] if order.to_head else block, 0, order.to_head)
    db.changed(destination, LIST, b"lpush" if order.to_head else b"rpush")
    popped(db, source, origin, order.from_head, 0)  # One change, of two keys.
    return block
