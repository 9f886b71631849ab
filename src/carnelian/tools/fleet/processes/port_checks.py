"""Ports that somebody else listens on."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Sequence

from carnelian.tools.fleet.wanted.fleet_error import FleetError
from carnelian.tools.fleet.wanted.fleet_state import BUS_OFFSET

_WILDCARDS = {"*": "0.0.0.0", "::*": "::"}


def is_taken(hosts: Sequence[str], port: int) -> bool:
    """Whether a node could not listen on the port, or on that of its bus.

    Raises FleetError for an address that this machine does not have.
    """
    return any(_is_bound(host, number) for host in hosts for number in (port, port + BUS_OFFSET))


def refuse_taken(hosts: Sequence[str], ports: Iterable[int]) -> None:
    """Raises FleetError that names the ports that others listen on, if there are such."""
    taken = [str(port) for port in ports if is_taken(hosts, port)]
    if taken:
        many = "s" if len(taken) > 1 else ""
        raise FleetError(
            f"port{many} {', '.join(taken)} (or the bus, {BUS_OFFSET} above) in use by another "
            "program: stop it, or choose others with --port"
        )


def _is_bound(host: str, port: int) -> bool:
    optional = host.startswith("-")
    host = host.removeprefix("-")
    host = _WILDCARDS.get(host, host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: connections that are just ending are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            if optional:
                return False
            raise FleetError(f"--bind {host}, port {port}: {error.strerror or error}") from None
    return False
