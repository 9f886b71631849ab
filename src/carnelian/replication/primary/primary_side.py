"""Who follows this node: how they join, what is heard of them, and when they are given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carnelian.engine.ground.flags import ON_LINK
from carnelian.engine.ground.stages import LINK
from carnelian.replication.primary.confirming import Waiters
from carnelian.replication.primary.copying import Copies
from carnelian.replication.primary.failover import Failover, Phase
from carnelian.replication.primary.replicas import Replica, State
from carnelian.replication.primary.write_checks import EnoughReplicas, refuse_on_link
from carnelian.replication.replication_core import Replication, replication_of

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine
    from carnelian.engine.shared.client_state import Client
    from carnelian.replication.history import Place

# Blocks of the stream that are given back at a time: some milliseconds.
_MOST_BLOCKS = 4096
_PING = b"*1\r\n$4\r\nPING\r\n"


class Primary:
    """The replicas of one node.

    - ``replicas``: those that follow, or are going to, in the order in which they came;
    - ``copies``: how they get the data set;
    - ``waiters``: sessions that wait for what they have confirmed;
    - ``failover``: the change of roles that is on its way.
    """

    def __init__(self, replication: Replication):
        engine = replication.engine
        self.replication = replication
        self.engine = engine
        self.replicas: list[Replica] = []
        self.copies = Copies(self)
        self.waiters = Waiters(self)
        self.failover = Failover(self)
        self.enough = EnoughReplicas(self)
        # Since when there are none, in unix time.
        self.alone_since_s = engine.started_ms // 1000
        self._last_s = -1
        self._seconds = 0
        engine.sessions.on_removed.append(self._ended)
        engine.on_cron.append(self.tick)
        engine.admission.add_check(refuse_on_link, stage=LINK, gate=ON_LINK)

    @property
    def now_s(self) -> int:
        """Unix time."""
        return self.engine.clock.ms // 1000

    def lagging(self) -> list[Replica]:
        """Those who have not confirmed to have all that there is."""
        offset = self.replication.history.offset
        return [each for each in self.replicas if each.confirmed != offset]

    def ask_for_offsets(self) -> None:
        """Have them confirm what they have, soon."""
        self.replication.stream.asks = True

    # -- A change of roles -----------------------------------------------------------------------

    @property
    def failing_over(self) -> bool:
        """Whether this node is handing its role to one of its replicas."""
        return self.failover.phase is not Phase.NONE

    def failover_rejected(self) -> None:
        """The replica that was to lead in place of this node does not want to."""
        self.failover.rejected()

    def disconnect_replicas(self) -> None:
        """Have all who follow ask anew where they can go on."""
        for replica in list(self.replicas):
            self.drop(replica)

    # -- Those who follow ------------------------------------------------------------------------

    def online(self) -> list[Replica]:
        """Those that have the data set."""
        return [each for each in self.replicas if each.state is State.ONLINE]

    def join(self, replica: Replica, state: State) -> None:
        """A replica follows from now on. Raises Error where its session cannot."""
        replica.attach()
        replica.state = state
        replica.heard_s = self.now_s
        self.replicas.append(replica)

    def go_on(self, replica: Replica, place: Place) -> None:
        """Send a replica the stream from a place on."""
        replica.feed.place = place
        replica.feed.flowing = True
        self._read(replica)

    def put_online(self, replica: Replica) -> None:
        """A replica has its copy; one that wants no more is let go of."""
        if replica.copy_only:
            replica.state = State.SERVED
            self.engine.log(
                "notice",
                f"RDB transfer completed, rdb only replica ({replica.name}) should be disconnected "
                "asap",
            )
            replica.session.close(True)
            return
        replica.state = State.ONLINE
        replica.heard_s = self.now_s
        self.enough.count()
        self.engine.log("notice", f"Synchronization with replica {replica.name} succeeded")

    def begin_stream(self, replica: Replica) -> None:
        """A replica is ready for what happened since its copy was made."""
        replica.confirms_copy = False
        replica.feed.flowing = True
        self._read(replica)

    def _read(self, replica: Replica) -> None:
        readers = self.replication.stream.readers
        if replica.session not in readers:
            readers.append(replica.session)
        replica.session.pull()

    def drop(self, replica: Replica, why: str = "") -> None:
        """Give a replica up; it will ask again."""
        if why:
            self.engine.log("warning", why)
        self._forget(replica)
        replica.session.close()

    def _ended(self, session: Client) -> None:
        if session.replica is not None and session.replica.is_attached:
            replica = session.replica
            self.engine.log("notice", f"Connection with replica {replica.name} lost.")
            self._forget(replica)

    def _forget(self, replica: Replica) -> None:
        if replica not in self.replicas:
            return
        self.replicas.remove(replica)
        readers = self.replication.stream.readers
        if replica.session in readers:
            readers.remove(replica.session)
        state = replica.state
        replica.detach()
        self._trim()
        self.copies.left(replica, state)
        self.enough.count()
        if not self.replicas:
            self.alone_since_s = self.now_s

    def _trim(self) -> None:
        """Let go of what only somebody needed who is not behind any more."""
        backlog = self.replication.stream.backlog
        if backlog is not None:
            backlog.trim(_MOST_BLOCKS)

    # -- What is heard of them -------------------------------------------------------------------

    def confirmed(self, replica: Replica, offset: int, on_disk: int) -> None:
        """A replica says how much of the stream it has, and has on its disk; -1 if it has none."""
        replica.confirmed = max(replica.confirmed, offset)
        replica.confirmed_log = max(replica.confirmed_log, on_disk)
        replica.heard_s = self.now_s
        if replica.state is State.COPYING:
            self.copies.look()
        if replica.confirms_copy and replica.state is State.ONLINE:
            self.begin_stream(replica)
        self.waiters.serve()

    # -- Time ------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Called with each tick of the engine; does something once a second."""
        self.failover.check()
        self._trim()
        self.waiters.serve()
        if self.now_s == self._last_s:
            return
        self._last_s = self.now_s
        self._seconds += 1
        self._ping()
        self._give_up_silent()
        self._forget_history()
        self.copies.begin_waiting()
        self.copies.remove_file()
        self.enough.count()

    def _ping(self) -> None:
        config, following = self.engine.config, self.replication.following
        due = (self._seconds - 1) % config["repl-ping-replica-period"] == 0
        if due and self.replicas and following is None and not self.failover.holds_offset:
            self.replication.stream.put(_PING)
            self.replication.stream.tell_readers()
        for replica in self.replicas:
            if replica.state is State.WAITING or (
                replica.state is State.COPYING and not self.copies.to_sockets
            ):
                replica.session.send_raw(b"\n")

    def _give_up_silent(self) -> None:
        patience, now = self.engine.config["repl-timeout"], self.now_s
        for replica in list(self.replicas):
            replica.note_progress(now)
            if replica.state is State.ONLINE and not replica.is_old:
                if now - replica.heard_s > patience:
                    self.drop(
                        replica,
                        f"Disconnecting timedout replica (streaming sync): {replica.name}",
                    )
            elif replica.stalled_since_s and now - replica.stalled_since_s > patience:
                self.drop(replica, f"Disconnecting timedout replica (full sync): {replica.name}")

    def _forget_history(self) -> None:
        """Keep the stream no longer when nobody has come for a long time."""
        replication, patience = self.replication, self.engine.config["repl-backlog-ttl"]
        if self.replicas or not patience or replication.following is not None:
            return
        if replication.stream.backlog is None or self.now_s - self.alone_since_s <= patience:
            return
        replication.drop_backlog()
        # What is changed now is counted by nobody, so that nobody may go on from where it was.
        replication.history.new_id()
        self.engine.log(
            "notice",
            f"Replication backlog freed after {patience} seconds without connected replicas.",
        )


def primary_of(engine: Engine) -> Primary:
    """The replicas of an engine; made when they are first asked for."""
    replication = replication_of(engine)
    if replication.primary is None:
        replication.primary = Primary(replication)
    return replication.primary
