"""Loading a snapshot bit by bit as it comes, with others served in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cython.cimports.carnelian.engine.parts.admission import judged_flags

from carnelian.datatypes.base.limits import DIRECTIVES
from carnelian.engine.catalogue.registry import FLAG_BITS
from carnelian.engine.ground.stages import LOADING
from carnelian.keyspace.keyspace import Keyspace
from carnelian.persistence.bytes.file_errors import FormatError, ShortRead
from carnelian.persistence.rdb import file_reader, files, loading
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.catalogue.registry import Command
    from carnelian.engine.engine import Engine
    from carnelian.engine.shared.client_state import Client

_NO_ASYNC_LOADING = FLAG_BITS["no_async_loading"]


class StepLoading:
    """A snapshot on its way into the key space, or into one of its own that takes its place then.

    Between two steps the engine may run commands. Those of sessions are refused, unless it is
    loaded ``aside`` and ``calmly``.

    Args:
        total: the bytes that there will be; 0 if nobody knows.
        aside: load into a key space of its own, and leave the engine's as it is until :meth:`swap`.
        calmly: go on serving what is there meanwhile.
        show: is given the Loading when it begins, and None when it ends, and whether it is calm.
    """

    def __init__(
        self,
        engine: Engine,
        total: int,
        *,
        aside: bool,
        calmly: bool,
        show: Callable[[loading.Loading | None, bool], None],
    ):
        self._engine = engine
        self._aside: Keyspace | None = None
        self._way: loading.under_way | None = None
        self.done = False
        self.calmly = calmly
        self._show = show
        if aside:
            self._aside = _one_like(engine.keyspace)
        if calmly:
            self.state = loading.Loading(engine, total)
            engine.admission.add_check(_refuse_changes, stage=LOADING)
            show(self.state, True)
        else:
            self._way = loading.under_way(engine, total, lambda state: show(state, False))
            self.state = self._way.__enter__()
        target = engine.keyspace if self._aside is None else self._aside
        self.reader = file_reader.read_pieces(target, engine.config["rdbchecksum"])
        loading.prepare(engine, self.reader, self.state)
        # The primary says what goes.
        self.reader.keep_overdue = True

    def feed(self, data: bytes, last: bool = False) -> None:
        """Load what is complete of all that has come; ``done`` tells whether that was everything.

        Args:
            last: nothing more will come.

        Raises:
            FormatError, MemoryError: it cannot be loaded; the log says why.
        """
        if self.done:
            return
        self._engine.clock.tick()
        try:
            self.done = self.reader.feed(data, last)
        except (FormatError, MemoryError) as fault:
            files.explain(self._engine.log, fault, self.reader)
            raise
        self.state.loaded_bytes = self.reader.position

    def explain_end(self) -> None:
        """Say in the log that it has come to an end before its end."""
        files.explain(self._engine.log, ShortRead("Unexpected EOF reading RDB file"), self.reader)

    def end(self) -> None:
        """No more steps: sessions are served again, whatever has been loaded."""
        if self._way is not None:
            self._way.__exit__()
            self._way = None
        elif self.calmly:
            self.calmly = False
            self._show(None, True)
            self._engine.admission.remove_check(_refuse_changes)

    def swap(self) -> None:
        """Let what was loaded aside take the place of the engine's data, which are freed bit by
        bit afterwards.
        """
        fresh, keyspace = self._aside, self._engine.keyspace
        if fresh is None:
            return
        self._aside = None
        for old, new in zip(keyspace.databases, fresh.databases, strict=True):
            self._engine.changes.replaced(old, new)
        keyspace.flush(lazy=True)
        for old, new in zip(keyspace.databases, fresh.databases, strict=True):
            old.exchange(new)
        self._engine.changes.flushed()
        keyspace.limit_tables(keyspace.table_limit)


def _refuse_changes(session: Client, command: Command, args: list[bytes]) -> Error | None:
    """The error for a command that would have to do with both data sets."""
    if judged_flags(session, command, args) & _NO_ASYNC_LOADING:
        return Error("LOADING Redis is loading the dataset in memory")
    return None


def _one_like(keyspace: Keyspace) -> Keyspace:
    """An empty key space for data that another one is to take over."""
    made = Keyspace(keyspace.clock, len(keyspace.databases), keyspace.by_slot)
    made.lfu, made.lrm = keyspace.lfu, keyspace.lrm
    made.max_string = keyspace.max_string
    for directive in DIRECTIVES:
        made.limits.set(directive, getattr(keyspace.limits, directive.replace("-", "_")))
    return made
