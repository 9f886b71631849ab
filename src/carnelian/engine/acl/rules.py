"""The words of access rules, and what they come to: text to permissions, and back.

An :class:`Account` is all that rules say of a user, a :class:`Grant` what one selector of it
allows. Neither knows an engine. Rules are applied one by one and may fail in the middle: apply them
to a copy.

See https://redis.io/docs/latest/commands/acl-setuser/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from carnelian.engine.acl.command_names import CommandNames
from carnelian.engine.acl.passwords import hashed, is_hash
from carnelian.resp.quoting import split_arguments

# What a key pattern opens.
READ = 1
WRITE = 2
BOTH = 3

_LETTERS = {ord("R"): READ, ord("r"): READ, ord("W"): WRITE, ord("w"): WRITE}
_SIGNS = {READ: b"%R~", WRITE: b"%W~", BOTH: b"~"}
_NO_NAME = frozenset(b" \t\n\v\f\r\0")


class RuleError(Exception):
    """A word is no rule, or not one for this user; ``str(error)`` is Redis's reason."""


class UnknownName(RuleError):
    """A rule names a command or category that there is not, or not yet."""

    def __init__(self) -> None:
        super().__init__("Unknown command or category name in ACL")


class UnmatchedParenthesis(RuleError):
    """A selector is not closed; ``word`` is the one that begins it."""

    def __init__(self, word: bytes):
        super().__init__("Unmatched parenthesis in acl selector")
        self.word = word


_SYNTAX = "Syntax error"
_ALL_KEYS = (
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have "
    "any effect. Try 'resetkeys' to start with an empty list of patterns"
)
_ALL_CHANNELS = (
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not "
    "have any effect. Try 'resetchannels' to start with an empty list of channels"
)
_NO_SUCH_PASSWORD = "The password you are trying to remove from the user does not exist"
_NO_HASH = (
    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal "
    "characters"
)
_DEEP = "Allowing first-arg of a subcommand is not supported"


class Grant:
    """What one selector allows: commands, keys and channels.

    ``future`` says whether commands are allowed unless a rule of ``commands`` says otherwise.
    These are words such as ``+get``, ``-@string`` and ``+select|0``, the last one holds. ``keys``
    are patterns with READ, WRITE or BOTH.
    """

    __slots__ = ("all_channels", "all_keys", "channels", "commands", "future", "keys")

    def __init__(self, all_channels: bool = False):
        self.future = self.all_keys = False
        self.all_channels = all_channels
        self.commands: list[bytes] = []
        self.keys: dict[bytes, int] = {}
        self.channels: dict[bytes, None] = {}

    def copy(self) -> Grant:
        """Another one that allows the same."""
        made = Grant(self.all_channels)
        made.future, made.all_keys = self.future, self.all_keys
        made.commands = self.commands.copy()
        made.keys, made.channels = self.keys.copy(), self.channels.copy()
        return made

    # -- Rules -----------------------------------------------------------------------------------

    def apply(self, word: bytes, names: CommandNames) -> None:
        """Apply one rule; raises :class:`RuleError` and changes nothing if it is none."""
        switch = _SWITCHES.get(word.lower())
        if switch is not None:
            switch(self)
        elif word[:1] in (b"~", b"%"):
            self._add_key(word)
        elif word[:1] == b"&":
            self._add_channel(word[1:])
        elif word[:1] in (b"+", b"-"):
            self._add_command(word[:1], word[1:].lower(), names)
        else:
            raise RuleError(_SYNTAX)

    def allow_all_keys(self) -> None:
        """``allkeys``"""
        self.all_keys = True
        self.keys.clear()

    def reset_keys(self) -> None:
        """``resetkeys``"""
        self.all_keys = False
        self.keys.clear()

    def allow_all_channels(self) -> None:
        """``allchannels``"""
        self.all_channels = True
        self.channels.clear()

    def reset_channels(self) -> None:
        """``resetchannels``"""
        self.all_channels = False
        self.channels.clear()

    def allow_all_commands(self) -> None:
        """``allcommands``"""
        self.future = True
        self.commands.clear()

    def reset_commands(self) -> None:
        """``nocommands``"""
        self.future = False
        self.commands.clear()

    def _add_key(self, word: bytes) -> None:
        if self.all_keys:
            raise RuleError(_ALL_KEYS)
        access, pattern = (BOTH, word[1:]) if word[:1] == b"~" else _split_access(word)
        if not _NO_NAME.isdisjoint(pattern):
            raise RuleError(_SYNTAX)
        self.keys[pattern] = self.keys.get(pattern, 0) | access

    def _add_channel(self, pattern: bytes) -> None:
        if self.all_channels:
            raise RuleError(_ALL_CHANNELS)
        if not _NO_NAME.isdisjoint(pattern):
            raise RuleError(_SYNTAX)
        self.channels[pattern] = None

    def _add_command(self, sign: bytes, name: bytes, names: CommandNames) -> None:
        if name.startswith(b"@"):
            if names.of_category(name[1:]) is None:
                raise UnknownName
        elif b"|" in name and sign == b"+":
            _check_part(name, names)
        elif name not in names:
            raise UnknownName
        # A rule makes those about the same, and about parts of it, void.
        parts = name + b"|"
        self.commands = [
            rule for rule in self.commands if rule[1:] != name and not rule[1:].startswith(parts)
        ]
        self.commands.append(sign + name)

    # -- Texts -----------------------------------------------------------------------------------

    def command_text(self) -> bytes:
        """The rules about commands, as GETUSER shows them."""
        return b" ".join([b"+@all" if self.future else b"-@all", *self.commands])

    def key_text(self) -> bytes:
        """The rules about keys."""
        if self.all_keys:
            return b"~*"
        return b" ".join([_SIGNS[access] + pattern for pattern, access in self.keys.items()])

    def channel_text(self) -> bytes:
        """The rules about channels."""
        if self.all_channels:
            return b"&*"
        return b" ".join([b"&" + pattern for pattern in self.channels])

    def text(self) -> bytes:
        """All rules, as LIST shows them."""
        channels = self.channel_text()
        if not self.all_channels:
            channels = b"resetchannels " + channels if channels else b"resetchannels"
        return b" ".join(filter(None, (self.key_text(), channels, self.command_text())))


