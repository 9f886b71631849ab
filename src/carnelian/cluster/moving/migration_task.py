"""Tasks of moving slots, as one node keeps them, and what is to be known of them afterwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from carnelian.cluster.known.cluster_errors import ClusterError
from carnelian.cluster.known.slot_bitmap import SLOTS
from carnelian.resp.client.request_encoder import encode_request

Ranges = list[tuple[int, int]]

IMPORT = "import"
MIGRATE = "migrate"

# States in which a task has ended.
COMPLETED = "completed"
FAILED = "failed"
CANCELED = "canceled"
# The state of one that has not begun.
NONE = "none"

# The purpose for which writes are paused at the end (``Pause.start``).
PAUSE_PURPOSE = "slot migration"


def message(*words: bytes) -> bytes:
    """A command of the protocol that the two nodes speak."""
    return encode_request((b"CLUSTER", b"SYNCSLOTS", *words))


class MigrationTask:
    """A task of one node: to import slots, or to give them away. Times are unix times in ms.

    Args:
        id: 40 hexadecimal digits, the same at both nodes.
        ranges: in order, of first and last slots, with gaps in between.
        operation: IMPORT or MIGRATE.
        source, dest: IDs of the nodes.
        now_ms: the time.
    """

    def __init__(
        self, id: str, ranges: Ranges, operation: str, source: str, dest: str, now_ms: int
    ):
        self.id = id
        self.ranges = ranges
        self.operation = operation
        self.source = source
        self.dest = dest
        self.state = NONE
        self.last_error = ""
        self.retries = 0
        self.create_time = now_ms
        self.start_time = -1
        self.end_time = -1
        # When an attempt has ended.
        self.tried_at = 0
        self.write_pause_ms = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it. An import that has failed is tried again."""
        if self.state == FAILED:
            return self.operation == MIGRATE
        return self.state in (COMPLETED, CANCELED)

    @property
    def is_active(self) -> bool:
        """Whether an attempt goes on."""
        return self.state not in (NONE, COMPLETED, FAILED, CANCELED)

    def slots(self) -> list[int]:
        """The slots, in order."""
        return slots_of(self.ranges)

    def has_slot(self, slot: int) -> bool:
        """Whether a slot is among them."""
        return any(first <= slot <= last for first, last in self.ranges)

    def overlap(self, ranges: Ranges) -> tuple[int, int] | None:
        """The first of the ranges that has slots of this task."""
        for first, last in ranges:
            if any(first <= end and begin <= last for begin, end in self.ranges):
                return first, last
        return None

    def end(self, state: str, error: str) -> None:
        """An attempt has come to its end."""
        if state == COMPLETED:
            self.last_error = ""
        elif error:
            cause = f"Cancelled due to {error}" if state == CANCELED else error
            # There is no second connection, for the snapshot alone.
            self.last_error = f"{cause} (state: {self.state}, rdb_channel_state: none)"
        self.state = state

    def ended_line(self) -> str:
        """What the log says of it."""
        kind = "Import" if self.operation == IMPORT else "Migrate"
        shown = shown_ranges(self.ranges)
        if self.state == COMPLETED:
            return f"{kind} task {self.id} completed for slots: {shown}"
        return f"{kind} task {self.id} failed: slots={shown}, err={self.last_error}"

    def resume(self, earlier: MigrationTask) -> None:
        """This is another attempt at what has failed before."""
        self.retries = earlier.retries + 1
        self.create_time, self.start_time = earlier.create_time, earlier.start_time
        self.last_error = earlier.last_error

    def fields(self) -> dict[bytes, object]:
        """What CLUSTER MIGRATION STATUS shows of it."""
        return {
            b"id": self.id.encode(),
            b"slots": shown_ranges(self.ranges).encode(),
            b"source": self.source.encode(),
            b"dest": self.dest.encode(),
            b"operation": self.operation.encode(),
            b"state": self.state.encode(),
            b"last_error": self.last_error.encode("utf-8", "replace"),
            b"retries": self.retries,
            b"create_time": self.create_time,
            b"start_time": self.start_time,
            b"end_time": self.end_time,
            b"write_pause_ms": self.write_pause_ms,
        }


