"""A session in the same process: what the engine sends it waits here until somebody fetches it."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import cython
from cython.cimports.carnelian.engine.catalogue.registry import Command
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.ground.flags import FLAG_REEXECUTING, NEEDS_AUTH, REPLY_ON
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.cpython.exc import PyErr_CheckSignals

from carnelian.commands.common.returning import words_to_return
from carnelian.engine.catalogue.registry import FLAG_BITS
from carnelian.engine.shared.clients import (
    OBJECT_SIZE,
    describe,
    fieldset_memory,
    kind,
    subscription_memory,
    tracking_memory,
    transaction_memory,
)
from carnelian.resp.replies import NO_REPLY, Error, Push, Sentinel, Several, Verbatim

# Delivered last, when the session has ended.
CLOSED = Sentinel("CLOSED")
# No answer has come yet.
NOTHING = Sentinel("NOTHING")

_CLOSED = cython.declare(object, CLOSED)
_BLOCKING = cython.declare(cython.longlong, FLAG_BITS["blocking"])

# What a waiting object takes besides its bytes: itself, and its place in a queue or list.
_OBJECT = cython.declare(cython.Py_ssize_t, 64)
# Up to so much unread output nobody asks for limits.
_LITTLE = cython.declare(cython.Py_ssize_t, 16 * 1024)


class Outlet(Protocol):
    """Where a session leads that is one of a client outside: a socket."""

    address: bytes
    is_local: bool

    def fields(self) -> dict[str, object]:
        """What CLIENT LIST shows of the socket."""


@cython.cclass
class Mailbox(Session):
    """One session, used in one of two ways.

    A *stream* is what a connection is: commands go in, and all that comes back is fetched in its
    order, replies and messages alike. Otherwise the reply of a command is what running it returns,
    and only messages are to be fetched.

    Everything but fetching happens while the engine's lock is held. ``loose_ends`` is a list that
    all sessions of an engine share: those that have something left to do when the running command
    has ended. ``on_delivery`` is called, with that lock held, whenever there is something to fetch.
    ``cause`` says why the engine has ended the session, if it has taken too much memory. ``outlet``
    is what fetches for somebody outside of the process.

    What waits is counted while the session is one of the engine's: ``unread`` are the bytes of what
    is to be fetched, ``unrun`` those of commands that wait.
    """

    def __init__(self, core: Engine, loose_ends: list, stream: cython.bint):
        super().__init__(core)
        self.closed = False
        self.stream = stream
        self.waiting = False
        self.resuming = False
        self.running = False
        self.kept: list | None = None
        self.messages: queue.SimpleQueue[tuple[object, int]] = queue.SimpleQueue()
        self.answers: Any = None
        self.answer: object = NOTHING
        # The words of the command that has blocked, until its reply is known.
        self.asked: list | None = None
        # What blocked commands of a stream have brought and nobody has fetched, with their words.
        self.unfetched: list | None = None
        # Whether a wait for a reply, or the session itself, was given up by its owner.
        self.interrupted = self.dropped = False
        self.backlog: deque[list[bytes]] | None = None
        self.loose_ends = loose_ends
        self.on_delivery: Callable[[], object] | None = None
        self.core = core
        self.unread = self.unrun = 0
        self.counted = True
        self.cause: str | None = None
        self.outlet: Outlet | None = None

    # -- What the engine calls -------------------------------------------------------------------

    def send(self, value):
        """Keep a message, or pass on what a blocked command waited for."""
        if self.closed:
            return
        if isinstance(value, Push) and (
            self.running or (self.stream and self.flags & FLAG_REEXECUTING)
        ):
            # It follows the reply of the command that caused it.
            if self.kept is None:
                self.kept = []
            self.kept.append(value)
            return
        if self.waiting and self.blocked is None and not isinstance(value, Push):
            self.waiting = False
            self.answers.put(value)
            return
        if self.reply_mode == REPLY_ON or isinstance(value, Push):
            if self.stream and self.asked is not None and self.blocked is None:
                self.note_unfetched(value)
            self.deliver(value)
        if self.kept is not None and not self.running:
            self.deliver_kept()

    def send_first(self, messages: list, before_reply: cython.bint):
        """Deliver messages before others that wait for the reply of the running command."""
        if self.closed:
            return
        if before_reply or not (self.running or (self.stream and self.flags & FLAG_REEXECUTING)):
            for message in messages:
                self.deliver(message)
        else:
            self.kept = messages if self.kept is None else messages + self.kept

    def note_unfetched(self, value):
        """A blocking command of a stream has its reply."""
        if not isinstance(value, Push):
            if self.unfetched is None:
                self.unfetched = []
            self.unfetched.append((value, self.asked))
            self.asked = None

    def close(self, after_replies=False):
        """End at the next safe point; what was delivered before can still be fetched."""
        if not self.closed:
            self.closed = True
            self.loose_ends.append(self)

    def resume(self):
        """Go on with commands that came while the session was blocked."""
        if self.waiting:
            self.waiting = False
            self.answers.put(NO_REPLY)
        self.advance_reply_mode()
        if self.backlog and not self.resuming:
            self.resuming = True
            self.loose_ends.append(self)

    def peer(self) -> bytes:
        """Shown where others have their address."""
        return b"embedded:0" if self.outlet is None else self.outlet.address

    def is_local(self) -> bool:
        """Whether the other side is on this machine."""
        return self.outlet is None or self.outlet.is_local

    def describe(self) -> dict[str, object]:
        """Fields of CLIENT LIST."""
        fields: dict[str, object] = {
            "addr": b"embedded:0",
            "laddr": b"embedded:0",
            "fd": -1,
            "qbuf": self.unrun,
            "oll": self.messages.qsize(),
            "omem": self.unread,
            "tot-mem": self.memory(),
        }
        if self.outlet is not None:
            fields.update(self.outlet.fields())
        return fields

    @cython.ccall
    @cython.exceptval(-1)
    def memory(self) -> cython.Py_ssize_t:
        """Bytes that this session takes, all in all."""
        size: cython.Py_ssize_t = OBJECT_SIZE + self.unread + self.unrun
        if self.transaction is not None or self.watch is not None:
            size += transaction_memory(self)
        if self.channels or self.patterns or self.shard_channels:
            size += subscription_memory(self)
        if self.tracking is not None:
            size += tracking_memory(self)
        if self.fieldsets is not None:
            size += fieldset_memory(self)
        return size

    @cython.ccall
    def evict(self):
        """End because all sessions take too much memory."""
        self.cut(
            f"it took {self.memory()} bytes when all sessions together took more than "
            "maxmemory-clients allows"
        )

    # -- What the host calls, with its lock held -------------------------------------------------

    @cython.cfunc
    def submit(self, core: Engine, words: list):
        """Run a command of a stream, or keep it until the session is no longer blocked."""
        if self.blocked is not None or self.backlog:
            if self.backlog is None:
                self.backlog = deque()
            self.backlog.append(words)
            self.count_unrun(_weight(words))
            return
        self.running = True
        try:
            value = core.execute(self, words)
        finally:
            self.running = False
        if self.blocked is not None:
            self.asked = words
        elif self.command is not None and cython.cast(Command, self.command).flags & _BLOCKING:
            self.asked = words
            self.note_unfetched(value)
        if self.reply_mode != REPLY_ON:
            # That a channel is subscribed to is a message rather than a reply.
            if type(value) is Several:
                self.deliver(value)
            if self.blocked is None:
                self.advance_reply_mode()
        elif value is not NO_REPLY:
            self.deliver(value)
        if self.kept is not None:
            self.deliver_kept()

    @cython.cfunc
    def deliver_kept(self):
        """Deliver the messages that waited for a reply."""
        messages: list | None = self.kept
        self.kept = None
        for message in messages or ():
            self.deliver(message)

    @cython.cfunc
    def proceed(self, core: Engine):
        """What is left to do between two commands: kept commands, or the end."""
        self.resuming = False
        if self.interrupted:
            self.take_back(core)
        if self.closed:
            self.finish(core)
            return
        waiting, self.backlog = self.backlog, None
        while waiting and self.blocked is None and not self.closed:
            words: list = waiting.popleft()
            self.count_unrun(-_weight(words))
            self.submit(core, words)
        if waiting:
            self.backlog = waiting

    @cython.cfunc
    def finish(self, core: Engine):
        """The session has ended: nobody hears of it any longer, and it hears that."""
        if self.dropped and self.unfetched:
            for reply, words in self.unfetched:
                self.put_back(core, words, reply)
            self.unfetched = None
        core.sessions.remove(self)
        core.output_limits.lagging.pop(self, None)
        core.memory_limit.waiting -= self.unread + self.unrun
        self.counted = False
        self.unread = self.unrun = 0
        self.backlog = None
        if self.waiting:
            self.waiting = False
            self.answers.put(_CLOSED)
        self.deliver(_CLOSED)

    @cython.cfunc
    def deliver(self, value):
        if type(value) is Several:
            for part in value:
                self.put_unread(part)
        else:
            self.put_unread(value)
        if self.on_delivery is not None:
            self.call_owner(self.on_delivery)

    @cython.cfunc
    def put_unread(self, value):
        """Have a reply or message wait until it is fetched."""
        size: cython.Py_ssize_t = 0
        if self.counted:
            size = _weight(value)
            self.count_unread(size)
        self.messages.put((value, size))
        if self.unread > _LITTLE or self.soft_since_ms:
            self.check_unread()

    @cython.cfunc
    def count_unread(self, size: cython.Py_ssize_t):
        """Count bytes that begin or, below 0, cease to wait; what has ended is not counted."""
        if not self.counted:
            return
        self.unread += size
        self.core.memory_limit.waiting += size
        if self.core.client_eviction.limit and not self.closed:
            self.core.client_eviction.update(self)

    @cython.cfunc
    def count_unrun(self, size: cython.Py_ssize_t):
        self.unrun += size
        self.core.memory_limit.waiting += size

    @cython.ccall
    def check_unread(self):
        """End the session if too much waits for it."""
        core: Engine = self.core
        if self.closed:
            return
        if core.output_limits.exceeded(self, self.unread, core.clock.ms):
            core.stats.output_limit_disconnections += 1
            line = describe(self, self.core.clock.ms).decode("utf-8", "surrogateescape")
            core.log(
                "warning",
                f"Client {line} scheduled to be closed ASAP for overcoming of output buffer "
                "limits.",
            )
            self.cut(
                f"{self.unread} bytes waited for it unread, more than "
                f"client-output-buffer-limit {kind(self)} allows"
            )
        elif self.soft_since_ms:
            core.output_limits.lagging[self] = None
        else:
            core.output_limits.lagging.pop(self, None)

    @cython.cfunc
    def cut(self, cause):
        """End, and let go of what waits."""
        if self.closed:
            return
        self.cause = cause
        self.close()
        try:
            while True:
                self.fetch(0)
        except queue.Empty:
            pass

    @cython.cfunc
    def call_owner(self, tell):
        try:
            tell()
        except BaseException as fault:
            # Of the running command, or rather of who called it, nothing is wrong.
            self.engine.defer(fault)
            try:
                # If that was an interrupt, it may have come before anything was done.
                tell()
            except BaseException as another:
                if not isinstance(another, Exception):
                    self.engine.defer(another)

    def expect_answer(self, words: list) -> None:
        """The running command has blocked: its reply goes to whoever calls await_answer."""
        if self.answers is None:
            self.answers = queue.SimpleQueue()
        self.waiting = True
        self.asked = words

    @cython.cfunc
    def take_back(self, core: Engine):
        """Whoever waited for a reply was interrupted: the command is undone."""
        self.interrupted = False
        if self.blocked is not None:
            core.blocking.cancel(self)
        elif self.answer is NOTHING and not self.answers.empty():
            self.answer = self.answers.get_nowait()
        self.waiting = False
        answer, words = self.answer, self.asked
        self.answer, self.asked, self.answers = NOTHING, None, None
        if answer is not NOTHING and words is not None:
            self.put_back(core, words, answer)

    @cython.cfunc
    def put_back(self, core: Engine, words: list, reply):
        """Put back what a command has taken that nobody gets the reply of."""
        asked = core.registry.lookup(words)
        undoing = None if asked is None else words_to_return(asked.name, words, reply)
        if undoing is None:
            return
        command = core.registry.lookup(undoing)
        outcome = None if command is None else core.call(self, command, undoing)
        if outcome is None or isinstance(outcome, Error):
            core.log("warning", f"What was taken from {undoing[1]!r} could not be put back")
        if core.keys_ready:
            core.blocking.serve()

    # -- What the owner calls, without the lock ----------------------------------------------------

    @cython.ccall
    def fetch(self, timeout):
        """What was delivered next; waits up to ``timeout`` seconds, or forever if that is None.

        Raises queue.Empty if there is nothing by then.
        """
        kept: tuple
        if timeout is None or timeout > 0:
            # A signal that came since the call began would not end the wait.
            PyErr_CheckSignals()
        if timeout is None:
            kept = self.messages.get()
        elif timeout <= 0:
            kept = self.messages.get_nowait()
        else:
            kept = self.messages.get(True, timeout)
        self.count_unread(-kept[1])
        if self.unfetched and kept[0] is self.unfetched[0][0]:
            self.unfetched.pop(0)
        return kept[0]

    @cython.ccall
    def put_back_end(self):
        """The end was fetched: whoever asks again hears it again."""
        self.messages.put((_CLOSED, 0))

    @cython.ccall
    def await_answer(self):
        """The reply of the command that has blocked."""
        PyErr_CheckSignals()
        self.answer = self.answers.get()
        return self.answer

    @cython.cfunc
    def answered(self):
        """The caller has the reply of the command that had blocked."""
        self.answer = NOTHING
        self.asked = None

    @cython.cfunc
    def give_up(self):
        """Whoever waits for a reply does so no longer; takes effect at the next safe point."""
        self.interrupted = True
        self.loose_ends.append(self)

    @cython.cfunc
    def abandon(self):
        """As :meth:`close`, by the owner: nobody fetches any longer what is there."""
        self.dropped = True
        self.close()

    def pending(self) -> bool:
        """Whether there is something to fetch."""
        return not self.messages.empty()

    @property
    def authenticated(self) -> bool:
        """Whether commands are let through."""
        return not self.gate & NEEDS_AUTH


@cython.cfunc
def _weight(value) -> cython.Py_ssize_t:
    """Bytes that a reply, message or command takes while it waits. O(n) in its elements."""
    size: cython.Py_ssize_t = _OBJECT
    if value is None or value is _CLOSED:
        return 0
    if isinstance(value, bytes):
        return size + len(cython.cast(bytes, value))
    if isinstance(value, list):
        for part in cython.cast(list, value):
            size += _weight(part)
        return size
    if isinstance(value, dict):
        for key, part in value.items():
            size += _weight(key) + _weight(part)
        return size
    if isinstance(value, (set, frozenset, tuple)):
        for part in value:
            size += _weight(part)
        return size
    if type(value) is Verbatim:
        return size + len(value.text)
    return size
