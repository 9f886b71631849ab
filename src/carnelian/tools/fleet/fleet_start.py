"""Starting a fleet: a new one, or that of a directory again; in front of people or detached."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys

from carnelian.tools.fleet.processes.node_process import NodeProcess, program_of
from carnelian.tools.fleet.processes.port_checks import refuse_taken
from carnelian.tools.fleet.processes.stop_requests import StopRequests
from carnelian.tools.fleet.screen.fleet_table import counted
from carnelian.tools.fleet.screen.live_display import LiveDisplay
from carnelian.tools.fleet.supervising.supervisor import Supervisor
from carnelian.tools.fleet.wanted.fleet_directory import FleetDirectory
from carnelian.tools.fleet.wanted.fleet_error import FleetError
from carnelian.tools.fleet.wanted.fleet_state import FleetState
from carnelian.tools.fleet.wanted.node_directives import check_lines, lines_of

SHARDS, REPLICAS, PORT = 3, 1, 7000

_MODULE = "carnelian.tools.fleet.fleet_program"
# The line by which a detached supervisor says that the cluster works.
_READY = "\0\n"


def start(options: argparse.Namespace) -> int:
    """Run a fleet until it is stopped; returns the exit status. Raises FleetError."""
    directory = FleetDirectory(options.dir)
    if options.detach:
        return _detach(options, directory)
    stop = StopRequests()
    stop.install()
    directory.make()
    lock = directory.supervise()
    try:
        state = _prepare(options, directory)
        display = LiveDisplay()
        Supervisor(directory, state, display, stop, lambda: _report_ready(options.ready)).run()
    finally:
        lock.release()
        _remove_if_empty(directory)
    return 0


def _remove_if_empty(directory: FleetDirectory) -> None:
    """Leave nothing behind where nothing came about."""
    try:
        os.rmdir(directory.path)
    except OSError:
        pass


def _prepare(options: argparse.Namespace, directory: FleetDirectory) -> FleetState:
    """The state of the fleet, checked and on disk. Raises FleetError, and then nothing has changed.

    A new fleet is what the options say; that of a directory stays what it is.
    """
    if not directory.holds_fleet:
        state = _new(options)
        _check(state, directory)
        directory.save(state)
        return state
    state = directory.load()
    if not state.nodes:
        raise FleetError(f"all nodes of {directory} were removed: choose another --dir")
    if not state.formed and _differs(options, state):
        return _begin_anew(options, state, directory)
    _refuse_other_shape(options, state, directory)
    if _update(options, state):
        running = [entry.port for entry in state.nodes if _process(directory, state, entry.port)]
        if running:
            raise FleetError(
                f"nodes of {directory} run, with other directives: "
                f"{directory.command('stop')} first"
            )
        _check(state, directory)
        directory.save(state)
        for entry in state.nodes:
            if os.path.isdir(directory.of_node(entry.port)):
                directory.write_conf(state, entry.port)
    else:
        _check(state, directory)
    return state


def _differs(options: argparse.Namespace, state: FleetState) -> bool:
    """Whether the command line wants another fleet than there is."""
    given = (options.shards, options.replicas, options.port)
    present = (state.shards, state.replicas, state.port)
    return any(new not in (None, old) for new, old in zip(given, present, strict=True))


def _begin_anew(
    options: argparse.Namespace, before: FleetState, directory: FleetDirectory
) -> FleetState:
    """Another fleet in the place of one that has never come about, and so has no data."""
    if any(_process(directory, before, entry.port) for entry in before.nodes):
        _refuse_other_shape(options, before, directory)
    state = _new(options)
    _check(state, directory)
    for entry in before.nodes:
        directory.put_aside(entry.port)
    directory.save(state)
    return state


def _process(directory: FleetDirectory, state: FleetState, port: int) -> bool:
    """Whether a node runs."""
    return NodeProcess(directory, port, program_of(state.server)).locked


def _new(options: argparse.Namespace) -> FleetState:
    state = FleetState(
        port=PORT if options.port is None else options.port,
        shards=SHARDS if options.shards is None else options.shards,
        replicas=REPLICAS if options.replicas is None else options.replicas,
    )
    _update(options, state)
    state.check()
    state.lay_out()
    return state


def _update(options: argparse.Namespace, state: FleetState) -> bool:
    """Take over what a command line says that may change; False if it says nothing new."""
    before = (state.bind, state.announce_ip, state.server, state.directives)
    if options.bind is not None:
        state.bind = options.bind
    if options.announce_ip is not None:
        state.announce_ip = options.announce_ip
    if options.server is not None:
        state.server = _found(options.server)
    if options.directives:
        state.directives = lines_of(options.directives)
    state.check()
    return before != (state.bind, state.announce_ip, state.server, state.directives)


def _found(server: str) -> str:
    """The path of a program. Raises FleetError if there is none."""
    if server == "carnelian-server":
        return ""
    path = shutil.which(server)
    if path is None:
        raise FleetError(f"--server {server}: there is no such program")
    return os.path.abspath(path)


def _refuse_other_shape(
    options: argparse.Namespace, state: FleetState, directory: FleetDirectory
) -> None:
    """Raises FleetError if the command line wants another fleet than there is."""
    what = f"{directory} holds a fleet of {counted(state.shards, 'shard')}"
    same = "start it without this option, or choose another --dir"
    if options.shards not in (None, state.shards):
        raise FleetError(f"{what}: {same}; add-shard and remove-shard change it while it runs")
    if options.replicas not in (None, state.replicas):
        raise FleetError(f"{what} with {counted(state.replicas, 'replica')} each: {same}")
    if options.port not in (None, state.port):
        raise FleetError(f"{what} from port {state.port} on: {same}")


def _check(state: FleetState, directory: FleetDirectory) -> None:
    """All that can be known before anything starts. Raises FleetError."""
    if not state.server:
        check_lines(state)
    elif not os.access(state.server, os.X_OK):
        raise FleetError(f"{state.server} is no program (any more): --server names another one")
    ports = [entry.port for entry in state.nodes]
    refuse_taken(state.bind, [port for port in ports if not _process(directory, state, port)])


# -- In the background ---------------------------------------------------------------------------


def _detach(options: argparse.Namespace, directory: FleetDirectory) -> int:
    """Start a supervisor that goes on when this program has ended; wait until the cluster works.

    What it says until then is said here as well.
    """
    words = [word for word in options.words if word != "--detach"]
    reading, writing = os.pipe()
    child = subprocess.Popen(
        [sys.executable, "-m", _MODULE, "--ready", str(writing), *words],
        stdin=subprocess.DEVNULL,
        stdout=writing,
        stderr=writing,
        pass_fds=[writing],
        start_new_session=True,
    )
    os.close(writing)
    try:
        with open(reading, encoding="utf-8", errors="replace") as said:
            for line in said:
                if line == _READY:
                    print(
                        f"in the background as process {child.pid}; {directory.command('status')} "
                        f"shows it, {directory.command('stop')} ends it"
                    )
                    return 0
                print(line, end="", flush=True)
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        raise
    return child.wait()


def _report_ready(descriptor: int | None) -> None:
    """Tell the program that has detached this one, which then ends, and let go of its output."""
    if descriptor is None:
        return
    try:
        os.write(descriptor, _READY.encode())
    except BrokenPipeError:
        pass  # It did not wait; the fleet goes on.
    os.close(descriptor)
    silence = os.open(os.devnull, os.O_RDWR)
    sys.stdout.flush()
    for stream in (1, 2):
        os.dup2(silence, stream)
    os.close(silence)
