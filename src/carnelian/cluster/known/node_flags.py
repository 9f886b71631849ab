"""What a node is and how it is, as bits that stand in messages, and as words of CLUSTER NODES."""

from __future__ import annotations

PRIMARY = 1
REPLICA = 2
# It does not answer us.
PFAIL = 4
# A majority has found that it does not answer.
FAIL = 8
MYSELF = 16
# We have still to learn who it is.
HANDSHAKE = 32
NO_ADDRESS = 64
# The next thing to send to it is a MEET.
MEET = 128
# A primary that replicas of others may go to when it has none.
MIGRATE_TO = 256
# A replica that does not stand for its primary.
NO_FAILOVER = 512

ROLE = PRIMARY | REPLICA
FAILURE = PFAIL | FAIL
# What is taken over from what others tell of a node that is new to us.
TOLD = ROLE | FAILURE | MIGRATE_TO | NO_FAILOVER

_WORDS = (
    (MYSELF, "myself"),
    (PRIMARY, "master"),
    (REPLICA, "slave"),
    (PFAIL, "fail?"),
    (FAIL, "fail"),
    (HANDSHAKE, "handshake"),
    (NO_ADDRESS, "noaddr"),
    (NO_FAILOVER, "nofailover"),
)
FLAGS_BY_WORD = {word: flag for flag, word in _WORDS} | {"noflags": 0}


def flag_words(flags: int) -> str:
    """Flags as CLUSTER NODES shows them."""
    return ",".join([word for flag, word in _WORDS if flags & flag]) or "noflags"
