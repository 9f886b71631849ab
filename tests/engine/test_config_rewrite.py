"""CONFIG REWRITE, by itself and against redis-server 7.0."""

from __future__ import annotations

import os
import stat

import pytest

from carnelian.engine.config import Config, parse_arguments
from carnelian.engine.config.directives import DIRECTIVES
from carnelian.engine.config.rewriter import SIGNATURE
from carnelian.resp.replies import Error

ALWAYS = b"latency-tracking-info-percentiles 50 99 99.9"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "carnelian.conf"


def rewritten(path, text: str, *changes: tuple[str, str], **options: bool) -> list[bytes]:
    """The lines of a file after loading it, setting directives, and rewriting it."""
    path.write_text(text)
    config = Config(str(path.parent))
    config["enable-protected-configs"] = "yes"
    config.load_file(str(path))
    for name, value in changes:
        config.set([(name.encode(), value.encode())])
    config.rewrite(**options)
    return path.read_bytes().split(b"\n")


def test_needs_a_file() -> None:
    with pytest.raises(Error) as caught:
        Config().rewrite()
    assert caught.value.message == b"ERR The server is running without a config file"


def test_keeps_comments_order_and_blanks(path) -> None:
    text = "# first\nport 1\n\n\n\n  # second \n\tTIMEOUT   5 \n"
    lines = rewritten(path, text, ("timeout", "6"))
    assert lines[:6] == [b"# first", b"port 1", b"", b"# second", b"timeout 6", b""]


def test_appends_what_is_new_under_a_signature(path) -> None:
    lines = rewritten(path, "port 1", ("timeout", "6"), ("maxmemory", "2048"))
    at = lines.index(SIGNATURE)
    assert lines[:at] == [b"port 1"]
    assert b"maxmemory 2kb" in lines[at:]
    assert b"timeout 6" in lines[at:]
    assert b"dir " + b'"%s"' % os.fsencode(path.parent) in lines[at:]
    assert b"maxclients 10000" not in lines


def test_rewriting_again_changes_nothing(path) -> None:
    rewritten(path, "port 1\n# x\nmaxmemory 10mb\n", ("timeout", "6"))
    texts = [path.read_bytes()]
    for _ in range(3):
        config = Config(str(path.parent))
        config.load_file(str(path))
        config.rewrite()
        texts.append(path.read_bytes())
    # The end of the text counts as an empty line, once, as in Redis.
    assert texts[1:] == [texts[0] + b"\n"] * 3
    assert texts[0].count(SIGNATURE) == 1


def test_a_default_replaces_a_line_but_adds_none(path) -> None:
    lines = rewritten(path, "timeout 5\n", ("timeout", "0"), ("hz", "10"))
    assert b"timeout 0" in lines
    assert not [line for line in lines if line.startswith(b"hz")]


def test_repeated_and_removed_lines_become_blank(path) -> None:
    text = "save 1 1\nport 1\nsave 2 2\nport 2\n# end\nunixsocket /x\n"
    path.write_text(text)
    config = Config(str(path.parent))
    config.load_file(str(path))
    config.set([(b"save", b"9 9")])
    config["unixsocket"] = None
    config.rewrite()
    lines = path.read_bytes().split(b"\n")
    assert lines[:5] == [b"save 9 9", b"port 2", b"", b"# end", b""]
    assert b"unixsocket" not in path.read_bytes()


def test_an_alias_gets_its_proper_name(path) -> None:
    lines = rewritten(path, "slave-priority 5\n", ("slave-priority", "6"))
    assert lines[0] == b"replica-priority 6"
    assert b"slave-priority" not in b"".join(lines)


def test_unknown_lines_become_comments(path) -> None:
    path.write_text('port 1\nmod.size 10\n"unbalanced\n')
    config = Config(str(path.parent))
    config.path = str(path)
    config.rewrite()
    lines = path.read_bytes().split(b"\n")
    assert lines[1:3] == [b"# ??? mod.size 10", b'# ??? "unbalanced']


def test_lines_of_other_features(path) -> None:
    user = "user default on nopass ~* &* +@all"
    text = f"{user}\nrename-command a b\nuser bob off\ninclude /dev/null\nloadmodule x\n"
    path.write_text(text)
    config = Config(str(path.parent))
    config.load_file(str(path))
    config.rewrite()
    assert path.read_text().startswith(text)
    config.rewrite_with("user", lambda: [b"user carol off"])
    config.rewrite_with("loadmodule", list)
    config.rewrite()
    lines = path.read_bytes().split(b"\n")
    assert lines[:4] == [b"user carol off", b"rename-command a b", b"", b"include /dev/null"]
    assert not [
        line for line in lines if line.startswith((b"loadmodule", b"user default", b"user bob"))
    ]


def test_events_keep_the_class_that_is_not_shown(path) -> None:
    lines = rewritten(path, "", ("notify-keyspace-events", "AnK"))
    assert b'notify-keyspace-events "AnK"' in lines


