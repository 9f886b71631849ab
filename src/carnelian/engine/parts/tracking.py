"""CLIENT TRACKING: clients with caches hear when what they have read changes.

In the default mode it is remembered who has read which key, until that changes or the table is
full. In broadcasting mode clients hear of all keys with some prefixes, and nothing is remembered.

See https://redis.io/docs/latest/develop/reference/client-side-caching/
"""

from __future__ import annotations

from collections.abc import Callable

import cython
from cython.cimports.carnelian.datatypes.tables.id_sets import IdSets
from cython.cimports.carnelian.engine.catalogue.key_positions import KeyPositions
from cython.cimports.carnelian.engine.catalogue.registry import Command
from cython.cimports.carnelian.engine.shared.client_state import Client
from cython.cimports.carnelian.engine.shared.core import Core

from carnelian.engine.catalogue.registry import FLAG_BITS
from carnelian.resp.replies import Push

# Where RESP2 clients listen for what is redirected to them.
CHANNEL = b"__redis__:invalidate"

_READONLY = cython.declare(cython.longlong, FLAG_BITS["readonly"])
# They read nothing themselves: the commands that they call do.
_CALLERS = frozenset((b"eval_ro", b"evalsha_ro", b"fcall_ro"))

# Keys that are forgotten before a command while there are too many; more with each command.
_EFFORT = cython.declare(cython.Py_ssize_t, 100)


@cython.final
@cython.cclass
class Tracker:
    """What a client has asked for with CLIENT TRACKING ON.

    - ``redirect``: the id of the client that gets the messages, 0 for itself;
    - ``bcast``, ``optin``, ``optout``, ``noloop``: the modes;
    - ``prefixes``: of the keys it hears of in broadcasting mode;
    - ``caching``: CLIENT CACHING was said, for the next command or transaction;
    - ``broken``: a message could not be redirected, as the other client has gone.
    """

    def __init__(
        self,
        redirect: int = 0,
        *,
        bcast: bool = False,
        optin: bool = False,
        optout: bool = False,
        noloop: bool = False,
    ):
        self.redirect = redirect
        self.bcast = bcast
        self.optin = optin
        self.optout = optout
        self.noloop = noloop
        self.caching = self.broken = False
        self.prefixes: dict[bytes, None] = {}


@cython.final
@cython.cclass
class Broadcast:
    """A prefix: the clients that want to hear of its keys, in order, and the keys that changed
    since they were told, each with the client that has changed it last.
    """

    def __init__(self):
        self.clients: dict[Client, None] = {}
        self.keys: dict[bytes, Client | None] = {}


