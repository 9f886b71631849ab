"""Whether the keys of a command are to be had at this node: asked about every command."""

from __future__ import annotations

from typing import Any

import cython
from cython.cimports.carnelian.cluster.serving.slot_check import (
    ASK,
    CROSS_SLOT,
    DOWN,
    MOVED,
    READ_ONLY,
    SERVED,
    UNSERVED,
    UNSTABLE,
)
from cython.cimports.carnelian.datatypes.algorithms.hash_slot import HASH_SLOTS, slot_of
from cython.cimports.carnelian.engine.catalogue.key_positions import KeyFinder, KeyPositions
from cython.cimports.carnelian.engine.catalogue.registry import Command
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.ground.flags import (
    FLAG_ASKING,
    FLAG_DENY_BLOCKING,
    FLAG_READONLY,
    FLAG_SCRIPT,
)
from cython.cimports.carnelian.engine.parts.admission import Check, judged_flags
from cython.cimports.carnelian.engine.shared.client_state import Client
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.resp.libc import get_item
from cython.cimports.carnelian.scripting.api.script_host import OBEYED, ScriptHost, ScriptSession
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.cpython.list import PyList_GET_SIZE
from cython.cimports.cpython.object import PyObject
from cython.cimports.libc.string import memset

from carnelian.engine.catalogue.key_positions import KeyFinder as NewFinder
from carnelian.engine.catalogue.registry import FLAG_BITS

_WRITE = cython.declare(cython.longlong, FLAG_BITS["write"])
_ASKING = cython.declare(cython.longlong, FLAG_BITS["asking"])
_PUBSUB = cython.declare(cython.longlong, FLAG_BITS["pubsub"])
# Sessions whose commands are not simply let in where the slot is ours.
_UNUSUAL = cython.declare(cython.int, OBEYED | FLAG_DENY_BLOCKING)

# From so many slots on, all of them are looked at.
_MANY = cython.declare(cython.Py_ssize_t, 1000)


