"""Users of a server: configuration, ACL files, connections that are ended, protected mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.waiting import wait_for
from support.wire import request

from .conftest import Start
from .peers import Client, ServerProcess

HASH = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"  # of "secret"
NOT_BOTH = "please define either an ACL file or declare users directly in your redis.conf, but not"


Serve = Callable[[str], ServerProcess]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a server with this redis.conf."""
    servers: list[ServerProcess] = []

    def begin(text: str) -> ServerProcess:
        path = tmp_path / "redis.conf"
        path.write_text(text)
        servers.append(ServerProcess(tmp_path, str(path), "--save", ""))
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()


# -- redis.conf ------------------------------------------------------------------------------------


def test_user_lines(serve: Serve) -> None:
    lines = f"user alice on #{HASH} ~a* +@all\nuser default on nopass ~* +ping +acl\n"
    client = serve(lines).wait_until_ready().connect()
    assert client.call("ACL", "LIST") == [
        f"user alice on sanitize-payload #{HASH} ~a* resetchannels +@all".encode(),
        b"user default on nopass sanitize-payload ~* resetchannels -@all +ping +acl",
    ]
    assert client.call("GET", "k") == (
        b"-NOPERM User default has no permissions to run the 'get' command"
    )
    assert client.call("AUTH", "alice", "secret") == b"+OK"
    assert client.call("GET", "a") is None
    assert client.call("GET", "b") == b"-NOPERM No permissions to access a key"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("user alice onn", "Error in user declaration 'onn': Syntax error"),
        ("user alice >secret <other", "Error in user declaration '<(redacted)': The password you"),
        ("user alice #abc", "Error in user declaration '#abc': The password hash must be exactly"),
        ("user alice ~* ~a", "Error in user declaration '~a': Adding a pattern after the *"),
        ("user alice (+get", "Error in user declaration '(+get': Unmatched parenthesis in acl sel"),
        ('user "a b" on', "Spaces not allowed in ACL usernames"),
        ("user alice on\nuser alice off", "Error in user declaration 'alice': Duplicate user"),
        (
            "user alice on +nonsense",
            "Error loading ACL rule '+nonsense' for the user named 'alice'",
        ),
        ("user alice on\naclfile users.acl", NOT_BOTH),
        ("aclfile nothing.acl", "Error loading ACLs, opening file 'nothing.acl': No such file or"),
    ],
)
def test_a_server_with_bad_users_does_not_start(serve: Serve, line: str, reason: str) -> None:
    server = serve(line + "\n")
    assert server.process.wait(20) == 1
    assert reason in server.log


def test_users_are_rewritten(serve: Serve, tmp_path: Path) -> None:
    text = "# mine\nuser bob off\nuser default on nopass ~* +@all\n"
    client = serve(text).wait_until_ready().connect()
    path = tmp_path / "redis.conf"
    assert client.call("SUBSCRIBE", "c") == b"-NOPERM No permissions to access a channel"
    client.call("ACL", "SETUSER", "alice", "on", ">secret", "(+get ~x)", "+select|0")
    client.call("ACL", "DELUSER", "bob")
    assert client.call("CONFIG", "REWRITE") == b"+OK"
    lines = path.read_text().splitlines()
    assert lines[:3] == [
        "# mine",
        f"user alice on sanitize-payload #{HASH} resetchannels -@all +select|0 "
        "(~x resetchannels -@all +get)",
        "user default on nopass sanitize-payload ~* resetchannels +@all",
    ]
    assert "secret" not in path.read_text()
    before = client.call("ACL", "LIST")
    again = serve(path.read_text()).wait_until_ready().connect()
    assert again.call("ACL", "LIST") == before


