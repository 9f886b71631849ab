"""Taking slots: what the node does that is to have them, without I/O.

See :mod:`carnelian.cluster.moving.exporting` for what is said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from carnelian.cluster.known.cluster_errors import ClusterError
from carnelian.cluster.moving import import_link, migration_task
from carnelian.cluster.moving.import_link import ImportGreeting, ImportLink
from carnelian.cluster.moving.migration_task import MigrationTask

SNAPSHOT = "accumulate-buffer"
STREAM = "wait-stream-eof"
TAKEOVER = "takeover"

# Bytes that are applied before the other side is told without being asked.
_OFTEN = 256 * 1024
_SECOND_MS = 1000
# Seconds after which is looked again whether something may be applied.
_SOON = 0.001
# Milliseconds that are applied before others are served.
_SLICE_MS = 5


class ImportAround(Protocol):
    """What an import asks of its node. Times are in milliseconds."""

    @property
    def silence_timeout(self) -> int:
        """How long the other side may be silent."""

    def now_ms(self) -> int:
        """The time, on a clock that goes evenly."""

    def log(self, level: str, text: str) -> None:
        """Write a line of log."""

    def greeting(self) -> ImportGreeting:
        """What to say to the node that has the slots."""

    def connect(self, link: ImportLink) -> None:
        """Connect to that node."""

    def call_later(self, seconds: float, callback: Callable[[], object]) -> object:
        """Call once."""

    def begin_applying(self) -> None:
        """Be ready for the stream: keys of the slots are concealed from now on."""

    def busy(self) -> bool:
        """Whether nothing can be applied just now."""

    def apply(self, data: bytes) -> str:
        """Run the commands of the stream that are complete; those of the protocol come to
        :meth:`Import.heard`. Returns why not, if it is no such stream.
        """

    def applied(self) -> int:
        """Bytes of the stream that were applied."""

    def end_applying(self) -> None:
        """The stream is over."""

    def make_durable(self) -> None:
        """Bring what was applied to where it has to be before anybody is told of it."""

    def objection(self) -> str:
        """Why the slots cannot be taken, or an empty text."""

    def claim(self, promised_ms: int) -> None:
        """Take the slots, which are promised for so long, and tell all others. Raises
        ClusterError.
        """


class Import:
    """One attempt to take slots.

    - ``held_bytes``, ``most_held_bytes``: of the stream that wait to be applied, now and at most.

    Args:
        task: to be kept up.
        around: the node.
        on_end: called once it is over.
    """

    def __init__(self, task: MigrationTask, around: ImportAround, on_end: Callable[[], object]):
        self.task = task
        self._around = around
        self._on_end = on_end
        self._link = ImportLink(self, around.greeting())
        self._held: deque[bytes] = deque()
        self.held_bytes = self.most_held_bytes = 0
        self._news: deque[list[bytes]] = deque()
        self._applying = self._over = False
        self._told = 0
        self._told_at = self._heard_at = around.now_ms()
        self._asked_at = -1

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self._over

    def begin(self) -> None:
        """Connect."""
        self.task.state = import_link.CONNECTING
        self._around.connect(self._link)

    # -- The connection ----------------------------------------------------------------------------

    def stage_reached(self, stage: str) -> None:
        """The dialogue has come so far."""
        self._heard_at = self._around.now_ms()
        if stage == import_link.STREAM:
            self._around.begin_applying()
            self._applying = True
            self.task.state = SNAPSHOT
        else:
            self.task.state = stage

    def not_ready(self) -> None:
        """The other side is busy with something else: come again later."""
        self._around.log(
            "notice", "Source node replied to SYNCSLOTS SYNC with -NOTREADY, will retry later..."
        )
        self._end(migration_task.NONE, "", tell=False)

    def link_lost(self, why: str) -> None:
        """The connection has ended."""
        # What came before may say why.
        self._heed_news()
        self.fail(f"Main channel - {why}")

    def stream_part(self, data: bytes) -> None:
        """The next bytes of the stream."""
        if self._over:
            return
        self._heard_at = self._around.now_ms()
        if self._held or self._around.busy():
            self._held.append(data)
            self.held_bytes += len(data)
            self.most_held_bytes = max(self.most_held_bytes, self.held_bytes)
            if len(self._held) == 1:
                self._around.call_later(_SOON, self._apply_held)
            return
        self._apply(data)

    def _apply_held(self) -> None:
        """Apply what could not be when it came, a moment at a time."""
        around = self._around
        begin = around.now_ms()
        while self._held and not self._over:
            if around.busy() or around.now_ms() - begin > _SLICE_MS:
                around.call_later(_SOON, self._apply_held)
                return
            data = self._held.popleft()
            self.held_bytes -= len(data)
            self._apply(data)

    def _apply(self, data: bytes) -> None:
        trouble = self._around.apply(data)
        self._heed_news()
        if self._over:
            return
        if trouble:
            self.fail(f"Main channel - {trouble}")
        elif self._around.applied() - self._told >= _OFTEN:
            self._acknowledge()

    # -- What is heard -----------------------------------------------------------------------------

    def heard(self, words: list[bytes]) -> None:
        """Something of the protocol came in the stream; it is heeded behind the commands that have
        come with it.
        """
        self._news.append(words)

    def _heed_news(self) -> None:
        while self._news and not self._over:
            words = self._news.popleft()
            if words[0] == b"SNAPSHOT-EOF" and self.task.state == SNAPSHOT:
                self.task.state = STREAM
                self._acknowledge()
            elif words[0] == b"STREAM-EOF" and self.task.state == STREAM:
                self._ask()
            elif words[0] == b"CONFIRM" and len(words) == 2:
                self._confirmed(int(words[1]))
            elif words[0] == b"FAIL":
                why = words[1].decode("utf-8", "replace") if len(words) > 1 else ""
                self.fail(f"Source has failed: {why}", tell=False)

    def _ask(self) -> None:
        """All has come: ask whether the slots may be taken."""
        self.task.state = TAKEOVER
        # What is promised holds for some time from now on, or from later.
        self._asked_at = self._around.now_ms()
        self._acknowledge()
        self._link.send(b"CLAIM")

    def _confirmed(self, promised_ms: int) -> None:
        """The other side serves no writes for so long after it was asked, at least."""
        around = self._around
        if self.task.state != TAKEOVER:
            return
        around.make_durable()
        # Half of it is left for clocks that go at different paces, and for telling the others.
        since_asked = around.now_ms() - self._asked_at
        if since_asked > promised_ms // 2 or promised_ms <= 0:
            self.fail("Takeover too late")
            return
        objection = around.objection()
        if objection:
            self.fail(objection)
            return
        try:
            around.claim(promised_ms - since_asked)
        except ClusterError as error:
            self.fail(str(error))
            return
        self._end(migration_task.COMPLETED, "", tell=False)

    # -- Time --------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Some time has passed: called about ten times a second."""
        if self._over:
            return
        around, now = self._around, self._around.now_ms()
        if now - self._heard_at > around.silence_timeout:
            self.fail("Main channel - Connection timeout")
            return
        if self._applying:
            fresh = around.applied() != self._told
            if fresh or now - self._told_at >= _SECOND_MS:
                self._acknowledge()

    def _acknowledge(self) -> None:
        self._told = self._around.applied()
        self._told_at = self._around.now_ms()
        self._link.send(b"ACK", b"%d" % self._told)

    # -- The end -----------------------------------------------------------------------------------

    def fail(self, why: str, tell: bool = True) -> None:
        """Give up; it may be tried again."""
        self._end(migration_task.FAILED, why, tell)

    def cancel(self, why: str) -> None:
        """Give up for good."""
        self._end(migration_task.CANCELED, why, True)

    def _end(self, state: str, why: str, tell: bool) -> None:
        if self._over:
            return
        self._over = True
        if tell and why:
            self._link.send(b"FAIL", why.encode("utf-8", "replace"))
        self._link.close()
        self._held.clear()
        self.held_bytes = 0
        self._news.clear()
        if self._applying:
            self._around.end_applying()
        self.task.end(state, why)
        if state != migration_task.NONE:
            level = "notice" if state == migration_task.COMPLETED else "warning"
            self._around.log(level, self.task.ended_line())
        self._on_end()
