"""Reading an append-only file: its commands are run again, one by one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import cython
from cython.cimports.carnelian.engine.catalogue.registry import Command, accepts
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.ground.flags import FLAG_DENY_BLOCKING, FLAG_LOADER
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.resp.arguments import name, obtain, place, put, recycle
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cython.cimports.cpython.exc import PyErr_SetFromErrno
from cython.cimports.libc.errno import EINTR, errno
from cython.cimports.libc.stdint import int64_t
from cython.cimports.libc.stdlib import free, realloc
from cython.cimports.libc.string import memchr, memcpy, memmove
from cython.cimports.posix.unistd import read

from carnelian.engine.shared.failures import note_unexpected
from carnelian.resp.replies import Error

CHUNK = cython.declare(cython.Py_ssize_t, 256 * 1024)
# Words above this length are read into their own memory.
BIG = cython.declare(cython.Py_ssize_t, 32 * 1024)
# Of a longer line, the rest counts as the next one.
LONGEST_LINE = cython.declare(cython.Py_ssize_t, 1023)
MOST_WORDS = cython.declare(int64_t, 1 << 31)
# Commands between two looks at the clients.
INTERVAL = cython.declare(cython.int, 1024)
_STAR = cython.declare(cython.char, 42)
_DOLLAR = cython.declare(cython.char, 36)
_HASH = cython.declare(cython.char, 35)
_LINE_FEED = cython.declare(cython.int, 10)


class ReplayError(Exception):
    """A file that cannot be replayed to its end."""


class Truncated(ReplayError):
    """It ends within a command, or within a transaction."""


class Misformatted(ReplayError):
    """It holds what is no command."""


class UnknownCommand(ReplayError):
    """It holds a command that there is not; the text is its name."""


class Failed(ReplayError):
    """A command has failed, and that is a reason to stop; the text is its name."""


@cython.cclass
class Loader(Session):
    """The session whose commands a file holds. Nobody gets the replies."""

    @cython.ccall
    def send(self, value: object):
        pass

    @cython.ccall
    def close(self, after_replies: object = False):
        pass


@cython.final
@cython.cclass
class Replay:
    """Runs the commands of a file from where its descriptor stands.

    Commands are run without the checks and the statistics that a client's have. ``valid_up_to`` is
    the offset behind the last complete command, ``valid_before_multi`` the one before the last
    MULTI.

    - ``progress(position)`` is called now and then;
    - ``delay_us``: microseconds to sleep at each command;
    - ``foreign(args)`` is given commands that there are not; returns what is to be called for one,
      None if it does not know it either;
    - ``strict``: stop at a command that fails.

    Args:
        fd: the file.
        position: where it stands.
        size: the bytes that it has.
    """

    def __cinit__(self, *args, **options):
        self.data = cython.NULL

    def __init__(self, engine: Engine, fd: int, position: int, size: int):
        self.engine = engine
        self.session = Loader(engine)
        self.session.flags |= FLAG_LOADER | FLAG_DENY_BLOCKING
        self.fd = fd
        self.at = self.end = self.room = 0
        self.before = self.valid_up_to = self.valid_before_multi = position
        self.size = size
        self.progress: Callable[[int], None] | None = None
        self.foreign: Callable[[list[bytes]], Callable[[], None] | None] | None = None
        # What waits for the EXEC of its transaction.
        self.held: list[tuple[bytes, Callable[[], None]]] = []
        self.delay_us = 0
        self.strict = False

    def __dealloc__(self):
        free(self.data)

    @property
    def position(self) -> int:
        """How far the file has been read."""
        return self.before + self.at

    def run(self) -> None:
        """Read and run everything.

        Raises:
            Truncated, Misformatted, UnknownCommand, Failed: see there. What came before is in
                effect, but for a transaction that does not end.
            OSError: the file cannot be read.
        """
        count: cython.longlong = 0
        args: list | None
        self.engine.clock.tick()
        while True:
            if count % INTERVAL == 0:
                self.pause()
            count += 1
            args = self.next()
            if args is None:
                break
            self.execute(args)
            recycle(args)
            self.valid_up_to = self.before + self.at
            if self.delay_us > 0:
                time.sleep(self.delay_us / 1e6)
        if self.session.transaction is not None:
            raise Truncated("transaction")

    def pause(self):
        """Let others have a look."""
        self.engine.clock.tick()
        if self.progress is not None:
            self.progress(self.before + self.at)

    # -- Running ---------------------------------------------------------------------------------

    def execute(self, args: list):
        """Run a command, or queue it within a transaction."""
        session: Loader = self.session
        command: Command = self.engine.registry.lookup(args)
        if command is None:
            self.execute_foreign(list(args))
            return
        if not accepts(command, len(args)):
            raise Misformatted("wrong number of arguments")
        if session.transaction is not None and command.name != b"exec":
            session.transaction.add(command, list(args), command.flags)
            return
        if command.name == b"multi":
            self.valid_before_multi = self.valid_up_to
        session.command = command
        try:
            reply = command.handler(session, args)
        except Error as error:
            self.engine.stats.count_error(error.code)
            self.report(command.name, error)
        else:
            if type(reply) is list and command.name == b"exec":
                self.report_inside(reply)
        session.rewritten = None
        if self.held and session.transaction is None:
            held, self.held = self.held, []
            for title, action in held:
                self.act(title, action)

    def execute_foreign(self, args: list):
        """Have somebody else run a command that there is not."""
        action: Callable[[], None] | None = None
        if self.foreign is not None:
            action = self.foreign(args)
        if action is None:
            raise UnknownCommand(_text(args[0]))
        title: bytes = b"|".join(args[:2]).lower()
        if self.session.transaction is not None:
            self.held.append((title, action))
        else:
            self.act(title, action)

    def act(self, title: bytes, action: Callable[[], None]) -> None:
        """Do what a command comes to that there is not."""
        try:
            action()
        except Error as error:
            self.engine.stats.count_error(error.code)
            self.report(title, error)

    def report_inside(self, replies: list) -> None:
        """Report the commands of a transaction that have failed."""
        for reply in replies:
            if isinstance(reply, Error):
                self.report(b"exec", reply)

    def report(self, name: bytes, error: Error) -> None:
        """A command that went well once has failed: say so, and go on unless it is to stop.

        Raises:
            Failed: it is to stop.
        """
        engine: Engine = self.engine
        note_unexpected(engine.log, engine.facts, "server", "AOF-loading-client", name, error)
        if self.strict:
            raise Failed(_text(name))

    # -- Reading ---------------------------------------------------------------------------------

    def next(self) -> list | None:
        """The next command, None at the end of the file."""
        i: int64_t
        words: int64_t
        length: cython.Py_ssize_t = 0
        while True:
            if not self.have(1):
                return None
            if self.data[self.at] != _HASH:
                break
            self.line(cython.address(length))
            self.at += length
        words = self.header(_STAR)
        if words < 1 or words > MOST_WORDS:
            raise Misformatted("number of words")
        if words > self.size:
            self.fail_on_words()
        args: list = obtain(words)
        for i in range(words):
            length = self.header(_DOLLAR)
            if length < 0:
                raise Misformatted("length")
            if length > BIG:
                put(args, i, self.big_word(length))
            elif not self.have(length + 2):
                raise Truncated("word")
            elif i == 0:
                put(args, 0, name(self.data + self.at, length))
                self.at += length + 2
            else:
                place(args, i, self.data + self.at, length)
                self.at += length + 2
        return args

    def fail_on_words(self):
        """The file cannot hold so many words: find out whether it is cut or the number is wrong.

        Raises:
            Truncated: it ends in the middle of a word.
            Misformatted: something else follows the words that are there.
        """
        length: cython.Py_ssize_t
        while True:
            length = self.header(_DOLLAR)
            if length < 0:
                raise Misformatted("length")
            if length > BIG:
                self.big_word(length)
            elif self.have(length + 2):
                self.at += length + 2
            else:
                raise Truncated("word")

    def big_word(self, length: cython.Py_ssize_t) -> bytes:
        """A long word, read to where it stays."""
        count: cython.Py_ssize_t
        done: cython.Py_ssize_t = min(self.end - self.at, length)
        if length + 2 > self.size - self.before - self.at:
            raise Truncated("word")
        text: bytes = PyBytes_FromStringAndSize(cython.NULL, length)
        memcpy(PyBytes_AS_STRING(text), self.data + self.at, done)
        self.at += done
        while done < length:
            count = read(self.fd, PyBytes_AS_STRING(text) + done, length - done)
            if count < 0:
                if errno == EINTR:
                    continue
                PyErr_SetFromErrno(OSError)
            if count == 0:
                raise Truncated("word")
            done += count
            self.before += count
        if not self.have(2):
            raise Truncated("word")
        self.at += 2
        return text

    def header(self, mark: cython.char) -> int64_t:
        """The number in a line that begins with a mark."""
        i: cython.Py_ssize_t = 1
        length: cython.Py_ssize_t = 0
        number: int64_t = 0
        negative: cython.bint
        if not self.have(1):
            raise Truncated("line")
        whole: cython.bint = self.line(cython.address(length))
        text: cython.p_const_char = self.data + self.at
        if text[0] != mark:
            raise Misformatted("mark")
        if length == 1 and not whole:
            raise Truncated("line")
        negative = i < length and text[i] == 45
        if negative:
            i += 1
        while i < length and 48 <= text[i] <= 57:
            if number < 1 << 40:
                number = 10 * number + (text[i] - 48)
            i += 1
        self.at += length
        # No number is as good as 0 here, and one below 0 is never right.
        return -2 if negative and number else number

    def line(self, length: cython.p_Py_ssize_t) -> cython.bint:
        """Find the end of the line that begins here; returns whether it ends in a line feed."""
        found: cython.p_const_char
        left: cython.Py_ssize_t = self.end - self.at
        found = cython.cast(
            cython.p_const_char, memchr(self.data + self.at, _LINE_FEED, min(left, LONGEST_LINE))
        )
        if found is cython.NULL and left < LONGEST_LINE:
            self.have(LONGEST_LINE)
            left = self.end - self.at
            found = cython.cast(
                cython.p_const_char,
                memchr(self.data + self.at, _LINE_FEED, min(left, LONGEST_LINE)),
            )
        if found is cython.NULL:
            length[0] = min(left, LONGEST_LINE)
            return False
        length[0] = found + 1 - (self.data + self.at)
        return True

    def have(self, length: cython.Py_ssize_t) -> cython.bint:
        """Have so many bytes in memory; returns False if the file has no more."""
        if self.end - self.at >= length:
            return True
        self.fetch(length)
        return self.end - self.at >= length

    def fetch(self, length: cython.Py_ssize_t) -> cython.int:
        """Read on until there are so many bytes, or the file ends."""
        count: cython.Py_ssize_t
        room: cython.Py_ssize_t = max(CHUNK, 2 * length)
        if self.at:
            self.end -= self.at
            memmove(self.data, self.data + self.at, self.end)
            self.before += self.at
            self.at = 0
        if self.room < room:
            grown: cython.p_void = realloc(self.data, room)
            if grown is cython.NULL:
                raise MemoryError
            self.data = cython.cast(cython.p_char, grown)
            self.room = room
        while self.end < length:
            count = read(self.fd, self.data + self.end, self.room - self.end)
            if count < 0:
                if errno == EINTR:
                    continue
                PyErr_SetFromErrno(OSError)
            if count == 0:
                break
            self.end += count
        return 0


def _text(word: bytes) -> str:
    return word.decode("utf-8", "backslashreplace")


def is_snapshot(fd: int) -> bool:
    """Whether a file that stands at its beginning begins as a snapshot does; it stays there."""
    return os.pread(fd, 5, 0) == b"REDIS"
