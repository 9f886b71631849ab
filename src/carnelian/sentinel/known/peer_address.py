"""Where instances are: names, addresses and ports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carnelian.sentinel.known.sentinel_options import Options

# The address of a host, None if it has none. With the second argument, hosts are addresses
# themselves, and nobody is to be asked.
Resolve = Callable[[str, bool], str | None]

MOST_PORTS = 65535


class AddressError(Exception):
    """There can be no such instance; the message says why."""


class UnknownHost(AddressError):
    """The host has no address."""

    def __init__(self) -> None:
        super().__init__("Can't resolve instance hostname.")


class BadPort(AddressError):
    """The port is no number of one."""

    def __init__(self) -> None:
        super().__init__("Invalid port number.")


@dataclass(frozen=True)
class PeerAddress:
    """A host as it was named, its address (empty if not known yet), and a port."""

    host: str
    ip: str
    port: int

    def same(self, other: PeerAddress) -> bool:
        """Whether both are one place, by address, or by name while it has none."""
        if self.port != other.port:
            return False
        return self.host.lower() == other.host.lower() or (self.ip != "" and self.ip == other.ip)


class AddressBook:
    """Makes addresses of what instances, people and other Sentinels say."""

    def __init__(self, options: Options, resolve: Resolve, warn: Callable[[str], object]):
        self._options = options
        self._resolve = resolve
        self._warn = warn

    def lookup(self, host: str) -> str | None:
        """The address of a host, None if it has none or may not have one."""
        return self._resolve(host, not self._options.resolve_hostnames)

    def make(self, host: str, port: int, unresolved: bool = False) -> PeerAddress:
        """The address of a port of a host.

        Args:
            unresolved: whether it may be made while nobody knows the host, where names may be used.

        Raises:
            AddressError: there can be none.
        """
        if not 0 <= port <= MOST_PORTS:
            raise BadPort
        ip = self.lookup(host)
        if ip is None:
            self._warn(f"Failed to resolve hostname '{host}'")
            if not (unresolved and self._options.resolve_hostnames):
                raise UnknownHost
        return PeerAddress(host, ip or "", port)

    def refreshed(self, address: PeerAddress) -> PeerAddress:
        """The same with the address that its host has now, if it has one."""
        ip = self.lookup(address.host)
        return address if ip is None else PeerAddress(address.host, ip, address.port)

    def is_at(self, address: PeerAddress, host: str, port: int) -> bool:
        """Whether an address is a port of a host that somebody has named."""
        if address.port != port:
            return False
        ip = self.lookup(host)
        if ip is not None:
            return address.ip.lower() == ip.lower()
        own = address.host if self._options.resolve_hostnames else address.ip
        return own.lower() == host.lower()

    def shown(self, address: PeerAddress) -> str:
        """The host as others are to know it."""
        return address.host if self._options.announce_hostnames else address.ip

    def shown_with_port(self, address: PeerAddress) -> str:
        """Host and port; addresses of IPv6 stand in brackets."""
        host = self.shown(address)
        return f"[{host}]:{address.port}" if ":" in host else f"{host}:{address.port}"
