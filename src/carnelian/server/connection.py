"""A client behind a socket: bytes in, commands, bytes out.

Input is received straight into the parser's buffer, one read per loop turn and client, and every
complete command of it is executed at once. Replies gather in the output buffer, which the hub
sends before the loop sleeps: one system call per turn and client. What the socket does not take
waits for it to become writable, so that a slow reader delays nobody but itself.
"""

from __future__ import annotations

from collections.abc import Callable

import cython
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.ground.flags import (
    FLAG_REEXECUTING,
    NEEDS_AUTH,
    REPLY_NEVER,
    REPLY_ON,
)
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.carnelian.engine.shared.prefetch import fetch_ahead
from cython.cimports.carnelian.net.loop import Hooks, Loop
from cython.cimports.carnelian.net.outcomes import FAILED, WOULD_BLOCK
from cython.cimports.carnelian.net.poller import READABLE, WRITABLE
from cython.cimports.carnelian.net.transport import Owner, Transport
from cython.cimports.carnelian.resp.arguments import recycle
from cython.cimports.carnelian.resp.output import Feed, OutputBuffer, unsent
from cython.cimports.carnelian.resp.parser import Parser, take
from cython.cimports.carnelian.resp.writer import add_part, begin_parts, end_parts, write
from cython.cimports.carnelian.server.states import (
    BUSY,
    CLOSE_AFTER,
    CLOSE_SOON,
    CLOSED,
    PENDING,
    RESUMING,
    UNIX_SOCKET,
)

from carnelian.engine.ground.faults import text_of, trace_of
from carnelian.engine.shared.clients import (
    OBJECT_SIZE,
    fieldset_memory,
    subscription_memory,
    tracking_memory,
    transaction_memory,
)
from carnelian.engine.shared.failures import note_unexpected
from carnelian.resp.parser import ProtocolError
from carnelian.resp.replies import NO_REPLY, Error, Lazy, Push, Several
from carnelian.server import client_info

_REPLY_SIZE = cython.declare(cython.int, 16 * 1024)
# A feed is asked for more when there is less than this to send.
_FED_SIZE = cython.declare(cython.Py_ssize_t, 256 * 1024)
# What a client that has not authenticated may leave unread beyond its first reply buffer.
_UNTRUSTED_OUTPUT = cython.declare(cython.Py_ssize_t, 1024)

_ENDING = cython.declare(cython.int, CLOSE_AFTER | CLOSE_SOON | CLOSED)
_GONE = cython.declare(cython.int, CLOSE_SOON | CLOSED)


