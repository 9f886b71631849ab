"""Browsers that have logged in: a cookie, a token against forged requests, and their links."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable

from carnelian.tools.console.answers.live_figures import LiveFigures
from carnelian.tools.console.link.owner_links import NodeLinks
from carnelian.tools.console.link.redis_link import RedisLink
from carnelian.tools.console.link.server_address import Credentials, ServerAddress
from carnelian.tools.console.link.typed_links import TypedLinks

# Seconds without a request, and seconds in all, after which one has to log in again.
IDLE = 30 * 60.0
LONGEST = 12 * 3600.0
MOST_SESSIONS = 64
# Taps that one browser may have open at a time.
MOST_TAPS = 4


class BrowserSession:
    """One login. Its connections are made when they are needed.

    ``pages`` is the link of what pages show, and ``nodes`` are those to other nodes of a cluster;
    ``typed`` are the links of the command line, so that its database, its transactions and its
    patience are its own.
    """

    def __init__(self, address: ServerAddress, credentials: Credentials, now: float):
        self.token = secrets.token_urlsafe(32)
        self.csrf = secrets.token_urlsafe(32)
        self.credentials = credentials
        self.began = self.seen = now
        self.address = address
        self.pages = RedisLink(address, credentials)
        self.nodes = NodeLinks(address, credentials)
        self.typed = TypedLinks(address, credentials)
        self.figures = LiveFigures(RedisLink(address, credentials))
        self.taps = threading.BoundedSemaphore(MOST_TAPS)

    def tap(self) -> RedisLink:
        """A link of its own for messages."""
        return RedisLink(self.address, self.credentials)

    def trusts(self, token: str | None) -> bool:
        """Whether a request has shown the token that only our page knows."""
        return token is not None and hmac.compare_digest(token.encode(), self.csrf.encode())

    def close(self) -> None:
        """Hang up."""
        self.figures.close()
        self.pages.close()
        self.nodes.close()
        self.typed.close()


class BrowserSessions:
    """All logins; they are in memory alone, and end with the process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, BrowserSession] = {}

    def begin(self, address: ServerAddress, credentials: Credentials) -> BrowserSession:
        """A new login; the one that was seen the longest time ago ends if there are too many."""
        session = BrowserSession(address, credentials, self._clock())
        with self._lock:
            ended = self._remove_old()
            if len(self._sessions) >= MOST_SESSIONS:
                oldest = min(self._sessions.values(), key=lambda session: session.seen)
                ended.append(self._sessions.pop(oldest.token))
            self._sessions[session.token] = session
        for old in ended:
            old.close()
        return session

    def find(self, token: str | None) -> BrowserSession | None:
        """The login of a cookie, which is used from now on; None if there is none or it is over."""
        if token is None:
            return None
        with self._lock:
            ended = self._remove_old()
            session = self._sessions.get(token)
            if session is not None:
                session.seen = self._clock()
        for old in ended:
            old.close()
        return session

    def end(self, session: BrowserSession) -> None:
        """Log out."""
        with self._lock:
            self._sessions.pop(session.token, None)
        session.close()

    def close(self) -> None:
        """End them all."""
        for session in list(self._sessions.values()):
            self.end(session)

    def _remove_old(self) -> list[BrowserSession]:
        now = self._clock()
        old = [
            session
            for session in self._sessions.values()
            if now - session.seen > IDLE or now - session.began > LONGEST
        ]
        for session in old:
            del self._sessions[session.token]
        return old
