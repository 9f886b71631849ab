"""What has gone over the bus, as CLUSTER INFO counts it."""

from __future__ import annotations

from collections.abc import Iterator

# Types of messages by their number.
PING, PONG, MEET, FAIL, PUBLISH, AUTH_REQUEST, AUTH_ACK, UPDATE, MFSTART, MODULE, PUBLISHSHARD = (
    range(11)
)
TYPE_COUNT = 11

TYPE_WORDS = (
    "ping",
    "pong",
    "meet",
    "fail",
    "publish",
    "auth-req",
    "auth-ack",
    "update",
    "mfstart",
    "module",
    "publishshard",
)


def type_word(number: int) -> str:
    """What a type of message is called."""
    return TYPE_WORDS[number] if 0 <= number < TYPE_COUNT else "unknown"


class BusStatistics:
    """Messages by type, bytes, and links that were cut."""

    def __init__(self) -> None:
        self.sent = [0] * TYPE_COUNT
        self.received = [0] * TYPE_COUNT
        self.bytes_sent = 0
        self.bytes_received = 0
        # Links that had too much to send.
        self.links_over_limit = 0
        # Nodes that do not answer, as of the last round.
        self.suspected = 0

    def sent_by_word(self) -> Iterator[tuple[str, int]]:
        """Pairs of a type and how often it was sent, if it was."""
        return ((word, count) for word, count in zip(TYPE_WORDS, self.sent, strict=True) if count)

    def received_by_word(self) -> Iterator[tuple[str, int]]:
        """Pairs of a type and how often it was received, if it was."""
        counts = zip(TYPE_WORDS, self.received, strict=True)
        return ((word, count) for word, count in counts if count)
