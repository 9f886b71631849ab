"""TLS: who gets in, what is carried, and what is said of it."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from support import certificates
from support.servers import require
from support.waiting import TIMEOUT, free_port, wait_for
from support.wire import request

from .peers import Client, ServerProcess


class TlsClient(Client):
    """A client whose bytes are encrypted."""

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext):
        super().__init__(address)
        self.socket = context.wrap_socket(self.socket)
        self._file = self.socket.makefile("rb")


class TlsServer:
    """A server with a port for TLS, and the certificates for it."""

    def __init__(self, process: ServerProcess, port: int, folder: Path):
        self.process = process
        self.port = port
        self.folder = folder
        self.clients: list[Client] = []

    def context(self, name: str | None = "client") -> ssl.SSLContext:
        """What a client with a certificate of that name connects with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.folder / "ca.crt")
        if name is not None:
            context.load_cert_chain(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        return context

    def connect(self, context: ssl.SSLContext | None = None) -> TlsClient:
        client = TlsClient(("127.0.0.1", self.port), context or self.context())
        self.clients.append(client)
        return client

    def raw(self) -> socket.socket:
        """A connection without a handshake."""
        return socket.create_connection(("127.0.0.1", self.port), TIMEOUT)

    def refuses(self, context: ssl.SSLContext) -> bool:
        """Whether a client is turned away, which with TLS 1.3 it learns when it reads."""
        try:
            return self.connect(context).call("PING") != b"+PONG"
        except (ssl.SSLError, ConnectionError):
            return True


StartTls = Callable[..., TlsServer]


def options(folder: Path, name: str = "server") -> list[str]:
    return [
        "--tls-cert-file", str(folder / f"{name}.crt"),
        "--tls-key-file", str(folder / f"{name}.key"),
        "--tls-ca-cert-file", str(folder / "ca.crt"),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def start_tls(start, folder: Path) -> Iterator[StartTls]:
    servers: list[TlsServer] = []

    def begin(*arguments: str) -> TlsServer:
        port = free_port()
        process = start("--tls-port", str(port), *options(folder), *arguments)
        servers.append(TlsServer(process, port, folder))
        return servers[-1]

    yield begin
    for server in servers:
        for client in server.clients:
            client.close()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[TlsServer]:
    port = free_port()
    process = ServerProcess(
        tmp_path_factory.mktemp("server"),
        *("--save", "", "--loglevel", "verbose", "--tls-port", str(port)),
        *options(folder),
    )
    server = TlsServer(process.wait_until_ready(), port, folder)
    yield server
    for client in server.clients:
        client.close()
    process.stop()


# -- What is carried -------------------------------------------------------------------------------


def test_commands_and_replies(tls: TlsServer):
    client = tls.connect()
    assert client.call("SET", "key", "value") == b"+OK"
    assert client.call("GET", "key") == b"value"
    assert tls.process.connect().call("GET", "key") == b"value"


@pytest.mark.parametrize("size", [1, 16383, 16384, 16385, 65536, 65537, 3_000_000])
def test_values_of_many_sizes(tls: TlsServer, size: int):
    client = tls.connect()
    value = bytes(range(256)) * (size // 256 + 1)
    assert client.call("SET", "big", value[:size]) == b"+OK"
    assert client.call("GET", "big") == value[:size]


def test_a_pipeline_longer_than_all_buffers(tls: TlsServer):
    client = tls.connect()
    count = 20_000
    client.send(request("DEL", "counter"))
    client.reply()
    client.send(request("INCR", "counter") * count)
    assert [client.reply() for _ in range(count)] == list(range(1, count + 1))


def test_a_reader_that_takes_its_time(tls: TlsServer):
    """What the socket does not take is kept, in order, and delays nobody else."""
    slow, fast = tls.connect(), tls.connect()
    value = b"v" * 1_000_000
    slow.call("SET", "long", value)
    slow.send(request("GET", "long") * 40)
    time.sleep(0.2)
    assert fast.call("PING") == b"+PONG"
    for _ in range(40):
        assert slow.reply() == value
    assert slow.call("PING") == b"+PONG"


def test_bytes_that_come_one_by_one(tls: TlsServer):
    """Records are cut anywhere by the network."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = tls.context().wrap_bio(incoming, outgoing)
    with tls.raw() as sock:

        def exchange(call: Callable[[], object]) -> object:
            while True:
                try:
                    found = call()
                except ssl.SSLWantReadError:
                    found = None
                for byte in outgoing.read():
                    sock.sendall(bytes([byte]))
                if found is not None or (call == session.do_handshake and session.version()):
                    return found
                incoming.write(sock.recv(1))

        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        exchange(lambda: session.do_handshake() or True)  # type: ignore[func-returns-value]
        exchange(lambda: session.write(request("ECHO", "hello")))
        reply = b""
        while len(reply) < len(b"$5\r\nhello\r\n"):
            reply += exchange(lambda: session.read(1))  # type: ignore[operator]
        assert reply == b"$5\r\nhello\r\n"


def test_messages(tls: TlsServer):
    listener, speaker = tls.connect(), tls.connect()
    listener.call("SUBSCRIBE", "channel")
    for number in range(100):
        assert speaker.call("PUBLISH", "channel", number) == 1
        assert listener.reply() == [b"message", b"channel", b"%d" % number]


def test_a_client_that_ends_half_of_the_connection(tls: TlsServer):
    """What has come is done; the rest is as with plain connections."""
    client = tls.connect()
    client.call("DEL", "half")
    client.send(request("SET", "half", "done"))
    client.socket.shutdown(socket.SHUT_WR)
    other = tls.connect()
    wait_for(lambda: other.call("GET", "half") == b"done")


def test_a_goodbye_ends_the_connection_though_the_socket_stays(tls: TlsServer):
    context = tls.context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing)
    with tls.raw() as sock:
        while True:
            try:
                session.do_handshake()
                break
            except ssl.SSLWantReadError:
                sock.sendall(outgoing.read())
                incoming.write(sock.recv(65536))
        session.write(request("PING"))
        try:
            session.unwrap()
        except ssl.SSLWantReadError:
            pass
        sock.sendall(outgoing.read())
        received = b""
        while more := sock.recv(65536):
            received += more
        incoming.write(received)
        assert session.read() == b"+PONG\r\n"


def test_the_server_says_goodbye(tls: TlsServer):
    client = tls.connect()
    assert client.call("QUIT") == b"+OK"
    assert client.at_end()


# -- Who gets in -----------------------------------------------------------------------------------


def test_a_certificate_is_asked_for(tls: TlsServer):
    assert tls.refuses(tls.context(None))
    assert tls.refuses(tls.context("stranger"))
    # The client may hear of it before it is in the log.
    reason = "# Error accepting a client connection: "
    wait_for(lambda: f"{reason}peer did not return a certificate\n" in tls.process.log)
    wait_for(lambda: f"{reason}certificate verify failed: " in tls.process.log)


@pytest.mark.parametrize("choice", ["no", "optional"])
def test_a_certificate_that_need_not_be_shown(tls: TlsServer, choice: str):
    control = tls.process.connect()
    control.call("CONFIG", "SET", "tls-auth-clients", choice)
    try:
        assert tls.connect(tls.context(None)).call("PING") == b"+PONG"
        assert tls.refuses(tls.context("stranger")) == (choice == "optional")
    finally:
        control.call("CONFIG", "SET", "tls-auth-clients", "yes")


def test_a_certificate_names_a_user(tls: TlsServer):
    control = tls.process.connect()
    denied = b"acl_access_denied_tls_cert:"

    def count() -> int:
        return int(control.call("INFO", "stats").split(denied)[1].split(b"\r\n")[0])

    assert control.call("CONFIG", "GET", "tls-auth-clients-user") == [
        b"tls-auth-clients-user", b"off",
    ]  # fmt: skip
    assert control.call("CONFIG", "SET", "tls-auth-clients-user", "URI") == (
        b"-ERR CONFIG SET failed (possibly related to argument 'tls-auth-clients-user') - "
        b"argument(s) must be one of the following: off, CN"
    )
    assert control.call("CONFIG", "SET", "tls-auth-clients-user", "cn") == b"+OK"
    assert control.call("CONFIG", "GET", "tls-auth-clients-user")[1] == b"CN"
    before = count()
    try:
        for rules in ((), ("off", "nopass", "+@all")):
            if rules:
                control.call("ACL", "SETUSER", "client", *rules)
            control.call("ACL", "LOG", "RESET")
            client = tls.connect()
            assert client.call("ACL", "WHOAMI") == b"default"
            (entry,) = control.call("ACL", "LOG")
            shown = dict(zip(entry[::2], entry[1::2], strict=True))
            assert [shown[name] for name in (b"count", b"reason", b"context", b"object")] == [
                1, b"tls-cert", b"toplevel", b"",
            ]  # fmt: skip
            assert shown[b"username"] == b"client"
        assert count() == before + 2
        control.call("ACL", "SETUSER", "client", "on", "resetpass", ">secret", "+@all", "-lolwut")
        control.call("CONFIG", "SET", "requirepass", "p")
        client = tls.connect()
        assert client.call("ACL", "WHOAMI") == b"client"
        assert client.call("LOLWUT") == (
            b"-NOPERM User client has no permissions to run the 'lolwut' command"
        )
        assert client.call("AUTH", "p") == b"+OK"
        assert client.call("ACL", "WHOAMI") == b"default"
        assert "TLS: Auto-authenticated client as client\n" in tls.process.log
        control.call("CONFIG", "SET", "tls-auth-clients", "optional")
        stranger = tls.connect(tls.context(None))
        assert stranger.call("PING") == b"-NOAUTH Authentication required."
        assert count() == before + 2
    finally:
        for words in (
            ("tls-auth-clients", "yes"), ("tls-auth-clients-user", "off"), ("requirepass", ""),
        ):  # fmt: skip
            control.call("CONFIG", "SET", *words)
        control.call("ACL", "DELUSER", "client")


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", "http request"),
        (request("PING"), "wrong version number"),
        (bytes(100), "wrong version number"),
        (b"\x16\x03\x01\xff\xff" + b"x" * 100, ""),
    ],
)
def test_garbage_instead_of_a_handshake(tls: TlsServer, sent: bytes, reason: str):
    with tls.raw() as sock:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        try:
            while sock.recv(1000):
                pass
        except ConnectionResetError:
            pass
    wait_for(lambda: f"Error accepting a client connection: {reason}" in tls.process.log)
    assert tls.connect().call("PING") == b"+PONG"


def test_garbage_after_the_handshake(tls: TlsServer):
    client = tls.connect()
    assert client.call("PING") == b"+PONG"
    with socket.socket(fileno=client.socket.detach()) as sock:
        sock.settimeout(TIMEOUT)
        sock.sendall(b"\x17\x03\x03\x00\x40" + b"?" * 64)
        try:
            while sock.recv(1000):
                pass
        except ConnectionResetError:
            pass
    assert tls.connect().call("PING") == b"+PONG"


def test_handshakes_that_hang_delay_nobody(tls: TlsServer):
    before = tls.connect().call("CLIENT", "LIST").count(b" age=")
    hanging = [tls.raw() for _ in range(20)]
    for number, sock in enumerate(hanging):
        sock.sendall(b"\x16\x03\x01\x02\x00"[:number])  # parts of a record, or nothing
    client = tls.connect()
    begun = time.monotonic()
    for _ in range(100):
        assert client.call("PING") == b"+PONG"
    assert time.monotonic() - begun < 5
    assert client.call("CLIENT", "LIST").count(b"\n") >= 21
    for sock in hanging:
        sock.close()
    wait_for(lambda: client.call("CLIENT", "LIST").count(b" age=") <= before + 1)


def test_an_idle_handshake_is_ended_as_idle_clients_are(start_tls: StartTls):
    server = start_tls("--timeout", "1")
    with server.raw() as sock:
        assert sock.recv(1) == b""


def test_too_many_clients(start_tls: StartTls):
    server = start_tls("--maxclients", "1")
    assert server.connect().call("PING") == b"+PONG"
    assert server.refuses(server.context())


# -- Configuration ---------------------------------------------------------------------------------


def test_a_password_of_the_key(start_tls: StartTls, folder: Path):
    server = start_tls(*options(folder, "locked"), "--tls-key-file-pass", certificates.PASSWORD)
    assert server.connect().call("PING") == b"+PONG"


def test_a_directory_of_trusted_certificates(start_tls: StartTls, folder: Path, tmp_path: Path):
    require("openssl", "openssl")
    shutil.copy(folder / "ca.crt", tmp_path / "ca.crt")
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True)
    server = start_tls("--tls-ca-cert-file", "", "--tls-ca-cert-dir", str(tmp_path))
    assert server.connect().call("PING") == b"+PONG"
    assert server.refuses(server.context("stranger"))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--tls-cert-file", ""], "No tls-cert-file configured!"),
        (["--tls-key-file", ""], "No tls-key-file configured!"),
        (
            ["--tls-ca-cert-file", ""],
            "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, "
            "tls-replication or tls-auth-clients are enabled!",
        ),
        (
            [
                *("--tls-ca-cert-file", "", "--tls-auth-clients", "no"),
                *("--tls-replication", "yes"),
            ],
            "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, "
            "tls-replication or tls-auth-clients are enabled!",
        ),
        (["--tls-cert-file", "nix"], "Failed to load certificate: nix: No such file or directory"),
        (["--tls-key-file", "nix"], "Failed to load private key: nix: No such file or directory"),
        (
            ["--tls-key-file", "{folder}/client.key"],
            "Failed to load private key: {folder}/client.key: key values mismatch",
        ),
        (
            ["--tls-cert-file", "{folder}/locked.crt", "--tls-key-file", "{folder}/locked.key"],
            "Failed to load private key: {folder}/locked.key: ",
        ),
        (
            ["--tls-ca-cert-file", "nix"],
            "Failed to configure CA certificate(s) file/directory: No such file or directory",
        ),
        (
            ["--tls-protocols", "TLSv9"],
            "Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' "
            "and 'TLSv1.3'.",
        ),
        (["--tls-ciphers", "bogus"], "Failed to configure ciphers: bogus"),
        (["--tls-ciphersuites", "TLS_BOGUS"], "ciphersuites"),
        (["--tls-dh-params-file", "nix"], "Failed to load nix: No such file or directory"),
        (
            ["--tls-dh-params-file", "{folder}/ca.crt"],
            "{folder}/ca.crt: failed to read DH params.",
        ),
        (
            ["--tls-client-cert-file", "nix", "--tls-client-key-file", "nix"],
            "Failed to load certificate: nix: No such file or directory",
        ),
    ],
)
def test_what_cannot_be_used_is_said_at_start(start, folder, arguments, complaint):
    words = [word.format(folder=folder) for word in arguments]
    port = str(free_port())
    server = start("--tls-port", port, *options(folder), *words, wait=False)
    assert server.process.wait(TIMEOUT) == 1
    assert f"# {complaint.format(folder=folder)}" in server.log or complaint == "ciphersuites"
    assert "# Failed to configure TLS. Check logs for more info.\n" in server.log


def test_a_bus_is_not_encrypted_without_a_certificate(start):
    server = start("--cluster-enabled", "yes", "--tls-cluster", "yes", wait=False)
    assert server.process.wait(TIMEOUT) == 1
    assert "# No tls-cert-file configured!\n" in server.log
    assert "# Failed to configure TLS. Check logs for more info.\n" in server.log


def test_certificates_are_renewed(start_tls: StartTls, tmp_path: Path, folder: Path):
    for name in ("server", "other"):
        for kind in ("crt", "key"):
            shutil.copy(folder / f"{name}.{kind}", tmp_path)
    server = start_tls(
        *("--tls-cert-file", str(tmp_path / "server.crt")),
        *("--tls-key-file", str(tmp_path / "server.key")),
    )

    def shown() -> str:
        certificate = server.connect().socket.getpeercert()  # type: ignore[attr-defined]
        return dict(pair for part in certificate["subject"] for pair in part)["commonName"]

    before = server.connect()
    assert shown() == "server"
    # The same names, other files: said again, they are read again.
    shutil.copy(tmp_path / "other.crt", tmp_path / "server.crt")
    path = str(tmp_path / "server.crt")
    refused = before.call("CONFIG", "SET", "tls-cert-file", path)
    assert refused == (
        b"-ERR CONFIG SET failed (possibly related to argument 'tls-cert-file') - Unable to update "
        b"TLS configuration. Check server logs."
    )
    assert shown() == "server"
    shutil.copy(tmp_path / "other.key", tmp_path / "server.key")
    assert before.call("CONFIG", "SET", "tls-cert-file", path) == b"+OK"
    assert shown() == "other"
    assert before.call("PING") == b"+PONG"


def test_all_or_nothing(tls: TlsServer, folder: Path):
    control = tls.process.connect()
    refused = control.call(
        *("CONFIG", "SET", "tls-auth-clients", "no", "tls-key-file", "nix", "tls-protocols", ""),
    )
    assert refused.startswith(b"-ERR CONFIG SET failed")
    assert control.call("CONFIG", "GET", "tls-auth-clients") == [b"tls-auth-clients", b"yes"]
    assert tls.refuses(tls.context(None))


def test_versions(tls: TlsServer):
    control = tls.process.connect()
    only = tls.context()
    only.maximum_version = ssl.TLSVersion.TLSv1_2
    assert tls.connect(only).socket.version() == "TLSv1.2"  # type: ignore[attr-defined]
    assert control.call("CONFIG", "SET", "tls-protocols", "tlsv1.3") == b"+OK"
    try:
        assert tls.refuses(only)
        assert tls.connect().socket.version() == "TLSv1.3"  # type: ignore[attr-defined]
    finally:
        control.call("CONFIG", "SET", "tls-protocols", "")


def test_ciphers_and_whose_order_counts(tls: TlsServer):
    control = tls.process.connect()

    def agreed(ciphers: str) -> str:
        context = tls.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
        return tls.connect(context).socket.cipher()[0]  # type: ignore[attr-defined]

    first, second = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"
    control.call("CONFIG", "SET", "tls-ciphers", f"{second}:{first}")
    try:
        assert agreed(f"{first}:{second}") == first
        control.call("CONFIG", "SET", "tls-prefer-server-ciphers", "yes")
        assert agreed(f"{first}:{second}") == second
    finally:
        for name, value in (("tls-ciphers", ""), ("tls-prefer-server-ciphers", "no")):
            control.call("CONFIG", "SET", name, value)


@pytest.mark.parametrize(("caching", "reused"), [("yes", True), ("no", False)])
def test_sessions_are_resumed(tls: TlsServer, caching: str, reused: bool):
    tls.process.connect().call("CONFIG", "SET", "tls-session-caching", caching)
    context = tls.context()
    first = tls.connect(context)
    first.call("PING")
    session = first.socket.session  # type: ignore[attr-defined]
    raw = socket.create_connection(("127.0.0.1", tls.port), TIMEOUT)
    with context.wrap_socket(raw, session=session) as second:
        second.sendall(request("PING"))
        assert second.recv(100) == b"+PONG\r\n"
        assert bool(second.session_reused) == reused


def test_ports_come_and_go(start, folder: Path):
    server = start(*options(folder))
    port = free_port()
    control = server.connect()
    assert control.call("CONFIG", "SET", "tls-port", port) == b"+OK"
    secure = TlsServer(server, port, folder)
    client = secure.connect()
    assert client.call("CONFIG", "SET", "port", 0) == b"+OK"
    fields = client.call("INFO", "server").decode()
    assert f"tcp_port:{port}\r\n" in fields
    assert f"listener0:name=tls,bind=*,bind=-::*,port={port}\r\n" in fields
    assert client.call("CONFIG", "SET", "port", server.port) == b"+OK"
    with socket.create_server(("", 0)) as taken:
        refused = client.call("CONFIG", "SET", "tls-port", taken.getsockname()[1])
    assert refused == (
        b"-ERR CONFIG SET failed (possibly related to argument 'tls-port') - Unable to listen on "
        b"this port. Check server logs."
    )
    assert secure.connect().call("PING") == b"+PONG"
    assert server.connect().call("CONFIG", "SET", "tls-port", 0) == b"+OK"
    with pytest.raises(ConnectionRefusedError):
        secure.connect()
    client.close()


def test_a_port_without_certificates(start):
    control = start().connect()
    assert control.call("CONFIG", "SET", "tls-port", free_port()) == (
        b"-ERR CONFIG SET failed (possibly related to argument 'tls-port') - Unable to update TLS "
        b"configuration. Check server logs."
    )
    assert control.call("CONFIG", "SET", "tls-cert-file", "nix") == b"+OK"


# -- With programs ---------------------------------------------------------------------------------


def test_redis_py(tls: TlsServer):
    with redis.Redis(
        port=tls.port,
        ssl=True,
        ssl_check_hostname=False,
        ssl_ca_certs=str(tls.folder / "ca.crt"),
        ssl_certfile=str(tls.folder / "client.crt"),
        ssl_keyfile=str(tls.folder / "client.key"),
    ) as client:
        assert client.set("name", "value")
        assert client.get("name") == b"value"
        with client.pipeline(transaction=False) as pipeline:
            for number in range(1000):
                pipeline.echo(str(number))
            assert pipeline.execute() == [b"%d" % number for number in range(1000)]


@pytest.mark.parametrize(
    "program", [["redis-cli", "PING"], ["redis-benchmark", "-n", "2000", "-P", "16", "-q"]]
)
def test_tools(tls: TlsServer, program: list[str]):
    require(program[0], "redis-tools")
    command = [
        *(program[0], "-p", str(tls.port), "--tls", "--cacert", str(tls.folder / "ca.crt")),
        *("--cert", str(tls.folder / "client.crt"), "--key", str(tls.folder / "client.key")),
        *program[1:],
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert "PONG" in done.stdout or "requests per second" in done.stdout


# -- Who debugs ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["yes", "sync"])
def test_scripts_are_debugged(tls: TlsServer, mode: str):
    client = tls.connect()
    assert client.call("SCRIPT", "DEBUG", mode) == b"+OK"
    first = client.call("EVAL", "local a = 1\nreturn a", 0)
    assert first == [b"+* Stopped at 1, stop reason = step over", b"+-> 1   local a = 1"]
    assert client.call("step")[0] == b"+* Stopped at 2, stop reason = step over"
    assert client.call("print", "a") == [b"+<value> 1"]
    assert client.call("continue") == [b"+<endsession>"]
    assert client.reply() == 1
    assert tls.connect().call("PING") == b"+PONG"
