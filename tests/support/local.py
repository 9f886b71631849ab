"""An engine in the process of the test, and clients of it."""

from __future__ import annotations

from typing import Any

from carnelian.engine.engine import Engine
from carnelian.engine.session import Session
from carnelian.resp.writer import encode
from support.wire import Reply, Word, as_bytes, parse


class LocalSession(Session):
    """A session that keeps what it is sent."""

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self.sent: list[Any] = []
        self.closed = False

    def send(self, value: object) -> None:
        self.sent.append(value)

    def close(self, after_replies: bool = False) -> None:
        self.closed = True
        self.engine.sessions.remove(self)


class LocalClient:
    """Sends commands to an engine, words as text, bytes or numbers."""

    def __init__(self, engine: Engine, protocol: int = 2):
        self.engine = engine
        self.session = LocalSession(engine)
        self.session.protocol = protocol
        engine.sessions.add(self.session)

    def __call__(self, *words: Word) -> Any:
        """The reply as a Python value; an error is returned."""
        return self.engine.execute(self.session, [as_bytes(word) for word in words])

    def call(self, *words: Word) -> Reply:
        """The reply as it would be on the wire."""
        return parse(encode(self(*words), self.session.protocol))

    def error(self, *words: Word) -> str:
        """The message of the error that a command has to fail with."""
        reply = self(*words)
        assert isinstance(reply, Exception), f"{words} replied {reply!r}"
        return str(reply)

    def messages(self) -> list[Reply]:
        """What the session was sent out of turn since the last look."""
        sent, self.session.sent = self.session.sent, []
        return [parse(encode(value, self.session.protocol)) for value in sent]


class Recorder:
    """Takes down what an engine propagates and notifies."""

    def __init__(self, engine: Engine):
        self.commands: list[tuple[int, list[bytes]]] = []
        engine.effects.listen(lambda db, words: self.commands.append((db, words)))

    def take(self) -> list[bytes]:
        """The commands propagated since the last look, words joined by spaces."""
        taken, self.commands = self.commands, []
        return [b" ".join(words) for _, words in taken]
