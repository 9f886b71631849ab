"""Declares commands: built-in ones beside their handlers, and those of users in their own modules.

::

    GROUP = "list"


    @command("LPUSH key element ...", "write denyoom fast", keys=at(1, "RW insert"))
    def lpush(session: Session, args: list):
        \"\"\"Puts elements before the first of a list, one after the other.

        Since 1.0.0, O(1) for each element that is pushed
        2.4.0: Several elements can be given.
        \"\"\"

The line is the grammar (:mod:`carnelian.engine.catalogue.grammar`), which gives the arity as well;
of the docstring :mod:`carnelian.engine.catalogue.documentation` makes COMMAND DOCS and HELP.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

from carnelian.engine import python_commands
from carnelian.engine.catalogue import documentation
from carnelian.engine.catalogue.key_positions import Finder, KeySpec
from carnelian.engine.catalogue.key_positions import after as after
from carnelian.engine.catalogue.key_positions import at as at
from carnelian.engine.catalogue.key_positions import counted as counted
from carnelian.engine.catalogue.key_positions import unknown as unknown
from carnelian.engine.catalogue.registry import DECLARED, Declaration, declarations

if TYPE_CHECKING:
    from carnelian.engine.session import Session

Handler = TypeVar("Handler", bound="Callable[[Session, list[bytes]], object]")


def command(
    name: str,
    flags: str | Iterable[str] = "",
    *,
    keys: int | Sequence[int] | KeySpec | Sequence[KeySpec] = (),
    arity: int | None = None,
    arguments: str = "",
    summary: str = "",
    complexity: str = "",
    since: str = "",
    categories: str = "",
    hints: str | Iterable[str] = (),
    group: str = "",
    get_keys: Finder | None = None,
    flags_of: Callable[..., int] | None = None,
    syscmd: bool = False,
    docstring: str = "",
) -> Callable[[Handler], Handler]:
    """Declare the decorated function as a command; one of yours is loaded with its module.

    The function is called as ``handler(session, args)``. ``args`` are the words as bytes, the
    name first; ``session.call("GET", key)`` runs other commands and ``session.db`` is the current
    database. What it returns is the reply: ``str``, ``bytes``, ``int``, ``float``, ``bool``,
    ``None``, or lists, dicts and sets of them. A raised :class:`carnelian.Error` is the reply as it
    is, any other exception becomes ``ERR <type>: <text>``.

    Args:
        name: such as ``"SCORE.TOP"``, and what follows it: ``"SCORE.TOP key count:integer"``.
            ``"SCORE TOP"`` is a subcommand of a declared ``SCORE``: all leading words in upper
            case, two at most, are the name.
        flags: words such as ``"write denyoom"`` or ``"readonly fast"``. A command that changes
            keys has to say ``write``.
        keys: which words are keys: a position, or (first, last, step) with ``last`` counted from
            the end if negative, or key specs (:func:`at`, :func:`counted`, :func:`after`).
        arity: the number of words including the name; at least ``-arity`` if negative. Follows from
            the arguments if they are given; else one of yours takes any number.
        arguments: what follows the name, if it does not stand there: as where it begins with a
            literal word, which would be taken for a part of the name.
        summary, complexity, since: for COMMAND DOCS, if the docstring does not say it.
        categories: ACL categories that neither flags nor group imply, those of Redis or others;
            ``-keyspace`` takes away one that they do.
        hints: command tips.
        group: a name of :data:`carnelian.engine.catalogue.registry.GROUPS`, for built-in commands;
        GROUP of
            the module if not given.
        get_keys: finds the keys where key specs cannot tell: their positions among the words,
            or pairs of position and flags.
        flags_of: tells the flags that the command is judged by, where its words decide of them: a
            function of session, words, and the declared flags as bits.
        syscmd: whether it is one that only servers send.
        docstring: what to read in place of that of a handler which several commands share.

    Raises:
        TypeError, ValueError: what is declared makes no command.
    """
    namespace = sys._getframe(1).f_globals
    if not isinstance(name, str):
        raise ValueError(f"{name!r} is no name of a command")
    name, follows = split_name(name)
    arguments = arguments or follows

    def declare(handler: Handler) -> Handler:
        module = getattr(handler, "__module__", None) or ""
        built_in = module.startswith("carnelian.")
        words = python_commands.checked_flags(name, flags)
        specs = python_commands.key_specs(name, keys, words)
        declaration = Declaration(
            name=name.upper(),
            handler=handler if built_in else python_commands.adapted(name, handler),
            flags=words if built_in else words | {"module"},
            keys=specs,
            group=(group or sys.modules[module].__dict__["GROUP"]) if built_in else "module",
            arguments=arguments,
            categories=tuple(categories.lower().split()),
            hints=(hints,) if isinstance(hints, str) else tuple(hints),
            get_keys=get_keys,
            flags_of=flags_of,
            syscmd=syscmd,
            docstring=docstring or _document(handler, summary, since, complexity),
            words=arity,
        )
        if built_in:
            declarations[declaration.name] = declaration
        else:
            python_commands.check(declaration)
            namespace.setdefault(DECLARED, []).append(declaration)
        return handler

    return declare


def split_name(text: str) -> tuple[str, str]:
    """The name, and what follows it."""
    words = text.split(maxsplit=2)
    if len(words) > 1 and words[1].isupper() and words[1].replace("-", "").isalnum():
        return f"{words[0]} {words[1]}", "".join(words[2:])
    return (words[0], text[len(words[0]) :].strip()) if words else (text, "")


def _document(handler: Callable[..., object], summary: str, since: str, complexity: str) -> str:
    """The docstring, with what was said elsewhere in its place."""
    if not (summary or since or complexity):
        return handler.__doc__ or ""
    own = documentation.parse(handler.__doc__ or "")
    cost = complexity or own.complexity
    entry = f"Since {since or own.since}" + (f", {cost}" if cost else "")
    return f"{summary or own.summary}\n\n{entry}"