@cython.final
@cython.cclass
class SlotCheck(Check):
    """Lets commands in whose keys are in slots of this node, and sends others to the node that has
    them.

    There is a bit for each slot that is plainly ours, so that most commands are let in after the
    check sum of their key and one look at that. :meth:`refresh` has to be called after every
    change of what it follows from: owners, slots on their way, the state of the cluster, roles.

    - ``slot``: that of the last command that was let in from outside, -1 if it had no keys; not
      kept up for commands of one key, which run no scripts;
    - ``finders``: find the keys of some commands, by name, in another way than elsewhere;
    - ``reads_when_down``, ``channels_when_down``: what goes on while the cluster is down.

    Args:
        engine: whose commands are judged.
        view: what is known of the cluster, a :class:`carnelian.cluster.known.cluster_view
            .ClusterView`.
        refusals: makes the errors, a :class:`carnelian.cluster.serving.redirections.Refusals`.
    """

    def __init__(self, engine: Engine, view: Any, refusals: Any):
        super().__init__()
        self.engine = engine
        self.view = view
        self.refusals = refusals
        self.slot = -1
        self.reads_when_down = False
        self.channels_when_down = True
        self.found = KeyPositions()
        self.first: bytes | None = None
        self.node: Any = None
        self.unsettled: list[int] = []
        self.all_unsettled = True
        self.finders: dict[bytes, KeyFinder] = {}
        for command in engine.registry.every():
            self.note_finder(command)
        self.refresh()

    def note_finder(self, command: Command):
        """Note how the keys of a command are found here, if not as elsewhere."""
        declared = command.declaration
        if any("not_key" in spec.flags.lower() for spec in declared.keys):
            self.finders[command.name] = NewFinder(declared.keys, None, channels=True)
        elif declared.get_keys is not None and command.key_finder().single == 0:
            # It alone knows of words that make no sense, which are not sent to other nodes.
            self.finders[command.name] = NewFinder((), declared.get_keys)

    def refresh(self) -> None:
        """Take in what has changed. O(N), with N the slots that were unsettled."""
        view = self.view
        slot: cython.int
        if not self.all_unsettled and len(self.unsettled) < _MANY:
            for slot in self.unsettled:
                self.settle(slot)
            self.unsettled.clear()
            return
        self.unsettle_all()
        if not view.is_ok:
            return
        self.all_unsettled = False
        for slot in range(HASH_SLOTS):
            self.take_owner(slot, view.owners[slot], view.myself, view.my_primary)
        for opened in (view.migrating_to, view.importing_from):
            for slot in opened:
                self.clear_bits(slot)

    def settle(self, slot: cython.int):
        """Look at what a slot is now."""
        view = self.view
        self.clear_bits(slot)
        if slot not in view.migrating_to and slot not in view.importing_from:
            self.take_owner(slot, view.owners[slot], view.myself, view.my_primary)

    def take_owner(self, slot: cython.int, owner, myself, primary):
        """Set the bit of a slot that belongs to this node, or to its primary."""
        if owner is myself:
            self.ours_bits[slot >> 3] |= 1 << (slot & 7)
        elif owner is not None and owner is primary:
            self.followed_bits[slot >> 3] |= 1 << (slot & 7)
        return 0

    def clear_bits(self, slot: cython.int):
        """Have a slot be looked at twice."""
        self.ours_bits[slot >> 3] &= ~(1 << (slot & 7))
        self.followed_bits[slot >> 3] &= ~(1 << (slot & 7))
        return 0

    def unsettle(self, slot: cython.int) -> None:
        """A slot has changed: look twice until the next :meth:`refresh`. O(1)."""
        self.clear_bits(slot)
        if not self.all_unsettled:
            self.unsettled.append(slot)

    def unsettle_all(self) -> None:
        """Look twice at all of them until then."""
        memset(self.ours_bits, 0, HASH_SLOTS // 8)
        memset(self.followed_bits, 0, HASH_SLOTS // 8)
        self.all_unsettled = True
        self.unsettled.clear()

    def admits(self, session, command, args):
        """Whether the command has one key, in a slot that is plainly had here."""
        key: cython.pointer[PyObject]
        slot: cython.int
        if (
            command.finder is None
            or not 0 < command.finder.single < PyList_GET_SIZE(args)
            or session.flags & _UNUSUAL
        ):
            return False
        # Nothing is done meanwhile that could end the key.
        key = get_item(args, command.finder.single)
        slot = slot_of(
            PyBytes_AS_STRING(cython.cast(object, key)),
            PyBytes_GET_SIZE(cython.cast(object, key)),
        )
        if self.ours_bits[slot >> 3] >> (slot & 7) & 1:
            return True
        return (
            self.followed_bits[slot >> 3] >> (slot & 7) & 1 != 0
            and session.flags & FLAG_READONLY != 0
            and not command.flags & _WRITE
        )

    @cython.ccall
    def judge(self, session: Client, command: Command, args: list):
        if self.admits(session, command, args):
            return None
        if (
            not command.key_finder().any
            and not command.flags & _PUBSUB
            and session.transaction is None
        ):
            if self.engine.depth == 0:
                self.slot = -1
            return None
        return self.look(session, command, args)

    # -- Looking twice ---------------------------------------------------------------------------

    def look(self, session: Client, command: Command, args: list):
        """The same, for what is not plainly let in."""
        if session.flags & OBEYED:
            return None
        if session.flags & FLAG_DENY_BLOCKING:
            return self.look_inside(session, command, args)
        self.examine(session, session.flags, command, args)
        if self.engine.depth == 0:
            # While a script runs, others are only told that it does.
            self.slot = self.seen
        if self.outcome == SERVED:
            return None
        node, self.node = self.node, None
        return self.refusals.of_client(session, self.outcome, self.seen, node)

    def look_inside(self, session: Client, command: Command, args: list):
        """The same for commands within commands: scripts are told nothing of other nodes."""
        host: ScriptHost
        caller: Client = session
        if session.flags & FLAG_SCRIPT:
            caller = cython.cast(ScriptSession, session).caller
            if caller is None or caller.flags & OBEYED:
                return None
        self.examine(session, caller.flags, command, args)
        self.node = None
        if not session.flags & FLAG_SCRIPT:
            return (
                None if self.outcome == SERVED else self.refusals.of_nested(command, self.outcome)
            )
        if self.outcome != SERVED:
            return self.refusals.of_script(command, self.outcome)
        if self.seen < 0:
            return None
        host = self.engine.scripting.host
        if host.crosses_slots:
            return None
        if self.slot < 0:
            self.slot = self.seen
        return self.refusals.of_second_slot() if self.slot != self.seen else None

    def examine(self, session: Client, flags: cython.int, command: Command, args: list):
        """Find out what is to become of a command; leaves it in ``outcome``, ``seen`` and
        ``node``.

        Args:
            flags: of the client that it is for.
        """
        judged: cython.longlong
        queued: Command
        words: list
        self.first, self.seen, self.outcome, self.node = None, -1, SERVED, None
        self.ours = self.several = self.migrating = self.importing = False
        self.on_channels = self.missing = self.existing = False
        if session.transaction is not None and command.name == b"exec":
            for queued, words in session.transaction.queue:
                self.take(session.db, queued, words)
                if self.outcome != SERVED:
                    return 0
        else:
            self.take(session.db, command, args)
        if self.first is None or self.ours or self.outcome != SERVED:
            self.first = None
            return 0
        self.first = None
        judged = judged_flags(session, command, args)
        return self.decide(flags, judged, command)

    def take(self, db: Database, command: Command, args: list):
        """Take in the keys of a command."""
        finder: KeyFinder = self.finders.get(command.name) or command.key_finder()
        i: cython.Py_ssize_t
        key: bytes
        if command.flags & _PUBSUB and command.name in self.finders:
            self.on_channels = True
        try:
            finder.locate(args, self.found, False)
        except Exception:
            return 0  # its words make no sense, as it will say itself
        for i in range(self.found.count):
            key = args[self.found.keys[i].position]
            self.take_key(db, key, slot_of(PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)))
            if self.outcome != SERVED:
                return 0
        return 0

    def take_key(self, db: Database, key: bytes, slot: cython.int):
        """Take in one key."""
        if self.first is None:
            self.begin_with(key, slot)
            if self.outcome != SERVED:
                return 0
        elif slot != self.seen:
            self.outcome = CROSS_SLOT
            return 0
        elif not self.several and key != self.first:
            self.several = True
        if (self.migrating or self.importing) and not self.on_channels:
            # One that is past its time is as good as gone, but is not deleted for this.
            if db.holds(key) and not db.is_overdue(key):
                self.existing = True
            else:
                self.missing = True
        return 0

    def begin_with(self, key: bytes, slot: cython.int):
        """Take in the first key: its slot has to be that of all."""
        self.first, self.seen = key, slot
        if self.ours_bits[slot >> 3] >> (slot & 7) & 1:
            self.ours = True
            return 0
        view = self.view
        self.node = view.owners[slot]
        if self.node is None:
            self.outcome = UNSERVED
        elif self.node is view.myself and slot in view.migrating_to:
            self.migrating = True
        elif slot in view.importing_from:
            self.importing = True
        return 0

    def decide(self, flags: cython.int, judged: cython.longlong, command: Command):
        """Judge by what is known of the keys: their slot is not plainly ours."""
        view = self.view
        if not view.is_ok:
            if self.on_channels:
                if not self.channels_when_down:
                    self.outcome = DOWN
            elif not self.reads_when_down:
                self.outcome = DOWN
            elif judged & _WRITE:
                self.outcome = READ_ONLY
            if self.outcome != SERVED:
                return 0
        if (self.migrating or self.importing) and command.name == b"migrate":
            return 0
        if self.migrating and self.missing:
            self.outcome = UNSTABLE if self.existing else ASK
            self.node = view.migrating_to[self.seen]
            return 0
        if self.importing and (flags & FLAG_ASKING or judged & _ASKING):
            if self.several and self.missing:
                self.outcome = UNSTABLE
            return 0
        if self.node is view.myself:
            return 0
        # What a replica knows is good enough for some.
        content: cython.bint = flags & FLAG_READONLY != 0 or self.on_channels
        if content and not judged & _WRITE and self.node is view.my_primary:
            return 0
        self.outcome = MOVED
        return 0
