"""Configuration files and command lines, by themselves and against redis-server 7.0."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess

import pytest

from carnelian import __version__
from carnelian.engine.config import (
    Config,
    ConfigFileError,
    ConfigOpenError,
    parse_arguments,
)
from carnelian.resp.quoting import quote, split_arguments

VERSIONS = (f"(Carnelian {__version__})", "(Redis 7.0.15)")


def load(text: str, **options: str) -> Config:
    config = Config(**options)
    config.load_text(text)
    return config


def failure(text: str) -> ConfigFileError:
    with pytest.raises(ConfigFileError) as caught:
        load(text)
    return caught.value


@pytest.fixture(scope="module")
def redis_output(tmp_path_factory):
    """What redis-server prints on stderr when it refuses its arguments."""
    if shutil.which("redis-server") is None:
        pytest.fail("this test compares with redis-server (Debian: apt install redis-server)")
    directory = tmp_path_factory.mktemp("refused")

    def run(*arguments: str, stdin: bytes = b"") -> str:
        result = subprocess.run(
            ["redis-server", *arguments],
            cwd=directory,
            input=stdin,
            capture_output=True,
            timeout=30,
        )
        assert result.returncode == 1, result
        return result.stderr.decode("utf-8", "surrogateescape").replace(VERSIONS[1], VERSIONS[0])

    return run


def our_output(arguments: list[str], stdin: bytes = b"") -> str:
    parsed = parse_arguments(arguments)
    config = Config()
    with pytest.raises(ConfigFileError) as caught:
        config.load_arguments(parsed, stdin if parsed.stdin else b"")
    return f"{caught.value}\n"


# Lines


def test_values_of_lines() -> None:
    config = load(
        "\n# comment\n  PORT 7000  \r\nmaxmemory 2gb\nsave 10 20\nbind 127.0.0.1 -::1\n"
        'requirepass "a\\x20b"\nlogfile ""\nclient-output-buffer-limit pubsub 1mb 0 5\n'
        "slave-priority 3\nunixsocketperm 0770\n"
        "oom-score-adj relative\nshutdown-on-sigterm force nosave\n"
    )
    assert config["port"] == 7000
    assert config["maxmemory"] == 2 * 1024**3
    assert config["save"] == ((10, 20),)
    assert config["bind"] == ("127.0.0.1", "-::1")
    assert config["requirepass"] == b"a b"
    assert config["client-output-buffer-limit"].pubsub == (1024**2, 0, 5)
    assert config["client-output-buffer-limit"].replica == (256 * 1024**2, 64 * 1024**2, 60)
    assert config["replica-priority"] == 3
    assert config["unixsocketperm"] == 0o770
    assert config["oom-score-adj"] == "yes"
    assert config["shutdown-on-sigterm"] == ("nosave", "force")
    assert config["logfile"] == ""
    assert config["unixsocket"] is None


def test_save_lines_add_up_after_the_first() -> None:
    assert load("")["save"] == ((3600, 1), (300, 100), (60, 10000))
    assert load("save 1 2")["save"] == ((1, 2),)
    assert load("save 1 2\nsave 3 4 5 6")["save"] == ((1, 2), (3, 4), (5, 6))
    assert load('save 1 2\nsave ""')["save"] == ()
    assert load('save ""\nsave 1 2')["save"] == ((1, 2),)
    assert load('save "1 2 3 4"')["save"] == ((1, 2), (3, 4))
    config = load("save 1 2")
    config.load_text("save 3 4")
    assert config["save"] == ((1, 2), (3, 4))


def test_one_quoted_argument_may_hold_several() -> None:
    config = load('shutdown-on-sigint "nosave  now"\nbind "127.0.0.1 ::1"\n')
    assert config["shutdown-on-sigint"] == ("nosave", "now")
    assert config["bind"] == ("127.0.0.1", "::1")


def test_lines_that_belong_to_others() -> None:
    config = load(
        "rename-command FLUSHALL ''\nuser default on nopass ~* &* +@all\n"
        "user alice on nopass allkeys allchannels allcommands\n"
        "loadmodule /lib/mod.so a 'b c'\nmod.size 10 20\nsentinel\n"
    )
    assert [line.words[1:] for line in config.renamed_commands] == [(b"FLUSHALL", b"")]
    assert [line.words[5] for line in config.users] == [b"&*", b"allchannels"]
    assert config.loaded_modules[0].words == (b"loadmodule", b"/lib/mod.so", b"a", b"b c")
    assert config.module_values == {"mod.size": b"10 20"}
    error = config.users[1].error("Error in user declaration 'off': reason")
    assert str(error).splitlines()[2:] == [
        "Reading the configuration file, at line 3",
        ">>> 'user alice on nopass allkeys allchannels allcommands'",
        "Error in user declaration 'off': reason",
    ]


def test_a_user_is_defined_once() -> None:
    with pytest.raises(ConfigFileError) as caught:
        load("port 1\nuser alice on\nuser Alice on\nuser alice off\nnonsense\n")
    assert str(caught.value).splitlines()[2:] == [
        "Reading the configuration file, at line 4",
        ">>> 'user alice off'",
        "Error in user declaration 'alice': Duplicate user found. A user can only be defined once "
        "in config files",
    ]


def test_forgotten_directives_are_ignored() -> None:
    load("list-max-ziplist-entries 1\nlist-max-ziplist-value 2\nlua-replicate-commands yes")


def test_rate_is_brought_into_its_bounds() -> None:
    assert load("hz 100000")["hz"] == 500
    assert load("hz 0")["hz"] == 1


# Files


def test_include(tmp_path) -> None:
    (tmp_path / "b.conf").write_text("port 2")
    (tmp_path / "a.conf").write_text("port 1\ntimeout 7")
    (tmp_path / "main.conf").write_text(f"include {tmp_path}/*.conf.d\ninclude {tmp_path}/?.conf\n")
    config = Config()
    config.load_file(str(tmp_path / "main.conf"))
    assert (config["port"], config["timeout"]) == (2, 7)
    assert config.path == str(tmp_path / "main.conf")


def test_include_is_relative_to_dir(tmp_path) -> None:
    (tmp_path / "extra.conf").write_text("port 5\n")
    assert load(f"dir {tmp_path}\ninclude extra.conf")["port"] == 5


def test_include_of_itself_ends(tmp_path) -> None:
    path = tmp_path / "loop.conf"
    path.write_text(f"include {path}\n")
    assert failure(f"include {path}").reason == "too many levels of include"


def test_a_missing_file_is_named(tmp_path) -> None:
    path = str(tmp_path / "none.conf")
    with pytest.raises(ConfigOpenError) as caught:
        Config().load_file(path)
    expected = f"Fatal error, can't open config file '{path}': No such file or directory"
    assert str(caught.value) == expected
    with pytest.raises(ConfigOpenError):
        load(f"include {path}")


def test_bytes_that_are_no_utf8_survive(tmp_path) -> None:
    config = Config(str(tmp_path))
    config.load_text(b'syslog-ident "\xff\xfe"\n')
    assert config.get([b"syslog-ident"]) == [(b"syslog-ident", b"\xff\xfe")]
    assert os.fsencode(config["syslog-ident"]) == b"\xff\xfe"


BAD_LINES = [
    "port",
    "port 1 2",
    "port x",
    "port 65536",
    "port -1",
    'port ""',
    "PORT x",
    "daemonize maybe",
    "maxmemory 1tb",
    "maxmemory-clients 200%",
    "unixsocketperm 999",
    "unixsocketperm 1000",
    "nosuchdirective 1",
    "nosuchdirective",
    "include",
    "include a b",
    "rename-command x",
    "loadmodule",
    "user",
    "sentinel monitor x",
    "mod.value",
    'logfile "unbalanced',
    "logfile 'unbalanced",
    'logfile "a"b',
    "save 1",
    "save 0 1",
    "save a b",
    "shutdown-on-sigint",
    'shutdown-on-sigint ""',
    "shutdown-on-sigint save nosave",
    "oom-score-adj-values 1 2",
    "oom-score-adj-values 1 2 3000",
    "client-output-buffer-limit normal 1 2",
    "client-output-buffer-limit nobody 1 2 3",
    "replicaof 127.0.0.1",
    "replicaof 127.0.0.1 abc",
    "replicaof 127.0.0.1 70000",
    "bind " + " ".join(["1.1.1.1"] * 17),
    "dir /no/such/directory",
    "dir /etc/passwd",
    "dir a b",
    "dbfilename a/b",
    'appendfilename ""',
    "appendfilename a/b",
    "appenddirname a/b",
    'appenddirname ""',
    "activedefrag yes",
    "proc-title-template {nope}",
    "supervised sometimes",
    "appendfsync",
    "latency-tracking-info-percentiles 101",
    "latency-tracking-info-percentiles a",
    "cluster-announce-hostname a_b",
    "logfile /no/such/dir/log",
    "include /no/such/../dir/[x]\nnonsense 1",
    "list-max-ziplist-entries 1 2",
    "\tport   7000\n  \n# x\n\t port\tx \t",
    "enable-debug-command maybe",
]


@pytest.mark.parametrize("text", BAD_LINES)
def test_refusals_are_those_of_redis(redis_output, tmp_path, text: str) -> None:
    path = tmp_path / "redis.conf"
    path.write_text(text)
    assert our_output([str(path)]) == redis_output(str(path))


def test_refusals_in_an_included_file(redis_output, tmp_path) -> None:
    (tmp_path / "inner.conf").write_text("\n\nport x\n")
    path = tmp_path / "redis.conf"
    path.write_text(f"timeout 1\ninclude {tmp_path}/inner.conf\n")
    assert our_output([str(path)]) == redis_output(str(path))
    assert "at line 3" in our_output([str(path)])


# Quoting


def test_quote() -> None:
    assert quote(b'a "b" \\ \n\r\t\a\b\x00\xff') == b'"a \\"b\\" \\\\ \\n\\r\\t\\a\\b\\x00\\xff"'


def test_quote_is_read_back() -> None:
    everything = bytes(range(256))
    assert split_arguments(quote(everything)) == [everything]


def test_split_arguments_agrees_with_inline_commands(redis_server) -> None:
    chance = random.Random(3)
    with socket.create_connection(("127.0.0.1", redis_server.port)) as connection:
        file = connection.makefile("rb")
        for _ in range(3000):
            line = bytes(chance.choices(b"ab \"'\\xn41\t\v", k=chance.randrange(14)))
            words = split_arguments(b"RPUSH list " + line)
            if words is None or len(words) < 3:
                continue
            connection.sendall(b"DEL list\r\nRPUSH list " + line + b"\r\nLRANGE list 0 -1\r\n")
            file.readline()
            assert file.readline() == b":%d\r\n" % (len(words) - 2), line
            assert file.readline() == b"*%d\r\n" % (len(words) - 2)
            for word in words[2:]:
                assert file.readline() == b"$%d\r\n" % len(word)
                assert file.read(len(word) + 2) == word + b"\r\n", line


@pytest.mark.parametrize(
    "line", [b'"', b"'", b'a"', b'"a"b', b"'a'b", b'"\\"', b"'\\'", b'"\\', b'a "b c', b"''''"]
)
def test_unbalanced_quotes(redis_server, line: bytes) -> None:
    assert split_arguments(b"PING " + line) is None
    with socket.create_connection(("127.0.0.1", redis_server.port)) as connection:
        connection.sendall(b"PING " + line + b"\r\n")
        reply = connection.makefile("rb").readline()
    assert reply == b"-ERR Protocol error: unbalanced quotes in request\r\n"


# Arguments


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], b""),
        (["--port", "7000"], b'port "7000" '),
        (["--port 7000"], b"port 7000 "),
        (["--port", "7000", "--save", ""], b'port "7000" \nsave "" '),
        (["--save"], b'save ""'),
        (["--save", "--port", "1"], b'save ""\nport "1" '),
        (["--SAVE", "--port", "1"], b'SAVE ""\nport "1" '),
        (["--proc-title-template", "--x", "--port", "1"], b'proc-title-template "--x" \nport "1" '),
        (["--bind", "a", "b"], b'bind "a" "b" '),
        (["--logfile", "a b\n"], b'logfile "a b\\n" '),
        (["--port", "-1"], b'port "-1" '),
    ],
)
def test_options_become_lines(argv: list[str], expected: bytes) -> None:
    parsed = parse_arguments(argv)
    assert (parsed.path, parsed.stdin, parsed.text, parsed.action) == (None, False, expected, "")


def test_file_and_standard_input(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_arguments(["redis.conf"]).path == str(tmp_path / "redis.conf")
    assert parse_arguments(["-"]).stdin
    parsed = parse_arguments(["redis.conf", "--port", "7000", "-"])
    assert parsed.stdin
    assert parsed.text == b'port "7000" '
    # In any other place it is a value.
    parsed = parse_arguments(["redis.conf", "--logfile", "-", "--port", "1"])
    assert not parsed.stdin
    assert parsed.text == b'logfile "-" \nport "1" '


def test_file_input_and_options_are_one_text(tmp_path) -> None:
    path = tmp_path / "redis.conf"
    path.write_text("port 1\ntimeout 1\nhz 20\n")
    config = Config()
    config.load_arguments(parse_arguments([str(path), "--port", "3", "-"]), b"port 2\ntimeout 2\n")
    assert (config["port"], config["timeout"], config["hz"]) == (3, 2, 20)
    assert config.path == str(path)


@pytest.mark.parametrize(
    ("argv", "action"),
    [
        (["-v"], "version"),
        (["--version", "x"], "version"),
        (["-h"], "help"),
        (["--help"], "help"),
        (["--test-memory", "64"], "test-memory"),
        (["--check-system"], "check-system"),
        (["x.conf", "--sentinel"], "sentinel"),
        (["--port", "1"], ""),
    ],
)
def test_actions(argv: list[str], action: str) -> None:
    parsed = parse_arguments(argv)
    assert parsed.action == action
    assert parsed.rest == tuple(argv[1:])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port"],
        ["--port", "6380", "--loglevel"],
        ["--port", "6379", "6380"],
        ["--port", "--loglevel", "verbose"],
        ["--port", "--bla", "--loglevel", "verbose"],
        ["--logfile", "--my--log--file", "--loglevel", "--bla", "--nope", "x"],
        ["--shutdown-on-sigint"],
        ["--shutdown-on-sigint", "now force", "--shutdown-on-sigterm"],
        ["--replicaof", "127.0.0.1", "abc"],
        ["--replicaof", "--127.0.0.1", "abc"],
        ["--replicaof", "--127.0.0.1", "--abc"],
        ["--port 'x"],
        ["-x"],
        ["-", "--port", "x"],
        ["--save", "--nope"],
        ["--save", "1"],
        ["--include", "/dev/null", "--port"],
    ],
)
def test_refused_arguments_are_those_of_redis(redis_output, arguments: list[str]) -> None:
    expected = redis_output(*arguments)
    # loglevel takes one more word than in 7.0.
    assert our_output(arguments).replace(", nothing", "") == expected


def test_random_arguments_are_read_as_redis_reads_them(redis_output) -> None:
    chance = random.Random(5)
    words = [
        "--save", "--save", "60 1", "60", "1", "--loglevel", "verbose", "--port 7", "--port", "7",
        "--proc-title-template", "--x", "-", "", "--hz '10'", "--hz \"1", "--bind", "127.0.0.1",
        "--shutdown-on-sigint", "now", "force", "a b", "--timeout", "0",
    ]  # fmt: skip
    for _ in range(150):
        arguments = chance.choices(words, k=chance.randrange(1, 7))
        if arguments[0] and not arguments[0].startswith("-"):
            arguments[0] = "--timeout"
        if not arguments[0]:
            continue
        # Whatever came before, these end in a refusal.
        arguments += ["end", "--nope", "x"]
        expected = redis_output(*arguments)
        assert our_output(arguments).replace(", nothing", "") == expected, arguments


def test_standard_input_comes_before_options(redis_output) -> None:
    arguments = ["--timeout", "1", "-"]
    assert our_output(arguments, b"\nport x\n") == redis_output(*arguments, stdin=b"\nport x\n")
