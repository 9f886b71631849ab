"""The session of a replica's primary: the commands of its stream are run as they come."""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

import cython
from cython.cimports.carnelian.engine.catalogue.registry import Command, accepts
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.ground.flags import FLAG_DENY_BLOCKING, FLAG_PRIMARY
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.engine.shared.prefetch import fetch_ahead
from cython.cimports.carnelian.keyspace.sparing import APPLYING
from cython.cimports.carnelian.resp.arguments import recycle
from cython.cimports.carnelian.resp.parser import Parser, take
from cython.cimports.carnelian.resp.replies import Error
from cython.cimports.cpython.bytes import PyBytes_GET_SIZE

from carnelian.resp.parser import ProtocolError

# A primary may send what is longer than clients may.
_LONGEST = cython.declare(cython.Py_ssize_t, 1 << 62)


class LinkControl(Protocol):
    """The link that a session of a primary belongs to, as the session knows it."""

    def pass_on(self, data: bytes) -> None:
        """These bytes of the stream were applied."""

    def acknowledge(self) -> None:
        """The primary asks up to where the stream was applied."""

    def failed(self, name: bytes, error: Error) -> None:
        """A command that went well at the primary has failed."""

    def broken(self, error: ProtocolError) -> None:
        """What came is no stream of commands."""

    def cut(self) -> None:
        """Somebody wants the link to end (CLIENT KILL)."""

    def address(self) -> bytes:
        """Where the primary is, as CLIENT LIST shows it."""


@cython.final
@cython.cclass
class PrimarySession(Session):
    """Runs what comes without asking whether it may: the primary has asked.

    Keys past their time are there like all others, because the primary says when they go. What was
    applied is passed on byte for byte, transactions as wholes.
    """

    def __init__(self, engine: Engine, link: LinkControl):
        super().__init__(engine)
        self.link = link
        self.flags |= FLAG_PRIMARY | FLAG_DENY_BLOCKING
        self.user = b"(superuser)"
        self.parser = Parser()
        self.parser.max_bulk = _LONGEST
        self.came = self.applied = self.passed = 0
        # What came and was not passed on yet, oldest first.
        self.parts: Any = deque()

    def apply(self, data: bytes) -> cython.bint:
        """Run the commands that are complete; returns False if this is no stream of commands."""
        engine: Engine = self.engine
        parser: Parser = self.parser
        args: list
        fine: cython.bint = True
        self.parts.append(data)
        self.came += PyBytes_GET_SIZE(data)
        parser.feed(data)
        engine.clock.tick()
        self.active_ms = engine.clock.ms
        engine.keyspace.spare_overdue(APPLYING)
        try:
            while True:
                fetch_ahead(self, parser)
                args = take(parser) if parser.taken < parser.made else parser.next()
                if args is None:
                    break
                self.run_one(engine, args)
                recycle(args)
                if self.transaction is None:
                    self.applied = parser.offset()
        except ProtocolError as error:
            fine = False
            self.link.broken(error)
        finally:
            engine.keyspace.cease_sparing(APPLYING)
            self.pass_on()
        if fine and engine.keys_ready and engine.depth == 0:
            # Who has waited is a client as all others are.
            engine.blocking.serve()
        return fine

    def run_one(self, engine: Engine, args: list) -> cython.int:
        """Run one command, or queue it within a transaction."""
        command: Command = engine.registry.lookup(args)
        if command is None or not accepts(command, len(args)):
            self.link.failed(args[0].lower(), _malformed(args))
            return 0
        if engine.memory_limit.limit and engine.memory_limit.over():
            engine.memory_limit.relieve()
        if engine.tracked:
            engine.tracking.limit_keys()
        if self.transaction is not None and command.name != b"exec":
            self.transaction.add(command, list(args), command.flags)
            return 0
        if command.name == b"replconf":
            if len(args) > 1 and args[1].lower() == b"getack":
                # What came before it was applied, and counts.
                self.pass_on()
                self.link.acknowledge()
            return 0
        reply = engine.call(self, command, args)
        if isinstance(reply, Error):
            self.link.failed(command.name, reply)
        elif type(reply) is list and command.name == b"exec":
            for each in reply:
                if isinstance(each, Error):
                    self.link.failed(b"exec", each)
        return 0

    def pass_on(self) -> cython.int:
        """Pass on what was applied since the last time, in the pieces that it came in."""
        size: cython.Py_ssize_t
        left: cython.longlong
        while self.passed < self.applied:
            part: bytes = self.parts.popleft()
            size = PyBytes_GET_SIZE(part)
            left = self.applied - self.passed
            if size > left:
                self.parts.appendleft(part[left:])
                part = part[:left]
                size = left
            self.passed += size
            self.link.pass_on(part)
        return 0

    # -- What a carrier implements ----------------------------------------------------------------

    @cython.ccall
    def send(self, value: object):
        """Nobody hears the replies; messages neither."""

    @cython.ccall
    def close(self, after_replies: object = False):
        """End the link: it comes back by itself."""
        self.link.cut()

    def peer(self) -> bytes:
        """Where the primary is."""
        return self.link.address()

    def describe(self) -> dict[str, object]:
        """What CLIENT LIST shows of the connection."""
        return {
            "addr": self.peer(),
            "qbuf": self.parser.buffered,
            "qbuf-free": self.parser.free,
            "events": b"r",
            "tot-net-in": self.came,
        }


def _malformed(args: list) -> Error:
    return Error(b"ERR unknown command or wrong number of arguments for '%s'" % args[0])