def test_everything_can_be_forced_and_read_back(path) -> None:
    lines = rewritten(path, "", ("hz", "20"), force_all=True)
    names = {line.split(b" ")[0].decode() for line in lines}
    unset = {d.name for d in DIRECTIVES if d.default is None} | {"bind", "console-bind"}
    assert {d.name for d in DIRECTIVES} - names == unset
    config = Config(str(path.parent))
    config.load_file(str(path))
    expected = Config(str(path.parent)).values | {"hz": 20, "enable-protected-configs": "yes"}
    assert config.values == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("requirepass", 'a "quoted" \\ \x01 word'),
        ("masterauth", " blank "),
        ("save", ""),
        ("save", "1 2 3 4"),
        ("bind", ""),
        ("bind", "127.0.0.1 -::1"),
        ("client-output-buffer-limit", "normal 1mb 3 4 slave 0 0 0"),
        ("shutdown-on-sigint", "force now"),
        ("latency-tracking-info-percentiles", ""),
        ("latency-tracking-info-percentiles", "0 12.5"),
        ("maxmemory-clients", "7%"),
        ("maxmemory", "18446744073709551615"),
        ("list-max-listpack-size", "-5"),
        ("oom-score-adj-values", "1 2 -3"),
        ("proc-title-template", "{{x} {title}"),
    ],
)
def test_values_are_read_back(path, name: str, value: str) -> None:
    path.write_text("")
    config = Config(str(path.parent))
    config.load_file(str(path))
    config.set([(name.encode(), value.encode())])
    config.rewrite()
    again = Config(str(path.parent))
    again.load_file(str(path))
    assert again.values == config.values


def test_the_file_is_replaced_as_a_whole(path) -> None:
    old_umask = os.umask(0o027)
    try:
        rewritten(path, "port 1\n")
    finally:
        os.umask(old_umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(path.parent) == [path.name]


def test_a_failure_leaves_the_old_file(path, monkeypatch) -> None:
    path.write_text("port 1\n")
    config = Config(str(path.parent))
    config.load_file(str(path))
    messages: list[str] = []
    config.warn = messages.append

    def fail(*args: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(Error) as caught:
        config.rewrite()
    assert caught.value.message == b"ERR Rewriting config file: No space left on device"
    assert messages == ["CONFIG REWRITE failed: No space left on device"]
    assert path.read_text() == "port 1\n"
    assert os.listdir(path.parent) == [path.name]


def test_a_file_that_is_gone_is_made(path) -> None:
    path.write_text("timeout 3\n")
    config = Config(str(path.parent))
    config.load_file(str(path))
    path.unlink()
    config.rewrite()
    assert b"timeout 3" in path.read_bytes().split(b"\n")


SAMPLES = [
    ("", [("timeout", "5")]),
    ("\n\n# only a comment\n\n\n", [("maxmemory", "100mb"), ("maxmemory", "0")]),
    ("save 900 1\nsave 300 10\n# tail", [("save", "1 2")]),
    ("save 900 1\n", [("save", "1 2 3 4 5 6")]),
    ('save ""\n', []),
    ("timeout 3\ntimeout 4\ntimeout 5\n", [("timeout", "6")]),
    ("slave-priority 5\nreplica-priority 6\n", [("slave-priority", "7")]),
    ("hash-max-listpack-entries 20\nhash-max-ziplist-entries 21\n",
     [("hash-max-listpack-entries", "100")]),
    ("client-output-buffer-limit pubsub 32mb 8mb 60\n", []),
    ("client-output-buffer-limit pubsub 1mb 1mb 1\n# x\nclient-output-buffer-limit slave 0 0 0\n",
     [("client-output-buffer-limit", "normal 5 6 7")]),
    ("loglevel verbose\n# Generated by CONFIG REWRITE\ntimeout 4\n", [("hz", "20")]),
    ("rename-command debug x\ninclude /dev/null\nmaxmemory-clients 5%\n", []),
    ("requirepass 'a b'\nmasterauth \"x\\x01\"\n", [("masterauth", "")]),
    ("shutdown-on-sigint nosave now\n", [("shutdown-on-sigterm", "force save")]),
    ("notify-keyspace-events KEA\n", [("notify-keyspace-events", "")]),
    ("latency-tracking-info-percentiles 50\n", [("latency-tracking-info-percentiles", "")]),
    ("oom-score-adj-values 1 2 3\nunixsocketperm 700\n", [("oom-score-adj", "no")]),
    ("repl-backlog-size 1gb\nproto-max-bulk-len 3mb\nactive-defrag-ignore-bytes 1500\n", []),
    ("  PORT   1 \r\n\tTIMEOUT 4\n\n\n\n#  end  \n", [("hz", "10")]),
    ("list-max-ziplist-entries 4\n", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "changes"), SAMPLES)
def test_rewrites_as_redis_does(start_redis, tmp_path, text: str, changes: list) -> None:
    theirs, ours = tmp_path / "theirs.conf", tmp_path / "ours.conf"
    theirs.write_text(text)
    ours.write_text(text)
    server = start_redis(str(theirs))
    options = ["--port", str(server.port), "--bind", "127.0.0.1"]
    config = Config(str(server.directory))
    config.load_arguments(parse_arguments([str(ours), *options]))
    if config["requirepass"]:
        server.call("AUTH", config["requirepass"])
    # The users belong to another feature, which says what Redis says of its only one.
    user = next(line for line in server.call("ACL", "LIST"))
    config.rewrite_with("user", lambda: [user])
    for name, value in changes:
        assert server.call("CONFIG", "SET", name, value) == b"OK"
        config.set([(name.encode(), value.encode())])
    assert server.call("CONFIG", "REWRITE") == b"OK"
    config.rewrite()
    expected = theirs.read_bytes().partition(SIGNATURE)
    found = ours.read_bytes().partition(SIGNATURE)
    # What is appended has no order in Redis.
    assert found[:2] == expected[:2]
    assert sorted(found[2].split(b"\n")) == sorted(expected[2].split(b"\n"))
