"""Checks of values that have the right form but may still be refused."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

from carnelian.engine.config.mistakes import ConfigError

MAX_HOST_NAME = 256
# Addresses have so much room in messages between nodes.
MAX_ADDRESS = 46
NODE_NAME_EXCLUDES = frozenset("!#$%&()*+:;<>?@[]^{|}~ ,='\"\\")
_CONTROLS = frozenset(map(chr, (*range(32), 127)))
_BLANKS = frozenset("\t\n\v\f\r")
HOST_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.")


def file_name(name: str, kind: str, may_be_empty: bool) -> Callable[[str, Mapping], None]:
    """A check that the value is the name of a file or directory, not a path."""

    def check(value: str, values: Mapping[str, Any]) -> None:
        if not value and not may_be_empty:
            raise ConfigError(f"{name} can't be empty")
        if "/" in value or "\\" in value:
            raise ConfigError(f"{name} can't be a path, just a {kind}")

    return check


def host_name(value: str | None, values: Mapping[str, Any]) -> None:
    """Refuse a name that could not be announced as that of a host."""
    if value is None:
        return
    if len(value) >= MAX_HOST_NAME:
        raise ConfigError(f"Hostnames must be less than {MAX_HOST_NAME} characters")
    _check_host_characters(value)


def node_address(value: str | None, values: Mapping[str, Any]) -> None:
    """Refuse what is neither an address nor a name that stands in for one."""
    if not value or _is_address(value):
        return
    if len(value) >= MAX_ADDRESS:
        raise ConfigError(
            f"Hostnames for cluster-announce-ip must be less than {MAX_ADDRESS} characters"
        )
    _check_host_characters(value)


def _is_address(value: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, value)
        except (OSError, ValueError):
            continue
        return True
    return False


def _check_host_characters(value: str) -> None:
    if not HOST_CHARACTERS.issuperset(value):
        raise ConfigError("Hostnames may only contain alphanumeric characters, hyphens or dots")


def node_name(value: str | None, values: Mapping[str, Any]) -> None:
    """Refuse a name that would break the lines of nodes.conf."""
    if value and not (NODE_NAME_EXCLUDES.isdisjoint(value) and _CONTROLS.isdisjoint(value)):
        raise ConfigError("Announced human node name contained invalid character")


def peer_names(value: str | None, values: Mapping[str, Any]) -> None:
    """Refuse names that no certificate has."""
    if not value:
        return
    if not _BLANKS.isdisjoint(value):
        raise ConfigError(
            "tls-expected-peer-name must not contain whitespace other than spaces separating "
            "names; use an empty string to disable it"
        )
    if not value.strip(" "):
        raise ConfigError(
            "tls-expected-peer-name contains no usable name; use an empty string to disable it"
        )


def signal_options(value: tuple[str, ...], values: Mapping[str, Any]) -> None:
    """Refuse to save and not to save at the same time."""
    if "save" in value and "nosave" in value:
        raise ConfigError("shutdown options SAVE and NOSAVE can't be used simultaneously")


def no_defragmentation(value: bool, values: Mapping[str, Any]) -> None:
    """Refuse what only an allocator with defragmentation could do."""
    if value:
        raise ConfigError(
            "Active defragmentation cannot be enabled: it requires a Redis server compiled with a "
            "modified Jemalloc like the one shipped by default with the Redis source distribution"
        )


def process_title(value: str, values: Mapping[str, Any]) -> None:
    """Refuse a template that cannot be expanded, or expands to nothing."""
    if not expand_title(value, values, ""):
        raise ConfigError("template format is invalid or contains unknown variables")


def expand_title(
    template: str, values: Mapping[str, Any], title: str, path: str = "-", mode: str = ""
) -> str:
    """The process title of a ``proc-title-template``; "" if the template is not valid.

    ``title`` is what ``{title}`` becomes, ``path`` the configuration file, ``mode`` what
    ``{server-mode}`` becomes outside of a cluster. ``{{`` is a brace.
    """
    variables = {
        "title": title,
        "listen-addr": _listening(values),
        "server-mode": "[cluster]" if values["cluster-enabled"] else mode,
        "config-file": path,
        "port": str(values["port"]),
        "tls-port": str(values["tls-port"]),
        "unixsocket": values["unixsocket"] or "",
    }
    parts = []
    rest = template
    while rest:
        text, brace, rest = rest.partition("{")
        parts.append(text)
        if not brace:
            break
        if rest.startswith("{"):
            parts.append("{")
            rest = rest[1:]
            continue
        name, brace, rest = rest.partition("}")
        if not brace or name not in variables:
            return ""
        parts.append(variables[name])
    return "".join(parts).strip(" ")


def _listening(values: Mapping[str, Any]) -> str:
    port = values["port"] or values["tls-port"]
    if not port:
        return f"unixsocket:{values['unixsocket'] or ''}"
    return f"{(values['bind'] or ('*',))[0]}:{port}"


def slice_size(value: int, values: Mapping[str, Any]) -> None:
    """Refuse slices whose offsets are not whole bits."""
    if value & (value - 1):
        raise ConfigError("array-slice-size must be a power of two")


def sparse_kmax(value: int, values: Mapping[str, Any]) -> None:
    """Refuse slices that would change to and fro."""
    if 0 < value <= values["array-sparse-kmin"]:
        raise ConfigError("array-sparse-kmax must be greater than array-sparse-kmin when non-zero")


def sparse_kmin(value: int, values: Mapping[str, Any]) -> None:
    """Refuse slices that would change to and fro."""
    if 0 < values["array-sparse-kmax"] <= value:
        raise ConfigError("array-sparse-kmin must be less than array-sparse-kmax")
