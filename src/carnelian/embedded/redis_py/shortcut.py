"""The short way of a plain command through a redis-py client: from its arguments to the reply.

The long way is redis-py's own: it takes a connection from the pool, lets it check itself, packs
the command, sends it, reads the reply, retries, measures and puts the connection back, which takes
many times what the command does. The short way does at once what comes of all that when nothing
is out of the ordinary. It is taken only where nobody could tell the difference: what is
overridden, patched, watched or not at rest goes the long way.

redis-py need not be installed for this module: what it has to look like is given to it.
"""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.embedded.local_engine import LocalSession
from cython.cimports.carnelian.embedded.mailbox import Mailbox
from cython.cimports.carnelian.embedded.redis_py.shapes import Shaper
from cython.cimports.posix.time import CLOCK_MONOTONIC, clock_gettime, timespec
from cython.cimports.posix.unistd import getpid

from carnelian.embedded.errors import EngineClosedError
from carnelian.embedded.mailbox import CLOSED
from carnelian.resp.replies import Error, Push, Sentinel

# Nothing was done: the long way is the one to take.
UNFIT = Sentinel("UNFIT")
# It was run, and its reply is to be read.
PENDING = Sentinel("PENDING")

# Names of commands whose words are remembered.
_NAMES = cython.declare(cython.Py_ssize_t, 1000)
# A task that always finds its replies ready lets others run after so many nanoseconds.
_SLICE_NS = cython.declare(cython.longlong, 1_000_000)


class Unfinished:
    """A command that goes on the long way: ``first`` is PENDING, or the error of the first try."""

    __slots__ = ("connection", "first")

    def __init__(self, connection: Any, first: Any):
        self.connection = connection
        self.first = first


@cython.final
@cython.cclass
class Line:
    """A session with what turns a client's arguments into words, and replies into what it gets.

    Args:
        session: a stream.
        shaper: for its replies.
        encoder: redis-py's; what it does with texts and numbers is done here.
        early: where the reader of the connection finds what was fetched for it.
        call_soon: that of an event loop, if there is one.
    """

    def __init__(
        self,
        session: LocalSession,
        shaper: Shaper,
        encoder: Any,
        early: list,
        call_soon: Any = None,
    ):
        self.session = session
        self.shaper = shaper
        self.encode = encoder.encode
        self.encoding = encoder.encoding
        self.errors = encoder.encoding_errors
        self.early = early
        self.names: dict[str, list] = {}
        self.call_soon = call_soon
        self.busy_since_ns = 0

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def idle(self) -> cython.bint:
        """Whether a command would get its own reply, and at once if it does not wait."""
        box: Mailbox = self.session.box
        if box.closed or box.blocked is not None or self.early:
            return False
        return self.session.bell is None and not box.pending()

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def overdue(self) -> cython.bint:
        """Whether the loop has not come round for some time."""
        now = cython.declare(timespec)
        clock_gettime(CLOCK_MONOTONIC, cython.address(now))
        ns: cython.longlong = cython.cast(cython.longlong, now.tv_sec) * 1000000000 + now.tv_nsec
        if self.busy_since_ns:
            return ns - self.busy_since_ns > _SLICE_NS
        self.busy_since_ns = ns
        self.call_soon(self.turned)
        return False

    def turned(self) -> None:
        """The loop has come round."""
        self.busy_since_ns = 0

    @cython.cfunc
    def pack(self, args: tuple) -> list:
        """The words of a command; None if it is not for the short way."""
        words: list = self.name(args[0])
        if words is None:
            return words
        at: cython.Py_ssize_t
        for at in range(1, len(args)):
            value = args[at]
            kind = type(value)
            if kind is bytes:
                words.append(value)
            elif kind is str:
                words.append(cython.cast(str, value).encode(self.encoding, self.errors))
            elif kind is int:
                words.append(b"%d" % value)
            else:
                word = self.encode(value)
                words.append(word if type(word) is bytes else bytes(word))
        return words

    @cython.cfunc
    def name(self, word) -> list:
        """The first words: a name may hold several (``"CONFIG GET"``)."""
        if type(word) is not str:
            return cython.cast(list, None)
        known: list | None = self.names.get(word)
        if known is None:
            known = cython.cast(str, word).encode().split()
            # What a connection knows of its field sets is redis-py's business.
            if not known or known[0].upper() == b"HIMPORT":
                return cython.cast(list, None)
            if len(self.names) < _NAMES:
                self.names[word] = known
        return known.copy()

    @cython.cfunc
    def ask(self, words: list):
        """Run a command; its reply as the client gets it, or PENDING."""
        box: Mailbox = self.session.box
        self.session.engine.host.submit(box, [words])
        if not box.pending():
            return PENDING
        value = box.fetch(0)
        if value is CLOSED:
            box.put_back_end()
            return PENDING
        if type(value) is Push and self.shaper.protocol == 3:
            # It came before the reply, and is for the reader of the connection.
            self.early.append(value)
            return PENDING
        return self.shaper.shape(value)


