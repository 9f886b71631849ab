"""What INFO says that a Sentinel wants to know."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from carnelian.sentinel.known.instances import Role
from carnelian.sentinel.known.sentinel_words import atoi, to_text

_ID_LENGTH = 40
_REPLICA = re.compile(r"slave\d[^:]*:(.*)")
_ROLES = {"role:master": Role.PRIMARY, "role:slave": Role.REPLICA}


@dataclass
class InfoReport:
    """What an instance says of itself; None is what it does not say.

    ``replicas`` are hosts and ports, ``link_down_ms`` the time for which a replica is without its
    primary.
    """

    run_id: str | None = None
    role: Role | None = None
    replicas: list[tuple[str, int]] = field(default_factory=list)
    link_down_ms: int = 0
    primary_host: str | None = None
    primary_port: int | None = None
    link_is_up: bool | None = None
    priority: int | None = None
    offset: int | None = None
    announced: bool | None = None


def parse(data: bytes) -> InfoReport:
    """The report in the text of INFO. O(n)"""
    report = InfoReport()
    for line in to_text(data).split("\r\n"):
        name, colon, value = line.partition(":")
        if line in _ROLES:
            report.role = _ROLES[line]
        elif name == "run_id" and len(value) >= _ID_LENGTH:
            report.run_id = value[:_ID_LENGTH]
        elif name == "master_link_down_since_seconds":
            report.link_down_ms = atoi(value) * 1000
        elif name.startswith("slave") and name[5:6].isdigit():
            _add_replica(report, line)
        elif colon and report.role is Role.REPLICA:
            _read_replica_field(report, name, value)
    return report


def _add_replica(report: InfoReport, line: str) -> None:
    found = _REPLICA.match(line)
    if found is None:
        return
    words = found[1].split(",")
    named = dict(word.split("=", 1) for word in words if "=" in word)
    if "ip" in named:
        if "port" in named:
            report.replicas.append((named["ip"], atoi(named["port"])))
    elif len(words) >= 3:
        # So it was before Redis 2.8: address, port, state.
        report.replicas.append((words[0], atoi(words[1])))


def _read_replica_field(report: InfoReport, name: str, value: str) -> None:
    if name == "master_host":
        report.primary_host = value
    elif name == "master_port":
        report.primary_port = atoi(value)
    elif name == "master_link_status":
        report.link_is_up = value.lower() == "up"
    elif name == "slave_priority":
        report.priority = atoi(value)
    elif name == "slave_repl_offset":
        report.offset = atoi(value)
    elif name == "replica_announced":
        report.announced = atoi(value) != 0
