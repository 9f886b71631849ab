"""Links to the nodes of a cluster that have the keys which are asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from carnelian.tools.console.link.link_errors import RefusedError
from carnelian.tools.console.link.redis_link import TIMEOUT, Command, RedisLink, name_of
from carnelian.tools.console.link.reply_stream import Reply
from carnelian.tools.console.link.server_address import Credentials, ServerAddress

# Nodes that keys are followed to, and how often one request is sent elsewhere, at most.
MOST_NODES = 256
_MOST_TURNS = 16
# Keys of one command may be on their way to another node, one after the other: it is sent again
# after so many seconds, so many times.
_PAUSE, _MOST_TRIES = 0.1, 10

_TRY_AGAIN = "TRYAGAIN"
_Made = TypeVar("_Made")


class AskingLink(RedisLink):
    """A link to a node that is being given a slot: it answers there if it is asked to (ASKING)."""

    def pipeline(self, commands: Sequence[Command]) -> list[Reply]:
        """As :meth:`RedisLink.pipeline`."""
        asked: list[Command] = []
        places = []
        queues = False
        for words in commands:
            # In a transaction, ASKING before its beginning holds until its end.
            if not queues:
                asked.append(("ASKING",))
            places.append(len(asked))
            asked.append(words)
            queues = (queues or name_of(words) == b"MULTI") and name_of(words) != b"EXEC"
        replies = super().pipeline(asked)
        return [replies[place] for place in places]


class NodeLinks:
    """Finds nodes by what other nodes say of them, and keeps links to them.

    Args:
        address: of the node that is known.
        credentials: who logs in, the same everywhere.
        timeout: seconds to connect, and to wait for a reply.
    """

    def __init__(self, address: ServerAddress, credentials: Credentials, timeout: float = TIMEOUT):
        self._address = address
        self._credentials = credentials
        self._timeout = timeout
        self._lock = threading.Lock()
        self._links: dict[tuple[str, str], RedisLink] = {}

    def answer(self, home: RedisLink, ask: Callable[[RedisLink], _Made]) -> _Made:
        """What ``ask`` makes of a link: of ``home``, or of the node that it is sent to from there.

        What is refused as MOVED or ASK is asked of that node, and what is refused as TRYAGAIN is
        asked again for a moment. Raises what ``ask`` raises.
        """
        link, turns, tries = home, 0, 0
        while True:
            try:
                return ask(link)
            except RefusedError as error:
                refusal = str(error)
                if refusal.startswith(_TRY_AGAIN) and tries < _MOST_TRIES:
                    tries += 1
                    time.sleep(_PAUSE)
                    continue
                other = self._find(refusal)
                if other is None or turns == _MOST_TURNS:
                    raise
                turns += 1
                link = other

    def close(self) -> None:
        """Hang up."""
        for link in list(self._links.values()):
            link.close()

    def _find(self, refusal: str) -> RedisLink | None:
        """The link to the node that ``MOVED slot host:port``, or ASK, names; None for other errors.

        An address without a host is on the host that is known.
        """
        words = refusal.split()
        if len(words) < 3 or words[0] not in ("MOVED", "ASK"):
            return None
        host, _, port = words[2].rpartition(":")
        if not port.isdigit():
            return None
        key = (words[0], words[2])
        with self._lock:
            link = self._links.get(key)
            if link is None and len(self._links) < MOST_NODES:
                known = self._address
                place = ServerAddress(host.strip("[]") or known.host, int(port), tls=known.tls)
                kind = RedisLink if words[0] == "MOVED" else AskingLink
                link = self._links[key] = kind(place, self._credentials, self._timeout)
            return link
