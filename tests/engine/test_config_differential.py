"""The configuration against that of redis-server 7.0: defaults, errors and values of CONFIG SET."""

from __future__ import annotations

import pytest
import redis

from carnelian.engine.config import Config, ConfigError
from carnelian.engine.config.directive import Choice, Integer, Octal
from carnelian.engine.config.directives import DIRECTIVES
from carnelian.resp.replies import Error

# Directives that Redis has had only since the version named.
NEWER = {
    "array-slice-size": "8.8",
    "array-sparse-kmax": "8.8",
    "array-sparse-kmin": "8.8",
    "aof-load-corrupt-tail-max-size": "8.4",
    "cluster-announce-human-nodename": "7.2",
    "cluster-bus-port-protected-mode": "8.10",
    "cluster-compatibility-sample-ratio": "8.0",
    "cluster-slot-migration-handoff-max-lag-bytes": "8.4",
    "cluster-slot-migration-max-archived-tasks": "8.4",
    "cluster-slot-migration-sync-buffer-drain-timeout": "8.4",
    "cluster-slot-migration-write-pause-timeout": "8.4",
    "cluster-slot-stats-enabled": "8.2",
    "enable-debug-assert": "7.4",
    "hide-user-data-from-log": "7.4",
    "key-memory-histograms": "8.6",
    "locale-collate": "7.2",
    "lookahead": "8.4",
    "max-new-connections-per-cycle": "7.4",
    "max-new-tls-connections-per-cycle": "7.4",
    "prefetch-batch-max-size": "8.0",
    "repl-rdb-channel": "8.0",
    "replica-full-sync-buffer-limit": "8.0",
    "slowlog-entry-max-argc": "8.8",
    "slowlog-entry-max-string-len": "8.8",
    "set-max-listpack-entries": "7.2",
    "set-max-listpack-value": "7.2",
    "stream-idmp-duration": "8.6",
    "stream-idmp-maxsize": "8.6",
    "tls-auth-clients-user": "8.6",
    "tls-expected-peer-name": "8.10",
}
# What Redis does not have.
OWN = {
    "aof-write-interval",
    "console",
    "console-bind",
    "console-hosts",
    "console-port",
    "console-tls",
    "lua-memory-limit",
    "rdb-version",
    "snapshot-method",
}
# Shown by CONFIG GET * in 7.0, by its name only since 7.2.
HIDDEN_SINCE = {"aof-disable-auto-gc"}
# A new word in the list, or a closer bound, changes the errors too.
CHANGED = {
    "cluster-announce-ip": "8.6: an address or a host name",
    "loglevel": "7.2: nothing",
    "maxmemory-policy": "8.6: volatile-lrm and allkeys-lrm",
    "maxmemory-samples": "8.0: at most 64",
    "notify-keyspace-events": "8.2: o and c, 8.8: S, T, I, V and a",
    "repl-diskless-load": "8.0: flushdb",
}
# Setting these would take the reference server away, or put its process at risk.
NOT_SET = {
    "appendonly",
    "bind",
    "dir",
    "maxclients",
    "oom-score-adj",
    "oom-score-adj-values",
    "port",
    "requirepass",
    "tls-cluster",
    "tls-port",
    "tls-replication",
    "watchdog-period",
}

COMMON = [
    "", " ", "x", "0", "1", "-1", "01", "+1", " 1", "1 ", "1.5", "0x10", "1e3", "10 20",
    "2147483647", "2147483648", "4294967295", "4294967296", "-2147483648", "-2147483649",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "18446744073709551615", "18446744073709551616", "99999999999999999999999",
    "1b", "1k", "1KB", "1m", "1mb", "3Gb", "1t", "kb", "-1kb", "1 kb",
    "5%", "0%", "-5%", "100%", "101%", "%", "5 %", "05%", "18446744073709551611",
    "yes", "YES", "no", "No", "on", "true", "1\0", "yes\0x", "a/b", "a\\b", "\xff",
]  # fmt: skip