@cython.final
@cython.cclass
class Shortcut:
    """What a client and all that it is made of have to look like for the short way.

    Args:
        base: redis-py's client class, and ``execute`` its execute_command.
        client: our class on top of it.
        pool, connection: the classes of its pool and of the connections in there.
        callbacks: the class of its response callbacks.
        dispatcher, released, listener: those of events, the event of a connection that is given
            back, and the only one to hear of it.
        recorder, collector: the module that measures, and the name that it has its collector by.
        providers: the module that knows whether anybody wants that.
        unusual: options of commands that change how replies are read.
        response_error, connection_error: what errors in replies are, and those of them after which
            nothing more is to be had from a connection.
    """

    def __init__(
        self,
        *,
        base: Any,
        client: Any,
        pool: Any,
        connection: Any,
        callbacks: Any,
        dispatcher: Any,
        released: Any,
        listener: Any,
        recorder: Any,
        collector: str,
        providers: Any,
        unusual: frozenset[str],
        response_error: Any,
        connection_error: Any,
    ):
        self.base = base
        self.base_execute = base.execute_command
        self.client_methods = _methods(client, "_send_command_parse_response", "parse_response")
        self.pool = pool
        self.pool_methods = _methods(pool, "get_connection", "release")
        self.connection = connection
        self.connection_methods = _methods(
            connection,
            "send_command",
            "send_packed_command",
            "pack_command",
            "read_response",
            "connect",
            "can_read",
        )
        self.callbacks = callbacks
        self.dispatcher = dispatcher
        self.released = released
        self.listener = listener
        self.recorder = recorder
        self.collector = collector
        self.providers = providers
        self.unusual = unusual
        self.response_error = response_error
        self.connection_error = connection_error
        self.overdue = False

    # -- Whether ---------------------------------------------------------------------------------

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def fits(self, client, pool, args: tuple, options: dict) -> cython.bint:
        """Whether everything but the connection is as it usually is."""
        if (
            type(pool) is not self.pool
            or not args
            or self.base.execute_command is not (self.base_execute)
        ):
            return False
        for name in options:
            if name in self.unusual:
                return False
        if type(client.response_callbacks) is not self.callbacks:
            return False
        return (
            self.unobserved()
            and self.untouched(client, type(client), self.client_methods)
            and self.untouched(pool, self.pool, self.pool_methods)
        )

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def untouched(self, thing, kind, methods: tuple) -> cython.bint:
        """Whether methods are those of redis-py or ours, neither overridden nor patched."""
        own: dict = thing.__dict__
        method: tuple
        for method in methods:
            if method[0] in own or getattr(kind, method[0], None) is not method[1]:
                return False
        return True

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def unobserved(self) -> cython.bint:
        """Whether nobody wants measurements."""
        if getattr(self.recorder, self.collector) is not None:
            return False
        instance = self.providers._observability_instance
        return instance is None or instance._provider_manager is None

    @cython.cfunc
    @cython.exceptval(-1, check=False)
    def ready(self, pool, connection) -> cython.bint:
        """Whether a connection can be used as it is, and be put back without a word."""
        if type(connection) is not self.connection:
            return False
        line: Line = connection._parser.line
        if line is None or connection._should_reconnect or connection._re_auth_token is not None:
            return False
        if connection.health_check_interval or connection.credential_provider is not None:
            return False
        dispatcher = pool._event_dispatcher
        if type(dispatcher) is not self.dispatcher:
            return False
        listeners = dispatcher._event_listeners_mapping.get(self.released)
        if listeners is None or len(listeners) != 1 or type(listeners[0]) is not self.listener:
            return False
        return line.idle() and self.untouched(connection, self.connection, self.connection_methods)

    # -- With threads ----------------------------------------------------------------------------

    def run(self, client, args: tuple, options: dict):
        """Run a command for a client that threads may share; UNFIT if it has to go the long way."""
        pool = client.connection_pool
        if not self.fits(client, pool, args, options):
            return UNFIT
        connection = self.take(client, pool)
        if connection is None:
            return UNFIT
        try:
            reply = self.ask(client, connection, args)
            if reply is UNFIT:
                return UNFIT
            if type(reply) is Unfinished:
                return client._go_on(connection, reply.first, args, options)
            return self.answer(client, reply, args[0], options)
        finally:
            self.give_back(client, pool, connection)

    @cython.cfunc
    def take(self, client, pool):
        """A connection that is ready, for this thread alone; None if there is none."""
        if client._single_connection_client:
            client.single_connection_lock.acquire()
            connection = client.connection
            if connection is not None and self.ready(pool, connection):
                return connection
            client.single_connection_lock.release()
            return None
        if client.connection is not None or pool.pid != getpid() or pool.cache is not None:
            return None
        with pool._lock:
            available: list = pool._available_connections
            if not available:
                return None
            connection = available[len(available) - 1]
            if connection.pid != pool.pid or not self.ready(pool, connection):
                return None
            available.pop()
            pool._in_use_connections.add(connection)
        return connection

    @cython.cfunc
    def give_back(self, client, pool, connection):
        """Let others have the connection, as redis-py does."""
        try:
            if connection._should_reconnect:
                client._close_connection(connection)
                connection.connect()
        finally:
            if client._single_connection_client:
                client.single_connection_lock.release()
            elif connection._should_reconnect or connection._re_auth_token is not None:
                pool.release(connection)
            else:
                with pool._lock:
                    if connection in pool._in_use_connections:
                        pool._in_use_connections.remove(connection)
                        pool._available_connections.append(connection)

    # -- With tasks ------------------------------------------------------------------------------

    def run_now(self, client, args: tuple, options: dict):
        """Run a command for a client of an event loop, in whose thread this is.

        The connection stays where it is: nothing else happens in the loop meanwhile.

        Returns:
            what the client gets, which may have to be awaited; UNFIT if the command has to go the
            long way; or an :class:`Unfinished`, whose connection was taken from the pool.
        """
        pool = client.connection_pool
        if not self.fits(client, pool, args, options):
            return UNFIT
        connection = client.connection
        if client.single_connection_client:
            if connection is None or client._single_conn_lock.locked():
                return UNFIT
        else:
            available: list = pool._available_connections
            if connection is not None or not available or pool._lock.locked():
                return UNFIT
            connection = available[len(available) - 1]
        if not self.ready(pool, connection):
            return UNFIT
        self.overdue = cython.cast(Line, connection._parser.line).overdue()
        reply = self.ask(client, connection, args)
        if reply is UNFIT:
            return UNFIT
        if type(reply) is not Unfinished:
            return self.answer(client, reply, args[0], options)
        if not client.single_connection_client:
            available.remove(connection)
            pool._in_use_connections.add(connection)
        return reply

    # -- Both ------------------------------------------------------------------------------------

    @cython.cfunc
    def ask(self, client, connection, args: tuple):
        """The reply, which may be an error; UNFIT, or an Unfinished."""
        line: Line = connection._parser.line
        words: list = line.pack(args)
        if words is None:
            return UNFIT
        try:
            reply = line.ask(words)
        except (EngineClosedError, Error) as error:
            reply = connection.failed(error)
        except BaseException:
            connection.hang_up()
            raise
        if reply is PENDING:
            return Unfinished(connection, reply)
        if isinstance(reply, Exception) and isinstance(
            reply, (self.connection_error, connection.retry._supported_errors)
        ):
            return Unfinished(connection, reply)
        return reply

    @cython.cfunc
    def answer(self, client, reply, name, options: dict):
        """What the client gets for a reply; errors are raised."""
        if isinstance(reply, self.response_error):
            raise reply
        callback = dict.get(client.response_callbacks, cython.cast(str, name).upper())
        if callback is None:
            return reply
        options.pop("keys", None)
        return callback(reply, **options)


def _methods(kind: Any, *names: str) -> tuple:
    return tuple((name, getattr(kind, name)) for name in names)
