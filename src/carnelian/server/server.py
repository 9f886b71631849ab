"""A server: an engine, the loop that runs it, and everything around them in one process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from carnelian import __version__
from carnelian.commands import declare_all
from carnelian.engine.config import Config, ConfigError, ConfigFileError
from carnelian.engine.config.checks import expand_title
from carnelian.engine.engine import Engine
from carnelian.engine.extensions.modules import ModuleError
from carnelian.engine.info_sections import REDIS_VERSION
from carnelian.net.listener import ListenError
from carnelian.net.loop import Loop
from carnelian.net.transport import Transport
from carnelian.persistence import opening
from carnelian.persistence.aof import append_loading
from carnelian.persistence.aof.append_only import append_only_of
from carnelian.persistence.aof.log_files import LogState
from carnelian.persistence.saving.lock import LockedError
from carnelian.persistence.saving.ownership import Ownership
from carnelian.persistence.saving.snapshots import LoadError, snapshots_of
from carnelian.replication import restoring
from carnelian.replication.primary.primary_side import primary_of
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import OK, Error
from carnelian.scripting.scripting_core import scripting_of
from carnelian.server import encryption
from carnelian.server.client_cron import DEFAULT_PEAK_RESET_MS, Clients
from carnelian.server.connection import Hub
from carnelian.server.debug_lines import DebugLines
from carnelian.server.door import Listeners, Ports
from carnelian.server.encryption import Encryption
from carnelian.server.last_wait import LastWait
from carnelian.server.replica_links import ReplicaLinks
from carnelian.server.slices import Slices
from carnelian.server.system import banner, crash, process, system_checks
from carnelian.server.system.log_file import Log
from carnelian.server.system.progress import Progress
from carnelian.server.system.signals import Signals

if TYPE_CHECKING:
    import socket

    from carnelian.cluster.serving.cluster_service import ClusterService
    from carnelian.server.system.console_child import ConsoleChild

MIN_HZ, MAX_HZ = 1, 500
# With more clients than this for each tick, dynamic-hz doubles the ticks.
CLIENTS_PER_TICK = 200

# Turns of the loop between two pieces of a file that is loaded.
_TURNS_WHILE_LOADING = 4

_NO_PORT = "Unable to listen on this port. Check server logs."
_NOT_ENCRYPTED = "Unable to update TLS configuration. Check server logs."

# Called before the process ends, with SHUTDOWN's options; False keeps it alive.
ExitHook = Callable[[set[bytes]], bool]


class Server:
    """One server process, started by :meth:`start` and served by :meth:`run`.

    Args:
        config: the configuration, loaded.
        log: where lines go; also of the engine.
        supervisor: whom to tell when it is ready and when it ends.
        program: how the process was called, for INFO and the process's title.
    """

    # What it is, for the log and INFO.
    mode = "standalone"

    def __init__(self, config: Config, log: Log, supervisor: process.Supervisor, program: str):
        self.config = config
        self.log = log
        self.program = program
        declare_all()
        self.engine = Engine(config)
        self.engine.log = log
        self.loop = Loop()
        self.hub = Hub(self.engine, self.loop, log)
        self.clients = Clients(self.hub)
        self.encryption = Encryption(config)
        self.hub.on_secured = self.encryption.log_in
        self.listeners = Listeners(self.hub, config, log, self.encryption)
        self.signals = Signals(self.loop, log, self._request_shutdown)
        self.debug_lines = DebugLines(self.engine, log, lambda: self.signals.received)
        self.oom_score = process.OomScore(log)
        self.title = process.Title()
        self.supervisor = supervisor
        # What features do before the process ends, such as saving.
        self.snapshots = snapshots_of(self.engine)
        self.append_only = append_only_of(self.engine)
        # The node that it is of a cluster, once it listens for others.
        self.node: ClusterService | None = None
        if config["cluster-enabled"]:
            self.mode = "cluster"
        self.ownership = Ownership(self.engine)
        self.replica_links = ReplicaLinks(
            self.engine, self.loop, self.encryption, log, self._score_for_oom
        )
        self.last_wait = LastWait(self.engine)
        # The page in the browser, once there is one.
        self.console: ConsoleChild | None = None
        self.on_exit: list[ExitHook] = [self.append_only.shut_down, self._save_last]
        self.pid_file: str | None = None
        self._hz = 0
        self._flush_planned = False
        self._ended = False
        # The signal that asked for a shutdown which has not begun.
        self._requested_by: str | None = None
        self._attach()

    # -- Life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Everything up to the first connection. Raises SystemExit when it cannot be done."""
        self.signals.install()
        self._report_crashes(self.config["crash-log-enabled"])
        config, log = self.config, self.log
        log.adopt_process()
        if config["syslog-enabled"]:
            log.use_syslog(config["syslog-ident"], config["syslog-facility"])
        config["maxclients"] = process.raise_file_limit(config["maxclients"], log)
        self._listen()
        self._join_cluster()
        if config["set-proc-title"]:
            self.title.name(self.program)
        self._entitle()
        self._show_banner()
        log("warning", "Server initialized")
        for warning in (*self._warnings(), *config.idle()):
            log("warning", warning)
        self._load_modules()
        self._load_users()
        if config["console-port"]:
            self._open_console()

    def _open_console(self) -> None:
        """Start the console. Raises SystemExit if its port is taken, or a certificate missing."""
        try:
            self._console().open()
        except ConfigError as error:
            self.log("warning", f"{error.reason}, aborting.")
            raise SystemExit(1) from None
        except ListenError:
            port = self.config["console-port"]
            self.log("warning", f"Failed listening on port {port} (console), aborting.")
            raise SystemExit(1) from None

    def _console(self) -> ConsoleChild:
        """What keeps a console running; most servers have none, and do not load it."""
        if self.console is None:
            from carnelian.server.system import console_child

            self.console = console = console_child.ConsoleChild(
                self.config, self.log, self._condition, self._check_pages
            )
            self.engine.on_cron.append(console.tend)
            for name in console_child.WAYS:
                self.config.on_change(name, console.renew)
        return self.console

    def _move_console(self, value: object) -> None:
        if self.console is not None or self.config["console-port"]:
            self._console().move(value)

    def _check_pages(self) -> None:
        """Raises ConfigError if the console is to be encrypted, and cannot be."""
        if not self.config["console-tls"]:
            return
        from carnelian.net.tls_context import TlsError

        try:
            self.encryption.check_pages()
        except TlsError as error:
            raise ConfigError(str(error)) from None

    def _condition(self) -> bytes:
        """How the server is, as the console is told."""
        following = self.replica_links.side.following
        if self.snapshots.loading is not None:
            return b"L"
        return b"R" if following is None or following.connected else b"U"

    def _join_cluster(self) -> None:
        """Be a node of a cluster, if that is wanted. Raises SystemExit if it cannot be one."""
        if self.mode != "cluster":
            return
        # Most servers are none.
        from carnelian.cluster.serving.cluster_service import ClusterService

        self.node = ClusterService(
            self.engine,
            self.loop,
            accept=self._bus_accept,
            connect=self._bus_connect,
            connect_as_replica=self.replica_links.transport,
        )
        mover = self.node.mover
        mover.prepare_child = lambda: self._prepare_child("slots-snapshot", "bgsave_cpulist")
        self.on_exit.insert(0, lambda options: mover.shut_down())
        self.node.start()

    def _bus_accept(self, loop: Loop, fd: int) -> Transport:
        if self.config["tls-cluster"]:
            return self.encryption.accept_peer(loop, fd)
        return Transport(loop, fd)

    def _bus_connect(self, loop: Loop, fd: int) -> Transport:
        if self.config["tls-cluster"]:
            return self.encryption.connect(loop, fd)
        return Transport(loop, fd)

    def _load_modules(self) -> None:
        try:
            self.engine.modules.load_configured()
        except ModuleError as error:
            self.log("warning", f"{str(error).removeprefix('ERR ')}: server aborting")
            raise SystemExit(1) from None

    def _load_users(self) -> None:
        try:
            self.engine.users.load_configured()
        except ConfigFileError as error:
            self.log("warning", error.reason)
            raise SystemExit(1) from None

    def load(self) -> None:
        """Load the data set from the disk, while clients are told to wait.

        Raises SystemExit when it cannot be loaded, and when the server is told to end meanwhile.
        """
        self.loop.hooks = self.hub
        self._take_files()
        try:
            append_loading.read_manifest(self.append_only, self.engine)
            logged = self.config["appendonly"]
            with self._loading_shown() as serve:
                if logged:
                    opening.load_log(self.engine, serve)
                else:
                    restoring.load_snapshot(self.engine, serve)
            if logged:
                self.append_only.open()
        except LoadError as error:
            if str(error):
                self.log("warning", str(error))
            raise SystemExit(1) from None
        if not self.append_only.heed_directive():
            raise SystemExit(1)
        self._delete_history()
        if self.node is not None:
            self.node.data_loaded()

    def _take_files(self) -> None:
        """Let nobody else write what this server will write. Raises SystemExit if somebody does."""
        try:
            if self.config["appendonly"]:
                self.append_only.own()
            self._own(None)
        except (ConfigError, LockedError) as error:
            self.log(
                "warning",
                f"FATAL: {error}, and each would overwrite what the other has saved: use another "
                "dir, dbfilename or appenddirname. Exiting.",
            )
            self.ownership.release()
            raise SystemExit(1) from None

    def _own(self, value: object) -> None:
        """The files that are written from now on are this server's, or ConfigError says whose.

        A server that neither saves by itself nor logs writes none unless it is told to.
        """
        try:
            if self.config["save"] or self.config["appendonly"]:
                self.ownership.take_snapshot()
            if self.append_only.state is not LogState.OFF:
                self.append_only.own()
        except LockedError as error:
            raise ConfigError(str(error)) from None

    def _delete_history(self) -> None:
        """Delete what is left of the log's older files, unless the log is somebody else's."""
        try:
            if self.append_only.own():
                self.append_only.delete_history()
        except LockedError:
            pass
        self.append_only.disown()

    @contextmanager
    def _loading_shown(self) -> Iterator[Callable[[], None]]:
        """Show how far a load has come; gives what the load is to call now and then."""

        def look_around() -> None:
            loading = self.snapshots.loading
            if loading is not None:
                progress.show(loading.loaded_bytes, loading.total_bytes)
            self._serve_while_loading()

        with Progress("Loading", lambda line: self.log("notice", line)) as progress:
            self.log.before_output = progress.hide
            try:
                yield look_around
            finally:
                self.log.before_output = None

    def _serve_while_loading(self) -> None:
        """A look at the clients, who are many or few: a few turns of the loop."""
        for _turn in range(_TURNS_WHILE_LOADING):
            self._turn()

    def _turn(self) -> None:
        self.loop.call_soon(_nothing)  # so that it does not wait
        self.loop.turn()
        if self._ended:
            raise SystemExit(0)

    def _serve_within_command(self) -> None:
        """The same while a client has its command run, and is not read from."""
        if self.engine.depth == 0:
            self._serve_within_script()

    def _serve_within_script(self) -> None:
        """The same within a script, which is one command whatever it calls."""
        self.hub.step_aside(self._serve_while_busy)

    def _serve_while_busy(self) -> None:
        host = scripting_of(self.engine).host
        for _turn in range(_TURNS_WHILE_LOADING):
            self._turn()
            if host.killed:
                break

    def run(self) -> None:
        """Serve until a shutdown."""
        scripting_of(self.engine).prepare()
        self.listeners.announce()
        self.supervisor.ready()
        limit = self.config["maxmemory"]
        if 0 < limit < 1024 * 1024:
            self.log(
                "warning",
                "WARNING: You specified a maxmemory value that is less than 1MB (current value is "
                f"{limit} bytes). Are you sure this is what you really want?",
            )
        process.set_cpu_affinity(self.config["server_cpulist"] or "", self.log)
        self._score_for_oom(None)
        process.freeze_memory()
        self._tick()
        self.replica_links.begin()
        self.loop.run()

    def shut_down(self, options: set[bytes]) -> bool | None:
        """End the server, as SHUTDOWN with these options (``save``, ``nosave``, ``now``, ``force``)
        asks; with ``abort``, call a shutdown off. False if that could not be done, None if it will
        be when replicas have caught up.
        """
        if b"abort" in options:
            return self._call_off()
        if self.last_wait.active:
            return None
        self.log("warning", "User requested shutdown...")
        self.supervisor.stopping()
        if self.last_wait.begin(options):
            return None
        return self._end(options)

    def _end(self, options: set[bytes]) -> bool:
        self.last_wait.report()
        for hook in self.on_exit:
            if not hook(options) and b"force" not in options:
                self.log(
                    "warning",
                    "Errors trying to shut down the server. Check the logs for more information.",
                )
                self.signals.reset()
                self.last_wait.cancel()
                return False
        self.debug_lines.kill()
        self._clean_up()
        self.loop.stop()
        self._ended = True
        return True

    def _save_last(self, options: set[bytes]) -> bool:
        if self.snapshots.shut_down(options):
            return True
        self.log("warning", "Error trying to save the DB, can't exit.")
        return False

    def write_pid_file(self) -> None:
        """Leave the process id where ``pidfile`` says, or in the default place of a daemon."""
        self.pid_file = process.write_pid_file(self.config["pidfile"] or "")

    def _clean_up(self) -> None:
        if self.pid_file is not None:
            self.log("notice", "Removing the pid file.")
            try:
                os.unlink(self.pid_file)
            except OSError:
                pass
        self.listeners.close()
        if self.console is not None:
            self.console.close()
        if self.node is not None:
            self.node.stop()
        self.hub.close_all()
        self.ownership.release()
        name = "Sentinel" if self.mode == "sentinel" else "Redis"
        self.log("warning", f"{name} is now ready to exit, bye bye...")

    def _request_shutdown(self, name: str) -> None:
        """A signal asks for the end: at once, or when the cron that is paused goes on."""
        self._requested_by = name
        self._heed_request()

    def _heed_request(self) -> None:
        if self._requested_by is None or self.engine.cron_paused:
            return
        if self.snapshots.loading is not None:
            self.log("warning", "Received shutdown signal during loading, exiting now.")
            raise SystemExit(0)
        chosen = self.config[f"shutdown-on-{self._requested_by.lower()}"]
        self._requested_by = None
        self.shut_down({word.encode() for word in chosen})

    def _call_off(self) -> bool:
        """Forget a signal's request, and go on if the end has begun; False if neither was."""
        if self._requested_by is None and not self.last_wait.active:
            return False
        if self.last_wait.active:
            self.last_wait.cancel()
        self._requested_by = None
        self.signals.reset()
        self.log("notice", "Shutdown manually aborted.")
        return True

    def _listen(self) -> None:
        if self._uses_tls() and not self._encrypt():
            self.log("warning", "Failed to configure TLS. Check logs for more info.")
            raise SystemExit(1)
        for ports, directive, kind in (
            (self.listeners.tcp, "port", "TCP"),
            (self.listeners.tls, "tls-port", "TLS"),
        ):
            try:
                ports.open()
            except ListenError:
                port = self.config[directive]
                self.log("warning", f"Failed listening on port {port} ({kind}), aborting.")
                raise SystemExit(1) from None
        try:
            self.listeners.open_unix()
        except ListenError:
            raise SystemExit(1) from None
        if not len(self.listeners) and self.config["bind"]:
            self.log("warning", "Configured to not listen anywhere, exiting.")
            raise SystemExit(1)
        self._publish_facts()

    def _warnings(self) -> list[str]:
        """What of the system around it hurts this server."""

        def refuse_huge_pages() -> bool:
            return self.config["disable-thp"] and process.refuse_huge_pages()

        warnings = system_checks.startup_warnings(refuse_huge_pages)
        backlog = system_checks.backlog_warning(self.config["tcp-backlog"])
        return warnings if backlog is None else [backlog, *warnings]

    def _show_banner(self) -> None:
        port = self.config["port"] or self.config["tls-port"]
        if not self.log.to_terminal and not self.config["always-show-logo"]:
            self.log("notice", f"Running mode={self.mode}, port={port}.")
            return
        text = banner.render(
            version=__version__,
            redis_version=REDIS_VERSION,
            mode=self.mode,
            port=port,
            pid=os.getpid(),
            python=".".join(map(str, sys.version_info[:3])),
            bits=64 if sys.maxsize > 2**32 else 32,
        )
        self.log.raw("notice", text)

    # -- Time ------------------------------------------------------------------------------------

    def _tick(self) -> None:
        """One tick of the cron, and the next one in its time."""
        self._heed_request()
        if self.last_wait.active and not self.engine.depth and self.last_wait.is_over():
            self._end(self.last_wait.options)
        if self.engine.depth:
            # A script runs: its time is no time for anything else, but what is due comes next.
            self.loop.call_later(0.001, self._tick)
            return
        if self.snapshots.loading is not None:
            # Nothing is to be saved, expired or resized before everything is there.
            self.loop.call_later(1 / self._hz, self._tick)
            return
        self._hz = self._ticks_per_second()
        started = self.engine.clock.monotonic_ns()
        self.engine.cron(self._hz)
        self.engine.stats.cron_ns += self.engine.clock.monotonic_ns() - started
        self.loop.call_later(1 / self._hz, self._tick)

    def _ticks_per_second(self) -> int:
        hz = min(max(self.config["hz"], MIN_HZ), MAX_HZ)
        if self.config["dynamic-hz"]:
            while len(self.hub.members) // hz > CLIENTS_PER_TICK and hz < MAX_HZ:
                hz = min(hz * 2, MAX_HZ)
        return hz

    def _plan_flush(self) -> None:
        """Writes wait: look after them, even if nothing else happens."""
        if not self._flush_planned:
            self._flush_planned = True
            self.loop.call_later(self.append_only.log.patience(), self._flush)

    def _flush(self) -> None:
        self._flush_planned = False
        self.engine.clock.tick()
        self.append_only.log.commit()
        if self.append_only.log.waiting:
            self._plan_flush()

    def _keep_house(self) -> None:
        clients, facts = self.clients, self.engine.facts
        clients.tend_some(self._hz)
        process.tidy_memory()
        facts["hz"] = self._hz
        facts["recent_max_input"] = max(clients.input_peaks)
        facts["recent_max_output"] = max(clients.output_peaks)
        facts["reply_buffer_shrinks"] = clients.shrinks
        facts["reply_buffer_expands"] = clients.expands

    # -- Configuration ---------------------------------------------------------------------------

    def _attach(self) -> None:
        engine = self.engine
        engine.on_shutdown = self.shut_down
        engine.on_cron.append(self._keep_house)
        engine.memory_limit.relievers.append(self.hub.end_largest)
        self.snapshots.automatic = True
        self.snapshots.ownership = self.ownership
        for name in ("save", "dir", "dbfilename", "appendonly"):
            self.config.on_change(name, self._own)
        background = self.snapshots.background
        background.can_fork = hasattr(os, "fork")
        background.carry = Slices(self.hub).carry
        self.snapshots.prepare_child = lambda: self._prepare_child("rdb-bgsave", "bgsave_cpulist")
        self.snapshots.serve = self._serve_within_command
        primary = primary_of(engine)
        primary.replication.loop = self.loop
        primary.copies.prepare_child = lambda: self._prepare_child(
            "rdb-to-slaves", "bgsave_cpulist"
        )
        scripting_of(engine).long_runs.serve = self._serve_within_script
        scripting_of(engine).debug_carrier = self.debug_lines
        engine.on_cron.append(self.debug_lines.tend)
        self.append_only.syncer.on_outcome = lambda: self.loop.call_from_thread(
            self.append_only.judge
        )
        self.append_only.log.on_waiting = self._plan_flush
        self.append_only.renewal.prepare_child = lambda: self._prepare_child(
            "aof-rewrite", "aof_rewrite_cpulist"
        )
        self.signals.on_insist = self.snapshots.abandon
        engine.debug_commands[b"replybuffer"] = self._debug_reply_buffer
        self.config.warn = lambda message: self.log("warning", message)
        followers: dict[str, Callable] = {
            "client-query-buffer-limit": self._limit_queries,
            "proto-max-bulk-len": self._limit_bulks,
            "timeout": self._limit_idleness,
        }
        for name, follow in followers.items():
            follow(self.config[name])
            self.config.on_change(name, follow)
        self.config.on_change("crash-log-enabled", self._report_crashes)
        self.config.on_change("loglevel", self.log.set_level)
        self.config.on_change("port", self._move_port)
        self.config.on_change("tls-port", self._move_tls_port)
        for name in (*encryption.DIRECTIVES, "tls-replication", "tls-cluster"):
            self.config.on_change(name, self._renew_encryption)
        self.config.on_change("tls-expected-peer-name", self._warn_of_names)
        self._warn_of_names(None)
        self.snapshots.secure = self._secure
        self.config.on_change("bind", self._move_addresses)
        for name in ("console-port", "console-bind"):
            self.config.on_change(name, self._move_console)
        self.config.on_change("maxclients", self._resize)
        self.config.on_change("dir", os.chdir)
        self.config.on_change("oom-score-adj", self._score_for_oom)
        self.config.on_change("oom-score-adj-values", self._score_for_oom)
        self.config.on_change("proc-title-template", self._entitle)

    def _prepare_child(self, title: str, processors: str) -> None:
        """What a child that writes a file does first."""
        self.title.show(f"redis-{title}")
        process.set_cpu_affinity(self.config[processors] or "", self.log)
        self.oom_score.apply(
            self.config["oom-score-adj"], list(self.config["oom-score-adj-values"]), 2
        )

    def _report_crashes(self, wanted: bool) -> None:
        crash.enable(self.log) if wanted else crash.disable()

    def _limit_queries(self, size: int) -> None:
        self.hub.max_query = size

    def _limit_bulks(self, size: int) -> None:
        self.hub.max_bulk = size

    def _limit_idleness(self, seconds: int) -> None:
        self.clients.idle_timeout_ms = seconds * 1000

    def _encrypt(self) -> bool:
        """Configure TLS; false, with the reason in the log, if it cannot be done."""
        from carnelian.net.tls_context import TlsError

        try:
            self.encryption.configure()
        except TlsError as error:
            self.log("warning", str(error))
            return False
        return True

    def _secure(self, plain: socket.socket) -> socket.socket:
        """Keys go to other nodes as messages of the bus do."""
        return self.encryption.secure(plain) if self.config["tls-cluster"] else plain

    def _warn_of_names(self, names: str | None) -> None:
        if warning := self.encryption.broad_names():
            self.log("warning", warning)

    def _uses_tls(self) -> bool:
        config = self.config
        return bool(config["tls-port"]) or config["tls-replication"] or config["tls-cluster"]

    def _renew_encryption(self, value: object) -> None:
        """A directive of TLS, or a file that one names, has changed."""
        if self._uses_tls() and not self._encrypt():
            raise ConfigError(_NOT_ENCRYPTED)

    def _move_tls_port(self, port: int) -> None:
        if not self.encryption.ready and not self._encrypt():
            raise ConfigError(_NOT_ENCRYPTED)
        self._move(_NO_PORT, self.listeners.tls)

    def _move_port(self, port: int) -> None:
        self._move(_NO_PORT, self.listeners.tcp)

    def _move_addresses(self, addresses: tuple) -> None:
        refusal = "Failed to bind to specified addresses."
        self._move(refusal, self.listeners.tcp, self.listeners.tls)

    def _move(self, refusal: str, *moved: Ports) -> None:
        try:
            for ports in moved:
                ports.open()
        except ListenError:
            self.log("warning", "Failed to bind")
            raise ConfigError(refusal) from None
        self._publish_facts()
        self._entitle()

    def _resize(self, maxclients: int) -> None:
        possible = process.raise_file_limit(maxclients, self.log)
        if possible != maxclients:
            raise ConfigError(
                "The operating system is not able to handle the specified number of clients, try "
                f"with {possible}"
            )

    def _score_for_oom(self, value: object) -> None:
        mode, values = self.config["oom-score-adj"], self.config["oom-score-adj-values"]
        role = int(self.replica_links.side.following is not None)
        if not self.oom_score.apply(mode, list(values), role):
            raise ConfigError("Failed to apply new oom_score_adj configuration, check server logs.")

    def _entitle(self, template: object = None) -> None:
        if not self.config["set-proc-title"]:
            return
        title = expand_title(
            self.config["proc-title-template"],
            self.config.values,
            self.program,
            self.config.path or "-",
            "" if self.mode == "standalone" else f"[{self.mode}]",
        )
        self.title.show(title)

    def _publish_facts(self) -> None:
        self.engine.facts.update(
            redis_mode=self.mode,
            tcp_port=self.config["port"] or self.config["tls-port"],
            listeners=self.listeners.describe(),
            executable=os.path.abspath(sys.argv[0]),
            config_file=self.config.path or "",
            multiplexing_api=self.loop.api,
            process_supervised=self.supervisor.name,
        )

    def _debug_reply_buffer(self, session: object, args: list[bytes]) -> object:
        """DEBUG REPLYBUFFER PEAK-RESET-TIME <NEVER | RESET | ms>, or RESIZING <0 | 1>."""
        if len(args) != 4:
            raise Error("ERR Unknown subcommand or wrong number of arguments for 'replybuffer'.")
        option, word = args[2].lower(), args[3].lower()
        if option == b"resizing":
            self.clients.resizing = parse_int(word) != 0
        elif option != b"peak-reset-time":
            raise Error("ERR syntax error")
        elif word == b"never":
            self.clients.peak_reset_ms = -1
        elif word == b"reset":
            self.clients.peak_reset_ms = DEFAULT_PEAK_RESET_MS
        else:
            self.clients.peak_reset_ms = parse_int(word)
        return OK


def _nothing() -> None:
    pass
