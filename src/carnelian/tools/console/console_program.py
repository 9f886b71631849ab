"""``carnelian console``: look at any Redis in the browser; and the process that our server starts.

``carnelian-server --console 8001`` starts this module with the sockets that it listens on already,
says on the standard input how it is (a letter each time that changes), and ends it by closing that.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from collections.abc import Sequence

from carnelian.net.listener import tcp_socket
from carnelian.tools.console.console_server import ConsoleState, serve
from carnelian.tools.console.link.server_address import Credentials, Tls, parse_url

DEFAULT_PORT = 8001
BACKLOG = 64

# Passwords are no arguments, which everybody on a machine can see.
KEY_PASSWORD = "CARNELIAN_CONSOLE_KEY_PASSWORD"
PASSWORD = "REDISCLI_AUTH"

# What our server tells of itself.
_TOLD = {b"L": "loading", b"U": "unlinked", b"R": "ready"}


def add_parser(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The words of ``carnelian console``."""
    parser = parsers.add_parser(
        "console",
        help="look at a Redis in the browser",
        description="Serves a web page that shows any Redis, Valkey or Carnelian server: keys and "
        "values, live figures, slow log, clients, messages, replication, cluster, configuration, "
        "and a command line. The page asks for a user and a password; with a password in the URL "
        f"or in ${PASSWORD} it is opened by the link that is printed.",
    )
    _add_arguments(parser)
    parser.set_defaults(run=run)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "server",
        nargs="?",
        default="redis://127.0.0.1:6379",
        help="redis://[user:password@]host[:port], rediss:// for TLS, or unix:///path/of/socket "
        "(redis://127.0.0.1:6379)",
    )
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=f"where the page is ({DEFAULT_PORT})"
    )
    parser.add_argument(
        "--bind", default="127.0.0.1", help="address to listen on (127.0.0.1: this machine alone)"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name under which browsers may call this console, such as that of a proxy",
    )
    parser.add_argument("--cacert", default="", metavar="FILE", help="authority of the server")
    parser.add_argument("--cacertdir", default="", metavar="DIR", help="a directory of these")
    parser.add_argument("--cert", default="", metavar="FILE", help="certificate to show")
    parser.add_argument("--key", default="", metavar="FILE", help="its key")
    parser.add_argument("--insecure-name", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--listening", action="append", type=int, help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> int:
    """Serve until a signal, or until our server ends; returns the exit status."""
    tls = Tls(
        options.cacert,
        options.cacertdir,
        options.cert,
        options.key,
        os.environ.get(KEY_PASSWORD, ""),
        not options.insecure_name,
    )
    try:
        address, own = parse_url(options.server, tls)
    except ValueError as error:
        print(f"carnelian console: {options.server}: {error}", file=sys.stderr)
        return 2
    state = ConsoleState(address, tuple(options.allow_host))
    if options.listening:
        return _serve_beside(options, state)
    password = os.environ.get(PASSWORD)
    state.own = own or (Credentials("default", password) if password else None)
    return _serve_alone(options, state)


def _serve_alone(options: argparse.Namespace, state: ConsoleState) -> int:
    try:
        sock = tcp_socket(options.bind, options.port, BACKLOG)
    except OSError as error:
        where = f"{options.bind}:{options.port}"
        print(f"carnelian console: {where}: {error.strerror or error}", file=sys.stderr)
        return 1
    # One that comes to another thread would not wake this one: none of them takes any.
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    servers = serve([sock], state)
    host = "127.0.0.1" if options.bind in ("*", "0.0.0.0") else options.bind
    shown = f"[{host}]" if ":" in host else host
    link = f"http://{shown}:{servers[0].port}/" + (f"#key={state.key}" if state.own else "")
    print(f"{state.address.shown} is shown at {link} (Ctrl-C ends it)", flush=True)
    signal.sigwait(ends)
    state.sessions.close()
    return 0


def _serve_beside(options: argparse.Namespace, state: ConsoleState) -> int:
    """Serve as a process of our server, which says how it is, and whose end is ours."""
    # Ctrl-C is for the server, which ends this process when it is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    state.told = "loading"
    # The server comes first.
    os.nice(2)
    serve([socket.socket(fileno=number) for number in options.listening], state)
    while letter := os.read(0, 1):
        state.told = _TOLD.get(letter, state.told)
    state.sessions.close()
    return 0


def main(words: Sequence[str] | None = None) -> int:
    """Run as a program of its own; returns the exit status."""
    parser = argparse.ArgumentParser(prog="carnelian console")
    _add_arguments(parser)
    return run(parser.parse_args(words))


if __name__ == "__main__":
    raise SystemExit(main())
