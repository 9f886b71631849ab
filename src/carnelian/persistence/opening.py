"""Loading the data set when an engine begins, from a snapshot or from the append-only file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from carnelian.engine.engine import Engine
from carnelian.persistence.aof import append_loading
from carnelian.persistence.aof.append_only import append_only_of
from carnelian.persistence.rdb import files
from carnelian.persistence.saving.snapshots import snapshots_of

Progress = Callable[[], None]


def load_snapshot(
    engine: Engine,
    progress: Progress | None = None,
    on_expired: Callable[[int, bytes], None] | None = None,
) -> bool:
    """Load the snapshot; returns False if there is none.

    Args:
        progress: called now and then, to look after clients.
        on_expired: is given database and name of keys that are not loaded, as their time is over.

    Raises:
        LoadError: it cannot be loaded.
    """
    began = time.monotonic()
    if not snapshots_of(engine).load(progress=progress, on_expired=on_expired):
        return False
    _report(engine, "disk", began)
    return True


def load_log(engine: Engine, progress: Progress | None = None) -> bool:
    """Load what the manifest that was read lists, and older forms; as :func:`load_snapshot`."""
    began = time.monotonic()
    if not append_loading.load(append_only_of(engine), engine, progress):
        _warn_of_snapshot(engine)
        return False
    _report(engine, "append only file", began)
    return True


def _warn_of_snapshot(engine: Engine) -> None:
    """Where a log begins empty, a snapshot beside it is not what the data set will be."""
    name = engine.config["dbfilename"]
    if os.path.exists(files.locate(engine, name)):
        engine.log(
            "warning",
            f"{name} is there but is not loaded: appendonly is on and there is no append-only "
            "file, so the data set is empty. The next save overwrites it. To keep its data, start "
            "with appendonly no, then CONFIG SET appendonly yes.",
        )


def _report(engine: Engine, source: str, began: float) -> None:
    engine.log("notice", f"DB loaded from {source}: {time.monotonic() - began:.3f} seconds")
