"""The engine: takes commands from sessions, runs them one at a time, and returns their replies.

It does no I/O and starts no thread. Whoever owns it calls :meth:`Engine.execute` for each command,
:meth:`Engine.before_sleep` when a batch of them is done, and :meth:`Engine.cron` ``hz`` times a
second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cython
from cython.cimports.carnelian.engine.catalogue.registry import Command, accepts
from cython.cimports.carnelian.engine.ground.flags import FLAG_REEXECUTING, UNTOUCHING
from cython.cimports.carnelian.engine.parts.admission import Admission, admits
from cython.cimports.carnelian.engine.parts.client_limits import ClientEviction, OutputLimits
from cython.cimports.carnelian.engine.parts.memory_limit import MemoryLimit
from cython.cimports.carnelian.engine.parts.tracking import Tracking
from cython.cimports.carnelian.engine.shared.client_state import Client
from cython.cimports.carnelian.engine.shared.core import Core
from cython.cimports.carnelian.engine.shared.effects import FOR_ALL, Effects
from cython.cimports.carnelian.engine.shared.failures import (
    PyObject_Vectorcall,
    caught_error,
    count_failure,
)
from cython.cimports.carnelian.keyspace.clock import Clock
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.keyspace.removal.expire_cycle import ExpireCycle
from cython.cimports.carnelian.resp.libc import owned
from cython.cimports.carnelian.resp.replies import Error
from cython.cimports.cpython.object import PyObject

from carnelian.engine.acl.users import Users
from carnelian.engine.catalogue import registry
from carnelian.engine.cluster_compatibility import ClusterCompatibility
from carnelian.engine.config import Config
from carnelian.engine.extensions.modules import Modules
from carnelian.engine.extensions.nested import Nested
from carnelian.engine.ground.copies import refuse_copies
from carnelian.engine.ground.faults import text_of, trace_of
from carnelian.engine.ground.slowlog import SlowLog
from carnelian.engine.parts.blocking import Blocking
from carnelian.engine.parts.changes import Changes
from carnelian.engine.parts.following import follow
from carnelian.engine.parts.monitors import Monitors
from carnelian.engine.parts.pause import Pause
from carnelian.engine.parts.subscriptions import PubSub
from carnelian.engine.parts.transactions import Watches
from carnelian.engine.ports import ChangeLog, Gatherer, Persistence
from carnelian.engine.shared.info import Info
from carnelian.resp.replies import NO_REPLY, Lazy

# Flags that the pipeline reads for every command, as C integers.
_FLAGS = registry.FLAG_BITS
_PROTECTED = cython.declare(cython.longlong, _FLAGS["protected"])
_SKIP_MONITOR = cython.declare(cython.longlong, _FLAGS["skip_monitor"] | _FLAGS["admin"])
_SKIP_SLOWLOG = cython.declare(cython.longlong, _FLAGS["skip_slowlog"])
_FAST = cython.declare(cython.longlong, _FLAGS["fast"])
_MODULE = cython.declare(cython.longlong, _FLAGS["module"])
_ARBITRARY_KEYS = cython.declare(cython.longlong, _FLAGS["touches_arbitrary_keys"])

_SAMPLE_RATIO = "cluster-compatibility-sample-ratio"
# The share of its time that the engine may spend on resizing tables and freeing memory.
_BACKGROUND_SHARE = 0.1
_MAX_HZ = 500


@cython.cclass
class Engine(Core):
    """One Redis: its core and all the parts around it; it knows how a command is run.

    Args:
        config: a loaded :class:`carnelian.engine.config.Config`; the defaults if None.
        clock: where the time comes from; the system's if None.
    """

    def __init__(self, config: Config | None = None, clock: Clock = None):
        super().__init__(config, clock)
        self.expire_cycle = ExpireCycle(self.keyspace)
        self.slowlog = SlowLog()
        self.pubsub = PubSub()
        self.watches = Watches()
        self.monitors = Monitors(self)
        self.blocking = Blocking(self)
        self.tracking = Tracking(self)
        self.changes = Changes(
            self.keyspace, self.pubsub, self.watches, self.blocking, self.tracking
        )
        self.admission = Admission(self, self.watches)
        self.users = Users(self, self.admission)
        self.pause = Pause(self, self.blocking, self.admission)
        self.memory_limit = MemoryLimit(self, self.changes, self.admission)
        self.output_limits = OutputLimits()
        self.client_eviction = ClientEviction(self)
        self.info = Info(self)
        self.modules = Modules(self)
        # What `session.call` of a handler comes to.
        self.nested = Nested(self, self.admission).call
        # What saves and loads the data set, once there is something that does.
        self.persistence: Persistence | None = None
        # And what logs its changes.
        self.append_only: ChangeLog | None = None
        # Scripts and functions, once somebody asks for them.
        self.scripting: Any = None
        # Primary and replicas, once somebody asks for them: carnelian.replication.
        self.replication: Any = None
        # Subcommands of DEBUG that features bring along.
        self.debug_commands: dict[bytes, Callable] = {}
        self.startup_memory = self.peak_memory = self.memory_limit.used()
        self.peak_memory_time = self.started_ms // 1000
        # Who is told of every command that has run; None while nobody is.
        self.gatherers: list[Gatherer] | None = None
        # The node that this is of a cluster: carnelian.cluster.
        self.cluster: Any = None
        self.compatibility = ClusterCompatibility(
            self.gather, self.cease_gathering, lambda: self.scripting
        )
        self.cron_ticks = 0
        self.cron_paused = False
        # When the command began whose reply is being made part by part.
        self.parts_since = 0
        # Called by SHUTDOWN with its options; the owner ends the process, or refuses.
        # Or returns None: it will be later.
        self.on_shutdown: Callable[[set[bytes]], bool | None] | None = None
        # What the owner adds to the engine's own cron, and facts of the process for INFO.
        self.on_cron: list[Callable[[], None]] = []
        self.facts: dict[str, Any] = {}
        self._attach()

    def _attach(self) -> None:
        self.stats.on_too_many_errors = self._too_many_errors
        self.keyspace.on_expired = self._expired
        self.keyspace.on_fields_expired = self._fields_expired
        self.memory_limit.holds.append(lambda: self.pause.active)
        self.blocking.objection = self._waiter_objection
        self.modules.on_changed.append(self.users.commands_changed)
        self.sessions.on_removed += [
            self.pubsub.leave_all,
            self.watches.clear,
            self.blocking.cancel,
            self.monitors.remove,
            self.tracking.forget,
            lambda session: self.client_eviction.forget(session),
        ]
        follow(
            self,
            self.slowlog,
            self.changes,
            self.tracking,
            self.expire_cycle,
            self.memory_limit,
            self.output_limits,
            self.client_eviction,
        )
        if not self.config["cluster-enabled"]:
            self.compatibility.sample(self.config[_SAMPLE_RATIO])
            self.config.on_change(_SAMPLE_RATIO, self.compatibility.sample)

    __reduce_ex__ = refuse_copies("an engine")

    # -- The way of a command --------------------------------------------------------------------

    @cython.ccall
    def execute(self, session: Client, args: list):
        """Run one command of a session and return its reply.

        An error is returned as the :class:`carnelian.resp.replies.Error` that it is. NO_REPLY
        means that nothing is to be sent now: the session waits (``session.blocked``), or the
        command has sent what it had to.
        """
        self.clock.tick()
        return self.execute_next(session, args)

    @cython.ccall
    def execute_next(self, session: Client, args: list):
        """:meth:`execute` for the further commands of a batch: time goes on from the last one."""
        command: Command = self.registry.lookup(args)
        if command is None or not accepts(command, len(args)):
            reply = self.admission.refuse_malformed(session, command, args)
            return self.refused(session, command, reply)
        if self.memory_limit.limit and self.memory_limit.over():
            self.memory_limit.relieve()
        if self.tracked:
            self.tracking.limit_keys()
        is_protected: cython.bint = command.flags & _PROTECTED != 0
        if (session.gate | self.gate or is_protected) and not admits(
            self.admission, session, command, args, is_protected
        ):
            reply = self.admission.judge(session, command, args)
            if reply is not None:
                return self.refused(session, command, reply)
        if session.gate & UNTOUCHING:
            reply = self._call_untouching(session, command, args)
        else:
            reply = self.call(session, command, args)
        if self.keys_ready and self.depth == 0:
            self.blocking.serve()
        return reply

    def _waiter_objection(self, session: Client, command: Command, args: list) -> Error | None:
        """Why a command that has waited may not go on."""
        if self.memory_limit.limit and self.memory_limit.over():
            self.memory_limit.relieve()
        return self.admission.waiter_objection(session, command, args)

    @cython.cfunc
    @cython.inline
    def refused(self, session: Client, command: Command | None, reply):
        """The reply in place of that of a command which has not run."""
        if self.tracked and session.tracking is not None:
            self.tracking.end_caching(session, command)
        return reply

    @cython.ccall
    def call(self, session: Client, command: Command, args: list):
        """Run a command that was admitted: handler, statistics, propagation."""
        dirty: cython.longlong = self.keyspace.dirty
        started: cython.longlong = self.clock.ns
        db_index: cython.int = session.db.index
        words = cython.declare(cython.pointer[PyObject][2])  # type: ignore[misc, type-arg, valid-type]
        made: cython.pointer[PyObject]
        session.command = command
        if self.tracked and self.depth == 0:
            self.tracking.current = session
        words[0] = cython.cast(cython.pointer[PyObject], session)
        words[1] = cython.cast(cython.pointer[PyObject], args)
        made = PyObject_Vectorcall(
            cython.cast(cython.pointer[PyObject], command.handler), words, 2, cython.NULL
        )
        reply = (
            owned(made) if made != cython.NULL else self.reply_to_raised(session, command, dirty)
        )
        elapsed: cython.longlong = self.clock.tick() - started
        again: cython.bint = session.flags & FLAG_REEXECUTING != 0
        # One that waits, or goes on waiting, is counted when it has ended.
        if session.blocked is not None:
            elapsed = session.blocked.tried(elapsed)
        if session.blocked is None or (again and reply is not NO_REPLY):
            self.stats.commands += 1
            session.commands += 1
            if type(reply) is Lazy:
                self.parts_since = started
            else:
                self.note_call(session, command, args, elapsed)
            if self.gatherers is not None:
                self._tell_gatherers(session, command, args, elapsed, reply)
        if self.monitored and not again and not command.flags & _SKIP_MONITOR:
            self._feed_monitors(session, args, db_index)
        if self.effects.listening:
            self.propagate(session, args, db_index, self.keyspace.dirty > dirty)
        session.rewritten = None
        if self.tracked:
            self.tracking.called(command, args)
        return reply

    @cython.cfunc
    def reply_to_raised(self, session: Client, command: Command, dirty: cython.longlong):
        """What to reply when a handler has raised something, as it is doing now."""
        error: Error | None = caught_error()
        try:
            if error is None:
                owned(cython.NULL)  # raises what is raised
            command.failed_calls += 1
            count_failure(self.stats, error)
        except Exception as fault:
            return self._fault(command, fault)
        except BaseException as interrupt:
            return self._interrupted(session, command, interrupt, self.keyspace.dirty > dirty)
        return error

    @cython.cfunc
    @cython.inline
    def note_call(self, session: Client, command: Command, args: list, elapsed: cython.longlong):
        """Count a call that took so many nanoseconds, and log it if that is too many."""
        command.record(elapsed, self.latency_tracking)
        if self.depth == 0:
            self.stats.command_ns += elapsed
        if elapsed >= self.slow_ns and not command.flags & _SKIP_SLOWLOG:
            self._log_slow(session, command, args, elapsed)
        if elapsed >= self.latency_ns:
            self._log_latency(command, elapsed)

    def gather(self, gatherer: Gatherer) -> None:
        """Tell it of every command that runs from now on."""
        self.gatherers = [*(self.gatherers or ()), gatherer]

    def cease_gathering(self, gatherer: Gatherer) -> None:
        """Tell it no more; nothing happens where it was not told anything."""
        left = [each for each in self.gatherers or () if each is not gatherer]
        self.gatherers = left or None

    def _tell_gatherers(
        self,
        session: Client,
        command: Command,
        args: list,
        elapsed: cython.longlong,
        reply: object,
    ) -> None:
        for gatherer in self.gatherers or ():
            gatherer.note(session, command, args, elapsed, reply)

    @cython.ccall
    def parts_written(self, session: Client, args: list):
        """The last reply was a :class:`carnelian.resp.replies.Lazy`, and its parts were made: only
        now has the command ended.
        """
        self.note_call(session, session.command, args, self.clock.tick() - self.parts_since)

    def _call_untouching(self, session: Client, command: Command, args: list) -> object:
        """:meth:`call` under CLIENT NO-TOUCH; only TOUCH still does what it is for."""
        touching: bool = self.keyspace.touching
        self.keyspace.touching = touching and command.name == b"touch"
        try:
            return self.call(session, command, args)
        finally:
            self.keyspace.touching = touching

    @cython.cfunc
    def propagate(self, session: Client, args: list, db_index: cython.int, changed: cython.bint):
        """Pass on what a command did, as it was or as its handler has rewritten it."""
        effects: Effects = self.effects
        if session.rewritten is not None:
            args = session.rewritten
        changed = changed and len(args) > 0
        if self.depth == 0 and len(effects._pending) == 0:
            if changed:
                effects.hand_on(db_index, args, FOR_ALL)
            session.write_position = effects.position
            return
        if changed:
            effects.add(db_index, args)
        if self.depth == 0:
            effects.flush(cython.cast(Command, session.command).flags & _ARBITRARY_KEYS != 0)
            session.write_position = effects.position

    def _fault(self, command: Command, fault: Exception) -> Error:
        """A handler failed in a way it should not: the command fails, the engine goes on."""
        if self.interrupts is not None and not command.flags & _MODULE:
            # The owner's caller learns more from the exception itself, which may as well be one
            # that a signal handler has raised.
            self.interrupts.append(fault)
        error = Error(f"ERR {type(fault).__name__}")
        try:
            error = Error(f"ERR {text_of(fault)}")
            # Users may well mean their handlers to raise.
            level = "verbose" if command.flags & _MODULE else "warning"
            self.log(level, trace_of(fault))
        except BaseException as another:
            self.defer(another)
        command.failed_calls += 1
        count_failure(self.stats, error)
        return error

    def _interrupted(
        self, session: Client, command: Command, interrupt: BaseException, changed: bool
    ) -> object:
        """User code was interrupted: what was done is done, and the interrupt comes out later."""
        self.defer(interrupt)
        if session.flags & FLAG_REEXECUTING and not changed:
            # Another session waits for this, which is not to hear of it.
            self.blocking.retry(session)
            return NO_REPLY
        error = Error("ERR interrupted")
        command.failed_calls += 1
        count_failure(self.stats, error)
        return error

    def _feed_monitors(self, session: Client, args: list, db_index: cython.int) -> None:
        try:
            self.monitors.feed(session, args, db_index)
        except BaseException as interrupt:
            # It came before anybody was shown anything, for showing it is not interrupted.
            self.defer(interrupt)
            self.monitors.feed(session, args, db_index)

    def _log_slow(
        self, session: Client, command: Command, args: list, elapsed: cython.longlong
    ) -> None:
        self.stats.count_slow(elapsed)
        command.record_slow(elapsed)
        try:
            self.slowlog.add(
                args, elapsed // 1000, self.clock.ms // 1000, session.peer(), session.name
            )
        except BaseException as interrupt:
            self.defer(interrupt)

    def _log_latency(self, command: Command, elapsed: cython.longlong) -> None:
        event = "fast-command" if command.flags & _FAST else "command"
        self.latency.add(event, elapsed // 1_000_000, self.clock.ms // 1000)

    def _too_many_errors(self, codes: list[str]) -> None:
        self.log(
            "warning",
            f"Errorstats stopped adding new errors: there are {len(codes)} already. "
            "CONFIG RESETSTAT lets them be counted again.",
        )
        self.log("warning", "Current errors code list: " + ", ".join(codes))

    def reset_statistics(self) -> None:
        """Set the counters of INFO back to zero (CONFIG RESETSTAT)."""
        self.stats.reset()
        self.keyspace.reset_stats()
        self.memory_limit.reset_statistics()
        self.client_eviction.evicted = 0
        self.compatibility.count = 0
        if self.cluster is not None:
            self.cluster.reset_statistics()
        for command in self.registry.every():
            command.reset_statistics()

    # -- Time ------------------------------------------------------------------------------------

    @cython.ccall
    def before_sleep(self):
        """Finish what a batch of commands has left: to be called before waiting for input."""
        if self.depth:
            # Others are looked after while a script runs, which goes on as if nothing had been.
            return
        if self.keys_ready:
            self.blocking.serve()
        if self.effects.listening:
            self.effects.flush()
        if self.keyspace.active_expire:
            self.expire_cycle.run(True)
            if self.effects.listening:
                self.effects.flush(True)
        if self.tracked:
            self.tracking.broadcast()

    def next_deadline_ms(self) -> int:
        """When :meth:`on_deadline` is due, as unix time in ms; 0 if nothing waits for a time."""
        if self.memory_limit.evicting:
            return self.clock.ms
        deadline: int = self.blocking.next_deadline_ms()
        if self.pause.active and (deadline == 0 or self.pause.next_ms() < deadline):
            return self.pause.next_ms() + 1
        self.timed = deadline != 0
        return deadline

    def on_deadline(self) -> None:
        """Answer sessions whose time is over, end a pause that is over, go on evicting."""
        if self.depth:
            return
        self.clock.tick()
        if self.memory_limit.evicting:
            self.memory_limit.relieve()
        self.blocking.expire(self.clock.ms)
        self.pause.check(self.clock.ms)
        if self.keys_ready:
            self.blocking.serve()

    def cron(self, hz: int = 0) -> None:
        """Background work of one tick; to be called ``hz`` times a second, as configured if 0."""
        self.clock.synchronize()
        self.on_deadline()
        if self.cron_paused:
            return
        hz = hz or min(max(self.config["hz"], 1), _MAX_HZ)
        if self.cron_ticks % max(1, hz // 10) == 0:
            self.stats.sample(self.clock.ms)
        self.expire_cycle.hz = hz
        self._note_duration("expire-cycle", self.expire_cycle.run())
        self.effects.flush(True)
        budget_us = int(_BACKGROUND_SHARE * 1_000_000 / hz)
        self.keyspace.background_step(budget_us, self.config["activerehashing"])
        self.note_peak()
        if self.tracked:
            self.tracking.limit_keys()
        for hook in self.on_cron:
            hook()
        self.cron_ticks += 1

    def note_peak(self) -> None:
        """Remember how much memory was taken at most, and when."""
        used: int = self.memory_limit.used()
        if used > self.peak_memory:
            self.peak_memory = used
            self.peak_memory_time = self.clock.ms // 1000

    def _note_duration(self, event: str, microseconds: int) -> None:
        self.latency.add(event, microseconds // 1000, self.clock.ms // 1000)

    # -- Events of the key space -------------------------------------------------------------------

    def _expired(self, db: Database, key: bytes) -> None:
        verb = b"UNLINK" if self.config["lazyfree-lazy-expire"] else b"DEL"
        self.effects.add(db.index, [verb, key], FOR_ALL)
        self.changes.expired(db, key)

    def _fields_expired(self, db: Database, key: bytes, fields: list, gone: bool) -> None:
        self.effects.add(db.index, [b"HDEL", key, *fields], FOR_ALL)
        self.changes.fields_expired(db, key, fields, gone)
