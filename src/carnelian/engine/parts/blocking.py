"""Clients that wait: for keys, for a pause to end, for a time.

A command that cannot go on yet parks its session on keys. When one of them changes, the command is
tried again for each waiter, first come first served, before any other command runs; what it then
returns is the reply. So a blocking command has one implementation, and no waiter is forgotten when
a key changes its type or goes away.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator

from carnelian.engine.catalogue.registry import Command
from carnelian.engine.ground.flags import FLAG_DENY_BLOCKING, FLAG_REEXECUTING
from carnelian.engine.shared.begun import Blocked, Place
from carnelian.engine.shared.client_state import Client
from carnelian.engine.shared.core import Core
from carnelian.keyspace.database import Database
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import NO_REPLY, Error, Lazy

# Deadlines of sessions that wait no longer, which may stay until the next ones are dropped.
_STALE_DEADLINES = 64
_LONGEST_MS = (1 << 63) - 1


class Blocking:
    """All waiting sessions, by key and by deadline."""

    def __init__(self, core: Core):
        self._core = core
        # By key, and by what has to be there; those who wait for the same in the order they came.
        self.waiters: dict[Place, dict[bytes | None, dict[Client, None]]] = {}
        self._ready: dict[Place, None] = {}
        # By time, and first come first served at the same time.
        self._deadlines: list[tuple[int, int, Client, Blocked]] = []
        self._arrivals = itertools.count()
        self._due: list[tuple[Client, Blocked]] = []
        self._postponed: list[tuple[Client, Blocked]] = []
        self._released: list[tuple[Client, Blocked]] = []
        self.count = 0
        self.timed = 0
        # Called when there is a first waiter for a key, or none any longer.
        self.on_interest: Callable[[], None] = lambda: None
        # Why a command that goes on may not do so: what it was let in with may be different now.
        self.objection: Callable[[Client, Command, list[bytes]], Error | None] = _no_objection
        # The same about keys that have gone to another node; what a cluster will be.
        self.redirection: Callable[[Client, Command, list[bytes]], Error | None] = _no_objection

    # -- Parking ----------------------------------------------------------------------------------

    def wait(
        self,
        session: Client,
        args: list[bytes],
        keys: Iterable[bytes],
        timeout_ms: int,
        timeout_reply: object,
        type_name: bytes | None = None,
        retry_ms: int = 0,
    ) -> object:
        """Park a session on keys of its database; what a handler returns when it cannot go on.

        Args:
            args: the command, tried again as it is when a key changes.
            timeout_ms: 0 waits forever.
            timeout_reply: what it gets when the time is over; at once where nothing may block
                (inside EXEC or a script). A function is asked for it then.
            type_name: what has to be at a key for the command to be tried again, as TYPE names it;
                None tries it whenever a key changes or goes.
            retry_ms: when to try it again though no key has changed, as unix time in ms; 0 for
                never. Asked for anew each time.
        """
        if session.flags & FLAG_DENY_BLOCKING:
            return _reply_of(timeout_reply)
        if session.flags & FLAG_REEXECUTING:
            if retry_ms and session.blocked is not None:
                self._retry_at(session, session.blocked, retry_ms)
            return NO_REPLY
        first = not self.waiters
        places = [(session.db.index, key) for key in dict.fromkeys(keys)]
        deadline_ms = self._core.clock.ms + timeout_ms if timeout_ms else 0
        blocked = Blocked(session.command, args, places, deadline_ms, timeout_reply, type_name)
        for place in places:
            self.waiters.setdefault(place, {}).setdefault(type_name, {})[session] = None
        self._park(session, blocked)
        if retry_ms:
            self._retry_at(session, blocked, retry_ms)
        if first and places:
            self.on_interest()
        return NO_REPLY

    def postpone(self, session: Client, command: Command, args: list[bytes]) -> None:
        """Hold a command back until :meth:`release_postponed` (CLIENT PAUSE)."""
        blocked = Blocked(command, args, [], 0, None)
        blocked.postponed = True
        self._postponed.append((session, blocked))
        self._park(session, blocked)

    def _park(self, session: Client, blocked: Blocked) -> None:
        session.blocked = blocked
        self.count += 1
        if blocked.deadline_ms:
            self.timed += 1
            self._wake_at(blocked.deadline_ms, session, blocked)

    def _wake_at(self, moment_ms: int, session: Client, blocked: Blocked) -> None:
        self._core.timed = True
        heapq.heappush(self._deadlines, (moment_ms, next(self._arrivals), session, blocked))

    def _retry_at(self, session: Client, blocked: Blocked, moment_ms: int) -> None:
        """Have a session tried again at a time, unless it is before that anyway."""
        if blocked.deadline_ms and blocked.deadline_ms <= moment_ms:
            return
        if blocked.retry_ms and blocked.retry_ms <= moment_ms:
            return
        self.timed += not blocked.timed
        blocked.timed = True
        blocked.retry_ms = moment_ms
        self._wake_at(moment_ms, session, blocked)

    # -- Waking -----------------------------------------------------------------------------------

    def signal(self, db: Database, key: bytes) -> None:
        """A key has changed: its waiters are tried before the next command."""
        place = (db.index, key)
        if place in self.waiters:
            self._ready[place] = None
            self._core.keys_ready = True

    def signal_all(self, db: Database) -> None:
        """Every key of a database may have changed."""
        for place in self.waiters:
            if place[0] == db.index:
                self._ready[place] = None
                self._core.keys_ready = True

    def serve(self) -> None:
        """Try the waiters of all keys that changed, and of those that change by that.

        Commands that were held back and are no longer come first, then those whose time has come.
        """
        while self._ready or self._released or self._due:
            self._run_released()
            due, self._due = self._due, []
            for session, blocked in due:
                if session.blocked is blocked:
                    self._retry(session)
            ready, self._ready = self._ready, {}
            for place in ready:
                self._serve_key(place)
        self._core.keys_ready = False

    def _serve_key(self, place: Place) -> None:
        """Try the waiters of a key that has changed, those of one kind after those of another."""
        database, key = place
        db = self._core.keyspace.databases[database]
        for type_name in list(self.waiters.get(place, ())):
            for session in self._in_order(place, type_name):
                if type_name is not None and type_name != _type_of(db, key):
                    break
                self._retry(session)

    def _in_order(self, place: Place, type_name: bytes | None) -> Iterator[Client]:
        """Those who wait now, as long as they do.

        Takes them in batches that grow: however many wait, little is copied where the first ones
        take all there is.
        """
        left = len(self.waiters.get(place, {}).get(type_name, ()))
        passed = 0
        batch = 1
        while left > 0:
            waiting = self.waiters.get(place, {}).get(type_name, ())
            some = list(itertools.islice(waiting, passed, passed + min(batch, left)))
            left -= max(len(some), 1)
            batch *= 2
            for session in some:
                if session in waiting:
                    yield session
                passed += session in waiting

    def _retry(self, session: Client) -> None:
        blocked = session.blocked
        if blocked is None:
            return
        assert blocked.command is not None
        error = self.objection(session, blocked.command, blocked.args)
        if error is None:
            error = self.redirection(session, blocked.command, blocked.args)
        if error is not None:
            self._refuse(session, blocked.command, error)
            return
        session.flags |= FLAG_REEXECUTING
        try:
            reply = self._core.call(session, blocked.command, blocked.args)
        finally:
            session.flags &= ~FLAG_REEXECUTING
        if reply is not NO_REPLY:
            self._finish(session, reply)

    def _refuse(self, session: Client, command: Command, error: Error) -> None:
        command.rejected_calls += 1
        self._core.stats.count_error(error.code)
        self._finish(session, error)

    def retry(self, session: Client) -> None:
        """Try a session again that waits: the last attempt did not come to its end."""
        blocked = session.blocked
        if blocked is not None:
            self._ready.update(dict.fromkeys(blocked.places))
        self._core.keys_ready = True

    def answer(self, session: Client, reply: object) -> None:
        """Let a session go on that waits for something else than keys, with this reply."""
        blocked = session.blocked
        if blocked is not None:
            self._give_up(session, blocked, reply)

    def fail(self, session: Client, error: Error) -> None:
        """Let a session go on whose command has failed while it waited."""
        blocked = session.blocked
        if blocked is None:
            return
        self._core.stats.count_error(error.code)
        if blocked.command is not None:
            blocked.command.failed_calls += 1
        self._give_up(session, blocked, error)

    def _finish(self, session: Client, reply: object) -> None:
        self.cancel(session)
        session.send(reply)
        session.resume()

    def expire(self, now_ms: int) -> None:
        """Answer the sessions whose time is over, and note which are to be tried again."""
        while self._deadlines and self._deadlines[0][0] <= now_ms:
            _, _, session, blocked = heapq.heappop(self._deadlines)
            if session.blocked is not blocked:
                continue
            if blocked.deadline_ms and blocked.deadline_ms <= now_ms:
                self._give_up(session, blocked, _reply_of(blocked.timeout_reply))
            elif blocked.retry_ms and blocked.retry_ms <= now_ms:
                blocked.retry_ms = 0
                self._due.append((session, blocked))
                self._core.keys_ready = True

    def next_deadline_ms(self) -> int:
        """When :meth:`expire` has something to do next; 0 if nobody waits for a time."""
        while self._deadlines:
            deadline_ms, _, session, blocked = self._deadlines[0]
            if session.blocked is blocked:
                return deadline_ms
            heapq.heappop(self._deadlines)
        return 0

    def unblock(self, session: Client, *, with_error: bool) -> bool:
        """CLIENT UNBLOCK: as if the time were over, or with an error; False if it does not wait."""
        blocked = session.blocked
        if blocked is None or blocked.postponed:
            return False
        if with_error:
            self.fail(session, Error("UNBLOCKED client unblocked via CLIENT UNBLOCK"))
        else:
            self._give_up(session, blocked, _reply_of(blocked.timeout_reply))
        return True

    def _give_up(self, session: Client, blocked: Blocked, reply: object) -> None:
        """Let a session go on without what it waited for; its attempts count as one call."""
        if blocked.command is not None:
            blocked.command.record(blocked.spent, self._core.latency_tracking)
            self._core.stats.commands += 1
            session.commands += 1
        self._finish(session, reply)

    def cancel(self, session: Client) -> None:
        """Forget that a session waits (it has its reply, or is gone)."""
        blocked = session.blocked
        if blocked is None:
            return
        session.blocked = None
        self.count -= 1
        if blocked.timed:
            self.timed -= 1
            self._forget_stale_deadlines()
        for place in blocked.places:
            kinds = self.waiters[place]
            waiting = kinds[blocked.type_name]
            del waiting[session]
            if not waiting:
                del kinds[blocked.type_name]
            if not kinds:
                del self.waiters[place]
        if blocked.places and not self.waiters:
            self.on_interest()

    def _forget_stale_deadlines(self) -> None:
        """Drop those who wait no longer once they are the most. Amortised O(1)."""
        if len(self._deadlines) > 4 * self.timed + _STALE_DEADLINES:
            self._deadlines = [entry for entry in self._deadlines if entry[2].blocked is entry[3]]
            heapq.heapify(self._deadlines)

    def release_postponed(self) -> None:
        """Let the commands that were held back run before the next one, in their order."""
        self._released += self._postponed
        self._postponed.clear()
        if self._released:
            self._core.keys_ready = True

    def _run_released(self) -> None:
        released, self._released = self._released, []
        for session, blocked in released:
            if session.blocked is not blocked:
                continue
            self.cancel(session)
            reply = self._core.execute(session, blocked.args)
            if session.blocked is not None:
                continue
            if reply is not NO_REPLY:
                session.send(reply)
            if isinstance(reply, Lazy):
                self._core.parts_written(session, blocked.args)
            session.resume()


def _reply_of(reply: object) -> object:
    return reply() if callable(reply) else reply


def _no_objection(session: Client, command: Command, args: list[bytes]) -> Error | None:
    return None


def _type_of(db: Database, key: bytes) -> bytes | None:
    """The type of what is at a key, without counting a hit or a miss."""
    value = db.peek(key)
    if value is None:
        return None
    return b"string" if isinstance(value, bytes) else value.type_name


def parse_timeout(text: bytes, now_ms: int) -> int:
    """Milliseconds to wait; 0 is forever.

    Raises:
        Error: it is no integer, negative or out of range.
    """
    try:
        timeout = parse_int(text)
    except Error:
        raise Error("ERR timeout is not an integer or out of range") from None
    if timeout < 0:
        raise Error("ERR timeout is negative")
    if timeout > _LONGEST_MS - now_ms:
        raise Error("ERR timeout is out of range")
    return timeout
