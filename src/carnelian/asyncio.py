"""The asyncio client: ``carnelian.asyncio.Redis``, or ``carnelian.AsyncRedis``."""

from carnelian.embedded.aio import Connection, Redis

__all__ = ["Connection", "Redis"]
