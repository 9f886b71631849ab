"""Passwords: kept as SHA-256 hashes only, and compared without telling by the time how far two
agree.
"""

from __future__ import annotations

from collections.abc import Sequence

_DIGITS = frozenset(b"0123456789abcdef")

# Compared with where there is no password to compare with, which is to take as long.
_NOBODY = b"0" * 64


def hashed(password: bytes) -> bytes:
    """The hash of a password, as 64 hexadecimal digits."""
    # Imported late: most programs never need it.
    from hashlib import sha256

    return sha256(password).hexdigest().encode()


def is_hash(text: bytes) -> bool:
    """Whether a text can be such a hash."""
    return len(text) == 64 and _DIGITS.issuperset(text)


def is_one_of(password: bytes, hashes: Sequence[bytes]) -> bool:
    """Whether a password has one of these hashes. O(hashes), whichever it is."""
    from hmac import compare_digest

    secret = hashed(password)
    equal = 0
    for each in hashes or (_NOBODY,):
        equal |= compare_digest(secret, each)
    return bool(equal) and len(hashes) > 0
