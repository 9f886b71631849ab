"""Publish and subscribe, with patterns and with shard channels.

See https://redis.io/docs/latest/develop/interact/pubsub/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from carnelian.datatypes.algorithms.glob import matches
from carnelian.engine.declaring import at, command
from carnelian.engine.engine import Engine
from carnelian.engine.ground.flags import FLAG_DENY_BLOCKING, SUBSCRIBED
from carnelian.engine.help import container
from carnelian.engine.session import Session
from carnelian.engine.shared.client_state import Client
from carnelian.engine.shared.effects import Effects
from carnelian.resp.replies import Error, Push, Several

GROUP = "pubsub"

_CHANNELS = "channel:string ..."


@command(f"SUBSCRIBE {_CHANNELS}", "pubsub noscript loading stale sentinel")
def subscribe(session: Session, args: list[bytes]) -> Several:
    """Listens to messages of channels.

    Since 2.0.0, O(N), for N channels
    """
    _refuse_where_nothing_waits(session, "SUBSCRIBE")
    replies = Several()
    for channel in args[1:]:
        session.engine.pubsub.subscribe(session, channel)
        replies.append(Push([b"subscribe", channel, session.subscription_count()]))
    _update_gate(session)
    return replies


@command("PSUBSCRIBE pattern ...", "pubsub noscript loading stale sentinel")
def psubscribe(session: Session, args: list[bytes]) -> Several:
    """Listens to messages of all channels that match a glob-style pattern.

    Since 2.0.0, O(N), for N patterns
    """
    _refuse_where_nothing_waits(session, "PSUBSCRIBE")
    replies = Several()
    for pattern in args[1:]:
        session.engine.pubsub.subscribe_pattern(session, pattern)
        replies.append(Push([b"psubscribe", pattern, session.subscription_count()]))
    _update_gate(session)
    return replies


@command(
    "SSUBSCRIBE shardchannel ...", "pubsub noscript loading stale", keys=at(1, "NOT_KEY", last=-1)
)
def ssubscribe(session: Session, args: list[bytes]) -> Several:
    """Listens to messages of shard channels.

    Since 7.0.0, O(N), for N shard channels
    """
    if session.flags & FLAG_DENY_BLOCKING:
        raise _not_where_nothing_waits("SSUBSCRIBE")
    replies = Several()
    for channel in args[1:]:
        session.engine.pubsub.subscribe_shard(session, channel)
        replies.append(Push([b"ssubscribe", channel, len(session.shard_channels or ())]))
    _update_gate(session)
    return replies


@command("UNSUBSCRIBE [channel ...]", "pubsub noscript loading stale sentinel")
def unsubscribe(session: Session, args: list[bytes]) -> Several:
    """Stops listening to channels, all of them if none is named.

    Since 2.0.0, O(N), for N channels
    """
    replies = Several()
    for channel in _named_or_all(args, session.channels):
        if channel is not None:
            session.engine.pubsub.unsubscribe(session, channel)
        replies.append(Push([b"unsubscribe", channel, session.subscription_count()]))
    _update_gate(session)
    return replies


@command("PUNSUBSCRIBE [pattern ...]", "pubsub noscript loading stale sentinel")
def punsubscribe(session: Session, args: list[bytes]) -> Several:
    """Stops listening to patterns, all of them if none is named.

    Since 2.0.0, O(N), for N patterns
    """
    replies = Several()
    for pattern in _named_or_all(args, session.patterns):
        if pattern is not None:
            session.engine.pubsub.unsubscribe_pattern(session, pattern)
        replies.append(Push([b"punsubscribe", pattern, session.subscription_count()]))
    _update_gate(session)
    return replies


@command(
    "SUNSUBSCRIBE [shardchannel ...]",
    "pubsub noscript loading stale",
    keys=at(1, "NOT_KEY", last=-1),
)
def sunsubscribe(session: Session, args: list[bytes]) -> Several:
    """Stops listening to shard channels, all of them if none is named.

    Since 7.0.0, O(N), for N shard channels
    """
    replies = Several()
    for channel in _named_or_all(args, session.shard_channels):
        if channel is not None:
            session.engine.pubsub.unsubscribe_shard(session, channel)
        replies.append(Push([b"sunsubscribe", channel, len(session.shard_channels or ())]))
    _update_gate(session)
    return replies


@command("PUBLISH channel message", "pubsub loading stale fast may_replicate sentinel")
def publish(session: Session, args: list[bytes]) -> int:
    """Sends a message to a channel, and tells how many got it.

    Since 2.0.0, O(N+M), for N listeners of the channel and M patterns
    """
    receivers = session.engine.pubsub.publish(args[1], args[2])
    _pass_on(session, args, False)
    return receivers


def _pass_on(session: Session, args: list[bytes], sharded: bool) -> None:
    """Have replicas tell their own listeners, or the other nodes of a cluster theirs."""
    engine = session.engine
    if engine.cluster is None:
        engine.effects.add(session.db.index, args, Effects.FOR_REPLICAS)
    else:
        engine.cluster.publish(args[1], args[2], sharded)


@command(
    "SPUBLISH shardchannel message",
    "pubsub loading stale fast may_replicate",
    keys=at(1, "NOT_KEY"),
)
def spublish(session: Session, args: list[bytes]) -> int:
    """Sends a message to a shard channel, and tells how many got it.

    Since 7.0.0, O(N), for N listeners of the shard channel
    """
    receivers = session.engine.pubsub.publish_shard(args[1], args[2])
    _pass_on(session, args, True)
    return receivers


container(
    "PUBSUB",
    group="pubsub",
    since="2.8.0",
    help_since="6.2.0",
    summary="Tells about channels and their listeners.",
)


@command("PUBSUB CHANNELS [pattern]", "pubsub loading stale")
def pubsub_channels(session: Session, args: list[bytes]) -> list[bytes]:
    """Lists the channels that have listeners (patterns apart).

    Since 2.8.0, O(N), for N channels
    """
    return _matching(session.engine.pubsub.channels, args)


@command("PUBSUB SHARDCHANNELS [pattern]", "pubsub loading stale")
def pubsub_shardchannels(session: Session, args: list[bytes]) -> list[bytes]:
    """Lists the shard channels that have listeners.

    Since 7.0.0, O(N), for N shard channels
    """
    return _matching(session.engine.pubsub.shard_channels, args)


@command("PUBSUB NUMSUB [channel ...]", "pubsub loading stale")
def pubsub_numsub(session: Session, args: list[bytes]) -> list:
    """Counts the listeners of channels (patterns apart).

    Since 2.8.0, O(N), for N channels asked about
    """
    return _counts(session.engine.pubsub.channels, args)


@command("PUBSUB SHARDNUMSUB [shardchannel ...]", "pubsub loading stale")
def pubsub_shardnumsub(session: Session, args: list[bytes]) -> list:
    """Counts the listeners of shard channels.

    Since 7.0.0, O(N), for N shard channels asked about
    """
    return _counts(session.engine.pubsub.shard_channels, args)


@command("PUBSUB NUMPAT", "pubsub loading stale")
def pubsub_numpat(session: Session, args: list[bytes]) -> int:
    """Counts the patterns that are listened to.

    Since 2.8.0, O(1)
    """
    return len(session.engine.pubsub.patterns)


def _named_or_all(args: list[bytes], own: dict[bytes, None] | None) -> Sequence[bytes | None]:
    """What to stop listening to; a single None, which is replied about too, if there is nothing."""
    return args[1:] or list(own or ()) or [None]


def leave(session: Session) -> None:
    """Drop all subscriptions of a session, silently (RESET)."""
    session.engine.pubsub.leave_all(session)
    _update_gate(session)


def _refuse_where_nothing_waits(session: Session, name: str) -> None:
    # Inside MULTI it is allowed for the sake of old clients.
    if session.flags & FLAG_DENY_BLOCKING and not session.engine.depth:
        raise _not_where_nothing_waits(name)


def _not_where_nothing_waits(name: str) -> Error:
    return Error(f"ERR {name} isn't allowed for a DENY BLOCKING client")


def drop_shard_channels(engine: Engine, channels: Iterable[bytes]) -> None:
    """End all subscriptions of shard channels that belong to other nodes now, and tell so."""
    for channel in channels:
        for session in list(engine.pubsub.shard_channels.get(channel, ())):
            engine.pubsub.unsubscribe_shard(session, channel)
            session.send(Push([b"sunsubscribe", channel, len(session.shard_channels or ())]))
            _update_gate(session)


def _update_gate(session: Client) -> None:
    if session.channels or session.patterns or session.shard_channels:
        session.gate |= SUBSCRIBED
    else:
        session.gate &= ~SUBSCRIBED


def _matching(hub: dict, args: list[bytes]) -> list[bytes]:
    if len(args) > 3:
        raise Error(
            "ERR unknown subcommand or wrong number of arguments for "
            f"'{args[1].decode('latin-1')}'. Try PUBSUB HELP."
        )
    return [name for name in hub if len(args) == 2 or matches(args[2], name)]


def _counts(hub: dict, args: list[bytes]) -> list:
    replies: list[object] = []
    for name in args[2:]:
        replies += [name, len(hub.get(name, ()))]
    return replies
