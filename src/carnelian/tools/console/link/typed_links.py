"""The connections of a command line: one that remembers, and others for what cannot wait for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from carnelian.resp.client.reply_values import Refusal
from carnelian.tools.console.link.link_errors import LinkError, RefusedError
from carnelian.tools.console.link.owner_links import NodeLinks
from carnelian.tools.console.link.redis_link import RedisLink
from carnelian.tools.console.link.reply_stream import Reply
from carnelian.tools.console.link.server_address import Credentials, ServerAddress

# Seconds that a command may take that was typed, as BLPOP does.
TIMEOUT = 60.0
# Seconds that the next one waits for it before it goes its own way: those that are typed quickly
# are done in the order in which they were typed.
_GRACE = 1.0
MOST_ASIDE = 8

# What ends something that runs, and does not wait for it.
_URGENT = {
    (b"SCRIPT", b"KILL"),
    (b"FUNCTION", b"KILL"),
    (b"CLIENT", b"KILL"),
    (b"CLIENT", b"UNBLOCK"),
    (b"CLIENT", b"UNPAUSE"),
}
# What asks the node that is busy, wherever that is.
_SCRIPTS = (b"SCRIPT", b"FUNCTION")
# What a connection remembers: others than the first one would not know of it.
_REMEMBERED = frozenset((b"MULTI", b"EXEC", b"DISCARD", b"WATCH", b"UNWATCH", b"SELECT"))


class TypedLink:
    """A connection for commands that were typed, with its own ones to other nodes of a cluster."""

    def __init__(self, address: ServerAddress, credentials: Credentials):
        self.link = RedisLink(address, credentials, TIMEOUT)
        self._nodes = NodeLinks(address, credentials, TIMEOUT)
        # Where the last command went.
        self.asked = address

    def run(self, words: Sequence[bytes]) -> Reply:
        """The reply to a command, of whichever node of a cluster has its key.

        Raises LinkError and LoginRefusedError.
        """

        def ask(link: RedisLink) -> Reply:
            self.asked = link.address
            reply = link.pipeline([words])[0]
            # What belongs to a transaction is nowhere else.
            if isinstance(reply, Refusal) and not self.link.bound:
                raise RefusedError(reply.text)
            return reply

        try:
            return self._nodes.answer(self.link, ask)
        except RefusedError as error:
            return Refusal(str(error).encode())

    def close(self) -> None:
        """Hang up."""
        self.link.close()
        self._nodes.close()


class TypedLinks:
    """Gives commands a connection: the first one, which remembers its database and transaction.

    While a command runs there that takes its time, others are sent on connections of their own, in
    the same database, as somebody would who opens a second command line. Only what concerns the
    transaction or the database waits.
    """

    def __init__(self, address: ServerAddress, credentials: Credentials):
        self.address = address
        self._credentials = credentials
        self._first = TypedLink(address, credentials)
        self._lock = threading.Lock()
        self._running = b""
        self._aside = threading.BoundedSemaphore(MOST_ASIDE)

    @contextmanager
    def link_for(self, words: Sequence[bytes]) -> Iterator[TypedLink]:
        """A link for a command. Raises LinkError if too many run already."""
        name = words[0].upper()
        kind = (name, words[1].upper() if len(words) > 1 else b"")
        if self._lock.acquire(timeout=0 if kind in _URGENT else _GRACE) or self._waited(kind):
            try:
                self._running = name
                yield self._first
            finally:
                self._running = b""
                self._lock.release()
            return
        if not self._aside.acquire(blocking=False):
            raise LinkError(f"{MOST_ASIDE + 1} commands are running that were typed here.")
        first = self._first
        place = first.asked if name in _SCRIPTS else self.address
        aside = TypedLink(place, self._credentials)
        aside.link.database = first.link.database
        try:
            yield aside
        finally:
            aside.close()
            self._aside.release()

    def _waited(self, kind: tuple[bytes, bytes]) -> bool:
        """Wait for the first link if that is the only one for a command; whether it is free now."""
        if kind in _URGENT:
            return False
        remembers = self._first.link.bound or self._running in _REMEMBERED - {b"EXEC"}
        if not remembers and kind[0] not in _REMEMBERED:
            return False
        if not self._lock.acquire(timeout=TIMEOUT):
            raise LinkError("The command before is still running.")
        return True

    def close(self) -> None:
        """Hang up."""
        self._first.close()
