"""What the parts of an engine share: data, time, configuration, and the flags that they raise.

Each part (blocking, admission, the memory limit, ...) is made with the core.
:class:`carnelian.engine.engine.Engine` is the core with its parts put together.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import cython
from cython.cimports.carnelian.engine.catalogue.registry import Command, Registry
from cython.cimports.carnelian.engine.ground.stats import Stats
from cython.cimports.carnelian.engine.shared.client_state import Client
from cython.cimports.carnelian.engine.shared.effects import Effects
from cython.cimports.carnelian.keyspace.clock import Clock
from cython.cimports.carnelian.keyspace.keyspace import Keyspace

from carnelian.engine.config import Config
from carnelian.engine.ground.latency import LatencyMonitor
from carnelian.engine.shared.sessions import Sessions
from carnelian.keyspace.clock import Clock as SystemClock


@cython.cclass
class Core:
    """The state that the parts of one engine share.

    - ``gate``: reasons to look twice at each command, bits of :mod:`carnelian.engine.ground.flags`;
    - ``depth``: above 0 inside EXEC or a command of a user, which is one unit for propagation and
      during which nobody who waits is served;
    - ``monitored``: somebody sees every command (MONITOR);
    - ``tracked``: somebody wants to hear when what they have read changes (CLIENT TRACKING);
    - ``keys_ready``: waiters are to be served before the next command;
    - ``timed``: something may wait for a time, ``next_deadline_ms`` is to be asked;
    - ``slow_ns``, ``latency_ns``: a command that takes as long is told of, as configured;
    - ``log``: called with a level (debug, verbose, notice, warning) and a message.
    """

    def __init__(self, config: Config | None = None, clock: Clock = None):
        self.config = Config() if config is None else config
        self.clock = SystemClock() if clock is None else clock
        self.keyspace = Keyspace(
            self.clock, self.config["databases"], self.config["cluster-enabled"]
        )
        self.registry = Registry()
        self.sessions = Sessions()
        self.stats = Stats()
        self.latency = LatencyMonitor()
        self.effects = Effects()
        self.log: Callable[[str, str], None] = _silent
        self.run_id = os.urandom(20).hex()
        self.started_ms = self.clock.wall_ms()
        self.gate = self.depth = 0
        self.monitored = self.tracked = self.keys_ready = self.timed = False
        self.latency_tracking = False
        self.slow_ns = self.latency_ns = 0
        # What came out of user code and is to be raised when the command that it came out of has
        # ended, for an owner who does so; see `defer`. Without one it is None.
        self.interrupts: list[BaseException] | None = None

    @cython.ccall
    def defer(self, interrupt):
        """Have the owner raise what came out of a function that is no part of the engine, as soon
        as the running command has been brought to its end; raises it now if no owner does so.
        """
        if self.interrupts is None:
            raise interrupt
        self.interrupts.append(interrupt)

    # -- What the engine does for its parts ------------------------------------------------------

    @cython.ccall
    def execute(self, client: Client, args: list):
        """Run one command of a client, if it is admitted, and return its reply."""
        raise NotImplementedError

    @cython.ccall
    def call(self, client: Client, command: Command, args: list):
        """Run a command that was admitted: handler, statistics, propagation."""
        raise NotImplementedError

    @cython.ccall
    def parts_written(self, client: Client, args: list):
        """The last reply was made part by part, and only now has its command ended."""
        raise NotImplementedError


def _silent(level: str, message: str) -> None:
    pass
