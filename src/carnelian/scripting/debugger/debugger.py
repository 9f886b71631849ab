"""The debugger of one run of a script: when it stops, and what is said and done then.

It reads and writes through a :class:`Console`, and looks into the script with an
:class:`Inspector`; it knows neither sockets nor Lua.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import Error
from carnelian.scripting.debugger.debug_help import HELP
from carnelian.scripting.debugger.debug_requests import RequestError, Requests
from carnelian.scripting.debugger.source_lines import MOST_BREAKPOINTS, SourceLines

# Bytes of a value or a reply that are shown, unless another number is asked for, and the least.
USUAL_SIZE, LEAST_SIZE = 256, 60
# Words of a command that are shown.
_WORDS_SHOWN = 10
_CONTEXT = 5
# For how many milliseconds a script may run without a stop, where nothing else says that.
_PATIENCE = 5000

_NUMBER = re.compile(rb"\s*([+-]?\d+)")
_UNKNOWN = b"<error> Unknown Redis Lua debugger command or wrong number of arguments."
_HINT = b"<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming."
_LOST = "timeout during Lua debugging with client closing connection"


class ScriptAborted(Exception):
    """The script is to end with this as its error."""


class Console(Protocol):
    """Where somebody sits who debugs."""

    def send(self, lines: list[bytes]) -> None:
        """Show some lines."""

    def receive(self) -> bytes:
        """Wait for input; nothing of it means that nobody is there any more."""

    def finish(self, reply: object) -> object:
        """The script has ended: see that this becomes the reply of EVAL."""


class Inspector(Protocol):
    """Looks into a script that stands still. Values come as texts, cut at about ``size`` bytes."""

    def locals(self, size: int) -> list[tuple[bytes, bytes]]:
        """Names and values of the variables of the function that runs."""

    def find(self, name: bytes, size: int) -> bytes | None:
        """The value of a variable of that function or one of its callers; None: there is none."""

    def frames(self) -> list[tuple[bytes, int]]:
        """Who called whom, the innermost function first: names, none where unknown, and lines."""

    def evaluate(self, code: bytes, size: int) -> tuple[bool, bytes]:
        """Whether the code could be run, and what it comes to: its value, or the error."""

    def command(self, words: list[bytes]) -> bool:
        """Run a command as the script would; false if it has too many words."""


class Debugger:
    """Stops a script at its lines, and does what the console says.

    ``stepping``: it stops at the next line, and shows what commands are run until there.
    """

    def __init__(self, source: bytes, console: Console, inspector: Inspector, busy_ms: int):
        self._source = SourceLines(source)
        self._console = console
        self._inspector = inspector
        self._patience = busy_ms or _PATIENCE
        self._requests = Requests()
        self._said: list[bytes] = []
        self._size = USUAL_SIZE
        self._hinted = False
        self._asked_to_stop = False
        self.stepping = True

    # -- What the script does ----------------------------------------------------------------------

    def pass_line(self, number: int) -> None:
        """The script is at a line of some code, not necessarily of its own."""
        self._source.current = number

    def reach(self, elapsed_ms: int, counted: bool) -> bool:
        """It is about to run the current line; returns whether it stopped there.

        Args:
            elapsed_ms: for how long it has been running since the last stop.
            counted: it is in the middle of the line, having run for a while.

        Raises ScriptAborted.
        """
        broken = self._asked_to_stop or self._source.current in self._source.breakpoints
        overdue = False
        if counted and not self.stepping and not broken:
            if elapsed_ms < self._patience:
                return False
            overdue = True
        if not (self.stepping or broken or overdue):
            return False
        if broken:
            reason = b"redis.breakpoint() called" if self._asked_to_stop else b"break point"
        else:
            reason = b"timeout reached, infinite loop?" if overdue else b"step over"
        self.stepping = self._asked_to_stop = False
        current = self._source.current
        self._say(b"* Stopped at %d, stop reason = %b" % (current, reason))
        self._say(self._source.shown(current))
        self._flush()
        if not self._converse() and overdue:
            raise ScriptAborted(_LOST)
        return True

    def stop_soon(self) -> None:
        """It has called ``redis.breakpoint()``."""
        self._asked_to_stop = True

    def show(self, values: list[bytes]) -> None:
        """It has called ``redis.debug()`` with these values."""
        self._say(b"<debug> line %d: %b" % (self._source.current, b", ".join(values)))

    def show_command(self, words: list[bytes]) -> None:
        """It runs a command."""
        shown = list(words[:_WORDS_SHOWN])
        if len(words) > _WORDS_SHOWN:
            shown.append(b"... (%d more)" % (len(words) - _WORDS_SHOWN - 1))
        self._say(b" ".join([b"<redis>", *shown]))

    def show_error(self, message: bytes) -> None:
        """A function of the table ``redis`` has failed."""
        self._say(b"<error> " + message)

    def show_reply(self, text: bytes) -> None:
        """A command has replied."""
        self._say_some(b"<reply> " + text)

    def end(self) -> None:
        """It has ended."""
        self._say(b"<endsession>")
        self._flush()

    # -- What the console says ---------------------------------------------------------------------

    def _converse(self) -> bool:
        """Do what the console says until the script is to go on; false if nobody is there."""
        while True:
            words = self._next_command()
            if words is None:
                # From now on the script runs as if nobody had ever debugged it.
                self._source.breakpoints.clear()
                return False
            name = words[0].lower()
            if name in (b"c", b"continue"):
                return True
            if name in (b"s", b"step", b"n", b"next"):
                self.stepping = True
                return True
            if name in (b"a", b"abort"):
                raise ScriptAborted("script aborted for user request")
            _COMMANDS.get(name, Debugger._refuse)(self, words)
            self._flush()

    def _next_command(self) -> list[bytes] | None:
        while True:
            piece = self._console.receive()
            if not piece:
                return None
            try:
                words = self._requests.take(piece)
            except RequestError as error:
                raise ScriptAborted(str(error)) from None
            if words is not None:
                return words

    def _refuse(self, words: list[bytes]) -> None:
        self._say(_UNKNOWN)

    def _help(self, words: list[bytes]) -> None:
        self._said += HELP

    def _trace(self, words: list[bytes]) -> None:
        for depth, (name, line) in enumerate(self._inspector.frames()):
            self._say(b"%b %b:" % (b"From" if depth else b"In", name or b"top level"))
            self._say(self._source.shown(line))

    def _limit_size(self, words: list[bytes]) -> None:
        if len(words) == 2:
            wanted = _number(words[1])
            self._hinted = True  # Who says this knows how it is said.
            self._size = 0 if wanted == 0 else max(LEAST_SIZE, wanted)
        if self._size:
            self._say(b"<value> replies are truncated at %d bytes." % self._size)
        else:
            self._say(b"<value> replies are unlimited.")

    def _break(self, words: list[bytes]) -> None:
        places = self._source.breakpoints
        if len(words) == 1 and not places:
            self._say(b"No breakpoints set. Use 'b <line>' to add one.")
        elif len(words) == 1:
            self._say(b"%d breakpoints set:" % len(places))
            self._said += [self._source.shown(each) for each in places]
        for word in words[1:]:
            try:
                self._change_breakpoint(parse_int(word))
            except Error as error:
                error.__traceback__ = None  # it may be one that is made once for all
                self._say(b"Invalid argument:'%b'" % word)

    def _change_breakpoint(self, number: int) -> None:
        source = self._source
        if number == 0:
            source.breakpoints.clear()
            self._say(b"All breakpoints removed.")
        elif number < 0:
            removed = source.remove_breakpoint(-number)
            self._say(
                b"Breakpoint removed." if removed else b"No breakpoint in the specified line."
            )
        elif len(source.breakpoints) == MOST_BREAKPOINTS:
            self._say(b"Too many breakpoints set.")
        elif source.add_breakpoint(number):
            self._said += source.around(number, 1)
        else:
            self._say(b"Wrong line number.")

    def _evaluate(self, words: list[bytes]) -> None:
        done, text = self._inspector.evaluate(b" ".join(words[1:]), self._size)
        if done:
            self._say_some(b"<retval> " + text)
        else:
            self._say(b"<error> " + text)

    def _run_command(self, words: list[bytes]) -> None:
        if len(words) == 1:
            self._refuse(words)
            return
        self.stepping = True  # so that it is shown
        if not self._inspector.command(words[1:]):
            self._say(b"<error> max lua stack reached")
        self.stepping = False

    def _print(self, words: list[bytes]) -> None:
        if len(words) == 2:
            value = self._inspector.find(words[1], self._size)
            if value is None:
                self._say(b"No such variable.")
            else:
                self._say_some(b"<value> " + value)
            return
        variables = self._inspector.locals(self._size)
        for name, text in variables:
            self._say_some(b"<value> %b = %b" % (name, text))
        if not variables:
            self._say(b"No local variables in the current context.")

    def _list(self, words: list[bytes]) -> None:
        number = _number(words[1]) if len(words) > 1 else 0
        context = _number(words[2]) if len(words) > 2 else _CONTEXT
        self._said += self._source.around(number if number > 0 else self._source.current, context)

    def _whole(self, words: list[bytes]) -> None:
        self._said += self._source.whole()

    # -- What it says itself -----------------------------------------------------------------------

    def _say(self, line: bytes) -> None:
        self._said.append(line)

    def _say_some(self, line: bytes) -> None:
        """Say what may be long."""
        trimmed = 0 < self._size < len(line)
        self._say(line[: self._size] + b" ..." if trimmed else line)
        if trimmed and not self._hinted:
            self._hinted = True
            self._say(_HINT)

    def _flush(self) -> None:
        said, self._said = self._said, []
        self._console.send(said)


def _number(word: bytes) -> int:
    """The number that a word begins with, 0 if it begins with none."""
    found = _NUMBER.match(word)
    return int(found[1]) if found else 0


_COMMANDS: dict[bytes, Callable[[Debugger, list[bytes]], None]] = {
    name: handler
    for names, handler in (
        ((b"h", b"help"), Debugger._help),
        ((b"t", b"trace"), Debugger._trace),
        ((b"m", b"maxlen"), Debugger._limit_size),
        ((b"b", b"break"), Debugger._break),
        ((b"e", b"eval"), Debugger._evaluate),
        ((b"r", b"redis"), Debugger._run_command),
        ((b"p", b"print"), Debugger._print),
        ((b"l", b"list"), Debugger._list),
        ((b"w", b"whole"), Debugger._whole),
    )
    for name in names
}
