"""``--ldb``: a Lua script step by step, in the server's debugger."""

from __future__ import annotations

import os
import sys

from carnelian.resp.client.reply_values import Refusal, Simple
from carnelian.resp.quoting import split_arguments
from carnelian.tools.cli import one_command
from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.forms import terminal_form
from carnelian.tools.cli.prompt import dialogue_start
from carnelian.tools.cli.prompt.line_readers import PipedLines, PlainPrompt, Reader
from carnelian.tools.cli.scripts.script_words import script_words
from carnelian.tools.cli.talking.cli_login import tell
from carnelian.tools.cli.talking.speaker import Speaker
from carnelian.tools.cli.wire.cli_client import LostError

_PROMPT = "lua debugger> "
_BEGIN = """
Lua debugging session started, please use:
quit    -- End the session.
restart -- Restart the script in debug mode again.
help    -- Show Lua script debugging commands.
"""
_END = b"<endsession>"
# How lines begin, and the colours of them; others are plain.
_COLOURS = (
    (b"<debug>", "1;37;49"),
    (b"<redis>", "0;32;49"),
    (b"<reply>", "0;36;49"),
    (b"<error>", "0;31;49"),
    (b"<hint>", "0;36;49"),
    (b"<value>", "0;35;49"),
    (b"<retval>", "0;35;49"),
    (b"->", "0;33;49"),
    (b"  #", "1;37;49"),
)
_PLAIN = "0;37;49"


class LuaSession:
    """A debugging session, begun anew as often as it is wanted.

    Args:
        speaker: says commands.
        options: the command line.
        reader: gives the lines of the person.
    """

    def __init__(self, speaker: Speaker, options: Options, reader: Reader):
        self._speaker = speaker
        self._options = options
        self._reader = reader

    def run(self) -> int:
        """Lead it to its end; returns 1 if it could not begin. Raises ConnectError, LostError."""
        while True:
            status = self._once()
            if status is not None:
                return status

    def _once(self) -> int | None:
        """One run of the script; None to begin again."""
        client = self._speaker.client
        client.connect()
        mode = "SYNC" if self._options.ldb_sync else "YES"
        answer = client.call("SCRIPT", "DEBUG", mode)
        if isinstance(answer, Refusal):
            tell(answer.decode("utf-8", "replace"))
            return 1
        print(_BEGIN, flush=True)
        client.send(script_words(self._options))
        reply = client.receive()
        if not isinstance(reply, list):
            print("\nEval debugging session can't start:")
            self._speaker.write(terminal_form.write(reply) + b"\n")
            return 1
        while not self._show(reply):
            line = self._next_line()
            if line is None:
                client.close()
                return None
            client.send(line)
            reply = client.receive()
        return self._finish()

    def _next_line(self) -> list[bytes] | None:
        """The words of the next command; None to begin again."""
        while True:
            try:
                line = self._reader.read(_PROMPT)
            except (EOFError, KeyboardInterrupt):
                return [b"abort"]
            words = split_arguments(line.strip().encode("utf-8", "surrogateescape"))
            if words is None:
                # Lua in quotes of its own.
                name, _, rest = line.strip().partition(" ")
                words = [name.encode(), rest.encode("utf-8", "surrogateescape")]
            if words == [b"restart"]:
                return None
            if words in ([b"quit"], [b"exit"]):
                return [b"abort"]
            if words:
                return words

    def _show(self, reply: object) -> bool:
        """Show what the debugger says; returns whether the session is at its end."""
        ended = False
        lines = reply if isinstance(reply, list) else [reply]
        for line in lines:
            if isinstance(line, Simple) and line == _END:
                ended = True
            elif isinstance(line, bytes):
                self._speaker.write(_coloured(line))
        return ended

    def _finish(self) -> int:
        """The script has ended: what it returned, and what became of its changes."""
        client = self._speaker.client
        try:
            reply = client.receive()
            self._speaker.write(b"\n" + terminal_form.write(reply) + b"\n")
        except LostError:
            client.close()
        kept = "" if self._options.ldb_sync else " -- dataset changes rolled back"
        print(f"(Lua debugging session ended{kept})\n", flush=True)
        # The server hangs up after a session.
        client.close()
        return 0


def run(options: Options) -> int:
    """Lead a session, then a dialogue; returns the exit status."""
    speaker = one_command.speaker_for(options)
    interactive = sys.stdin.isatty()
    reader: Reader = PlainPrompt() if interactive else PipedLines()
    session = LuaSession(speaker, options, reader)
    script_words(options)
    status = session.run()
    if status or not interactive:
        speaker.client.end()
        return status
    return dialogue_start.lead(speaker, options, restart=session.run)


def _coloured(line: bytes) -> bytes:
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return line + b"\n"
    colour = next((code for start, code in _COLOURS if line.startswith(start)), _PLAIN)
    return b"\x1b[%bm%b\x1b[0m\n" % (colour.encode(), line)
