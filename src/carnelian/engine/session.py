"""A client with its engine: what handlers get, and what carriers subclass.

What carries replies to the other side (a socket, a queue in the same process, a script) implements
:meth:`send` and :meth:`close`.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.shared.client_state import Client


@cython.cclass
class Session(Client):
    """One client of an engine."""

    def __init__(self, engine: Engine):
        super().__init__(engine.keyspace, engine.sessions.next_id(), engine.clock.wall_ms())
        self.engine = engine

    def call(self, *words: object) -> object:
        """Run another command from within a handler, and return its reply in Python's types.

        ``session.call("GET", key)``. What it writes is propagated in place of the handler's own
        command, so a handler changes keys either this way or directly. Raises the command's error.
        """
        return self.engine.nested(self, words)
