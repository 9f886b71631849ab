"""The directives of nodes: those of users, those that the fleet needs, and the file of both."""

from __future__ import annotations

import os
from collections.abc import Sequence

from carnelian.engine.config import Config, ConfigFileError, parse_arguments
from carnelian.resp.quoting import quote_if_needed, split_arguments
from carnelian.tools.fleet.wanted.fleet_error import FleetError
from carnelian.tools.fleet.wanted.fleet_state import FleetState

DEFAULT_NODE_TIMEOUT_MS = 5000

_MINE = "carnelian-fleet sets it for each node"
# Directives that users cannot give, and why.
_RESERVED = {
    "port": "use --port for the first node",
    "bind": "use --bind",
    "dir": "use --dir",
    "cluster-announce-ip": "use --announce-ip",
    "tls-port": "the nodes of a fleet listen without TLS",
    "cluster-port": "the bus has the port of the node plus 10000",
    "replicaof": "the cluster decides who is a replica",
    "slaveof": "the cluster decides who is a replica",
    **dict.fromkeys(
        (
            "cluster-enabled",
            "cluster-config-file",
            "cluster-announce-port",
            "cluster-announce-bus-port",
            "cluster-announce-tls-port",
            "daemonize",
            "supervised",
            "logfile",
            "pidfile",
            "unixsocket",
        ),
        _MINE,
    ),
}


def lines_of(words: Sequence[str]) -> list[str]:
    """The lines of configuration of what stands after ``--``: ``[FILE] --name value ...``.

    Raises FleetError for what is no directive, and for those that the fleet sets.
    """
    arguments = parse_arguments(words)
    if arguments.action or arguments.stdin:
        raise FleetError(f"{' '.join(words)}: that is no directive for nodes")
    lines = []
    if arguments.path is not None:
        lines.append("include " + _text(quote_if_needed(os.fsencode(arguments.path))))
    lines += [_plain(line) for line in arguments.text.split(b"\n") if line.strip()]
    for line in lines:
        name = _words(line)[0].lower()
        if name in _RESERVED:
            raise FleetError(f"--{name} cannot be given to nodes: {_RESERVED[name]}")
    return lines


def _plain(line: bytes) -> str:
    """A line without quotes that it does not need."""
    words = split_arguments(line)
    if not words:
        raise FleetError(f"{_text(line)}: unbalanced quotes")
    return _text(b" ".join(quote_if_needed(word) for word in words))


def _text(line: bytes) -> str:
    return os.fsdecode(line)


def _words(line: str) -> list[str]:
    return [_text(word) for word in split_arguments(os.fsencode(line)) or [b""]]


def value_of(state: FleetState, name: str) -> str | None:
    """The value of a user's directive, None if it was not given."""
    found = [words for words in map(_words, state.directives) if words[0].lower() == name]
    return " ".join(found[-1][1:]) if found else None


def node_timeout(state: FleetState) -> float:
    """Seconds of silence after which nodes take each other for dead."""
    value = value_of(state, "cluster-node-timeout") or ""
    return (int(value) if value.isdigit() else DEFAULT_NODE_TIMEOUT_MS) / 1000


def password_of(state: FleetState) -> str:
    """The password of the nodes, "" if they have none.

    That of ``requirepass``; one that stands elsewhere, as in a file of users, is taken from the
    environment, where redis-cli looks for it, too.
    """
    return value_of(state, "requirepass") or os.environ.get("REDISCLI_AUTH") or ""


def conf_text(state: FleetState, port: int) -> str:
    """The configuration file of a node."""
    lines = [
        "# Written by carnelian-fleet. CONFIG REWRITE may change it; it is written anew when the",
        "# fleet is started with other directives.",
        f"cluster-node-timeout {DEFAULT_NODE_TIMEOUT_MS}",
        # Nobody else is about to ask for the same copy.
        "repl-diskless-sync-delay 0",
        *state.directives,
    ]
    password = value_of(state, "requirepass")
    if password and value_of(state, "masterauth") is None:
        lines.append("masterauth " + _text(quote_if_needed(os.fsencode(password))))
    lines += [
        f"port {port}",
        f"bind {' '.join(state.bind)}",
        f"cluster-announce-ip {state.meet_host}",
        "cluster-enabled yes",
        "cluster-config-file nodes.conf",
        "daemonize no",
        "logfile log",
        "pidfile node.pid",
    ]
    return "\n".join(lines) + "\n"


def check_lines(state: FleetState) -> None:
    """Have the directives read as our server reads them. Raises FleetError for a bad one."""
    config = Config()
    # Reading opens the log, which is the nodes' and not here.
    text = os.fsencode(conf_text(state, state.port) + 'logfile ""\n')
    try:
        config.load_arguments(parse_arguments([])._replace(text=text), b"")
    except ConfigFileError as error:
        where = f"{error.line}: " if error.line else ""
        raise FleetError(f"{where}{error.reason}") from None
