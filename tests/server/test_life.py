"""From the command line to the last line of the log."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import carnelian
from support.waiting import free_port, wait_for

from .peers import Client

SERVER = [sys.executable, "-m", "carnelian"]


def run(program: list[str], *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess:
    return subprocess.run([*program, *arguments], input=stdin, capture_output=True, timeout=20)


def complaint(output: bytes) -> list[bytes]:
    """What is said of a configuration, without the version of the program that says it."""
    lines = output.strip().splitlines()
    return [line for line in lines if b"FATAL CONFIG FILE ERROR" not in line]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--foo", "bar"),
        ("--port", "abc"),
        ("--port", "70000"),
        ("--port",),
        ("--maxmemory", "10zb"),
        ("--daemonize", "maybe"),
        ("--supervised", "loudly"),
        ("--bind", *["127.0.0.1"] * 17),
        ("--save", "1"),
        ("--save", "a", "b"),
        ("--port", "1", "2"),
        ("--client-output-buffer-limit", "normal", "1"),
        ("--port 6379 extra",),
        ("--unixsocketperm", "888"),
        ("--dir", "/no/such/directory"),
        ("--rename-command", "nope", "x"),
        ("--rename-command", "get", "SET"),
    ],
)
def test_a_bad_configuration_is_refused_as_redis_refuses_it(arguments: tuple[str, ...]):
    ours, theirs = run(SERVER, *arguments), run(["redis-server"], *arguments)
    assert ours.returncode == theirs.returncode == 1
    assert complaint(ours.stderr) == complaint(theirs.stderr)


@pytest.mark.parametrize(
    "text", [b"port 1\nfoo bar\n", b'dir "unbalanced\n', b"include /nonexistent\n"]
)
def test_a_bad_file_is_refused_as_redis_refuses_it(tmp_path: Path, text: bytes):
    path = tmp_path / "redis.conf"
    path.write_bytes(text)
    ours, theirs = run(SERVER, str(path)), run(["redis-server"], str(path))
    assert ours.returncode == theirs.returncode == 1
    assert complaint(ours.stderr) == complaint(theirs.stderr)


def test_a_missing_file_is_reported_in_the_log():
    ours, theirs = run(SERVER, "/no/such/file"), run(["redis-server"], "/no/such/file")
    assert ours.returncode == theirs.returncode == 1
    said = [re.sub(rb".*# ", b"", one.stdout).strip() for one in (ours, theirs)]
    assert said[0] == said[1]


def test_version_and_help():
    assert re.fullmatch(
        rb"Carnelian server v=7\.4\.\d+ carnelian=\d+\.\d+\.\d+ python=\S+ malloc=libc "
        rb"bits=(64|32)\n",
        run(SERVER, "--version").stdout,
    )
    assert run(SERVER, "-v").returncode == 0
    for option in ("-h", "--help"):
        shown = run(SERVER, option)
        assert shown.returncode == 1
        assert shown.stderr.startswith(b"Usage: carnelian-server [/path/to/redis.conf] [options]")


def test_the_first_number_of_the_version_is_that_of_redis():
    """Which is what programs look for, in one of these ways."""
    shown = run(SERVER, "--version").stdout.decode()
    for pattern in (r"v=(\S+)", r"(\d+(?:\.\d+)+)", r"v=(\d+\.\d+\.\d+) "):
        match = re.search(pattern, shown)
        assert match is not None and match[1] == carnelian.REDIS_VERSION


def test_a_refusal_says_whose_it_is():
    shown = run(SERVER, "--port", "x").stderr.decode()
    assert f"*** FATAL CONFIG FILE ERROR (Carnelian {carnelian.__version__}) ***" in shown


def test_the_system_can_be_checked():
    shown = run(SERVER, "--check-system")
    assert re.findall(rb"\[([\w-]+)\]\.\.\.", shown.stdout) == [
        b"slow-clocksource",
        b"xen-clocksource",
        b"overcommit",
        b"THP",
    ]
    assert shown.returncode == (1 if b"WARNING" in shown.stdout else 0)


def test_memory_can_be_tested():
    assert run(SERVER, "--test-memory", "8").returncode == 0
    refused = run(SERVER, "--test-memory")
    assert refused.returncode == 1
    assert b"Please specify the amount of memory to test in megabytes." in refused.stderr


def test_the_log_of_a_start_and_of_an_end(start):
    server = start("--always-show-logo", "no")
    pid = server.process.pid
    assert server.stop() == 0
    lines = [re.sub(r"\d\d \w{3} \d{4} [\d:.]+", "TIME", line) for line in server.log.splitlines()]
    lines = [line for line in lines if "WARNING" not in line]
    assert lines[0] == f"{pid}:C TIME # oO0OoO0OoO0Oo Carnelian is starting oO0OoO0OoO0Oo"
    assert lines[2:6] == [
        f"{pid}:C TIME # Configuration loaded",
        f"{pid}:M TIME * Running mode=standalone, port={server.port}.",
        f"{pid}:M TIME # Server initialized",
        f"{pid}:M TIME * Ready to accept connections tcp",
    ]
    assert re.fullmatch(
        rf"{pid}:signal-handler \(\d+\) Received SIGTERM scheduling shutdown\.\.\.", lines[6]
    )
    assert lines[7:] == [
        f"{pid}:M TIME # User requested shutdown...",
        f"{pid}:M TIME # Redis is now ready to exit, bye bye...",
    ]


def test_the_banner_names_port_and_process(start):
    server = start("--always-show-logo", "yes")
    assert f"Port: {server.port}\n" in server.log
    assert f" PID: {server.process.pid}\n" in server.log
    assert "Running in standalone mode" in server.log


def test_interrupts_end_it_too(start):
    server = start()
    assert server.stop(signal.SIGINT) == 0
    assert "Received SIGINT scheduling shutdown..." in server.log


def test_the_impatient_are_heard(start):
    server = start("--enable-debug-command", "yes")
    client = server.connect()
    client.send(b"DEBUG LOG sleeping\r\nDEBUG SLEEP 10\r\n")
    wait_for(lambda: "DEBUG LOG: sleeping" in server.log)
    for _ in range(2):
        server.process.send_signal(signal.SIGINT)
        wait_for(lambda: "SIGINT scheduling" in server.log)
    assert server.process.wait(10) == 1
    assert "You insist... exiting now." in server.log


@pytest.mark.parametrize("name", ["SIGHUP", "SIGPIPE", "SIGUSR1"])
def test_other_signals_do_no_harm(start, name: str):
    server = start()
    server.process.send_signal(getattr(signal, name))
    assert server.connect().call("PING") == b"+PONG"


@pytest.mark.parametrize("words", [("SHUTDOWN",), ("SHUTDOWN", "NOSAVE"), ("SHUTDOWN", "NOW")])
def test_the_shutdown_command_ends_it(start, words: tuple[str, ...]):
    server = start()
    client = server.connect()
    client.send(" ".join(words).encode() + b"\r\nPING\r\n")
    assert client.at_end()
    assert server.process.wait(10) == 0
    assert "User requested shutdown..." in server.log


def test_a_shutdown_that_is_not_under_way_cannot_be_aborted(start):
    assert start().connect().call("SHUTDOWN", "ABORT") == b"-ERR No shutdown in progress."


def test_a_daemon_leaves_its_pid_and_logs_to_its_file(tmp_path: Path):
    port = free_port()
    log, pid_file = tmp_path / "log", tmp_path / "pid"
    options = {
        "daemonize": "yes",
        "logfile": "log",
        "pidfile": str(pid_file),
        "dir": str(tmp_path),
        "port": str(port),
        "save": "",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    begun = run(SERVER, *words)
    assert (begun.returncode, begun.stdout, begun.stderr) == (0, b"", b"")
    wait_for(lambda: log.exists() and "Ready to accept connections" in log.read_text())
    pid = int(pid_file.read_text())
    try:
        client = Client(("127.0.0.1", port))
        assert f"process_id:{pid}\r\n" in client.call("INFO", "server").decode()
        assert os.getsid(pid) == pid
        client.send(b"SHUTDOWN NOSAVE\r\n")
        assert client.at_end()
        wait_for(lambda: not pid_file.exists())
        wait_for(lambda: "bye bye..." in log.read_text())
    finally:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def test_a_pid_file_without_a_daemon(start, tmp_path: Path):
    path = tmp_path / "pid"
    server = start("--pidfile", str(path))
    assert path.read_text() == f"{server.process.pid}\n"
    server.stop()
    assert not path.exists()


def test_configuration_comes_from_file_standard_input_and_options(tmp_path: Path):
    port = free_port()
    path = tmp_path / "redis.conf"
    path.write_text("maxclients 100\ntimeout 100\nhz 20\n")
    process = subprocess.Popen(
        [*SERVER, str(path), "--port", str(port), "--hz", "40", "--save", "", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(b"timeout 200\nhz 30\n")
        process.stdin.close()
        client = wait_for(lambda: _try_to_connect(port))
        for name, value in (("maxclients", b"100"), ("timeout", b"200"), ("hz", b"40")):
            assert client.call("CONFIG", "GET", name)[1] == value
        assert f"config_file:{path}\r\n" in client.call("INFO", "server").decode()
    finally:
        process.terminate()
        process.wait(10)


def _try_to_connect(port: int) -> Client | None:
    try:
        return Client(("127.0.0.1", port))
    except ConnectionRefusedError:
        return None


@pytest.mark.parametrize(("name", "text"), [("SIGSEGV", "11"), ("SIGABRT", "6")])
def test_a_crash_is_logged(start, name: str, text: str):
    server = start()
    server.process.send_signal(getattr(signal, name))
    assert server.process.wait(10) == -int(text)
    assert f"Carnelian crashed by signal: {text}\n" in server.log
    assert "------ STACK TRACE ------\n" in server.log


def test_crashes_are_not_logged_if_nobody_wants_to_know(start):
    server = start()
    assert server.connect().call("CONFIG", "SET", "crash-log-enabled", "no") == b"+OK"
    server.process.send_signal(signal.SIGSEGV)
    assert server.process.wait(10) == -signal.SIGSEGV
    assert "crashed" not in server.log


def test_the_process_has_a_title(start):
    server = start("--proc-title-template", "mine {listen-addr}")

    def shown() -> bytes:
        return Path(f"/proc/{server.process.pid}/cmdline").read_bytes().rstrip(b"\0")

    assert shown() == b"mine *:%d" % server.port
    client = server.connect()
    # Longer than the command line was, then shorter again.
    for template in ("x" * 400, "{title} {port}"):
        assert client.call("CONFIG", "SET", "proc-title-template", template) == b"+OK"
        expected = template.replace("{title}", "carnelian-server").replace(
            "{port}", str(server.port)
        )
        assert shown() == expected.encode()


def test_clients_in_one_process_do_not_wait_for_ticks(start):
    """Deadlines between two ticks are kept, whatever hz is."""
    server = start("--hz", "1")
    client = server.connect()
    client.call("CLIENT", "PAUSE", "50", "ALL")
    assert client.call("PING") == b"+PONG"


def test_a_signal_can_be_taken_back_while_the_cron_is_paused(start):
    server = start("--enable-debug-command", "yes")
    client = server.connect()
    assert client.call("DEBUG", "PAUSE-CRON", "1") == b"+OK"
    server.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "Received SIGTERM" in server.log)
    assert client.call("SHUTDOWN", "ABORT") == b"+OK"
    assert "* Shutdown manually aborted.\n" in server.log
    assert client.call("DEBUG", "PAUSE-CRON", "0") == b"+OK"
    assert client.call("PING") == b"+PONG"
