"""The values of all directives: reading, changing and saving them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from carnelian.datatypes.glob import matches
from carnelian.engine.config import loader, rewriting
from carnelian.engine.config.arguments import Arguments
from carnelian.engine.config.directive import Directive
from carnelian.engine.config.directives import DIRECTIVES
from carnelian.engine.config.errors import ConfigError
from carnelian.resp.replies import Error

Hook = Callable[[Any], object]
Pairs = Sequence[tuple[bytes, bytes]]

WILDCARDS = b"[*?"


class Config:
    """The configuration of one engine.

    ``config["maxmemory"]`` is a value in its Python form, by the directive's proper name (not an
    alias). ``config.values`` is the dict behind it, to be read only. Assigning with ``config[...]
    = value`` stores a typed value as it is: no check, no hook.

    ``path`` is the absolute path of the configuration file, or None. ``renamed_commands``,
    ``loaded_modules`` and ``users`` are the lines of the file that belong to other features, and
    ``module_values`` the values it gives to directives with a dot in their name. ``warn`` is
    called with messages for the log.
    """

    def __init__(self, directory: str | None = None):
        self.values: dict[str, Any] = {d.name: d.default for d in DIRECTIVES}
        self.values["dir"] = os.path.realpath(directory or os.getcwd())
        self.path: str | None = None
        self.renamed_commands: list[loader.ConfigLine] = []
        self.loaded_modules: list[loader.ConfigLine] = []
        self.users: list[loader.ConfigLine] = []
        self.module_values: dict[str, bytes] = {}
        self.warn: Callable[[str], object] = lambda message: None
        # A first save line drops the default, later ones add to it.
        self.save_given = False
        self._directives: dict[bytes, Directive] = {}
        self._hooks: dict[str, list[Hook]] = {}
        self._line_sources: dict[str, Callable[[], Iterable[bytes]]] = {}
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
        """Forget a directive of a module that is unloaded, with its value and its hooks."""
        del self.values[directive.name]
        self._hooks.pop(directive.name, None)
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

    # CONFIG GET

    def get(self, patterns: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
        """Names and values of the directives that match any of the patterns, each name once.

        An alias is a name of its own. A name without wildcards is shown as it was asked for, and
        is the only way to see a hidden directive. O(directives) per pattern with wildcards.
        """
        found: dict[bytes, tuple[bytes, Directive]] = {}
        for pattern in patterns:
            if any(c in WILDCARDS for c in pattern):
                for name, directive in self._directives.items():
                    if "hidden" not in directive.flags and matches(pattern, name, True):
                        found.setdefault(name, (name, directive))
            elif pattern.lower() in self._directives:
                name = pattern.lower()
                found.setdefault(name, (pattern, self._directives[name]))
        return [(name, d.format(self.values[d.name])) for name, d in found.values()]

    # CONFIG SET

    def set(self, pairs: Pairs, *, local: bool = True, loading: bool = False) -> None:
        """Change directives together: all of them, or none.

        ``pairs`` are names and texts, ``local`` says that the client is connected from this
        machine, ``loading`` that a data set is being loaded. Raises Error with Redis's message.
        """
        chosen = self._choose(pairs, local, loading)
        before = {directive.name: self.values[directive.name] for _, directive, _ in chosen}
        changed: dict[str, bytes] = {}
        for name, directive, text in chosen:
            try:
                value = directive.read(_arguments(directive, text), self.values)
            except ConfigError as error:
                self.values.update(before)
                raise _failure(name, error.reason) from None
            except BaseException:
                self.values.update(before)
                raise
            if value != self.values[directive.name] or "volatile" in directive.flags:
                changed[directive.name] = name
            self.values[directive.name] = value
        self._apply(changed, before)

    def _choose(
        self, pairs: Pairs, local: bool, loading: bool
    ) -> list[tuple[bytes, Directive, bytes]]:
        """The registered names and directives of the pairs, if each may be changed now."""
        chosen: dict[bytes, tuple[bytes, Directive, bytes]] = {}
        for shown, text in pairs:
            name = shown.lower()
            directive = self._directives.get(name)
            if directive is None:
                raise Error(
                    b"ERR Unknown option or number of arguments for CONFIG SET - '%s'" % shown
                )
            if "immutable" in directive.flags:
                raise _failure(shown, "can't set immutable config")
            if "protected" in directive.flags and not self.allows(
                "enable-protected-configs", local
            ):
                raise _failure(shown, "can't set protected config")
            if loading and "deny-loading" in directive.flags:
                raise Error("LOADING Redis is loading the dataset in memory")
            if name in chosen:
                raise _failure(shown, "duplicate parameter")
            chosen[name] = (name, directive, text)
        return list(chosen.values())

    def on_change(self, name: str, hook: Hook) -> None:
        """Call ``hook(value)`` when CONFIG SET changes a directive, after all values are set.

        The hook may raise ConfigError: then all values are as before, and the hooks that were
        called are called again. One hook attached to several directives is called once, with the
        value of the first that changed; it reads the others itself.
        """
        if name not in self.values:
            raise KeyError(name)
        self._hooks.setdefault(name, []).append(hook)

    def _apply(self, changed: dict[str, bytes], before: dict[str, Any]) -> None:
        """Call the hooks of the changed directives; undo everything if one refuses."""
        called: list[tuple[Hook, str]] = []
        for name, shown in changed.items():
            for hook in self._hooks.get(name, ()):
                if any(hook == other for other, _ in called):
                    continue
                called.append((hook, name))
                try:
                    hook(self.values[name])
                except ConfigError as error:
                    self._undo(called, before)
                    raise _failure(shown, error.reason) from None
                except BaseException:
                    self._undo(called, before)
                    raise

    def _undo(self, called: list[tuple[Hook, str]], before: dict[str, Any]) -> None:
        """Bring back former values and tell the hooks that had been called."""
        name = called[-1][1]
        self.warn(
            f"Failed applying new configuration. Possibly related to new {name} setting. "
            "Restoring previous settings."
        )
        self.values.update(before)
        for hook, name in called:
            try:
                hook(self.values[name])
            except ConfigError as error:
                self.warn(f"Failed applying restored failed CONFIG SET command: {error.reason}")

    # Files and arguments

    def load_text(self, text: bytes | str) -> None:
        """Read lines of configuration; raises ConfigFileError at the first that is bad."""
        loader.load_text(self, text.encode() if isinstance(text, str) else text)

    def load_file(self, path: str) -> None:
        """Read a configuration file and remember it for CONFIG REWRITE."""
        self.path = os.path.abspath(path)
        loader.load_text(self, loader.read_file(path))

    def load_arguments(self, arguments: Arguments, stdin: bytes = b"") -> None:
        """Read what a command line gives: its file, what standard input held, its options."""
        text = b""
        if arguments.path is not None:
            self.path = arguments.path
            text = loader.read_file(arguments.path)
        loader.load_text(self, text + stdin + b"\n" + arguments.text)

    # CONFIG REWRITE

    def rewrite_with(self, word: str, source: Callable[[], Iterable[bytes]]) -> None:
        """Let a feature say which ``user`` or ``loadmodule`` lines a rewritten file has.

        Without a source such lines are left as they are.
        """
        self._line_sources[word] = source

    def rewrite(self, *, force_all: bool = False) -> None:
        """Save the values in the configuration file, changing as little of it as possible.

        Raises Error if there is no file or it cannot be written; the old one is then untouched.
        ``force_all`` writes directives that have their default too.
        """
        if self.path is None:
            raise Error("ERR The server is running without a config file")
        try:
            rewriting.rewrite(self, self.path, self._line_sources, force_all)
        except OSError as error:
            self.warn(f"CONFIG REWRITE failed: {error.strerror}")
            raise Error(f"ERR Rewriting config file: {error.strerror}") from None


def _arguments(directive: Directive, text: bytes) -> list[bytes]:
    """The arguments that CONFIG SET makes of a value: no quotes, one blank between two."""
    if not directive.multiple:
        return [text]
    return text.split(b" ") if text else []


def _failure(name: bytes, reason: str) -> Error:
    start = b"ERR CONFIG SET failed (possibly related to argument '%s') - " % name
    return Error(start + reason.encode("utf-8", "surrogateescape"))
