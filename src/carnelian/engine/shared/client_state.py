"""A client as the parts of an engine know it."""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.engine.catalogue.registry import Command
from cython.cimports.carnelian.engine.ground.flags import (
    ASKED,
    FLAG_ASKING,
    FLAG_HAS_ASKED,
    FLAG_MONITOR,
    FLAG_NO_EVICT,
    FLAG_NO_TOUCH,
    FLAG_READONLY,
    FLAG_REPLICA,
    NORMAL,
    PUBSUB,
    REPLICA,
    REPLY_ON,
    REPLY_SKIP,
    REPLY_SKIP_NEXT,
    UNTOUCHING,
)
from cython.cimports.carnelian.keyspace.keyspace import Keyspace
from cython.cimports.carnelian.resp.output import Feed

from carnelian.engine.ground.copies import refuse_copies
from carnelian.engine.shared.begun import Blocked, Transaction, Watch
from carnelian.resp.replies import Error


@cython.cclass
class Client:
    """One client: what it selected, subscribed to, watches, queued and waits for.

    The parts of an engine know clients only through this class. Handlers and carriers have a
    :class:`carnelian.engine.session.Session`, which knows its engine as well.
    """

    def __init__(self, keyspace: Keyspace, number: int, now_ms: int):
        self.id = number
        self.keyspace = keyspace
        self.db = keyspace.databases[0]
        self.gate = 0
        self.flags = 0
        self.protocol = 2
        self.reply_mode = REPLY_ON
        # Whether replies go straight to the writer, and may be carnelian.resp.rows.Rows.
        self.takes_rows = False
        self.created_ms = self.active_ms = now_ms
        self.lib_name = b""
        self.lib_ver = b""
        self.user = b"default"
        # What this user may do, see carnelian.engine.acl; None where nobody asks who it is.
        self.rights: Any = None
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
        # What CLIENT TRACKING has asked for: a carnelian.engine.parts.tracking.Tracker.
        self.tracking: Any = None
        # What HIMPORT PREPARE has named: by the name of the set the fields, and their bytes.
        self.fieldsets: dict[bytes, tuple[tuple[bytes, ...], int]] | None = None
        # Since when more is unread than the soft limit allows, and what eviction counts it with.
        self.soft_since_ms = 0
        self.memory_counted = 0
        # How far the stream to replicas had come after the last command (see WAIT).
        self.write_position = 0
        # Calls that have ended, those of its scripts included.
        self.commands = 0
        # What is known of the other side if it is a replica: carnelian.replication's Replica.
        self.replica: Any = None
        # Where a replica's output comes from; None for everybody else.
        self.feed: Feed | None = None

    __reduce_ex__ = refuse_copies("a session")

    def reset_identity(self) -> None:
        """Back to no name and the usual manners, as a new connection or after RESET.

        The library behind the connection stays the same, and so do the names of it.
        """
        self.name = b""
        # What is to be skipped is the very reply of RESET.
        if self.reply_mode != REPLY_SKIP:
            self.reply_mode = REPLY_ON
        self.flags &= ~(FLAG_NO_EVICT | FLAG_NO_TOUCH)
        self.flags &= ~(FLAG_READONLY | FLAG_ASKING | FLAG_HAS_ASKED)
        self.gate &= ~(UNTOUCHING | ASKED)

    # -- What a carrier implements ---------------------------------------------------------------

    @cython.ccall
    def send(self, value: object):
        """Deliver a reply out of turn: a message, or what a blocked command waited for."""
        raise NotImplementedError

    @cython.ccall
    def send_first(self, messages: list, before_reply: cython.bint):
        """Deliver messages before others that wait for the reply of the session's own command.

        With ``before_reply`` that command has not begun yet: they go before its reply, too.
        """
        for message in messages:
            self.send(message)

    @cython.ccall
    def close(self, after_replies: object = False):
        """End this session, once pending replies have left it if ``after_replies``.

        A carrier ends at its next safe point and then calls ``engine.sessions.remove(session)``.
        """
        raise NotImplementedError

    @cython.ccall
    def resume(self):
        """Called when the session is no longer blocked: go on with input that had to wait."""

    @cython.ccall
    def begin_feed(self, feed: Feed):
        """Have output come from ``feed`` from now on, behind what is to be sent already.

        Raises Error where the other side cannot be a replica.
        """
        raise Error("ERR a replica needs a connection of its own")

    @cython.ccall
    def pull(self):
        """The feed has something: have it sent with the rest of this turn."""

    @cython.ccall
    def send_raw(self, data: bytes):
        """Send bytes as they are, whatever is done with replies."""

    def peer(self) -> bytes:
        """Where the other side is, as MONITOR and CLIENT LIST show it: ``127.0.0.1:52000``."""
        return b""

    def origin(self) -> Client:
        """Whose doing it is what this one does: its own, unless it is there for another."""
        return self

    def is_local(self) -> bool:
        """Whether the other side is on this machine, for commands allowed only from there."""
        return True

    def is_encrypted(self) -> bool:
        """Whether what the other side sends is encrypted on its way."""
        return False

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
    def advance_reply_mode(self):
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

    def select(self, index: int) -> None:
        """Make another database the current one; raises if there is none of that number."""
        databases = self.keyspace.databases
        if not 0 <= index < len(databases):
            raise Error("ERR DB index is out of range")
        self.db = databases[index]

    def subscription_count(self) -> int:
        """Channels and patterns, as SUBSCRIBE reports them (shard channels count apart)."""
        return len(self.channels or ()) + len(self.patterns or ())
