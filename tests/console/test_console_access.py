"""Who gets into the console, and what is answered to those who should not."""

from __future__ import annotations

import base64
import json
import socket
from pathlib import Path

import pytest

from .browsing import Browser
from .conftest import Console, StartConsole, begin_console

SECRET = "sesame"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory):
    """A console of a server whose default user has a password, with a second user."""
    console = begin_console(tmp_path_factory.mktemp("guarded"), "--requirepass", SECRET)
    client = console.client()
    client.call("AUTH", SECRET)
    client.call("ACL", "SETUSER", "reader", "on", ">read", "~public:*", "+@read", "+info", "+ping")
    yield console
    console.server.stop()


def test_pages_have_the_headers_that_keep_others_out(console: Console) -> None:
    answer = console.browser().get("/")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Server" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/../console_program.py",
        "/%2e%2e/console_program.py",
        "/..%2fconsole_program.py",
        "//etc/passwd",
        "/index.html/..",
        "/pages/app.js",
        "/app.js/",
        "/etc/passwd",
        "/.",
    ],
)
def test_nothing_but_the_pages_is_served(console: Console, path: str) -> None:
    assert console.browser().get(path).status == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:1", 200),
        ("LOCALHOST.", 200),
        ("[::1]:8001", 200),
        ("192.168.7.9", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1@evil.example", 421),
        ("", 421),
        (None, 421),
    ],
)
def test_a_name_that_is_not_ours_is_refused(
    console: Console, host: str | None, status: int
) -> None:
    for path in ("/", "/app.js", "/metrics"):
        assert console.browser().request("GET", path, headers={"Host": host}).status == status


def test_a_name_may_be_allowed(start: StartConsole) -> None:
    console = start("--console-hosts", "redis.example other.example")
    for host, status in (("redis.example", 200), ("other.example:80", 200), ("x.example", 421)):
        assert console.browser().request("GET", "/", headers={"Host": host}).status == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": None},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_what_another_page_sends_is_refused(
    browser: Browser, headers: dict[str, str | None]
) -> None:
    for path in ("/api/login", "/api/edit", "/api/about"):
        assert browser.post(path, {}, **headers).status == 403


@pytest.mark.parametrize("token", [None, "", "x", "é"])
def test_a_request_needs_the_token_of_its_session(browser: Browser, token: str | None) -> None:
    browser.csrf, right = token or "", browser.csrf
    answer = browser.post("/api/about")
    assert (answer.status, answer.json["error"]) == (
        403,
        "The request lacks the token of this session.",
    )
    browser.csrf = right
    assert browser.post("/api/about").status == 200


def test_a_token_is_of_one_session(console: Console, browser: Browser) -> None:
    other = console.entered()
    other.csrf = browser.csrf
    assert other.post("/api/about").status == 403


def test_the_cookie_is_out_of_reach(console: Console) -> None:
    answer = console.browser().log_in()
    cookie = answer.headers["Set-Cookie"]
    name, _, rest = cookie.partition("=")
    assert name == f"carnelian_console_{console.port}"
    assert rest.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Strict"]


def test_over_https_the_cookie_says_so(console: Console) -> None:
    browser = console.browser()
    answer = browser.post("/api/login", {}, Origin=f"https://127.0.0.1:{console.port}")
    assert answer.headers["Set-Cookie"].endswith("; Secure")


def test_a_session_ends_with_the_logout(console: Console) -> None:
    browser = console.entered()
    assert browser.post("/api/about").status == 200
    answer = browser.post("/api/logout")
    assert answer.headers["Set-Cookie"].endswith("Max-Age=0")
    assert browser.post("/api/about").status == 401


def test_login_with_a_user_of_the_server(guarded: Console) -> None:
    browser = guarded.browser()
    told = browser.post("/api/session").json
    assert (told["user"], told["open"]) == (None, False)
    assert browser.post("/api/about").status == 401
    assert browser.log_in().status == 401
    assert browser.log_in("default", SECRET).status == 200
    assert browser.call("/api/about")["user"] == "default"
    assert browser.post("/api/session").json["user"] == "default"


def test_users_may_do_what_their_rules_say(guarded: Console) -> None:
    client = guarded.client()
    client.call("AUTH", SECRET)
    client.call("MSET", "public:a", "1", "private:a", "2")
    browser = guarded.browser()
    assert browser.log_in("reader", "read").status == 200
    assert browser.value("public:a")["value"] == "1"
    refused = browser.post("/api/value", {"key": "private:a"})
    assert refused.status == 422
    assert refused.json["error"].startswith("NOPERM ")
    for path, body in (
        ("/api/edit", {"action": "key.delete", "key": "public:a"}),
        ("/api/settings", {}),
        ("/api/clients", {}),
        ("/api/slow", {}),
        ("/api/tap", {"kind": "monitor"}),
        ("/api/publish", {"channel": "c", "message": "m"}),
    ):
        answer = browser.post(path, body)
        assert answer.status == 422, path
        assert answer.json["error"].startswith("NOPERM "), path
    assert client.call("GET", "public:a") == b"1"


