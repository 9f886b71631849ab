"""Before a server ends it waits for its replicas, so that they have all that it was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carnelian.engine.parts.pause import FOR_EVER
from carnelian.replication.primary.primary_side import primary_of
from carnelian.replication.primary.replicas import State
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine

_PURPOSE = "shutdown"


class LastWait:
    """The wait of one server; writes wait meanwhile. ``options`` are those of SHUTDOWN."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._primary = primary_of(engine)
        self._end_ms = 0
        self.options: set[bytes] = set()

    @property
    def active(self) -> bool:
        """Whether it goes on."""
        return self._end_ms != 0

    def begin(self, options: set[bytes]) -> bool:
        """Begin, if there is somebody to wait for; returns whether there is."""
        engine, seconds = self._engine, self._engine.config["shutdown-timeout"]
        if b"now" in options or not seconds or not self._primary.lagging():
            return False
        self.options = options
        self._end_ms = engine.clock.wall_ms() + seconds * 1000
        engine.facts["shutdown_at_ms"] = self._end_ms
        if not engine.pause.active:
            self._primary.ask_for_offsets()
        engine.pause.start(FOR_EVER, writes_only=True, purpose=_PURPOSE)
        engine.log("notice", "Waiting for replicas before shutting down.")
        return True

    def is_over(self) -> bool:
        """Whether all have caught up, or the time is over."""
        return self._engine.clock.wall_ms() >= self._end_ms or not self._primary.lagging()

    def report(self) -> None:
        """Tell in the log which replicas have everything."""
        primary, log = self._primary, self._engine.log
        lagging, offset = primary.lagging(), primary.replication.history.offset
        for replica in lagging:
            lag = primary.now_s - replica.heard_s if replica.state is State.ONLINE else 0
            log(
                "warning",
                f"Lagging replica {replica.name} reported offset {offset - replica.confirmed} "
                f"behind master, lag={lag}, state={replica.state.value.strip()}.",
            )
        count = len(primary.replicas)
        if count:
            log(
                "notice",
                f"{count - len(lagging)} of {count} replicas are in sync when shutting down.",
            )

    def cancel(self) -> None:
        """The server goes on: tell those who wait for its end."""
        self._end_ms = 0
        self._engine.facts.pop("shutdown_at_ms", None)
        for session in self._engine.sessions:
            blocked = session.blocked
            if blocked is None or blocked.postponed or blocked.command is None:
                continue
            if blocked.command.name == b"shutdown":
                self._engine.blocking.answer(
                    session, Error("ERR Errors trying to SHUTDOWN. Check logs.")
                )
        self._engine.pause.stop(_PURPOSE)
