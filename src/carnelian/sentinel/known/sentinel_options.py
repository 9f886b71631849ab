"""What a Sentinel is told for all primaries: SENTINEL CONFIG and lines of its file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Options:
    """Options of the Sentinel itself. Text that is None, and port 0, are not set."""

    announce_ip: str | None = None
    announce_port: int = 0
    # User and password at other Sentinels.
    sentinel_user: str | None = None
    sentinel_pass: str | None = None
    # Whether instances may be named rather than addressed, and are told of by their names.
    resolve_hostnames: bool = False
    announce_hostnames: bool = False
    # Whether SENTINEL SET may not choose scripts.
    deny_scripts_reconfig: bool = True
