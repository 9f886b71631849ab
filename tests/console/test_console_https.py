"""The console over HTTPS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.peers import ServerProcess
from support import certificates
from support.waiting import free_port, wait_for

from .browsing import Browser
from .programs import program


def trusting(folder: Path) -> ssl.SSLContext:
    """What a browser knows that trusts the authority of the tests, and not the host's name."""
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.check_hostname = False
    return context


def options(folder: Path, name: str = "server") -> tuple[str, ...]:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    return ("--tls-cert-file", str(certificate), "--tls-key-file", str(key))


@contextmanager
def serving(
    tmp_path: Path, name: str = "server", *words: str
) -> Iterator[tuple[ServerProcess, Browser]]:
    """A server whose console is encrypted, though the server itself is not."""
    folder = certificates.make(tmp_path)
    port = free_port()
    server = ServerProcess(
        tmp_path, "--save", "", "--console-port", str(port), "--console-tls", "yes",
        *options(folder, name), *words,
    )  # fmt: skip
    try:
        server.wait_until_ready()
        browser = Browser(port, trusting(folder))
        wait_for(lambda: answers(browser))
        yield server, browser
    finally:
        server.stop()


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[ServerProcess, Browser]]:
    """One with the usual certificate."""
    with serving(tmp_path) as both:
        yield both


def answers(browser: Browser) -> bool:
    try:
        return browser.get("/health").status == 200
    except OSError:
        return False


def test_pages_metrics_and_probes_are_encrypted(secure: tuple[ServerProcess, Browser]) -> None:
    server, browser = secure
    assert f"The console is at https://127.0.0.1:{browser.port}/" in server.log
    assert browser.get("/").status == 200
    assert "redis_up 1\n" in browser.get("/metrics").text
    answer = browser.log_in()
    cookie = answer.headers["Set-Cookie"].split("; ")[1:]
    assert cookie == ["Path=/", "HttpOnly", "SameSite=Strict", "Secure"]
    assert browser.call("/api/typed", line="PING")["reply"] == {"status": "PONG"}


def test_who_speaks_http_is_told(secure: tuple[ServerProcess, Browser]) -> None:
    _, browser = secure
    answer = Browser(browser.port).get("/")
    assert (answer.status, answer.text) == (400, "This port speaks HTTPS.\n")


def test_silence_before_the_handshake_keeps_nobody_out(
    secure: tuple[ServerProcess, Browser],
) -> None:
    _, browser = secure
    silent = [socket.create_connection(("127.0.0.1", browser.port), 10) for _ in range(200)]
    assert browser.get("/ready").status == 200
    for sock in silent:
        sock.close()


def test_old_versions_are_refused(secure: tuple[ServerProcess, Browser]) -> None:
    server, browser = secure
    client = server.connect()
    assert client.call("CONFIG", "SET", "tls-protocols", "TLSv1.3") == b"+OK"
    assert browser.tls is not None
    browser.tls.maximum_version = ssl.TLSVersion.TLSv1_2

    def is_refused() -> bool:
        try:
            browser.get("/health")
        except ssl.SSLError:
            return True
        except OSError:
            pass
        return False

    assert wait_for(is_refused)


def test_a_renewed_certificate_is_read(
    secure: tuple[ServerProcess, Browser], tmp_path: Path
) -> None:
    server, browser = secure
    place = ("127.0.0.1", browser.port)
    before = ssl.get_server_certificate(place)
    for end in ("crt", "key"):
        (tmp_path / f"server.{end}").write_bytes((tmp_path / f"other.{end}").read_bytes())
    client = server.connect()
    reply = client.call("CONFIG", "SET", "tls-cert-file", str(tmp_path / "server.crt"))
    assert reply == b"+OK"
    wait_for(lambda: answers(browser) and ssl.get_server_certificate(place) != before)


def test_it_is_turned_off_and_on(secure: tuple[ServerProcess, Browser]) -> None:
    server, browser = secure
    client = server.connect()
    assert client.call("CONFIG", "SET", "console-tls", "no") == b"+OK"
    wait_for(
        lambda: answers(Browser(browser.port)) and Browser(browser.port).log_in().status == 200
    )
    reply = client.call("CONFIG", "SET", "console-tls", "yes", "tls-cert-file", "")
    assert reply == (
        b"-ERR CONFIG SET failed (possibly related to argument 'console-tls') - "
        b"console-tls needs tls-cert-file and tls-key-file"
    )
    assert client.call("CONFIG", "GET", "console-tls") == [b"console-tls", b"no"]
    assert client.call("CONFIG", "SET", "console-tls", "yes") == b"+OK"
    wait_for(lambda: answers(browser))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "console-tls needs tls-cert-file and tls-key-file, aborting."),
        (options(Path("/nowhere")), "Failed to load certificate: /nowhere/server.crt: "),
    ],
)
def test_without_a_certificate_the_server_does_not_start(
    tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    server = ServerProcess(
        tmp_path, "--console-port", str(free_port()), "--console-tls", "yes", *arguments
    )
    try:
        assert server.process.wait(20) == 1
        assert reason in server.log
    finally:
        server.stop()


def test_a_key_with_a_password(tmp_path: Path) -> None:
    with serving(tmp_path, "locked", "--tls-key-file-pass", certificates.PASSWORD) as (_, browser):
        assert answers(browser)


def test_the_program_alone(tmp_path: Path) -> None:
    folder = certificates.make(tmp_path)
    certificate, key = folder / "server.crt", folder / "server.key"
    words = ("127.0.0.1:1", "--https-cert", str(certificate), "--https-key", str(key))
    with program(*words) as (browser, line):
        assert f"is shown at https://127.0.0.1:{browser.port}/" in line
        assert Browser(browser.port, trusting(folder)).get("/").status == 200
