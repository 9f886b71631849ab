"""What a copy consists of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carnelian.persistence.bytes.byte_sink import Sink
from carnelian.persistence.rdb import file_writer, files
from carnelian.persistence.saving.snapshots import snapshots_of

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine
    from carnelian.persistence.background.slicing import Making
    from carnelian.persistence.bytes.targets import Target
    from carnelian.persistence.rdb.files import Progress


def write(engine: Engine, fd: int, progress: Progress | None) -> None:
    """Write all to a descriptor. Raises OSError."""
    functions = snapshots_of(engine).functions
    files.write_content(engine, fd, files.facts(engine), functions, progress, False)


def freeze(engine: Engine, target: Target, fd: int) -> Making:
    """As :func:`write`, in slices."""
    functions = snapshots_of(engine).functions
    return files.freeze_content(engine, target, fd, files.facts(engine), functions, False)


def make(engine: Engine, parts: frozenset[bytes] | None) -> bytes:
    """A copy in memory: of some parts, or of all if that is None."""
    # It brings three compressors along, which a start is not to wait for.
    import tempfile

    with tempfile.TemporaryFile(buffering=0) as file:
        if parts is None:
            write(engine, file.fileno(), None)
        else:
            _write_parts(engine, file.fileno(), parts)
        file.seek(0)
        return file.read()


def _write_parts(engine: Engine, fd: int, parts: frozenset[bytes]) -> None:
    config = engine.config
    sink = Sink(
        config["rdb-version"], fd, compress=config["rdbcompression"], check=config["rdbchecksum"]
    )
    writer = file_writer.Writer(sink)
    functions = snapshots_of(engine).functions if b"functions" in parts else []
    writer.begin(files.facts(engine), functions)
    writer.end()
    sink.close()
