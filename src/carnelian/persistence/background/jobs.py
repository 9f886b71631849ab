"""What an engine does in the background: one job at a time, of one task or another.

A task is what there is to be done now and then: a snapshot, the append-only file written anew. A
job is one time that it is done, by a child process or in slices of this one. Either writes the data
set, as it was when the job began, to a target.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from carnelian.persistence.background import children, slicing
from carnelian.persistence.background.children import STOPPED, OrphanedError, Parent
from carnelian.persistence.background.slicing import Making, Slicing
from carnelian.persistence.bytes.targets import Target
from carnelian.persistence.rdb import files
from carnelian.persistence.rdb.files import Progress

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine


class Method(Enum):
    """How a data set is written. At once: while everything waits, which no job is begun for."""

    FORK = 0
    SLICED = 1
    AT_ONCE = 2


class Outcome(Enum):
    """How a job has ended. Stopped: it was told to."""

    DONE = 0
    FAILED = 1
    STOPPED = 2


class Job(Protocol):
    """What goes on in the background: a :class:`~.children.Child` or a :class:`~.slicing.Slicing`.

    - ``keys``: how many it has written;
    - ``private_bytes``, ``peak_bytes``: memory that it takes for itself, now and at most;
    - ``reported``: when these were known last, as ``time.monotonic``;
    - ``exit_status``: None until it has ended, then 0 for a job that was done, negative for the
      signal that ended it (``STOPPED`` where it was told to), else positive.
    """

    keys: int
    private_bytes: int
    peak_bytes: int
    reported: float
    exit_status: int | None

    @property
    def pid(self) -> int | str:
        """What the names of its files have that no other job's have: the process id, or a text."""

    @property
    def target(self) -> Target:
        """What it writes to."""

    def check(self) -> bool:
        """Have it go on, where it needs that; returns whether it has ended."""

    def receive(self) -> None:
        """Bring the figures up to date."""

    def kill(self) -> None:
        """Tell it to stop; :meth:`check` will see the end. It may be done before it hears of it."""

    def wait(self) -> None:
        """Wait for its end."""


class Task:
    """Something that is done in the background now and then.

    A subclass brings the target (:meth:`target`), what is written to it (:meth:`write` and
    :meth:`freeze`), what follows (:meth:`ended`), and what the log says. If it is begun unasked,
    too, it brings :meth:`begin`, :meth:`held` and :meth:`heed`.

    - ``scheduled``: it is to be begun as soon as nothing else is going on;
    - ``prepare_child``: runs first in a child process;
    - ``last_failed``: whether the last job came to nothing;
    - ``last_seconds``: how long the last one went on, -1 if there was none;
    - ``last_private_bytes``: memory that the last one took for itself.
    """

    # What the log says: at the beginning and the end, of a fork that fails, of an error, and of the
    # memory of a child.
    BEGUN = "Background job started"
    CANNOT_FORK = "Can't begin in background"
    ENDED = "Background job"
    FAILED = "Background job error"
    PURPOSE = "job"

    def __init__(self, background: Slot):
        self.background = background
        self.scheduled = False
        self.prepare_child: Callable[[], None] = lambda: None
        self.last_failed = False
        self.last_seconds = -1
        self.last_private_bytes = 0
        self.began = 0.0
        background.tasks.append(self)

    @property
    def running(self) -> bool:
        """Whether there is a job of this task now."""
        return self.background.task is self

    @property
    def running_seconds(self) -> int:
        """How long it has been going on; -1 if there is none."""
        return int(time.monotonic() - self.began) if self.running else -1

    def target(self, pid: int | str) -> Target:
        """What a job writes to; in a child process it is made anew."""
        raise NotImplementedError

    def write(self, fd: int, progress: Progress) -> None:
        """Write all of it to the descriptor of the target, in a child process. Raises OSError."""
        raise NotImplementedError

    def written(self, target: Target) -> None:
        """The child process is done, all but for its exit."""

    def freeze(self, target: Target, fd: int) -> Making:
        """As :meth:`write`, for what is written in slices: see :func:`files.freeze_content`."""
        raise NotImplementedError

    def ended(self, job: Job, outcome: Outcome) -> None:
        """A job has ended, as the log says by now."""
        raise NotImplementedError

    def begin(self) -> bool:
        """Begin a job; returns whether it was begun."""
        return self.background.begin(self)

    def held(self) -> bool:
        """Whether nothing may be begun yet, but what somebody asks for, after it has failed."""
        return False

    def heed(self) -> None:
        """Nothing is going on: begin, if there is reason to."""

    def look(self) -> None:
        """Nothing is going on: begin what is scheduled, or what there is reason for."""
        if not self.scheduled or self.held():
            self.heed()
        elif self.begin():
            self.scheduled = False