def test_a_module_brings_commands_for_user_lines(serve: Serve, tmp_path: Path) -> None:
    module = tmp_path / "mine.py"
    module.write_text(
        "import carnelian\n"
        "@carnelian.command('MINE.GET key', 'readonly', keys=1, categories='mine')\n"
        "def mine(session, args):\n    return session.call('GET', args[1])\n"
    )
    client = (
        serve(f"loadmodule {module}\nuser alice on nopass ~a +@mine\nuser bob on ~a +mine.get\n")
        .wait_until_ready()
        .connect()
    )
    assert b"mine" in client.call("ACL", "CAT")
    assert client.call("ACL", "CAT", "mine") == [b"mine.get"]
    client.call("AUTH", "alice", "x")
    # What a command calls is judged, too.
    assert client.call("MINE.GET", "a") == (
        b"-NOPERM User alice has no permissions to run the 'get' command"
    )
    assert client.call("MINE.GET", "b") == b"-NOPERM No permissions to access a key"
    client.call("AUTH", "default", "")
    client.call("ACL", "SETUSER", "alice", "+get")
    log = client.call("ACL", "LOG")
    assert [entry[5] for entry in log] == [b"toplevel", b"module"]
    client.call("SET", "a", "1")
    client.call("AUTH", "alice", "x")
    assert client.call("MINE.GET", "a") == b"1"


# -- ACL files -------------------------------------------------------------------------------------


@pytest.fixture
def filed(start: Start, tmp_path: Path) -> tuple[Client, Path]:
    """A client of a server with an ACL file, and the file."""
    path = tmp_path / "users.acl"
    path.write_text(
        "# who there is\nuser alice on nopass ~* &a +@all\n\n"
        "\t #user nobody\n  user bob  on nopass +ping\r\n#"
    )
    return start("--aclfile", str(path)).connect(), path


def test_an_acl_file(filed: tuple[Client, Path]) -> None:
    client, path = filed
    assert client.call("ACL", "USERS") == [b"alice", b"bob", b"default"]
    assert client.call("ACL", "SETUSER", "carol", "on", ">secret") == b"+OK"
    assert client.call("ACL", "SAVE") == b"+OK"
    saved = path.read_text()
    assert saved.splitlines() == [
        "user alice on nopass sanitize-payload ~* resetchannels &a +@all",
        "user bob on nopass sanitize-payload resetchannels -@all +ping",
        f"user carol on sanitize-payload #{HASH} resetchannels -@all",
        "user default on nopass sanitize-payload ~* &* +@all",
    ]
    client.call("ACL", "SETUSER", "dave")
    assert client.call("ACL", "LOAD") == b"+OK"
    assert client.call("ACL", "USERS") == [b"alice", b"bob", b"carol", b"default"]
    assert client.call("ACL", "SAVE") == b"+OK"
    assert path.read_text() == saved


def test_loading_ends_only_those_who_lose(filed: tuple[Client, Path], start: Start) -> None:
    client, path = filed
    port = client.socket.getpeername()
    alice, listener, bob = (Client(port) for _ in range(3))
    for one, name in ((alice, "alice"), (listener, "alice"), (bob, "bob")):
        assert one.call("AUTH", name, "x") == b"+OK"
    listener.call("SUBSCRIBE", "a")
    assert client.call("ACL", "LOAD") == b"+OK"
    assert alice.call("PING") == bob.call("PING") == b"+PONG"
    path.write_text("user alice on nopass ~* +@all -ping\n")
    assert client.call("ACL", "LOAD") == b"+OK"
    assert alice.call("PING") == (
        b"-NOPERM User alice has no permissions to run the 'ping' command"
    )
    assert bob.line() == b""
    assert listener.line() == b""
    assert client.call("PING") == b"+PONG"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("user alice on\nuser alice off", "WARNING: Duplicate user 'alice' found on line 2. "),
        ("alice on", "%:1 should start with user keyword followed by the username. "),
        ("user", "%:1 should start with user keyword followed by the username. "),
        ("user a\tb on", "'%:1: username 'a\tb' contains invalid characters. "),
        ("user a (+get", "%:1: Unmatched parenthesis in selector definition."),
        (
            "user a +nope on -nada\nuser b ~* ~a >secret <other",
            "%:1: Error in applying operation '+nope': Unknown command or category name in ACL. "
            "%:1: Error in applying operation '-nada': Unknown command or category name in ACL. "
            "%:2: Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and "
            "does not have any effect. Try 'resetkeys' to start with an empty list of patterns. ",
        ),
    ],
)
def test_a_bad_file_changes_nothing(filed: tuple[Client, Path], text: str, reason: str) -> None:
    client, path = filed
    before = client.call("ACL", "LIST")
    path.write_text(text)
    expected = reason.replace("%", str(path)) + (
        "WARNING: ACL errors detected, no change to the previously active ACL rules was performed"
    )
    assert client.call("ACL", "LOAD") == b"-ERR " + expected.encode()
    assert client.call("ACL", "LIST") == before
    path.unlink()
    assert client.call("ACL", "LOAD") == (
        f"-ERR Error loading ACLs, opening file '{path}': No such file or directory".encode()
    )
    assert client.call("ACL", "LIST") == before


