"""Sessions that wait until what they wrote is confirmed: by replicas, and by the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from carnelian.persistence.aof.append_only import append_only_of
from carnelian.persistence.aof.log_files import LogState
from carnelian.resp.replies import NO_REPLY, Error

if TYPE_CHECKING:
    from carnelian.engine.session import Session
    from carnelian.replication.primary.replicas import Leader

NO_LOG = "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled."


class Wanted(NamedTuple):
    """What one session waits for.

    - ``offset``: how far the stream had come when it had written;
    - ``replicas``: how many have to confirm that;
    - ``on_disk``: whether to be on the disk is meant (WAITAOF);
    - ``local``: whether it has to be on the disk here, up to ``local_offset``.
    """

    offset: int
    replicas: int
    on_disk: bool = False
    local: int = 0
    local_offset: int = 0


class Waiters:
    """Who waits; asks replicas to confirm, and answers when enough have done so."""

    def __init__(self, primary: Leader):
        self._primary = primary
        self._engine = primary.engine
        self._waiting: list[tuple[Session, object, Wanted]] = []
        self._attached = False

    def count(self, wanted: Wanted) -> int:
        """How many replicas have confirmed it."""
        online = self._primary.online()
        if wanted.on_disk:
            return sum(each.confirmed_log >= wanted.offset for each in online)
        return sum(each.confirmed >= wanted.offset for each in online)

    def is_local(self, wanted: Wanted) -> int:
        """1 if it is on the disk here, else 0."""
        # Until a log that was turned on has its first base, what it holds would not be loaded.
        log = append_only_of(self._engine)
        return int(log.state is LogState.ON and log.log.is_synced(wanted.local_offset))

    def reply(self, wanted: Wanted) -> object:
        """What the session is told of what there is by now."""
        replicas = self.count(wanted)
        return [self.is_local(wanted), replicas] if wanted.on_disk else replicas

    def is_met(self, wanted: Wanted) -> bool:
        """Whether there is nothing to wait for."""
        if wanted.on_disk and self.is_local(wanted) < wanted.local:
            return False
        return self.count(wanted) >= wanted.replicas

    def wait(self, session: Session, args: list[bytes], wanted: Wanted, timeout_ms: int) -> object:
        """What the handler of WAIT or WAITAOF returns."""
        if self.is_met(wanted):
            return self.reply(wanted)
        reply = self._engine.blocking.wait(
            session, args, (), timeout_ms, lambda: self.reply(wanted)
        )
        if reply is NO_REPLY and session.blocked is not None:
            self._attach()
            self._waiting.append((session, session.blocked, wanted))
            self._note_count()
            if wanted.replicas:
                self._primary.replication.stream.asks = True
        return reply

    def _attach(self) -> None:
        if not self._attached:
            self._attached = True
            log = append_only_of(self._engine)
            log.log.on_commit = self.serve
            log.on_stop.append(self.serve)

    def serve(self) -> None:
        """Answer those whose wait is over."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for entry in waiting:
            session, blocked, wanted = entry
            if session.blocked is not blocked:
                continue
            if wanted.local and append_only_of(self._engine).state is LogState.OFF:
                error = Error(NO_LOG)
                self._engine.stats.count_error(error.code)
                self._engine.blocking.answer(session, error)
            elif self.is_met(wanted):
                self._engine.blocking.answer(session, self.reply(wanted))
            else:
                self._waiting.append(entry)
        self._note_count()

    def _note_count(self) -> None:
        log = append_only_of(self._engine).log
        log.waiters = sum(wanted.on_disk for _, _, wanted in self._waiting)
