"""``@carnelian.command``: commands that users write in modules of their own.

A declaration made here reaches no engine by itself. It is noted in the namespace of the module
that made it, and :mod:`carnelian.engine.modules` takes it from there when the module is loaded.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from carnelian.engine import arguments as grammar
from carnelian.engine.faults import is_interrupt, text_of, trace_of
from carnelian.engine.registry import DECLARED, FLAGS, Declaration, KeySpec, at
from carnelian.engine.values import check_error, to_reply
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.session import Session

Handler = Callable[..., object]

_NAME = re.compile(r"[^\s|]+( [^\s|]+)?")


def command(
    name: str,
    *,
    arity: int = -1,
    flags: str | Iterable[str] = "",
    keys: int | Sequence[int] | KeySpec | Sequence[KeySpec] = (),
    summary: str = "",
    complexity: str = "",
    since: str = "1.0.0",
    arguments: str = "",
    categories: str = "",
) -> Callable[[Handler], Handler]:
    """Declare the decorated function as a command, to be loaded with the module it stands in.

    The function is called as ``handler(session, args)``. ``args`` are the words as bytes, the
    name first; ``session.call("GET", key)`` runs other commands and ``session.db`` is the current
    database. What it returns is the reply: ``str``, ``bytes``, ``int``, ``float``, ``bool``,
    ``None``, or lists, dicts and sets of them. A raised :class:`carnelian.Error` is the reply as it
    is, any other exception becomes ``ERR <type>: <text>``.

    Args:
        name: such as ``"SCORE.TOP"``; ``"SCORE TOP"`` is a subcommand of a declared ``SCORE``.
        arity: the number of words including the name; at least ``-arity`` if negative.
        flags: words such as ``"write denyoom"`` or ``"readonly fast"``. A command that changes
            keys has to say ``write``.
        keys: which words are keys: a position, or (first, last, step) with ``last`` counted from
            the end if negative, or key specs.
        summary: one line for COMMAND DOCS; the first of the docstring if not given.
        complexity, since, arguments, categories: for COMMAND DOCS and ACL, as built-in commands
            have them.

    Raises:
        TypeError, ValueError: what is declared makes no command.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a command")
    if isinstance(arity, bool) or not isinstance(arity, int):
        raise TypeError(f"{name}: arity is the number of words, not {arity!r}")
    if arity == 0:
        raise ValueError(f"{name}: arity counts the name, so it cannot be 0")
    words = _flags(name, flags)
    specs = _key_specs(name, keys, words)
    grammar.parse(arguments, len(specs))
    namespace = sys._getframe(1).f_globals

    def declare(handler: Handler) -> Handler:
        declaration = Declaration(
            name=name.upper(),
            handler=_adapt(name, handler),
            arity=arity,
            flags=words | {"module"},
            keys=specs,
            group="module",
            since=since,
            complexity=complexity,
            summary=summary or _first_line(handler),
            arguments=arguments,
            categories=tuple(categories.split()),
            hints=(),
            history=(),
            get_keys=None,
            deprecated=None,
        )
        namespace.setdefault(DECLARED, []).append(declaration)
        return handler

    return declare


def _flags(name: str, flags: str | Iterable[str]) -> frozenset[str]:
    words = flags.split() if isinstance(flags, str) else list(flags)
    found = frozenset(word.lower().replace("-", "_") for word in words)
    if found - set(FLAGS):
        raise ValueError(f"{name}: unknown flags: {', '.join(sorted(found - set(FLAGS)))}")
    if {"write", "readonly"} <= found:
        raise ValueError(f"{name}: a command is either write or readonly")
    return found


def _key_specs(name: str, keys: Any, flags: frozenset[str]) -> tuple[KeySpec, ...]:
    if isinstance(keys, KeySpec):
        return (keys,)
    if keys in (0, (0, 0, 0)):
        return ()
    if isinstance(keys, int) and not isinstance(keys, bool):
        keys = (keys, keys, 1)
    if isinstance(keys, (tuple, list)):
        if all(isinstance(spec, KeySpec) for spec in keys):
            return tuple(keys)
        if len(keys) == 3 and all(type(position) is int for position in keys):
            return (_positions(name, keys, "RO ACCESS" if "readonly" in flags else "RW UPDATE"),)
    raise TypeError(f"{name}: keys are positions or key specs, not {keys!r}")


def _positions(name: str, positions: Sequence[int], access: str) -> KeySpec:
    first, last, step = positions
    if first < 1 or step < 1 or 0 <= last < first:
        raise ValueError(f"{name}: no keys at {(first, last, step)!r}, which counts from 1")
    return at(first, access, last if last < 0 else last - first, step)


def _first_line(handler: Handler) -> str:
    return (inspect.getdoc(handler) or "").partition("\n")[0]


def _adapt(name: str, handler: Handler) -> Handler:
    """The handler as the engine calls it, which knows replies and errors of its own only."""
    if not callable(handler):
        raise TypeError(f"{name}: {handler!r} cannot be called")
    if inspect.iscoroutinefunction(handler) or inspect.isasyncgenfunction(handler):
        raise TypeError(f"{name}: a handler runs within one command and cannot be async")

    @functools.wraps(handler)
    def adapted(session: Session, args: list[bytes]) -> object:
        try:
            return to_reply(handler(session, args))
        except Error as error:
            check_error(error)
            raise
        except Exception:
            raise
        except BaseException as ending:
            # It would end whoever runs the engine.
            if is_interrupt(ending, session.engine.interrupts is not None):
                raise
            session.engine.log("warning", trace_of(ending))
            raise Error(f"ERR {text_of(ending)}") from ending

    return adapted
