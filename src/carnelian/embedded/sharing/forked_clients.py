"""What clients of a shared path keep over a fork: the child's go on with connections of its own.

The child is another process than the one that has the engine, or that a socket belongs to. What it
has of its parent's connections it lets go without a word to the other side; pools do that by
themselves, and here it is done for those who hold on to a connection.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any

import redis.client
from redis.connection import CacheProxyConnection

_holders: weakref.WeakSet[Any] = weakref.WeakSet()


def follow(holder: Any) -> None:
    """Let a client, or what it subscribes with or queues commands in, have a connection of its own
    in children made by fork.
    """
    _holders.add(holder)


def _part() -> None:
    """In a child made by fork."""
    holders = list(_holders)
    for pool in {holder.connection_pool for holder in holders}:
        pool._lock = threading.RLock()
        pool.reset()
        if pool.cache is not None:
            # It is the parent that is told of changes.
            pool.cache.flush()
    for holder in holders:
        if isinstance(holder, redis.client.PubSub):
            _part_subscriber(holder)
        elif isinstance(holder, redis.client.Pipeline):
            _part_pipeline(holder)
        else:
            holder.single_connection_lock = threading.RLock()
            if holder.connection is not None:
                holder.connection = _connection(holder.connection_pool)


def _part_subscriber(subscriber: redis.client.PubSub) -> None:
    """It subscribes to the same once it is read, as after a connection that was lost."""
    # Whoever held these in another thread is in the parent alone.
    subscriber._lock = threading.RLock()
    subscribed = subscriber.subscribed_event.is_set()
    subscriber.subscribed_event = threading.Event()
    if subscribed:
        subscriber.subscribed_event.set()
    if subscriber.connection is None:
        return
    connection = _connection(subscriber.connection_pool)
    connection.register_connect_callback(subscriber.on_connect)
    if subscriber.push_handler_func is not None:
        connection._parser.set_pubsub_push_handler(subscriber.push_handler_func)
    subscriber.connection = connection


def _part_pipeline(pipeline: redis.client.Pipeline) -> None:
    """What it watches is watched by the parent: it is told that the connection was lost."""
    if pipeline.connection is not None:
        pipeline.connection = _connection(pipeline.connection_pool, True)


def _connection(pool: Any, lost: bool = False) -> Any:
    """A connection of a pool, made when it is used, to whichever process has the path then: this
    one has not. It tells of a loss first, if something was ``lost``.
    """
    connection = pool.connection_class.outside(**pool.connection_kwargs)
    connection.lost = lost
    if pool.cache is not None:
        connection = CacheProxyConnection(connection, pool.cache, pool._lock)  # type: ignore[abstract]
    pool._created_connections += 1
    pool._in_use_connections.add(connection)
    return connection


os.register_at_fork(after_in_child=_part)
