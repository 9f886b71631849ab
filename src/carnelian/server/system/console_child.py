"""The web console: a process beside the server, started, watched and ended with it.

It is a client like others, so that no page and no metric ever holds up the loop, and whoever looks
may do what their user may. The server keeps the sockets that it listens on, and passes them on: a
console that has died goes on where it was, and nobody finds the port closed.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from urllib.parse import quote

from carnelian.engine.config import Config, ConfigError
from carnelian.net.listener import ListenError, open_sockets
from carnelian.server.system.log_file import Log

MODULE = "carnelian.tools.console.console_program"
KEY_PASSWORD = "CARNELIAN_CONSOLE_KEY_PASSWORD"
HTTPS_KEY_PASSWORD = "CARNELIAN_CONSOLE_HTTPS_KEY_PASSWORD"

# Directives that say where the console is, and those that say how it reaches the server.
PLACES = ("console-port", "console-bind")
WAYS = (
    "console-hosts",
    "console-tls",
    "port",
    "bind",
    "tls-port",
    "tls-ca-cert-file",
    "tls-ca-cert-dir",
    "tls-cert-file",
    "tls-key-file",
    "tls-key-file-pass",
    "tls-client-cert-file",
    "tls-client-key-file",
    "tls-client-key-file-pass",
    "tls-protocols",
    "tls-ciphers",
)

_BACKLOG = 64
# Seconds for the answer to a change that ends the process.
_FAREWELL = 0.5
# Seconds before it is started again: so many at first, twice as many each time, so many at most;
# and how long it has to last for the next time to be a first one.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_LASTING = 60.0
# Signals that the server ignores, which a program would go on ignoring.
_HEEDED = (signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGTERM)

# What is told to it.
LOADING, UNLINKED, READY = b"L", b"U", b"R"


class ConsoleChild:
    """Keeps a console running while ``console-port`` names a port.

    Args:
        config, log: those of the server.
        condition: says how the server is: LOADING, UNLINKED or READY.
        check_pages: raises ConfigError if pages are to be encrypted, and cannot be.
    """

    def __init__(
        self,
        config: Config,
        log: Log,
        condition: Callable[[], bytes],
        check_pages: Callable[[], None],
    ):
        self._config = config
        self._log = log
        self._condition = condition
        self._check_pages = check_pages
        self._sockets: list[socket.socket] = []
        self._pid = 0
        self._pipe = -1
        self._told = b""
        self._started = 0.0
        self._pause = _FIRST_PAUSE
        self._due = 0.0
        self._renewal = 0.0

    def open(self) -> None:
        """Listen where the configuration says, and start it. Raises ListenError and ConfigError."""
        config = self._config
        if config["console-port"]:
            self._check_pages()
        sockets = open_sockets(
            config["console-port"],
            config["console-bind"],
            _BACKLOG,
            lambda message: self._log("warning", f"Warning: {message}"),
        )
        self.close()
        self._sockets = sockets
        self._pause = _FIRST_PAUSE
        if sockets:
            self._start()
            port = config["console-port"]
            scheme = "https" if config["console-tls"] else "http"
            self._log("notice", f"The console is at {scheme}://{self._shown_host()}:{port}/")

    def move(self, value: object) -> None:
        """Listen elsewhere, or nowhere any more. Raises ConfigError, and goes on as before."""
        if self._config["console-port"]:
            self._check_pages()
        before, self._sockets = self._sockets, []
        # The same address cannot be listened on twice: what was there makes room.
        places = [sock.getsockname() for sock in before]
        for sock in before:
            sock.close()
        # It listens on copies of them.
        self._stop()
        try:
            self.open()
        except ListenError:
            self.close()
            for place in places:
                self._sockets += open_sockets(place[1], [place[0]], _BACKLOG, lambda message: None)
            if self._sockets:
                self._start()
            raise ConfigError("Unable to listen on this port. Check server logs.") from None

    def renew(self, value: object) -> None:
        """The server is reached in another way: have the console begin anew, once it can have
        answered who has changed that by its pages.

        Raises ConfigError if its pages are to be encrypted, and cannot be.
        """
        if self._sockets:
            self._check_pages()
        self._renewal = time.monotonic() + _FAREWELL

    def tend(self) -> None:
        """Look after it: called at each tick."""
        if self._renewal and time.monotonic() >= self._renewal:
            self._renewal = 0.0
            if self._sockets:
                self._stop()
                self._start()
        if self._pid:
            self._tell()
            self._reap()
        elif self._sockets and time.monotonic() >= self._due:
            self._start()

    def close(self) -> None:
        """End it, and listen no more."""
        self._stop()
        for sock in self._sockets:
            sock.close()
        self._sockets = []

    # -- The process -----------------------------------------------------------------------------

    def _start(self) -> None:
        reader, self._pipe = os.pipe()
        os.set_blocking(self._pipe, False)
        # Above all that are open, so that none is overwritten before it is passed on.
        first = max([reader, *(sock.fileno() for sock in self._sockets)]) + 1
        numbers = range(first, first + len(self._sockets))
        actions = [(os.POSIX_SPAWN_DUP2, reader, 0)]
        actions += [
            (os.POSIX_SPAWN_DUP2, sock.fileno(), number)
            for sock, number in zip(self._sockets, numbers, strict=True)
        ]
        environment = {
            **os.environ,
            KEY_PASSWORD: self._key_password(),
            HTTPS_KEY_PASSWORD: self._password_of("tls-"),
        }
        self._told = b""
        self._started = time.monotonic()
        try:
            self._pid = os.posix_spawn(
                sys.executable,
                self._command(numbers),
                environment,
                file_actions=actions,
                setsigdef=_HEEDED,
            )
        except OSError as error:
            self._log("warning", f"The console could not be started: {error.strerror}")
            self._close_pipe()
            self._postpone()
        finally:
            os.close(reader)

    def _command(self, numbers: range) -> list[str]:
        config = self._config
        command = [sys.executable, "-P", "-m", MODULE, self._server_url()]
        command += [f"--listening={number}" for number in numbers]
        command += [f"--allow-host={name}" for name in config["console-hosts"].split()]
        if config["console-tls"]:
            command += [
                f"--https-{option}={config[name]}"
                for option, name in (
                    ("cert", "tls-cert-file"),
                    ("key", "tls-key-file"),
                    ("protocols", "tls-protocols"),
                    ("ciphers", "tls-ciphers"),
                )
                if config[name]
            ]
        if not (config["unixsocket"] or config["port"]):
            own = "tls-client-cert-file" if config["tls-client-cert-file"] else "tls-cert-file"
            key = own.replace("cert", "key")
            # What it talks to is this machine, whatever name is in the certificate.
            command.append("--insecure-name")
            command += [
                f"--{option}={config[name]}"
                for option, name in (
                    ("cacert", "tls-ca-cert-file"),
                    ("cacertdir", "tls-ca-cert-dir"),
                    ("cert", own),
                    ("key", key),
                )
                if config[name]
            ]
        return command

    def _key_password(self) -> str:
        own = "tls-client-" if self._config["tls-client-cert-file"] else "tls-"
        return self._password_of(own)

    def _password_of(self, own: str) -> str:
        return self._config[f"{own}key-file-pass"] or ""

    def _server_url(self) -> str:
        """How it reaches the server."""
        config = self._config
        if config["unixsocket"]:
            return f"unix://{quote(os.path.abspath(config['unixsocket']))}"
        addresses = [address.lstrip("-") for address in config["bind"]]
        host = addresses[0] if addresses else "127.0.0.1"
        host = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::*": "::1", "::": "::1"}.get(host, host)
        shown = f"[{host}]" if ":" in host else host
        if config["port"]:
            return f"redis://{shown}:{config['port']}"
        return f"rediss://{shown}:{config['tls-port']}"

    def _shown_host(self) -> str:
        host = self._sockets[0].getsockname()[0]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        return f"[{host}]" if ":" in host else host

    def _tell(self) -> None:
        """Say how the server is, if that has changed."""
        condition = self._condition()
        if condition == self._told:
            return
        try:
            os.write(self._pipe, condition)
        except OSError:
            # It has ended, or does not listen; there will be another tick.
            return
        self._told = condition

    def _reap(self) -> None:
        try:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
        except ChildProcessError:
            pid, status = self._pid, 0
        if pid == 0:
            return
        self._pid = 0
        self._close_pipe()
        self._postpone()
        wait = max(self._due - time.monotonic(), 0.0)
        self._log(
            "warning",
            f"The console has ended (status {os.waitstatus_to_exitcode(status)}), and is started "
            f"again in {wait:.1f} seconds",
        )

    def _postpone(self) -> None:
        now = time.monotonic()
        if now - self._started > _LASTING:
            self._pause = _FIRST_PAUSE
        self._due = now + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)

    def _stop(self) -> None:
        """End it without a word about it. It has nothing to finish."""
        if self._pid:
            try:
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
            except (ChildProcessError, ProcessLookupError):
                pass
            self._pid = 0
        self._close_pipe()

    def _close_pipe(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
