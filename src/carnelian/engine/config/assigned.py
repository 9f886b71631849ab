"""What the directives are set to, and which lines of the configuration file belong to others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from carnelian.engine.config.directive import Directive
from carnelian.engine.config.directives import DIRECTIVES
from carnelian.engine.config.mistakes import ConfigFileError


class ConfigLine(NamedTuple):
    """A line of configuration: its number in the text, from 1, the text of it, its words."""

    number: int
    text: str
    words: tuple[bytes, ...]

    def error(self, reason: str) -> ConfigFileError:
        """The error that refuses this line, also for those who look at it later."""
        return ConfigFileError(reason, self.number, self.text)


class Values:
    """The directives of one engine and their values.

    ``config["maxmemory"]`` is a value in its Python form, by the directive's proper name (not an
    alias). ``config.values`` is the dict behind it, to be read only. Assigning with ``config[...]
    = value`` stores a typed value as it is: no check, no hook.

    ``path`` is the absolute path of the configuration file, or None. ``renamed_commands``,
    ``loaded_modules`` and ``users`` are the lines of the file that belong to other features, and
    ``module_values`` the values it gives to directives with a dot in their name.
    ``sentinel_lines`` are those of a Sentinel, None where there is none. ``warn`` is called with
    messages for the log.
    """

    def __init__(self, directory: str | None = None):
        self.values: dict[str, Any] = {d.name: d.default for d in DIRECTIVES}
        self.values["dir"] = os.path.realpath(directory or os.getcwd())
        self.path: str | None = None
        self.renamed_commands: list[ConfigLine] = []
        self.loaded_modules: list[ConfigLine] = []
        self.users: list[ConfigLine] = []
        self.sentinel_lines: list[ConfigLine] | None = None
        self.module_values: dict[str, bytes] = {}
        self.warn: Callable[[str], object] = lambda message: None
        # A first save line drops the default, later ones add to it.
        self.save_given = False
        self._directives: dict[bytes, Directive] = {}
        self._index(DIRECTIVES)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self.values:
            raise KeyError(name)
        self.values[name] = value

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def text(self, name: str) -> str:
        """The value of a directive as CONFIG GET shows it."""
        shown = self._directives[name.encode()].format(self.values[name])
        return shown.decode("utf-8", "surrogateescape")

    # Directives

    def _index(self, directives: Iterable[Directive]) -> None:
        """Take directives in under their names and aliases, in alphabetical order."""
        for directive in directives:
            for name in (directive.name, directive.alias):
                if name is not None:
                    self._directives[name.encode()] = directive
        self._directives = dict(sorted(self._directives.items()))

    def add(self, directive: Directive) -> None:
        """Take in a directive of a module, with its default; its name must be new."""
        if directive.name.encode() in self._directives:
            raise ValueError(f"there is a directive {directive.name} already")
        self.values[directive.name] = directive.default
        self._index([directive])

    def remove(self, directive: Directive) -> None:
        """Forget a directive of a module that is unloaded, with its value."""
        del self.values[directive.name]
        self._directives = {n: d for n, d in self._directives.items() if d is not directive}

    def directive(self, name: bytes) -> Directive | None:
        """The directive of a name or an alias, whatever its case; None if there is none."""
        return self._directives.get(name.lower())

    def directives(self) -> list[Directive]:
        """All directives once, in the order of their declaration."""
        known = {d.name: d for d in self._directives.values()}
        return [known[name] for name in self.values]

    def is_sensitive(self, name: bytes) -> bool:
        """Whether the value of a directive must be kept out of logs and MONITOR."""
        directive = self.directive(name)
        return directive is not None and "sensitive" in directive.flags

    def allows(self, name: str, local: bool) -> bool:
        """Whether ``enable-debug-command`` or one like it lets a client act.

        ``local`` says that the client is connected from this machine.
        """
        return self.values[name] == "yes" or (self.values[name] == "local" and local)
