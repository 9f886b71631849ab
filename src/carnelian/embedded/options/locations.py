"""What is given as the path of a data set: a file, no file at all, or something meant otherwise."""

from __future__ import annotations

import ipaddress
import os
import re

Path = str | bytes | os.PathLike

# The name that others have for data without a file.
IN_MEMORY = ":memory:"

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_HOST_AND_PORT = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+):[0-9]{1,5}", re.IGNORECASE)


# Longest path that a Unix socket may have on all systems, in bytes.
_LONGEST_SOCKET = 103


def shared_socket(path: str) -> str:
    """The Unix socket of those who share the data of a path: beside it, unless that is too long."""
    real = os.path.realpath(path)
    beside = f"{real}.sock"
    if len(os.fsencode(beside)) <= _LONGEST_SOCKET:
        return beside
    import hashlib
    import tempfile

    name = hashlib.sha256(os.fsencode(real)).hexdigest()[:24]
    return os.path.join(tempfile.gettempdir(), f"carnelian-{os.getuid()}-{name}.sock")


def data_path(given: Path | None) -> str | None:
    """The path of a file, with ``~`` for the home directory; None if there is to be none.

    Raises:
        TypeError: it is no path at all.
        ValueError: it is empty, or a host or a URL, which a server would have.
    """
    if given is None:
        return None
    path = os.fsdecode(given)
    if not path:
        raise ValueError("an empty path: None, or no path at all, keeps data in memory")
    if path == IN_MEMORY:
        return None
    if isinstance(given, str):
        _refuse_places_of_servers(path)
    return os.path.expanduser(path)


def _refuse_places_of_servers(path: str) -> None:
    if _URL.match(path):
        raise ValueError(
            f"{path!r} is a URL, not the path of a file: there is no server to connect to. "
            "Redis.from_url(url) takes the database and the options from one"
        )
    if _is_host(path):
        raise ValueError(
            f"{path!r} is a host, not the path of a file: there is no server to connect to. "
            f"Redis() keeps data in memory, Redis('app.db') in a file; './{path}' is a file of "
            "that name"
        )


def _is_host(path: str) -> bool:
    if path.lower() == "localhost" or _HOST_AND_PORT.fullmatch(path):
        return True
    try:
        ipaddress.ip_address(path.strip("[]"))
    except ValueError:
        return False
    return True
