"""COMMAND: what commands there are, made from their declarations.

See https://redis.io/docs/latest/commands/command/ for the form of the replies.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from carnelian.datatypes.algorithms.glob import matches
from carnelian.engine.catalogue import grammar as grammar
from carnelian.engine.catalogue import key_positions
from carnelian.engine.catalogue.key_positions import Key, KeySpec
from carnelian.engine.catalogue.registry import FLAGS, Command, Registry
from carnelian.engine.declaring import command
from carnelian.engine.help import declare_help
from carnelian.engine.session import Session
from carnelian.resp.replies import SYNTAX_ERROR, Error, FlatMap, FlatSet, Status

GROUP = "server"

_ORDER_VARIES = "nondeterministic_output_order"
# These concern the server alone.
_HIDDEN_FLAGS = frozenset(
    ("may_replicate", "sentinel", "only_sentinel", "protected", "touches_arbitrary_keys")
)
# In the order in which clients see them.
_SHOWN_FLAGS = [name for name in FLAGS if name not in _HIDDEN_FLAGS | {"allow_busy", "movablekeys"}]
_SHOWN_FLAGS += ["movablekeys", "allow_busy"]


@command(
    "COMMAND", "loading stale sentinel", categories="connection", hints=_ORDER_VARIES, arity=-1
)
def command_all(session: Session, args: list[bytes]) -> list:
    """Tells about all commands.

    Since 2.8.13, O(N), for N commands
    """
    return [_details(one) for one in session.engine.registry]


declare_help(
    "COMMAND",
    group="server",
    since="5.0.0",
    flags="loading stale sentinel",
    categories="connection",
)


@command("COMMAND COUNT", "loading stale sentinel", categories="connection")
def command_count(session: Session, args: list[bytes]) -> int:
    """Counts the commands.

    Since 2.8.13, O(1)
    """
    return len(session.engine.registry)


@command(
    "COMMAND INFO [command-name ...]",
    "loading stale sentinel",
    categories="connection",
    hints=_ORDER_VARIES,
)
def command_info(session: Session, args: list[bytes]) -> list:
    """Tells about some commands, or all.

    Since 2.8.13, O(N), for N commands asked about
    7.0.0: Without a name it tells about all commands.
    """
    registry = session.engine.registry
    if len(args) == 2:
        return command_all(session, args)
    found = [registry.find(name) for name in args[2:]]
    return [None if one is None else _details(one) for one in found]


@command(
    "COMMAND DOCS [command-name ...]",
    "loading stale sentinel",
    categories="connection",
    hints=_ORDER_VARIES,
)
def command_docs(session: Session, args: list[bytes]) -> FlatMap:
    """Documents some commands, or all.

    Since 7.0.0, O(N), for N commands asked about
    """
    registry = session.engine.registry
    found = [registry.find(name) for name in args[2:]] if len(args) > 2 else list(registry)
    reply = FlatMap()
    for one in found:
        if one is not None:
            reply += [one.name, _documentation(session, one)]
    return reply


@command(
    "COMMAND LIST [FILTERBY filterby=<MODULE module-name | ACLCAT category | PATTERN pattern>]",
    "loading stale sentinel",
    categories="connection",
    hints=_ORDER_VARIES,
)
def command_list(session: Session, args: list[bytes]) -> list[bytes]:
    """Lists the names of commands, all or those that a filter lets through.

    Since 7.0.0, O(N), for N commands
    """
    every = session.engine.registry.every()
    if len(args) == 2:
        return [one.name for one in every]
    if len(args) != 5 or args[2].lower() != b"filterby":
        raise SYNTAX_ERROR
    make_filter = _FILTERS.get(args[3].lower())
    if make_filter is None:
        raise SYNTAX_ERROR
    passes = make_filter(session, args[4])
    return [one.name for one in every if passes(one)]


@command("COMMAND GETKEYS command [arg ...]", "loading stale sentinel", categories="connection")
def command_getkeys(session: Session, args: list[bytes]) -> list[bytes]:
    """Finds the keys among the words of a command.

    Since 2.8.13, O(N), for N words of the command
    """
    words = args[2:]
    return [words[key.position] for key in _keys(session.engine.registry, words)]


@command(
    "COMMAND GETKEYSANDFLAGS command [arg ...]", "loading stale sentinel", categories="connection"
)
def command_getkeysandflags(session: Session, args: list[bytes]) -> list:
    """Finds the keys among the words of a command, and what it does to each.

    Since 7.0.0, O(N), for N words of the command
    """
    words = args[2:]
    return [
        [words[key.position], _statuses(key_positions.flag_names(key.access))]
        for key in _keys(session.engine.registry, words)
    ]


def _keys(registry: Registry, words: list[bytes]) -> list[Key]:
    one = registry.lookup(words)
    if one is None:
        raise Error("ERR Invalid command specified")
    finder = one.key_finder()
    if not finder.any:
        raise Error("ERR The command has no key arguments")
    if not _fits(len(words), one.arity):
        raise Error("ERR Invalid number of arguments specified for command")
    found = finder.find(words)
    if not found and not one.has("no_mandatory_keys"):
        raise Error("ERR Invalid arguments specified for command")
    return found


def _fits(count: int, arity: int) -> bool:
    return count == arity if arity > 0 else count >= -arity


# -- Filters of COMMAND LIST --------------------------------------------------------------------

Filter = Callable[[Command], bool]


def _of_module(session: Session, name: bytes) -> Filter:
    wanted = name.decode("utf-8", "surrogateescape")
    return lambda one: _module_name(session, one) == wanted


def _of_category(session: Session, name: bytes) -> Filter:
    category = name.decode("latin-1").lower()
    return lambda one: category in one.categories


def _of_pattern(session: Session, pattern: bytes) -> Filter:
    return lambda one: matches(pattern, one.name, True)


_FILTERS: dict[bytes, Callable[[Session, bytes], Filter]] = {
    b"module": _of_module,
    b"aclcat": _of_category,
    b"pattern": _of_pattern,
}


# -- COMMAND INFO -------------------------------------------------------------------------------


def _details(one: Command) -> list:
    declaration = one.declaration
    old = key_positions.legacy_range(declaration.keys)
    return [
        one.name,
        one.arity,
        _statuses([name for name in _SHOWN_FLAGS if one.has(name)]),
        old.first,
        old.last,
        old.step,
        _statuses([f"@{category}" for category in one.categories]),
        FlatSet([hint.encode() for hint in declaration.hints]),
        FlatSet([_key_spec(spec) for spec in declaration.keys]),
        [_details(each) for each in one.subcommands.values()] or FlatSet(),
    ]


def _statuses(names: list[str]) -> FlatSet:
    return FlatSet([Status(name.encode()) for name in names])


def _key_spec(spec: KeySpec) -> FlatMap:
    reply = FlatMap([b"notes", spec.notes.encode()] if spec.notes else [])
    reply += [b"flags", _statuses(key_positions.flag_names(key_positions.access_of(spec.flags)))]
    reply += [b"begin_search", _search(spec), b"find_keys", _extent(spec)]
    return reply


def _search(spec: KeySpec) -> FlatMap:
    if spec.begin is None:
        return _typed("unknown")
    if isinstance(spec.begin, int):
        return _typed("index", b"index", spec.begin)
    return _typed("keyword", b"keyword", spec.begin.encode(), b"startfrom", spec.begin_from)


def _extent(spec: KeySpec) -> FlatMap:
    if spec.range is not None:
        last, step, limit = spec.range
        return _typed("range", b"lastkey", last, b"keystep", step, b"limit", limit)
    if spec.keynum is not None:
        count, first, step = spec.keynum
        return _typed("keynum", b"keynumidx", count, b"firstkey", first, b"keystep", step)
    return _typed("unknown")


def _typed(kind: str, *fields: object) -> FlatMap:
    return FlatMap([b"type", kind.encode(), b"spec", FlatMap(fields)])


# -- COMMAND DOCS -------------------------------------------------------------------------------


def _documentation(session: Session, one: Command) -> FlatMap:
    declaration = one.declaration
    reply = FlatMap()
    told = declaration.documentation
    if told.summary:
        reply += [b"summary", told.summary.encode()]
    reply += [b"since", told.since.encode(), b"group", declaration.group.encode()]
    if told.complexity:
        reply += [b"complexity", told.complexity.encode()]
    if one.has("module"):
        reply += [b"module", _module_name(session, one).encode("utf-8", "surrogateescape")]
    if declaration.doc_flags:
        reply += [b"doc_flags", _statuses(list(declaration.doc_flags))]
    if told.deprecated is not None:
        since, replacement = told.deprecated
        reply += [b"deprecated_since", since.encode(), b"replaced_by", replacement.encode()]
    if told.history:
        changes = [[since.encode(), change.encode()] for since, change in told.history]
        reply += [b"history", FlatSet(changes)]
    if declaration.arguments:
        tree = _tree(declaration.arguments, len(declaration.keys))
        reply += [b"arguments", grammar.document(tree)]
    if one.subcommands:
        subcommands = FlatMap()
        for each in one.subcommands.values():
            subcommands += [each.name, _documentation(session, each)]
        reply += [b"subcommands", subcommands]
    return reply


@lru_cache(maxsize=1024)
def _tree(text: str, key_specs: int) -> tuple[grammar.Argument, ...]:
    return grammar.parse(text, key_specs)


def _module_name(session: Session, one: Command) -> str:
    """The user module that a command comes from; empty for one of our own."""
    for module in session.engine.modules:
        if any(declaration is one.declaration for declaration in module.declarations):
            return module.name
    return ""