SPECIAL = {
    "save": ["", "1 2", "1 2 3", "1 2 3 4", "0 1", "1 -1", " 1 2", "1  2", "a b", "1 2x", "+1 02"],
    "shutdown-on-sigint": ["", "save", "nosave now", "force SAVE", "save nosave", "default now",
                           "now now", "bad", "save  now", "default", "force now nosave"],
    "client-output-buffer-limit": [
        "", "normal", "normal 0 0 0", "master 0 0 0", "pubsub 1mb 1kb 10", "slave 5 6 7",
        "REPLICA 1 2 3", "normal 1 2 3 pubsub 4 5 6", "normal 1 2 3 pubsub 4 5",
        "normal x 0 0", "normal 0 x 0", "normal 0 0 x", "normal 0 0 -1", "normal 0 0 2147483648",
        "normal 0 0 0 other 1 2 3", "normal 0 0 ", "normal -1 0 0",
    ],
    "notify-keyspace-events": ["", "KEA", "AKE", "An", "Am", "KEgx",
                               "nKm", "KK", "mn"],
    "latency-tracking-info-percentiles": ["", "50", "50 99.9", "0 100", "100.1", "-1", "x", "1e1",
                                          "50  99", "nan", "inf", "33.3333333", "0x10", "1_0"],
    "proc-title-template": ["{title} x", "", "{title}", "{port}", "{bad}", "{title", "{", "{{",
                            "x{{y}", "{server-mode}", "{listen-addr}", "{unixsocket}x", "}"],
    "cluster-announce-hostname": ["a.b-c", "a_b", "x" * 255, "x" * 256, "a b", ""],
    "dbfilename": ["dump.rdb", "a/b", "a\\b", "", "x y"],
    "loglevel": ["debug", "WARNING", "verbose", "notice"],
    "repl-diskless-load": ["swapdb", "on-empty-db", "disabled"],
    "maxmemory-samples": ["1", "64", "5"],
}  # fmt: skip


def texts(directive) -> list[bytes]:
    """The values to try on a directive."""
    found = list(SPECIAL.get(directive.name, ()))
    if directive.name not in CHANGED:
        found += COMMON
    if isinstance(directive, Choice) and directive.name not in CHANGED:
        found += [*directive.words, *[word.upper() for word in directive.words]]
    if isinstance(directive, Integer) and directive.name not in CHANGED:
        bounds = (directive.minimum, directive.maximum)
        found += [str(bound + step) for bound in bounds for step in (-1, 0, 1)]
    return [text.encode("latin-1") for text in found]


@pytest.fixture(scope="module")
def lenient_server(start_redis):
    """A redis-server that lets every directive be changed that can be."""
    return start_redis("--save", "", "--enable-protected-configs", "yes")


def ours(config: Config, name: bytes, text: bytes) -> object:
    try:
        config.set([(name, text)])
    except Error as error:
        return error.message
    return b"OK"


def theirs(reply: object) -> object:
    if isinstance(reply, redis.ResponseError):
        # The client takes the code off the message.
        return str(reply).encode("utf-8", "surrogateescape")
    return reply


def without_code(reply: object) -> object:
    return reply.removeprefix(b"ERR ") if isinstance(reply, bytes) else reply


def reference(redis_server, pattern: str) -> dict[bytes, bytes]:
    reply = redis_server.call("CONFIG", "GET", pattern)
    return dict(zip(reply[::2], reply[1::2], strict=True))


def test_names_and_defaults(start_redis) -> None:
    server = start_redis()
    config = Config(str(server.directory))
    expected = reference(server, "*")
    for name in HIDDEN_SINCE:
        del expected[name.encode()]
    shown = dict(config.get([b"*"]))
    for name in NEWER:
        shown.pop(name.encode(), None)
    expected[b"port"] = b"6379"
    expected[b"bind"] = b"* -::*"
    assert shown == expected


def test_hidden_defaults(redis_server) -> None:
    for directive in DIRECTIVES:
        if "hidden" in directive.flags and directive.name not in NEWER.keys() | OWN:
            name = directive.name.encode()
            assert [(name, reference(redis_server, directive.name)[name])] == Config().get([name])


def test_names_as_asked_for(redis_server) -> None:
    for patterns in (
        ["MAXMEMORY", "maxmemory"],
        ["maxmemory", "MAXMEMORY"],
        ["MaxMemory*", "maxmemory"],
        ["maxmemory-s?mples", "MAXMEMORY-SAMPLES"],
        ["slave-*", "replica-priority"],
        ["no-such", "*zzz*", ""],
        ["\\*", "port\\"],
        ["p[o]rt"],
        ["key-load-delay", "key-load*"],
    ):
        reply = redis_server.call("CONFIG", "GET", *patterns)
        expected = {*zip(reply[::2], reply[1::2], strict=True)}
        found = Config().get([pattern.encode() for pattern in patterns])
        assert {name for name, _ in found} == {name for name, _ in expected}
        assert len(found) == len(expected)


