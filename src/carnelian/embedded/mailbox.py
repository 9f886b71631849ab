"""A session in the same process: what the engine sends it waits here until somebody fetches it."""

from __future__ import annotations

from collections import deque
from queue import SimpleQueue
from typing import Any

import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.session import Session

from carnelian.engine.session import (
    NEEDS_AUTH,
    REPLY_ON,
)
from carnelian.resp.replies import NO_REPLY, Push, Sentinel, Several

# Delivered last, when the session has ended.
CLOSED = Sentinel("CLOSED")

_CLOSED = cython.declare(object, CLOSED)
_NO_REPLY = cython.declare(object, NO_REPLY)
_Push = cython.declare(object, Push)
_Several = cython.declare(object, Several)
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
        self.running = False
        self.kept: list | None = None
        self.messages: Any = SimpleQueue()
        self.answers: Any = None
        self.backlog: Any = None
        self.loose_ends = loose_ends
        self.on_delivery = None

    # -- What the engine calls -------------------------------------------------------------------

    def send(self, value):
        """Keep a message, or pass on what a blocked command waited for."""
        if self.closed:
            return
        if self.running and isinstance(value, _Push):
            # It follows the reply of the command that caused it.
            if self.kept is None:
                self.kept = []
            self.kept.append(value)
            return
        if self.waiting and self.blocked is None and not isinstance(value, _Push):
            self.waiting = False
            self.answers.put(value)
            return
        if self.reply_mode == _REPLY_ON or isinstance(value, _Push):
            self.deliver(value)

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
        self.running = True
        try:
            value = core.execute(self, words)
        finally:
            self.running = False
        if self.reply_mode != _REPLY_ON:
            # That a channel is subscribed to is a message rather than a reply.
            if type(value) is _Several:
                self.deliver(value)
            if self.blocked is None:
                self.settle_reply_mode()
        elif value is not _NO_REPLY:
            self.deliver(value)
        if self.kept is not None:
            messages: list = self.kept
            self.kept = None
            for message in messages:
                self.deliver(message)

    @cython.cfunc
    def proceed(self, core: Engine):
        """What is left to do between two commands: kept commands, or the end."""
        self.resuming = False
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
            self.on_delivery()

    def expect_answer(self) -> None:
        """The running command has blocked: its reply goes to whoever calls await_answer."""
        if self.answers is None:
            self.answers = SimpleQueue()
        self.waiting = True

    @cython.cfunc
    def forget_answer(self):
        """Whoever waited was interrupted."""
        self.waiting = False
        self.answers = None

    # -- What the owner calls, without the lock ----------------------------------------------------

    @cython.ccall
    def fetch(self, timeout):
        """What was delivered next; waits up to ``timeout`` seconds, or forever if that is None.

        Raises queue.Empty if there is nothing by then.
        """
        if timeout is None:
            return self.messages.get()
        if timeout <= 0:
            return self.messages.get_nowait()
        return self.messages.get(True, timeout)

    @cython.ccall
    def await_answer(self):
        """The reply of the command that has blocked."""
        return self.answers.get()

    def pending(self) -> bool:
        """Whether there is something to fetch."""
        return not self.messages.empty()

    @property
    def authenticated(self) -> bool:
        """Whether commands are let through."""
        return not self.gate & NEEDS_AUTH
