"""What carries an import: the connection to the node that has the slots, and the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.cluster.carrying.leftovers import Leftovers
from carnelian.cluster.moving.import_link import ImportGreeting, ImportLink
from carnelian.cluster.moving.importing import Import
from carnelian.cluster.moving.migration_task import PAUSE_PURPOSE, MigrationTask
from carnelian.net.protocol import Host
from carnelian.replication.replica_side.primary_session import PrimarySession
from carnelian.resp.parser import ProtocolError
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.cluster.cluster_member import ClusterMember
    from carnelian.engine.engine import Engine

_CONNECT_TIMEOUT_S = 5.0


class ImportCarrier:
    """See :class:`carnelian.cluster.moving.importing.ImportAround`; it is the link of the session
    that runs the commands, too (:class:`.primary_session.LinkControl`).

    - ``attempt``: set by whoever makes it.
    """

    attempt: Import

    def __init__(
        self,
        engine: Engine,
        member: ClusterMember,
        host: Host,
        leftovers: Leftovers,
        task: MigrationTask,
    ):
        self._engine = engine
        self._member = member
        self._host = host
        self._leftovers = leftovers
        self._task = task
        self._session: PrimarySession | None = None
        self._trouble = ""
        self._applied = 0
        self._address = b""

    # -- The process -------------------------------------------------------------------------------

    @property
    def silence_timeout(self) -> int:
        """How long the other side may be silent."""
        return self._engine.config["repl-timeout"] * 1000

    def now_ms(self) -> int:
        """The time."""
        return self._engine.clock.monotonic_ns() // 1_000_000

    def log(self, level: str, text: str) -> None:
        """Write a line of log."""
        self._engine.log(level, text)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> object:
        """Call once."""
        return self._host.call_later(seconds, callback)

    # -- The connection ----------------------------------------------------------------------------

    def greeting(self) -> ImportGreeting:
        """Who wants which slots."""
        config = self._engine.config
        return ImportGreeting(
            task_id=self._task.id,
            node_id=self._member.myself.id,
            ranges=self._task.ranges,
            user=config["masteruser"],
            password=config["masterauth"],
        )

    def connect(self, link: ImportLink) -> None:
        """Connect to the node that has the slots."""
        node = self._member.view.find(self._task.source)
        if node is None:
            link.lost("unknown node")
            return
        address = node.ip, node.client_port(self._engine.config["tls-replication"])
        self._address = f"{address[0]}:{address[1]}".encode()
        self._host.connect(address, link, _CONNECT_TIMEOUT_S)

    # -- The stream --------------------------------------------------------------------------------

    def begin_applying(self) -> None:
        """Keys of these slots are nothing to be seen from now on; those that are there are left
        from somewhere.
        """
        engine, task = self._engine, self._task
        self._leftovers.note(task.id, task.ranges)
        self._leftovers.trimming.trim_now(task.ranges)
        self._session = session = PrimarySession(engine, self)
        session.select(0)
        engine.sessions.add(session)

    def busy(self) -> bool:
        """Whether a script runs, or writes wait for anything but other slots that go."""
        engine = self._engine
        return bool(engine.depth) or engine.pause.lasts_beside(PAUSE_PURPOSE)

    def apply(self, data: bytes) -> str:
        """Run commands."""
        session = self._session
        if session is None:
            return "no session"
        self._trouble = ""
        if not session.apply(data):
            return self._trouble or "protocol error"
        self._applied = session.applied
        return self._trouble

    def applied(self) -> int:
        """How much was run."""
        return self._applied

    def end_applying(self) -> None:
        """No more comes."""
        session, self._session = self._session, None
        if session is not None:
            self._engine.sessions.remove(session)

    # -- Taking the slots --------------------------------------------------------------------------

    def make_durable(self) -> None:
        """Let those who follow have everything, and the disk as far as replies wait for it."""
        effects = self._engine.effects
        effects.flush()
        effects.commit()

    def objection(self) -> str:
        """Why the slots cannot be taken."""
        view, task = self._member.view, self._task
        source = view.find(task.source)
        if not view.myself.is_primary:
            return "this node is a replica"
        if source is None or any(view.owners[slot] is not source for slot in task.slots()):
            return "slots configuration updated"
        return ""

    def claim(self, promised_ms: int) -> None:
        """Take them. Raises ClusterError."""
        self._member.claim_slots(self._task.slots(), promised_ms)
        self._leftovers.forget(self._task.id)

    # -- The session -------------------------------------------------------------------------------

    def pass_on(self, data: bytes) -> None:
        """What was applied goes the way of all that this node does."""

    def acknowledge(self) -> None:
        """Nobody asks in this way."""

    def failed(self, name: bytes, error: Error) -> None:
        """A command that went well there has failed here."""
        if name.startswith(b"function"):
            return  # there is a library of that name already
        shown = error.message.decode("utf-8", "replace")
        self.log("warning", f"A command of a slot migration has failed, '{name.decode()}': {shown}")
        self._trouble = self._trouble or f"Failed to apply '{name.decode()}': {shown}"

    def broken(self, error: ProtocolError) -> None:
        """What came is no stream of commands."""
        self._trouble = f"Protocol error ({error.reason})"

    def cut(self) -> None:
        """Somebody wants the connection to end (CLIENT KILL)."""
        self._host.call_later(0, lambda: self.attempt.fail("Main channel - Connection killed"))

    def heard(self, words: list[bytes]) -> None:
        """A message of the protocol stood in the stream."""
        self.attempt.heard(words)

    def described(self) -> dict[str, object]:
        """What CLIENT LIST shows of the connection."""
        return {}

    def address(self) -> bytes:
        """Where the other node is."""
        return self._address
