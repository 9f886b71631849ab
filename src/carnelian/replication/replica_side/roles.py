"""The part that a node plays: who is told to follow, and who is told to lead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.engine.config.mistakes import ConfigError
from carnelian.engine.ground.stages import ROLE, STALE
from carnelian.keyspace import sparing
from carnelian.net.protocol import Host
from carnelian.persistence.aof.append_only import append_only_of
from carnelian.persistence.aof.log_files import LogState
from carnelian.persistence.saving.snapshots import snapshots_of
from carnelian.replication.replica_side.down_time import DownTime
from carnelian.replication.replica_side.primary_link import Following
from carnelian.replication.replica_side.role_checks import StaleCheck, WriteCheck
from carnelian.replication.replication_core import Replication, replication_of
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine

_UNBLOCKED = (
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"
)
# Keys of clients whose time is looked at in one go.
_MOST_TENDED = 10_000


class ReplicaSide:
    """What an engine has of being a replica, while it is one and before.

    - ``carrier``: connects to primaries; None where nothing can (a simulated or embedded engine
      without a loop);
    - ``on_role``: each is called with whether the engine follows now;
    - ``on_copied``: each is called when the data are a copy of the primary's, made anew;
    - ``on_link``: each is called when the link has come about, or has ended;
    - ``down_time``: how long the stream was missed.
    """

    def __init__(self, replication: Replication):
        self.replication = replication
        self.carrier: Host | None = None
        self.on_role: list[Callable[[bool], None]] = []
        self.on_copied: list[Callable[[], None]] = []
        self.on_link: list[Callable[[], None]] = []
        engine = replication.engine
        self._engine: Engine = engine
        self.down_time = DownTime(engine.clock.monotonic_ns)
        self._writes = WriteCheck(engine.keyspace)
        self._stale = StaleCheck()
        # How far the log was when the stream was how far, and what of the stream is on the disk.
        self._marks: deque[tuple[int, int]] = deque()
        self._durable = 0
        engine.memory_limit.holds.append(self._keeps_data)
        for name in ("replica-read-only", "replica-serve-stale-data"):
            engine.config.on_change(name, self._heed)

    @property
    def following(self) -> Following | None:
        """The link to the primary; None while this node leads."""
        return self.replication.following

    @property
    def failing_over(self) -> bool:
        """Whether this node is handing its role to one of its replicas."""
        primary = self.replication.primary
        return primary is not None and primary.failing_over

    # -- Roles ------------------------------------------------------------------------------------

    def follow(self, host: str, port: int, anew: bool = False) -> None:
        """Be a replica of the node at this address from now on; ``anew`` does not go on from what
        is here. Raises Error.
        """
        # What this node has led until now may be the beginning of what the other one has, which
        # says anew which database it means.
        self._follow(host, port, None if anew else 0)

    def _follow(self, host: str, port: int, db: int | None) -> None:
        if self.carrier is None:
            raise Error("ERR this engine cannot connect to a primary")
        replication, former = self.replication, self.following
        if former is None:
            self._begin_following()
        else:
            former.stop()
            # Who begins anew does not take up a former stream either.
            resumes = former.resumable and db is not None
            db = former.stream_db if resumes else None
        self._unblock_clients()
        self._engine.config["replicaof"] = (host, port)
        replication.following = link = Following(self, self.carrier, host, port, db)
        self._tell_role()
        link.start()

    def begin(self, host: str, port: int) -> None:
        """Follow from the beginning, as the configuration says, and as far as a snapshot was."""
        self._follow(host, port, self.replication.restored_db)

    def lead(self) -> None:
        """Be a primary from now on, with what is there."""
        replication, link = self.replication, self.following
        if link is None:
            return
        link.stop()
        replication.following = None
        self._engine.config["replicaof"] = None
        # Who has followed the same primary as this node can go on with it.
        replication.history.shift()
        self.disconnect_replicas()
        self._end_following()
        replication.stream.begin_anew()
        replication.stream.lead(True)
        self._tell_role()
        log = append_only_of(self._engine)
        if self._engine.config["appendonly"] and log.state is LogState.OFF:
            try:
                log.start()
            except ConfigError:
                self._engine.log("warning", "Failed enabling the AOF after becoming a master")

    def _begin_following(self) -> None:
        engine = self._engine
        self.replication.stream.lead(False)
        engine.keyspace.spare_overdue(sparing.FOLLOWING)
        engine.admission.add_check(self._writes, stage=ROLE)
        engine.admission.add_check(self._stale, stage=STALE)

    def _end_following(self) -> None:
        engine = self._engine
        engine.keyspace.cease_sparing(sparing.FOLLOWING)
        engine.admission.remove_check(self._writes)
        engine.admission.remove_check(self._stale)
        self._writes.written.clear()

    def _tell_role(self) -> None:
        self.link_changed()
        for hook in self.on_role:
            hook(self.following is not None)

    def _unblock_clients(self) -> None:
        """Who waits for a write of this node would wait in vain."""
        for session in self._engine.sessions:
            blocked = session.blocked
            if blocked is not None and not blocked.postponed:
                self._engine.blocking.fail(session, Error(_UNBLOCKED))
                session.close(after_replies=True)

    # -- What the link asks -----------------------------------------------------------------------

    @property
    def disk_trouble(self) -> bool:
        """Whether what is written now cannot be brought to the disk."""
        engine = self._engine
        return snapshots_of(engine).refusing or append_only_of(engine).refusing

    def link_changed(self) -> None:
        """The link has come about or has ended."""
        if self.following is None or not self.following.connected:
            self._marks.clear()
            self._durable = 0
        self._heed(None)
        for hook in self.on_link:
            hook()

    def _heed(self, _: object) -> None:
        """Look at what the directives want, and at the link."""
        config, link = self._engine.config, self.following
        self._writes.read_only = config["replica-read-only"]
        stale = link is not None and not link.connected
        self._stale.stale = stale and not config["replica-serve-stale-data"]
        if link is not None and self._writes.read_only:
            self._engine.keyspace.spare_overdue(sparing.FOLLOWING)

    def disconnect_replicas(self) -> None:
        """Have those who follow this node ask anew where they can go on."""
        primary = self.replication.primary
        if primary is not None:
            primary.disconnect_replicas()

    def failover_rejected(self) -> None:
        """The node that was to become the primary does not want to."""
        primary = self.replication.primary
        if primary is not None:
            primary.failover_rejected()

    def durable_offset(self) -> int:
        """What of the stream is on the disk."""
        log = append_only_of(self._engine).log
        self._marks.append((log.offset, self.replication.history.offset))
        while self._marks and log.is_synced(self._marks[0][0]):
            self._durable = self._marks.popleft()[1]
        return self._durable

    def _keeps_data(self) -> bool:
        """Whether no key may be evicted here: the primary evicts."""
        return self.following is not None and self._engine.config["replica-ignore-maxmemory"]

    # -- Keys of clients --------------------------------------------------------------------------

    @property
    def tracked_keys(self) -> int:
        """How many keys of clients have a time at which this node lets them go."""
        databases = self._engine.keyspace.databases
        return sum(databases[index].expiry(key) >= 0 for index, key in self._writes.written)

    def tend_written_keys(self) -> None:
        """Let keys go that clients have given a time, and whose time is over."""
        written = self._writes.written
        if not written:
            return
        engine = self._engine
        engine.clock.tick()
        engine.keyspace.cease_sparing(sparing.FOLLOWING)
        try:
            for place in list(written)[:_MOST_TENDED]:
                db = engine.keyspace.databases[place[0]]
                # Those past their time go by being looked at.
                if not db.has(place[1]) or db.expiry(place[1]) < 0:
                    del written[place]
        finally:
            engine.keyspace.spare_overdue(sparing.FOLLOWING)
        engine.effects.flush(True)


def replica_side_of(engine: Engine) -> ReplicaSide:
    """The replica's side of an engine; made when it is first asked for."""
    replication = replication_of(engine)
    if replication.replica_side is None:
        replication.replica_side = ReplicaSide(replication)
    return replication.replica_side
