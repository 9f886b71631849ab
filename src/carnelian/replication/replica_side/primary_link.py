"""The link of a node to its primary: from REPLICAOF until REPLICAOF NO ONE.

What is said on it is in :mod:`.handshake`; here is what comes of it for the node: its data set, its
history, and when to try again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Protocol

from carnelian import REDIS_VERSION
from carnelian.engine.config.mistakes import ConfigError
from carnelian.engine.shared.failures import note_unexpected
from carnelian.net.protocol import Host, Timer
from carnelian.persistence.aof.append_only import append_only_of
from carnelian.persistence.aof.log_files import LogState
from carnelian.replication.history import NO_ID
from carnelian.replication.replica_side.down_time import DownTime
from carnelian.replication.replica_side.handshake import Greeting, Handshake, Stage
from carnelian.replication.replica_side.primary_session import PrimarySession
from carnelian.replication.replica_side.snapshot_receiving import (
    Receiving,
    TransferError,
    receiving,
)
from carnelian.resp.parser import ProtocolError
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine
    from carnelian.replication.replication_core import Replication

# Seconds between two looks at the link: for timeouts, attempts, and acknowledgements.
_PERIOD = 1.0
# Milliseconds that loading goes on before others are served.
_SLICE_MS = 5
# Bytes of the stream that are held here before the primary has to wait with more.
_MOST_HELD = 64 * 1024
# Seconds between two looks whether a script has ended.
_SCRIPT_LOOK = 0.005
# Seconds between two lines of the log about the same trouble.
_QUIET = 10


class LinkState(Enum):
    """As ROLE shows it."""

    CONNECT = "connect"
    CONNECTING = "connecting"
    HANDSHAKE = "handshake"
    SYNC = "sync"
    CONNECTED = "connected"


class PanicError(Exception):
    """This node cannot go on as a replica, and is configured to end then."""


class Node(Protocol):
    """The node whose link it is, as the link knows it."""

    replication: Replication
    down_time: DownTime
    on_copied: list[Callable[[], None]]

    @property
    def disk_trouble(self) -> bool:
        """Whether what is written now cannot be brought to the disk."""

    def link_changed(self) -> None:
        """The link has come about or has ended."""

    def disconnect_replicas(self) -> None:
        """Have those who follow this node ask anew."""

    def tend_written_keys(self) -> None:
        """Let go keys of clients whose time is over."""

    def durable_offset(self) -> int:
        """What of the stream is on the disk."""

    def failover_rejected(self) -> None:
        """The other side does not want to become the primary."""


class Following:
    """The link to one primary, with all attempts to have one.

    - ``host``, ``port``: where it is;
    - ``session``: of the primary while the stream comes, else None;
    - ``resumable``: whether the history of this node may be gone on with;
    - ``trouble``: why the last connection has ended;
    - ``was_connected``: whether there has been a stream;
    - ``failover``: whether the other side is asked to become the primary of this node.

    Args:
        side: the node.
        carrier: connects and calls later.
        db: the database that the stream of this node's own was in, if it has led until now.
    """

    def __init__(self, side: Node, carrier: Host, host: str, port: int, db: int | None):
        self.side = side
        self.replication = side.replication
        self.engine: Engine = side.replication.engine
        self.host, self.port = host, port
        self.session: PrimarySession | None = None
        self.receiving: Receiving | None = None
        self.resumable = db is not None
        self._stream_db = db or 0
        self.failover = False
        self.trouble = ""
        self.was_connected = False
        self.down_since_s = self._now_s()
        self.last_io_s = 0
        self._up_since_s = 0
        # Connections that were begun: since the stream ended, and ever.
        self._attempts = self._all_attempts = 0
        self._carrier = carrier
        self._talk: Handshake | None = None
        self._timer: Timer | None = None
        self._coming: tuple[str | None, int] = (None, -1)
        # Whether positions are counted: primaries before 2.8 know of none.
        self._counted = True
        # What came while nothing could be applied: a snapshot is loaded, or a script runs. If it
        # is too much, no more is taken in.
        self._held: deque[bytes] = deque()
        self._held_bytes = 0
        self._holding = False
        self._paused = False
        # Whether it will be looked whether what is held can be applied.
        self._looking = False
        # The connection on which a snapshot waits for the end of a script.
        self._waiting: Handshake | None = None
        self._over = False
        self._told_s = -_QUIET

    def _now_s(self) -> int:
        return self.engine.clock.monotonic_ns() // 1_000_000_000

    # -- Begin and end ----------------------------------------------------------------------------

    def start(self) -> None:
        """Connect, and look after the link from now on."""
        self.engine.pause.on_end.append(self._apply_soon)
        self._timer = self._carrier.call_later(_PERIOD, self._tick)
        self.connect()

    def stop(self) -> None:
        """End the link for good; the history stays as it is."""
        if not self._over:
            self._over = True
            self.engine.pause.on_end.remove(self._apply_soon)
        if self._timer is not None:
            self._timer.cancel()
        self.drop()

    def connect(self) -> None:
        """Begin an attempt, in place of the one that goes on."""
        if self._talk is not None:
            self._talk.close()
        engine = self.engine
        engine.log("notice", f"Connecting to MASTER {self.host}:{self.port}")
        self.last_io_s = self._now_s()
        self._attempts += 1
        self._all_attempts += 1
        self._talk = talk = Handshake(self, engine.log)
        self._carrier.connect((self.host, self.port), talk, engine.config["repl-timeout"])
        engine.log("notice", "MASTER <-> REPLICA sync started")

    def drop(self) -> None:
        """End the connection, if there is one; the next look makes another."""
        talk, self._talk = self._talk, None
        if talk is not None:
            talk.close()
        self._leave_session()
        self._give_up_snapshot()

    def cut(self) -> None:
        """Somebody wants the connection to end (CLIENT KILL): another one is made at once."""
        if self._talk is not None:
            self._talk.close()
            self.ended(Stage.STREAM, "killed")

    def _leave_session(self) -> None:
        session, self.session = self.session, None
        self._forget_held()
        self._holding = False
        if session is None:
            return
        self._stream_db = session.db.index
        self.down_since_s = self._now_s()
        self.side.down_time.begin()
        self._attempts = 0
        self.engine.sessions.remove(session)
        self.side.link_changed()

    def _give_up_snapshot(self, lost: bool = False) -> None:
        taking, self.receiving = self.receiving, None
        if taking is None:
            return
        if not taking.abandon(lost):
            # There is neither the old data set nor the new one.
            self.resumable = False
        self.side.link_changed()

    # -- State ------------------------------------------------------------------------------------

    @property
    def state(self) -> LinkState:
        """How far it has come."""
        if self.session is not None:
            return LinkState.CONNECTED
        if self.receiving is not None:
            return LinkState.SYNC
        if self._talk is None or self._talk.stage is Stage.OVER:
            return LinkState.CONNECT
        if self._talk.stage is Stage.CONNECTING:
            return LinkState.CONNECTING
        if self._talk.stage is Stage.ANNOUNCEMENT:
            return LinkState.SYNC
        return LinkState.HANDSHAKE

    @property
    def stream_db(self) -> int:
        """The number of the database that the stream is in, where the history stands."""
        return self._stream_db if self.session is None else self.session.db.index

    @property
    def connected(self) -> bool:
        """Whether the data are up to date, or about to be."""
        return self.session is not None

    def data_age_ms(self) -> int | None:
        """For how long the data has perhaps not been that of the primary; None if it never was."""
        if not self.was_connected:
            return None
        return (self._now_s() - (self.last_io_s if self.connected else self.down_since_s)) * 1000

    def role(self) -> list[object]:
        """What ROLE replies."""
        offset = self.replication.history.offset if self.connected else -1
        return [b"slave", self.host.encode(), self.port, self.state.value.encode(), offset]

    def fields(self) -> list[tuple[str, object]]:
        """What INFO shows of this side, behind the role."""
        config, offset = self.engine.config, self.replication.history.offset
        taking, waiting = self.receiving, self._now_s() - self.last_io_s
        shown: list[tuple[str, object]] = [
            ("master_host", self.host),
            ("master_port", self.port),
            ("master_link_status", "up" if self.connected else "down"),
            ("master_last_io_seconds_ago", waiting if self.connected else -1),
            ("master_sync_in_progress", int(self.state is LinkState.SYNC)),
            ("slave_read_repl_offset", offset + self._unapplied()),
            ("slave_repl_offset", offset),
        ]
        if self.state is LinkState.SYNC:
            shown += _progress(taking, waiting)
        if not self.connected:
            shown.append(("master_link_down_since_seconds", self._now_s() - self.down_since_s))
        shown += [
            ("replica_full_sync_buffer_size", 0),
            ("replica_full_sync_buffer_peak", 0),
            ("master_current_sync_attempts", self._attempts),
            ("master_total_sync_attempts", self._all_attempts),
        ]
        if self.connected:
            shown += [
                ("master_link_up_since_seconds", self._now_s() - self._up_since_s),
                ("master_client_io_thread", 0),
            ]
        shown += [
            ("total_disconnect_time_sec", self.side.down_time.seconds()),
            ("slave_priority", config["replica-priority"]),
            ("slave_read_only", int(config["replica-read-only"])),
            ("replica_announced", int(config["replica-announced"])),
        ]
        return shown

    def _unapplied(self) -> int:
        """Bytes of the stream that have come, but are no whole commands yet."""
        session = self.session
        pending = 0 if session is None else session.came - session.applied
        return pending + self._held_bytes

    def address(self) -> bytes:
        """Where the primary is, as CLIENT LIST shows it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}".encode()

    # -- Time -------------------------------------------------------------------------------------

    def _tick(self) -> None:
        if self._over:
            return
        self._timer = self._carrier.call_later(_PERIOD, self._tick)
        self._heed_timeout()
        self.side.tend_written_keys()
        if self._talk is None or self._talk.stage is Stage.OVER:
            self.connect()
        elif self.session is not None:
            self.acknowledge()
        elif self.receiving is not None or self._waiting is self._talk:
            self._talk.keep_alive()

    def _heed_timeout(self) -> None:
        talk = self._talk
        if talk is None or talk.stage in (Stage.OVER, Stage.CONNECTING):
            return
        if self._holding or self._paused or self._waiting is talk:
            return
        if self._now_s() - self.last_io_s <= self.engine.config["repl-timeout"]:
            return
        log = self.engine.log
        if talk.stage is Stage.STREAM:
            log("warning", "MASTER timeout: no data nor PING received...")
        elif talk.stage in (Stage.SNAPSHOT, Stage.ANNOUNCEMENT):
            log(
                "warning",
                "Timeout receiving bulk data from MASTER... If the problem persists try to set "
                "the 'repl-timeout' parameter in redis.conf to a larger value.",
            )
        else:
            log("warning", "Timeout connecting to the MASTER...")
        talk.give_up("timed out")

    def acknowledge(self) -> None:
        """Tell the primary how far this node is, if it counts."""
        if self._talk is None or not self._counted:
            return
        log = append_only_of(self.engine)
        durable = self.side.durable_offset() if log.state is LogState.ON else None
        self._talk.acknowledge(self.replication.history.offset, durable)

    # -- What the dialogue tells ------------------------------------------------------------------

    def greeting(self) -> Greeting:
        """What to say of this node."""
        config, facts, history = self.engine.config, self.engine.facts, self.replication.history
        port = config["tls-port"] if config["tls-replication"] else config["port"]
        return Greeting(
            user=config["masteruser"],
            password=config["masterauth"],
            port=config["replica-announce-port"] or facts.get("replica_port", port),
            announced_ip=config["replica-announce-ip"],
            version=REDIS_VERSION,
            position=(history.id, history.offset + 1) if self.resumable else None,
            failover=self.failover,
        )

    def alive(self) -> None:
        """The primary has let hear of itself."""
        self.last_io_s = self._now_s()

    def going_on(self, new_id: str | None) -> None:
        """The stream goes on where this node stands, under a new id if there is one."""
        history = self.replication.history
        if new_id is not None:
            history.second_id, history.second_offset = history.id, history.offset
            history.id = new_id
            # Those who follow this node have to hear of it.
            self.side.disconnect_replicas()
        self._counted = True
        self._begin_stream()
        self.engine.log(
            "notice",
            "MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.",
        )

    def starting_over(self, repl_id: str | None, offset: int) -> None:
        """A snapshot will come."""
        self._coming = (repl_id, offset)
        self.side.link_changed()

    def occupied(self) -> bool:
        """A script that runs has its data set, and the functions, until it ends."""
        talk = self._talk
        if self.engine.depth and talk is not None and talk is not self._waiting:
            self._waiting = talk
            talk.pause(True)
            self._carrier.call_later(_SCRIPT_LOOK, partial(self._wait_on, talk))
        return bool(self.engine.depth)

    def _wait_on(self, talk: Handshake) -> None:
        """See whether the script has ended, and go on then."""
        if talk is not self._talk:
            return
        if self.engine.depth:
            self._carrier.call_later(_SCRIPT_LOOK, partial(self._wait_on, talk))
        else:
            self._waiting = None
            self.alive()
            talk.pause(False)
            talk.go_on()

    def snapshot_begins(self, size: int | None) -> None:
        """So many bytes of it will come."""
        same = self._coming[0] is not None and self._coming[0] == self.replication.history.id
        try:
            self.receiving = receiving(self.engine, size, same, self._lose_data)
        except TransferError as error:
            self._fail(error)
            return
        self._forget_held()

    def _lose_data(self) -> None:
        """The data set is about to go: nobody can go on with its history, nor log it."""
        self.resumable = False
        log = append_only_of(self.engine)
        if log.state is not LogState.OFF:
            log.stop()
        self.side.disconnect_replicas()
        self.replication.drop_backlog()

    def snapshot_part(self, data: bytes) -> None:
        """The next bytes of it."""
        self.engine.stats.replica_input_bytes += len(data)
        if self.receiving is None:
            return
        try:
            self.receiving.take(data)
        except TransferError as error:
            self._fail(error)

    def snapshot_ends(self) -> None:
        """That was all of it: what is left to load is loaded in slices."""
        if self.receiving is None:
            return
        self._holding = True
        try:
            self.receiving.complete()
        except TransferError as error:
            self._fail(error)
            return
        self._load_on()

    def _load_on(self) -> None:
        """Load for a moment, and go on in the next turn."""
        taking = self.receiving
        if taking is None or self._over:
            return
        if self.engine.depth:
            self._carrier.call_later(_SCRIPT_LOOK, self._load_on)
            return
        clock = self.engine.clock
        end = clock.monotonic_ns() + _SLICE_MS * 1_000_000
        try:
            done = taking.step()
            while not done and clock.monotonic_ns() < end:
                done = taking.step()
        except TransferError as error:
            self._fail(error)
            return
        if done:
            self._loaded(taking)
        else:
            self._carrier.call_later(0, self._load_on)

    def _loaded(self, taking: Receiving) -> None:
        history, (repl_id, offset) = self.replication.history, self._coming
        taking.finish()
        self.receiving = None
        self._counted = repl_id is not None
        if repl_id is None:
            history.adopt(NO_ID, 0)
        else:
            history.adopt(repl_id, offset)
        self._stream_db = taking.repl_db
        self.engine.log("notice", "MASTER <-> REPLICA sync: Finished with success")
        for hook in self.side.on_copied:
            hook()
        self._begin_stream()
        self._log_again()

    def _log_again(self) -> None:
        """Begin the append-only file again with what was loaded."""
        log = append_only_of(self.engine)
        if not self.engine.config["appendonly"] or log.state is not LogState.OFF:
            return
        try:
            log.start()
        except ConfigError:
            self.engine.log(
                "warning",
                "Failed enabling the AOF after successful master synchronization! Trying it again "
                "in one second.",
            )
            self._carrier.call_later(1.0, self._log_again)

    def _fail(self, error: TransferError) -> None:
        self.engine.log("warning", str(error))
        self.trouble = str(error)
        self.drop()

    # -- The stream -------------------------------------------------------------------------------

    def _begin_stream(self) -> None:
        engine = self.engine
        self.side.down_time.end()
        self._up_since_s = self._now_s()
        self.session = session = PrimarySession(engine, self)
        self.was_connected = True
        session.select(min(self._stream_db, len(engine.keyspace.databases) - 1))
        engine.sessions.add(session)
        self.resumable = self._counted
        self.failover = False
        self.replication.make_backlog()
        self.side.link_changed()
        self.alive()
        self.acknowledge()
        self._holding = False
        self._apply_held()

    def stream_part(self, data: bytes) -> None:
        """The next bytes of the stream."""
        stats = self.engine.stats
        stats.reads += 1
        stats.replica_input_bytes += len(data)
        if self._holding or self._held or self._busy() or self.session is None:
            self._hold(data)
            return
        self._apply(data)

    def _busy(self) -> bool:
        """Whether nothing may be applied now: a script runs, or CLIENT PAUSE holds writes back."""
        return bool(self.engine.depth) or self.engine.pause.active

    # -- What cannot be applied yet ---------------------------------------------------------------

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes >= _MOST_HELD:
            self._pause(True)
        self._apply_soon()

    def _forget_held(self) -> None:
        self._held.clear()
        self._held_bytes = 0
        self._pause(False)

    def _pause(self, paused: bool) -> None:
        """Let the primary wait, whose output limits are those for a replica that is behind."""
        if paused != self._paused:
            self._paused = paused
            if self._talk is not None:
                self._talk.pause(paused)

    def _apply_soon(self) -> None:
        """Apply what is held, if it may be; a pause tells of its end, a script does not."""
        if self._held and not (self._looking or self._holding or self.engine.pause.active):
            self._looking = True
            self._carrier.call_later(0.001, self._look)

    def _look(self) -> None:
        self._looking = False
        self._apply_held()

    def _apply_held(self) -> None:
        """Apply what could not be when it came, a moment at a time."""
        clock = self.engine.clock
        end = clock.monotonic_ns() + _SLICE_MS * 1_000_000
        while self._held and self.session is not None and not self._holding:
            if self._busy() or clock.monotonic_ns() > end:
                self._apply_soon()
                return
            data = self._held.popleft()
            self._held_bytes -= len(data)
            self._apply(data)
        if not self._held and self._paused:
            # It has been silent because it had to be.
            self.alive()
            self._pause(False)

    # -- What comes of applying -------------------------------------------------------------------

    def _apply(self, data: bytes) -> None:
        session = self.session
        if session is None:
            return
        if self.side.disk_trouble:
            self._heed_disk()
        if not session.apply(data) and self.session is session:
            # What follows cannot be understood, and going on behind it would lose something.
            self.resumable = False
            if self._talk is not None:
                self._talk.give_up("protocol error")

    def _heed_disk(self) -> None:
        """What is applied cannot be brought to the disk now."""
        if not self.engine.config["replica-ignore-disk-write-errors"]:
            raise PanicError("Replica was unable to write command to disk.")
        if self._now_s() - self._told_s >= _QUIET:
            self._told_s = self._now_s()
            self.engine.log(
                "warning", "Replica is applying a command it is unable to write to disk."
            )

    def pass_on(self, data: bytes) -> None:
        """These bytes of the stream were applied."""
        self.replication.stream.relay(data)

    def failed(self, name: bytes, error: Error) -> None:
        """A command that went well at the primary has failed: the two differ."""
        engine = self.engine
        note_unexpected(engine.log, engine.facts, "replica", "master", name, error)
        # Where clients may write, too, it is no wonder that the two differ.
        config = engine.config
        if config["replica-read-only"] and config["propagation-error-behavior"] != "ignore":
            raise PanicError(
                "This replica panicked sending an error to its master after processing the "
                f"command '{name.decode('utf-8', 'replace')}'"
            )

    def broken(self, error: ProtocolError) -> None:
        """What came is no stream of commands."""
        self.engine.log(
            "warning",
            f"Protocol error ({error.reason}) from master: {error.excerpt}",
        )

    def ended(self, stage: Stage, reason: str) -> None:
        """The connection is over."""
        was_connected = self.session is not None
        self._talk = None
        self.trouble = reason
        if was_connected:
            self.engine.log("warning", "Connection with master lost.")
            if self.resumable:
                self.engine.log("notice", "Caching the disconnected master state.")
        self._leave_session()
        self._give_up_snapshot(lost=True)
        if was_connected and not self._over:
            self.engine.log("notice", f"Reconnecting to MASTER {self.host}:{self.port}")
            self.connect()
        if self.failover and stage is Stage.PSYNC:
            self.side.failover_rejected()


def _progress(taking: Receiving | None, waiting: int) -> list[tuple[str, object]]:
    """How far a snapshot has come; -1 where nobody knows how large it will be."""
    size = taking.size if taking is not None else 0
    received = taking.received if taking is not None else 0
    share = 100 * received / size if size else 0.0
    return [
        ("master_sync_total_bytes", size if size or taking is None else -1),
        ("master_sync_read_bytes", received),
        ("master_sync_left_bytes", size - received if size else -1),
        ("master_sync_perc", f"{share:.2f}"),
        ("master_sync_last_io_seconds_ago", waiting),
    ]
