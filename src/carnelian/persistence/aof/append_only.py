"""The append-only file of an engine: whether there is one, and whether writes reach it.

See https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from cython.cimports.carnelian.engine.parts.admission import judged_flags

from carnelian.engine.catalogue.registry import FLAG_BITS
from carnelian.engine.config import ConfigError
from carnelian.engine.ground.stages import DISK
from carnelian.persistence.aof import append_log, manifest
from carnelian.persistence.aof.log_files import LogFiles, LogState
from carnelian.persistence.aof.manifest import StoreError
from carnelian.persistence.aof.renewal import Renewal
from carnelian.persistence.background import base_files
from carnelian.persistence.saving.snapshots import LoadError
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.catalogue.registry import Command
    from carnelian.engine.engine import Engine
    from carnelian.engine.shared.client_state import Client

_WRITE = FLAG_BITS["write"]
_POLICIES = {
    "no": append_log.NEVER, "everysec": append_log.EVERY_SECOND, "always": append_log.ALWAYS,
}  # fmt: skip


class AppendOnly(LogFiles):
    """The log of writes of one engine.

    ``renewal`` has it written anew. ``may_stop()`` is asked before the log is turned off while the
    engine runs, ``on_stop`` called when it has been.
    """

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self.log.on_outcome = self.judge
        self.renewal = Renewal(engine, self)
        self.may_stop: Callable[[], bool] = lambda: True
        self.on_stop: list[Callable[[], None]] = []
        # Whether an empty base is an error, rather than what a crash of the system has left.
        self.strict = False
        self._retried_s = 0
        self._refusing = False
        engine.on_cron.append(self.tick)
        self._snapshots.after_reload.append(self.heed_directive)
        self._follow()

    def _follow(self) -> None:
        config, log = self._engine.config, self.log
        followers: dict[str, Callable] = {
            "appendfsync": lambda word: setattr(log, "policy", _POLICIES[word]),
            "aof-timestamp-enabled": lambda wanted: setattr(log, "stamping", wanted),
            "aof-write-interval": lambda ms: setattr(log, "interval_ms", ms),
            "no-appendfsync-on-rewrite": lambda wanted: setattr(log, "unsynced_on_rewrite", wanted),
        }
        for name, follow in followers.items():
            follow(config[name])
            config.on_change(name, follow)
        config.on_change("appendonly", self._switch)
        config.on_change("aof-disable-auto-gc", lambda kept: self.delete_history())

    @property
    def failure(self) -> int:
        """The errno for which writes are refused, 0 if they are not."""
        if self.state is LogState.OFF:
            return 0
        return self.log.failure if self.log.failed else self.syncer.failure

    # -- On and off ------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin to log, behind what was loaded; writes an empty base if there are no files.

        Raises:
            LoadError: it cannot be done; the text is for the log.
        """
        log = self._engine.log
        try:
            self.make_directory()
            if not self.manifest.parts:
                name = self.manifest.new_base(self.stem, self.suffix)
                if not base_files.write(self._engine, self.path(name), self._snapshots.functions):
                    raise LoadError
                self._snapshots.note_version()
                log("notice", f"Creating AOF base file {name} on server start")
            fresh = not self.manifest.increments
            verb = "Creating" if fresh else "Opening"
            name = self.manifest.last_increment(self.stem)
            # A file of a new one's name is no part of this log, but left by another.
            fd = self.open_increment(name, os.O_APPEND | (os.O_TRUNC if fresh else 0))
            self.manifest.store(self.directory, self.stem)
        except StoreError as error:
            raise LoadError(str(error)) from None
        except OSError:
            raise LoadError from None
        self.log.open(fd, self.size_of(name))
        log("notice", f"{verb} AOF incr file {name} on server start")
        self.state = LogState.ON
        self.log.accepting = True
        self._engine.effects.listen(self.log)

    def heed_directive(self) -> bool:
        """Turn the log on or off if ``appendonly`` was set while a data set was loaded.

        False if that cannot be done; the log says why.
        """
        try:
            self._switch(self._engine.config["appendonly"])
        except ConfigError:
            return False
        return True

    def _switch(self, wanted: bool) -> None:
        if self._snapshots.loading is not None:
            # Whoever loads brings the log in line when the data set is there.
            return
        if wanted and self.state is LogState.OFF:
            self.start()
        elif not wanted and self.state is not LogState.OFF:
            if not self.may_stop():
                raise ConfigError("Unable to turn off AOF. Check server logs.")
            self.stop()

    def start(self) -> None:
        """Turn the log on while the engine runs. Raises ConfigError if that cannot be done."""
        engine, log = self._engine, self._engine.log
        self.state = LogState.WAITING
        engine.effects.listen(self.log)
        if self.renewal.background.busy and not self.renewal.running:
            self.renewal.scheduled = True
            log(
                "warning",
                "AOF was enabled but there is already another background operation. An AOF "
                "background was scheduled to start when possible.",
            )
        elif engine.depth:
            self.renewal.scheduled = True
            log(
                "warning",
                "AOF was enabled during a transaction. An AOF background was scheduled to start "
                "when possible.",
            )
        else:
            self._start_rewrite()
        self.log.last_sync_s = engine.clock.ms // 1000
        if self.syncer.failure:
            log("warning", "AOF reopen, just ignore the AOF fsync error in bio job")
            self.syncer.failure = 0
        if self.log.failed:
            log("warning", "AOF reopen, just ignore the last error.")
            self.log.failed = False
        self.judge()

    def _start_rewrite(self) -> None:
        log = self._engine.log
        if self.renewal.running:
            # It does not know of what is written from now on.
            log(
                "warning",
                "AOF was enabled but there is already an AOF rewriting in background. Stopping "
                "background AOF and starting a rewrite now.",
            )
            self.renewal.drop()
        if self.renewal.begin():
            return
        log(
            "warning",
            "Redis needs to enable the AOF but can't trigger a background AOF rewrite operation. "
            "Check the above logs for more info about the error.",
        )
        self._turn_off()
        self.disown()
        raise ConfigError("Unable to turn on AOF. Check server logs.")

    def stop(self) -> None:
        """Turn the log off while the engine runs; what was written until now is on the disk."""
        self._engine.effects.flush()
        if self.renewal.running:
            self.renewal.drop()
        self._turn_off()
        for hook in self.on_stop:
            hook()
        self.disown()

    def close(self) -> None:
        """Bring everything to the disk and let go of the files: the engine ends."""
        if self.state is not LogState.OFF:
            self._engine.effects.flush()
            self._turn_off()
        self.syncer.end()
        self.disown()

    def _turn_off(self) -> None:
        waiting = self.state is LogState.WAITING
        self.log.close()
        if waiting:
            self.syncer.delete(self.path(manifest.temporary_increment(self.stem)))
        self.state = LogState.OFF
        self.renewal.scheduled = False
        self._engine.effects.unlisten(self.log)
        self.judge()

    # -- Time ------------------------------------------------------------------------------------

    @property
    def restless(self) -> bool:
        """Whether :meth:`tick` has something to do even if nothing is written any more."""
        if self.renewal.scheduled or self.renewal.running:
            return True
        if self.state is LogState.OFF:
            return False
        return self.failure != 0 or self.syncer.pending > 0 or self.log.restless

    def tick(self) -> None:
        """Look after what waits to be written, and what failed."""
        now_s = self._engine.clock.ms // 1000
        self.log.rewriting = self.renewal.background.busy
        if self.state is LogState.OFF:
            return
        if self.log.waiting:
            self.log.flush()
        if self.log.failed and now_s != self._retried_s:
            self._retried_s = now_s
            self.log.flush()
        self.judge()

    # -- Refusing writes -------------------------------------------------------------------------

    def judge(self) -> None:
        """Refuse writes, or not, as the last attempts to bring them to the disk went."""
        refusing = self.failure != 0
        if refusing != self._refusing:
            self._refusing = refusing
            self._engine.admission.switch_check(self._check, refusing, stage=DISK)

    @property
    def refusing(self) -> bool:
        """Whether writes are refused because they cannot be brought to the disk."""
        return self._refusing

    def _check(self, session: Client, command: Command, args: list[bytes]) -> Error | None:
        failure, flags = self.failure, judged_flags(session, command, args)
        if failure and (flags & _WRITE or command.name == b"ping"):
            return Error(f"MISCONF Errors writing to the AOF file: {os.strerror(failure)}")
        return None

    # -- The end ---------------------------------------------------------------------------------

    def shut_down(self, options: set[bytes]) -> bool:
        """Bring everything to the disk; False if there is no base yet, and it should not end."""
        log = self._engine.log
        if self.renewal.running:
            if self.state is LogState.WAITING:
                if b"force" not in options:
                    log("warning", "Writing initial AOF, can't exit.")
                    return False
                log("warning", "Writing initial AOF. Exit anyway.")
            log("warning", "There is a child rewriting the AOF. Killing it!")
            self.renewal.drop()
        if self.state is not LogState.OFF and self.log.fd >= 0:
            log("notice", "Calling fsync() on the AOF file.")
            self._engine.effects.flush()
            self.log.flush(True)
            self.log.finish_sync()
        return True


def append_only_of(engine: Engine) -> AppendOnly:
    """The append-only file of an engine; made when it is first asked for."""
    log = engine.append_only
    if not isinstance(log, AppendOnly):
        log = engine.append_only = AppendOnly(engine)
    return log
