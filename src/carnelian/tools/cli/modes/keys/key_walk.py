"""All keys of a database, by SCAN, in portions."""

from __future__ import annotations

import time
from collections.abc import Iterator

from carnelian.resp.client.reply_values import Refusal
from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.wire.cli_client import Client

# Portions after which -i is waited for.
_EVERY = 100
# Elements that a server looks at for a portion: what redis-cli asks for, and what saves most of the
# ways to and fro where nothing else has to be asked.
_FEW, _MANY = 10, 100


class TaskFailedError(Exception):
    """A server answers so that it makes no sense to go on; the text says how."""


class KeyWalk:
    """The keys, in portions as SCAN gives them.

    ``seen`` counts them, ``total`` is how many there are, if DBSIZE says so.

    Args:
        client: who is asked.
        options: has count, pattern and interval.
        alone: nothing else is asked on the way: ``interval`` is waited for after each portion, and
            without one, the next portion is on its way while one is dealt with.
    """

    def __init__(self, client: Client, options: Options, alone: bool = False):
        self._client = client
        self._options = options
        self._alone = alone
        self.seen = 0
        self.total = 0

    def begin(self) -> None:
        """Ask how many there are; no look at one counts as a use of it. Raises TaskFailedError."""
        # Older servers, and users who may not, leave it at looks that count.
        self._client.call("CLIENT", "NO-TOUCH", "ON")
        self.total = integer(self._client.call("DBSIZE"))

    @property
    def percent(self) -> float:
        """How far it is, of a hundred."""
        return min(100.0 * self.seen / self.total, 100.0) if self.total else 0.0

    def portions(self) -> Iterator[list[bytes]]:
        """The keys. Raises TaskFailedError."""
        options, client = self._options, self._client
        ahead = self._alone and not options.interval
        usual = _MANY if ahead else _FEW
        count = usual if options.count is None else options.count
        words: list[bytes | str] = ["COUNT", str(count)]
        if options.pattern is not None:
            words = ["MATCH", options.pattern, *words]
        client.send(["SCAN", "0", *words])
        for number in range(1, 1 << 62):
            cursor, keys = _portion(client.receive())
            is_last = cursor == b"0"
            if ahead and not is_last:
                client.send(["SCAN", cursor, *words])
            yield keys
            # Counted when it was dealt with: a line about it tells how far it was before.
            self.seen += len(keys)
            if is_last:
                return
            if options.interval and (self._alone or number % _EVERY == 0):
                time.sleep(options.interval)
            if not ahead:
                client.send(["SCAN", cursor, *words])


def _portion(reply: object) -> tuple[bytes, list[bytes]]:
    checked(reply)
    if not (isinstance(reply, list) and len(reply) == 2 and isinstance(reply[1], list)):
        raise TaskFailedError("Non ARRAY response from SCAN!")
    return reply[0], reply[1]


def checked(reply: object) -> object:
    """The reply. Raises TaskFailedError if it is an error."""
    if isinstance(reply, Refusal):
        raise TaskFailedError(reply.decode("utf-8", "replace"))
    return reply


def integer(reply: object) -> int:
    """The number that a reply is. Raises TaskFailedError."""
    checked(reply)
    if not isinstance(reply, int):
        raise TaskFailedError("Non INTEGER response!")
    return reply