_SWITCHES = {
    b"allkeys": Grant.allow_all_keys,
    b"~*": Grant.allow_all_keys,
    b"resetkeys": Grant.reset_keys,
    b"allchannels": Grant.allow_all_channels,
    b"&*": Grant.allow_all_channels,
    b"resetchannels": Grant.reset_channels,
    b"allcommands": Grant.allow_all_commands,
    b"+@all": Grant.allow_all_commands,
    b"nocommands": Grant.reset_commands,
    b"-@all": Grant.reset_commands,
}


def _split_access(word: bytes) -> tuple[int, bytes]:
    """What ``%R~pattern`` opens, and the pattern; without a ``~`` that is empty."""
    letters, _, pattern = word[1:].partition(b"~")
    access = 0
    for letter in letters:
        opened = _LETTERS.get(letter, 0)
        if not opened or access & opened:
            raise RuleError(_SYNTAX)
        access |= opened
    if not access:
        raise RuleError(_SYNTAX)
    return access, pattern


def _check_part(name: bytes, names: CommandNames) -> None:
    """Raise unless this is a subcommand, or the first argument of a command that has none."""
    head, _, part = name.rpartition(b"|")
    if head not in names:
        raise UnknownName
    if b"|" in head:
        raise RuleError(_DEEP)
    if not part:
        raise RuleError(_SYNTAX)
    if names.is_container(head) and name not in names:
        raise UnknownName


