"""DEBUG DIGEST: one hash over a data set that does not depend on the order of its keys.

Equal data sets have equal digests in Redis and here, which is what tests compare.
"""

from __future__ import annotations

from carnelian.datatypes.base.digest import Digest
from carnelian.engine.shared.core import Core
from carnelian.keyspace.database import Database
from carnelian.keyspace.sparing import DIGESTING

# The numbers that Redis gives its types.
_TYPE_NUMBERS = {
    b"string": 0,
    b"list": 1,
    b"set": 2,
    b"zset": 3,
    b"hash": 4,
    b"stream": 6,
    b"array": 7,
}


def of_value(db: Database, key: bytes, digest: Digest) -> None:
    """Take in the value of a key: its type, its content, and whether it expires."""
    value, kind = db.peek(key), db.type_name(key)
    if value is None or kind is None:
        return
    digest.chain(_TYPE_NUMBERS.get(kind, 5).to_bytes(4, "big"))
    if isinstance(value, bytes):
        digest.chain(value)
    else:
        value.digest(digest)
    if db.expiry(key) != -1:
        digest.blend(b"!!expire!!")


def of_everything(core: Core) -> bytes:
    """The digest of all databases; zeros if they are empty. O(bytes held)."""
    keyspace = core.keyspace
    # What is overdue and still there counts, as it does in Redis.
    keyspace.spare_overdue(DIGESTING)
    try:
        return _of_databases(keyspace.databases)
    finally:
        keyspace.cease_sparing(DIGESTING)


def _of_databases(databases: list[Database]) -> bytes:
    total = Digest()
    for db in databases:
        if not len(db):
            continue
        total.chain(db.index.to_bytes(4, "big"))
        keys = db.keys()
        for key in keys:
            entry = Digest()
            entry.chain(key)
            of_value(db, key, entry)
            total.blend(entry.value())
    return total.value()
