"""A session in the same process: what the engine sends it waits here until somebody fetches it."""

from __future__ import annotations

from collections import deque
from queue import Empty, SimpleQueue
from typing import Any

import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.session import Session

from carnelian.engine.clients import (
    OBJECT_SIZE,
    describe,
    kind,
    subscription_memory,
    transaction_memory,
)
from carnelian.engine.session import (
    NEEDS_AUTH,
    REPLY_ON,
)
from carnelian.resp.replies import NO_REPLY, Push, Sentinel, Several, Verbatim

# Delivered last, when the session has ended.
CLOSED = Sentinel("CLOSED")

_CLOSED = cython.declare(object, CLOSED)
_NO_REPLY = cython.declare(object, NO_REPLY)
_Push = cython.declare(object, Push)
_Several = cython.declare(object, Several)
_REPLY_ON = cython.declare(cython.int, REPLY_ON)

# What a waiting object takes besides its bytes: itself, and its place in a queue or list.
_OBJECT = cython.declare(cython.Py_ssize_t, 64)
# Up to so much unread output nobody asks for limits.
_LITTLE = cython.declare(cython.Py_ssize_t, 16 * 1024)


@cython.cclass
class Mailbox(Session):
    """One session, used in one of two ways.

    A *stream* is what a connection is: commands go in, and all that comes back is fetched in its
    order, replies and messages alike. Otherwise the reply of a command is what running it returns,
    and only messages are to be fetched.

    Everything but fetching happens while the engine's lock is held. ``loose_ends`` is a list that
    all sessions of an engine share: those that have something left to do when the running command
    has ended. ``on_delivery`` is called, with that lock held, whenever there is something to fetch.
    ``cause`` says why the engine has ended the session, if it has taken too much memory.

    What waits is counted while the session is one of the engine's: ``unread`` are the bytes of what
    is to be fetched, ``unrun`` those of commands that wait.
    """

    def __init__(self, core: Engine, loose_ends: list, stream: cython.bint):
        super().__init__(core)
        self.closed = False
        self.stream = stream
        self.waiting = False
        self.resuming = False
        self.messages: Any = SimpleQueue()
        self.answers: Any = None
        self.backlog: Any = None
        self.loose_ends = loose_ends
        self.on_delivery = None
        self.core = core
        self.unread = self.unrun = 0
        self.counted = True
        self.cause: str | None = None

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
        return {
            "addr": b"embedded:0",
            "laddr": b"embedded:0",
            "fd": -1,
            "qbuf": self.unrun,
            "oll": self.messages.qsize(),
            "omem": self.unread,
            "tot-mem": self.memory(),
        }

    @cython.ccall
    @cython.exceptval(-1)
    def memory(self) -> cython.Py_ssize_t:
        """Bytes that this session takes, all in all."""
        size: cython.Py_ssize_t = OBJECT_SIZE + self.unread + self.unrun
        if self.transaction is not None or self.watch is not None:
            size += transaction_memory(self)
        if self.channels or self.patterns or self.shard_channels:
            size += subscription_memory(self)
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
        value = core.execute(self, words)
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
        if type(value) is _Several:
            for part in value:
                self.keep(part)
        else:
            self.keep(value)
        if self.on_delivery is not None:
            self.on_delivery()

    @cython.cfunc
    def keep(self, value):
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
            line = describe(self).decode("utf-8", "surrogateescape")
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
        except Empty:
            pass

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
        kept: tuple
        if timeout is None:
            kept = self.messages.get()
        elif timeout <= 0:
            kept = self.messages.get_nowait()
        else:
            kept = self.messages.get(True, timeout)
        self.count_unread(-kept[1])
        return kept[0]

    @cython.ccall
    def put_back_end(self):
        """The end was fetched: whoever asks again hears it again."""
        self.messages.put((_CLOSED, 0))

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
