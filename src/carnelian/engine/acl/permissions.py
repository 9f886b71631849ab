"""Permissions in the form that commands are judged by: a bit for each command, and patterns.

Most patterns are a text with at most one ``*``, at its end. They are compared with a key without
looking for other wildcards.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms.glob import match_chars
from cython.cimports.carnelian.engine.acl.permissions import (
    ALLOWED,
    BY_CHANNEL,
    BY_COMMAND,
    BY_KEY,
    GLOB,
    LITERAL,
    PREFIX,
    Objection,
    Pattern,
)
from cython.cimports.carnelian.engine.acl.rules import BOTH, READ, WRITE
from cython.cimports.carnelian.engine.catalogue.key_positions import KeyFinder, KeyPositions
from cython.cimports.carnelian.engine.catalogue.registry import Command
from cython.cimports.carnelian.engine.ground.access import (
    ACCESS,
    DELETE,
    INSERT,
    UPDATE,
)
from cython.cimports.carnelian.resp.libc import get_item
from cython.cimports.cpython.bytes import (
    PyBytes_AS_STRING,
    PyBytes_CheckExact,
    PyBytes_GET_SIZE,
)
from cython.cimports.cpython.object import PyObject
from cython.cimports.libc.stdlib import free, malloc
from cython.cimports.libc.string import memcmp

from carnelian.engine.acl.command_names import CommandNames
from carnelian.engine.acl.rules import Account, Grant
from carnelian.engine.catalogue.registry import FLAG_BITS

_NO_AUTH = cython.declare(cython.longlong, FLAG_BITS["no_auth"])
_PUBSUB = cython.declare(cython.longlong, FLAG_BITS["pubsub"])

_WILDCARDS = frozenset(b"*?[\\")

# Which words of a command are channels that a user needs: the first, the last (None: to the end),
# and whether they are patterns. To cease to listen is free.
_CHANNELS: dict[bytes, tuple[int, int | None, bool]] = {
    b"publish": (1, 2, False),
    b"spublish": (1, 2, False),
    b"subscribe": (1, None, False),
    b"ssubscribe": (1, None, False),
    b"psubscribe": (1, None, True),
}

REASONS = {1: b"command", 2: b"key", 3: b"auth", 4: b"channel"}


@cython.final
@cython.cclass
class Selector:
    """What a grant allows, prepared for the question; it never changes.

    Args:
        grant: the rules.
        names: the commands that there are now.
    """

    def __cinit__(self):
        self.patterns = cython.NULL

    def __init__(self, grant: Grant, names: CommandNames):
        self.grant = grant
        self.future = grant.future
        self.all_keys = grant.all_keys
        self.all_channels = grant.all_channels
        self.exactly = any(opens != BOTH for opens in grant.keys.values())
        allowed, first_arguments = names.allowed(grant.future, grant.commands)
        self.known = names.count
        self.allowed = allowed.to_bytes(names.count // 8 + 1, "little")
        self.first_arguments = first_arguments
        self.unlimited = (
            grant.future and grant.all_keys and grant.all_channels and allowed == names.everything
        )
        self.texts = (*grant.keys, *grant.channels)
        self.keys = len(grant.keys)
        self.channels = len(grant.channels)
        self.patterns = cython.cast(
            cython.pointer[Pattern], malloc(max(len(self.texts), 1) * cython.sizeof(Pattern))
        )
        if self.patterns == cython.NULL:
            raise MemoryError
        opened = [*grant.keys.values(), *[BOTH for _ in grant.channels]]
        for number in range(len(opened)):
            _prepare(cython.address(self.patterns[number]), self.texts[number], opened[number])

    def __dealloc__(self):
        free(self.patterns)

    def lets(self, command, args):
        """Whether it certainly allows the command with these words: all that is usual is told
        here, without objects and reasons; the rest is for :meth:`ask`.
        """
        number: cython.int = command.number
        if number >= self.known or not self.has_bit(number):
            return False
        if not (self.all_channels or command.flags & _PUBSUB == 0):
            return False
        if self.all_keys:
            return True
        if command.finder is None:
            return False
        if not command.finder.any:
            return True
        place: cython.int = command.finder.single
        if place <= 0 or place >= len(args) or (self.exactly and command.finder.varying):
            return False
        key: cython.pointer[PyObject] = get_item(args, place)
        if not PyBytes_CheckExact(cython.cast(object, key)):
            return False
        return self.opens(key, _needed(command.finder.places[0].access))

    def has_bit(self, number):
        """Whether the command of this number is allowed, one of those that were there."""
        bits = cython.cast(cython.p_uchar, PyBytes_AS_STRING(self.allowed))
        return bits[number >> 3] >> (number & 7) & 1

    def runs(self, command, args):
        """Whether the command may be run, as far as keys and channels do not matter."""
        number: cython.int = command.number
        if number >= self.known:
            allowed: cython.bint = self.future
        else:
            allowed = self.has_bit(number)
        if allowed or command.flags & _NO_AUTH:
            return True
        if not self.first_arguments or len(args) < 2:
            return False
        return cython.cast(bytes, args[1]).lower() in self.first_arguments.get(number, ())

    def opens(self, key, access):
        """Whether a key may be used in this way: 0, READ, WRITE or both."""
        text: cython.p_char = PyBytes_AS_STRING(cython.cast(bytes, key))
        size: cython.Py_ssize_t = PyBytes_GET_SIZE(cython.cast(bytes, key))
        pattern: cython.pointer[Pattern] = self.patterns
        end: cython.pointer[Pattern] = pattern + self.keys
        while pattern < end:
            if pattern.opens & access == access and fits(pattern, text, size):
                return True
            pattern += 1
        return False

    def hears(self, channel, as_pattern):
        """Whether a channel may be used; a pattern of channels has to be allowed literally."""
        if self.all_channels:
            return True
        if as_pattern:
            return channel in self.grant.channels
        number: cython.int
        for number in range(self.keys, self.keys + self.channels):
            pattern = cython.address(self.patterns[number])
            if fits(pattern, PyBytes_AS_STRING(channel), PyBytes_GET_SIZE(channel)):
                return True
        return False

    def ask(self, command, args, found, objection):
        """Why the command may not run with these words; ALLOWED if it may."""
        if not self.runs(command, args):
            objection.reason = BY_COMMAND
            objection.position = 0
            return BY_COMMAND
        if not self.all_keys and self.ask_about_keys(command, args, found, objection):
            return BY_KEY
        if self.all_channels or not command.flags & _PUBSUB:
            return ALLOWED
        return self.ask_about_channels(command, args, objection)

    def ask_about_keys(self, command, args, found, objection):
        """The same as far as keys matter."""
        number: cython.Py_ssize_t
        count: cython.Py_ssize_t
        finder: KeyFinder = command.key_finder()
        if not finder.any:
            return ALLOWED
        if finder.get_keys is None:
            count = finder.locate(args, found, self.exactly)
        else:
            count = _located(finder, args, found, self.exactly)
        if count < 0:
            objection.reason = BY_KEY
            objection.position = 0
            return BY_KEY
        for number in range(count):
            position: cython.Py_ssize_t = found.keys[number].position
            key: bytes = args[position]
            if not self.opens(
                cython.cast(cython.pointer[PyObject], key), _needed(found.keys[number].access)
            ):
                objection.reason = BY_KEY
                objection.position = position
                return BY_KEY
        return ALLOWED

    def ask_about_channels(self, command, args, objection):
        """The same as far as channels matter."""
        position: cython.Py_ssize_t
        place: tuple | None = _CHANNELS.get(command.name)
        if place is None:
            return ALLOWED
        first, last, as_pattern = place
        for position in range(first, len(args) if last is None else last):
            if not self.hears(args[position], as_pattern):
                objection.reason = BY_CHANNEL
                objection.position = position
                return BY_CHANNEL
        return ALLOWED

    def listens(self, channel: bytes, as_pattern: bool) -> bool:
        """Whether a channel may be listened to."""
        return self.hears(channel, as_pattern)


@cython.cfunc
@cython.exceptval(-2)
def _located(
    finder: KeyFinder, args: list, found: KeyPositions, exactly: cython.bint
) -> cython.Py_ssize_t:
    """How many keys were found; -1 if a finder of somebody's own has failed: what cannot be told
    is not allowed.
    """
    try:
        return finder.locate(args, found, exactly)
    except Exception:
        return -1


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _needed(access: cython.int) -> cython.int:
    """What has to be open for bits of :mod:`carnelian.engine.ground.access`."""
    needed: cython.int = 0
    if access == 0:
        # Whoever found the key does not say.
        return BOTH
    if access & ACCESS:
        needed = READ
    if access & (INSERT | UPDATE | DELETE):
        needed |= WRITE
    return needed


@cython.cfunc
def _prepare(pattern: cython.pointer[Pattern], text: bytes, opens: cython.int):
    """Put a pattern down without objects; the text has to stay."""
    pattern.text = PyBytes_AS_STRING(text)
    pattern.size = PyBytes_GET_SIZE(text)
    pattern.opens = opens
    pattern.form = GLOB
    if _WILDCARDS.isdisjoint(text):
        pattern.form = LITERAL
    elif len(text) > 1 and text.endswith(b"*") and _WILDCARDS.isdisjoint(text[: len(text) - 1]):
        pattern.form = PREFIX
        pattern.size -= 1


def fits(pattern, text, size):
    """Whether a text is one that the pattern means."""
    if pattern.form == GLOB:
        return match_chars(pattern.text, pattern.size, text, size, False)
    if size < pattern.size or (pattern.form == LITERAL and size != pattern.size):
        return False
    return memcmp(pattern.text, text, pattern.size) == 0


@cython.final
@cython.cclass
class User:
    """One user of an engine: an account, and its selectors as commands are judged by them.

    A user stays the same object while its rules change.
    """

    def __init__(self, name: bytes, account: Account, names: CommandNames):
        self.name = name
        self.become(account, [Selector(grant, names) for grant in account.grants])

    def become(self, account, selectors):
        """Have other rules, and the selectors that are made of them, from now on."""
        self.account = account
        self.selectors = selectors
        self.root = selectors[0]
        self.unlimited = False
        for each in selectors:
            self.unlimited |= cython.cast(Selector, each).unlimited

    def lets(self, command, args):
        """Whether the rules outside of other selectors certainly allow the command, as most do."""
        return self.root.lets(command, args)

    def ask(self, command, args, found, objection):
        """Why this user may not run the command with these words; ALLOWED if one selector allows
        all of it.

        Else the reason is that of the selector that came furthest.
        """
        other = cython.declare(Objection)
        if self.root.ask(command, args, found, objection) == ALLOWED:
            return ALLOWED
        for selector in self.selectors[1:]:
            if (
                cython.cast(Selector, selector).ask(command, args, found, cython.address(other))
                == ALLOWED
            ):
                return ALLOWED
            if other.reason > objection.reason or (
                other.reason == objection.reason and other.position > objection.position
            ):
                objection[0] = other
        return objection.reason

    def judge(self, command: Command, args: list) -> tuple[int, int] | None:
        """The reason of :data:`REASONS`, and the position of the word that it is about, for which
        the command may not run with these words; None if it may.
        """
        objection = cython.declare(Objection)
        if self.ask(command, args, KeyPositions(), cython.address(objection)) == ALLOWED:
            return None
        return objection.reason, objection.position

    def reads_all_keys(self, command: Command, args: list) -> bool:
        """Whether one selector that allows the command lets all keys be read, whatever they are
        called: what SORT looks up by patterns is known too late to ask.
        """
        objection = cython.declare(Objection)
        found = KeyPositions()
        for each in self.selectors:
            selector: Selector = each
            if selector.ask(command, args, found, cython.address(objection)) != ALLOWED:
                continue
            if selector.all_keys or selector.grant.keys.get(b"*", 0) & READ:
                return True
        return False

    def channels(self) -> list[bytes] | None:
        """The patterns of channels that some selector allows; None if that is all of them."""
        found: list[bytes] = []
        for each in self.selectors:
            selector: Selector = each
            if selector.all_channels:
                return None
            found += selector.grant.channels
        return found

    def listens(self, channel: bytes, as_pattern: bool) -> bool:
        """Whether some selector allows a channel, or literally a pattern of channels."""
        return any(each.listens(channel, as_pattern) for each in self.selectors)
