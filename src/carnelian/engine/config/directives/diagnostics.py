"""The slow log, latency, keyspace events and debugging."""

from carnelian.engine.config.directive import Boolean, Integer, Memory, Topic
from carnelian.engine.config.quantities import INT_MAX, LONG_MAX
from carnelian.engine.config.special import Events, Percentiles

MONITORING = Topic(
    "Monitoring",
    (
        Integer(
            "slowlog-log-slower-than",
            10000,
            -1,
            LONG_MAX,
            summary="Microseconds from which a command is logged; -1: never.",
        ),
        Integer("slowlog-max-len", 128, 0, LONG_MAX, summary="Entries kept in the slow log."),
        Integer(
            "slowlog-entry-max-argc",
            32,
            2,
            INT_MAX,
            summary="Arguments that an entry keeps of a command.",
        ),
        Integer(
            "slowlog-entry-max-string-len",
            128,
            1,
            LONG_MAX,
            summary="Bytes that an entry keeps of an argument.",
        ),
        Integer(
            "latency-monitor-threshold",
            0,
            0,
            LONG_MAX,
            summary="Milliseconds from which an event is noted; 0: never.",
        ),
        Boolean("latency-tracking", True, summary="Keep the distribution of command latency."),
        Percentiles(
            "latency-tracking-info-percentiles",
            (50.0, 99.0, 99.9),
            summary="Percentiles of it that INFO shows.",
        ),
        Boolean(
            "key-memory-histograms",
            False,
            summary="Let INFO keysizes tell how many bytes collections take, too.",
        ),
        Events(
            "notify-keyspace-events",
            "",
            summary='Classes of events published on changes of keys; "" none.',
        ),
    ),
)

SCRIPTING = Topic(
    "Scripting",
    (
        Integer(
            "busy-reply-threshold",
            5000,
            0,
            LONG_MAX,
            alias="lua-time-limit",
            summary="Milliseconds after which a script lets others be told that it is busy.",
        ),
        Memory(
            "lua-memory-limit",
            0,
            0,
            LONG_MAX,
            "hidden",
            summary="Bytes of Lua's memory for scripts, and for functions; 0: what can be spared.",
        ),
        Boolean(
            "lua-enable-deprecated-api",
            False,
            "immutable hidden",
            summary="Let scripts use functions that were withdrawn.",
        ),
    ),
)

DEBUGGING = Topic(
    "Debugging",
    (
        Integer(
            "watchdog-period",
            0,
            0,
            INT_MAX,
            "hidden",
            awaits="-",
            summary="Milliseconds of one command after which a trace is logged; not done here.",
        ),
        Boolean(
            "use-exit-on-panic",
            False,
            "hidden",
            awaits="-",
            summary="Exit rather than abort after a fatal error.",
        ),
        Boolean(
            "enable-debug-assert",
            False,
            "immutable hidden",
            awaits="-",
            summary="Check more invariants; the tests do.",
        ),
    ),
)

TOPICS = (MONITORING, SCRIPTING, DEBUGGING)