class Account:
    """All that rules say of a user.

    ``passwords`` are SHA-256 hashes in hexadecimal digits. ``grants`` are its selectors, the first
    of which is the one that rules outside of parentheses change.
    """

    __slots__ = ("enabled", "grants", "nopass", "passwords", "sanitizing")

    def __init__(self, all_channels: bool = False):
        self.enabled = self.nopass = False
        self.sanitizing = True
        self.passwords: list[bytes] = []
        self.grants = [Grant(all_channels)]

    def copy(self) -> Account:
        """Another one of the same."""
        made = Account()
        made.enabled, made.nopass = self.enabled, self.nopass
        made.sanitizing = self.sanitizing
        made.passwords = self.passwords.copy()
        made.grants = [grant.copy() for grant in self.grants]
        return made

    def apply_all(self, words: Iterable[bytes], names: CommandNames, all_channels: bool) -> None:
        """Apply rules, in which selectors are whole words (see :func:`merge_selectors`).

        Args:
            all_channels: whether new selectors, and this after ``reset``, may use all channels.

        Raises:
            RuleError: those before it are applied.
        """
        for word in words:
            self.apply(word, names, all_channels)

    def apply(self, word: bytes, names: CommandNames, all_channels: bool) -> None:
        """The same for one rule."""
        change = _CHANGES.get(word.lower())
        if not word:
            return
        if change is not None:
            change(self)
        elif word[:1] in (b">", b"#"):
            self._add_password(_hash_of(word, b">"))
        elif word[:1] in (b"<", b"!"):
            self._remove_password(_hash_of(word, b"<"))
        elif word[:1] == b"(" and word[-1:] == b")":
            self.grants.append(_selector(word[1:-1], names, all_channels))
        elif word.lower() == b"reset":
            self._reset(all_channels)
        else:
            self.grants[0].apply(word, names)

    def enable(self) -> None:
        """``on``"""
        self.enabled = True

    def disable(self) -> None:
        """``off``"""
        self.enabled = False

    def sanitize(self) -> None:
        """``sanitize-payload``"""
        self.sanitizing = True

    def skip_sanitizing(self) -> None:
        """``skip-sanitize-payload``"""
        self.sanitizing = False

    def need_no_password(self) -> None:
        """``nopass``"""
        self.nopass = True
        self.passwords.clear()

    def reset_passwords(self) -> None:
        """``resetpass``"""
        self.nopass = False
        self.passwords.clear()

    def clear_selectors(self) -> None:
        """``clearselectors``"""
        del self.grants[1:]

    def _add_password(self, secret: bytes) -> None:
        if secret not in self.passwords:
            self.passwords.append(secret)
        self.nopass = False

    def _remove_password(self, secret: bytes) -> None:
        if secret not in self.passwords:
            raise RuleError(_NO_SUCH_PASSWORD)
        self.passwords.remove(secret)

    def _reset(self, all_channels: bool) -> None:
        self.enabled = self.nopass = False
        self.sanitizing = True
        self.passwords.clear()
        self.grants = [Grant(all_channels)]

    def flags(self) -> list[bytes]:
        """Words about the user, in Redis's order."""
        words = [b"on" if self.enabled else b"off"]
        if self.nopass:
            words.append(b"nopass")
        return [*words, b"sanitize-payload" if self.sanitizing else b"skip-sanitize-payload"]

    def text(self) -> bytes:
        """All rules: what makes the same of a new user."""
        first, *others = [grant.text() for grant in self.grants]
        passwords = [b"#" + secret for secret in self.passwords]
        selectors = [b"(%s)" % text for text in others]
        return b" ".join([*self.flags(), *passwords, first, *selectors])


_CHANGES = {
    b"on": Account.enable,
    b"off": Account.disable,
    b"sanitize-payload": Account.sanitize,
    b"skip-sanitize-payload": Account.skip_sanitizing,
    b"nopass": Account.need_no_password,
    b"resetpass": Account.reset_passwords,
    b"clearselectors": Account.clear_selectors,
}


def _hash_of(word: bytes, plain: bytes) -> bytes:
    """The hash that a rule about a password means; it begins with ``plain`` if it has the text."""
    if word[:1] == plain:
        return hashed(word[1:])
    if not is_hash(word[1:]):
        raise RuleError(_NO_HASH)
    return word[1:]


def _selector(text: bytes, names: CommandNames, all_channels: bool) -> Grant:
    """The selector with these rules."""
    words = split_arguments(text)
    if words is None:
        raise RuleError(_SYNTAX)
    grant = Grant(all_channels)
    for word in words:
        grant.apply(word, names)
    return grant


def merge_selectors(words: Sequence[bytes]) -> list[bytes]:
    """The rules that some words make: a selector in parentheses may be spread over several.

    Raises:
        UnmatchedParenthesis: one is not closed.
    """
    merged: list[bytes] = []
    opened: list[bytes] = []
    for word in words:
        begins = word[:1] == b"(" and word[-1:] != b")"
        if begins and opened:
            break
        if begins or opened:
            opened.append(word)
        else:
            merged.append(word)
        if opened and word[-1:] == b")":
            merged.append(b" ".join(opened))
            opened = []
    if opened:
        raise UnmatchedParenthesis(opened[0])
    return merged


def is_user_name(name: bytes) -> bool:
    """Whether a user can have this name."""
    return _NO_NAME.isdisjoint(name)
