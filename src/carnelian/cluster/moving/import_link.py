"""The connection of an import: what is said before the stream begins, without I/O."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from carnelian.cluster.moving.migration_task import Ranges, message, range_words
from carnelian.net.protocol import Wire
from carnelian.resp.client.reply_values import MORE, Refusal, ReplyError, Simple
from carnelian.resp.client.request_encoder import encode_request

CONNECTING = "connecting"
AUTH = "auth-reply"
HANDSHAKE = "handshake-reply"
SYNC = "syncslots-reply"
STREAM = "stream"

_LONGEST_LINE = 4096


class ImportGreeting(NamedTuple):
    """What to say: who wants which slots."""

    task_id: str
    node_id: str
    ranges: Ranges
    user: str | None
    password: bytes | None


class ImportTalk(Protocol):
    """Who has the connection."""

    def stage_reached(self, stage: str) -> None:
        """The dialogue has come so far."""

    def stream_part(self, data: bytes) -> None:
        """The next bytes of the stream."""

    def not_ready(self) -> None:
        """The other side asks to come again later."""

    def link_lost(self, why: str) -> None:
        """The connection has ended, or leads to nothing."""


class ImportLink:
    """A conversation with the node that has the slots.

    - ``stage``: what is waited for.
    """

    def __init__(self, owner: ImportTalk, greeting: ImportGreeting):
        # Hardly any node needs it.
        from carnelian.resp.client.reply_reader import Limits, ReplyReader

        self.stage = CONNECTING
        self._owner = owner
        self._greeting = greeting
        self._wire: Wire | None = None
        self._replies = ReplyReader(limits=Limits(line=_LONGEST_LINE))
        self._over = False

    def connected(self, wire: Wire) -> None:
        """The connection stands."""
        if self._over:
            wire.close()
            return
        self._wire = wire
        greeting = self._greeting
        if greeting.password:
            names = [greeting.user.encode()] if greeting.user else []
            wire.send(encode_request((b"AUTH", *names, greeting.password)))
            self._reach(AUTH)
        else:
            self._introduce()

    def _introduce(self) -> None:
        self.send(b"CONF", b"NODE-ID", self._greeting.node_id.encode())
        self._reach(HANDSHAKE)

    def _ask(self) -> None:
        greeting = self._greeting
        self.send(b"SYNC", greeting.task_id.encode(), *range_words(greeting.ranges))
        self._reach(SYNC)

    def _reach(self, stage: str) -> None:
        self.stage = stage
        self._owner.stage_reached(stage)

    def send(self, *words: bytes) -> None:
        """Say something of the protocol."""
        if self._wire is not None and not self._over:
            self._wire.send(message(*words))

    def receive(self, data: bytes) -> None:
        """The next bytes, whatever they are."""
        if self._over:
            return
        if self.stage == STREAM:
            self._owner.stream_part(data)
            return
        self._dialogue(data)

    def _dialogue(self, data: bytes) -> None:
        self._replies.feed(data)
        try:
            while self.stage != STREAM and not self._over:
                reply = self._replies.take()
                if reply is MORE:
                    return
                self._answered(reply)
        except ReplyError:
            self._give_up("no reply of the protocol")
            return
        rest = self._replies.rest()
        if rest and not self._over:
            self._owner.stream_part(rest)

    def _answered(self, reply: object) -> None:
        if isinstance(reply, Refusal) and reply.startswith(b"NOTREADY"):
            self.close()
            self._owner.not_ready()
        elif not isinstance(reply, Simple):
            shown = reply.text if isinstance(reply, Refusal) else f"{reply!r}"
            self._give_up(f"{shown}, state: {self.stage}")
        elif self.stage == AUTH:
            self._introduce()
        elif self.stage == HANDSHAKE:
            self._ask()
        else:
            self._reach(STREAM)

    def _give_up(self, why: str) -> None:
        self.close()
        self._owner.link_lost(why)

    def lost(self, reason: str) -> None:
        """The connection has ended."""
        if not self._over:
            self._over = True
            self._owner.link_lost(f"Connection lost ({reason}), state: {self.stage}")

    def close(self) -> None:
        """End it; nothing more is heard."""
        self._over = True
        if self._wire is not None:
            self._wire.close()
