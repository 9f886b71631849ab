"""MONITOR: sessions that see every command the engine runs."""

from __future__ import annotations

from carnelian.engine.ground.flags import FLAG_MONITOR, FLAG_SCRIPT
from carnelian.engine.shared.client_state import Client
from carnelian.engine.shared.core import Core
from carnelian.resp.quoting import quote
from carnelian.resp.replies import Status


def redact(args: list[bytes], *positions: int) -> None:
    """Keep words of the running command out of MONITOR and the slow log: passwords."""
    for position in positions:
        args[position] = b"(redacted)"


class Monitors:
    """The sessions in MONITOR mode."""

    def __init__(self, core: Core):
        self._core = core
        self._sessions: dict[Client, None] = {}

    def add(self, session: Client) -> None:
        """Show a session every command from now on."""
        session.flags |= FLAG_MONITOR
        self._sessions[session] = None
        self._core.monitored = True

    def remove(self, session: Client) -> None:
        """Show it no more."""
        if self._sessions.pop(session, self) is not self:
            session.flags &= ~FLAG_MONITOR
            self._core.monitored = bool(self._sessions)

    def feed(self, session: Client, args: list[bytes], db_index: int) -> None:
        """Send one command to all monitoring sessions."""
        now_us = self._core.clock.wall_us()
        line = b"%d.%06d [%d %s] %s" % (
            now_us // 1_000_000,
            now_us % 1_000_000,
            db_index,
            b"lua" if session.flags & FLAG_SCRIPT else session.peer(),
            b" ".join(map(quote, args)),
        )
        note = Status(line)
        for monitor in list(self._sessions):
            monitor.send(note)

    def __len__(self) -> int:
        return len(self._sessions)
