"""The process around the server: daemon, pid file, limits, supervisors, title, memory policy."""

from __future__ import annotations

import gc
import os

from carnelian.server.system.log_file import Log

DEFAULT_PID_FILE = "/var/run/redis.pid"

# Descriptors kept back for listening sockets, files of the persistence, the log.
RESERVED_FDS = 32

# Objects made since the last pass that make another one worthwhile, and too long.
_SOME_OBJECTS = 20_000
_MANY_OBJECTS = 100_000

OOM_SCORE_FILE = "/proc/self/oom_score_adj"


def daemonize() -> None:
    """Go on in a child without a terminal; the calling process ends here."""
    if os.fork() != 0:
        os._exit(0)
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    if null > 2:
        os.close(null)


def write_pid_file(path: str) -> str:
    """Leave the pid in ``path`` (or the default place); returns where. A failure is no error."""
    path = path or DEFAULT_PID_FILE
    try:
        with open(path, "w") as file:
            file.write(f"{os.getpid()}\n")
    except OSError:
        pass
    return path


def freeze_memory() -> None:
    """What was loaded until now lives as long as the process, and values make no cycles.

    So the cyclic collector, whose passes would stop the server for as long as the data set is
    large, runs only when :func:`tidy_memory` calls it.
    """
    gc.collect()
    gc.freeze()
    gc.disable()


def tidy_memory() -> None:
    """Free cycles among the objects made lately; to be called now and then.

    A pass looks at so few that it takes about a millisecond. Where there are many more they are
    data, which nobody will look through: setting them aside takes no time.
    """
    young = gc.get_count()[0]
    if young > _MANY_OBJECTS:
        gc.freeze()
    elif young > _SOME_OBJECTS:
        gc.collect(0)


# -- Limits of the operating system ----------------------------------------------------------------


def raise_file_limit(maxclients: int, log: Log) -> int:
    """Allow as many open files as ``maxclients`` need; returns how many clients there can be.

    Raises SystemExit when the limit does not even suffice for the server itself.
    """
    import resource

    wanted = maxclients + RESERVED_FDS
    try:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    except OSError as error:
        log(
            "warning",
            f"Unable to obtain the current NOFILE limit ({error.strerror}), assuming 1024 and "
            "setting the max clients configuration accordingly.",
        )
        return 1024 - RESERVED_FDS
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return maxclients
    best, reason = _best_file_limit(wanted, soft, hard)
    if best == wanted:
        log(
            "notice",
            f"Increased maximum number of open files to {wanted} "
            f"(it was originally set to {soft}).",
        )
        return maxclients
    if best <= RESERVED_FDS:
        log(
            "warning",
            f"Your current 'ulimit -n' of {soft} is not enough for the server to start. "
            f"Please increase your open file limit to at least {wanted}. Exiting.",
        )
        raise SystemExit(1)
    possible = best - RESERVED_FDS
    log(
        "warning",
        f"You requested maxclients of {maxclients} requiring at least {wanted} max file "
        "descriptors.",
    )
    log(
        "warning",
        f"Server can't set maximum open files to {wanted} because of OS error: {reason}.",
    )
    log(
        "warning",
        f"Current maximum open files is {best}. maxclients has been reduced to {possible} to "
        "compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'.",
    )
    return possible


def _best_file_limit(wanted: int, soft: int, hard: int) -> tuple[int, str]:
    """Set the limit as near to ``wanted`` as allowed: what it is now, and why it is not more."""
    import resource

    reason = ""
    for limit in range(wanted, soft, -16):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard)))
            return limit, reason
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or os.strerror(1)
    return soft, reason


def refuse_huge_pages() -> bool:
    """Have the kernel give this process small pages only; False where it cannot be told so."""
    import ctypes

    set_thp_disable = 41  # PR_SET_THP_DISABLE of prctl(2)
    try:
        return ctypes.CDLL(None).prctl(set_thp_disable, 1, 0, 0, 0) == 0
    except (AttributeError, OSError):
        return False


class OomScore:
    """``oom-score-adj``: how readily the kernel kills this process when memory runs out."""

    def __init__(self, log: Log):
        self._log = log
        self._base: int | None = None  # the score before ours, to go back to

    def apply(self, mode: str, values: list[int], process_class: int = 0) -> bool:
        """Set it from the directives: ``mode`` no, yes/relative or absolute.

        ``process_class`` picks the value: 0 primary, 1 replica, 2 child. False if it failed.
        """
        try:
            if mode == "no":
                if self._base is None:
                    return True
                score, self._base = self._base, None
            else:
                if self._base is None:
                    with open(OOM_SCORE_FILE) as file:
                        self._base = int(file.read())
                score = values[process_class] + (0 if mode == "absolute" else self._base)
            with open(OOM_SCORE_FILE, "w") as file:
                file.write(f"{max(-1000, min(1000, score))}\n")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            self._log("warning", f"Unable to write oom_score_adj: {reason}")
            return False
        return True


