"""An embedded engine as a replica: a thread that has the link to the primary.

The thread turns a loop with one connection. Whatever comes of that is done as a command is, with
the engine to itself: readers in other threads wait for one piece of the stream at most.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from carnelian.embedded.errors import EngineClosedError
from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.engine.ground.threads import Background
from carnelian.keyspace.clock import Clock
from carnelian.net.loop import Loop
from carnelian.net.protocol import Address, Conversation, Ear, Wire
from carnelian.net.runtime import LoopHost
from carnelian.net.transport import Transport
from carnelian.replication.replica_side.roles import ReplicaSide, replica_side_of

if TYPE_CHECKING:
    import ssl

# Bytes that are read from the primary at a time: what is in them is run before a reader comes in.
_READ_SIZE = 16 * 1024
_DEFAULT_PORT = 6379


class Gate(Protocol):
    """Lets one thread at a time into the engine: the host of an embedded one."""

    def perform(self, action: Callable[..., object], *arguments: object) -> object:
        """Call a function while no command runs."""


class Primary:
    """Where a primary is, and how to log in there.

    Args:
        text: ``host:port``, ``host``, or a URL: ``redis://[user][:password@]host[:port]``,
            ``rediss://`` with TLS.

    Raises:
        ValueError: it is none of these.
    """

    def __init__(self, text: str):
        scheme, separator, _ = text.partition("://")
        if separator and scheme not in ("redis", "rediss"):
            raise ValueError(f"{text!r}: a primary is redis://host:port, rediss:// or host:port")
        parts = urlsplit(text if separator else f"redis://{text}")
        try:
            port = parts.port
        except ValueError:
            raise ValueError(f"{text!r} has no valid port") from None
        if not parts.hostname or parts.path not in ("", "/", "/0") or parts.query:
            raise ValueError(f"{text!r}: a primary is a host and a port, of which all is copied")
        self.host = parts.hostname
        self.port = _DEFAULT_PORT if port is None else port
        self.user = unquote(parts.username) if parts.username else None
        self.password = unquote(parts.password) if parts.password else None
        self.encrypted = scheme == "rediss"

    def directives(self) -> dict[str, object]:
        """What the configuration of an engine is to say of it."""
        # A copy that comes anew is loaded beside the old one, which is read meanwhile.
        said: dict[str, object] = {"repl_diskless_load": "swapdb"}
        if self.user is not None:
            said["masteruser"] = self.user
        if self.password is not None:
            said["masterauth"] = self.password
        if self.encrypted:
            said["tls_replication"] = True
        return said


class PrimaryThread:
    """Carries the links of one engine to its primaries. Ends with :meth:`stop`, or when the gate is
    there no longer.
    """

    def __init__(self, gate: Gate, engine: Engine):
        self.clock: Clock = engine.clock
        self.random = Random()
        self.side: ReplicaSide = replica_side_of(engine)
        self.side.carrier = self
        self._config = engine.config
        self._gate = weakref.ref(gate)
        self._loop = Loop()
        self._host = LoopHost(self._loop, engine.clock, _report, self._transport, _READ_SIZE)
        self._changed = threading.Condition()
        self._stopped = False
        self.side.on_link.append(self._tell_change)
        self._thread = Background("carnelian-primary", _run, self._loop)

    # -- What carries protocols -------------------------------------------------------------------

    def call_later(self, seconds: float, callback: Callable[[], object]) -> _Later:
        """Call once, after so many seconds, with the engine to itself."""
        later = _Later(lambda: self.perform(callback))
        self._in_loop(lambda: self._loop.call_later(seconds, later))
        return later

    def connect(self, address: Address, conversation: Conversation, timeout: float = 5.0) -> None:
        """Connect; what becomes of it is told to the conversation with the engine to itself."""
        guarded = _Guarded(self, conversation)
        self._in_loop(lambda: self._host.connect(address, guarded, timeout))

    def listen(self, address: Address, accept: Callable[[], Conversation]) -> Ear:
        """Nobody can connect to an engine in somebody's own process."""
        raise OSError("an embedded engine does not listen")

    def perform(self, action: Callable[..., object], *arguments: object) -> None:
        """Call something while no command runs; the loop ends where there is no engine any more."""
        gate = self._gate()
        if gate is None or self._stopped:
            self._loop.stop()
            return
        try:
            gate.perform(action, *arguments)
        except EngineClosedError:
            self._loop.stop()

    def _in_loop(self, call: Callable[[], object]) -> None:
        """Call something in the loop's thread."""
        self._loop.call_from_thread(call)

    def _transport(self, loop: Loop, fd: int) -> Transport:
        if not self._config["tls-replication"]:
            return Transport(loop, fd)
        from carnelian.net.tls_transport import TlsTransport

        link = self.side.following
        host = None if link is None else link.host
        return TlsTransport(loop, fd, _context(self._config), False, host)

    # -- What programs wait for -------------------------------------------------------------------

    def _tell_change(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait_until_connected(self, timeout: float | None) -> bool:
        """Return when the data are those of the primary, or when so many seconds are over."""

        def come_about() -> bool:
            link = self.side.following
            return self._stopped or link is None or link.connected

        with self._changed:
            self._changed.wait_for(come_about, timeout)
        link = self.side.following
        return link is not None and link.connected

    def stop(self) -> None:
        """End the link and the thread, which does not use the engine any more. Never waits; to be
        called by who has the engine to itself.
        """
        self._stopped = True
        link = self.side.following
        if link is not None:
            link.stop()
        self._loop.call_from_thread(self._loop.stop)
        self._tell_change()


class _Later:
    """A callback that waits for its time."""

    def __init__(self, callback: Callable[[], object]):
        self._callback: Callable[[], object] | None = callback

    def __call__(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()

    def cancel(self) -> None:
        """Do not call it."""
        self._callback = None


class _Guarded:
    """A conversation whose protocol has the engine to itself whenever it hears something."""

    def __init__(self, thread: PrimaryThread, conversation: Conversation):
        self._thread = thread
        self._conversation = conversation

    def connected(self, wire: Wire) -> None:
        self._thread.perform(self._conversation.connected, _Wire(self._thread, wire))

    def receive(self, data: bytes) -> None:
        self._thread.perform(self._conversation.receive, data)

    def lost(self, reason: str) -> None:
        self._thread.perform(self._conversation.lost, reason)


class _Wire:
    """A wire that may be used by any thread."""

    def __init__(self, thread: PrimaryThread, wire: Wire):
        self.peer = wire.peer
        self._thread = thread
        self._wire = wire

    def send(self, data: bytes) -> None:
        self._thread._in_loop(lambda: self._wire.send(data))

    def pause(self, paused: bool) -> None:
        self._thread._in_loop(lambda: self._wire.pause(paused))

    def close(self) -> None:
        self._thread._in_loop(self._wire.close)


def _run(loop: Loop) -> None:
    try:
        loop.run()
    finally:
        loop.close()


def _report(fault: Exception) -> None:
    logging.getLogger("carnelian").error("the link to the primary has failed", exc_info=fault)


def _context(config: Config) -> ssl.SSLContext:
    """TLS as Python does it, with the authorities and the certificate that directives name."""
    import ssl

    context = ssl.create_default_context(
        cafile=config["tls-ca-cert-file"], capath=config["tls-ca-cert-dir"]
    )
    if config["tls-auth-clients"] == "no":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    for kind in ("tls-client", "tls"):
        if config[f"{kind}-cert-file"] and config[f"{kind}-key-file"]:
            context.load_cert_chain(
                config[f"{kind}-cert-file"],
                config[f"{kind}-key-file"],
                lambda kind=kind: config[f"{kind}-key-file-pass"] or "",
            )
            break
    return context
