"""The node that a server is: its part in the cluster, and what that means for its clients."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from carnelian.cluster.carrying.slot_migrations import SlotMover
from carnelian.cluster.cluster_member import ClusterMember
from carnelian.cluster.known.cluster_errors import ClusterError, NodesFileError
from carnelian.cluster.known.cluster_view import ClusterView
from carnelian.cluster.known.slot_bitmap import slots_in
from carnelian.cluster.serving.bus_host import BusHost
from carnelian.cluster.serving.cluster_replies import ClusterReplies
from carnelian.cluster.serving.engine_surroundings import EngineAround
from carnelian.cluster.serving.member_config import TOLD, BusProtection, ConfigSettings
from carnelian.cluster.serving.moved_clients import MovedClients
from carnelian.cluster.serving.nodes_store import NodesFileInUse, NodesStore
from carnelian.cluster.serving.redirections import Refusals
from carnelian.cluster.serving.slot_check import SlotCheck
from carnelian.cluster.serving.slot_stats import SlotStats
from carnelian.engine.ground.faults import trace_of
from carnelian.engine.ground.flags import ASKED, FLAG_ASKING, FLAG_HAS_ASKED
from carnelian.engine.ground.stages import CLUSTER, PROTECTED
from carnelian.net.runtime import LoopHost
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import OK, Error

if TYPE_CHECKING:
    from carnelian.engine.catalogue.registry import Command
    from carnelian.engine.engine import Engine
    from carnelian.engine.shared.client_state import Client
    from carnelian.net.listener import MakeTransport
    from carnelian.net.loop import Loop

_HIGHEST_PORT = 65535
_BUS_DISTANCE = 10000
# Bytes of keys that come from another node which are taken in before clients are served.
_MOVED_AT_ONCE = 64 * 1024


class ClusterService:
    """What an engine has of being a node of a cluster: ``engine.cluster``.

    Args:
        accept: makes the transport of a connection that came in on the bus.
        connect: makes the transport of a connection to another node.
        connect_as_replica: makes the transport of a connection to the port that another node has
            for clients; as ``connect`` if not given.

    Raises SystemExit, with the reason in the log, where there can be no node: its file is used by
    another one, or damaged.
    """

    def __init__(
        self,
        engine: Engine,
        loop: Loop,
        *,
        accept: MakeTransport,
        connect: MakeTransport,
        connect_as_replica: MakeTransport | None = None,
    ):
        self._engine = engine
        config = engine.config
        self._store = NodesStore(config["cluster-config-file"])
        text = self._read_file()
        self.around = EngineAround(engine, self._store)
        self.settings = ConfigSettings(config)
        host = BusHost(loop, engine.clock, self._heed_fault, accept, connect, config)
        try:
            self.member = ClusterMember(host, self.settings, self.around, text)
        except NodesFileError as error:
            engine.log("warning", str(error))
            raise SystemExit(1) from None
        self._protection = BusProtection(config, engine.log)
        names = Refusals(config)
        self.check = SlotCheck(engine, self.view, names)
        self.replies = ClusterReplies(self.member, self.around, config, names)
        self.slot_stats = SlotStats(engine, self.view, self.check)
        self._moved = MovedClients(engine, self.view, names, self.check)
        self._host = host
        self.mover = SlotMover(
            engine,
            self.member,
            LoopHost(
                loop,
                engine.clock,
                self._heed_fault,
                connect_as_replica or connect,
                _MOVED_AT_ONCE,
                source=config["bind-source-addr"] or None,
            ),
            loop,
            os.path.abspath(config["cluster-config-file"]) + ".moving",
        )
        self.around.moved = self.mover.slots_lost
        self.replies.more = self.mover.info
        self._refresh_planned = False
        self._attach()
        if self.is_replica:
            self.around.expect_primary()

    def _read_file(self) -> bytes:
        log, path = self._engine.log, self._engine.config["cluster-config-file"]
        try:
            self._store.lock()
            return self._store.read()
        except NodesFileInUse:
            log(
                "warning",
                f"Sorry, the cluster configuration file {path} is already used by a different "
                "Redis Cluster node. Please make sure that different nodes use different cluster "
                "configuration files.",
            )
        except OSError as error:
            log("warning", f"Can't open {path} in order to acquire a lock: {error.strerror}")
        raise SystemExit(1)

    @property
    def view(self) -> ClusterView:
        """What this node knows of the cluster."""
        return self.member.view

    @property
    def is_replica(self) -> bool:
        """Whether this node is a replica of another."""
        return self.view.myself.is_replica

    # -- Life --------------------------------------------------------------------------------------

    def _attach(self) -> None:
        engine, config = self._engine, self._engine.config
        engine.cluster = self
        engine.admission.add_check(_end_asking, stage=PROTECTED, gate=ASKED)
        engine.admission.add_check(self.check, stage=CLUSTER)
        self.view.listeners.append(self.slot_changed)
        self.view.on_state.append(self.changed)
        for name in TOLD:
            config.on_change(name, self._settings_changed)
        for name in ("cluster-allow-reads-when-down", "cluster-allow-pubsubshard-when-down"):
            config.on_change(name, self._choose_what_goes_on)
        self._choose_what_goes_on(None)
        engine.debug_commands[b"clusterlink"] = self._debug_link
        engine.debug_commands[b"drop-cluster-packet-filter"] = self._debug_filter

    def start(self) -> None:
        """Listen for other nodes, and go to those that are known.

        Raises SystemExit, with the reason in the log, if that cannot be.
        """
        engine, config = self._engine, self._engine.config
        port = config["tls-port"] if config["tls-cluster"] else config["port"]
        if not config["cluster-port"] and port > _HIGHEST_PORT - _BUS_DISTANCE:
            engine.log(
                "warning",
                "Redis port number too high. Cluster communication port is 10,000 port numbers "
                "higher than your Redis port. Your Redis port number must be 55535 or less.",
            )
            raise SystemExit(1)
        if not config["bind"]:
            engine.log(
                "warning",
                "No bind address is configured, but it is required for the Cluster bus.",
            )
            raise SystemExit(1)
        self._protection.warn()
        try:
            self.member.start()
        except OSError:
            bus_port = config["cluster-port"] or port + _BUS_DISTANCE
            engine.log("warning", f"Failed listening on port {bus_port} (cluster), aborting.")
            raise SystemExit(1) from None
        self.refresh()

    def data_loaded(self) -> None:
        """The data has been read from the disk. Raises SystemExit if it cannot be a node's."""
        self.around.loaded = True
        self.mover.leftovers.clean_up()
        try:
            self.member.data_loaded()
        except ClusterError:
            self._engine.log(
                "warning",
                "You can't have keys in a DB different than DB 0 when in Cluster mode. Exiting.",
            )
            raise SystemExit(1) from None
        self.mover.start()
        self.refresh()

    def stop(self) -> None:
        """Leave the bus, and let others have the file."""
        self.member.stop()
        self._store.release()

    def _heed_fault(self, fault: Exception) -> None:
        self._engine.log("warning", f"A link of the cluster has failed: {trace_of(fault)}")

    # -- What has changed --------------------------------------------------------------------------

    def refresh(self) -> None:
        """Heed whatever has changed: which commands are let in, and who waits or listens in
        vain.
        """
        self.check.unsettle_all()
        self._heed_changes()

    def _heed_changes(self) -> None:
        self.check.refresh()
        self._moved.look_after()

    def changed(self) -> None:
        """Roles, the state of the cluster, or what an administrator may change: that holds for
        commands at once, and who waits or listens is told soon.
        """
        self.check.unsettle_all()
        self._plan_refresh()

    def slot_changed(self, slot: int, owner: object = None) -> None:
        """The same for what a slot is: its owner, or whether it is on its way."""
        self.check.unsettle(slot)
        self._plan_refresh()

    def _plan_refresh(self) -> None:
        if not self._refresh_planned:
            self._refresh_planned = True
            self._host.call_later(0, self._refresh_now)

    def _refresh_now(self) -> None:
        self._refresh_planned = False
        self._heed_changes()

    def _settings_changed(self, value: object) -> None:
        self.member.settings_changed()

    def _choose_what_goes_on(self, value: object) -> None:
        config = self._engine.config
        self.check.reads_when_down = config["cluster-allow-reads-when-down"]
        self.check.channels_when_down = config["cluster-allow-pubsubshard-when-down"]

    def reset_statistics(self) -> None:
        """Counters back to zero (CONFIG RESETSTAT)."""
        self.slot_stats.reset()

    # -- For commands and INFO ---------------------------------------------------------------------

    def publish(self, channel: bytes, message: bytes, sharded: bool) -> None:
        """Pass a message on to the subscribers at other nodes."""
        self.member.publish(channel, message, sharded)

    def count_keys(self, slot: int) -> int:
        """How many keys this node has in a slot."""
        return 0 if self.mover.concealed(slot) else self.around.count_keys(slot)

    def keys_in_slot(self, slot: int, count: int) -> list[bytes]:
        """Up to so many keys of a slot."""
        if self.mover.concealed(slot):
            return []
        return self._engine.keyspace.databases[0].keys_in_slot(slot, count)

    def own_slots(self) -> list[int]:
        """The slots that this node serves, in order."""
        return slots_in(self.view.myself.slots)

    def connections(self) -> int:
        """The links of this node, one to and one from each other."""
        return 2 * (len(self.view.nodes) - 1)

    def links_memory(self) -> int:
        """Bytes that they take."""
        return self.member.links_memory()

    def migration_memory(self) -> tuple[int, int, int]:
        """Bytes of slots on their way: those that wait to leave, those that wait to be applied, and
        the most that there were of these.
        """
        return self.mover.memory()

    # -- DEBUG -------------------------------------------------------------------------------------

    def _debug_link(self, session: Client, args: list[bytes]) -> object:
        """DEBUG CLUSTERLINK KILL <FROM | TO | ALL> <node>"""
        if len(args) != 5 or args[2].lower() != b"kill":
            raise Error(
                "ERR unknown subcommand or wrong number of arguments for 'CLUSTERLINK'. "
                "Try DEBUG HELP."
            )
        ways = {b"to": (True, False), b"from": (False, True), b"all": (True, True)}
        way = args[3].lower()
        try:
            node = self.member.node(args[4].decode("utf-8", "surrogateescape"))
            if way not in ways:
                raise ClusterError(f"Unknown direction {args[3].decode('utf-8', 'replace')}")
            self.member.close_links(node.id, *ways[way])
        except ClusterError as error:
            raise Error(f"ERR {error}") from None
        return OK

    def _debug_filter(self, session: Client, args: list[bytes]) -> object:
        """DEBUG DROP-CLUSTER-PACKET-FILTER <number of a type, or -1>"""
        if len(args) != 3:
            raise Error(
                "ERR unknown subcommand or wrong number of arguments for "
                "'DROP-CLUSTER-PACKET-FILTER'. Try DEBUG HELP."
            )
        self.member.drop_messages(parse_int(args[2]))
        return OK


def _end_asking(session: Client, command: Command, args: list[bytes]) -> None:
    """ASKING is meant for the next command, and for a whole transaction if that is MULTI."""
    if command.name == b"asking":
        return
    if not session.flags & FLAG_HAS_ASKED:
        session.flags |= FLAG_HAS_ASKED
    elif session.transaction is None:
        session.flags &= ~(FLAG_ASKING | FLAG_HAS_ASKED)
        session.gate &= ~ASKED
