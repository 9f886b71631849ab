"""A client of the engine: what it selected, subscribed to, watches, queued and waits for.

The engine knows clients only through this class. What carries replies to the other side (a socket,
a queue in the same process, a script) subclasses it and implements :meth:`Session.send` and
:meth:`Session.close`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cython
from cython.cimports.carnelian.engine.flags import (
    FLAG_MONITOR,
    FLAG_NO_EVICT,
    FLAG_NO_TOUCH,
    FLAG_REPLICA,
    NORMAL,
    PART,
    PUBSUB,
    REPLICA,
    REPLY_ON,
    REPLY_SKIP,
    REPLY_SKIP_NEXT,
    UNTOUCHING,
)

from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.blocking import Blocked
    from carnelian.engine.engine import Engine
    from carnelian.engine.registry import Command
    from carnelian.engine.transactions import Transaction, Watch
    from carnelian.keyspace.database import Database
    from carnelian.keyspace.keyspace import Keyspace


@cython.cclass
class Session:
    """One client. Attributes that the hot path reads are typed; see ``session.pxd``."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self.id = engine.sessions.next_id()
        self.keyspace: Keyspace = engine.keyspace
        self.db: Database = engine.keyspace.databases[0]
        self.gate = 0
        self.flags = 0
        self.protocol = 2
        self.reply_mode = REPLY_ON
        # Whether replies go straight to the writer, and may be carnelian.resp.rows.Rows.
        self.takes_rows = False
        self.created_ms = engine.clock.wall_ms()
        self.active_ms = self.created_ms
        self.lib_name = b""
        self.lib_ver = b""
        self.user = b"default"
        self.reset_identity()
        self.transaction: Transaction | None = None
        # The one that EXEC runs.
        self.executing: Transaction | None = None
        self.watch: Watch | None = None
        self.blocked: Blocked | None = None
        self.rewritten: list[bytes] | None = None
        # What runs, or ran or was refused last; None if there is no such command.
        self.command: Command | None = None
        self.channels: dict[bytes, None] | None = None
        self.patterns: dict[bytes, None] | None = None
        self.shard_channels: dict[bytes, None] | None = None
        # Since when more is unread than the soft limit allows, and what eviction counts it with.
        self.soft_since_ms = 0
        self.memory_counted = 0

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError("a session cannot be copied or pickled")

    def reset_identity(self) -> None:
        """Back to no name and the usual manners, as a new connection or after RESET.

        The library behind the connection stays the same, and so do the names of it.
        """
        self.name = b""
        # What is to be skipped is the very reply of RESET.
        if self.reply_mode != REPLY_SKIP:
            self.reply_mode = REPLY_ON
        self.flags &= ~(FLAG_NO_EVICT | FLAG_NO_TOUCH)
        self.gate &= ~UNTOUCHING

    # -- What a carrier implements ---------------------------------------------------------------

    @cython.ccall
    def send(self, value: object):
        """Deliver a reply out of turn: a message, or what a blocked command waited for."""
        raise NotImplementedError

    @cython.ccall
    def close(self, after_replies: object = False):
        """End this session, once pending replies have left it if ``after_replies``.

        A carrier ends at its next safe point and then calls ``engine.sessions.remove(session)``.
        """
        raise NotImplementedError

    @cython.ccall
    def resume(self):
        """Called when the session is no longer blocked: go on with input that had to wait."""

    def peer(self) -> bytes:
        """Where the other side is, as MONITOR and CLIENT LIST show it: ``127.0.0.1:52000``."""
        return b""

    def is_local(self) -> bool:
        """Whether the other side is on this machine, for commands allowed only from there."""
        return True

    @cython.ccall
    @cython.exceptval(-1)
    def memory(self) -> cython.Py_ssize_t:
        """The bytes that this session takes, buffers included (tot-mem of CLIENT LIST)."""
        return 0

    @cython.ccall
    def output_class(self) -> cython.int:
        """NORMAL, REPLICA or PUBSUB: whose output limits hold."""
        if self.flags & FLAG_REPLICA and not self.flags & FLAG_MONITOR:
            return REPLICA
        return PUBSUB if self.channels or self.patterns or self.shard_channels else NORMAL

    @cython.ccall
    def evict(self):
        """End this session, because all of them take too much memory."""
        self.close()

    def describe(self) -> dict[str, object]:
        """Fields of CLIENT LIST that only the carrier knows: addr, laddr, fd, qbuf, omem, ...

        Texts are bytes. ``flags`` are the letters of its own state: c, A and U.
        """
        return {}

    @cython.cfunc
    def settle_reply_mode(self):
        """CLIENT REPLY SKIP silences one command: to be called after each by the carrier."""
        if self.reply_mode == REPLY_SKIP_NEXT:
            self.reply_mode = REPLY_SKIP
        elif self.reply_mode == REPLY_SKIP:
            self.reply_mode = REPLY_ON

    # -- What handlers use -----------------------------------------------------------------------

    @cython.ccall
    def rewrite(self, args: list):
        """What the append-only file and replicas get in place of the running command.

        An empty list stands for nothing at all.
        """
        self.rewritten = args

    def lazily(self, members: cython.Py_ssize_t):
        """Whether a reply of so many members should be a :class:`carnelian.resp.replies.Lazy`.

        Not inside of a transaction or a command of a user: others may change the value before the
        reply is written.
        """
        return members > PART and self.takes_rows and self.engine.depth == 0

    def call(self, *words: object) -> object:
        """Run another command from within a handler, and return its reply in Python's types.

        ``session.call("GET", key)``. What it writes is propagated in place of the handler's own
        command, so a handler changes keys either this way or directly. Raises the command's error.
        """
        return self.engine.nested(self, words)

    def select(self, index: int) -> None:
        """Make another database the current one; raises if there is none of that number."""
        databases = self.keyspace.databases
        if not 0 <= index < len(databases):
            raise Error("ERR DB index is out of range")
        self.db = databases[index]

    def subscription_count(self) -> int:
        """Channels and patterns, as SUBSCRIBE reports them (shard channels count apart)."""
        return len(self.channels or ()) + len(self.patterns or ())
