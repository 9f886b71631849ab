"""Commands with what they change in the conversation itself: database, transaction, login."""

from __future__ import annotations

import select
from collections.abc import Sequence

from carnelian.resp.client.reply_values import Refusal
from carnelian.tools.cli.wire.cli_client import Client, Login

_SUBSCRIBING = frozenset((b"subscribe", b"psubscribe", b"ssubscribe"))
_UNSUBSCRIBING = frozenset((b"unsubscribe", b"punsubscribe", b"sunsubscribe"))


class Conversation:
    """What both sides know of each other.

    ``transaction`` says that MULTI has begun one; ``listening`` that what comes now are messages.
    """

    def __init__(self, client: Client):
        self.client = client
        self.transaction = False
        self.listening = False

    def forget(self) -> None:
        """The connection has ended, and what the server knew of it."""
        self.transaction = self.listening = False

    def end(self) -> None:
        """Hang up; the next command connects again."""
        self.client.close()
        self.forget()

    def revive(self) -> None:
        """Hang up if the server has, so that the next command is not lost."""
        client = self.client
        if not client.connected or client.address.file is not None:
            return
        readable, _, _ = select.select([client.link], [], [], 0)
        if readable and client.at_end():
            self.end()

    def note(self, words: Sequence[bytes], reply: object) -> None:
        """A command was answered."""
        if isinstance(reply, Refusal):
            if words[0].lower() == b"exec":
                self.transaction = False
            return
        name, client = words[0].lower(), self.client
        if name == b"select" and len(words) == 2 and words[1].isdigit():
            if not self.transaction:
                client.db = client.wanted_db = int(words[1])
        elif name == b"multi":
            self.transaction = True
        elif name in (b"exec", b"discard"):
            self.transaction = False
        elif name == b"auth" and len(words) in (2, 3):
            user = _text(words[1]) if len(words) == 3 else None
            client.login = Login(user, _text(words[-1]))
        elif name == b"hello" and len(words) > 1 and words[1].isdigit():
            client.protocol = int(words[1])
        elif name == b"reset":
            self.transaction = False
            client.db = client.wanted_db = 0
            client.protocol = None
        elif name == b"monitor" or (name in _SUBSCRIBING and len(words) > 1):
            self.listening = True


def is_subscribing(words: Sequence[bytes]) -> bool:
    """Whether messages follow."""
    return words[0].lower() in _SUBSCRIBING and len(words) > 1


def replies_as_messages(words: Sequence[bytes]) -> int:
    """How many messages are the reply to a command; 0 for what has an ordinary one."""
    name = words[0].lower()
    if name in _SUBSCRIBING or name in _UNSUBSCRIBING:
        return max(len(words) - 1, 1)
    return 0


def _text(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")
