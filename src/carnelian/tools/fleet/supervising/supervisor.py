"""The supervisor: starts the nodes of a fleet, or finds those that run, and looks after them."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable

from carnelian.tools.fleet.changing.joining import Joining
from carnelian.tools.fleet.changing.node_links import NodeLinks
from carnelian.tools.fleet.processes.node_process import NodeBusyError, NodeProcess, program_of
from carnelian.tools.fleet.processes.port_checks import refuse_taken
from carnelian.tools.fleet.processes.stop_requests import StopRequestedError, StopRequests
from carnelian.tools.fleet.processes.stopping import stop_nodes
from carnelian.tools.fleet.screen.fleet_table import FleetView, counted, lines, summary
from carnelian.tools.fleet.screen.live_display import LiveDisplay
from carnelian.tools.fleet.screen.timeout_watch import TimeoutWatch
from carnelian.tools.fleet.supervising.recovery import Loss, Recovery
from carnelian.tools.fleet.wanted.fleet_directory import FleetDirectory
from carnelian.tools.fleet.wanted.fleet_error import FleetError
from carnelian.tools.fleet.wanted.fleet_state import (
    JOINING,
    LEAVING,
    MEMBER,
    FleetState,
    changed,
)
from carnelian.tools.fleet.wanted.node_directives import node_timeout, password_of
from carnelian.tools.fleet.wire.node_client import NodeClient, NodeUnreachableError, RefusedError
from carnelian.tools.fleet.wire.node_samples import take_samples

_TICK = 0.1
_SAMPLE_INTERVAL = 1.0
_LINK_INTERVAL = 5.0
# Seconds that nodes have for a sample, all together.
_PATIENCE = 0.5
_ADOPTION_PATIENCE = 5.0


class Supervisor:
    """Keeps the nodes of a directory running until a stop is requested.

    The lock of the directory is the caller's. ``ready`` is called once, as soon as the cluster
    works.
    """

    def __init__(
        self,
        directory: FleetDirectory,
        state: FleetState,
        display: LiveDisplay,
        stop: StopRequests,
        ready: Callable[[], None] = lambda: None,
    ):
        self._directory = directory
        self._state = state
        self._display = display
        self._stop = stop
        self._ready: Callable[[], None] | None = ready
        self._began = time.monotonic()
        self._read = 0.0
        self._processes: dict[int, NodeProcess] = {}
        self._leaving: dict[int, NodeProcess] = {}
        self._clients: dict[int, NodeClient] = {}
        self._views: deque[FleetView] = deque([FleetView([])], maxlen=3)
        self._remarks: dict[int, str] = {}
        self._unlinked: set[tuple[int, int]] = set()
        self._strangers: set[int] = set()
        self._roles: dict[int, bool] = {}
        self._served: bool | None = None
        self._lost = 0
        self._timeouts = TimeoutWatch(state)
        self._next_sample = self._next_look = 0.0
        self._recovery = Recovery(self._clients, node_timeout(state), self.tell)

    def tell(self, text: str) -> None:
        """Say something to those who look, and in the log."""
        self._display.say(f"{time.strftime('%H:%M:%S')} {text}")
        try:
            with open(self._directory.log_path, "a", encoding="utf-8") as log:
                log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")
        except OSError:
            pass  # A full disk is told by the nodes.

    def run(self) -> None:
        """Start, look after, and stop all nodes. Raises FleetError if they cannot be started."""
        self._read = changed(self._directory.state_path, 0.0)
        self._take_in()
        adopted = [port for port, process in self._processes.items() if self._adopt(process)]
        refuse_taken(self._state.bind, [p for p in self._processes if p not in adopted])
        try:
            self._start(adopted)
            if not self._state.formed:
                self.tell("joining them")
                self._form()
            self._look_after()
        except StopRequestedError:
            self._stop_all()
        except FleetError:
            if not self._state.formed:
                self._stop_all()
            raise
        finally:
            self._display.close()

    # -- Beginning ---------------------------------------------------------------------------------

    def _take_in(self) -> None:
        """Know the nodes of the state."""
        program = program_of(self._state.server)
        for entry in self._state.nodes:
            if entry.port not in self._processes:
                self._processes[entry.port] = NodeProcess(self._directory, entry.port, program)
                self._clients[entry.port] = NodeClient(
                    self._state.talk_host, entry.port, password_of(self._state), _PATIENCE
                )

    def _adopt(self, process: NodeProcess) -> bool:
        """Take over a node that runs. Raises FleetError if it does not say who it is."""
        if not process.locked:
            return False
        if self._stop.wait_for(process.adopt, _ADOPTION_PATIENCE):
            return True
        raise FleetError(
            f"a process holds the lock of node {process.port}, but no node runs: "
            f"{process.directory}/node.lock (a snapshot of a killed node may still be written)"
        )

    def _start(self, adopted: list[int]) -> None:
        for port, process in self._processes.items():
            if port in adopted:
                continue
            if not os.path.isdir(process.directory):
                self._directory.make_node(self._state, port)
            self._start_one(process)
        if adopted:
            self.tell(f"took over {', '.join(map(str, adopted))}, which run already")
        started = [port for port in self._processes if port not in adopted]
        if started:
            self.tell(f"started {', '.join(map(str, started))} in {self._directory}")

    def _start_one(self, process: NodeProcess) -> None:
        """Start a node, later if a child of a former process of it still runs."""
        try:
            process.start()
        except NodeBusyError as error:
            self.tell(f"{error}: waiting for it")
            process.ended = time.monotonic()
            self._recovery.losses[process.port] = Loss("", frozenset())

    def _form(self) -> None:
        """Have the nodes of a new fleet join."""
        links = NodeLinks(self._state)
        with self._directory.change():
            try:
                Joining(links, self._stop, self._refuse_ended).form()
            except (NodeUnreachableError, RefusedError) as error:
                raise FleetError(f"the nodes cannot join: {error}") from None
            finally:
                links.close()
            self._state.formed = True
            for entry in self._state.nodes:
                entry.phase = MEMBER
            self._directory.save(self._state)
            self._read = changed(self._directory.state_path, 0.0)

    def _refuse_ended(self) -> None:
        """Raises FleetError if a node has ended before there was a cluster."""
        for port, process in self._processes.items():
            if not process.alive():
                raise FleetError(
                    "\n  ".join(
                        [
                            f"node {port} does not start ({process.how_ended}); its log, "
                            f"{process.directory}/log, ends with:",
                            *process.log_tail(),
                        ]
                    )
                )

    # -- Looking after -----------------------------------------------------------------------------

    def _look_after(self) -> None:
        """Look after the nodes until a stop is requested, or until none is left."""
        while self._state.nodes:
            self._heed_state()
            self._heed_ends()
            now = time.monotonic()
            if now >= self._next_sample:
                self._next_sample = now + _SAMPLE_INTERVAL
                self._sample()
                if now >= self._next_look:
                    self._next_look = now + _LINK_INTERVAL
                    self._heed_links()
                    for warning in self._timeouts.look(self._views[-1]):
                        self.tell(warning)
                if self._processes:
                    self._draw()
            self._stop.pause(_TICK)
        self.tell("the last node was removed; the others of the cluster go on without this fleet")

    def _heed_state(self) -> None:
        """Start nodes that were added to the state, and stop those that were taken out."""
        written = changed(self._directory.state_path, self._read)
        if not written:
            return
        try:
            self._state = self._directory.load()
        except FleetError as error:
            self.tell(f"{error}; going on as before")
            self._read = written
            return
        self._read = written
        wanted = {entry.port for entry in self._state.nodes}
        new = wanted - self._processes.keys()
        self._take_in()
        for port in sorted(new):
            self.tell(f"starting {port}")
            try:
                self._start_one(self._processes[port])
            except FleetError as error:
                self.tell(str(error))
                self._recovery.losses[port] = Loss("", frozenset())
        for port in sorted(self._processes.keys() - wanted):
            process = self._processes.pop(port)
            self._clients.pop(port).close()
            self._remarks.pop(port, None)
            self._leaving[port] = process
            self.tell(f"stopping {port}, which was removed")
            stop_nodes([process], (), self.tell, lambda: self._stop.count > 1)

    def _heed_ends(self) -> None:
        """See which nodes have ended, and do something about it."""
        running = {port for port, process in self._processes.items() if process.alive()}
        for port, process in self._processes.items():
            if port in running:
                self._remarks.pop(port, None)
                continue
            if port not in self._recovery.losses:
                self._clients[port].close()
                self._recovery.note_end(process, list(self._views)[::-1])
            try:
                remark = self._recovery.act(process, self._views[-1], running)
            except FleetError as error:
                self._recovery.failures[port] = self._recovery.failures.get(port, 0) + 1
                process.ended = time.monotonic()
                remark = f"down, {error}"
            self._remarks[port] = remark

    def _sample(self) -> None:
        running = {port: self._clients[port] for port, p in self._processes.items() if p.alive()}
        samples, failures = take_samples(running, _PATIENCE)
        remarks = {**self._phases(), **failures, **self._remarks}
        ids = {entry.port: entry.id for entry in self._state.nodes}
        view = FleetView(sorted(self._processes), samples, remarks, ids)
        self._views.append(view)
        self._tell_of_roles(view)
        self._tell_of_service(view)

    def _phases(self) -> dict[int, str]:
        words = {JOINING: "joining", LEAVING: "leaving"}
        return {e.port: words[e.phase] for e in self._state.nodes if e.phase in words}

    def _tell_of_roles(self, view: FleetView) -> None:
        joining = {entry.port for entry in self._state.in_phase(JOINING)}
        for port, sample in view.samples.items():
            if sample.myself is None:
                continue
            leads = sample.myself.is_primary
            before = self._roles.get(port)
            self._roles[port] = leads
            if before is not None and before != leads and port not in joining:
                self.tell(f"{port} is a {'primary' if leads else 'replica'} now")

    def _tell_of_service(self, view: FleetView) -> None:
        """Say when the cluster begins to work, when it no longer does, and when slots are lost."""
        serving = view.serving and (view.ok or self._served is not None)
        lost = view.lost_slots if self._served is not None else 0
        if (serving, lost) == (bool(self._served), self._lost):
            return
        began = serving and not self._served
        self._served, self._lost = serving, lost
        self.tell(summary(view))
        if began and self._ready is not None:
            if not self._display.live:
                self.tell(self._advice())
            self._ready()
            self._ready = None

    def _advice(self) -> str:
        host = self._state.meet_host
        where = "" if host == "127.0.0.1" else f"-h {host} "
        return f"connect with: redis-cli -c {where}-p {min(self._processes)}"

    def _heed_links(self) -> None:
        """Have nodes meet that do not find each other, as when their addresses have changed."""
        view = self._views[-1]
        known = {}
        for entry in self._state.in_phase(MEMBER):
            sample = view.samples.get(entry.port)
            if sample is None or sample.myself is None:
                continue
            if entry.id and sample.myself.id != entry.id:
                self._tell_of_identity(entry.port)
                continue
            linked = {node.id for node in sample.nodes if node.known and node.linked}
            known[entry.port] = (entry.id, linked)
        unlinked = {
            (port, other)
            for port, (_, linked) in known.items()
            for other, (id, _) in known.items()
            if other != port and id not in linked
        }
        for port, other in sorted(unlinked & self._unlinked):
            self._meet(port, other)
        self._unlinked = unlinked

    def _tell_of_identity(self, port: int) -> None:
        if port not in self._strangers:
            self.tell(f"{port} is not the node that it was: its nodes.conf is new")
        self._strangers.add(port)

    def _meet(self, witness: int, port: int) -> None:
        try:
            self._clients[witness].call("CLUSTER", "MEET", self._state.meet_host, port)
        except (NodeUnreachableError, RefusedError):
            pass  # It is tried again.

    # -- Showing -----------------------------------------------------------------------------------

    def _draw(self) -> None:
        view = self._views[-1]
        seconds = int(time.monotonic() - self._began)
        up = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        self._display.draw(
            [
                ("", ""),
                (f"{self._directory}: {summary(view)}, for {up}", "title"),
                *lines(view.rows()),
                ("", ""),
                (f"{self._advice()}      Ctrl-C stops the fleet", ""),
            ]
        )

    # -- Ending ------------------------------------------------------------------------------------

    def _stop_all(self) -> None:
        self._display.close()
        view = self._views[-1]
        replicas = view.replicas() if view.samples else set()
        running = [process for process in self._processes.values() if process.alive()]
        self.tell(
            f"stopping {counted(len(running), 'node')}, replicas first (Ctrl-C again kills them: "
            "what is not on disk is lost)"
        )
        stop_nodes(running, replicas, self.tell, lambda: self._stop.count > 1)
        self.tell("stopped")