def set_cpu_affinity(cpus: str, log: Log) -> None:
    """Bind the process to the CPUs of a list like ``0-3,8`` or ``0-7:2``."""
    if not cpus or not hasattr(os, "sched_setaffinity"):
        return
    chosen: set[int] = set()
    try:
        for part in cpus.split(","):
            span, _, step = part.partition(":")
            first, _, last = span.partition("-")
            chosen.update(range(int(first), int(last or first) + 1, int(step or 1)))
        os.sched_setaffinity(0, chosen)
    except (OSError, ValueError) as error:
        log("warning", f"Can't set CPU affinity to {cpus}: {error}")


# -- Supervisors -----------------------------------------------------------------------------------


class Supervisor:
    """upstart or systemd, which are told when the server is ready; or nobody.

    ``name`` is the one that is there, or ``no``.
    """

    def __init__(self, mode: str, log: Log):
        """``mode`` is the directive: no, upstart, systemd or auto."""
        self._log = log
        self.name = "no"
        if mode == "auto":
            mode = self._detect()
        if mode == "upstart":
            self._start_upstart()
        elif mode == "systemd":
            self._start_systemd()

    @property
    def active(self) -> bool:
        """Whether there is one."""
        return self.name != "no"

    def ready(self) -> None:
        """Connections are accepted from now on."""
        if self.name == "systemd":
            self.notify("STATUS=Ready to accept connections\n")
            self.notify("READY=1\n")

    def stopping(self) -> None:
        """The shutdown has begun."""
        if self.name == "systemd":
            self.notify("STOPPING=1\n")

    def notify(self, message: str) -> bool:
        """Send one message of sd_notify(3); False if nobody listens."""
        import socket

        address = os.environ.get("NOTIFY_SOCKET")
        if not address:
            self._log("warning", "systemd supervision error: NOTIFY_SOCKET not found!")
            return False
        if address.startswith("@"):
            address = "\0" + address[1:]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
                sock.sendto(message.encode(), address)
        except OSError as error:
            self._log("warning", f"systemd supervision error: sd_notify: {error.errno}")
            return False
        return True

    def _detect(self) -> str:
        if "UPSTART_JOB" in os.environ:
            self._log("verbose", "Upstart supervision detected.")
            return "upstart"
        if "NOTIFY_SOCKET" in os.environ:
            self._log("verbose", "Systemd supervision detected.")
            return "systemd"
        return "no"

    def _start_systemd(self) -> None:
        if not self.notify("STATUS=Redis is loading...\n"):
            return
        self.name = "systemd"
        self._log(
            "notice",
            "Supervised by systemd. Please make sure you set appropriate values for "
            "TimeoutStartSec and TimeoutStopSec in your service unit.",
        )

    def _start_upstart(self) -> None:
        import signal

        if "UPSTART_JOB" not in os.environ:
            self._log("warning", "upstart supervision requested, but UPSTART_JOB not found!")
            return
        self._log("notice", "supervised by upstart, will stop to signal readiness.")
        os.kill(os.getpid(), signal.SIGSTOP)
        del os.environ["UPSTART_JOB"]
        self.name = "upstart"


# -- Title -----------------------------------------------------------------------------------------


class Title:
    """What ps(1) shows in place of the command line; only on Linux.

    A process may write over the memory that holds its arguments and, after them, its environment,
    which is moved away first.
    """

    def __init__(self) -> None:
        self._moved = False

    def show(self, text: str) -> None:
        """Show ``text``, as far as there is room for it."""
        try:
            start, end = self._area(len(text.encode()))
            with open("/proc/self/mem", "r+b", buffering=0) as memory:
                memory.seek(start)
                memory.write(text.encode()[: end - start - 1].ljust(end - start, b"\0"))
        except (OSError, ValueError, IndexError, OverflowError):
            pass

    def name(self, program: str) -> None:
        """Have lists of processes without arguments show a program's name, for children, too.

        The kernel keeps the first 15 bytes.
        """
        try:
            with open("/proc/self/comm", "w") as file:
                file.write(os.path.basename(program))
        except (OSError, ValueError):
            pass

    def _area(self, needed: int) -> tuple[int, int]:
        """The first and the last address that may be written to."""
        with open("/proc/self/stat", "rb") as file:
            # Counted after the name, which may hold blanks: fields 48 to 51 of proc(5).
            fields = file.read().rpartition(b")")[2].split()
        first, last, environment, environment_end = map(int, fields[45:49])
        if environment != last or (needed < last - first and not self._moved):
            return first, last
        if not self._moved:
            for name, value in os.environ.items():
                os.putenv(name, value)
            self._moved = True
        return first, environment_end
