"""The page in the browser that shows the server."""

from carnelian.engine.config.directive import Boolean, Integer, Text, Topic
from carnelian.engine.config.special import Bind

TOPIC = Topic(
    "Console",
    (
        Integer(
            "console-port",
            0,
            0,
            65535,
            "hidden",
            alias="console",
            summary="Port of the web console, of metrics and of probes; 0 is none.",
        ),
        Bind(
            "console-bind",
            ("127.0.0.1",),
            "hidden",
            summary="Addresses that these listen on.",
        ),
        Text(
            "console-hosts",
            "",
            "hidden",
            summary="Names under which browsers may call the console, besides localhost.",
        ),
        Boolean(
            "console-tls",
            False,
            "hidden",
            summary="Serve the console over HTTPS, with tls-cert-file and tls-key-file.",
        ),
    ),
)
