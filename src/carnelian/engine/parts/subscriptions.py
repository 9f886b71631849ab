"""Publish and subscribe: who listens to which channel and pattern.

See https://redis.io/docs/latest/develop/interact/pubsub/
"""

from __future__ import annotations

from collections.abc import Callable

from carnelian.datatypes.algorithms.glob import matches
from carnelian.engine.shared.client_state import Client
from carnelian.resp.replies import Push

Listeners = dict["Client", None]


class PubSub:
    """Channels, patterns and shard channels with their sessions, in order of subscription.

    - ``on_shard``: called with each message that listeners of a shard channel were sent.
    """

    def __init__(self) -> None:
        self.channels: dict[bytes, Listeners] = {}
        self.patterns: dict[bytes, Listeners] = {}
        self.shard_channels: dict[bytes, Listeners] = {}
        self.on_shard: Callable[[bytes, Push], object] | None = None

    # -- Subscribing: each says whether anything changed ------------------------------------------

    def subscribe(self, session: Client, channel: bytes) -> bool:
        """Listen to a channel."""
        session.channels = _join(session, session.channels, self.channels, channel)
        return channel in self.channels

    def subscribe_pattern(self, session: Client, pattern: bytes) -> bool:
        """Listen to all channels that a glob-style pattern matches."""
        session.patterns = _join(session, session.patterns, self.patterns, pattern)
        return pattern in self.patterns

    def subscribe_shard(self, session: Client, channel: bytes) -> bool:
        """Listen to a shard channel, which belongs to a cluster slot as a key does."""
        session.shard_channels = _join(
            session, session.shard_channels, self.shard_channels, channel
        )
        return channel in self.shard_channels

    def unsubscribe(self, session: Client, channel: bytes) -> bool:
        """Stop listening to a channel."""
        return _leave(session, session.channels, self.channels, channel)

    def unsubscribe_pattern(self, session: Client, pattern: bytes) -> bool:
        """Stop listening to a pattern."""
        return _leave(session, session.patterns, self.patterns, pattern)

    def unsubscribe_shard(self, session: Client, channel: bytes) -> bool:
        """Stop listening to a shard channel."""
        return _leave(session, session.shard_channels, self.shard_channels, channel)

    def leave_all(self, session: Client) -> None:
        """Forget every subscription of a session, silently."""
        for channel in list(session.channels or ()):
            self.unsubscribe(session, channel)
        for pattern in list(session.patterns or ()):
            self.unsubscribe_pattern(session, pattern)
        for channel in list(session.shard_channels or ()):
            self.unsubscribe_shard(session, channel)

    # -- Publishing: each returns the number of sessions that got the message ----------------------

    def publish(self, channel: bytes, message: bytes) -> int:
        """Send a message to the listeners of a channel and of the patterns that match it.

        O(n + m) in the listeners of the channel and the patterns of all sessions.
        """
        receivers = 0
        listeners = self.channels.get(channel)
        if listeners:
            note = Push([b"message", channel, message])
            for session in list(listeners):
                session.send(note)
            receivers += len(listeners)
        for pattern, listeners in list(self.patterns.items()):
            if not matches(pattern, channel):
                continue
            note = Push([b"pmessage", pattern, channel, message])
            for session in list(listeners):
                session.send(note)
            receivers += len(listeners)
        return receivers

    def publish_shard(self, channel: bytes, message: bytes) -> int:
        """Send a message to the listeners of a shard channel."""
        listeners = self.shard_channels.get(channel)
        if not listeners:
            return 0
        note = Push([b"smessage", channel, message])
        for session in list(listeners):
            session.send(note)
        if self.on_shard is not None:
            self.on_shard(channel, note)
        return len(listeners)


def _join(
    session: Client, own: dict | None, hub: dict[bytes, Listeners], name: bytes
) -> dict[bytes, None]:
    own = {} if own is None else own
    own[name] = None
    hub.setdefault(name, {})[session] = None
    return own


def _leave(session: Client, own: dict | None, hub: dict[bytes, Listeners], name: bytes) -> bool:
    if not own or name not in own:
        return False
    del own[name]
    listeners = hub[name]
    del listeners[session]
    if not listeners:
        del hub[name]
    return True
