"""The stream of changes that leaves this node: kept in the backlog, sent to all replicas."""

from __future__ import annotations

import cython
from cython.cimports.carnelian.engine.shared.client_state import Client
from cython.cimports.carnelian.engine.shared.effects import FOR_REPLICAS, Effects, Listener
from cython.cimports.carnelian.replication.history import Backlog, History

_GETACK = b"*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n"


@cython.final
@cython.cclass
class Stream(Listener):
    """Takes what happens to the data set, once for all who follow.

    While this node leads it is what the engine's commands do. While it follows it is what comes
    from its own primary (:meth:`relay`), byte by byte the same.

    - ``backlog``: the last bytes; None as long as nobody is to have them, and nothing is counted;
    - ``readers``: the sessions of replicas to which it is being sent;
    - ``asks``: they are to confirm what they have got, at the end of the turn;
    - ``held``: nothing is to be added that is no change.
    """

    def __init__(self, effects: Effects, history: History):
        self.target = FOR_REPLICAS
        self.effects = effects
        self.history = history
        self.backlog: Backlog | None = None
        self.readers: list[Client] = []
        # Whether what the engine's commands do goes here.
        self.leading = False
        # Whether the readers do not know of the last bytes yet.
        self.fresh = False
        self.asks = self.held = False

    def lead(self, leads: bool) -> None:
        """Begin to take, or cease to take, what the engine's commands do."""
        leads = leads and self.backlog is not None
        if leads == self.leading:
            return
        self.leading = leads
        if leads:
            self.effects.listen(self)
        else:
            self.effects.unlisten(self)

    def begin_anew(self) -> None:
        """Somebody is going to hear it from here on: have it say which database it means."""
        self.effects.forget_selection()

    @cython.cfunc
    def receive(self, text: cython.pointer[cython.const[cython.char]], length: cython.Py_ssize_t):
        """Take a command."""
        self.backlog.append(text, length)
        self.history.offset += length
        self.effects.position = self.history.offset
        self.fresh = True

    @cython.ccall
    def put(self, data: bytes):
        """Take what is no change, between two units: PING and the like."""
        if self.backlog is None:
            return
        self.backlog.put(data)
        self.history.offset += len(data)
        self.effects.position = self.history.offset
        self.fresh = True

    @cython.ccall
    def relay(self, data: bytes):
        """Take the next bytes of the primary's own stream, all of whose commands were run."""
        if self.backlog is not None:
            self.backlog.put(data)
        self.history.offset += len(data)
        self.effects.position = self.history.offset
        self.fresh = True
        self.tell_readers()

    @cython.ccall
    def commit(self):
        """The end of a turn: have what has come sent."""
        if self.asks and not self.held:
            self.asks = False
            if self.readers:
                self.put(_GETACK)
        if self.fresh:
            self.tell_readers()

    @cython.ccall
    @cython.exceptval(-1, check=False)
    def database(self) -> cython.int:
        """The database that it is in; the first one if that is still to be said."""
        return max(self.effects.selected, 0)

    @cython.ccall
    def tell_readers(self):
        """Have the replicas sent what they have not got."""
        self.fresh = False
        for reader in self.readers:
            cython.cast(Client, reader).pull()
