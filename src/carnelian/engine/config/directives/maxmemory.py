"""The memory of the data set: its limit, what gives way, and how it is freed."""

from carnelian.engine.config import checks
from carnelian.engine.config.directive import Boolean, Choice, Integer, Memory, Topic
from carnelian.engine.config.quantities import INT_MAX, LONG_MAX, MB, ULONG_MAX

POLICIES = (
    "volatile-lru volatile-lfu volatile-lrm volatile-random volatile-ttl "
    "allkeys-lru allkeys-lfu allkeys-lrm allkeys-random noeviction"
)
NO_DEFRAGMENTATION = "of active defragmentation, which is not done here."

EVICTION = Topic(
    "Memory limit",
    (
        Memory(
            "maxmemory",
            0,
            0,
            ULONG_MAX,
            summary="Bytes that data and clients may take before keys give way; 0 is no limit.",
        ),
        Choice(
            "maxmemory-policy",
            "noeviction",
            POLICIES,
            summary="Which keys give way when the limit is reached.",
        ),
        Integer("maxmemory-samples", 5, 1, 64, summary="Keys looked at to find one to evict."),
        Integer(
            "maxmemory-eviction-tenacity",
            10,
            0,
            100,
            summary="How long evictions may delay other work, from little to all there is.",
        ),
        Integer(
            "lfu-log-factor",
            10,
            0,
            INT_MAX,
            summary="Accesses it takes to raise the counter of a key.",
        ),
        Integer(
            "lfu-decay-time",
            1,
            0,
            INT_MAX,
            summary="Minutes after which the counter falls.",
        ),
    ),
)

EXPIRY = Topic(
    "Expiry and freeing",
    (
        Integer(
            "active-expire-effort",
            1,
            1,
            10,
            summary="How hard to look for keys that have expired.",
        ),
        Boolean("activerehashing", True, summary="Resize tables while the server is idle."),
        Boolean(
            "lazyfree-lazy-eviction",
            False,
            "debug",
            summary="Free evicted values in the background.",
        ),
        Boolean(
            "lazyfree-lazy-expire",
            False,
            "debug",
            summary="Free expired values in the background.",
        ),
        Boolean(
            "lazyfree-lazy-server-del",
            False,
            "debug",
            summary="Free values that a command replaces in the background.",
        ),
        Boolean("lazyfree-lazy-user-del", False, "debug", summary="Let DEL do what UNLINK does."),
        Boolean(
            "lazyfree-lazy-user-flush",
            False,
            "debug",
            summary="Let FLUSHALL, FLUSHDB and SCRIPT FLUSH be ASYNC unless they say SYNC.",
        ),
    ),
)

DEFRAGMENTATION = Topic(
    "Allocator",
    (
        Boolean(
            "activedefrag",
            False,
            "debug",
            check=checks.no_defragmentation,
            summary="Move values to close gaps; refused, as by a Redis without its allocator.",
        ),
        Memory(
            "active-defrag-ignore-bytes",
            100 * MB,
            1,
            LONG_MAX,
            summary=f"Least waste {NO_DEFRAGMENTATION}",
        ),
        Integer(
            "active-defrag-threshold-lower",
            10,
            0,
            1000,
            summary=f"Least percentage {NO_DEFRAGMENTATION}",
        ),
        Integer(
            "active-defrag-threshold-upper",
            100,
            0,
            1000,
            summary=f"Percentage of full effort {NO_DEFRAGMENTATION}",
        ),
        Integer("active-defrag-cycle-min", 1, 1, 99, summary=f"Least effort {NO_DEFRAGMENTATION}"),
        Integer("active-defrag-cycle-max", 25, 1, 99, summary=f"Most effort {NO_DEFRAGMENTATION}"),
        Integer(
            "active-defrag-max-scan-fields",
            1000,
            1,
            LONG_MAX,
            summary=f"Size of a step {NO_DEFRAGMENTATION}",
        ),
        Boolean(
            "jemalloc-bg-thread",
            True,
            summary="Let jemalloc purge in a thread of its own; it is not used here.",
        ),
    ),
    awaits="-",
)

TOPICS = (EVICTION, EXPIRY, DEFRAGMENTATION)