class TaskList:
    """The tasks of a node: those under way, the last one first, and the last that have ended.

    - ``most_ended``: how many of these are remembered.
    """

    def __init__(self) -> None:
        self.current: list[MigrationTask] = []
        self.ended: deque[MigrationTask] = deque()
        self.most_ended = 32

    def __iter__(self) -> Iterator[MigrationTask]:
        yield from self.current
        yield from self.ended

    def add(self, task: MigrationTask) -> None:
        """There is a new task; one with the same ID that has ended is forgotten."""
        for other in [other for other in self.ended if other.id == task.id]:
            self.ended.remove(other)
        self.current.insert(0, task)

    def archive(self, task: MigrationTask) -> None:
        """A task is over."""
        if task in self.current:
            self.current.remove(task)
            self.ended.appendleft(task)
            self.remember(self.most_ended)

    def remember(self, most: int) -> None:
        """Forget the oldest of those that have ended, if they are more."""
        self.most_ended = most
        while len(self.ended) > most:
            self.ended.pop()

    def find(self, id: str) -> MigrationTask | None:
        """The task with an ID."""
        return next((task for task in self if task.id == id), None)

    def of_slot(self, slot: int) -> MigrationTask | None:
        """The task under way that a slot belongs to."""
        return next((task for task in self.current if task.has_slot(slot)), None)

    def overlap(
        self, ranges: Ranges, operations: tuple[str, ...] = (IMPORT, MIGRATE)
    ) -> tuple[int, int] | None:
        """The first of the ranges that has slots of a task under way."""
        for task in self.current:
            found = task.overlap(ranges) if task.operation in operations else None
            if found is not None:
                return found
        return None

    def failed(self) -> list[MigrationTask]:
        """Those that have failed at giving slots away, and may be tried again from there."""
        return [task for task in self.ended if task.state == FAILED]


def parse_ranges(words: Sequence[bytes]) -> Ranges:
    """Ranges of first and last slots, put in order, neighbors joined.

    Raises ClusterError for what is no slot or no range, and for slots that are named twice.
    """
    ranges: Ranges = []
    for at in range(0, len(words) - 1, 2):
        first, last = _slot(words[at]), _slot(words[at + 1])
        if first > last:
            raise ClusterError(f"start slot number {first} is greater than end slot number {last}")
        ranges.append((first, last))
    ranges.sort()
    joined: Ranges = []
    for first, last in ranges:
        if joined and first <= joined[-1][1]:
            raise ClusterError(f"Slot {first} specified multiple times")
        if joined and first == joined[-1][1] + 1:
            joined[-1] = joined[-1][0], last
        else:
            joined.append((first, last))
    return joined


def _slot(word: bytes) -> int:
    if not word.isdigit() or len(word) > 5 or int(word) >= SLOTS:
        raise ClusterError("Invalid or out of range slot")
    return int(word)


def shown_ranges(ranges: Ranges) -> str:
    """Ranges as text: ``0-100 200``."""
    return " ".join(f"{first}-{last}" for first, last in ranges)


def range_words(ranges: Ranges) -> list[bytes]:
    """Ranges as the words of a command."""
    return [b"%d" % slot for pair in ranges for slot in pair]


def slots_of(ranges: Ranges) -> list[int]:
    """The slots of ranges, in order."""
    return [slot for first, last in ranges for slot in range(first, last + 1)]


def slot_flags(ranges: Ranges) -> bytes:
    """A byte for each slot there is, 1 for those of the ranges."""
    flags = bytearray(SLOTS)
    for first, last in ranges:
        flags[first : last + 1] = b"\x01" * (last + 1 - first)
    return bytes(flags)
