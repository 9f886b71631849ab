"""A server that is a Sentinel: no data, its own commands, and a file that it keeps its state in."""

from __future__ import annotations

import gc
import os
from functools import partial

from carnelian.engine.config import Config
from carnelian.net.runtime import LoopHost
from carnelian.net.transport import Transport
from carnelian.resp.replies import Error
from carnelian.sentinel.known import saved_lines, sentinel_lines
from carnelian.sentinel.known.surroundings import Surroundings
from carnelian.sentinel.serving.name_resolver import NameResolver
from carnelian.sentinel.serving.script_runner import Processes
from carnelian.sentinel.serving.served_commands import ServedCommands
from carnelian.sentinel.watching.watching_loop import Sentinel
from carnelian.server.server import Server
from carnelian.server.system import process
from carnelian.server.system.log_file import Log

PORT = 26379
# The status of a process that simulates a failure.
_CRASHED = 99


def prepare(config: Config) -> None:
    """Give a configuration the defaults of a Sentinel, before it is loaded."""
    config.sentinel_lines = []
    config["port"] = PORT
    # It has to be reached by others, and has no data.
    config["protected-mode"] = False


class ProcessAround(Surroundings):
    """What a Sentinel needs of the server that carries it."""

    def __init__(self, server: SentinelServer):
        self.scripts = Processes()
        self._engine = server.engine
        self._config = server.config
        self._log = server.log
        self._resolver = NameResolver()

    def log(self, level: str, text: str) -> None:
        """Write a line of log."""
        self._log(level, text)

    def publish(self, channel: str, message: str) -> None:
        """Tell those who listen to a channel."""
        self._engine.pubsub.publish(channel.encode(), message.encode("utf-8", "surrogateescape"))

    def save(self) -> bool:
        """Rewrite the configuration file; false, with the reason in the log, if it cannot be."""
        try:
            self._config.rewrite()
        except Error as error:
            reason = str(error).rpartition(": ")[2]
            self._log(
                "warning",
                "WARNING: Sentinel was not able to save the new configuration on disk!!!: "
                f"{reason}",
            )
            return False
        self._log("notice", "Sentinel new configuration saved on disk")
        return True

    def crash(self) -> None:
        """End at once."""
        os._exit(_CRASHED)

    def resolve(self, host: str, numeric: bool) -> str | None:
        """The address of a host."""
        return self._resolver.resolve(host, numeric)

    def own_port(self) -> int:
        """Where other Sentinels reach this one."""
        config = self._config
        secure = config["tls-replication"] and config["tls-port"]
        return config["tls-port"] if secure else config["port"]

    def own_password(self) -> str | None:
        """What clients of this Sentinel have to give."""
        password = self._config["requirepass"]
        return None if password is None else password.decode("utf-8", "surrogateescape")

    def is_executable(self, path: str) -> bool:
        """Whether a path is that of a program."""
        return os.access(path, os.X_OK)


class SentinelServer(Server):
    """One Sentinel process.

    Args:
        config: the configuration, prepared and loaded.

    Raises:
        ConfigFileError: a ``sentinel`` line is bad.
    """

    mode = "sentinel"

    def __init__(self, config: Config, log: Log, supervisor: process.Supervisor, program: str):
        super().__init__(config, log, supervisor, program)
        # There is nothing to save at the end.
        self.on_exit = []
        self.around = ProcessAround(self)
        host = LoopHost(
            self.loop,
            self.engine.clock,
            self._report_fault,
            self._connect,
            source=config["bind-source-addr"],
        )
        self.sentinel = Sentinel(host, self.around)
        ServedCommands(self.sentinel, self.engine).install()
        self._load_lines()

    def _connect(self, loop, fd: int) -> Transport:
        """The transport of a connection to an instance."""
        if self.config["tls-replication"]:
            return self.encryption.connect(loop, fd)
        return Transport(loop, fd)

    def _report_fault(self, fault: Exception) -> None:
        import traceback

        text = "".join(traceback.format_exception(fault))
        self.log("warning", f"A fault while watching:\n{text}")

    def _load_lines(self) -> None:
        watch = self.sentinel.watch
        sentinel_lines.load(watch, self.config.sentinel_lines or ())
        for word in saved_lines.WORDS:
            self.config.rewrite_with(f"sentinel {word}", partial(saved_lines.lines_of, watch, word))

    def start(self) -> None:
        """Everything up to the first connection. Raises SystemExit when it cannot be done."""
        self._check_file()
        self.log.role = "X"
        super().start()

    def _check_file(self) -> None:
        """A Sentinel that forgets its votes would vote twice."""
        path = self.config.path
        if path is None:
            self.log("warning", "Sentinel needs config file on disk to save state. Exiting...")
            raise SystemExit(1)
        if not os.access(path, os.W_OK):
            reason = os.strerror(2 if not os.path.exists(path) else 13)
            self.log(
                "warning", f"Sentinel config file {path} is not writable: {reason}. Exiting..."
            )
            raise SystemExit(1)

    def _listen(self) -> None:
        if self.config["tls-replication"] and not self._encrypt():
            self.log("warning", "Failed to configure TLS. Check logs for more info.")
            raise SystemExit(1)
        super()._listen()

    def _load_modules(self) -> None:
        """A Sentinel has no commands of users."""

    def load(self) -> None:
        """Begin to watch: there is no data to load."""
        self.loop.hooks = self.hub
        self.engine.clock.synchronize()
        self.sentinel.start()
        # Without data the collector of cycles has little to look at, and may run as usual.
        self.loop.call_soon(gc.enable)
