"""Where the server listens, and how it treats connections."""

from carnelian.engine.config.directive import Boolean, Integer, Octal, Text, Topic
from carnelian.engine.config.quantities import INT_MAX, UINT_MAX
from carnelian.engine.config.special import Bind

TOPIC = Topic(
    "Network",
    (
        Bind(
            "bind",
            ("*", "-::*"),
            summary="Addresses to listen on; one with a - before it may be missing.",
        ),
        Text(
            "bind-source-addr",
            None,
            summary="Address that outgoing connections come from.",
        ),
        Boolean(
            "protected-mode",
            True,
            summary="Without a password, take commands from this machine only.",
        ),
        Integer("port", 6379, 0, 65535, summary="TCP port; 0 listens on no TCP socket."),
        Integer(
            "tcp-backlog",
            511,
            0,
            INT_MAX,
            "immutable",
            summary="Connections the kernel keeps waiting to be accepted.",
        ),
        Integer(
            "tcp-keepalive",
            300,
            0,
            INT_MAX,
            summary="Seconds of silence before the kernel asks whether a client lives; 0: never.",
        ),
        Text("unixsocket", None, "immutable", summary="Path of a Unix socket to listen on."),
        Octal(
            "unixsocketperm",
            0,
            0,
            0o777,
            "immutable",
            summary="Permissions of the Unix socket, in octal; 0 leaves those of the umask.",
        ),
        Integer(
            "timeout",
            0,
            0,
            INT_MAX,
            summary="Seconds after which an idle client is disconnected; 0: never.",
        ),
        Integer(
            "socket-mark-id",
            0,
            0,
            UINT_MAX,
            "immutable",
            summary="Mark put on listening sockets, for routing and firewalls.",
        ),
        Integer(
            "max-new-connections-per-cycle",
            10,
            1,
            1000,
            summary="TCP and Unix connections accepted in one turn of the event loop.",
        ),
        Integer(
            "max-new-tls-connections-per-cycle",
            1,
            1,
            1000,
            summary="TLS connections accepted in one turn of the event loop.",
        ),
        Integer(
            "io-threads",
            1,
            1,
            128,
            "immutable debug",
            awaits="-",
            summary="Threads that read and write sockets; there is one here.",
        ),
        Integer(
            "lookahead",
            16,
            1,
            INT_MAX,
            awaits="-",
            summary="Commands looked at ahead of time; here all that have come are.",
        ),
        Integer(
            "prefetch-batch-max-size",
            16,
            0,
            128,
            awaits="-",
            summary="Commands whose keys are fetched together; here those of one pipeline are.",
        ),
        Boolean(
            "io-threads-do-reads",
            False,
            "immutable debug",
            awaits="-",
            summary="Whether threads read as well as write; there is one here.",
        ),
    ),
)
