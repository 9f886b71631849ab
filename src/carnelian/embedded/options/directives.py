"""Keyword arguments as directives of redis.conf."""

from __future__ import annotations

import warnings
from difflib import get_close_matches

from carnelian.engine.config import Config, ConfigFileError
from carnelian.engine.config.directives import (
    DIRECTIVES,
    Directive,
    network,
    replication,
    security,
    sharding,
    web_console,
)
from carnelian.engine.extensions.conversion import encode
from carnelian.resp.quoting import quote

NAMES = frozenset(name for d in DIRECTIVES for name in (d.name, d.alias) if name is not None)
# What the path of an engine decides.
_DECIDED = ("dir", "dbfilename", "appenddirname")

_LISTENS = "it listens on no socket; carnelian-server does"
_YOUR_PROCESS = "it is a part of your process, which is yours to run; carnelian-server is one"
_YOUR_LOG = "its log goes to the logger 'carnelian' of the module logging"
_ALONE = "nobody can follow an engine in your process, and it stands in no cluster"
_FOLLOWED = "Engine(replica_of=...) says whom to follow"

# What the link to a primary is made with.
OF_LINKS = frozenset(
    (
        "bind-source-addr",
        "tls-replication",
        "tls-cert-file",
        "tls-key-file",
        "tls-key-file-pass",
        "tls-client-cert-file",
        "tls-client-key-file",
        "tls-client-key-file-pass",
        "tls-ca-cert-file",
        "tls-ca-cert-dir",
        "tls-auth-clients",
    )
)
# What of replication concerns those who follow.
_OF_REPLICAS = frozenset(
    (
        "masteruser",
        "masterauth",
        "replica-serve-stale-data",
        "replica-read-only",
        "replica-ignore-maxmemory",
        "replica-ignore-disk-write-errors",
        "replica-lazy-flush",
        "repl-diskless-load",
        "repl-timeout",
        "propagation-error-behavior",
    )
)

# What an engine in a process of somebody's own could not keep its word about.
REFUSED: dict[str, str] = {
    **{
        d.name: _LISTENS
        for d in (
            *network.TOPIC.directives,
            *security.TLS.directives,
            *web_console.TOPIC.directives,
        )
        if d.name not in OF_LINKS
    },
    **dict.fromkeys(("maxclients", "client-query-buffer-limit"), _LISTENS),
    **dict.fromkeys(
        (
            "daemonize",
            "supervised",
            "pidfile",
            "crash-log-enabled",
            "crash-memcheck-enabled",
            "always-show-logo",
            "set-proc-title",
            "proc-title-template",
            "dynamic-hz",
            "shutdown-on-sigint",
            "shutdown-on-sigterm",
            "shutdown-timeout",
            "oom-score-adj",
            "oom-score-adj-values",
            "server_cpulist",
            "bio_cpulist",
            "aof_rewrite_cpulist",
            "bgsave_cpulist",
            "snapshot-method",
            "watchdog-period",
            "use-exit-on-panic",
        ),
        _YOUR_PROCESS,
    ),
    **dict.fromkeys(
        ("loglevel", "logfile", "syslog-enabled", "syslog-ident", "syslog-facility"), _YOUR_LOG
    ),
    **{
        d.name: _ALONE
        for topic in (*replication.TOPICS, sharding.TOPIC)
        for d in topic.directives
        if d.name not in _OF_REPLICAS
    },
    "replicaof": _FOLLOWED,
    "rdb-del-sync-files": _ALONE,
}

# What changes nothing, and nothing that anybody would rely on.
IDLE: frozenset[str] = frozenset(
    (
        "activedefrag",
        "active-defrag-ignore-bytes",
        "active-defrag-threshold-lower",
        "active-defrag-threshold-upper",
        "active-defrag-cycle-min",
        "active-defrag-cycle-max",
        "active-defrag-max-scan-fields",
        "jemalloc-bg-thread",
        "disable-thp",
        "ignore-warnings",
        "hide-user-data-from-log",
        "locale-collate",
        "enable-debug-assert",
    )
)


def configuration(directives: dict[str, object], kept: bool) -> Config:
    """A configuration with these directives, named with ``_`` in place of ``-``.

    ``kept`` says that the engine has a path.

    Raises:
        TypeError: there is no directive of a name, it is not for the caller to give, or only a
            server could heed it.
        ValueError: a directive does not take its value.
    """
    config = Config()
    if not kept:
        config["save"] = ()
    for keyword, value in directives.items():
        name = _name(keyword)
        directive = config.directive(name.encode())
        if directive is None:
            raise TypeError(_unknown(keyword))
        _refuse_what_is_not_heeded(directive, keyword)
        if kept and name in _DECIDED:
            raise TypeError(f"Engine() got both a path and {keyword!r}, which the path decides")
        try:
            config.load_text(b" ".join([name.encode(), *map(quote, _words(value))]))
        except ConfigFileError as error:
            raise ValueError(f"{keyword}={value!r}: {error.reason}") from None
    for name in () if kept else ("save", "appendonly"):
        if config[name]:
            raise ValueError(f"{name} needs a path to keep the data in")
    return config


def _unknown(keyword: str) -> str:
    message = f"Engine() got an unexpected keyword argument {keyword!r}"
    near = get_close_matches(keyword, [name.replace("-", "_") for name in NAMES], 1)
    return f"{message}. Did you mean {near[0]!r}?" if near else message


def _refuse_what_is_not_heeded(directive: Directive, keyword: str) -> None:
    reason = REFUSED.get(directive.name)
    if reason is not None:
        raise TypeError(f"Engine() has no use for {keyword!r}: {reason}")
    if directive.name in IDLE:
        warnings.warn(f"{keyword} has no effect in an engine of your own", stacklevel=3)


def is_directive(keyword: str) -> bool:
    """Whether a keyword argument is a directive."""
    return _name(keyword) in NAMES


def _name(keyword: str) -> str:
    # A few have a _ of their own.
    return keyword if keyword in NAMES else keyword.replace("_", "-")


def _words(value: object) -> list[bytes]:
    if isinstance(value, bool):
        return [b"yes" if value else b"no"]
    if value is None:
        return [b""]
    if isinstance(value, (list, tuple)):
        return [word for part in value for word in _words(part)]
    return [encode(value)]