def test_a_file_that_cannot_be_written(filed: tuple[Client, Path], tmp_path: Path) -> None:
    client, path = filed
    path.unlink()
    path.mkdir()
    assert client.call("ACL", "SAVE") == (
        b"-ERR There was an error trying to save the ACLs. Please check the server logs for more "
        b"information"
    )
    assert [each.name for each in tmp_path.glob("users.acl*")] == ["users.acl"]


# -- Connections -----------------------------------------------------------------------------------


def test_who_is_deleted_is_disconnected(start: Start) -> None:
    server = start()
    admin, alice, busy = server.connect(), server.connect(), server.connect()
    admin.call("ACL", "SETUSER", "alice", "on", "nopass", "+@all", "~*")
    alice.call("AUTH", "alice", "x")
    busy.call("AUTH", "alice", "x")
    busy.send(b"BLPOP list 0\r\n")
    assert b" user=alice " in admin.call("CLIENT", "LIST")
    # The one that asks gets its reply.
    assert alice.call("ACL", "DELUSER", "alice") == 1
    assert alice.line() == b""
    assert busy.line() == b""
    assert b" user=alice " not in admin.call("CLIENT", "LIST")


def last_line(client: Client) -> bytes:
    """What comes last before the server hangs up."""
    last = line = client.line()
    while line:
        last, line = line, client.line()
    return last


def test_who_gives_up_the_own_channels_gets_the_reply(start: Start, tmp_path: Path) -> None:
    rules = "on nopass resetchannels +@all ~*"
    (tmp_path / "users.acl").write_text(f"user alice {rules}\nuser default on nopass +@all\n")
    server = start("--aclfile", str(tmp_path / "users.acl"))
    admin = server.connect()
    for words in (["ACL", "SETUSER", "alice", "resetchannels"], ["ACL", "LOAD"]):
        admin.call("ACL", "SETUSER", "alice", "&news")
        alice, other = server.connect(), server.connect()
        for client in (alice, other):
            client.send(b"HELLO 3 AUTH alice x\r\nSUBSCRIBE news\r\n")
            wait_for(lambda: admin.call("PUBSUB", "NUMSUB", "news")[1] >= 1)
        wait_for(lambda: admin.call("PUBSUB", "NUMSUB", "news") == [b"news", 2])
        alice.send(request(*words))
        assert last_line(alice) == b"+OK"
        assert last_line(other) == b":1"
    # One whose user is gone as well.
    admin.call("ACL", "SETUSER", "bob", "on", "nopass", "+@all")
    bob = server.connect()
    bob.call("AUTH", "bob", "x")
    assert bob.call("ACL", "LOAD") == b"+OK"
    assert bob.line() == b""


def test_strangers_may_only_log_in(start: Start) -> None:
    client = start("--requirepass", "secret").connect()
    for words in (
        ["GET", "k"], ["ACL", "WHOAMI"], ["ACL", "SETUSER", "x", "on"], ["CONFIG", "GET", "*"],
        ["MULTI"], ["SUBSCRIBE", "c"], ["CLIENT", "LIST"], ["INFO"], ["COMMAND"], ["PING"],
        ["SHUTDOWN"], ["MONITOR"], ["SELECT", "1"], ["ECHO", "x"],
    ):  # fmt: skip
        assert client.call(*words) == b"-NOAUTH Authentication required.", words
    assert client.call("HELLO", "3").startswith(b"-NOAUTH HELLO must be called")
    assert client.call("RESET") == b"+RESET"
    assert client.call("GET", "k") == b"-NOAUTH Authentication required."
    assert client.call("AUTH", "x", "secret").startswith(b"-WRONGPASS")
    assert client.call("AUTH", "secret") == b"+OK"
    assert client.call("ACL", "WHOAMI") == b"default"
    assert client.call("QUIT") == b"+OK"
