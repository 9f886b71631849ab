"""The configuration of an engine: showing, changing, reading and saving the values."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from carnelian.datatypes.algorithms.glob import matches
from carnelian.engine.config import loader, rewriter
from carnelian.engine.config.assigned import Values
from carnelian.engine.config.command_line import Arguments
from carnelian.engine.config.directive import Directive
from carnelian.engine.config.mistakes import ConfigError
from carnelian.resp.replies import Error

Hook = Callable[[Any], object]
Pairs = Sequence[tuple[bytes, bytes]]

WILDCARDS = b"[*?"


class Config(Values):
    """The configuration of one engine: its values, and how they are shown, changed and saved."""

    def __init__(self, directory: str | None = None):
        super().__init__(directory)
        self._hooks: dict[str, list[Hook]] = {}
        self._line_sources: dict[str, rewriter.Source] = {}

    def remove(self, directive: Directive) -> None:
        """Forget a directive of a module that is unloaded, with its value and its hooks."""
        super().remove(directive)
        self._hooks.pop(directive.name, None)

    def idle(self) -> list[str]:
        """Warnings about directives that have been set, and have no effect here or not yet."""
        names: dict[str, list[str]] = {}
        for directive in self.directives():
            if directive.awaits and self.values[directive.name] != directive.default:
                names.setdefault(directive.awaits, []).append(directive.name)
        return [_idle_warning(feature, *names[feature]) for feature in sorted(names)]

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
        for _, directive, _ in chosen:
            if directive.awaits and directive.name in changed:
                self.warn(_idle_warning(directive.awaits, directive.name))

    def _choose(
        self, pairs: Pairs, local: bool, loading: bool
    ) -> list[tuple[bytes, Directive, bytes]]:
        """The registered names and directives of the pairs, if each may be changed now."""
        chosen: dict[str, tuple[bytes, Directive, bytes]] = {}
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
            # An alias names the same directive.
            if directive.name in chosen:
                raise _failure(shown, "duplicate parameter")
            chosen[directive.name] = (name, directive, text)
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

    def rewrite_with(self, word: str, source: rewriter.Source) -> None:
        """Let a feature say which ``user`` or ``loadmodule`` lines a rewritten file has.

        Without a source such lines are left as they are. For lines of a Sentinel ``word`` is
        ``sentinel`` and the word after it.
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
            rewriter.rewrite(self, self.path, self._line_sources, force_all)
        except OSError as error:
            self.warn(f"CONFIG REWRITE failed: {error.strerror}")
            raise Error(f"ERR Rewriting config file: {error.strerror}") from None


def _arguments(directive: Directive, text: bytes) -> list[bytes]:
    """The arguments that CONFIG SET makes of a value: no quotes, one blank between two."""
    if not directive.multiple:
        return [text]
    return text.split(b" ") if text else []


def _idle_warning(feature: str, *names: str) -> str:
    until = "here" if feature == "-" else f"until there is {feature}"
    return f"WARNING: no effect {until}: {', '.join(names)}"


def _failure(name: bytes, reason: str) -> Error:
    start = b"ERR CONFIG SET failed (possibly related to argument '%s') - " % name
    return Error(start + reason.encode("utf-8", "surrogateescape"))
