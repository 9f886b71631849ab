"""The commands that a Sentinel serves: its own, and those that servers with data have as well."""

from __future__ import annotations

from carnelian.engine.catalogue.registry import declarations
from carnelian.engine.engine import Engine
from carnelian.engine.session import Session
from carnelian.resp.replies import Error, Verbatim
from carnelian.sentinel.known.instances import Primary
from carnelian.sentinel.known.sentinel_words import to_bytes
from carnelian.sentinel.serving.sentinel_commands import SentinelCommands
from carnelian.sentinel.watching.hello import HELLO_CHANNEL
from carnelian.sentinel.watching.watching_loop import Sentinel

# The sections of INFO that there are.
_SECTIONS = ("server", "clients", "cpu", "stats")
_ALL = frozenset(("all", "everything", "default"))


class ServedCommands:
    """Leaves an engine with the commands of a Sentinel.

    INFO, ROLE and PUBLISH do what they do at Sentinels.
    """

    def __init__(self, sentinel: Sentinel, engine: Engine):
        self._sentinel = sentinel
        self._watch = sentinel.watch
        self._engine = engine

    def install(self) -> None:
        """Do so."""
        registry = self._engine.registry
        for command in list(registry.every()):
            if not command.has("sentinel"):
                name = command.declaration.name
                # What a container holds is gone with it.
                if registry.find(command.name) is command:
                    registry.remove(name)
        for name, handler in (
            ("INFO", self._info),
            ("ROLE", self._role),
            ("PUBLISH", self._publish),
        ):
            registry.add(declarations[name]._replace(handler=handler))
        for declaration in SentinelCommands(self._sentinel, self._engine.config).declarations():
            registry.add(declaration)
        self._engine.users.commands_changed()

    def _info(self, session: Session, args: list[bytes]) -> Verbatim:
        asked = {word.decode("latin-1").lower() for word in args[1:]} or {"default"}
        wanted = [name for name in _SECTIONS if asked & (_ALL | {name})]
        parts = [self._engine.info.render(wanted)] if wanted else []
        if asked & (_ALL | {"sentinel"}):
            parts.append(self._section())
        return Verbatim(b"\r\n".join(parts))

    def _section(self) -> bytes:
        watch, scripts = self._watch, self._sentinel.scripts
        tilt = watch.tilt_since
        lines = [
            "# Sentinel",
            f"sentinel_masters:{len(watch.primaries)}",
            f"sentinel_tilt:{int(tilt is not None)}",
            f"sentinel_tilt_since_seconds:{-1 if tilt is None else watch.since(tilt) // 1000}",
            f"sentinel_running_scripts:{len(scripts.running)}",
            f"sentinel_scripts_queue_length:{len(scripts.jobs)}",
            f"sentinel_simulate_failure_flags:{watch.simulated_failure.value}",
        ]
        for number, primary in enumerate(watch.primaries.values()):
            lines.append(f"master{number}:{self._summary(primary)}")
        return to_bytes("\r\n".join(lines) + "\r\n")

    def _summary(self, primary: Primary) -> str:
        status = "ok"
        if primary.o_down:
            status = "odown"
        elif primary.s_down:
            status = "sdown"
        address = primary.address
        shown = self._watch.addresses.shown(address)
        return (
            f"name={primary.name},status={status},address={shown}:{address.port},"
            f"slaves={len(primary.replicas)},sentinels={len(primary.sentinels) + 1}"
        )

    def _role(self, session: Session, args: list[bytes]) -> list:
        return [b"sentinel", [to_bytes(name) for name in self._watch.primaries]]

    def _publish(self, session: Session, args: list[bytes]) -> int:
        if args[1] != HELLO_CHANNEL:
            raise Error("ERR Only HELLO messages are accepted by Sentinel instances.")
        self._sentinel.hello.process(args[2])
        return 1
