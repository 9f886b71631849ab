"""Commands whose reply is a text of several lines, made to be read as it is."""

from __future__ import annotations

from collections.abc import Sequence

_NAMES = frozenset((b"info", b"lolwut"))
_PAIRS = frozenset(
    (
        (b"client", b"info"),
        (b"client", b"list"),
        (b"cluster", b"info"),
        (b"cluster", b"nodes"),
        (b"debug", b"client-eviction"),
        (b"debug", b"htstats"),
        (b"debug", b"htstats-key"),
        (b"latency", b"doctor"),
        (b"latency", b"graph"),
        (b"memory", b"doctor"),
        (b"memory", b"malloc-stats"),
        (b"proxy", b"info"),
        (b"proxy", b"nodes"),
    )
)


def replies_with_text(words: Sequence[bytes]) -> bool:
    """Whether the reply to a command is shown as it is in any form; it ends its last line."""
    names = tuple(word.lower() for word in words[:2])
    return names[0] in _NAMES or names in _PAIRS
