"""What an engine has of replication: its history, the stream, and who leads or follows."""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.replication.change_stream import Stream
from cython.cimports.carnelian.replication.history import Backlog, History

from carnelian.replication.history import held
from carnelian.resp.numbers import format_int
from carnelian.resp.replies import OK, Error


@cython.final
@cython.cclass
class Replication:
    """The replication of one engine.

    - ``history``: which data set it has, and how far that has come;
    - ``stream``: the changes, for those who follow this node;
    - ``primary``: those who follow this node, once somebody may;
    - ``following``: the link to the primary of this node, None while it leads itself;
    - ``replica_side``: what makes such links, once somebody asks for it;
    - ``restored_db``: the database that the stream was in, by the snapshot with which this node has
      begun as a replica; None where there was none;
    - ``loop``: what carries links and copies of the data set; None where there is none (embedded).
    """

    def __init__(self, engine: Engine):
        self.engine = engine
        self.history = History()
        self.stream = Stream(engine.effects, self.history)
        self.following: Any = None
        self.replica_side: Any = None
        self.primary: Any = None
        self.loop: Any = None
        self.restored_db: int | None = None
        self._limit_backlog(engine.config["repl-backlog-size"])
        engine.config.on_change("repl-backlog-size", self._limit_backlog)
        engine.memory_limit.uncounted.append(self._uncounted)
        engine.debug_commands[b"change-repl-id"] = self._change_id
        engine.debug_commands[b"replicate"] = self._replicate

    def _limit_backlog(self, size: int) -> None:
        self.engine.output_limits.kept_anyway = size
        if self.stream.backlog is not None:
            self.stream.backlog.resize(size)

    def _uncounted(self) -> int:
        """Bytes that are held only because somebody is behind: no key is to go for them."""
        return max(0, held() - self.engine.config["repl-backlog-size"])

    def _change_id(self, session: Session, args: list) -> object:
        """DEBUG CHANGE-REPL-ID"""
        self.engine.log("warning", "Changing replication IDs after receiving DEBUG change-repl-id")
        self.history.new_id()
        return OK

    def _replicate(self, session: Session, args: list) -> object:
        """DEBUG REPLICATE <word> ...: have replicas run a command that was not run here."""
        if len(args) < 3:
            raise Error("ERR Unknown subcommand or wrong number of arguments for 'replicate'.")
        self.engine.effects.add(-1, args[2:], self.engine.effects.FOR_REPLICAS)
        return OK

    # -- The stream --------------------------------------------------------------------------------

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

    def memory(self) -> tuple[int, int, int]:
        """Bytes of the stream: of the backlog, all, and what is held for replicas alone."""
        total: int = held()
        limit: int = self.engine.config["repl-backlog-size"]
        if self.stream.backlog is None:
            return 0, total, total
        if total > limit and self.stream.readers:
            return limit, total, total - limit
        return total, total, 0

    # -- What a snapshot says of it ----------------------------------------------------------------

    def facts(self) -> list:
        """The fields of an RDB file that tell where in which history it was taken."""
        db_index = self.stream.database()
        if self.following is not None:
            if not self.following.resumable:
                return []
            db_index = self.following.stream_db
        elif self.stream.backlog is None:
            return []
        return [
            (b"repl-stream-db", format_int(db_index)),
            (b"repl-id", self.history.id.encode()),
            (b"repl-offset", format_int(self.history.offset)),
        ]


@cython.ccall
def replication_of(engine: Engine) -> Replication:
    """The replication of an engine; made when it is first asked for."""
    if engine.replication is None:
        engine.replication = Replication(engine)
    return engine.replication