@cython.cclass
class Hub(Hooks):
    """What the connections of a server share: the engine, the loop, limits, and lists of those
    that have output to send, go on after a block, or end in this turn.
    """

    def __init__(self, engine: Engine, loop: Loop, log):
        self.engine = engine
        self.loop = loop
        self.log = log
        self.stats = engine.stats
        self.deadline_ms = 0
        self.woke_ns = 0
        self.commands_before = 0
        self.members: list = []
        self.pending: list = []
        self.closing: list = []
        self.resumed: list = []
        # The one whose commands are executed now.
        self.running: Connection | None = None
        # Called in every turn, once the replies are sent.
        self.work: Callable[[], None] | None = None
        # Called with each connection whose encryption has been agreed on.
        self.on_secured: Callable[[Connection], None] | None = None
        self.max_bulk = 512 * 1024 * 1024
        self.max_query = 1024 * 1024 * 1024

    @cython.ccall
    def before_sleep(self):
        """All that must happen before the loop waits: resumed input, replies, ends."""
        if self.resumed:
            self.proceed()
        self.engine.before_sleep()
        while self.resumed:
            self.proceed()
            self.engine.before_sleep()
        if self.engine.effects.listening:
            self.commit()
            if self.resumed:
                self.loop.limit_wait(0)
        if self.pending:
            self.flush()
        if self.closing:
            self.close_marked()
        if self.engine.client_eviction.limit:
            self.engine.client_eviction.enforce()
        if self.engine.timed:
            self.plan_deadline()
        if self.work is not None:
            self.work()

    @cython.cfunc
    def commit(self):
        """Bring what was changed to the disk, and take the time."""
        started: cython.longlong = self.engine.clock.monotonic_ns()
        self.engine.effects.commit()
        self.stats.log_ns += self.engine.clock.monotonic_ns() - started

    def end_largest(self) -> None:
        """Let ``maxmemory-clients`` take effect in the middle of a turn: before any key goes."""
        connection: Connection
        if not self.engine.client_eviction.limit:
            return
        for connection in self.pending:
            if not connection.state & _GONE:
                self.engine.client_eviction.update(connection)
        if self.running is not None and not self.running.state & _GONE:
            self.engine.client_eviction.update(self.running)
        self.engine.client_eviction.enforce()

    def plan_deadline(self) -> None:
        """Wake up in time for what waits for a time."""
        self.deadline_ms = self.engine.next_deadline_ms()
        if self.deadline_ms:
            self.loop.limit_wait((self.deadline_ms - self.engine.clock.wall_ms()) / 1000)

    @cython.ccall
    def after_sleep(self):
        """Count the turn before, and heed what waited for a time, before the events of this one."""
        loop: Loop = self.loop
        if self.woke_ns:
            self.stats.count_turn(
                cython.cast(cython.longlong, loop.slept * 1e9) - self.woke_ns,
                self.stats.commands - self.commands_before,
            )
        self.woke_ns = cython.cast(cython.longlong, loop.woke * 1e9)
        self.commands_before = self.stats.commands
        if self.deadline_ms and self.engine.clock.wall_ms() >= self.deadline_ms:
            self.deadline_ms = 0
            self.engine.on_deadline()
            if self.pending:
                # What evictions have made clients be told takes memory until it is sent, and more
                # keys would go for it before the commands of this turn.
                if self.engine.effects.listening:
                    self.commit()
                self.flush()

    @cython.ccall
    def flush(self):
        """Send what the connections have gathered in this turn."""
        while self.pending:
            batch: list = self.pending
            self.pending = []
            for connection in batch:
                cython.cast(Connection, connection).flush()

    @cython.cfunc
    def close_marked(self):
        while self.closing:
            batch: list = self.closing
            self.closing = []
            for connection in batch:
                cython.cast(Connection, connection).finish()

    @cython.cfunc
    def proceed(self):
        """Go on with the input of connections that were blocked."""
        batch: list = self.resumed
        self.resumed = []
        connection: Connection
        for connection in batch:
            connection.state &= ~RESUMING
            if not connection.state & _ENDING:
                connection.run_commands()
            if connection.state & CLOSE_SOON:
                connection.finish()

    def step_aside(self, work) -> None:
        """Call ``work()``, which may turn the loop, in the middle of a connection's command.

        Nothing is read from that connection meanwhile.
        """
        running = self.running
        if running is None:
            work()
            return
        wanted: cython.int = running.transport.wanted
        running.transport.watch(0)
        try:
            work()
        finally:
            self.running = running
            if not running.state & CLOSED:
                running.transport.watch(wanted)

    def adopt(self, connection: Connection) -> None:
        """Serve ``connection`` from now on."""
        connection.position = len(self.members)
        self.members.append(connection)
        self.engine.users.begin(connection)
        self.engine.sessions.add(connection)
        connection.transport.watch(READABLE)

    def release(self, connection: Connection) -> None:
        """Forget a connection that has ended. O(1): the last one takes its place."""
        members: list = self.members
        last: Connection = members.pop()
        if last is not connection:
            last.position = connection.position
            members[last.position] = last
        self.engine.sessions.remove(connection)

    def close_all(self) -> None:
        """Send what can be sent at once and end every connection: the server stops."""
        self.flush()
        for connection in list(self.members):
            connection.finish()


@cython.final
@cython.cclass
class End(Owner):
    """Tells a connection what its transport says: a session cannot be an owner by itself."""

    def __init__(self, connection: Connection):
        self.connection = connection

    @cython.ccall
    def readable(self):
        self.connection.readable()

    @cython.ccall
    def writable(self):
        self.connection.flush()

    @cython.ccall
    def give_up(self, fault: object):
        self.connection.give_up(fault)

    @cython.ccall
    def secured(self):
        if self.connection.hub.on_secured is not None:
            self.connection.hub.on_secured(self.connection)


