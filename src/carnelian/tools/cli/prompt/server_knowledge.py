"""What the prompt asks the server beside the conversation: commands, keys, directives.

The answers help while a line is typed, so they have to be quick: a search for keys ends after some
of them, or some time. There is no answer where there is no connection.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from carnelian.tools.cli.talking.command_docs import CommandDocs, fetch
from carnelian.tools.cli.wire.cli_client import Client, ConnectError, LostError

T = TypeVar("T")

# Keys that are suggested, and seconds that looking for them may take.
_MOST_KEYS = 200
_PATIENCE = 0.25
_COUNT = "1000"

_SPECIAL = b"*?[]\\^-"


class ServerKnowledge:
    """Asks on a connection of its own, from any thread.

    Args:
        client: whose other side is asked.
    """

    def __init__(self, client: Client):
        self._main = client
        self._lock = threading.Lock()
        self._side: Client | None = None
        self._docs: CommandDocs | None = None
        self._asked_of: object = None

    @property
    def docs(self) -> CommandDocs:
        """The commands, as far as they are known by now."""
        return self._docs or CommandDocs({})

    def learn(self) -> None:
        """Ask for the commands, unless that was done; takes some milliseconds."""
        if self._docs is None or self._asked_of != self._main.address:
            found = self._ask(fetch, None)
            if found is not None:
                self._docs, self._asked_of = found, self._main.address

    def learn_soon(self) -> None:
        """As :meth:`learn`, meanwhile."""
        threading.Thread(target=self.learn, daemon=True).start()

    def keys(self, prefix: bytes) -> list[bytes]:
        """Keys that begin with a prefix, in order; not all if there are many."""
        pattern = b"".join(
            b"\\" + bytes((byte,)) if byte in _SPECIAL else bytes((byte,)) for byte in prefix
        )
        nothing: set[bytes] = set()
        return sorted(self._ask(lambda client: _scan(client, pattern + b"*"), nothing))

    def directives(self, prefix: str) -> list[str]:
        """Directives whose names begin with a prefix."""
        reply = self._ask(lambda client: client.call("CONFIG", "GET", prefix + "*"), None)
        names = reply[::2] if isinstance(reply, list) else []
        return sorted(name.decode("utf-8", "replace") for name in names if isinstance(name, bytes))

    def _ask(self, question: Callable[[Client], T], otherwise: T) -> T:
        main = self._main
        with self._lock:
            side = self._side
            if side is None or (side.address, side.login) != (main.address, main.login):
                self.close()
                side = self._side = main.beside()
            try:
                side.engine = main.engine
                if side.db != main.db:
                    side.wanted_db = main.db
                    side.close()
                return question(side)
            except (ConnectError, LostError):
                return otherwise

    def close(self) -> None:
        """Hang up."""
        if self._side is not None:
            self._side.close()
            self._side = None


def _scan(client: Client, pattern: bytes) -> set[bytes]:
    found: set[bytes] = set()
    cursor: bytes | str = "0"
    end = time.monotonic() + _PATIENCE
    while len(found) < _MOST_KEYS and time.monotonic() < end:
        reply = client.call("SCAN", cursor, "MATCH", pattern, "COUNT", _COUNT)
        if not (isinstance(reply, list) and len(reply) == 2 and isinstance(reply[1], list)):
            break
        cursor = reply[0]
        found.update(reply[1])
        if cursor == b"0":
            break
    return set(sorted(found)[:_MOST_KEYS])
