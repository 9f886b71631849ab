"""A session in the same process: what the engine sends it waits here until somebody fetches it."""

from __future__ import annotations

import queue
from collections import deque
from typing import Any

import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.registry import Command
from cython.cimports.carnelian.engine.session import Session

from carnelian.commands.returning import words_to_return
from carnelian.engine.registry import FLAG_BITS
from carnelian.engine.session import (
    NEEDS_AUTH,
    REPLY_ON,
)
from carnelian.resp.replies import NO_REPLY, Error, Push, Sentinel, Several

# Delivered last, when the session has ended.
CLOSED = Sentinel("CLOSED")
# No answer has come yet.
NOTHING = Sentinel("NOTHING")

_CLOSED = cython.declare(object, CLOSED)
_NO_REPLY = cython.declare(object, NO_REPLY)
_Push = cython.declare(object, Push)
_Several = cython.declare(object, Several)
_BLOCKING = cython.declare(cython.longlong, FLAG_BITS["blocking"])
_REPLY_ON = cython.declare(cython.int, REPLY_ON)


@cython.cclass
class Mailbox(Session):
    """One session, used in one of two ways.

    A *stream* is what a connection is: commands go in, and all that comes back is fetched in its
    order, replies and messages alike. Otherwise the reply of a command is what running it returns,
    and only messages are to be fetched.

    Everything but fetching happens while the engine's lock is held. ``loose_ends`` is a list that
    all sessions of an engine share: those that have something left to do when the running command
    has ended. ``on_delivery`` is called, with that lock held, whenever there is something to fetch.
    """

    def __init__(self, core: Engine, loose_ends: list, stream: cython.bint):
        super().__init__(core)
        self.closed = False
        self.stream = stream
        self.waiting = False
        self.resuming = False
        self.messages: Any = queue.SimpleQueue()
        self.answers: Any = None
        self.answer = NOTHING
        # The words of the command that has blocked, until its reply is known.
        self.asked: list | None = None
        # What blocked commands of a stream have brought and nobody has fetched, with their words.
        self.unread: list | None = None
        # Whether a wait for a reply, or the session itself, was given up by its owner.
        self.interrupted = self.dropped = False
        self.backlog: Any = None
        self.loose_ends = loose_ends
        self.on_delivery: Any = None

    # -- What the engine calls -------------------------------------------------------------------

    def send(self, value):
        """Keep a message, or pass on what a blocked command waited for."""
        if self.closed:
            return
        if self.waiting and self.blocked is None and not isinstance(value, _Push):
            self.waiting = False
            self.answers.put(value)
            return
        if self.reply_mode == _REPLY_ON or isinstance(value, _Push):
            if self.stream and self.asked is not None and self.blocked is None:
                self.note_unread(value)
            self.deliver(value)

    def note_unread(self, value):
        """A blocking command of a stream has its reply."""
        if not isinstance(value, _Push):
            if self.unread is None:
                self.unread = []
            self.unread.append((value, self.asked))
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
            self.answers.put(_NO_REPLY)
        self.settle_reply_mode()
        if self.backlog and not self.resuming:
            self.resuming = True
            self.loose_ends.append(self)

    def peer(self) -> bytes:
        """Shown where others have their address."""
        return b"embedded:0"

    def describe(self) -> dict[str, object]:
        """Fields of CLIENT LIST."""
        return {"addr": b"embedded:0", "laddr": b"embedded:0", "fd": -1}

    # -- What the host calls, with its lock held -------------------------------------------------

    @cython.cfunc
    def submit(self, core: Engine, words: list):
        """Run a command of a stream, or keep it until the session is no longer blocked."""
        if self.blocked is not None or self.backlog:
            if self.backlog is None:
                self.backlog = deque()
            self.backlog.append(words)
            return
        value = core.execute(self, words)
        if self.blocked is not None:
            self.asked = words
        elif self.command is not None and cython.cast(Command, self.command).flags & _BLOCKING:
            self.asked = words
            self.note_unread(value)
        if self.reply_mode != _REPLY_ON:
            # That a channel is subscribed to is a message rather than a reply.
            if type(value) is _Several:
                self.deliver(value)
            if self.blocked is None:
                self.settle_reply_mode()
        elif value is not _NO_REPLY:
            self.deliver(value)

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
            self.submit(core, waiting.popleft())
        if waiting:
            self.backlog = waiting

    @cython.cfunc
    def finish(self, core: Engine):
        """The session has ended: nobody hears of it any longer, and it hears that."""
        if self.dropped and self.unread:
            for reply, words in self.unread:
                self.put_back(core, words, reply)
            self.unread = None
        core.sessions.remove(self)
        self.backlog = None
        if self.waiting:
            self.waiting = False
            self.answers.put(_CLOSED)
        self.deliver(_CLOSED)

    @cython.cfunc
    def deliver(self, value):
        if type(value) is _Several:
            for part in value:
                self.messages.put(part)
        else:
            self.messages.put(value)
        if self.on_delivery is not None:
            self.call_owner()

    @cython.cfunc
    def call_owner(self):
        try:
            self.on_delivery()
        except BaseException as fault:
            # Of the running command, or rather of who called it, nothing is wrong.
            self.engine.defer(fault)
            try:
                # If that was an interrupt, it may have come before anything was done.
                self.on_delivery()
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
        if timeout is None:
            message = self.messages.get()
        elif timeout <= 0:
            message = self.messages.get_nowait()
        else:
            message = self.messages.get(True, timeout)
        if self.unread and message is self.unread[0][0]:
            self.unread.pop(0)
        return message

    @cython.ccall
    def await_answer(self):
        """The reply of the command that has blocked."""
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