@cython.cclass
class Connection(Session):
    """One client behind ``transport``, which has been accepted and is ours."""

    def __init__(self, hub: Hub, transport: Transport, unix_socket: bool = False):
        super().__init__(hub.engine)
        self.takes_rows = True
        self.hub = hub
        self.transport = transport
        self.parser = Parser()
        self.output = OutputBuffer()
        self.args: list | None = None
        # Messages to itself, until the reply of the command that caused them is written.
        self.kept: list | None = None
        self.input_total = self.output_total = 0
        self.peer_address: bytes | None = None
        self.socket_address: bytes | None = None
        self.state = UNIX_SOCKET if unix_socket else 0
        self.reply_size = self.reply_peak = _REPLY_SIZE
        self.reply_peak_reset_ms = self.created_ms
        transport.owner = End(self)

    # -- Input -----------------------------------------------------------------------------------

    @cython.cfunc
    def readable(self):
        """Read once and run what is complete."""
        hub: Hub = self.hub
        parser: Parser = self.parser
        parser.max_bulk = hub.max_bulk
        parser.authenticated = not self.gate & NEEDS_AUTH
        buffer: cython.p_char = parser.reserve(0)
        count: cython.Py_ssize_t = self.transport.receive(buffer, parser.room)
        hub.stats.reads += 1
        if count <= 0:
            parser.commit(0)
            self.nothing_read(count)
            return
        parser.commit(count)
        hub.stats.input_bytes += count
        self.input_total += count
        if self.state & _ENDING:
            self.parser = Parser()
            return
        if (
            parser.capacity > hub.max_query
            or parser.received > hub.max_query
            or self.transaction is not None
        ):
            self.check_query()
        self.run_commands()
        # The clock has been read for the commands, if there were any.
        self.active_ms = hub.engine.clock.ms
        if hub.engine.client_eviction.limit and not self.state & _GONE:
            hub.engine.client_eviction.update(self)
        if self.state & CLOSE_SOON:
            self.finish()

    @cython.cfunc
    def nothing_read(self, count: cython.Py_ssize_t):
        """The other side has ended, or the socket has failed, or it was a false alarm."""
        if count == WOULD_BLOCK:
            return
        if not self.transport.connected():
            self.hub.log(
                "warning", f"Error accepting a client connection: {self.transport.reason()}"
            )
        elif self.hub.log.enabled("verbose"):
            if count == 0:
                message = f"Client closed connection {client_info.line(self)}"
            else:
                message = f"Reading from client: {self.transport.reason()}"
            self.hub.log("verbose", message)
        self.finish()

    @cython.cfunc
    def run_commands(self):
        """Execute what the parser has, until it needs more or the session has to wait."""
        self.state |= BUSY
        self.hub.running = self
        while not self.run_complete():
            pass
        self.rest()
        self.args = None
        if self.output.pending() or self.state & CLOSE_AFTER:
            self.queue()

    @cython.cfunc
    @cython.inline
    def rest(self):
        """No commands of it are executed any more."""
        self.state &= ~BUSY
        self.hub.running = None

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def run_complete(self) -> cython.int:
        """Execute complete commands: false if one had a reply that cannot be written."""
        parser: Parser = self.parser
        engine: Engine = self.hub.engine
        output: OutputBuffer = self.output
        args: list
        first: cython.bint = True
        writing: cython.bint = False
        try:
            while self.blocked is None and not self.state & _ENDING:
                fetch_ahead(self, parser)
                args = take(parser) if parser.taken < parser.made else parser.next()
                if args is None:
                    break
                self.args = args
                if first:
                    value = engine.execute(self, args)
                    first = False
                else:
                    value = engine.execute_next(self, args)
                if self.reply_mode != REPLY_ON:
                    self.finish_silently(value)
                elif type(value) is Lazy:
                    self.write_parts(value)
                elif value is not NO_REPLY:
                    writing = True
                    write(output, value, self.protocol)
                    writing = False
                if self.kept is not None:
                    self.write_kept()
                if unsent(output) > _REPLY_SIZE:
                    self.check_output()
                if not parser.authenticated:
                    parser.authenticated = not self.gate & NEEDS_AUTH
                self.args = None
                recycle(args)
                # What nobody has any more is made use of again.
                value = None
        except ProtocolError as error:
            self.refuse_input(error)
        except BaseException as fault:
            if not writing or isinstance(fault, MemoryError) or not isinstance(fault, Exception):
                self.rest()
                raise
            self.replace_reply(fault)
            return 0
        parser.look_back()
        return 1

    @cython.cfunc
    def replace_reply(self, fault):
        """Reply with an error in place of what the writer has refused, and taken back."""
        self.hub.log("warning", f"A reply cannot be written: {trace_of(fault)}")
        write(self.output, Error(f"ERR {text_of(fault)}"), self.protocol)
        if self.kept is not None:
            self.write_kept()

    @cython.cfunc
    def write_parts(self, lazy):
        """Write a large reply, and stop when it is more than the client may leave unread."""
        output: OutputBuffer = self.output
        count: cython.Py_ssize_t = 0
        gap: cython.int = begin_parts(output, lazy, self.protocol)
        for part in lazy.parts:
            add_part(output, part, self.protocol)
            count += len(part)
            self.check_output()
            if self.state & _GONE:
                break
        else:
            end_parts(output, lazy, self.protocol, gap, count)
        self.hub.engine.parts_written(self, self.args)

    @cython.cfunc
    def finish_silently(self, value):
        """After a command under CLIENT REPLY OFF or SKIP; a blocked one has not ended yet.

        What tells of subscriptions is sent all the same, as messages are.
        """
        if self.reply_mode == REPLY_NEVER:
            if value is not NO_REPLY:
                self.refuse_reply(value)
            return
        if isinstance(value, Several):
            write(self.output, value, self.protocol)
        elif type(value) is Lazy:
            self.hub.engine.parts_written(self, self.args)
        if self.blocked is None:
            self.advance_reply_mode()

    @cython.cfunc
    def refuse_reply(self, value):
        """End a replica that has sent a command with a reply: it would not know it for one."""
        name = "" if self.command is None else self.command.name.decode()
        if isinstance(value, Error):
            engine = self.hub.engine
            note_unexpected(self.hub.log, engine.facts, "master", "replica", name.encode(), value)
        self.hub.log(
            "warning",
            f"Replica generated a reply to command '{name}', disconnecting it: "
            f"{client_info.line(self)}",
        )
        self.close()

    @cython.cfunc
    def refuse_input(self, error):
        """Reply with what is wrong with the protocol, then end."""
        log = self.hub.log
        if log.enabled("verbose"):
            log("verbose", client_info.protocol_error(self, error))
        if self.reply_mode == REPLY_ON:
            write(self.output, error, self.protocol)
        self.state |= CLOSE_AFTER

    @cython.cfunc
    def check_query(self):
        """End a client that sends more than ``client-query-buffer-limit`` without a command.

        What it has queued in a transaction counts, too.
        """
        queued: cython.Py_ssize_t = 0
        if self.transaction is not None:
            queued = self.transaction.memory
        if self.parser.buffered + queued > self.hub.max_query:
            self.hub.stats.input_limit_disconnections += 1
            self.hub.log("warning", client_info.query_limit(self))
            self.close()

    @cython.ccall
    def resume(self):
        """Go on with waiting input, before the loop sleeps."""
        if self.reply_mode != REPLY_ON:
            self.advance_reply_mode()
        if not self.state & (RESUMING | _GONE):
            self.state |= RESUMING
            self.hub.resumed.append(self)

    # -- Output ----------------------------------------------------------------------------------

    @cython.ccall
    def send(self, value: object):
        """Send a message, or the reply of a command that was blocked."""
        if self.state & _GONE or (self.state & CLOSE_AFTER and not self.state & BUSY):
            return
        if isinstance(value, Push):
            if self.hub.running is self or self.flags & FLAG_REEXECUTING:
                self.put_behind_reply(value)
                return
        elif self.reply_mode != REPLY_ON:
            return
        write(self.output, value, self.protocol)
        if self.kept is not None and not self.state & BUSY:
            self.write_kept()
        if not self.state & BUSY:
            self.queue()
        if self.output.pending() > _REPLY_SIZE:
            self.check_output()
        # One whose socket is full is not sent anything at the end of the turn, nor counted then.
        if self.hub.engine.client_eviction.limit and not self.state & _GONE:
            self.hub.engine.client_eviction.update(self)

    @cython.ccall
    def send_first(self, messages: list, before_reply: cython.bint):
        """Send messages before others that wait for the reply of the running command."""
        if self.hub.running is not self and not self.flags & FLAG_REEXECUTING:
            for message in messages:
                self.send(message)
        elif not before_reply:
            self.kept = messages if self.kept is None else messages + self.kept
        elif not self.state & _GONE:
            for message in messages:
                write(self.output, message, self.protocol)
            if self.output.pending() > _REPLY_SIZE:
                self.check_output()

    @cython.cfunc
    def put_behind_reply(self, message):
        """Have a message follow the reply of the command that runs."""
        if self.kept is None:
            self.kept = []
        self.kept.append(message)

    @cython.cfunc
    def write_kept(self):
        """Write the messages that waited for a reply to be written."""
        messages: list | None = self.kept
        self.kept = None
        for message in messages or ():
            write(self.output, message, self.protocol)
            if self.output.pending() > _REPLY_SIZE:
                self.check_output()

    @cython.cfunc
    def queue(self):
        """Have the output sent before the loop sleeps, unless the socket is known to be full."""
        if not self.state & PENDING and not self.transport.wanted & WRITABLE:
            self.state |= PENDING
            self.hub.pending.append(self)

    @cython.cfunc
    def flush(self):
        """Send as much as the socket takes, and have the rest sent when it takes more."""
        hub: Hub = self.hub
        output: OutputBuffer = self.output
        transport: Transport = self.transport
        self.state &= ~PENDING
        if self.state & _GONE:
            return
        fed: cython.bint = self.feed is not None and not self.state & CLOSE_AFTER
        if fed and output.pending() < _FED_SIZE:
            self.feed.fill(output)
        left: cython.Py_ssize_t = output.pending()
        if left > 0:
            if left > self.reply_peak:
                self.reply_peak = min(left, self.reply_size)
            sent: cython.Py_ssize_t = transport.transmit(output)
            hub.stats.writes += 1
            if sent == FAILED:
                self.fail_sending()
                return
            if sent > 0:
                output.consume(sent)
                left -= sent
                if self.feed is None:
                    hub.stats.output_bytes += sent
                else:
                    hub.stats.replica_output_bytes += sent
                self.output_total += sent
                self.active_ms = hub.engine.clock.ms
        if left == 0 and self.feed is not None and not self.state & CLOSE_AFTER:
            self.feed.fill(output)
            left = output.pending()
        if left > 0:
            transport.watch(READABLE | WRITABLE)
            if self.feed is not None:
                self.check_output()
        elif self.state & CLOSE_AFTER:
            self.finish()
            return
        elif transport.wanted & WRITABLE:
            transport.watch(READABLE)
        if hub.engine.client_eviction.limit:
            hub.engine.client_eviction.update(self)

    @cython.cfunc
    def give_up(self, fault):
        """End a client that cannot be served: memory was short, or there is a mistake in here."""
        self.hub.log("warning", client_info.failure(self, fault))
        if self.hub.running is self:
            self.rest()
        self.finish()

    @cython.ccall
    def begin_feed(self, feed: Feed):
        """Have output come from ``feed``, behind what is to be sent already."""
        self.feed = feed
        if self.hub.engine.config["repl-disable-tcp-nodelay"]:
            client_info.set_no_delay(self, False)
        self.queue()

    @cython.ccall
    def pull(self):
        """The feed has something: have it sent with the rest of this turn."""
        if self.state & _GONE:
            return
        self.queue()
        if self.transport.wanted & WRITABLE:
            # It is behind: perhaps too far.
            self.check_output()

    @cython.ccall
    def send_raw(self, data: bytes):
        """Send bytes as they are."""
        if not self.state & _GONE:
            self.output.put_bytes(data)
            self.queue()

    @cython.cfunc
    def fail_sending(self):
        self.hub.log("verbose", f"Error writing to client: {self.transport.reason()}")
        self.finish()

    # -- Limits ----------------------------------------------------------------------------------

    @cython.ccall
    def output_memory(self) -> cython.Py_ssize_t:
        """Bytes that unsent output takes once it is more than a reply buffer holds."""
        if self.feed is not None:
            return self.output.pending() + self.feed.memory()
        return self.output.memory if self.output.pending() > self.reply_size else 0

    @cython.ccall
    def over_output_limit(self) -> cython.bint:
        """Whether unsent output is above the hard limit, or has long been above the soft one."""
        hub: Hub = self.hub
        used: cython.Py_ssize_t = self.output_memory()
        if used > _UNTRUSTED_OUTPUT and self.gate & NEEDS_AUTH:
            return True
        return hub.engine.output_limits.exceeded(self, used, hub.engine.clock.ms)

    @cython.cfunc
    def check_output(self):
        """Mark a client that reads too slowly for what it asks for."""
        if self.state & _GONE or not self.over_output_limit():
            return
        self.hub.stats.output_limit_disconnections += 1
        self.hub.log(
            "warning",
            f"Client {client_info.line(self)} scheduled to be closed ASAP for overcoming of "
            "output buffer limits.",
        )
        self.close()

    # -- End -------------------------------------------------------------------------------------

    @cython.ccall
    def close(self, after_replies: object = False):
        """End at the next safe point, or once the replies so far are sent."""
        if after_replies:
            if not self.state & _ENDING:
                self.state |= CLOSE_AFTER
                if not self.state & BUSY:
                    self.queue()
        elif not self.state & _GONE:
            self.state |= CLOSE_SOON
            self.hub.closing.append(self)

    @cython.ccall
    def evict(self):
        """End because all clients take too much memory: now, or after the command that runs."""
        if self.state & BUSY:
            self.output.clear()
            self.close()
        else:
            self.finish()

    @cython.ccall
    def finish(self):
        """End now. Only between commands: not from within a handler."""
        if self.state & CLOSED:
            return
        self.state |= CLOSED
        self.transport.close()
        self.hub.release(self)
        self.output.clear()
        self.parser = Parser()

    # -- What others ask -------------------------------------------------------------------------

    def peer(self) -> bytes:
        """The client's address, as MONITOR and CLIENT LIST show it."""
        if self.peer_address is None:
            self.peer_address = client_info.peer_name(self)
        return self.peer_address

    def own_address(self) -> bytes:
        """The address that the client connected to."""
        if self.socket_address is None:
            self.socket_address = client_info.socket_name(self)
        return self.socket_address

    def is_local(self) -> bool:
        """Whether the client is on this machine."""
        return client_info.is_local(self)

    def is_encrypted(self) -> bool:
        """Whether the client uses TLS."""
        return type(self.transport) is not Transport

    @property
    def is_unix(self) -> bool:
        """Whether it came in by a Unix socket."""
        return bool(self.state & UNIX_SOCKET)

    @property
    def closes_after_replies(self) -> bool:
        """Whether it ends once what is pending is sent."""
        return bool(self.state & CLOSE_AFTER)

    @property
    def closes_soon(self) -> bool:
        """Whether it ends at the next safe point."""
        return bool(self.state & CLOSE_SOON)

    @cython.ccall
    def input_memory(self) -> cython.Py_ssize_t:
        """Bytes of input that is not executed yet, or that the running command is made of."""
        size: cython.Py_ssize_t = self.parser.held
        if self.args is not None:
            return size + client_info.argument_memory(self) + 8 * len(self.args)
        return size + self.parser.argument_bytes

    @cython.ccall
    @cython.exceptval(-1)
    def memory(self) -> cython.Py_ssize_t:
        """Bytes that this client takes, all in all."""
        size: cython.Py_ssize_t = OBJECT_SIZE
        size += self.input_memory() + self.output.held
        if self.transaction is not None or self.watch is not None:
            size += transaction_memory(self)
        if self.channels or self.patterns or self.shard_channels:
            size += subscription_memory(self)
        if self.tracking is not None:
            size += tracking_memory(self)
        if self.fieldsets is not None:
            size += fieldset_memory(self)
        return size

    def describe(self) -> dict[str, object]:
        """What CLIENT LIST shows of the socket and its buffers."""
        return client_info.fields(self)
