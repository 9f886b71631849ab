"""What each slot costs: the time and the traffic of its commands (CLUSTER SLOT-STATS)."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import TYPE_CHECKING

from carnelian.datatypes.algorithms.hash_slot import hash_slot
from carnelian.engine.ground.flags import FLAG_PRIMARY, FLAG_SCRIPT
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import NO_REPLY, SYNTAX_ERROR, Error, FlatMap, Lazy, Push, Several
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
        self._egress = ReplicaEgress(engine, self._replicated)
        # Memory is told of or not for as long as the node runs, as this was set at the start.
        self._tells_memory = engine.config["cluster-slot-stats-enabled"]
        engine.config.on_change("cluster-slot-stats-enabled", self.enable)
        self.enable(engine.config["cluster-slot-stats-enabled"])
        view.listeners.append(self._owner_changed)

    def enable(self, wanted: bool) -> None:
        """Begin or cease to sum up; what there is stays."""
        engine = self._engine
        if wanted and not self.enabled:
            engine.gather(self)
            engine.effects.listen(self._egress.heard)
        elif self.enabled and not wanted:
            engine.cease_gathering(self)
            engine.effects.unlisten(self._egress.heard)
        engine.pubsub.on_shard = self._delivered if wanted else None
        self.enabled = wanted

    def reset(self) -> None:
        """Begin at 0 (CONFIG RESETSTAT)."""
        for sums in (self._nanoseconds, self._bytes_in, self._bytes_out):
            sums[:] = array("Q", bytes(8 * SLOTS))

    def _owner_changed(self, slot: int, owner: object) -> None:
        self._nanoseconds[slot] = self._bytes_in[slot] = self._bytes_out[slot] = 0

    def _is_ours(self, slot: int) -> bool:
        """Whether a slot is this shard's. What comes with slots on their way is not counted."""
        return slot >= 0 and self._view.owners[slot] is self._view.myself.leader

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
        if not self._is_ours(slot):
            return
        if self._engine.depth:
            if session.executing is not None:
                self._bytes_in[slot] += len(encode(args))
            return
        if command.name == b"exec":
            self._bytes_in[slot] += _MULTI_BYTES
        self._nanoseconds[slot] += elapsed_ns
        self._bytes_in[slot] += len(encode(args))
        if session.flags & FLAG_PRIMARY:
            return  # it hears no replies
        for part in reply if isinstance(reply, Several) else (reply,):
            if part is not NO_REPLY and not isinstance(part, Lazy):
                self._bytes_out[slot] += len(encode(part, session.protocol))

    def _delivered(self, channel: bytes, note: Push) -> None:
        """The listeners of a shard channel were sent a message."""
        slot = hash_slot(channel)
        if self._is_ours(slot):
            for session in self._engine.pubsub.shard_channels[channel]:
                self._bytes_out[slot] += len(encode(note, session.protocol))

    def _replicated(self, slot: int, size: int) -> None:
        """So many bytes about a slot have gone to replicas."""
        if self._is_ours(slot):
            self._bytes_out[slot] += size

    def _slot(self, command: Command, args: list[bytes]) -> int:
        """The slot of a command; -1 if it has none, or may have used several."""
        if command.name == b"exec":
            return self._check.slot
        finder = self._check.finders.get(command.name) or command.key_finder()
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
        if self._tells_memory:
            found[b"memory-bytes"] = self._memory
        if self.enabled:
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


class ReplicaEgress:
    """Measures what goes to replicas, by slots.

    Args:
        sink: is told of a slot and of bytes.
    """

    def __init__(self, engine: Engine, sink: Callable[[int, int], None]):
        self._engine = engine
        self._sink = sink
        self._within = False
        self._slot, self._size = -1, 0

    def heard(self, db_index: int, args: list[bytes]) -> None:
        """A command goes there; transactions are of one slot, with all that belongs to them."""
        replication = self._engine.replication
        primary = None if replication is None else replication.primary
        if primary is None or not primary.replicas:
            self._within, self._slot, self._size = False, -1, 0
            return
        if args == [b"MULTI"]:
            self._within, self._slot, self._size = True, -1, 0
        elif args == [b"EXEC"]:
            self._within = False
        self._size += len(encode(args))
        if self._slot < 0:
            self._slot = self._slot_of(args)
        if not self._within:
            self._sink(self._slot, self._size * len(primary.replicas))
            self._slot, self._size = -1, 0

    def _slot_of(self, args: list[bytes]) -> int:
        command = self._engine.registry.lookup(args)
        found = command.key_finder().find(args, False) if command is not None else ()
        return hash_slot(args[found[0].position]) if found else -1


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
