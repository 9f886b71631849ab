"""Where the server listens, and whom it takes in."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from support.waiting import free_port, wait_for

from .peers import Client


def refuses(port: int, host: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


def test_one_address_only(start):
    server = start("--bind", "127.0.0.2")
    assert Client(("127.0.0.2", server.port)).call("PING") == b"+PONG"
    assert refuses(server.port)


def test_several_addresses(start):
    server = start("--bind", "127.0.0.1", "127.0.0.2")
    for host in ("127.0.0.1", "127.0.0.2"):
        client = Client((host, server.port))
        assert client.call("PING") == b"+PONG"
        assert f"laddr={host}:{server.port} ".encode() in client.call("CLIENT", "LIST")


@needs_ipv6
def test_ipv6(start):
    server = start("--bind", "::1")
    client = Client(("::1", server.port))
    assert b" laddr=[::1]:%d " % server.port in client.call("CLIENT", "LIST")
    assert refuses(server.port)


def test_the_default_is_every_address(start):
    server = start()
    assert Client(("127.0.0.1", server.port)).call("CONFIG", "GET", "bind") == [b"bind", b"* -::*"]
    if has_ipv6():
        assert Client(("::1", server.port)).call("PING") == b"+PONG"


def test_an_optional_address_may_be_missing(start):
    server = start("--bind", "127.0.0.1", "-192.0.2.77")
    assert server.connect().call("PING") == b"+PONG"
    assert (
        f"# Warning: Could not create server TCP listening socket 192.0.2.77:{server.port}: "
        "bind: Cannot assign requested address"
    ) in server.log


def test_an_address_that_must_be_there(start):
    server = start("--bind", "192.0.2.77", wait=False)
    assert server.process.wait(10) == 1
    assert f"# Failed listening on port {server.port} (TCP), aborting.\n" in server.log


def test_a_port_in_use(start):
    first = start()
    second = start(port=first.port, wait=False)
    assert second.process.wait(10) == 1
    assert f"socket *:{first.port}: bind: Address already in use\n" in second.log


def test_nowhere_to_listen(start):
    server = start(port=0, wait=False)
    assert server.process.wait(10) == 1
    assert "# Configured to not listen anywhere, exiting.\n" in server.log


def test_a_unix_socket_with_permissions(start, tmp_path: Path):
    path = tmp_path / "socket"
    path.write_text("left behind by somebody")
    server = start("--unixsocket", str(path), "--unixsocketperm", "700")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
    client = Client(str(path))
    line = client.call("CLIENT", "LIST").decode()
    assert f" addr={path}:0 laddr={path}:0 " in line
    assert " flags=U " in line
    assert "* Ready to accept connections unix\n" in server.log
    server.stop()
    assert not path.exists()


def test_a_unix_socket_alone(start, tmp_path: Path):
    path = tmp_path / "socket"
    server = start("--unixsocket", str(path), port=0)
    assert Client(str(path)).call("PING") == b"+PONG"
    assert "Ready to accept connections tcp\n" not in server.log
    assert "WARNING: Carnelian does not" not in server.log


def test_a_unix_socket_that_cannot_be_made(start, tmp_path: Path):
    server = start("--unixsocket", str(tmp_path / "no" / "socket"), wait=False)
    assert server.process.wait(10) == 1
    assert "# Failed opening Unix socket: bind: No such file or directory\n" in server.log


def test_the_port_changes_while_running(start):
    server = start()
    client = server.connect()
    port = free_port()
    assert client.call("CONFIG", "SET", "port", port) == b"+OK"
    assert Client(("127.0.0.1", port)).call("PING") == b"+PONG"
    assert refuses(server.port)
    assert f"tcp_port:{port}\r\n" in client.call("INFO", "server").decode()


def test_a_port_that_cannot_be_had_changes_nothing(start):
    server = start()
    client = server.connect()
    with socket.create_server(("", 0)) as taken:
        refused = client.call("CONFIG", "SET", "port", taken.getsockname()[1])
    assert refused == (
        b"-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this "
        b"port. Check server logs."
    )
    assert Client(("127.0.0.1", server.port)).call("PING") == b"+PONG"
    assert client.call("CONFIG", "GET", "port") == [b"port", b"%d" % server.port]


def test_the_addresses_change_while_running(start):
    server = start()
    client = server.connect()
    assert client.call("CONFIG", "SET", "bind", "127.0.0.2") == b"+OK"
    assert refuses(server.port)
    assert client.call("CONFIG", "SET", "bind", "999.999.999.999") == (
        b"-ERR CONFIG SET failed (possibly related to argument 'bind') - Failed to bind to "
        b"specified addresses."
    )
    assert Client(("127.0.0.2", server.port)).call("PING") == b"+PONG"
    assert client.call("CONFIG", "SET", "bind", "") == b"+OK"
    assert refuses(server.port, "127.0.0.2")
    assert client.call("CONFIG", "SET", "bind", "* -::*") == b"+OK"
    assert Client(("127.0.0.1", server.port)).call("PING") == b"+PONG"


def own_address() -> str | None:
    """An address of this machine that is not the loopback's; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return probe.getsockname()[0]


def test_protected_mode_takes_local_clients_only(start):
    host = own_address()
    if host is None or host.startswith("127."):
        pytest.skip("this machine has the loopback address only")
    server = start()
    local = server.connect()
    refused = Client((host, server.port))
    assert refused.line().startswith(
        b"-DENIED Redis is running in protected mode because protected mode is enabled and no "
        b"password is set for the default user."
    )
    assert refused.at_end()
    assert "rejected_connections:1\r\n" in local.call("INFO", "stats").decode()
    local.call("CONFIG", "SET", "requirepass", "secret")
    assert Client((host, server.port)).call("AUTH", "secret") == b"+OK"
    local.call("CONFIG", "SET", "requirepass", "", "protected-mode", "no")
    assert Client((host, server.port)).call("PING") == b"+PONG"


def test_accepted_sockets_are_tuned(start):
    server = start("--tcp-keepalive", "60")
    assert server.connect().call("PING") == b"+PONG"
    table = Path("/proc/net/tcp").read_text()
    mine = [line.split() for line in table.splitlines() if f":{server.port:04X} " in line]
    # The timer field of a connection: 02 is the keepalive timer.
    assert any(fields[5].startswith("02:") for fields in mine if fields[3] == "01")


def test_verbose_logs_tell_who_comes_and_goes(start):
    server = start("--loglevel", "verbose")
    client = server.connect()
    assert client.call("PING") == b"+PONG"
    port = client.socket.getsockname()[1]
    client.close()
    wait_for(lambda: "Client closed connection id=" in server.log)
    assert f" - Accepted 127.0.0.1:{port}\n" in server.log


@pytest.mark.parametrize(
    ("words", "warning"),
    [
        ((), ": any local client may connect."),
        (
            ("--protected-mode", "no", "--bind", "127.0.0.1"),
            ": whoever reaches a configured network interface may connect.",
        ),
        (
            ("--protected-mode", "no", "--bind", "127.0.0.1 -::*"),
            " and is not protected by network restrictions: whoever reaches this machine, on any "
            "interface, may connect.",
        ),
        (("--requirepass", "secret"), None),
        (("--user", "default", "off"), None),
    ],
)
def test_a_warning_where_anybody_may_connect(start, words: tuple[str, ...], warning: str | None):
    server = start(*words)
    wait_for(lambda: "Ready to accept connections tcp\n" in server.log)
    server.stop()
    told = "# WARNING: Carnelian does not require authentication"
    if warning is None:
        assert told not in server.log
    else:
        assert f"{told}{warning}\n" in server.log
