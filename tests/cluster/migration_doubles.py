"""Both sides of a migration in one place, with what carries them made up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from carnelian.cluster.known.cluster_errors import ClusterError
from carnelian.cluster.moving import migration_task
from carnelian.cluster.moving.exporting import Export
from carnelian.cluster.moving.import_link import ImportGreeting, ImportLink
from carnelian.cluster.moving.importing import Import
from carnelian.cluster.moving.migration_task import MigrationTask
from carnelian.resp.parser import Parser

RANGES = [(0, 10)]
TASK = "a" * 40


class World:
    """The time, and who has the slots."""

    def __init__(self) -> None:
        self.now = 0
        self.owner = "source"
        self.link_up = True


class Giver:
    """The node that has the slots: a counter is all its data."""

    handoff_max_lag = 100
    write_pause_timeout = 1000
    drain_timeout = 5000
    silence_timeout = 3000
    most_waiting = 0

    def __init__(self, world: World):
        self.world = world
        self.task = MigrationTask(TASK, RANGES, migration_task.MIGRATE, "source", "dest", 0)
        self.value = 0
        self.wire: deque[bytes] = deque()
        self.paused = False
        self.pauses = 0
        self.listening = False
        self.quiet = True
        self.ready = True
        self.hung_up = False
        self.reassured = 0
        self.disk_full = False
        self.pieces: deque[bytes] = deque()
        self.ended = 0
        self.export = Export(self.task, self, self._ended)

    def _ended(self) -> None:
        self.ended += 1

    def now_ms(self) -> int:
        return self.world.now

    def log(self, level: str, text: str) -> None:
        pass

    def put(self, data: bytes) -> None:
        self.wire.append(data)

    def waiting(self) -> int:
        return sum(map(len, self.wire))

    def hang_up(self) -> None:
        self.hung_up = True

    def begin(self, piece: Callable[[bytes], None], end: Callable[[bool], None]) -> bool:
        if not self.ready:
            return False
        self.listening = True
        self.pieces.append(command(b"SET", b"n", b"%d" % self.value))
        self.piece, self.end = piece, end
        return True

    def finish_snapshot(self, whole: bool = True) -> None:
        """All of the snapshot is there."""
        while self.pieces:
            self.piece(self.pieces.popleft())
        self.end(whole)

    def end_stream(self) -> None:
        self.listening = False

    def settle(self) -> bool:
        return self.quiet

    def pause(self, milliseconds: int) -> None:
        self.paused = True
        self.pauses += 1

    def resume(self) -> None:
        self.paused = False

    def still_ours(self) -> bool:
        return self.world.owner == "source"

    def theirs(self) -> bool:
        return self.world.owner == "dest"

    def promise(self) -> None:
        if self.disk_full:
            raise OSError(28, "No space left on device")

    def reassure(self) -> None:
        self.reassured += 1

    def write(self) -> bool:
        """A client increases the counter, if it may; whether it was told that it did."""
        if self.paused or self.world.owner != "source":
            return False
        self.value += 1
        if self.listening:
            self.export.changed(command(b"INCR", b"n"))
        return True


class Taker:
    """The node that is to have the slots."""

    silence_timeout = 3000

    def __init__(self, world: World):
        self.world = world
        self.task = MigrationTask(TASK, RANGES, migration_task.IMPORT, "source", "dest", 0)
        self.value: int | None = None
        self.wire: deque[bytes] = deque()
        self.count = 0
        self.parser = Parser()
        self.later: deque[Callable[[], object]] = deque()
        self.is_busy = False
        self.is_applying = False
        self.slow_ms = 0
        self.unclaimable = ""
        self.ended = 0
        self.link: ImportLink | None = None
        self.attempt = Import(self.task, self, self._ended)

    def _ended(self) -> None:
        self.ended += 1

    def now_ms(self) -> int:
        return self.world.now

    def log(self, level: str, text: str) -> None:
        pass

    def greeting(self) -> ImportGreeting:
        return ImportGreeting(TASK, "dest", RANGES, None, None)

    def connect(self, link: ImportLink) -> None:
        self.link = link

    # The wire, as the link has it.
    @property
    def peer(self) -> tuple[str, int]:
        return "source", 1

    @property
    def address(self) -> tuple[str, int]:
        return "dest", 1

    def send(self, data: bytes) -> None:
        self.wire.append(data)

    def pause(self, paused: bool) -> None:
        raise AssertionError("this link is always read")

    def close(self) -> None:
        self.world.link_up = False

    def call_later(self, seconds: float, callback: Callable[[], object]) -> object:
        self.later.append(callback)
        return None

    def begin_applying(self) -> None:
        self.is_applying = True

    def busy(self) -> bool:
        return self.is_busy

    def apply(self, data: bytes) -> str:
        self.parser.feed(data)
        while (words := self.parser.next()) is not None:
            if words[0] == b"SET":
                self.value = int(words[2])
            elif words[0] == b"INCR":
                assert self.value is not None
                self.value += 1
            elif words[0] == b"CLUSTER":
                self.attempt.heard(list(words[2:]))
            self.count = self.parser.consumed
        return ""

    def applied(self) -> int:
        return self.count

    def end_applying(self) -> None:
        self.is_applying = False

    def make_durable(self) -> None:
        self.world.now += self.slow_ms

    def objection(self) -> str:
        return "" if self.world.owner == "source" else "slots configuration updated"

    def claim(self, promised_ms: int) -> None:
        if self.unclaimable:
            raise ClusterError(self.unclaimable)
        self.world.owner = "dest"


class Migration:
    """A giver, a taker, and the connection between them, which is cut in two by hand."""

    def __init__(self) -> None:
        self.world = World()
        self.giver = Giver(self.world)
        self.taker = Taker(self.world)
        self.taker.attempt.begin()
        assert self.taker.link is not None
        self.link = self.taker.link
        self.requests = Parser()
        # Messages of each direction from this one on are lost, with the connection.
        self.cut_after = -1
        self.carried = 0
        self.told_owner = True
        # Whether what the taker says is on its way for long.
        self.is_slow = False

    def connect(self) -> None:
        """The connection stands."""
        self.link.connected(self.taker)

    def lose_link(self) -> None:
        """The connection ends."""
        if self.world.link_up:
            self.world.link_up = False
            self.link.lost("reset")
            self.giver.export.link_lost()

    def carry(self) -> bool:
        """Bring over one message of each side; whether there was one."""
        moved = False
        if self.taker.wire and self.world.link_up and not self.is_slow:
            moved = self._count()
            data = self.taker.wire.popleft()
            if self.world.link_up:
                self._hear(data)
        if self.giver.wire and self.world.link_up:
            moved = self._count()
            data = self.giver.wire.popleft()
            if self.world.link_up:
                self.link.receive(data)
        return moved

    def _count(self) -> bool:
        self.carried += 1
        if self.carried == self.cut_after:
            self.lose_link()
        return True

    def _hear(self, data: bytes) -> None:
        self.requests.feed(data)
        export = self.giver.export
        while (words := self.requests.next()) is not None:
            kind = words[2]
            if kind == b"CONF":
                self.giver.put(b"+OK\r\n")
            elif kind == b"SYNC":
                begun = export.begin()
                self.giver.put(b"+SLOTSSNAPSHOT\r\n" if begun else b"-NOTREADY later\r\n")
            elif kind == b"ACK":
                export.acknowledged(int(words[3]))
            elif kind == b"CLAIM":
                export.asked()
            elif kind == b"FAIL":
                export.refused(words[3].decode())

    def step(self, milliseconds: int = 100) -> None:
        """Some time passes; all that is on its way arrives."""
        while self.carry():
            pass
        for callback in [self.taker.later.popleft() for _ in range(len(self.taker.later))]:
            callback()
        self.world.now += milliseconds
        self.taker.attempt.tick()
        self.giver.export.tick()
        if self.told_owner:
            self.giver.export.owners_changed()

    def reach(self, state: str) -> None:
        """Bring over one message after the other until the source is so far."""
        for _ in range(100):
            if self.giver.task.state == state:
                return
            if not self.carry():
                self.world.now += 10
                self.taker.attempt.tick()
                self.giver.export.tick()
        raise AssertionError(f"not reached: {self.states}")

    @property
    def states(self) -> tuple[str, str]:
        """How far the source is, and the destination."""
        return self.giver.task.state, self.taker.task.state


def command(*words: bytes) -> bytes:
    """A command as it is sent."""
    return b"".join([b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)])
