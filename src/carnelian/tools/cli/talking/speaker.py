"""Says commands and shows what comes back."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import BinaryIO

from carnelian.resp.client.reply_values import Pushed, Refusal
from carnelian.resp.quoting import quote
from carnelian.tools.cli.forms import raw_form
from carnelian.tools.cli.forms.reply_forms import RAW, STANDARD, Style
from carnelian.tools.cli.talking.cli_login import tell
from carnelian.tools.cli.talking.conversation import (
    Conversation,
    is_subscribing,
    replies_as_messages,
)
from carnelian.tools.cli.talking.text_commands import replies_with_text
from carnelian.tools.cli.wire.cli_client import Client

# Replies in one go, before what comes from the server is waited for.
_READING = b"Reading messages... (press Ctrl-C to quit)\n"


class CommandFailedError(Exception):
    """A command had an error for an answer, which is what was to be looked out for."""


class Speaker:
    """A conversation whose replies go to an output.

    Args:
        client: the other side.
        style: how replies are written.
        show_pushes: whether messages between replies are shown.
        follow: whether to go where a cluster has the keys.
        fail: whether an error ends everything, as CommandFailedError.
        output: where replies go.
    """

    def __init__(
        self,
        client: Client,
        style: Style,
        *,
        show_pushes: bool = False,
        follow: bool = False,
        fail: bool = False,
        output: BinaryIO | None = None,
    ):
        self.talk = Conversation(client)
        self.style = style
        self.follow = follow
        self.fail = fail
        # Writes the reply to a command for people; None, or what it gives None for: in the style.
        self.make_pretty: Callable[[Sequence[bytes], object], bytes | None] | None = None
        self._output = output or sys.stdout.buffer
        client.on_push = self._show_push if show_pushes else _ignore

    @property
    def client(self) -> Client:
        """The other side."""
        return self.talk.client

    def write(self, data: bytes) -> None:
        """Put bytes where replies go."""
        self._output.write(data)
        self._output.flush()

    def issue(self, words: Sequence[bytes]) -> object:
        """Say a command, show its reply and, if that is what it is for, the messages after it.

        Returns the reply.

        Raises:
            ConnectError, LostError: there is no connection, or no more.
            CommandFailedError: the reply is an error, and that is to be told.
        """
        if is_subscribing(words) and self.style.form != RAW:
            self.write(_READING)
        reply = self._exchange(words)
        if self.fail and isinstance(reply, Refusal):
            raise CommandFailedError(reply.decode("utf-8", "surrogateescape"))
        self._show(words, reply)
        self.talk.note(words, reply)
        if self.talk.listening:
            self.listen()
        return reply

    def repeat(self, words: Sequence[bytes], times: int, interval: float) -> None:
        """Say a command so many times, for ever if less than once. Raises as :meth:`issue`."""
        done = 0
        while True:
            self.issue(words)
            done += 1
            if done == times:
                return
            if interval:
                time.sleep(interval)

    def listen(self) -> None:
        """Show what comes, until the connection ends (LostError)."""
        client = self.client
        kept, client.on_push = client.on_push, None
        try:
            while True:
                self.write(self.style.write(client.receive()))
        finally:
            client.on_push = kept
            self.talk.listening = False

    def _exchange(self, words: Sequence[bytes]) -> object:
        client = self.client
        messages = replies_as_messages(words)
        if not messages:
            if self.follow:
                return client.follow(words, self._tell_redirection)
            return client.exchange(words)
        kept, client.on_push = client.on_push, None
        try:
            reply = client.exchange(words)
            for _ in range(0 if isinstance(reply, Refusal) else messages - 1):
                self._show(words, reply)
                reply = client.receive()
            return reply
        finally:
            client.on_push = kept

    def shown(self, words: Sequence[bytes], reply: object) -> bytes:
        """The reply to a command as it is shown."""
        if replies_with_text(words):
            return raw_form.write(reply, self.style.between)
        if self.make_pretty is not None and (text := self.make_pretty(words, reply)) is not None:
            return text
        return self.style.write(reply)

    def _show(self, words: Sequence[bytes], reply: object) -> None:
        self.write(self.shown(words, reply))

    def _show_push(self, message: Pushed) -> None:
        keys = message[1] if len(message) == 2 and message[0] == b"invalidate" else None
        if self.style.form == STANDARD and isinstance(keys, list):
            names = b", ".join(b"'%b'" % quote(key)[1:-1] for key in keys if isinstance(key, bytes))
            self.write(b"-> invalidate: %b\n" % names)
        else:
            self.write(self.style.write(message))

    def _tell_redirection(self, text: str) -> None:
        if self.style.form == STANDARD:
            self.write(text.encode() + b"\n")
        elif sys.stderr.isatty():
            tell(text)


def _ignore(message: Pushed) -> None:
    """Messages that are not to be shown."""
