"""The orders that a Sentinel gives to servers."""

from __future__ import annotations

from carnelian.sentinel.known.instances import DataInstance
from carnelian.sentinel.known.peer_address import PeerAddress
from carnelian.sentinel.known.sentinel_words import to_bytes
from carnelian.sentinel.known.watch import Watch


def follow(watch: Watch, instance: DataInstance, address: PeerAddress | None) -> bool:
    """Make an instance a replica of that at an address, or a primary if there is none.

    Nobody looks at the replies: INFO will tell whether it has worked. All clients are disconnected,
    so that they ask where the primary is. False if there is no connection.
    """
    channel = instance.link.commands
    if channel is None:
        return False
    target = ("NO", "ONE") if address is None else (watch.addresses.shown(address), address.port)
    called = instance.command
    for words in (
        [called("MULTI")],
        [called("SLAVEOF"), *map(to_bytes, target)],
        [called("CONFIG"), b"REWRITE"],
        [called("CLIENT"), b"KILL", b"TYPE", b"normal"],
        [called("CLIENT"), b"KILL", b"TYPE", b"pubsub"],
        [called("EXEC")],
    ):
        channel.call(words, instance)
    return True
