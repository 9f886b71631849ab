"""Commands: how one is declared, and the registry that finds it by name.

A declaration is the single source of a command: arity, flags and key specs for the execute
pipeline, ACL categories, COMMAND and COMMAND DOCS, cluster routing and the hints of the command
line client all read it. Declarations are shared and immutable; each engine makes its own
:class:`Command` objects from them, which also count calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import cython
from cython.cimports.carnelian.engine.catalogue.key_positions import KeyFinder
from cython.cimports.carnelian.engine.catalogue.registry import RECENT
from cython.cimports.carnelian.resp.libc import get_item
from cython.cimports.cpython.object import PyObject

from carnelian.engine.catalogue import documentation
from carnelian.engine.catalogue import grammar as grammar
from carnelian.engine.catalogue.documentation import Documentation
from carnelian.engine.catalogue.key_positions import Finder, KeySpec, legacy_range
from carnelian.engine.ground.stats import Histogram
from carnelian.resp.replies import Error

# Where a module's namespace holds its declarations, in the order in which they were made.
DECLARED = "__carnelian_commands__"

FLAGS = (
    "write", "readonly", "denyoom", "module", "admin", "pubsub", "noscript", "blocking",
    "loading", "stale", "skip_monitor", "skip_slowlog", "asking", "fast", "no_auth",
    "may_replicate", "no_mandatory_keys", "protected", "no_async_loading", "no_multi",
    "allow_busy", "movablekeys", "sentinel", "only_sentinel", "touches_arbitrary_keys",
)  # fmt: skip
FLAG_BITS = {name: 1 << bit for bit, name in enumerate(FLAGS)}

WRITE: int = FLAG_BITS["write"]
READONLY: int = FLAG_BITS["readonly"]
DENYOOM: int = FLAG_BITS["denyoom"]
NO_AUTH: int = FLAG_BITS["no_auth"]

GROUPS = (
    "generic", "string", "list", "set", "sorted-set", "hash", "pubsub", "transactions",
    "connection", "server", "scripting", "hyperloglog", "cluster", "sentinel", "geo", "stream",
        "bitmap", "array", "module",
)  # fmt: skip

# ACL categories, in the order in which clients see them.
CATEGORIES = (
    "keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap",
    "hyperloglog", "geo", "stream", "array", "pubsub", "admin", "fast", "slow", "blocking",
    "dangerous", "connection", "transaction", "scripting",
)  # fmt: skip

# The ACL category that membership of a group implies; the one of pubsub comes from the flag.
_GROUP_CATEGORIES = {
    "sorted-set": "sortedset", "generic": "keyspace", "transactions": "transaction",
    "string": "string", "list": "list", "set": "set", "hash": "hash", "connection": "connection",
    "scripting": "scripting", "hyperloglog": "hyperloglog", "geo": "geo", "stream": "stream",
    "bitmap": "bitmap", "array": "array",
}  # fmt: skip

_FLAG_CATEGORIES = {
    "write": ("write",), "readonly": ("read",), "admin": ("admin", "dangerous"),
    "pubsub": ("pubsub",), "fast": ("fast",), "blocking": ("blocking",),
}  # fmt: skip


class Declaration(NamedTuple):
    """All that is known of a command before it runs; see
    :func:`carnelian.engine.declaring.command` for the fields.

    ``words`` is the arity where the arguments do not tell it.
    """

    name: str
    handler: Callable | None
    flags: frozenset[str] = frozenset()
    keys: tuple[KeySpec, ...] = ()
    group: str = "module"
    arguments: str = ""
    categories: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    get_keys: Finder | None = None
    flags_of: Callable | None = None
    syscmd: bool = False
    docstring: str = ""
    words: int | None = None

    @property
    def arity(self) -> int:
        """The number of words, name included; at least so many if negative."""
        if self.words is not None:
            return self.words
        if self.group == "module" and not self.arguments:
            return -1
        return grammar.arity(self.arguments, self.name.count(" ") + 1)

    @property
    def documentation(self) -> Documentation:
        """What its docstring says."""
        return documentation.parse(self.docstring)

    @property
    def doc_flags(self) -> tuple[str, ...]:
        """``deprecated``, ``syscmd``, or none."""
        deprecated = ("deprecated",) if self.documentation.deprecated else ()
        return deprecated + (("syscmd",) if self.syscmd else ())

    @property
    def container(self) -> str | None:
        """The command that this one is a subcommand of, if it is one."""
        head, _, tail = self.name.rpartition(" ")
        return head if tail and head else None

    def acl_categories(self) -> tuple[str, ...]:
        """The categories that are given, and those that flags and group imply: Redis's in its
        order, then those that it has not.
        """
        chosen = set(self.categories)
        for flag in self.flags:
            chosen.update(_FLAG_CATEGORIES.get(flag, ()))
        if "fast" not in chosen:
            chosen.add("slow")
        if self.handler is not refuse and self.group in _GROUP_CATEGORIES:
            chosen.add(_GROUP_CATEGORIES[self.group])
        if "scripting" in chosen:
            chosen.discard("read")
        known = [name for name in CATEGORIES if name in chosen and f"-{name}" not in chosen]
        own = [name for name in self.categories if name not in CATEGORIES and name[0] != "-"]
        return (*known, *dict.fromkeys(own))


# Filled by the decorator as command modules are imported: name in upper case -> declaration.
declarations: dict[str, Declaration] = {}


def refuse(session: object, args: list[bytes]) -> None:
    """The handler of a command that only holds subcommands."""
    # Out of reach: without a subcommand the arity is wrong, and another word is unknown.
    raise AssertionError("a container has no handler of its own")


@cython.final
@cython.cclass
class Command:
    """A command of one engine: its declaration, prepared for execution, and its statistics.

    ``number`` is its place in maps with a bit for each command; see :class:`Registry`.
    """

    def __init__(self, declaration: Declaration):
        self.declaration = declaration
        self.name = declaration.name.lower().replace(" ", "|").encode()
        # 0 until somebody asks: to read all grammars at the start would take too long.
        self.words = 0
        self.handler = declaration.handler
        # What its flags are with these words, where those make a difference.
        self.flags_of = declaration.flags_of
        self.flags = sum(FLAG_BITS[flag] for flag in declaration.flags)
        if legacy_range(declaration.keys).movable:
            self.flags |= FLAG_BITS["movablekeys"]
        self.categories = declaration.acl_categories()
        self.subcommands: dict[bytes, Command] = {}
        self.number = -1
        self.finder: KeyFinder | None = None
        self.reset_statistics()

    @cython.ccall
    def key_finder(self) -> KeyFinder:
        """What finds the keys among the words of this command."""
        # Made when it is wanted: most engines never ask about most commands.
        if self.finder is None:
            self.finder = KeyFinder(self.declaration.keys, self.declaration.get_keys)
        return self.finder

    def reset_statistics(self) -> None:
        """Forget calls, times, failures and the latency histogram (CONFIG RESETSTAT)."""
        self.calls = 0
        self.microseconds = 0
        self.rejected_calls = 0
        self.failed_calls = 0
        self.slow_calls = 0
        self.slow_ns = 0
        self.slowest_ns = 0
        self.histogram: Histogram | None = None

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def record(self, nanoseconds: cython.longlong, tracking: cython.bint) -> cython.int:
        """Count one call of this duration."""
        self.calls += 1
        self.microseconds += nanoseconds // 1000
        if tracking:
            if self.histogram is None:
                self.histogram = Histogram()
            self.histogram.record(nanoseconds)
        return 0

    def record_slow(self, nanoseconds: int) -> None:
        """Count a call that went into the slow log."""
        self.slow_calls += 1
        self.slow_ns += nanoseconds
        self.slowest_ns = max(self.slowest_ns, nanoseconds)

    @property
    def arity(self) -> int:
        """The number of words, name included; at least so many if negative."""
        return self.count_words()

    def count_words(self) -> int:
        """The arity, which is looked for when a command is first met: it follows from the grammar
        of its arguments.
        """
        if self.words == 0:
            self.words = self.declaration.arity
        return self.words

    def has(self, flag: str) -> bool:
        """Whether the declaration carries this flag."""
        return bool(self.flags & FLAG_BITS[flag])


@cython.final
@cython.cclass
class Registry:
    """The commands of one engine by name, in any case.

    Commands and subcommands are numbered from 0 to ``numbered`` - 1, as they were declared. Those
    that are removed leave their number to the next command of their name, and to no other: what a
    user may run never becomes something else.
    """

    def __init__(self) -> None:
        self.numbers: dict[bytes, int] = {}
        self.numbered = 0
        self.by_spelling: dict[bytes, Command] = {}
        # Names met last and what they call, by where they are in memory: the parser makes the same
        # object of a name again and again.
        self.recent_names: list[bytes | None] = [None] * RECENT
        self.recent: list[Command | None] = [None] * RECENT
        self.top: dict[bytes, Command] = {}
        for declaration in sorted(declarations.values(), key=lambda d: d.name.count(" ")):
            self.add(declaration)

    def add(self, declaration: Declaration) -> Command:
        """Make a command from its declaration, replacing one of the same name."""
        made = Command(declaration)
        made.number = self.numbers.setdefault(made.name, self.numbered)
        self.numbered = max(self.numbered, made.number + 1)
        head = declaration.container
        if head is None:
            self.top[declaration.name.lower().encode()] = made
        else:
            parent = self.top[head.lower().encode()]
            parent.subcommands[declaration.name.rpartition(" ")[2].lower().encode()] = made
        self.forget_spellings()
        return made

    def remove(self, name: str) -> None:
        """Forget a command (MODULE UNLOAD); its declaration stays."""
        head, _, tail = name.lower().encode().rpartition(b" ")
        if head:
            del self.top[head].subcommands[tail]
        else:
            del self.top[tail]
        self.forget_spellings()

    def rename(self, name: bytes, new: bytes) -> None:
        """Give a command another name, or none if ``new`` is empty (``rename-command``).

        Raises:
            KeyError: there is no such command.
            ValueError: the new name is that of another command.
        """
        command = self.top.pop(name.lower())
        if new and self.top.setdefault(new.lower(), command) is not command:
            self.top[name.lower()] = command
            raise ValueError(f"there is a command {new!r} already")
        # They keep their numbers; a later command of the first name is another one.
        for each in (command, *command.subcommands.values()):
            self.numbers.pop(each.name, None)
        self.forget_spellings()

    @cython.ccall
    def lookup(self, args: list) -> Command | None:
        """The command that these words call, ``None`` if there is none; a subcommand if given.

        O(1): spellings met before are remembered, so that case folding happens once, and the last
        names themselves.

        Raises:
            IndexError: there are no words.
        """
        if not args:
            raise IndexError("a command has a name at least")
        name: cython.pointer[PyObject] = get_item(args, 0)
        place: cython.size_t = cython.cast(cython.size_t, name) >> 4 & (RECENT - 1)
        found: Command | None
        if get_item(self.recent_names, place) == name:
            found = cython.cast(Command, get_item(self.recent, place))
        else:
            found = self.meet(cython.cast(object, name), place)
            if found is None:
                return None
        if found.subcommands and len(args) > 1:
            found = found.subcommands.get(args[1].lower())
            if found is not None and found.words == 0:
                found.count_words()
        return found

    def meet(self, name, place):
        """:meth:`by_name`, with the name remembered by where it is."""
        found: Command | None = self.by_name(name)
        if found is not None:
            self.recent_names[place] = name
            self.recent[place] = found
        return found

    def by_name(self, name):
        """The command of a name in any case."""
        found: Command | None = self.by_spelling.get(name)
        if found is None:
            found = self.top.get(name.lower())
            if found is None:
                return None
            found.count_words()
            # The bound keeps a client from filling memory with ways to spell a name.
            if len(self.by_spelling) < 4096:
                self.by_spelling[name] = found
        return found

    def forget_spellings(self):
        """Names may call something else from now on."""
        if not self.by_spelling:
            return  # as long as the commands are being added, none was met
        self.by_spelling.clear()
        self.recent_names = [None] * RECENT
        self.recent = [None] * RECENT

    def find(self, name: str | bytes) -> Command | None:
        """A command by its full name, ``config|get`` or ``get``; ``None`` if unknown."""
        raw = name.encode() if isinstance(name, str) else name
        head, bar, tail = raw.lower().partition(b"|")
        found = self.top.get(head)
        if found is None or not bar:
            return found
        return found.subcommands.get(tail)

    def __iter__(self) -> Iterator[Command]:
        return iter(self.top.values())

    def __len__(self) -> int:
        return len(self.top)

    def every(self) -> Iterator[Command]:
        """All commands, each followed by its subcommands."""
        for command in self.top.values():
            yield command
            yield from command.subcommands.values()


def unknown_command(args: list[bytes]) -> Error:
    """The error for a name that nothing answers to; shows the start of the arguments."""
    shown = b""
    for arg in args[1:]:
        if len(shown) >= 128:
            break
        shown += b"'" + shown_word(arg, 128 - len(shown)) + b"' "
    name = shown_word(args[0])
    return Error(b"ERR unknown command '" + name + b"', with args beginning with: " + shown)


def shown_word(word: bytes, limit: int = 128) -> bytes:
    """A word of a client as errors show it: to its first zero byte, and not too much of it."""
    return word.partition(b"\0")[0][:limit]


def unknown_subcommand(command: Command, args: list[bytes]) -> Error:
    """The error for a subcommand that a container does not have."""
    return Error(
        b"ERR unknown subcommand '%s'. Try %s HELP." % (shown_word(args[1]), command.name.upper())
    )


def wrong_arity(command: Command) -> Error:
    """The error for too few or too many words."""
    return Error(b"ERR wrong number of arguments for '" + command.name + b"' command")
