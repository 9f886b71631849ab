"""Replies of many elements without an object for each."""

import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.resp.rows import rows_of

# A larger reply is not to be built at once.
_MOST = cython.declare(cython.Py_ssize_t, 4096)


def rows_for(session, kind, elements):
    """What to pour so many elements into; None where the reply has to be Python values.

    It may be rows if they are written as the reply of the very command that the session sent: not
    inside of a transaction, of another command, or of an embedded engine.
    """
    engine: Engine
    if not session.takes_rows or elements > _MOST:
        return None
    engine = session.engine
    if engine.depth:
        return None
    return rows_of(kind)
