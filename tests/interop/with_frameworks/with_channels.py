"""channels_redis: both channel layers, with a consumer in another process."""

from __future__ import annotations

import asyncio
import sys

from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer
from settings import PATIENCE, part, url, worker

MESSAGES = 300


def check() -> None:
    """Fails with an AssertionError, or whatever channels_redis raises."""
    with part("channels"), worker("with_channels.py"):
        asyncio.run(_talk_to_worker())
    with part("groups"):
        asyncio.run(_groups())
    with part("pubsub_layer"):
        asyncio.run(_by_pubsub())


async def _talk_to_worker() -> None:
    layer = RedisChannelLayer(hosts=[url(6)], capacity=2 * MESSAGES)
    answers = await layer.new_channel()
    for number in range(MESSAGES):
        await layer.send("work", {"type": "square", "number": number, "to": answers})
    got = [await asyncio.wait_for(layer.receive(answers), PATIENCE) for _ in range(MESSAGES)]
    assert [message["square"] for message in got] == [n * n for n in range(MESSAGES)]
    await layer.close_pools()


async def _work() -> None:
    layer = RedisChannelLayer(hosts=[url(6)], capacity=2 * MESSAGES)
    while True:
        message = await layer.receive("work")
        answer = {"type": "answer", "square": message["number"] ** 2}
        await layer.send(message["to"], answer)


async def _groups() -> None:
    layer = RedisChannelLayer(hosts=[url(6)], capacity=3, expiry=10)
    await layer.flush()
    channels = [await layer.new_channel() for _ in range(4)]
    for channel in channels:
        await layer.group_add("everybody", channel)
    await layer.group_discard("everybody", channels[0])
    for number in range(5):
        await layer.group_send("everybody", {"type": "note", "number": number})
    for channel in channels[1:]:
        # What is above the capacity was dropped.
        got = [await asyncio.wait_for(layer.receive(channel), PATIENCE) for _ in range(3)]
        assert [message["number"] for message in got] == [0, 1, 2]
    await layer.close_pools()


async def _by_pubsub() -> None:
    layer = RedisPubSubChannelLayer(hosts=[url(6)])
    channel = await layer.new_channel()
    await layer.group_add("listeners", channel)
    await layer.group_send("listeners", {"type": "note", "text": "hello"})
    message = await asyncio.wait_for(layer.receive(channel), PATIENCE)
    assert message["text"] == "hello"
    await layer.flush()


if __name__ == "__main__":
    sys.exit(asyncio.run(_work()))
