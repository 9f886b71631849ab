"""How much of what clients do would be refused by a cluster, while this is none.

With ``cluster-compatibility-sample-ratio``, INFO tells it: for those who think of moving to one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from carnelian.datatypes.algorithms.hash_slot import hash_slot, slot_of_pattern
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.catalogue.registry import Command
    from carnelian.engine.ports import Gatherer
    from carnelian.engine.shared.client_state import Client

Attach = Callable[["Gatherer"], None]


class ClusterCompatibility:
    """Looks at a share of all commands once they have run, and counts those that stand out.

    Args:
        attach, detach: have it told of every command, or no longer.
        scripts: what is scripting now, or None; it knows whether a script may take any slot.
    """

    def __init__(self, attach: Attach, detach: Attach, scripts: Callable[[], Any]):
        self._attach = attach
        self._detach = detach
        self._scripts = scripts
        # Of a hundred commands, how many are looked at.
        self.ratio = 0
        self.count = 0
        # Of the transaction or script that runs: the slot it took first, whether it was counted.
        self._slot: int | None = None
        self._counted = False

    def sample(self, ratio: int) -> None:
        """Look at so many of a hundred commands from now on."""
        if ratio and not self.ratio:
            self._attach(self)
        elif self.ratio and not ratio:
            self._detach(self)
        self.ratio = ratio

    def note_exclusion(self) -> None:
        """A script says that it is nothing for a cluster."""
        if self.ratio:
            self._count()

    def note(
        self, session: Client, command: Command, args: list[bytes], elapsed_ns: int, reply: object
    ) -> None:
        """A command has run, by itself or within a transaction or a script."""
        in_script = session.origin() is not session
        self._look_at_slots(_slots(command, args), in_script, session.executing is not None)
        if not isinstance(reply, Error):
            for _ in range(_departures(session, command.name, args)):
                self._count()
        if not in_script and session.executing is None:
            self._slot, self._counted = None, False

    def _look_at_slots(self, slots: set[int], in_script: bool, in_transaction: bool) -> None:
        """Count a command whose keys no single node need have; a transaction or script once."""
        crosses = len(slots) > 1
        if slots and (in_transaction or (in_script and not self._scripts().host.crosses_slots)):
            slot = min(slots)
            crosses = crosses or self._slot not in (None, slot)
            self._slot = slot
        if crosses and not self._counted:
            self._counted = True
            self._count()

    def _count(self) -> None:
        if self.ratio == 100 or random.randrange(100) < self.ratio:
            self.count += 1


def _slots(command: Command, args: list[bytes]) -> set[int]:
    """The slots of all keys and shard channels of a command."""
    if command.name in (b"ssubscribe", b"sunsubscribe"):
        return set(map(hash_slot, args[1:]))
    try:
        return {hash_slot(args[key.position]) for key in command.key_finder().find(args, False)}
    except Error as error:
        error.__traceback__ = None  # it may be one that is made once for all
        return set()


def _departures(session: Client, name: bytes, args: list[bytes]) -> int:
    """In how many ways a command that succeeded leaves the one database or the slot of its key."""
    if name == b"select":
        return session.db.index != 0
    if name in (b"swapdb", b"move"):
        return 1
    if name == b"copy":
        words = [word.upper() for word in args[3:]]
        return b"DB" in words and int(words[words.index(b"DB") + 1]) != session.db.index
    if name in (b"sort", b"sort_ro"):
        slot = hash_slot(args[1])
        return sum(slot_of_pattern(pattern) != slot for pattern in _patterns(args))
    return 0


def _patterns(args: list[bytes]) -> Iterable[bytes]:
    """What BY and GET of a SORT name, but for what names no keys."""
    place = 2
    while place < len(args):
        word = args[place].upper()
        names_keys = word == b"BY" and b"*" in args[place + 1]
        if names_keys or (word == b"GET" and args[place + 1] != b"#"):
            yield args[place + 1]
        place += {b"BY": 2, b"GET": 2, b"STORE": 2, b"LIMIT": 3}.get(word, 1)