class Slot:
    """The background of one engine, in which there is one job at a time.

    - ``can_fork``: for the owner of the process to set; a job is a child process then;
    - ``carry``: for an owner to set who takes slices: called with each job in slices, to have
      :meth:`Slicing.step` called until there is no more to write. Without either there are no jobs;
    - ``tasks``: in the order in which they have their turns;
    - ``job``, ``task``: what is going on;
    - ``keys_total``: how many keys there were when it began.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self.can_fork = False
        self.carry: Callable[[Slicing], None] | None = None
        self.tasks: list[Task] = []
        self.job: Job | None = None
        self.task: Task | None = None
        self.keys_total = 0
        engine.on_cron.append(self.tick)

    @property
    def busy(self) -> bool:
        """Whether a job is going on."""
        return self.job is not None

    @property
    def snapshot(self) -> Task | None:
        """The task that writes a snapshot now, to a file or to replicas, if one does."""
        return self.task if self.task is not None and self.task.PURPOSE == "RDB" else None

    @property
    def method(self) -> Method:
        """How jobs write the data set."""
        if self.can_fork and self._engine.config["snapshot-method"] != "sliced":
            return Method.FORK
        return Method.AT_ONCE if self.carry is None else Method.SLICED

    # -- The beginning ---------------------------------------------------------------------------

    def begin(self, task: Task) -> bool:
        """Begin a job of a task, by :attr:`method`, which is not at once.

        Returns whether it was begun: not while there is another one, nor where the system refuses,
        of which the log tells.
        """
        if self.job is not None:
            return False
        self.keys_total = len(self._engine.keyspace)
        task.began = time.monotonic()
        try:
            if self.method is Method.FORK:
                self._fork(task)
            else:
                self._slice(task)
        except OSError:
            return False
        return True

    def _fork(self, task: Task) -> None:
        log = self._engine.log
        try:
            child = children.start(
                task.target,
                lambda target, parent: self._be_child(task, target, parent),
                task.prepare_child,
            )
        except OSError as error:
            log("warning", f"{task.CANNOT_FORK}: fork: {error.strerror}")
            raise
        self.job, self.task = child, task
        children.note_fork(self._engine, child)
        log("notice", f"{task.BEGUN} by pid {child.pid}")

    def _be_child(self, task: Task, target: Target, parent: Parent) -> bool:
        log = self._engine.log
        try:
            if not files.fill(target, lambda fd: task.write(fd, parent)):
                return False
        except OrphanedError:
            log("warning", "The server has ended: what it had begun in background is given up")
            return False
        task.written(target)
        children.report_private(log, task.PURPOSE)
        return True

    def _slice(self, task: Task) -> None:
        job = slicing.begin(self._engine, task.target, task.freeze)
        self.job, self.task = job, task
        self._engine.log("notice", task.BEGUN)
        assert self.carry is not None
        self.carry(job)

    # -- The end ---------------------------------------------------------------------------------

    def kill(self, task: Task) -> None:
        """Tell the job of a task to stop, if there is one; :meth:`tick` will see its end."""
        if self.job is not None and self.task is task:
            self.job.kill()

    def stop(self, task: Task) -> None:
        """As :meth:`kill`, and wait until nothing more of it happens."""
        if self.job is not None and self.task is task:
            self.job.kill()
            self.job.wait()
            self.job.target.remove()

    def drop(self, task: Task) -> None:
        """As :meth:`stop`, and forget it: the task is not told of an end."""
        self.stop(task)
        if self.task is task:
            self._clear()

    def finish(self, task: Task) -> None:
        """Wait for the end of the job of a task, if there is one."""
        if self.job is not None and self.task is task:
            self.job.wait()
            self._end(self.job, task)

    def _clear(self) -> None:
        self.job = self.task = None
        children.note_end(self._engine)

    def _end(self, job: Job, task: Task) -> None:
        self._clear()
        task.last_private_bytes = job.private_bytes
        task.ended(job, self._outcome(job, task))
        task.last_seconds = int(time.monotonic() - task.began)

    def _outcome(self, job: Job, task: Task) -> Outcome:
        """How a job has ended; the log says so, and nothing is left of one that a signal ended."""
        log, status = self._engine.log, job.exit_status
        if status == 0:
            log("notice", f"{task.ENDED} terminated with success")
            return Outcome.DONE
        if status is not None and status < 0:
            log("warning", f"{task.ENDED} terminated by signal {-status}")
            job.target.remove()
            return Outcome.STOPPED if status == -STOPPED else Outcome.FAILED
        log("warning", task.FAILED)
        return Outcome.FAILED

    # -- Time ------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Look after the job, and let the tasks begin what is to be begun.

        When a job has ended, only the tasks behind its own have their turn: the others have it at
        the next tick, so that none of them keeps the others waiting for ever.
        """
        turn, job, task = 0, self.job, self.task
        if job is not None and task is not None:
            if not job.check():
                return
            turn = self.tasks.index(task) + 1
            self._end(job, task)
        for each in self.tasks[turn:]:
            if self.job is not None:
                return
            each.look()