@pytest.mark.parametrize(
    "directive",
    [
        d
        for d in DIRECTIVES
        if not d.flags & {"immutable"}
        and d.name not in NOT_SET | NEWER.keys() | OWN
        and not d.binding
    ],
    ids=lambda directive: directive.name,
)
def test_set(lenient_server, directive) -> None:
    redis_server = lenient_server
    config = Config()
    config["enable-protected-configs"] = "yes"
    # Names the one thing outside the directive that a title may show.
    config["port"] = redis_server.port
    config["bind"] = ("127.0.0.1",)
    names = [name.encode() for name in (directive.name, directive.alias) if name]
    default = config.get(names[:1])[0][1]
    for name in names:
        assert redis_server.call("CONFIG", "SET", name, default) == b"OK"
        config.set([(name, default)])
        for text in texts(directive):
            reply = theirs(redis_server.call("CONFIG", "SET", name, text))
            assert without_code(ours(config, name, text)) == reply, text
            expected = reference(redis_server, name.decode())
            assert dict(config.get([name])) == expected, text
        redis_server.call("CONFIG", "SET", name, default)


def test_set_immutable(redis_server) -> None:
    for directive in DIRECTIVES:
        if "immutable" in directive.flags and directive.name not in NEWER:
            name = directive.name.encode()
            reply = theirs(redis_server.call("CONFIG", "SET", name, "x"))
            assert without_code(ours(Config(), name, b"x")) == reply


@pytest.mark.parametrize(
    "pairs",
    [
        ["nope", "1"],
        ["NoPe", "1"],
        ["nope", "1", "maxmemory", "x"],
        ["maxmemory", "x", "nope", "1"],
        ["MAXMEMORY", "x"],
        ["SLAVE-Priority", "x"],
        ["DAEMONIZE", "yes"],
        ["daemonize", "yes", "nope", "1"],
        ["nope", "1", "daemonize", "yes"],
        ["maxmemory", "1", "MAXMEMORY", "2"],
        ["maxmemory", "1", "maxmemory", "2", "daemonize", "yes"],
        ["dir", "/tmp"],
        ["dbfilename", "x"],
        ["maxmemory", "10000001", "maxmemory-clients", "200%", "client-query-buffer-limit", "bad"],
        ["maxmemory", "10000001", "save", "3000 5", "hz", "0"],
        ["hz", "9999"],
    ],
)
def test_set_several(redis_server, pairs: list[str]) -> None:
    config = Config()
    before = dict(config.get([b"*"]))
    for name in ("maxmemory", "save", "hz", "replica-priority", "maxmemory-clients"):
        default = b"" if name == "save" else before[name.encode()]
        redis_server.call("CONFIG", "SET", name, default)
        config.set([(name.encode(), default)])
    encoded = [(n.encode(), v.encode()) for n, v in zip(pairs[::2], pairs[1::2], strict=True)]
    try:
        config.set(encoded, local=False)
        reply: object = b"OK"
    except Error as error:
        reply = error.message
    assert without_code(reply) == theirs(redis_server.call("CONFIG", "SET", *pairs))
    for name in ("maxmemory", "save", "hz", "replica-priority", "maxmemory-clients"):
        assert dict(config.get([name.encode()])) == reference(redis_server, name)


def test_a_directory_is_refused_with_the_error_of_the_system(start_redis, tmp_path) -> None:
    server = start_redis("--enable-protected-configs", "yes")
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "inner").mkdir()
    config = Config(str(tmp_path))
    config["enable-protected-configs"] = "yes"
    server.call("CONFIG", "SET", "dir", str(tmp_path))
    for text in ("missing", "file", "", "inner", "..", str(tmp_path), "inner/../inner/."):
        reply = theirs(server.call("CONFIG", "SET", "dir", text))
        assert without_code(ours(config, b"dir", text.encode())) == reply
        assert dict(config.get([b"dir"])) == reference(server, "dir")


def test_kinds_that_are_only_in_files() -> None:
    values = Config().values
    permissions = next(d for d in DIRECTIVES if isinstance(d, Octal))
    assert permissions.read([b"755"], values) == 0o755
    assert permissions.format(0o755) == b"755"
    for text, reason in (
        (b"8", "argument couldn't be parsed as an octal number"),
        (b"1000", "argument must be between 0 and 777 inclusive"),
    ):
        with pytest.raises(ConfigError, match=reason):
            permissions.read([text], values)
