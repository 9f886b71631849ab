"""``@carnelian.command``: commands that users write in modules of their own.

A declaration made here reaches no engine by itself. It is noted in the namespace of the module
that made it, and :mod:`carnelian.engine.extensions.modules` takes it from there when the module is
loaded.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from carnelian.engine.catalogue import grammar as grammar
from carnelian.engine.catalogue.key_positions import KeySpec, at
from carnelian.engine.catalogue.registry import FLAGS, Declaration
from carnelian.engine.extensions.conversion import check_error, to_reply
from carnelian.engine.ground.faults import is_interrupt, text_of, trace_of
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.session import Session

Handler = Callable[..., object]

_CATEGORY = re.compile(r"-?[a-z0-9_][a-z0-9_-]*")
_NAME = re.compile(r"[^\s|]+( [^\s|]+)?")


def check(declaration: Declaration) -> None:
    """Raise TypeError or ValueError where a user has declared what makes no command."""
    name = declaration.name
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a command")
    if declaration.words is not None:
        _check_arity(name, declaration.words)
    grammar.parse(declaration.arguments, len(declaration.keys))
    for category in declaration.categories:
        if not _CATEGORY.fullmatch(category) or category == "all":
            raise ValueError(f"{name}: {category!r} is no name of an ACL category")


def _check_arity(name: str, arity: object) -> None:
    if isinstance(arity, bool) or not isinstance(arity, int):
        raise TypeError(f"{name}: arity is the number of words, not {arity!r}")
    if arity == 0:
        raise ValueError(f"{name}: arity counts the name, so it cannot be 0")


def checked_flags(name: str, flags: str | Iterable[str]) -> frozenset[str]:
    """The flags as a set of words; raises ValueError where one is unknown, or two do not agree."""
    words = flags.split() if isinstance(flags, str) else list(flags)
    found = frozenset(word.lower().replace("-", "_") for word in words)
    if found - set(FLAGS):
        raise ValueError(f"{name}: unknown flags: {', '.join(sorted(found - set(FLAGS)))}")
    if {"write", "readonly"} <= found:
        raise ValueError(f"{name}: a command is either write or readonly")
    return found


def key_specs(name: str, keys: Any, flags: frozenset[str]) -> tuple[KeySpec, ...]:
    """The key specs, of whatever form they are given in."""
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


def adapted(name: str, handler: Handler) -> Handler:
    """The handler as the engine calls it, which knows replies and errors of its own only."""
    if not callable(handler):
        raise TypeError(f"{name}: {handler!r} cannot be called")
    # It takes longer to load than the rest of the module, and servers seldom have such commands.
    import inspect

    if inspect.iscoroutinefunction(handler) or inspect.isasyncgenfunction(handler):
        raise TypeError(f"{name}: a handler runs within one command and cannot be async")

    @functools.wraps(handler)
    def adapter(session: Session, args: list[bytes]) -> object:
        try:
            # What it does with its words is no matter to those who log, watch and pass on.
            return to_reply(handler(session, args[:]))
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

    return adapter
