"""The process: its start, log, databases, rhythm and end."""

from carnelian.engine.config import checks
from carnelian.engine.config.directive import Boolean, Choice, Integer, Options, Text, Topic
from carnelian.engine.config.quantities import INT_MAX
from carnelian.engine.config.special import Rate, ScoreAdjustments, WorkingDirectory

SHUTDOWN = "default save nosave now force"

TOPIC = Topic(
    "General",
    (
        Boolean("daemonize", False, "immutable", summary="Run in the background."),
        Choice(
            "supervised",
            "no",
            "upstart systemd auto no",
            "immutable",
            summary="Tell a supervisor when the server is ready.",
        ),
        Text("pidfile", None, "immutable", summary="File that holds the process id."),
        Choice(
            "loglevel",
            "notice",
            "debug verbose notice warning nothing",
            summary="The least important messages that are logged.",
        ),
        Text("logfile", "", "immutable", summary='Log file; "" is standard output.'),
        Boolean("syslog-enabled", False, "immutable", summary="Log to the system log too."),
        Text("syslog-ident", "redis", "immutable", summary="Name in the system log."),
        Choice(
            "syslog-facility",
            "local0",
            "user local0 local1 local2 local3 local4 local5 local6 local7",
            "immutable",
            summary="Facility of the system log.",
        ),
        Boolean(
            "hide-user-data-from-log",
            False,
            awaits="redaction",
            binding=True,
            summary="Leave keys and values out of log messages.",
        ),
        Boolean("crash-log-enabled", True, summary="Log a report when the process crashes."),
        Boolean(
            "crash-memcheck-enabled",
            True,
            awaits="-",
            summary="Test the memory after a crash; not done here.",
        ),
        Boolean("always-show-logo", False, "immutable", summary="Show the banner in any log."),
        Boolean("set-proc-title", True, "immutable", summary="Change the title of the process."),
        Text(
            "proc-title-template",
            "{title} {listen-addr} {server-mode}",
            check=checks.process_title,
            summary="The title of the process.",
        ),
        Text(
            "locale-collate",
            "",
            awaits="sorting by locale",
            summary='Locale that SORT ALPHA compares in; "" is that of the environment.',
        ),
        Integer("databases", 16, 1, INT_MAX, "immutable", summary="Number of databases."),
        WorkingDirectory(
            "dir",
            "",
            "protected deny-loading",
            summary="Directory of all files; absolute in CONFIG GET.",
        ),
        Rate("hz", 10, 0, INT_MAX, summary="Timer ticks a second, taken as 1 to 500."),
        Boolean("dynamic-hz", True, summary="Tick faster with many clients."),
        Options(
            "shutdown-on-sigint",
            SHUTDOWN,
            check=checks.signal_options,
            summary="Options of the SHUTDOWN that SIGINT causes.",
        ),
        Options(
            "shutdown-on-sigterm",
            SHUTDOWN,
            check=checks.signal_options,
            summary="Options of the SHUTDOWN that SIGTERM causes.",
        ),
        Integer(
            "shutdown-timeout",
            10,
            0,
            INT_MAX,
            summary="Seconds that a shutdown waits for replicas to catch up.",
        ),
        Choice(
            "oom-score-adj",
            "no",
            "no yes relative absolute",
            synonyms={"relative": "yes"},
            summary="Whether to tell the kernel which process to kill first when memory is out.",
        ),
        ScoreAdjustments(
            "oom-score-adj-values",
            (0, 200, 800),
            summary="What it is told for a primary, a replica and a background process.",
        ),
        Boolean(
            "disable-thp",
            True,
            "immutable",
            summary="Do without transparent huge pages, which slow down saving in the background.",
        ),
        Text("server_cpulist", None, "immutable", summary="Processors the server runs on."),
        Text(
            "bio_cpulist",
            None,
            "immutable",
            awaits="-",
            summary="Processors that background threads run on; there are none here.",
        ),
        Text(
            "aof_rewrite_cpulist",
            None,
            "immutable",
            summary="Processors that rewrites of the append-only file run on.",
        ),
        Text(
            "bgsave_cpulist",
            None,
            "immutable",
            summary="Processors that background saves run on.",
        ),
        Text(
            "ignore-warnings",
            "",
            awaits="-",
            summary="Warnings that do not keep the server from starting; none do here.",
        ),
    ),
)
