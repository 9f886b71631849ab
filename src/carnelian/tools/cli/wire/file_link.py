"""A file, opened by an engine in this process that is spoken to as a server is."""

from __future__ import annotations

import errno
import glob
import logging
import os
import shutil
import tempfile
from queue import Empty
from typing import TYPE_CHECKING

from carnelian.embedded.errors import DatabaseError, DatabaseLoadError, EngineClosedError
from carnelian.embedded.local_engine import Engine
from carnelian.engine.catalogue.registry import WRITE
from carnelian.engine.ground.stages import ROLE
from carnelian.persistence import opening
from carnelian.persistence.aof import append_loading
from carnelian.persistence.aof.append_only import append_only_of
from carnelian.persistence.saving.snapshots import LoadError, UnknownInLogError
from carnelian.resp.parser import Parser
from carnelian.resp.replies import Error
from carnelian.resp.writer import encode
from carnelian.server.system.progress import Progress

if TYPE_CHECKING:
    from carnelian.engine.catalogue.registry import Command
    from carnelian.engine.engine import Engine as Core
    from carnelian.engine.shared.client_state import Client

__all__ = ["DatabaseError", "Error", "FileLink", "open_file"]

_READ_ONLY = "READONLY the file was opened for reading: carnelian-cli --write opens it for changes"
# What is no write for a server, but would leave something on the disk, or is of no use without one.
_OF_DISKS = frozenset(
    (
        b"bgrewriteaof",
        b"bgsave",
        b"config|rewrite",
        b"debug",
        b"replicaof",
        b"save",
        b"shutdown",
        b"slaveof",
    )
)
# What CONFIG SET would begin to write with.
_OF_LOGS = frozenset((b"appendonly", b"dir", b"dbfilename", b"appenddirname", b"save"))


# Copies of a log that are begun: its owner may write it anew meanwhile.
_ATTEMPTS = 5


class FileLink:
    """A conversation with an engine: requests in, replies of either protocol out."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._session = engine.stream()
        self._requests = Parser()

    def send(self, data: bytes) -> None:
        """Run the commands of which this is the end."""
        self._requests.feed(data)
        commands = []
        while (words := self._requests.next()) is not None:
            commands.append(words)
        if self._session.closed:
            raise ConnectionResetError("the session has ended")
        self._session.submit(commands)

    def receive(self, timeout: float | None) -> bytes:
        """What has come back, of all that is there already. Raises TimeoutError."""
        session = self._session
        try:
            found = [self._encoded(session.fetch(timeout))]
            while session.pending():
                found.append(self._encoded(session.fetch(0)))
        except Empty:
            raise TimeoutError from None
        except EngineClosedError:
            return b""
        return b"".join(found)

    def _encoded(self, value: object) -> bytes:
        return encode(value, self._session.box.protocol)

    def fileno(self) -> int:
        """A descriptor that is readable when something has come."""
        return self._session.fileno()

    def close(self) -> None:
        """End the session; the engine stays."""
        self._session.close()


def open_file(path: str, write: bool, modules: tuple[str, ...] = ()) -> Engine:
    """An engine with what is in a file, and in the append-only file beside it.

    Without ``write`` the file need not be free, nothing of it is changed, nothing is put beside it,
    and commands that write are refused. With it, it is made where there is none. ``modules`` are
    loaded before it is.

    Raises:
        Error: a module cannot be loaded.
        DatabaseError: it cannot be loaded, or somebody else has it.
        OSError: there is no such file.
    """
    path = os.path.expanduser(path)
    # What is wrong is told by errors.
    logging.getLogger("carnelian").addHandler(logging.NullHandler())
    with Progress("Loading"):
        if write:
            return Engine(path, modules=modules)
        return _open_to_read(path, modules)


def _open_to_read(path: str, modules: tuple[str, ...]) -> Engine:
    path = os.path.realpath(path)
    log = f"{path}.aof"
    logged = os.path.isdir(log)
    if not logged:
        with open(path, "rb"):
            pass
    engine = Engine(save="", modules=modules)
    try:
        with tempfile.TemporaryDirectory(prefix="carnelian-cli-") as scratch:
            # The loader of logs mends what a crash has left; it does so to a copy.
            found = scratch if logged else os.path.dirname(path)
            if logged:
                _copy_log(log, os.path.join(scratch, os.path.basename(log)))
            engine.host.perform(_load, engine.core, found, os.path.basename(path), path)
            engine.core.config["dir"] = scratch
    except LoadError as error:
        engine.close(save=False)
        reason: object = error.__cause__ or error
        if isinstance(error, UnknownInLogError):
            reason = f"{error}; a module that adds it is loaded with --loadmodule PATH"
        raise DatabaseLoadError(path, f"cannot load {path}: {reason}") from error
    except BaseException:
        engine.close(save=False)
        raise
    engine.core.admission.add_check(_refuse_writes, stage=ROLE)
    return engine


def _copy_log(log: str, place: str) -> None:
    """Copy a log that its owner may write anew meanwhile. Raises OSError."""
    for attempt in range(_ATTEMPTS):
        before = _manifest(log)
        try:
            shutil.copytree(log, place)
            if _manifest(log) == before:
                return
        except shutil.Error:
            if attempt == _ATTEMPTS - 1 or _manifest(log) == before:
                raise
        shutil.rmtree(place, ignore_errors=True)
    raise OSError(errno.EBUSY, "the log is written anew again and again")


def _manifest(log: str) -> list[bytes]:
    """Which files a log is of, as it says now."""
    found = []
    for path in glob.glob(os.path.join(glob.escape(log), "*.manifest")):
        with open(path, "rb") as file:
            found.append(file.read())
    return found


def _load(core: Core, directory: str, name: str, path: str) -> None:
    config, log = core.config, append_only_of(core)
    config["dir"], config["dbfilename"] = directory, name
    config["appenddirname"] = f"{name}.aof"
    append_loading.read_manifest(log, core)
    if log.manifest.parts:
        opening.load_log(core)
    else:
        config["dir"] = os.path.dirname(path)
        opening.load_snapshot(core)
    core.keyspace.dirty = 0


def _refuse_writes(session: Client, command: Command, args: list[bytes]) -> Error | None:
    if command.flags & WRITE or command.name in _OF_DISKS:
        return Error(_READ_ONLY)
    if command.name == b"config|set" and _OF_LOGS & {word.lower() for word in args[2::2]}:
        return Error(_READ_ONLY)
    return None
