"""What INFO tells, read."""

from __future__ import annotations

from carnelian.tools.console.link.link_errors import RefusedError
from carnelian.tools.console.link.redis_link import RedisLink


def read_info(link: RedisLink, *sections: str) -> dict[str, str]:
    """The fields of sections, or of the usual ones if none is named.

    Servers before 7.0 take one section at a time, and are asked for all. Raises RefusedError.
    """
    try:
        reply = link.call("INFO", *sections)
    except RefusedError as error:
        if len(sections) < 2 or not str(error).startswith("ERR"):
            raise
        reply = link.call("INFO", "all")
    return parse_info(reply.decode(errors="replace") if isinstance(reply, bytes) else "")


def parse_info(text: str) -> dict[str, str]:
    """Names and values of the lines of INFO."""
    fields = {}
    for line in text.splitlines():
        name, found, value = line.partition(":")
        if found and not name.startswith("#"):
            fields[name] = value
    return fields


def parse_facts(value: str) -> dict[str, str]:
    """``calls=1,usec=2``: the facts of a field that has several."""
    return dict(part.partition("=")[::2] for part in value.split(",") if "=" in part)


def number(text: str | None) -> float:
    """A number of INFO; 0 for what is none."""
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
