"""Who may do what, and TLS."""

from carnelian.engine.config import checks
from carnelian.engine.config.directive import Boolean, Choice, Integer, Secret, Text, Topic
from carnelian.engine.config.quantities import INT_MAX, LONG_MAX

ACCESS = Topic(
    "Security",
    (
        Secret("requirepass", None, "sensitive", summary="Password of the default user."),
        Text("aclfile", "", "immutable", summary="File of the users, in place of user lines."),
        Integer("acllog-max-len", 128, 0, LONG_MAX, summary="Entries kept of what was refused."),
        Choice(
            "acl-pubsub-default",
            "resetchannels",
            "allchannels resetchannels",
            summary="Whether new users may use any channel.",
        ),
        Choice(
            "enable-protected-configs",
            "no",
            "no yes local",
            "immutable",
            summary="Who may change dir and dbfilename.",
        ),
        Choice(
            "enable-debug-command",
            "no",
            "no yes local",
            "immutable",
            summary="Who may use DEBUG.",
        ),
        Choice(
            "enable-module-command",
            "no",
            "no yes local",
            "immutable",
            summary="Who may use MODULE.",
        ),
    ),
)

TLS = Topic(
    "TLS",
    (
        Integer("tls-port", 0, 0, 65535, summary="TLS port; 0 listens on none."),
        Text("tls-cert-file", None, "volatile", summary="Certificate."),
        Text("tls-key-file", None, "volatile", summary="Its key."),
        Text("tls-key-file-pass", None, summary="Password of the key."),
        Text(
            "tls-client-cert-file",
            None,
            "volatile",
            summary="Certificate for outgoing connections, if another.",
        ),
        Text("tls-client-key-file", None, "volatile", summary="Its key."),
        Text("tls-client-key-file-pass", None, summary="Password of that key."),
        Text("tls-dh-params-file", None, "volatile", summary="Diffie-Hellman parameters."),
        Text("tls-ca-cert-file", None, "volatile", summary="Certificates that are trusted."),
        Text("tls-ca-cert-dir", None, "volatile", summary="Directory of such certificates."),
        Choice(
            "tls-auth-clients",
            "yes",
            "no yes optional",
            summary="Whether clients must show a certificate.",
        ),
        Choice(
            "tls-auth-clients-user",
            "off",
            "off CN",
            summary="What of a client's certificate names the user that it is logged in as.",
        ),
        Boolean(
            "tls-replication",
            False,
            summary="Use TLS to the primary.",
        ),
        Boolean(
            "tls-cluster",
            False,
            summary="Use TLS on the cluster bus.",
        ),
        Text(
            "tls-expected-peer-name",
            None,
            check=checks.peer_names,
            summary="Names one of which a primary or another node has to show, if any will not do.",
        ),
        Text("tls-protocols", None, summary="Versions that are accepted."),
        Text("tls-ciphers", None, summary="Ciphers up to TLS 1.2."),
        Text("tls-ciphersuites", None, summary="Ciphers of TLS 1.3."),
        Boolean("tls-prefer-server-ciphers", False, summary="Choose the cipher, not the client."),
        Boolean("tls-session-caching", True, summary="Let clients resume sessions."),
        Integer(
            "tls-session-cache-size",
            20480,
            0,
            INT_MAX,
            awaits="-",
            summary="Sessions that are kept; here those of tickets, which clients keep.",
        ),
        Integer(
            "tls-session-cache-timeout",
            300,
            0,
            INT_MAX,
            awaits="-",
            summary="Seconds that a session is kept; here OpenSSL's two hours.",
        ),
    ),
)

TOPICS = (ACCESS, TLS)
