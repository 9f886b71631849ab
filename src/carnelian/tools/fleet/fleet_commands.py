"""Commands for a fleet that is there: its state, its end, its shape."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time

from carnelian.tools.fleet.changing.reshaping import Reshaping
from carnelian.tools.fleet.processes.node_process import NodeProcess, program_of
from carnelian.tools.fleet.processes.stop_requests import StopRequestedError, StopRequests
from carnelian.tools.fleet.processes.stopping import kill_nodes, stop_nodes
from carnelian.tools.fleet.screen.fleet_table import FleetView, lines, summary
from carnelian.tools.fleet.screen.live_display import LiveDisplay
from carnelian.tools.fleet.screen.timeout_watch import TimeoutWatch
from carnelian.tools.fleet.wanted.fleet_directory import FleetDirectory
from carnelian.tools.fleet.wanted.fleet_error import FleetError
from carnelian.tools.fleet.wanted.fleet_state import JOINING, LEAVING, FleetState
from carnelian.tools.fleet.wanted.node_directives import password_of
from carnelian.tools.fleet.wire.node_client import NodeClient, NodeUnreachableError, RefusedError
from carnelian.tools.fleet.wire.node_samples import take_samples

NOTHING_RUNS = 3

_PATIENCE = 1.0
_WATCH_SECONDS = 1.0
# Nodes elsewhere that are asked one after the other.
_MOST_ASKED = 10


# -- Status ----------------------------------------------------------------------------------------


def status(options: argparse.Namespace) -> int:
    """Show the nodes; returns the exit status."""
    directory = FleetDirectory(options.dir)
    display = LiveDisplay()
    if not options.watch or not display.live:
        return _show(directory, display, options.json)
    stop = StopRequests()
    stop.install()
    try:
        while True:
            view = _look(directory, directory.load())
            display.draw([(_title(directory, view), "title"), *lines(view.rows())])
            stop.pause(_WATCH_SECONDS)
    except StopRequestedError:
        return 0
    finally:
        display.close(keep=True)


def _show(directory: FleetDirectory, display: LiveDisplay, as_json: bool) -> int:
    state = directory.load()
    view = _look(directory, state)
    supervisor = directory.supervisor()
    if as_json:
        print(json.dumps(_plain(view, supervisor), indent=1))
    else:
        display.draw([(_title(directory, view), "title"), *lines(view.rows())])
        if display.live:
            display.close(keep=True)
        else:
            print(_title(directory, view))
            print("\n".join(line for line, _ in lines(view.rows())))
        for warning in TimeoutWatch(state).look(view, _MOST_ASKED):
            display.say(warning)
        if supervisor is None and view.samples and view.ports:
            display.say(f"nobody looks after it: {directory.command()} does")
    if not view.samples:
        return NOTHING_RUNS
    return 0 if view.ok else 1


def _title(directory: FleetDirectory, view: FleetView) -> str:
    if not view.ports:
        return f"{directory}: the fleet has no nodes any more"
    if all(remark == "down" for remark in _remarks_of(view)):
        return f"{directory}: no node runs"
    return f"{directory}: {summary(view)}"


def _remarks_of(view: FleetView) -> list[str]:
    return [view.remarks.get(port, "") for port in view.ports]


def _look(directory: FleetDirectory, state: FleetState) -> FleetView:
    """Ask all nodes that run."""
    host, password = state.talk_host, password_of(state)
    remarks = {}
    clients = {}
    for entry in state.nodes:
        if _process(directory, state, entry.port).locked:
            clients[entry.port] = NodeClient(host, entry.port, password, _PATIENCE)
            if entry.phase in (JOINING, LEAVING):
                remarks[entry.port] = entry.phase
        else:
            remarks[entry.port] = "down"
    samples, failures = take_samples(clients, _PATIENCE)
    for client in clients.values():
        client.close()
    ports = sorted(entry.port for entry in state.nodes)
    ids = {entry.port: entry.id for entry in state.nodes}
    return FleetView(ports, samples, {**failures, **remarks}, ids)


def _process(directory: FleetDirectory, state: FleetState, port: int) -> NodeProcess:
    return NodeProcess(directory, port, program_of(state.server))


def _plain(view: FleetView, supervisor: int | None) -> dict[str, object]:
    """All of it for programs; numbers as numbers."""
    nodes = []
    for row in view.rows():
        sample = view.samples.get(row.port)
        node = view.node(row.port)
        nodes.append(
            {
                "port": row.port,
                "id": node.id if node else None,
                "role": row.role or None,
                "primary": (node.primary_id or None) if node else None,
                "shard": int(row.shard) if row.shard else None,
                "slots": len(node.slots) if node else None,
                "keys": sample.keys if sample else None,
                "used_memory": sample.number("used_memory") if sample else None,
                "ops_per_sec": sample.number("instantaneous_ops_per_sec") if sample else None,
                "offset": sample.offset if sample else None,
                "pid": sample.number("process_id") if sample else None,
                "state": row.state,
            }
        )
    return {
        "ok": view.ok,
        "serving": view.serving,
        "lost_slots": view.lost_slots,
        "supervisor": supervisor,
        "nodes": nodes,
    }


# -- Stop ------------------------------------------------------------------------------------------


def stop(options: argparse.Namespace) -> int:
    """Stop all nodes, by the supervisor or without one; returns the exit status."""
    directory = FleetDirectory(options.dir)
    state = directory.load()
    pid = directory.supervisor()
    if pid is None:
        return _stop_without(directory, state, options.now)
    if not pid:
        raise FleetError(f"{directory} is supervised by a process that has not said which it is")
    os.kill(pid, signal.SIGTERM)
    if options.now:
        time.sleep(0.3)
        _send_again(pid)
    deadline = time.monotonic() + options.timeout
    while directory.supervisor() is not None:
        if time.monotonic() > deadline:
            raise FleetError(
                f"not all nodes have ended within {options.timeout:g} s; the supervisor goes on "
                "waiting, stop --now kills them"
            )
        time.sleep(0.05)
    print("stopped")
    return 0


def _send_again(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass


def _stop_without(directory: FleetDirectory, state: FleetState, now: bool) -> int:
    """Stop nodes that a supervisor has left."""
    # A reader that goes does not keep the rest from being stopped.
    say = LiveDisplay().say
    lock = directory.supervise()
    try:
        processes = [_process(directory, state, entry.port) for entry in state.nodes]
        running = [process for process in processes if process.adopt()]
        if not running:
            print("no node runs")
            return NOTHING_RUNS
        if now:
            kill_nodes(running, say)
        else:
            requests = StopRequests()
            requests.install()
            replicas = _look(directory, state).replicas()
            stop_nodes(running, replicas, say, lambda: requests.count > 0)
    finally:
        lock.release()
    print("stopped")
    return 0


# -- Shape -----------------------------------------------------------------------------------------


def reshape(options: argparse.Namespace) -> int:
    """Run a command that changes the shape; returns the exit status. Raises FleetError."""
    directory = FleetDirectory(options.dir)
    directory.load()
    requests = StopRequests()
    requests.install()
    display = LiveDisplay()
    try:
        with directory.change():
            _reshape(options, Reshaping(directory, display, requests))
    except (NodeUnreachableError, RefusedError) as error:
        raise FleetError(f"{error}; the same command goes on") from None
    finally:
        display.close()
        sys.stdout.flush()
    return 0


def _reshape(options: argparse.Namespace, reshaping: Reshaping) -> None:
    match options.command:
        case "add-shard":
            reshaping.add_shard(options.replicas)
        case "remove-shard":
            reshaping.remove_shard(options.node)
        case "rebalance":
            reshaping.rebalance()
        case "add-replica":
            reshaping.add_replicas(options.count, options.of)
        case "remove-replica":
            reshaping.remove_replica(options.node)
