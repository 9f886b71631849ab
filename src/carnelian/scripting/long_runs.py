"""Scripts that take long: others are told that the engine is busy, and may end the script."""

from __future__ import annotations

from collections.abc import Callable

import cython
from cython.cimports.carnelian.scripting.api.script_host import ScriptHost

from carnelian.engine.catalogue.registry import FLAG_BITS, Command
from carnelian.engine.ground.flags import FLAG_LOADER
from carnelian.engine.ground.stages import BUSY
from carnelian.engine.shared.client_state import Client
from carnelian.resp.replies import Error

_ALLOW_BUSY = FLAG_BITS["allow_busy"]
# Milliseconds that loading a library may take.
_LONGEST_LOAD = 500

_NOTHING_RUNS = "NOTBUSY No scripts in execution right now."
_HAS_WRITTEN = (
    "UNKILLABLE Sorry the script already executed write commands against the dataset. You can "
    "either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE "
    "command."
)
_FROM_PRIMARY = (
    "UNKILLABLE The busy script was sent by a master instance in the context of replication and "
    "cannot be killed."
)


@cython.final
@cython.cclass
class LongRuns:
    """Looks at the time of the script that runs.

    - ``busy``: it takes longer than ``busy-reply-threshold``;
    - ``for_functions``: it is a function, ``name`` is its name or the SHA-1 of the script;
    - ``serve``: called now and then while it is busy, to look after other clients.
    """

    def __init__(self, host: ScriptHost):
        self.host = host
        self.engine = host.engine
        self.busy = self.for_functions = False
        self.name = b""
        self.serve: Callable[[], None] | None = None
        host.on_interval = self.look

    @cython.ccall
    def look(self):
        """Called every so many instructions of a script."""
        elapsed_ms = self.elapsed_ms()
        if self.host.registrar is not None:
            if elapsed_ms > _LONGEST_LOAD:
                self.host.killed = True
            return
        if not self.busy:
            if elapsed_ms < self.engine.config["busy-reply-threshold"]:
                return
            self._begin(elapsed_ms)
        if self.serve is not None:
            self.serve()

    def elapsed_ms(self) -> int:
        """For how long the script has been running."""
        return (self.engine.clock.monotonic_ns() - self.host.started_ns) // 1_000_000

    def _begin(self, elapsed_ms: int) -> None:
        family = "FUNCTION" if self.for_functions else "SCRIPT"
        self.busy = True
        self.engine.admission.add_check(self._check, stage=BUSY)
        self.engine.log(
            "warning",
            f"Slow script detected: still in execution after {elapsed_ms} milliseconds. You can "
            f"try killing the script using the {family} KILL command. Script name is: "
            f"{self.name.decode('utf-8', 'replace')}.",
        )

    @cython.cfunc
    def end(self):
        """The script has ended."""
        if self.busy:
            self.busy = False
            self.engine.admission.remove_check(self._check)

    # -- Other clients -----------------------------------------------------------------------------

    def refusal(self) -> Error:
        """What clients are told meanwhile."""
        family = "FUNCTION" if self.for_functions else "SCRIPT"
        return Error(
            f"BUSY Redis is busy running a script. You can only call {family} KILL or SHUTDOWN "
            "NOSAVE."
        )

    def _check(self, session: Client, command: Command, args: list[bytes]) -> Error | None:
        if not command.flags & _ALLOW_BUSY:
            return self.refusal()
        if command.name == b"shutdown" and b"nosave" not in [word.lower() for word in args[1:]]:
            return self.refusal()
        return None

    def kill(self, for_functions: bool) -> None:
        """End the script that runs, which has to be of this kind.

        Raises Error if there is none, or if it must not be ended half-way.
        """
        host = self.host
        if host.caller is None:
            raise Error(_NOTHING_RUNS)
        if host.caller.flags & FLAG_LOADER:
            raise Error(_FROM_PRIMARY)
        if host.wrote:
            raise Error(_HAS_WRITTEN)
        if for_functions != self.for_functions:
            raise self.refusal()
        host.killed = True
        self.engine.log("notice", "Lua script killed by user with SCRIPT KILL.")
