"""The ``user`` lines of a configuration, as far as they can be kept without ACL.

There is one user, ``default``, who may do everything, and whose password is ``requirepass``. A line
that says just that is taken, as CONFIG REWRITE of Redis writes it into every file; any other one
would leave a door open that it closes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

# What each of a user's rights is given by, in any case; a user has none at first.
_WHOLE = (
    frozenset((b"on",)),
    frozenset((b"~*", b"allkeys", b"%rw~*")),
    frozenset((b"&*", b"allchannels")),
    frozenset((b"+@all", b"allcommands")),
)
# What changes nothing of these.
_NEUTRAL = frozenset((b"sanitize-payload",))
_KNOWN = _NEUTRAL.union(*_WHOLE)


def is_kept(words: Iterable[bytes], password: bytes | None) -> bool:
    """Whether a line with these words says what holds anyway.

    Args:
        words: the name of the user and the rules.
        password: what ``requirepass`` asks for, None if nothing.
    """
    name, *rules = words
    given = set(map(_folded, rules))
    secret = _secret(password)
    return (
        name == b"default"
        and secret in given
        and given - {secret} <= _KNOWN
        and all(not given.isdisjoint(right) for right in _WHOLE)
    )


def line(password: bytes | None) -> bytes:
    """The line that is kept with this password."""
    return b"user default on %s ~* &* +@all" % _secret(password)


def _folded(rule: bytes) -> bytes:
    """A rule in one form: in lower case, a password as its hash."""
    if rule.startswith(b">"):
        return b"#" + hashlib.sha256(rule[1:]).hexdigest().encode()
    return rule if rule.startswith(b"#") else rule.lower()


def _secret(password: bytes | None) -> bytes:
    """The rule about the password that holds."""
    return b"nopass" if password is None else _folded(b">" + password)
