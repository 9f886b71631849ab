"""Scripts that tell people of what happens, and clients of new primaries."""

from __future__ import annotations

from dataclasses import dataclass

from carnelian.sentinel.known.instances import Primary
from carnelian.sentinel.known.peer_address import PeerAddress
from carnelian.sentinel.known.surroundings import NotStarted, ProcessEnd
from carnelian.sentinel.known.watch import Watch

MOST_QUEUED = 256
MOST_RUNNING = 16
MOST_TRIES = 10

# What events call a process that could not be made, in place of a signal.
_NO_PROCESS = 99
# The status of a script that could not be started.
_NOT_STARTED = 2


@dataclass
class Job:
    """A script that runs or is going to.

    ``start`` is when it was started, or when it may be (0: at once), in milliseconds; ``pid`` is 0
    while it does not run.
    """

    words: list[str]
    tries: int = 0
    start: int = 0
    pid: int = 0


class ScriptQueue:
    """Runs scripts in their order, some at a time, and again if they ask for it."""

    def __init__(self, watch: Watch):
        self._watch = watch
        self.jobs: list[Job] = []
        watch.on_alarm = self._alarm

    @property
    def running(self) -> list[Job]:
        """Those that run."""
        return [job for job in self.jobs if job.pid]

    def _alarm(self, primary: Primary, kind: str, text: str) -> None:
        if primary.notification_script is not None:
            self.add([primary.notification_script, kind, text])

    def tell_clients(self, primary: Primary, part: str, old: PeerAddress, new: PeerAddress) -> None:
        """There is a new primary; ``part`` is ours in that, ``leader`` or ``observer``."""
        if primary.reconfig_script is None:
            return
        shown = self._watch.addresses.shown
        words = [primary.reconfig_script, primary.name, part, "start"]
        self.add([*words, shown(old), str(old.port), shown(new), str(new.port)])

    def add(self, words: list[str]) -> None:
        """Have a script run. If too many wait, the one that waits longest never does."""
        self.jobs.append(Job(words))
        if len(self.jobs) > MOST_QUEUED:
            self.jobs.remove(next(job for job in self.jobs if not job.pid))

    def tend(self) -> None:
        """Start, collect and end scripts, as it is time to."""
        self._start()
        for end in self._watch.around.scripts.ended():
            self._collect(end)
        self._end_overdue()

    def _start(self) -> None:
        now = self._watch.now
        room = MOST_RUNNING - len(self.running)
        due = [job for job in self.jobs if not job.pid and job.start <= now]
        for job in due[:room]:
            job.start = now
            job.tries += 1
            try:
                job.pid = self._watch.around.scripts.start(job.words)
            except NotStarted:
                self.jobs.remove(job)
                self._report_failure(job, 0, _NOT_STARTED)
            except OSError:
                self._report_failure(job, _NO_PROCESS, 0)
            else:
                self._watch.announce("debug", "+script-child", None, f"{job.pid}")

    def _collect(self, end: ProcessEnd) -> None:
        text = f"{end.pid} {end.status} {end.signal}"
        self._watch.announce("debug", "-script-child", None, text)
        job = next((job for job in self.jobs if job.pid == end.pid), None)
        if job is None:
            return
        job.pid = 0
        if (end.signal or end.status == 1) and job.tries < MOST_TRIES:
            job.start = self._watch.now + self._delay(job.tries)
            return
        self.jobs.remove(job)
        if end.signal or end.status:
            self._report_failure(job, end.signal, end.status)

    def _delay(self, tries: int) -> int:
        """How long to wait before another try: twice as long each time."""
        return self._watch.periods.script_retry_delay * 2 ** (tries - 1)

    def _end_overdue(self) -> None:
        now, longest = self._watch.now, self._watch.periods.script_max_runtime
        for job in self.running:
            if now - job.start > longest:
                text = f"{job.words[0]} {job.pid}"
                self._watch.announce("warning", "-script-timeout", None, text)
                self._watch.around.scripts.kill(job.pid)

    def _report_failure(self, job: Job, signal: int, status: int) -> None:
        text = f"{job.words[0]} {signal} {status}"
        self._watch.announce("warning", "-script-error", None, text)
