"""The owner of an engine inside of somebody's process: the lock, the time, the files, the end.

The engine itself runs one command at a time, and does so in whatever thread calls it. The host
lets one thread in after the other, does what a server's loop would do between commands, and has
timed work done by a thread that sleeps until there is some.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

import cython
from cython.cimports.carnelian.embedded.mailbox import Mailbox
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.libc.stdint import int64_t

from carnelian.embedded.errors import DatabaseError, EngineClosedError
from carnelian.embedded.log_records import logger
from carnelian.embedded.timer import Timer
from carnelian.engine.ground.copies import refuse_copies
from carnelian.keyspace.clock import ManualClock
from carnelian.persistence.aof.append_log import ALWAYS
from carnelian.persistence.aof.append_only import append_only_of
from carnelian.persistence.saving.ownership import Ownership
from carnelian.persistence.saving.snapshots import snapshots_of
from carnelian.resp.replies import NO_REPLY, Error

if TYPE_CHECKING:
    from carnelian.embedded.primary_thread import Primary, PrimaryThread
    from carnelian.embedded.serving.engine_service import Service
    from carnelian.embedded.storage import Storage
    from carnelian.persistence.background.slicing import Slicing

OPEN, ENDED, FORKED = range(3)


# So many ticks without a command before the timer stops ticking.
_QUIET_TICKS = cython.declare(cython.int, 32)
# Commands of one batch that are run before other threads are let in.
_BATCH = cython.declare(cython.Py_ssize_t, 64)

# How long the timer writes at a time, and then lets others in.
_SLICE_US = cython.declare(cython.int, 500)

# Weak references, of which each takes itself out.
_hosts: set[weakref.ref[Host]] = set()


@cython.final
@cython.cclass
class Host:
    """An engine and all that stands around it.

    ``core`` is the engine, ``storage`` its files once it has a path, ``log`` what is appended to
    its append-only file.
    """

    def __init__(self, core: Engine):
        self.core = core
        core.interrupts = []
        self.state = OPEN
        # What changes while the engine is left alone is the memory of other engines.
        core.memory_limit.foreign = self.left_used = core.memory_limit.taken()
        core.startup_memory = 0
        self.pid = os.getpid()
        self.running = self.abandoned = False
        self.storage: Storage | None = None
        self.snapshots = snapshots_of(core)
        self.append_only = append_only_of(core)
        self.log = self.append_only.log
        self.ownership = self.snapshots.ownership = Ownership(core)
        self.log.shared = True
        self.slicing: Slicing | None = None
        self.primary: PrimaryThread | None = None
        self.loose_ends: list[Mailbox] = []
        self.manual = isinstance(core.clock, ManualClock)
        self.was_moved = False
        # The timer is asleep until the first command.
        self.idle = not self.manual
        # Called when a session begins to wait, and time only moves by hand.
        self.on_wait: Callable[[], None] | None = None
        self.services: list[Service] = []
        self.shared = False
        self.next_cron_ns = 0
        self.commands_seen = 0
        self.quiet_ticks = 0
        self._renew_lock()
        self.timer = Timer(self)
        core.on_shutdown = self._refuse_shutdown
        core.on_cron.append(self._check_lagging)
        core.memory_limit.relievers.append(self._end_largest)
        if not self.manual:
            self.snapshots.background.carry = self.carry
            self.log.on_waiting = self.timer.wake
        _hosts.add(weakref.ref(self, _hosts.discard))

    def _renew_lock(self) -> None:
        # Reentrant, so that a destructor that runs within a command cannot block itself.
        lock = threading.RLock()
        self.acquire = lock.acquire
        self.release = lock.release

    __reduce_ex__ = refuse_copies("an engine")

    # -- Commands --------------------------------------------------------------------------------
    #
    # An interrupt is an exception that comes from outside: of a signal handler, another thread, a
    # greenlet that is killed. It comes out of interpreted code and of waiting, never between two
    # lines of this module and of those that are compiled below it. So the lock is taken or not,
    # and what comes out of other people's code while it is held is kept (Engine.defer) until the
    # command has been brought to its end.

    @cython.cfunc
    def enter(self):
        """Wait for the engine; raises if it cannot be used."""
        self.acquire()
        if self.state != OPEN or self.running:
            self.release()
            self.refuse()
        self.running = True
        self.core.memory_limit.foreign += self.core.memory_limit.taken() - self.left_used
        if self.idle or self.loose_ends:
            self.begin()

    @cython.cfunc
    def begin(self):
        """What is to be done before the first command after a while."""
        try:
            if self.idle:
                self.wake_timer()
            self.tidy()
        except BaseException:
            self.running = False
            self.release()
            raise

    @cython.cfunc
    def leave(self):
        """Do what the commands have left to do, and let others in.

        Returns what has interrupted them, which the caller raises.
        """
        interrupt = None
        try:
            if self.core.client_eviction.limit:
                self.core.client_eviction.enforce()
            if self.loose_ends:
                self.tidy()
            if self.core.tracked:
                self.core.tracking.broadcast()
                if self.loose_ends:
                    self.tidy()
            if self.core.effects.listening:
                self.core.effects.commit()
        finally:
            if self.core.interrupts:
                interrupt = _first(self.core.interrupts)
            self.left_used = self.core.memory_limit.taken()
            self.running = False
            self.release()
        # A session may have ended after the last look.
        if self.loose_ends:
            self.tidy_soon()
        return interrupt

    @cython.cfunc
    def run(self, box: Mailbox, words: list):
        """Run one command and return its reply; NO_REPLY if it has blocked."""
        before: int64_t
        written: int64_t
        self.enter()
        try:
            if box.blocked is not None:
                raise RuntimeError("this session waits for the reply of a blocking command")
            before = self.log.offset
            reply = self.core.execute(box, words)
            if reply is NO_REPLY and box.blocked is not None:
                box.expect_answer(words)
                self.reschedule()
            if self.core.client_eviction.limit and not box.closed:
                self.core.client_eviction.update(box)
            written = self.log.offset
        finally:
            interrupt = self.leave()
        if interrupt is not None:
            if box.asked is not None:
                self.give_up_waiting(box)
            raise interrupt
        if box.asked is None:
            self.settle(before, written)
        else:
            self.settle_waiting(box, before, written)
        return reply

    @cython.cfunc
    def settle_waiting(self, box: Mailbox, before: int64_t, after: int64_t):
        """As :meth:`settle`, while a session waits."""
        try:
            self.settle(before, after)
        except BaseException:
            self.give_up_waiting(box)
            raise

    @cython.ccall
    def submit(self, box: Mailbox, commands: list):
        """Run commands of a stream; their replies are to be fetched."""
        at: cython.Py_ssize_t = 0
        end: cython.Py_ssize_t
        before: int64_t
        written: int64_t
        while at < len(commands):
            end = min(at + _BATCH, len(commands))
            self.enter()
            try:
                before = self.log.offset
                while at < end and not box.closed and not self.core.interrupts:
                    box.submit(self.core, commands[at])
                    at += 1
                if box.blocked is not None:
                    self.reschedule()
                if self.core.client_eviction.limit and not box.closed:
                    self.core.client_eviction.update(box)
                written = self.log.offset
            finally:
                interrupt = self.leave()
            if interrupt is not None:
                raise interrupt
            self.settle(before, written)
            if box.closed:
                return

    def await_answer(self, box: Mailbox):
        """The reply of the command that ``box`` is blocked by, when it is there."""
        try:
            answer = box.await_answer()
            self.catch_up()
        except BaseException:
            self.give_up_waiting(box)
            raise
        box.answered()
        return answer

    @cython.cfunc
    def give_up_waiting(self, box: Mailbox):
        """An interrupt has ended the wait for a reply: the session must not stay blocked, and what
        was taken for it is to be put back. Never waits, so that no second interrupt comes between.
        """
        box.give_up()
        self.tidy_soon()

    @cython.cfunc
    def settle(self, before: int64_t, after: int64_t):
        """Wait for the disk, if ``appendfsync always`` promises that what was seen is there.

        ``before`` and ``after`` are where the log stood; what is between them is the caller's.

        Raises:
            Error: MISCONF; it was run, but could not be brought to the disk.
        """
        if self.log.fd < 0 or self.log.policy != ALWAYS:
            return
        self.log.await_sync()
        if after == before or self.log.fd < 0 or self.log.is_synced(after):
            return
        self.acquire()
        try:
            self.append_only.judge()
        finally:
            self.release()
        raise Error(f"MISCONF Errors writing to the AOF file: {os.strerror(self.log.failure)}")

    @cython.ccall
    def catch_up(self):
        """As :meth:`settle`, for what a command of another session has caused."""
        if self.log.fd >= 0 and self.log.policy == ALWAYS:
            # That command may not have come to its end.
            self.acquire()
            self.release()
            self.settle(0, 0)

    @cython.cfunc
    def tidy(self):
        """Sessions that end, and those that go on after they were blocked."""
        box: Mailbox
        while self.loose_ends:
            box = self.loose_ends.pop(0)
            box.proceed(self.core)

    @cython.cfunc
    def tidy_soon(self):
        """Tidy now, or leave it to the thread that runs a command: nobody waits here.

        Returns what has interrupted that.
        """
        if not self.acquire(False):
            return None
        if self.state != OPEN or self.running:
            self.release()
            return None
        self.running = True
        self.core.memory_limit.foreign += self.core.memory_limit.taken() - self.left_used
        return self.leave()

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
            outcome = action(*arguments)
        finally:
            interrupt = self.leave()
        if interrupt is not None:
            raise interrupt
        self.settle(0, 0)
        return outcome

    # -- Sessions --------------------------------------------------------------------------------

    def open(
        self,
        stream: cython.bint,
        db: cython.int,
        protocol: cython.int,
        trusted: cython.bint,
        user: bytes | None = None,
    ):
        """A new session; a trusted one is nobody's and may do everything, unless it is to be a
        user's.
        """
        self.enter()
        try:
            box: Mailbox = Mailbox(self.core, self.loose_ends, stream)
            box.protocol = protocol
            box.select(db)
            if not trusted:
                self.core.users.begin(box)
            elif user is not None:
                self.core.users.impersonate(box, user)
            self.core.sessions.add(box)
            self.core.stats.connections += 1
        finally:
            interrupt = self.leave()
        if interrupt is not None:
            self.end(box)
            raise interrupt
        return box

    def end(self, box: Mailbox) -> None:
        """End a session. Never waits, so that destructors can call it wherever they run."""
        if self.state == OPEN:
            box.abandon()
            interrupt = self.tidy_soon()
            if interrupt is not None:
                raise interrupt

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
        elif self.on_wait is not None:
            self.on_wait()

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
        self.core.memory_limit.foreign += self.core.memory_limit.taken() - self.left_used
        try:
            self._timed_work()
            rest = self._rest()
            if self.slicing is not None:
                rest = self._take_slice()
        finally:
            interrupt = self.leave()
        if interrupt is None:
            self.settle(0, 0)
        if self.abandoned:
            self._close_unattended()
        if interrupt is not None:
            raise interrupt
        return rest

    def moved(self) -> None:
        """The clock was moved on: do at once what is due by now."""
        self.was_moved = True
        self.tick()
        self.reschedule()

    def _timed_work(self) -> None:
        core: Engine = self.core
        now: cython.longlong = core.clock.monotonic_ns()
        moved: cython.bint = self.manual or self.was_moved
        self.was_moved = False
        if now >= self.next_cron_ns or moved:
            core.cron()
            self.next_cron_ns = now + 1_000_000_000 // int(core.config["hz"])
            self.quiet_ticks += 1
        else:
            core.on_deadline()
        if moved:
            self._expire_all()
        core.before_sleep()

    def _check_lagging(self) -> None:
        """End the sessions that have left too much unread for too long."""
        box: Mailbox
        for box in list(self.core.output_limits.lagging):  # type: ignore[assignment]
            box.check_unread()

    def _end_largest(self) -> None:
        """Let ``maxmemory-clients`` take effect before any key goes."""
        self.core.client_eviction.enforce()

    def carry(self, slicing: Slicing) -> None:
        """Have a file written in slices, by the timer."""
        self.slicing = slicing
        self.timer.wake()

    def _take_slice(self) -> float:
        """Write a slice of a file; returns how long others are let in before the next one."""
        assert self.slicing is not None
        rest = self.slicing.step(_SLICE_US)
        if rest is None:
            self.slicing = None
            return 0.0
        return max(rest, _SLICE_US / 1e6)

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
            # A command wakes the timer, a save point alone does not.
            self.idle = True
            return self.snapshots.seconds_left()
        rest: cython.double = (self.next_cron_ns - core.clock.monotonic_ns()) / 1e9
        if deadline:
            rest = min(rest, (deadline - core.clock.wall_ms()) / 1000)
        if self.log.waiting:
            rest = min(rest, self.log.patience())
        return max(rest, 0.0)

    def _has_timed_work(self) -> bool:
        """Whether keys will expire, tables are resized, memory is freed or files are written."""
        keyspace, snapshots = self.core.keyspace, self.snapshots
        if snapshots.running or snapshots.scheduled or self.append_only.restless:
            return True
        if self.core.output_limits.lagging:
            return True
        return keyspace.background_step(0) or any(db.expires_count for db in keyspace.databases)

    # -- The end ---------------------------------------------------------------------------------

    def _refuse_shutdown(self, options) -> bool:
        self.core.log("warning", "SHUTDOWN ends servers; close() ends an engine in your process")
        return False

    def use_storage(self, storage: Storage, as_found: bool) -> None:
        """Load what the storage has, and save there from now on; see Storage.load."""
        self.perform(storage.load, self.core, as_found)
        self.storage = storage

    def follow(self, primary: Primary) -> None:
        """Copy the data of a primary, and what becomes of them, from now on."""
        # It brings an event loop along, and most engines follow nobody.
        from carnelian.embedded.primary_thread import PrimaryThread

        self.primary = PrimaryThread(self, self.core)
        self.perform(self.primary.side.follow, primary.host, primary.port)

    def close(self, save: bool | None = None, wait: bool = True) -> None:
        """Save as :meth:`carnelian.Engine.close` says, and end all sessions and the timer.

        Does nothing when done before. ``wait`` for the timer's thread to end.

        Raises:
            DatabaseSaveError: the data could not be saved; nothing but the services has ended then.
        """
        if self.state != OPEN:
            return
        self._refuse_in_command()
        self._end_services(wait)
        self.acquire()
        try:
            if self.state != OPEN:
                return
            if self.running:
                self.refuse()
            self._save_and_end(save)
            interrupt = _first(self.core.interrupts)
        finally:
            self.release()
        self.timer.stop(wait=wait)
        if interrupt is not None:
            raise interrupt

    @cython.cfunc
    def _save_and_end(self, save):
        # Destructors that run meanwhile must not begin anything.
        self.running = True
        try:
            if self.storage is not None:
                self.storage.save(self.core, save)
            self._end_all()
        finally:
            self.running = False

    def _end_all(self) -> None:
        self.state = ENDED
        self._leave_primary()
        self._give_up_files()
        self.append_only.close()
        self.ownership.release()
        for session in self.core.sessions:
            session.close()
        self.tidy()
        self.core.keyspace.flush()
        self.core.on_shutdown = self.log.on_waiting = None
        self.snapshots.background.carry = None

    def _refuse_in_command(self) -> None:
        """Raise if it is a command that calls; others have to end first."""
        self.acquire()
        try:
            if self.running and self.state == OPEN:
                self.refuse()
        finally:
            self.release()

    def _is_in_command(self) -> bool:
        """Whether it is a command that calls. Those of other threads have ended when it tells."""
        self.acquire()
        try:
            return bool(self.running)
        finally:
            self.release()

    def _end_services(self, wait: bool) -> None:
        """Nobody outside is served any longer; what they have asked for is answered."""
        for service in list(self.services):
            service.close(wait=wait)

    def _leave_primary(self) -> None:
        """What comes from the primary from now on is for nobody."""
        if self.primary is not None:
            self.primary.stop()
            self.primary = None

    def _give_up_files(self) -> None:
        """What is being written in slices now comes to nothing."""
        if self.slicing is not None:
            self.slicing.kill()
            self.slicing = None
        if self.snapshots.background.job is not None:
            # A backup is carried by who has asked for it.
            self.snapshots.background.job.kill()

    def abandon(self) -> None:
        """Close for the destructor of the last who could use the engine."""
        # Destructors of a forked child may run before it is told that it is one.
        if self.state != OPEN or os.getpid() != self.pid:
            self.timer.stop(wait=False)
            return
        # If anybody, it is the timer that has the lock, and not for long. When the interpreter
        # ends it may be gone with it.
        if not self.acquire(not sys.is_finalizing()):
            return
        try:
            self.abandoned = True
            if not self.running:
                self._close_unattended()
        finally:
            self.release()

    def _close_unattended(self) -> None:
        """Close where nobody could handle an error."""
        try:
            self.close(wait=False)
        except DatabaseError as error:
            logger.error("%s; what has changed since is lost", error)
            self.close(save=False, wait=False)

    def close_at_exit(self) -> None:
        """Save what the interpreter that ends would take away."""
        if self.services and self.state == OPEN and not self._is_in_command():
            self._end_services(True)
        if self.storage is not None:
            self._close_unattended()
        else:
            self._give_up_files()

    def orphan(self) -> None:
        """This is a copy of the engine in a child process."""
        self.state = FORKED
        for service in self.services:
            service.forget()
        # Another thread may have held the lock when the process forked.
        self._renew_lock()


def _first(interrupts: list[BaseException]) -> BaseException | None:
    """Take what is to be raised: the first that is no ordinary exception, if there is one."""
    if not interrupts:
        return None
    chosen = interrupts[0]
    for interrupt in interrupts:
        if not isinstance(interrupt, Exception):
            chosen = interrupt
            break
    interrupts.clear()
    return chosen


def _orphan_all() -> None:
    for reference in list(_hosts):
        host = reference()
        if host is not None:
            host.orphan()


def _close_all() -> None:
    for reference in list(_hosts):
        host = reference()
        if host is not None:
            host.close_at_exit()


os.register_at_fork(after_in_child=_orphan_all)
# Of those registered, the last is called first: the timers are still there.
atexit.register(_close_all)
