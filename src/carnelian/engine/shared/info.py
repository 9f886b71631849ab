"""INFO: sections of fields, each contributed by the feature that knows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from carnelian.engine.shared.core import Core

Fields = Iterable[tuple[str, object]]
Section = Callable[[Any], Fields]

# In the order in which INFO shows them; the second value tells whether `INFO` alone does.
_ORDER = {
    "server": True, "clients": True, "memory": True, "persistence": True, "threads": True,
    "stats": True, "replication": True, "cpu": True, "modules": True, "commandstats": False,
    "errorstats": True, "latencystats": False, "cluster": True, "keyspace": True,
    "keysizes": False, "debug": False,
}  # fmt: skip

# Shown only where they are named: to look through all keys takes its time, and the others are of
# no use but for debugging.
_ONLY_NAMED = frozenset(("keysizes", "debug"))

# Filled by the decorator as the modules that know the fields are imported.
_sections: dict[str, Section] = {}


def section(name: str) -> Callable[[Section], Section]:
    """Declare the decorated function as the source of a section's fields, in order."""

    def declare(function: Section) -> Section:
        _sections[name] = function
        return function

    return declare


class Info:
    """Renders the sections of one engine."""

    def __init__(self, core: Core):
        self._core = core

    def names(self, wanted: Iterable[str]) -> list[str]:
        """The sections that the words of an INFO command ask for, in order, each once."""
        words = {word.lower() for word in wanted} or {"default"}
        if words & {"all", "everything"}:
            picked = {name for name in _ORDER if name != "modules" or "everything" in words}
            picked = (picked - _ONLY_NAMED) | words
        else:
            picked = set(words)
            if "default" in words:
                picked |= {name for name, shown in _ORDER.items() if shown}
        return [name for name in _ORDER if name in picked and name in _sections]

    def fields(self, name: str) -> dict[str, object]:
        """The fields of one section."""
        return dict(_sections[name](self._core))

    def render(self, wanted: Iterable[str]) -> bytes:
        """The text that INFO replies with."""
        parts = []
        for name in self.names(wanted):
            title = "CPU" if name == "cpu" else name.capitalize()
            lines = [f"# {title}"]
            lines += [f"{field}:{value}" for field, value in _sections[name](self._core)]
            parts.append("\r\n".join(lines) + "\r\n")
        return "\r\n".join(parts).encode("utf-8", "surrogateescape")
