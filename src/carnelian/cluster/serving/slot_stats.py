"""What each slot costs: the time and the traffic of its commands (CLUSTER SLOT-STATS)."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.datatypes.algorithms.hash_slot import hash_slot
from carnelian.engine.ground.flags import FLAG_SCRIPT
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import NO_REPLY, SYNTAX_ERROR, Error, FlatMap, Lazy
from carnelian.resp.writer import encode

if TYPE_CHECKING:
    from carnelian.cluster.known.cluster_view import ClusterView
    from carnelian.cluster.serving.slot_check import SlotCheck
    from carnelian.engine.catalogue.registry import Command
    from carnelian.engine.engine import Engine
    from carnelian.engine.shared.client_state import Client

SLOTS = 16384
# The bytes of MULTI, which come before any slot is known.
_MULTI_BYTES = len(encode([b"multi"]))


class SlotStats:
    """Sums up for each slot, while ``cluster-slot-stats-enabled`` is set.

    Args:
        check: knows the slot of the command that runs.
    """

    def __init__(self, engine: Engine, view: ClusterView, check: SlotCheck):
        self._engine = engine
        self._view = view
        self._check = check
        self.enabled = False
        self._nanoseconds = array("Q", bytes(8 * SLOTS))
        self._bytes_in = array("Q", bytes(8 * SLOTS))
        self._bytes_out = array("Q", bytes(8 * SLOTS))
        engine.config.on_change("cluster-slot-stats-enabled", self.enable)
        self.enable(engine.config["cluster-slot-stats-enabled"])
        view.listeners.append(self._owner_changed)

    def enable(self, wanted: bool) -> None:
        """Begin or cease to sum up; what there is stays."""
        if wanted and not self.enabled:
            self._engine.gather(self)
        elif not wanted:
            self._engine.cease_gathering(self)
        self.enabled = wanted

    def reset(self) -> None:
        """Begin at 0 (CONFIG RESETSTAT)."""
        for sums in (self._nanoseconds, self._bytes_in, self._bytes_out):
            sums[:] = array("Q", bytes(8 * SLOTS))

    def _owner_changed(self, slot: int, owner: object) -> None:
        if owner is not self._view.myself.leader:
            self._nanoseconds[slot] = self._bytes_in[slot] = self._bytes_out[slot] = 0

    # -- Summing up --------------------------------------------------------------------------------

    def note(
        self, session: Client, command: Command, args: list[bytes], elapsed_ns: int, reply: object
    ) -> None:
        """A command has run.

        What a transaction or a script calls is a part of its time, and comes in with it.
        """
        if session.flags & FLAG_SCRIPT:
            return
        slot = self._slot(command, args)
        if slot < 0:
            return
        if self._engine.depth:
            if session.executing is not None:
                self._bytes_in[slot] += len(encode(args))
            return
        if command.name == b"exec":
            self._bytes_in[slot] += _MULTI_BYTES
        self._nanoseconds[slot] += elapsed_ns
        self._bytes_in[slot] += len(encode(args))
        if reply is not NO_REPLY and not isinstance(reply, Lazy):
            self._bytes_out[slot] += len(encode(reply, session.protocol))

    def _slot(self, command: Command, args: list[bytes]) -> int:
        """The slot of a command; -1 if it has none, or may have used several."""
        if command.name == b"exec":
            return self._check.slot
        finder = command.key_finder()
        if not finder.any:
            return -1
        if command.declaration.group == "scripting":
            # It knows best which slot it has used.
            return -1 if self._engine.scripting.host.crosses_slots else self._check.slot
        try:
            found = finder.find(args, False)
        except Exception:
            return -1
        return hash_slot(args[found[0].position]) if found else -1

    # -- Telling -----------------------------------------------------------------------------------

    @property
    def _metrics(self) -> dict[bytes, Callable[[int], int]]:
        """By their names, in the order in which they are shown: what tells them of a slot."""
        found: dict[bytes, Callable[[int], int]] = {b"key-count": self._count}
        if self.enabled:
            found[b"cpu-usec"] = lambda slot: self._nanoseconds[slot] // 1000
            found[b"memory-bytes"] = self._memory
            found[b"network-bytes-in"] = self._bytes_in.__getitem__
            found[b"network-bytes-out"] = self._bytes_out.__getitem__
        return found

    def _count(self, slot: int) -> int:
        return self._engine.keyspace.databases[0].count_in_slot(slot)

    def _memory(self, slot: int) -> int:
        """Bytes of the keys and values of a slot. O(keys)"""
        db = self._engine.keyspace.databases[0]
        return sum([db.memory_usage(key) or 0 for key in db.keys_in_slot(slot, self._count(slot))])

    def _row(self, slot: int) -> list[object]:
        told = [(name, tell(slot)) for name, tell in self._metrics.items()]
        return [slot, FlatMap([part for pair in told for part in pair])]

    def of_range(self, first: int, last: int) -> list[list[object]]:
        """The slots of this shard from ``first`` to ``last``."""
        return [self._row(slot) for slot in self._own() if first <= slot <= last]

    def _own(self) -> list[int]:
        leader = self._view.myself.leader
        return [slot for slot, owner in enumerate(self._view.owners) if owner is leader]

    def in_order(self, words: list[bytes]) -> list[list[object]]:
        """The slots of this shard, ordered as ``metric [LIMIT n] [ASC | DESC]`` says."""
        value = self._metrics.get(words[0].lower())
        if value is None:
            raise Error("ERR Unrecognized sort metric for ORDERBY.")
        limit, ascending = _options(words[1:])
        sign = 1 if ascending else -1
        ranked = [(sign * value(slot), slot) for slot in self._own()]
        return [self._row(slot) for _, slot in sorted(ranked)[:limit]]


def _options(words: list[bytes]) -> tuple[int, bool]:
    limit, ascending = SLOTS, False
    limits = orders = 0
    rest = iter(words)
    for word in rest:
        option = word.lower()
        value = next(rest, None) if option == b"limit" else None
        if value is not None:
            limit = _limit(value)
            limits += 1
        elif option in (b"asc", b"desc"):
            ascending = option == b"asc"
            orders += 1
        else:
            raise SYNTAX_ERROR
        if limits > 1 or orders > 1:
            raise Error("ERR Multiple filters of the same type are disallowed.")
    return limit, ascending


def _limit(word: bytes) -> int:
    message = "ERR Limit has to lie in between 1 and 16384 (maximum number of slots)."
    try:
        limit = parse_int(word)
    except Error:
        raise Error(message) from None
    if not 1 <= limit <= SLOTS:
        raise Error(message)
    return limit
