"""What lines mean, and what is done about them."""

from __future__ import annotations

import time
from collections.abc import Callable

from carnelian.resp.quoting import split_arguments
from carnelian.tools.cli.forms.reply_forms import STANDARD
from carnelian.tools.cli.prompt import own_words
from carnelian.tools.cli.prompt.line_readers import Reader
from carnelian.tools.cli.prompt.preferences import Preferences
from carnelian.tools.cli.talking.cli_login import tell
from carnelian.tools.cli.talking.speaker import Speaker
from carnelian.tools.cli.wire.cli_client import ConnectError, LostError

# Seconds from which on it is told how long a command has taken.
_LONG = 0.5


class Dialogue:
    """Lines of a person, or of a file, one after the other.

    Args:
        speaker: says commands.
        reader: gives lines.
        preferences: what the person likes.
        interactive: whether there is a person.
    """

    def __init__(
        self, speaker: Speaker, reader: Reader, preferences: Preferences, interactive: bool
    ):
        self.speaker = speaker
        self.reader = reader
        self.preferences = preferences
        self.interactive = interactive
        # Runs the script again, if one is being written.
        self.restart: Callable[[], object] | None = None

    def run(self) -> int:
        """Go on until the end of lines, or ``quit``; returns the exit status."""
        while True:
            try:
                line = self.reader.read(self.prompt())
            except EOFError:
                return 0
            except KeyboardInterrupt:
                continue
            if not self.take(line):
                return 0

    def prompt(self) -> str:
        """What a line is asked for with."""
        client = self.speaker.client
        if not client.connected:
            return "not connected> "
        db = f"[{client.db}]" if client.db else ""
        transaction = "(TX)" if self.speaker.talk.transaction else ""
        return f"{client.address.text}{db}{transaction}> "

    def take(self, line: str) -> bool:
        """Do what a line says; returns whether to go on."""
        text = line.strip()
        if not text:
            return True
        if text.startswith((":", "\\")):
            return own_words.take(self, text)
        words = split_arguments(line.encode("utf-8", "surrogateescape"))
        if words is None:
            print("Invalid argument(s)", flush=True)
            return True
        if not words:
            return True
        if words[0].lower() in (b"quit", b"exit"):
            return False
        if not own_words.take_plain(self, words):
            self._say(words)
        return True

    def _say(self, words: list[bytes]) -> None:
        """Say a command, as often as a number before it tells."""
        times = 1
        if len(words) > 1 and words[0].lstrip(b"-").isdigit():
            times = int(words[0])
            if times < 1:
                tell_here("Invalid carnelian-cli repeat command option value.")
                return
            words = words[1:]
        began = time.monotonic()
        if not self.guarded(lambda: self.speaker.repeat(words, times, self.preferences.interval)):
            return
        took = time.monotonic() - began
        shown = self.preferences.timing or took >= _LONG
        if self.interactive and shown and self.speaker.style.form == STANDARD:
            print(f"({took:.2f}s)" if took >= _LONG else f"({took * 1000:.2f}ms)", flush=True)

    def guarded(self, action: Callable[[], object]) -> bool:
        """Do something that needs the connection; what goes wrong is told. Returns if it worked."""
        try:
            self.speaker.talk.revive()
            action()
            return True
        except LostError as error:
            self.speaker.talk.forget()
            tell(f"Error: {error}")
            # The next prompt says whether the server is there.
            self._reconnect()
        except ConnectError as error:
            self.speaker.talk.forget()
            tell(str(error))
        except KeyboardInterrupt:
            if not self.interactive:
                raise
            # What was asked for is still to come on this connection.
            print(flush=True)
            self.speaker.talk.end()
            self._reconnect()
        return False

    def _reconnect(self) -> None:
        try:
            self.speaker.client.connect()
        except ConnectError:
            pass


def tell_here(text: str) -> None:
    """Say something where replies are shown."""
    print(text, flush=True)