def test_a_user_who_may_only_look_sees_all_pages(guarded: Console) -> None:
    """The rules of docs/console.md."""
    text = (Path(__file__).parents[2] / "docs" / "console.md").read_text()
    rules = text.partition("ACL SETUSER viewer ")[2].partition("```")[0].split()
    client = guarded.client()
    client.call("AUTH", SECRET)
    assert client.call("ACL", "SETUSER", "viewer", *rules) == b"+OK"
    browser = guarded.browser()
    assert browser.log_in("viewer", "secret").status == 200
    for path in ("about", "figures", "databases", "slow", "clients", "replication", "settings"):
        answer = browser.post(f"/api/{path}")
        assert answer.status == 200, (path, answer.text)
        assert "NOPERM" not in answer.text
    client.call("FLUSHALL")
    assert browser.call("/api/keys", match="*")["keys"] == []
    assert browser.call("/api/commands")["commands"]
    assert browser.edit("key.create", "k", value="v").json["error"].startswith("NOPERM")
    refused = {entry[7] for entry in client.call("ACL", "LOG") if b"viewer" in entry}
    assert refused <= {b"set", b"watch", b"multi"}


def test_a_user_who_is_deleted_is_logged_out(guarded: Console) -> None:
    client = guarded.client()
    client.call("AUTH", SECRET)
    client.call("ACL", "SETUSER", "guest", "on", ">guest", "~*", "+@all")
    browser = guarded.browser()
    assert browser.log_in("guest", "guest").status == 200
    assert browser.post("/api/about").status == 200
    client.call("ACL", "DELUSER", "guest")
    assert browser.post("/api/about").status == 401
    assert browser.post("/api/session").json["user"] is None


def test_guessing_passwords_gets_slower(start: StartConsole) -> None:
    console = start("--requirepass", SECRET)
    browser = console.browser()
    for _ in range(5):
        answer = browser.log_in("default", "wrong")
        assert (answer.status, answer.json["error"].split()[0]) == (401, "WRONGPASS")
    answer = browser.log_in("default", SECRET)
    assert answer.status == 429
    assert answer.headers["Retry-After"] in ("1", "2")
    # The same counts for those who ask for metrics.
    coded = base64.b64encode(b"default:wrong").decode()
    assert browser.get("/metrics", Authorization=f"Basic {coded}").status == 429


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"{}", 200),
        (b"{", 400),
        (b"[]", 400),
        (b"null", 400),
        (b'"x"', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
    ],
)
def test_bodies_that_are_no_json_object(browser: Browser, body: bytes, status: int) -> None:
    assert browser.post("/api/about", body).status == status


@pytest.mark.parametrize(
    "wanted",
    [
        {"key": 5},
        {"key": None},
        {"key": {"b64": "%%"}},
        {"key": {"hex": "00"}},
        {"key": "\ud800"},
        {"key": "k", "db": "0"},
        {"key": "k", "db": -1},
        {"key": "k", "db": True},
        {"key": "k", "db": 1.5},
        {"key": "k", "whole": 1},
    ],
)
def test_parameters_that_make_no_sense(browser: Browser, wanted: dict) -> None:
    client_body = json.dumps(wanted).encode()
    assert (
        browser.post("/api/edit", {"action": "key.create", "key": "k", "value": "v"}).status == 200
    )
    assert browser.post("/api/value", client_body).status == 400


def test_big_bodies_are_not_read(browser: Browser) -> None:
    answer = browser.request(
        "POST",
        "/api/edit",
        headers={
            "Origin": f"http://127.0.0.1:{browser.port}",
            "Content-Type": "application/json",
            "Content-Length": str(9 * 1024 * 1024),
        },
    )
    assert answer.status == 413
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Length": None}, 411),
        ({"Content-Length": "-1"}, 411),
        ({"Content-Length": "x"}, 411),
        ({"Transfer-Encoding": "chunked"}, 411),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": None}, 415),
    ],
)
def test_bodies_of_unknown_form(
    browser: Browser, headers: dict[str, str | None], status: int
) -> None:
    usual: dict[str, str | None] = {
        "Origin": f"http://127.0.0.1:{browser.port}",
        "Content-Type": "application/json",
    }
    assert browser.request("POST", "/api/about", headers={**usual, **headers}).status == status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_other_methods_are_not_known(console: Console, method: str) -> None:
    answer = console.browser().request(method, "/")
    assert answer.status == 501
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_body_of_a_get_is_no_second_request(console: Console) -> None:
    smuggled = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = f"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(smuggled)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", console.port), timeout=10) as sock:
        sock.sendall(head.encode() + smuggled)
        received = b""
        while data := sock.recv(65536):
            received += data
    assert received.count(b"HTTP/1.1 ") == 1


def test_a_line_without_an_end_is_refused(console: Console) -> None:
    with socket.create_connection(("127.0.0.1", console.port), timeout=10) as sock:
        sock.sendall(b"GET /" + b"x" * 70_000)
        assert sock.recv(65536).startswith(b"HTTP/1.1 414 ")
