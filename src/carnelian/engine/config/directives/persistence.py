"""Snapshots and the append-only file."""

from carnelian.engine.config import checks
from carnelian.engine.config.directive import Boolean, Choice, Integer, Memory, Text, Topic
from carnelian.engine.config.quantities import INT_MAX, INT_MIN, LONG_MAX, MB
from carnelian.engine.config.special import Save

SNAPSHOTS = Topic(
    "Snapshots",
    (
        Save(
            "save",
            ((3600, 1), (300, 100), (60, 10000)),
            summary='Save after so many seconds with so many changes; "" never.',
        ),
        Boolean(
            "stop-writes-on-bgsave-error",
            True,
            summary="Refuse writes while the last snapshot failed.",
        ),
        Boolean("rdbcompression", True, summary="Compress strings in snapshots."),
        Integer(
            "rdb-version",
            10,
            10,
            12,
            "hidden",
            summary="RDB version of what is written: 10 for Redis 7.0 and later, 11 for 7.2, 12 "
            "for 7.4. What only a later one has a form for is written in that.",
        ),
        Choice(
            "snapshot-method",
            "auto",
            "auto fork sliced",
            "hidden",
            summary="How the data set is written in the background: by a forked process, or "
            "sliced, between commands. auto is fork for servers, where the system has it.",
        ),
        Boolean("rdbchecksum", True, "immutable", summary="End snapshots with a checksum."),
        Choice(
            "sanitize-dump-payload",
            "no",
            "no yes clients",
            "debug",
            summary="Check what RESTORE and snapshots bring in depth.",
        ),
        Text(
            "dbfilename",
            "dump.rdb",
            "protected",
            check=checks.file_name("dbfilename", "filename", may_be_empty=True),
            summary="File name of the snapshot.",
        ),
        Boolean(
            "rdb-del-sync-files",
            False,
            summary="Delete snapshots made for replication when nothing else needs them.",
        ),
        Boolean("rdb-save-incremental-fsync", True, summary="Sync a snapshot in steps of 4 MB."),
        Integer(
            "rdb-key-save-delay",
            0,
            INT_MIN,
            INT_MAX,
            "hidden",
            summary="Microseconds to wait at each key saved; for tests.",
        ),
        Integer(
            "key-load-delay",
            0,
            INT_MIN,
            INT_MAX,
            "hidden",
            summary="Microseconds to wait at each key loaded; for tests.",
        ),
        Integer(
            "loading-process-events-interval-bytes",
            2 * MB,
            1024,
            INT_MAX,
            "hidden",
            summary="Bytes loaded between two looks at the clients.",
        ),
    ),
)

APPEND_ONLY = Topic(
    "Append-only file",
    (
        Boolean("appendonly", False, summary="Log every write."),
        Text(
            "appendfilename",
            "appendonly.aof",
            "immutable",
            check=checks.file_name("appendfilename", "filename", may_be_empty=False),
            summary="First part of the names of its files.",
        ),
        Text(
            "appenddirname",
            "appendonlydir",
            "immutable",
            check=checks.file_name("appenddirname", "dirname", may_be_empty=False),
            summary="Directory of its files, in dir.",
        ),
        Choice(
            "appendfsync",
            "everysec",
            "everysec always no",
            summary="When writes are forced to the disk.",
        ),
        Integer(
            "aof-write-interval",
            0,
            0,
            1000,
            "hidden",
            summary="Milliseconds for which writes may be gathered (64 kB at most) before the "
            "system gets them, and be lost when the process is killed; 0: none is. Without "
            "effect where appendfsync is always.",
        ),
        Boolean(
            "no-appendfsync-on-rewrite",
            False,
            summary="Do not force them while a background process writes.",
        ),
        Integer(
            "auto-aof-rewrite-percentage",
            100,
            0,
            INT_MAX,
            summary="Growth at which the file is rewritten; 0: never by itself.",
        ),
        Memory(
            "auto-aof-rewrite-min-size",
            64 * MB,
            0,
            LONG_MAX,
            summary="Size below which it is not.",
        ),
        Boolean("aof-load-truncated", True, summary="Accept a file whose last command is cut."),
        Memory(
            "aof-load-corrupt-tail-max-size",
            0,
            0,
            LONG_MAX,
            summary="Damaged bytes at the end of a file that may be cut off; 0: none.",
        ),
        Boolean("aof-use-rdb-preamble", True, summary="Rewrite into the form of a snapshot."),
        Boolean("aof-timestamp-enabled", False, summary="Write down when commands were run."),
        Boolean("aof-rewrite-incremental-fsync", True, summary="Sync a rewrite in steps of 4 MB."),
        Boolean(
            "aof-disable-auto-gc",
            False,
            "hidden",
            summary="Keep files that are no longer needed.",
        ),
    ),
)

TOPICS = (SNAPSHOTS, APPEND_ONLY)
