"""Which keys take the most processor time and the most traffic: what HOTKEYS gathers."""

from __future__ import annotations

import heapq
import random
import resource
from collections.abc import Iterable
from typing import TYPE_CHECKING

from carnelian.datatypes.algorithms.hash_slot import hash_slot
from carnelian.resp.replies import NO_REPLY, Error, Lazy
from carnelian.resp.writer import encode

if TYPE_CHECKING:
    from carnelian.engine.catalogue.registry import Command
    from carnelian.engine.engine import Engine
    from carnelian.engine.shared.client_state import Client

# Keys that a tally tells apart for each one that is wanted, before it forgets the lesser half.
_SPARE = 256
_SLOTS = 16384


class Tally:
    """Sums by key, of which only the greatest matter: it forgets small ones when it gets large."""

    def __init__(self, wanted: int):
        self._wanted = wanted
        self._most = wanted * _SPARE
        self._sums: dict[bytes, int] = {}
        self.total = 0

    def add(self, key: bytes, amount: int) -> None:
        """Add to the sum of a key. Amortised O(1)."""
        self.total += amount
        self._sums[key] = self._sums.get(key, 0) + amount
        if len(self._sums) > self._most:
            kept = heapq.nlargest(self._most // 2, self._sums.items(), key=_amount)
            self._sums = dict(kept)

    def greatest(self) -> list[object]:
        """The keys with the greatest sums, each followed by its sum; the greatest first."""
        found = heapq.nlargest(self._wanted, self._sums.items(), key=_amount)
        return [part for key, amount in found if amount for part in (key, amount)]


def _amount(item: tuple[bytes, int]) -> int:
    return item[1]


class Sums:
    """What some commands took, all together."""

    __slots__ = ("nanoseconds", "size")

    def __init__(self) -> None:
        self.nanoseconds = self.size = 0

    def add(self, nanoseconds: int, size: int) -> None:
        """Add a command."""
        self.nanoseconds += nanoseconds
        self.size += size


class HotKeys:
    """One session of gathering, from HOTKEYS START until it is stopped or its time is over.

    Args:
        count: how many keys are wanted.
        duration_ms: after which time it ends by itself; 0 is never.
        sample: one command of so many is looked at.
        slots: whose keys are wanted, of a node of a cluster; None is all.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        cpu: bool,
        net: bool,
        count: int,
        duration_ms: int,
        sample: int,
        slots: list[int] | None = None,
    ):
        self._engine = engine
        self.cpu = Tally(count) if cpu else None
        self.net = Tally(count) if net else None
        self.sample = sample
        self.started_ms = engine.clock.ms
        self._end_ms = self.started_ms + duration_ms if duration_ms else 0
        self._stopped_ms = 0
        self._usage = resource.getrusage(resource.RUSAGE_SELF)
        self._slots = slots
        self._selected = None if slots is None else frozenset(slots)
        # Nanoseconds and bytes: of all commands, of those in the slots, of those looked at there.
        self._all, self._in_slots, self._sampled = Sums(), Sums(), Sums()
        engine.gather(self)

    @property
    def active(self) -> bool:
        """Whether it still gathers."""
        if not self._stopped_ms and self._end_ms and self._engine.clock.ms >= self._end_ms:
            self._stop_at(self._end_ms)
        return not self._stopped_ms

    def stop(self) -> None:
        """Gather nothing any more; what there is stays."""
        self._stop_at(self._engine.clock.ms)

    def _stop_at(self, now_ms: int) -> None:
        # One of the same millisecond has been stopped, too.
        self._stopped_ms = max(now_ms, 1)
        self._engine.cease_gathering(self)

    def note(
        self, session: Client, command: Command, args: list[bytes], elapsed_ns: int, reply: object
    ) -> None:
        """A command has run: its time and its bytes go to its keys in equal parts."""
        if not self.active:
            return
        names = _keys(command, args)
        if not names:
            return
        size = _request_size(args) + _reply_size(reply, session.protocol)
        self._all.add(elapsed_ns, size)
        if self._selected is not None and hash_slot(names[0]) not in self._selected:
            return
        self._in_slots.add(elapsed_ns, size)
        if self.sample > 1:
            if random.randrange(self.sample):
                return
            self._sampled.add(elapsed_ns, size)
        for name in names:
            if self.cpu is not None:
                self.cpu.add(name, elapsed_ns // len(names))
            if self.net is not None:
                self.net.add(name, size // len(names))

    def report(self) -> dict[bytes, object]:
        """What HOTKEYS GET replies with."""
        active = self.active
        end_ms = self._engine.clock.ms if active else self._stopped_ms
        found: dict[bytes, object] = {
            b"tracking-active": int(active),
            b"sample-ratio": self.sample,
            b"selected-slots": _ranges(self._wanted_slots()),
        }
        sums = {b"all-commands-all-slots": self._all}
        if self._selected is not None:
            sums = {b"all-commands-selected-slots": self._in_slots, **sums}
            if self.sample > 1:
                sums = {b"sampled-commands-selected-slots": self._sampled, **sums}
        found.update({name + b"-us": each.nanoseconds // 1000 for name, each in sums.items()})
        found.update({b"net-bytes-" + name: each.size for name, each in sums.items()})
        found[b"collection-start-time-unix-ms"] = self.started_ms
        found[b"collection-duration-ms"] = max(0, end_ms - self.started_ms)
        if self.cpu is not None:
            usage = resource.getrusage(resource.RUSAGE_SELF)
            found[b"total-cpu-time-user-ms"] = _spent(self._usage.ru_utime, usage.ru_utime)
            found[b"total-cpu-time-sys-ms"] = _spent(self._usage.ru_stime, usage.ru_stime)
        if self.net is not None:
            found[b"total-net-bytes"] = self.net.total
        if self.cpu is not None:
            found[b"by-cpu-time-us"] = _microseconds(self.cpu.greatest())
        if self.net is not None:
            found[b"by-net-bytes"] = self.net.greatest()
        return found

    def _wanted_slots(self) -> Iterable[int]:
        if self._slots is not None:
            return self._slots
        cluster = self._engine.cluster
        return range(_SLOTS) if cluster is None else cluster.own_slots()


def _ranges(slots: Iterable[int]) -> list[list[int]]:
    """Slots in order as ranges, of one number or two."""
    ranges: list[list[int]] = []
    for slot in slots:
        if ranges and slot == ranges[-1][-1] + 1:
            ranges[-1][1:] = [slot]
        else:
            ranges.append([slot])
    return ranges


def _keys(command: Command, args: list[bytes]) -> list[bytes]:
    """The keys of a command; none where it makes no sense of its words."""
    try:
        return [args[key.position] for key in command.key_finder().find(args)]
    except Error as error:
        error.__traceback__ = None  # it may be one that is made once for all
        return []


def _request_size(args: list[bytes]) -> int:
    """The bytes of a command as clients send it."""
    return len(encode(args))


def _reply_size(reply: object, protocol: int) -> int:
    """The bytes of a reply; what is made while it is written counts as nothing."""
    if reply is NO_REPLY or isinstance(reply, Lazy):
        return 0
    return len(encode(reply, protocol))


def _spent(before: float, now: float) -> int:
    return int((now - before) * 1000)


def _microseconds(pairs: list) -> list:
    """Sums in nanoseconds in the unit they are shown in; those below one are left out."""
    found = []
    for key, amount in zip(pairs[::2], pairs[1::2], strict=True):
        if amount >= 1000:
            found += [key, amount // 1000]
    return found