@cython.final
@cython.cclass
class Tracking:
    """Who has read what, and who hears of it.

    Messages to the client whose command runs follow its reply, that of EXEC if it is inside of one.
    All other messages of the default mode go out at once, and those of broadcasting mode when all
    commands that have arrived are done.

    - ``trackers``: the clients that track now, by id; each has a :class:`Tracker`;
    - ``prefixes``: those of broadcasting mode;
    - ``current``: the client whose command runs, also while it calls others;
    - ``most_keys``: keys to be remembered (``tracking-table-max-keys``), 0 for any number.
    """

    def __init__(self, core: Core):
        self.core = core
        self.keys = IdSets()
        self.found = KeyPositions()
        # Ids of the open clients that track or did: what they have read may still be remembered.
        self.known: set[int] = set()
        self.trackers: dict[int, Client] = {}
        self.prefixes: dict[bytes, Broadcast] = {}
        self.lengths: tuple[int, ...] = ()
        self.changed_prefixes: dict[bytes, Broadcast] = {}
        self.current: Client | None = None
        # Keys to tell the current client of, None for all keys.
        self.pending: list[bytes | None] = []
        self.most_keys = self.rounds = 0
        # Called when there is a first client that tracks, or no other is left.
        self.on_interest: Callable[[], None] = _nothing

    # -- Clients ---------------------------------------------------------------------------------

    @property
    def active(self) -> bool:
        """Whether changes of keys concern anybody."""
        return self.core.tracked

    @property
    def total_keys(self) -> int:
        """Number of keys that are remembered."""
        return self.keys.used()

    @property
    def total_items(self) -> int:
        """Number of the clients that they are remembered for, all keys together."""
        return self.keys.items

    def enable(self, session: Client, tracker: Tracker, prefixes: list[bytes]) -> None:
        """Let a client track, or track in another way; it keeps the prefixes that it had."""
        before: Tracker = session.tracking
        if before is not None:
            tracker.caching = before.caching
            tracker.prefixes.update(before.prefixes)
        session.tracking = tracker
        self.trackers[session.id] = session
        if tracker.bcast:
            for prefix in prefixes or [b""]:
                tracker.prefixes[prefix] = None
                place: Broadcast = self.prefixes.setdefault(prefix, Broadcast())
                place.clients[session] = None
            self.measure()
        if session.id not in self.known:
            self.known.add(session.id)
            self.follow_interest()
        if self.current is None:
            # This may stand in a transaction, and what follows is told after that.
            self.current = session

    def disable(self, session: Client) -> None:
        """Let a client track no longer. What it has read stays remembered, in case it goes on."""
        tracker: Tracker = session.tracking
        if tracker is None:
            return
        session.tracking = None
        del self.trackers[session.id]
        for prefix in tracker.prefixes:
            place: Broadcast = self.prefixes[prefix]
            del place.clients[session]
            if not place.clients:
                del self.prefixes[prefix]
                self.changed_prefixes.pop(prefix, None)
        if tracker.prefixes:
            self.measure()

    def forget(self, session: Client) -> None:
        """A client has ended."""
        if session.id not in self.known:
            return
        self.disable(session)
        self.known.discard(session.id)
        if not self.known:
            self.follow_interest()

    def follow_interest(self) -> None:
        """Look at the changes of keys if somebody tracks; else forget all that was remembered."""
        self.core.tracked = bool(self.known)
        if not self.known:
            self.drop_keys()
            self.current = None
            self.pending = []
        self.on_interest()

    def measure(self) -> None:
        """Note which lengths prefixes have."""
        self.lengths = tuple(sorted({len(prefix) for prefix in self.prefixes}))

    def drop_keys(self) -> None:
        """Forget what was read; the memory is given back between commands."""
        if self.keys.used():
            self.core.keyspace.trash.add_table(self.keys.renew())

    # -- Around commands -------------------------------------------------------------------------

    @cython.cfunc
    def called(self, command: Command, args: list):
        """A command of the current client has run, or one that its command has called."""
        session: Client = self.current
        if session is None:
            return
        if command.flags & _READONLY and session.tracking is not None:
            self.remember(session, command, args)
        if self.core.depth == 0:
            self.current = None
            if session.tracking is not None:
                if self.pending:
                    self.tell_pending(session)
                self.end_caching(session, command)
            elif self.pending:
                self.pending = []

    @cython.cfunc
    def remember(self, session: Client, command: Command, args: list):
        """Note the keys that a client has read."""
        tracker: Tracker = session.tracking
        number: cython.Py_ssize_t
        if tracker.bcast:
            return
        if (tracker.optin and not tracker.caching) or (tracker.optout and tracker.caching):
            return
        if not command.key_finder().any or command.name in _CALLERS:
            return
        command.key_finder().locate(args, self.found, False)
        for number in range(self.found.count):
            self.keys.add(args[self.found.keys[number].position], session.id)

    @cython.cfunc
    def end_caching(self, session: Client, command: Command | None):
        """CLIENT CACHING is for one command or transaction, other commands of CLIENT aside."""
        tracker: Tracker = session.tracking
        if not tracker.caching or session.transaction is not None or session.blocked is not None:
            return
        if command is None or not command.name.startswith(b"client|"):
            tracker.caching = False

    @cython.cfunc
    def limit_keys(self):
        """Forget keys at random while they are too many, and tell as if they had changed."""
        if not self.most_keys or self.keys.used() <= self.most_keys:
            self.rounds = 0
            return
        self.rounds += 1
        left: cython.Py_ssize_t = _EFFORT * self.rounds
        while left > 0 and self.keys.used() > self.most_keys:
            self.tell_readers(self.keys.random_key())
            left -= 1
        if left > 0:
            self.rounds = 0

    # -- Changes ---------------------------------------------------------------------------------

    @cython.ccall
    def changed(self, key: bytes):
        """The current client has changed a key, or nobody in particular if there is none."""
        if self.lengths:
            self.note_broadcast(key, self.current)
        if self.keys.used():
            self.tell_readers(key)

    @cython.ccall
    def gone(self, key: bytes):
        """A key has expired or was evicted."""
        if self.lengths:
            self.note_broadcast(key, None)
        if self.keys.used():
            self.tell_readers(key)

    @cython.ccall
    def flushed(self):
        """All keys of a database have gone: everybody is to drop all, whatever they have read."""
        self.drop_keys()
        session: Client
        for session in list(self.trackers.values()):
            if session is self.current:
                self.pending.append(None)
            elif session.tracking is not None:
                self.tell(session, None)

    @cython.cfunc
    def tell_readers(self, key: bytes):
        """Tell who has read a key, and forget that they have."""
        ids: list | None = self.keys.take(key)
        if ids is None:
            return
        keys: list = [key]
        message = Push([b"invalidate", keys])
        session: Client
        tracker: Tracker
        for id in ids:
            session = self.trackers.get(id)
            if session is None:
                continue
            tracker = session.tracking
            if tracker.bcast:
                continue
            if session is self.current:
                if not tracker.noloop:
                    self.pending.append(key)
            elif self.current is None or tracker.redirect or session.protocol < 3:
                self.tell(session, keys)
            else:
                # What nearly all get.
                session.send(message)

    @cython.cfunc
    def tell_pending(self, session: Client):
        """The command has run by which a client has changed what it had read itself."""
        pending: list = self.pending
        self.pending = []
        own: list = []
        receiver: Client
        for key in pending:
            receiver = self.receiver_of(session)
            if receiver is None:
                own += self.of_broken_redirect(session)
                continue
            message = self.message_to(receiver, session, None if key is None else [key])
            if receiver is session:
                own.append(message)
            elif message is not None:
                receiver.send(message)
        own = [message for message in own if message is not None]
        if own:
            session.send_first(own, False)

    # -- Broadcasting ----------------------------------------------------------------------------

    @cython.cfunc
    def note_broadcast(self, key: bytes, by: Client | None):
        """Keep a changed key for those who hear of its prefixes."""
        length: cython.Py_ssize_t
        place: Broadcast | None
        for length in self.lengths:
            if length > len(key):
                return
            prefix = key[:length]
            place = self.prefixes.get(prefix)
            if place is not None:
                place.keys[key] = by
                self.changed_prefixes[prefix] = place

    @cython.ccall
    def broadcast(self):
        """Tell of the keys that changed since the last time, in one message for each prefix."""
        if not self.changed_prefixes:
            return
        changed: dict = self.changed_prefixes
        self.changed_prefixes = {}
        place: Broadcast | None
        session: Client
        for prefix in sorted(changed):
            place = changed[prefix]
            makers: dict = place.keys
            place.keys = {}
            keys: list = sorted(makers)
            for session in list(place.clients):
                tracker: Tracker = session.tracking
                wanted: list = keys
                if tracker is None:
                    continue
                if tracker.noloop:
                    wanted = [key for key in keys if makers[key] is not session]
                if wanted:
                    self.tell(session, wanted)

    # -- Messages --------------------------------------------------------------------------------

    @cython.cfunc
    def tell(self, session: Client, keys: list | None):
        """Tell a client, or the one that it redirects to, what to drop; all if that is None.

        While no command runs, what the next one is going to reply comes after that: a key may have
        been forgotten or evicted, and is read again.
        """
        receiver: Client = self.receiver_of(session)
        messages: list
        if receiver is None:
            receiver = session
            messages = self.of_broken_redirect(session)
        else:
            messages = [self.message_to(receiver, session, keys)]
        for message in messages:
            if message is None:
                continue
            if self.current is None:
                receiver.send_first([message], True)
            else:
                receiver.send(message)

    @cython.cfunc
    def receiver_of(self, session: Client):
        """Who gets the messages of a client that tracks; None if that has gone."""
        tracker: Tracker = session.tracking
        if tracker is None or not tracker.redirect:
            return session
        return self.core.sessions.get(tracker.redirect)

    @cython.cfunc
    def message_to(self, receiver: Client, session: Client, keys: list | None):
        """The message in the receiver's form; None if it cannot tell messages from replies."""
        if receiver.protocol > 2:
            return Push([b"invalidate", keys])
        # Whatever it has subscribed to.
        if cython.cast(Tracker, session.tracking).redirect and _is_subscribed(receiver):
            return Push([b"message", CHANNEL, keys])
        return None

    @cython.cfunc
    def of_broken_redirect(self, session: Client):
        """What to tell a client whose messages go nowhere."""
        tracker: Tracker = session.tracking
        tracker.broken = True
        if session.protocol < 3:
            return []
        return [Push([b"tracking-redir-broken", tracker.redirect])]


@cython.cfunc
def _is_subscribed(session: Client) -> cython.bint:
    return bool(session.channels or session.patterns or session.shard_channels)


def _nothing() -> None:
    pass
