"""The owner of an engine inside of somebody's process: the lock, the time, the end.

The engine itself runs one command at a time, and does so in whatever thread calls it. The host
lets one thread in after the other, does what a server's loop would do between commands, and has
timed work done by a thread that sleeps until there is some.
"""

from __future__ import annotations

import os
import threading
import weakref

import cython
from cython.cimports.carnelian.embedded.mailbox import Mailbox
from cython.cimports.carnelian.engine.engine import Engine

from carnelian.embedded.errors import EngineClosedError
from carnelian.embedded.timer import Timer
from carnelian.engine import authentication
from carnelian.keyspace.clock import ManualClock
from carnelian.resp.replies import NO_REPLY

OPEN, ENDED, FORKED = range(3)

_NO_REPLY = cython.declare(object, NO_REPLY)

# So many ticks without a command before the timer stops ticking.
_QUIET_TICKS = cython.declare(cython.int, 32)
# Commands of one batch that are run before other threads are let in.
_BATCH = cython.declare(cython.Py_ssize_t, 64)

_hosts: weakref.WeakSet = weakref.WeakSet()


@cython.final
@cython.cclass
class Host:
    """An engine and all that stands around it; ``core`` is the engine."""

    def __init__(self, core: Engine):
        self.core = core
        self.state = OPEN
        # What changes while the engine is left alone is the memory of other engines.
        core.memory_limit.foreign = core.memory_limit.used()
        core.startup_memory = self.left_used = 0
        self.pid = os.getpid()
        self.running = False
        self.loose_ends: list[Mailbox] = []
        self.manual = isinstance(core.clock, ManualClock)
        # The timer is asleep until the first command.
        self.idle = not self.manual
        self.next_cron_ns = 0
        self.commands_seen = 0
        self.quiet_ticks = 0
        self._renew_lock()
        self.timer = Timer(self)
        core.on_shutdown = self._refuse_shutdown
        _hosts.add(self)

    def _renew_lock(self) -> None:
        # Reentrant, so that a destructor that runs within a command cannot block itself.
        lock = threading.RLock()
        self.acquire = lock.acquire
        self.release = lock.release

    # -- Commands --------------------------------------------------------------------------------

    @cython.cfunc
    def enter(self):
        """Wait for the engine; raises if it cannot be used."""
        self.acquire()
        if self.state != OPEN or self.running:
            self.release()
            self.refuse()
        self.running = True
        self.core.memory_limit.foreign += self.core.memory_limit.used() - self.left_used
        if self.idle:
            self.wake_timer()
        if self.loose_ends:
            self.tidy()

    @cython.cfunc
    def leave(self):
        """Do what the commands have left to do, and let others in."""
        try:
            if self.loose_ends:
                self.tidy()
            if self.core.effects.listening:
                self.core.effects.commit()
        finally:
            self.left_used = self.core.memory_limit.used()
            self.running = False
            self.release()
        # A session may have ended after the last look.
        if self.loose_ends:
            self.tidy_soon()

    @cython.cfunc
    def run(self, box: Mailbox, words: list):
        """Run one command and return its reply; NO_REPLY if it has blocked."""
        self.enter()
        try:
            if box.blocked is not None:
                raise RuntimeError("this session waits for the reply of a blocking command")
            reply = self.core.execute(box, words)
            if reply is _NO_REPLY and box.blocked is not None:
                box.expect_answer()
                self.reschedule()
            return reply
        finally:
            self.leave()

    @cython.ccall
    def submit(self, box: Mailbox, commands: list):
        """Run commands of a stream; their replies are to be fetched."""
        at: cython.Py_ssize_t = 0
        end: cython.Py_ssize_t
        while at < len(commands):
            end = min(at + _BATCH, len(commands))
            self.enter()
            try:
                while at < end and not box.closed:
                    box.submit(self.core, commands[at])
                    at += 1
                if box.blocked is not None:
                    self.reschedule()
            finally:
                self.leave()
            if box.closed:
                return

    def await_answer(self, box: Mailbox):
        """The reply of the command that ``box`` is blocked by, when it is there."""
        try:
            return box.await_answer()
        except BaseException:
            # KeyboardInterrupt, most likely: the session must not stay blocked.
            self.acquire()
            try:
                self.core.blocking.cancel(box)
                box.forget_answer()
            finally:
                self.release()
            raise

    @cython.cfunc
    def tidy(self):
        """Sessions that end, and those that go on after they were blocked."""
        box: Mailbox
        while self.loose_ends:
            box = self.loose_ends.pop(0)
            box.proceed(self.core)

    @cython.cfunc
    def tidy_soon(self):
        """Tidy now, or leave it to the thread that runs a command: nobody waits here."""
        if not self.acquire(False):
            return
        try:
            if self.state == OPEN and not self.running:
                self.tidy()
        finally:
            self.release()

    def refuse(self) -> None:
        """Say why the engine cannot be used now."""
        if self.state == FORKED:
            raise EngineClosedError(
                "this engine belongs to the process that made it: a child made by fork has to "
                "make an engine of its own"
            )
        if self.state == ENDED:
            raise EngineClosedError("the engine is closed")
        raise RuntimeError("an engine cannot be used by its own command: see session.call")

    def perform(self, action, *arguments):
        """Call a function while no command runs."""
        self.enter()
        try:
            return action(*arguments)
        finally:
            self.leave()

    # -- Sessions --------------------------------------------------------------------------------

    def open(self, stream: cython.bint, db: cython.int, protocol: cython.int, trusted: cython.bint):
        """A new session; a trusted one needs no password."""
        self.enter()
        try:
            box: Mailbox = Mailbox(self.core, self.loose_ends, stream)
            box.protocol = protocol
            box.select(db)
            if not trusted:
                authentication.begin(box)
            self.core.sessions.add(box)
            self.core.stats.connections += 1
            return box
        finally:
            self.leave()

    def end(self, box: Mailbox) -> None:
        """End a session. Never waits, so that destructors can call it wherever they run."""
        if self.state == OPEN:
            box.close()
            self.tidy_soon()

    # -- Time ------------------------------------------------------------------------------------

    @cython.cfunc
    def wake_timer(self):
        """Timed work begins again with the first command after a quiet time."""
        self.idle = False
        self.quiet_ticks = 0
        self.core.clock.synchronize()
        self.timer.wake()

    @cython.cfunc
    def reschedule(self):
        """There may be a deadline before the next tick. Moving a clock by hand ticks by itself."""
        if not self.manual:
            self.timer.wake()

    def tick(self):
        """Do the timed work that is due.

        Returns the seconds until there is more, None if there is none before the next command.
        """
        if self.state != OPEN:
            return None
        self.acquire()
        if self.state != OPEN or self.running:
            self.release()
            return None
        self.running = True
        self.core.memory_limit.foreign += self.core.memory_limit.used() - self.left_used
        try:
            self._timed_work()
            return self._rest()
        finally:
            self.leave()

    def _timed_work(self) -> None:
        core: Engine = self.core
        now: cython.longlong = core.clock.monotonic_ns()
        if now >= self.next_cron_ns or self.manual:
            core.cron()
            self.next_cron_ns = now + 1_000_000_000 // int(core.config["hz"])
            self.quiet_ticks += 1
        else:
            core.on_deadline()
        if self.manual:
            self._expire_all()
        core.before_sleep()

    def _expire_all(self) -> None:
        """Where time only moves by hand, moving it shall have the same effect every time."""
        expired: cython.longlong = -1
        while expired != self.core.keyspace.stats.expired:
            expired = self.core.keyspace.stats.expired
            self.core.expire_cycle.run()

    def _rest(self):
        core: Engine = self.core
        if core.stats.commands != self.commands_seen:
            self.commands_seen = core.stats.commands
            self.quiet_ticks = 0
        deadline: cython.longlong = core.next_deadline_ms()
        if self.quiet_ticks > _QUIET_TICKS and not deadline and not self._has_timed_work():
            self.idle = True
            return None
        rest: cython.double = (self.next_cron_ns - core.clock.monotonic_ns()) / 1e9
        if deadline:
            rest = min(rest, (deadline - core.clock.wall_ms()) / 1000)
        return max(rest, 0.0)

    def _has_timed_work(self) -> bool:
        """Whether keys will expire, tables are resized or memory is freed."""
        keyspace = self.core.keyspace
        return keyspace.background_step(0) or any(db.expires_count for db in keyspace.databases)

    # -- The end ---------------------------------------------------------------------------------

    def _refuse_shutdown(self, options) -> bool:
        self.core.log("warning", "SHUTDOWN ends servers; close() ends an engine in your process")
        return False

    def close(self) -> None:
        """End all sessions and the timer; the data is gone. Does nothing when done before."""
        if self.state != OPEN:
            return
        self.acquire()
        try:
            if self.state != OPEN:
                return
            if self.running:
                self.refuse()
            self._end_all()
        finally:
            self.release()
        self.timer.stop()

    def abandon(self) -> None:
        """Close without waiting for anybody: for the destructor of the last who could use it."""
        # Destructors of a forked child may run before it is told that it is one.
        if self.state != OPEN or os.getpid() != self.pid or not self.acquire(False):
            self.timer.stop(wait=False)
            return
        try:
            self._end_all()
        finally:
            self.release()
        self.timer.stop(wait=False)

    def _end_all(self) -> None:
        self.state = ENDED
        if self.core.append_only is not None:
            self.core.append_only.close()
        for session in self.core.sessions:
            session.close()
        self.tidy()
        self.core.keyspace.flush()
        self.core.on_shutdown = None

    def orphan(self) -> None:
        """This is a copy of the engine in a child process."""
        self.state = FORKED
        # Another thread may have held the lock when the process forked.
        self._renew_lock()


def _orphan_all() -> None:
    for host in list(_hosts):
        host.orphan()


os.register_at_fork(after_in_child=_orphan_all)
