"""``carnelian.Engine``: the engine in your own process, without a socket."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from queue import Empty
from types import BuiltinFunctionType, ModuleType
from typing import TYPE_CHECKING

import cython
from cython.cimports.carnelian.embedded.host import Host
from cython.cimports.carnelian.embedded.mailbox import Mailbox
from cython.cimports.carnelian.engine.engine import Engine as Core
from cython.cimports.carnelian.engine.extensions.conversion import encode, encode_all, plain
from cython.cimports.cpython.pythread import PyThread_get_thread_ident

from carnelian import commands
from carnelian.embedded.doorbell import Doorbell
from carnelian.embedded.errors import DatabaseSaveError, EngineClosedError, SessionCutError
from carnelian.embedded.log_records import log_to_logging
from carnelian.embedded.mailbox import CLOSED, NOTHING
from carnelian.embedded.options.directives import configuration
from carnelian.embedded.options.locations import data_path, shared_socket
from carnelian.embedded.storage import Storage
from carnelian.engine.config import ConfigFileError
from carnelian.engine.ground.copies import refuse_copies
from carnelian.resp.replies import NO_REPLY, Error

if TYPE_CHECKING:
    from carnelian.embedded.serving.engine_service import Service


@cython.cclass
class Engine:
    """A Redis in your own process.

    Every thread that calls :meth:`execute` has a session of its own: SELECT, MULTI, WATCH and
    subscriptions of one do not concern the others. :meth:`session` makes further ones.

    With a path, the data set is kept there: it is loaded now, and saved as ``save`` and
    ``appendonly`` say and when the engine ends: with :meth:`close`, a ``with`` block, the
    interpreter, or the last reference to it. Without, it is in memory alone, and gone then.

    Args:
        path: a snapshot file in the format of Redis, made when there is something to save. An
            append-only file is kept in the directory ``{path}.aof``, and ``{path}.lock`` is there
            while the path is open. The directory has to exist. ``~`` is the home directory, and
            ``":memory:"`` is None.
        clock: a :class:`carnelian.ManualClock` for a time that you move; the system's if None.
        replica_of: the primary whose data are copied here, and kept up to date from now on:
            ``"host:port"``, or a URL with a login, ``redis://user:password@host:port`` or
            ``rediss://``. Clients may read; writes raise, as at any replica.
        share: let other processes use the data by the way of this engine while it has the path
            open: it serves them at the Unix socket ``{path}.sock``. ``Redis(path, share=True)`` is
            for them, and for those who do not care which process has it.
        replica_wait: seconds to wait for the first copy, 0 not to wait, None without an end.
        modules: user commands, loaded before the data: an append-only file may hold some. Each is
            what :meth:`load_module` takes, or a tuple of that and of words for ``on_load``.
        directives: directives of redis.conf, with ``_`` for ``-``: ``maxmemory="100mb"``,
            ``databases=4``, ``notify_keyspace_events="KEA"``. ``True`` and ``False`` are yes and
            no, a list or tuple is a value of several words. ``appendonly`` is what it was when
            the path was open last, unless given.

    Raises:
        carnelian.Error: why a module cannot be loaded.
        TypeError: there is no directive of that name, the path decides of it, or only a server
            could heed it.
        ValueError: a directive does not take that value, or needs a path; or the path is a host
            or a URL.
        carnelian.DatabaseLockedError: another engine has the path open.
        carnelian.DatabaseLoadError: the files are damaged, or cannot be read.
        OSError: there can be no file of that path.
        TimeoutError: there was no copy of the primary's data in time.
    """

    def __init__(
        self,
        path: str | bytes | os.PathLike | None = None,
        *,
        clock=None,
        share: bool = False,
        replica_of: str | None = None,
        replica_wait: float | None = 60.0,
        modules: Iterable[str | os.PathLike | ModuleType | tuple] = (),
        **directives,
    ):
        commands.declare_all()
        sources = _sources(modules)
        path = data_path(path)
        primary = None
        if replica_of is not None:
            # It brings an event loop along, and most engines follow nobody.
            from carnelian.embedded.primary_thread import Primary

            primary = Primary(replica_of)
            directives = primary.directives() | directives
        config = configuration(directives, path is not None)
        socket_path = self._socket_path(path) if share else None
        address = None if socket_path is None else f"unix://{socket_path}"
        storage = None if path is None else Storage(path, config, address)
        try:
            self.core = Core(config, clock)
            log_to_logging(self.core)
            config.warn = partial(self.core.log, "warning")
            self._load_users()
            for warning in config.idle():
                config.warn(warning)
            self.host = Host(self.core)
            self.own = threading.local()
            self.patched = threads_are_patched()
            self.last_thread = 0
            self.last_box: Mailbox = None
            if hasattr(clock, "attach"):
                clock.attach(self.host)
            for source, *words in sources:
                self.load_module(source, *words)
            if storage is not None:
                self.host.shared = share
                self.host.use_storage(storage, "appendonly" not in directives)
            if primary is not None:
                self.host.follow(primary)
                self._await_copy(replica_wait)
            if socket_path is not None:
                self.serve(unixsocket=socket_path)
        except BaseException:
            self._give_up(storage)
            raise

    def _socket_path(self, path: str | None) -> str:
        """Where those who share the path are served."""
        if path is None:
            raise ValueError("share=True needs a path: what others are to find")
        return shared_socket(path)

    def _load_users(self) -> None:
        try:
            self.core.users.load_configured()
        except ConfigFileError as error:
            raise ValueError(error.reason) from None

    def _await_copy(self, seconds: float | None) -> None:
        if seconds != 0 and not self.wait_for_primary(seconds):
            raise TimeoutError(f"there was no copy of the primary's data within {seconds} seconds")

    def _give_up(self, storage: Storage | None) -> None:
        """Undo what the constructor has begun."""
        try:
            if self.host is not None:
                self.host.close()
        finally:
            if storage is not None:
                storage.release()

    __reduce_ex__ = refuse_copies("an engine")

    # -- Commands --------------------------------------------------------------------------------

    def execute(self, *words):
        """Run a command in the calling thread's session and return its reply.

        Args:
            words: the name and the arguments: bytes, str (sent in UTF-8), int, float, bytearray or
                memoryview.

        Returns:
            bytes, int, float, bool, None, or lists, dicts and sets of them. A blocking command
            returns when it has its reply; other threads go on meanwhile.

        Raises:
            carnelian.Error: the command failed; the text is that of Redis.
            carnelian.EngineClosedError: the engine is closed.
            carnelian.SessionCutError: the thread's session took too much memory, and has ended.
        """
        box: Mailbox = self.own_box()
        reply = self.host.run(box, encode_all(words))
        if type(reply) is bytes or type(reply) is int or reply is None:
            return reply
        return self.convert(box, reply)

    @cython.cfunc
    def own_box(self) -> Mailbox:
        """The session of the calling thread."""
        thread: cython.ulong = 0
        if self.patched:
            return self.box_of_thread()
        thread = PyThread_get_thread_ident()
        if thread == self.last_thread and not self.last_box.closed:
            return self.last_box
        self.last_box = self.box_of_thread()
        self.last_thread = thread
        return self.last_box

    @cython.cfunc
    def box_of_thread(self) -> Mailbox:
        held = getattr(self.own, "box", None)
        if held is None or held.box.closed:
            if held is not None and held.box.cause is not None:
                # Once: the next command begins another session.
                self.own.box = None
                raise _ended(held.box)
            held = _ThreadBox(self.host)
            self.own.box = held
        return held.box

    @cython.cfunc
    def convert(self, box: Mailbox, reply):
        """A reply as the caller gets it, once it is there."""
        if reply is NO_REPLY and box.asked is not None:
            reply = self.host.await_answer(box)
            if reply is CLOSED:
                raise _ended(box, "the session was closed while it waited")
        if isinstance(reply, Error):
            raise reply.fresh()
        return plain(reply)

    # -- Sessions --------------------------------------------------------------------------------

    def session(self, *, db: cython.int = 0, user: str | bytes | None = None) -> LocalSession:
        """A session of its own, for transactions or subscriptions beside the thread's own.

        Args:
            db: the database that it begins in.
            user: whose rights it has, without a password. None is nobody's session, which may do
                everything, as those of threads.

        Raises:
            carnelian.Error: there is no such user, or it is off.
        """
        name = None if user is None else encode(user)
        return self.make_session(LocalSession, self.host.open(False, db, 3, True, name))

    def stream(self, *, kind: type | None = None) -> LocalSession:
        """A session like a connection: :meth:`LocalSession.submit`, then fetch what comes back.

        It begins with RESP2, and has to authenticate if ``requirepass`` is set. For those who
        write clients; ``kind`` is their subclass of LocalSession.
        """
        return self.make_session(kind or LocalSession, self.host.open(True, 0, 2, False))

    @cython.cfunc
    def make_session(self, kind, box: Mailbox):
        try:
            return kind(self, box)
        except BaseException:
            self.host.end(box)
            raise

    def wait_for_primary(self, timeout: float | None = None) -> bool:
        """Wait until the data are those of the primary, as far as it has sent them.

        Args:
            timeout: seconds to wait at most; None waits without an end, 0 does not wait.

        Returns:
            Whether they are; False for an engine that follows no primary, too.
        """
        thread = self.host.primary
        return thread is not None and thread.wait_until_connected(timeout)

    # -- Others ----------------------------------------------------------------------------------

    def serve(
        self,
        *,
        port: int | None = None,
        host: str = "127.0.0.1",
        unixsocket: str | os.PathLike | None = None,
        unixsocketperm: int = 0o600,
    ) -> Service:
        """Let redis-cli, other processes, any Redis client use this engine, from now on.

        A thread serves them. They log in as the users of the engine say, and see what the program
        sees; the program goes on as before. It ends with ``close()`` of what is returned, or with
        the engine.

        Args:
            port: the TCP port; 0 for any that is free.
            host: the address to listen on. Others than this machine are let in only if the default
                user has a password, as in Redis's protected mode.
            unixsocket: the path of a Unix socket, made now and deleted in the end.
            unixsocketperm: its permissions; 0 for those that the umask gives.

        Raises:
            ValueError: neither a port nor a path.
            OSError: it cannot listen there.
            RuntimeError: greenlets have taken the place of threads.
        """
        if port is None and unixsocket is None:
            raise ValueError("serve() takes a port, a unixsocket, or both")
        if self.patched:
            raise RuntimeError(
                "an engine is served by a thread, and greenlets have taken its place"
            )
        # It brings an event loop along, and most engines serve nobody.
        from carnelian.embedded.serving.engine_service import Service

        path = None if unixsocket is None else os.path.abspath(os.fsdecode(unixsocket))
        self.host.perform(_nothing)
        return Service(
            self.host, port=port, host=host, unixsocket=path, unixsocketperm=unixsocketperm
        )

    def backup(
        self,
        path: str | bytes | os.PathLike,
        *,
        progress: Callable[[int, int], object] | None = None,
    ) -> None:
        """Write the data set, as it is now, to another file, while others go on using the engine.

        The file is a snapshot, as an engine or a redis-server opens it. It takes the place of one
        that is there when it is whole and on the disk, and not before.

        Args:
            path: of the file; its directory has to exist.
            progress: called now and then with how many keys are written, and how many there are.
                What it raises ends the backup, and comes out.

        Raises:
            OSError: there can be no such file.
            ValueError: it is the path of this engine.
            carnelian.DatabaseSaveError: it could not be written.
        """
        # It brings the tasks of the background along, and most engines make no copies.
        from carnelian.embedded.engine_backup import back_up

        back_up(self.host, os.path.abspath(os.path.expanduser(os.fsdecode(path))), progress)

    # -- The rest --------------------------------------------------------------------------------

    def load_module(self, source: str | os.PathLike | ModuleType, *args, **config) -> str:
        """Load user commands, and return the module's name.

        Args:
            source: the path of a Python file or package, the dotted name of a module, or a module.
            args: words that the module's ``on_load`` finds in ``module.args``.
            config: what it finds in ``module.config``.

        Raises:
            carnelian.Error: why it cannot be loaded; nothing has changed then.
        """
        words = [encode(word) for word in args]
        module = self.host.perform(self.core.modules.load, source, words, config)
        return module.name

    def unload_module(self, name: str) -> None:
        """Forget a module and its commands; raises carnelian.Error if that cannot be."""
        self.host.perform(self.core.modules.unload, name)

    @property
    def path(self) -> str | None:
        """Where the data set is kept, absolute; None if it is in memory alone."""
        return None if self.host.storage is None else self.host.storage.path

    @property
    def clock(self):
        """Where the time comes from."""
        return self.core.clock

    @property
    def closed(self) -> bool:
        """Whether the engine has been closed."""
        return self.host.state != 0

    def close(self, *, save: bool | None = None) -> None:
        """Save, end all sessions and timed work, and free the memory. Blocked calls raise.

        Args:
            save: whether to write a snapshot to the path. None leaves it to the save points: with
                any, there is one if something has changed since the last.

        Raises:
            carnelian.DatabaseSaveError: it could not be saved. The engine is still open: close it
                again when there is room, or with ``save=False``. Those who share the path are
                served on; :meth:`serve` has to be called again for others.
            ValueError: there is no path to save to.
        """
        if save and self.path is None:
            raise ValueError("this engine has no path to save to")
        try:
            self.host.close(save)
        except DatabaseSaveError:
            if self.host.shared and not self.closed and not self.host.services:
                self.serve(unixsocket=self._socket_path(self.path))
            raise

    def __enter__(self):
        if self.closed:
            self.host.refuse()
        return self

    def __exit__(self, *exc_info):
        self.close()

    def __del__(self):
        if self.host is not None:
            self.host.abandon()

    def __repr__(self):
        if self.closed:
            return "<carnelian.Engine closed>"
        place = "" if self.path is None else f" in {self.path}"
        return f"<carnelian.Engine of {len(self.core.keyspace)} keys{place}>"


def _sources(modules) -> list[tuple]:
    """Each of some modules with the words for it; raises TypeError for what is no list of them."""
    if isinstance(modules, str | bytes | os.PathLike | ModuleType):
        raise TypeError(f"modules is a list of modules, or of their paths: modules=[{modules!r}]")
    return [one if isinstance(one, tuple) else (one,) for one in modules]


def _nothing() -> None:
    """For those who only want to know whether the engine is open."""


def threads_are_patched() -> bool:
    """Whether greenlets have taken the place of threads (``gevent.monkey``, ``eventlet``)."""
    return not isinstance(threading.get_ident, BuiltinFunctionType)


@cython.cfunc
def _ended(box: Mailbox, otherwise: str = "this session is closed"):
    """The error that says why a session has ended."""
    if box.cause is None:
        return EngineClosedError(otherwise)
    return SessionCutError(f"this session was closed: {box.cause}")


class _ThreadBox:
    """Holds a thread's session until the thread ends."""

    __slots__ = ("box", "host")

    def __init__(self, host):
        self.host = host
        self.box = host.open(False, 0, 3, True)

    def __del__(self):
        if hasattr(self, "box"):
            self.host.end(self.box)


