"""What an engine has of replication: its history, the stream, and who leads or follows."""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.replication.history import Backlog, History
from cython.cimports.carnelian.replication.stream import Stream


@cython.final
@cython.cclass
class Replication:
    """The replication of one engine.

    - ``history``: which data set it has, and how far that has come;
    - ``stream``: the changes, for those who follow this node;
    - ``following``: the link to the primary of this node, None while it leads itself;
    - ``replica_side``: what makes such links, once somebody asks for it;
    - ``loop``: what carries links and copies of the data set; None where there is none (embedded).
    """

    def __init__(self, engine: Engine):
        self.engine = engine
        self.history = History()
        self.stream = Stream(engine.effects, self.history)
        self.following: Any = None
        self.primary: Any = None
        self.replica_side: Any = None
        self.loop: Any = None

    def make_backlog(self) -> None:
        """Keep the stream from now on, if it is not kept yet."""
        if self.stream.backlog is None:
            self.stream.backlog = Backlog(
                self.history.offset, self.engine.config["repl-backlog-size"]
            )
            self.stream.lead(self.following is None)

    def drop_backlog(self) -> None:
        """Keep the stream no longer."""
        self.stream.lead(False)
        if self.stream.backlog is not None:
            self.stream.backlog.drop()
            self.stream.backlog = None


@cython.ccall
def replication_of(engine: Engine) -> Replication:
    """The replication of an engine; made when it is first asked for."""
    if engine.replication is None:
        engine.replication = Replication(engine)
    return engine.replication