class _Hearer:
    """Tells a session of what was delivered for it, as long as it is there."""

    __slots__ = ("session",)

    def __init__(self, session):
        self.session = weakref.ref(session)

    def __call__(self):
        session = self.session()
        if session is not None:
            session.delivered()


@cython.cclass
class LocalSession:
    """A session of an engine in the same process; made by :meth:`Engine.session`.

    It may be used by one thread at a time, except for :meth:`close`. It ends with :meth:`close`, at
    the end of a ``with`` block, or when nothing refers to it any longer.
    """

    def __init__(self, engine: Engine, box: Mailbox):
        self.engine = engine
        self.box = box
        self.bell: Doorbell | None = None
        # Fetched, and then it was interrupted.
        self.kept: object = NOTHING
        self.listener: Callable[[], object] | None = None

    __reduce_ex__ = refuse_copies("a session")

    def execute(self, *words):
        """Run a command in this session; as :meth:`Engine.execute`."""
        if self.box.closed:
            raise _ended(self.box)
        reply = self.engine.host.run(self.box, encode_all(words))
        return self.engine.convert(self.box, reply)

    def get_message(self, timeout=None):
        """The next message: what a subscribed channel, a tracked key or MONITOR brings.

        Args:
            timeout: seconds to wait for one; 0 does not wait, None waits forever.

        Returns:
            A list such as ``[b"message", channel, payload]``; None if there is no message in time.

        Raises:
            carnelian.EngineClosedError: the session has ended, and all messages were read.
            carnelian.SessionCutError: it was ended, with what waited: that was too much.
        """
        try:
            message = self.fetch(timeout)
        except Empty:
            return None
        return plain(message)

    # -- As a stream -----------------------------------------------------------------------------

    def submit(self, commands: list) -> None:
        """Run commands, each a list of bytes; what comes back is to be fetched in its order."""
        self.engine.host.submit(self.box, commands)

    def fetch(self, timeout=None):
        """What came back next, as handlers and pub/sub return it; raises queue.Empty in vain."""
        message = self.kept
        if message is NOTHING:
            message = self.box.fetch(timeout)
        try:
            self.engine.host.catch_up()
        except BaseException:
            self.kept = message
            raise
        self.kept = NOTHING
        if self.bell is not None:
            self.bell.answered(self.box)
        if message is CLOSED:
            self.box.put_back_end()
            raise _ended(self.box)
        return message

    def pending(self) -> bool:
        """Whether there is something to fetch."""
        return self.kept is not NOTHING or self.box.pending()

    def fileno(self) -> int:
        """A descriptor that is readable while there is something to fetch; made on demand."""
        if self.bell is None:
            self.bell = Doorbell()
            self.hear(True)
            if self.box.pending():
                self.bell.ring()
        return self.bell.fileno()

    def on_delivery(self, function) -> None:
        """Call a function, in whatever thread, when there is something new to fetch.

        None calls none any longer. That does not keep the session from ending when nothing else
        refers to it.
        """
        self.listener = function
        self.hear(function is not None or self.bell is not None)

    @cython.ccall
    def hear(self, wanted: cython.bint):
        """Have :meth:`delivered` called from now on, or no longer."""
        # What the engine holds must not hold the session, which ends with its last reference.
        self.box.on_delivery = _Hearer(self) if wanted else None

    def delivered(self):
        """There is something new to fetch."""
        if self.bell is not None:
            self.bell.ring()
        if self.listener is not None:
            self.listener()

    @property
    def id(self) -> int:
        """The number of the session in CLIENT LIST."""
        return self.box.id

    @property
    def closed(self) -> bool:
        """Whether the session has ended."""
        return self.box.closed

    def close(self) -> None:
        """End the session: subscriptions, watched keys, the transaction. Blocked calls raise."""
        try:
            self.engine.host.end(self.box)
        finally:
            if self.bell is not None:
                self.bell.close()
                self.bell = None

    def __enter__(self):
        if self.box.closed:
            raise _ended(self.box)
        return self

    def __exit__(self, *exc_info):
        self.close()

    def __del__(self):
        if self.engine is not None:
            self.hear(False)
            self.close()
