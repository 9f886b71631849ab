"""The web server of the console: HTTP/1.1 of the standard library, with its doors watched."""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import socketserver
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from carnelian.tools.console import console_routes
from carnelian.tools.console.access.browser_sessions import BrowserSession, BrowserSessions
from carnelian.tools.console.access.connection_slots import ConnectionSlot, ConnectionSlots
from carnelian.tools.console.access.login_limits import LoginLimits
from carnelian.tools.console.access.request_checks import RequestChecks, is_secure
from carnelian.tools.console.answers.json_values import BadRequestError
from carnelian.tools.console.answers.value_editing import ChangedError
from carnelian.tools.console.console_routes import TEXT, Answer, Request, as_json, refusal
from carnelian.tools.console.link.link_errors import LinkError, LoginRefusedError, RefusedError
from carnelian.tools.console.link.redis_link import RedisLink
from carnelian.tools.console.link.server_address import Credentials, ServerAddress
from carnelian.tools.console.metrics import exposition, health_checks, metrics_page

if TYPE_CHECKING:
    from ssl import SSLContext

# Bytes of a request's body at most, and those for somebody who is not logged in.
MOST_BODY = 8 * 1024 * 1024
MOST_UNKNOWN_BODY = 128 * 1024
# Connections at a time, and those beyond that are kept for probes.
MOST_CONNECTIONS = 64
KEPT_CONNECTIONS = 8
PROBES = ("/health", "/ready", "/metrics")
# Seconds that a browser has for a request, and to be silent between two.
_PATIENCE = 30

HEADERS = (
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_NOT_STORED = ("Cache-Control", "no-store")
_CHECKED_AGAIN = ("Cache-Control", "no-cache")

# What a handshake of TLS begins with.
_HANDSHAKE = b"\x16"
_FULL = "The console has too many connections."

_KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@dataclass
class ConsoleState:
    """What all connections of a console share.

    ``own`` are the credentials of the URL that the console was started with: whoever has ``key``,
    which is shown where it was started, is logged in with them. ``told`` is what our own server has
    told of itself last.
    """

    address: ServerAddress
    names: tuple[str, ...] = ()
    own: Credentials | None = None
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    told: str = ""
    limits: LoginLimits = field(default_factory=LoginLimits)
    sessions: BrowserSessions = field(default_factory=BrowserSessions)

    def __post_init__(self) -> None:
        self.checks = RequestChecks(self.names)
        self.pages = _load_pages()


def _load_pages() -> dict[str, tuple[bytes, str]]:
    """All files of the pages by their paths: what is not among them cannot be asked for."""
    pages = {}
    for file in files("carnelian.tools.console").joinpath("pages").iterdir():
        kind = _KINDS.get(file.name.rpartition(".")[2])
        if kind is not None:
            pages[f"/{file.name}"] = (file.read_bytes(), kind)
    pages["/"] = pages.pop("/index.html")
    return pages


class ConsoleServer(socketserver.ThreadingMixIn, HTTPServer):
    """Serves on a socket that listens already, a thread for each connection, up to a limit.

    ``cookie`` is the name of the session's cookie: browsers do not tell ports apart, and a machine
    may have several consoles. ``tls`` has what HTTPS is served with; None is HTTP.
    """

    daemon_threads = True

    def __init__(self, sock: socket.socket, state: ConsoleState, tls: SSLContext | None = None):
        super().__init__(("", 0), ConsoleHandler, bind_and_activate=False)
        self.socket.close()
        self.socket = sock
        self.state = state
        self.tls = tls
        self.port = sock.getsockname()[1]
        self.cookie = f"carnelian_console_{self.port}"
        self.slots = ConnectionSlots(MOST_CONNECTIONS, KEPT_CONNECTIONS)

    def get_request(self) -> tuple[socket.socket, Any]:
        """A connection that has come. Its thread shakes hands, which may take a while."""
        sock, address = super().get_request()
        if self.tls is None:
            return sock, address
        try:
            wrapped = self.tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        except BaseException:
            sock.close()
            raise
        return wrapped, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Have a thread serve a connection, or turn it away."""
        if self.slots.take(request):
            super().process_request(request, client_address)
            return
        try:
            if self.tls is None:
                request.settimeout(1)
                request.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        except OSError:
            pass
        self.shutdown_request(request)

    def shutdown_request(self, request: Any) -> None:
        """End a connection, and let somebody else have its place."""
        self.slots.leave(request)
        if self.tls is not None:
            try:
                # It says that this is the end, and does not wait until the other side has heard.
                request.settimeout(0)
                request.unwrap()
            except (OSError, ValueError):
                pass
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was lost is nobody's fault."""
        import sys

        if not isinstance(sys.exception() if hasattr(sys, "exception") else None, OSError):
            super().handle_error(request, client_address)


class ConsoleHandler(BaseHTTPRequestHandler):
    """Reads requests of one connection and answers them."""

    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE
    server: ConsoleServer
    _deadline: threading.Timer

    def handle(self) -> None:
        """Shake hands if need be, and answer request after request."""
        if self.server.tls is None or self._shake_hands():
            super().handle()

    def _shake_hands(self) -> bool:
        """Whether the connection is encrypted now; who speaks HTTP here is told why it is not."""
        with self._patience():
            # It would be decrypted by the method of the socket itself.
            if socket.socket.recv(self.connection, 1, socket.MSG_PEEK) == _HANDSHAKE:
                self.connection.do_handshake()  # type: ignore[attr-defined]
                return True
        text = b"This port speaks HTTPS.\n"
        head = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n"
        socket.socket.sendall(
            self.connection, head + b"Content-Length: %d\r\n\r\n" % len(text) + text
        )
        return False

    @contextmanager
    def _patience(self) -> Iterator[None]:
        """Hang up on whoever takes too long, sending byte by byte: the thread is for others."""
        slot = ConnectionSlot(self.connection, 0.0)
        self._deadline = threading.Timer(_PATIENCE, slot.hang_up)
        self._deadline.daemon = True
        self._deadline.start()
        try:
            yield
        finally:
            self._deadline.cancel()

    def handle_one_request(self) -> None:
        """Read a request and answer it."""
        self.server.slots.await_request(self.connection)
        with self._patience():
            super().handle_one_request()

    def do_GET(self) -> None:
        """Pages, metrics, probes."""
        self._respond()

    def do_HEAD(self) -> None:
        """The same without bodies."""
        self._respond()

    def do_POST(self) -> None:
        """What pages ask for."""
        self._respond()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what matters is in the log of the server, and in ACL LOG."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What cannot be read as a request ends the connection."""
        self.close_connection = True
        self._send(refusal(code, message or "The request cannot be read."))

    def _respond(self) -> None:
        try:
            answer = self._answer()
        except BadRequestError as error:
            answer = refusal(400, str(error))
        except ChangedError as error:
            answer = refusal(409, str(error))
        except RefusedError as error:
            answer = refusal(422, str(error))
        except LinkError as error:
            answer = refusal(502, str(error))
        try:
            self._send(answer)
        except OSError:
            self.close_connection = True

    # -- Answers ---------------------------------------------------------------------------------

    def _answer(self) -> Answer:
        path = self.path.partition("?")[0]
        body = b""
        if self.command == "POST":
            length = self._body_length()
            if isinstance(length, Answer):
                self.close_connection = True
                return length
            unwanted = self.server.state.checks.host_refusal(self.headers)
            if unwanted:
                self.close_connection = True
                return refusal(421, unwanted)
            body = self.rfile.read(length)
            if len(body) < length:
                raise BadRequestError("The body ends too early.")
        elif self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            # Nobody reads it: what follows would be taken for a request.
            self.close_connection = True
        # All of it has come: what is left to do takes as long as it takes.
        self._deadline.cancel()
        if not self.server.slots.begin_answer(self.connection) and path not in PROBES:
            self.close_connection = True
            return refusal(503, _FULL, ("Retry-After", "1"))
        request = Request(path, self.headers, body, self.client_address[0])
        if path in ("/health", "/ready"):
            return self._probe(request)
        unwanted = self.server.state.checks.host_refusal(self.headers)
        if unwanted:
            return refusal(421, unwanted)
        if self.command == "POST":
            return self._answer_post(request)
        if path == "/metrics":
            return self._metrics(request)
        return self._page(path)

    def _body_length(self) -> int | Answer:
        """How long the body is, or why it is not taken."""
        if "Transfer-Encoding" in self.headers:
            return refusal(411, "A body needs a Content-Length.")
        lengths = self.headers.get_all("Content-Length") or []
        digits = lengths[0] if len(lengths) == 1 else ""
        # Of letters in Latin-1 some are digits, too.
        if not (digits.isascii() and digits.isdigit()):
            return refusal(411, "A body needs a Content-Length.")
        if len(digits) > 18 or int(digits) > MOST_BODY:
            return refusal(413, f"A body may have {MOST_BODY >> 20} MB.")
        if int(digits) > MOST_UNKNOWN_BODY:
            session = self.server.state.sessions.find(self._cookie())
            if session is None:
                return refusal(401, "Log in first.")
        return int(lengths[0])

    def _page(self, path: str) -> Answer:
        page = self.server.state.pages.get(path)
        if page is None:
            return refusal(404, "There is nothing here.")
        return Answer(200, page[0], page[1], (_CHECKED_AGAIN,))

    def _probe(self, request: Request) -> Answer:
        state = self.server.state
        if request.path == "/health":
            health = health_checks.live(state.address)
        elif state.told:
            health = health_checks.ready(state.address, None, state.told)
        else:
            given = request.basic_credentials()
            wait = state.limits.begin(request.address) if given else 0.0
            if wait:
                return _too_often(wait)
            try:
                health = health_checks.ready(state.address, given or state.own, "")
            except LoginRefusedError:
                text = "a user is needed to ask: use Basic authentication"
                health = health_checks.Health(False, text)
            else:
                if given:
                    state.limits.undone(request.address)
        return Answer(
            200 if health.well else 503, f"{health.text}\n".encode(), TEXT, (_NOT_STORED,)
        )

    def _metrics(self, request: Request) -> Answer:
        state = self.server.state
        credentials = request.basic_credentials()
        wait = state.limits.begin(request.address) if credentials else 0.0
        if wait:
            return _too_often(wait)
        link = RedisLink(state.address, credentials or Credentials(), manners=False)
        try:
            page = metrics_page.gather(link)
        except LoginRefusedError as error:
            challenge = ("WWW-Authenticate", 'Basic realm="Redis user", charset="UTF-8"')
            return refusal(401, str(error), challenge, _NOT_STORED)
        except (LinkError, RefusedError) as error:
            # That was no failed login.
            if credentials:
                state.limits.undone(request.address)
            if isinstance(error, LinkError):
                raise
            return refusal(403, str(error), _NOT_STORED)
        finally:
            link.close()
        if credentials:
            state.limits.undone(request.address)
        accepted = self.headers.get("Accept", "")
        if "openmetrics" not in accepted and "text/plain" in accepted:
            return Answer(200, page.plain().encode(), exposition.PLAIN, (_NOT_STORED,))
        return Answer(200, page.openmetrics().encode(), exposition.OPENMETRICS, (_NOT_STORED,))

    # -- Pages that ask --------------------------------------------------------------------------

    def _answer_post(self, request: Request) -> Answer:
        unwanted = self.server.state.checks.origin_refusal(self.headers)
        if unwanted:
            return refusal(403, unwanted)
        if self.headers.get_content_type() != "application/json":
            return refusal(415, "A body has to be application/json.")
        if request.path == "/api/login":
            return self._log_in(request)
        session = self.server.state.sessions.find(self._cookie())
        if request.path == "/api/session":
            return self._session(session)
        if session is None:
            return refusal(401, "Log in first.")
        if not session.trusts(self.headers.get("X-CSRF-Token")):
            return refusal(403, "The request lacks the token of this session.")
        if request.path == "/api/logout":
            self.server.state.sessions.end(session)
            return as_json({}, 200, _NOT_STORED, self._cookie_header("", 0))
        return self._answer_session(session, request)

    def _answer_session(self, session: BrowserSession, request: Request) -> Answer:
        try:
            answer = console_routes.answer_page(session, request)
        except LoginRefusedError as error:
            self.server.state.sessions.end(session)
            return refusal(401, str(error))
        if answer is None:
            return refusal(404, "There is nothing here.")
        return answer._replace(headers=(*answer.headers, _NOT_STORED))

    def _session(self, session: BrowserSession | None) -> Answer:
        """Who is logged in, with the token for the page; or how one may log in."""
        state = self.server.state
        if session is not None:
            return as_json(
                {"user": session.credentials.username, "csrf": session.csrf}, 200, _NOT_STORED
            )
        shown = {"user": None, "open": _is_open(state.address), "server": state.address.shown}
        return as_json(shown, 200, _NOT_STORED)

    def _log_in(self, request: Request) -> Answer:
        """Begin a session: with a user and a password, with the key of the start, or with neither
        where the default user needs no password."""
        state = self.server.state
        wanted = request.parameters()
        wait = state.limits.begin(request.address)
        if wait:
            return _too_often(wait)
        credentials = self._credentials(wanted)
        try:
            if credentials is None:
                raise LoginRefusedError("WRONGPASS This is not the key of this console.")
            _try_login(state.address, credentials)
        except LoginRefusedError as error:
            return refusal(401, str(error), _NOT_STORED)
        except (LinkError, RefusedError):
            state.limits.undone(request.address)
            raise
        # Those that failed before still count: somebody's own password must not buy more guesses.
        state.limits.undone(request.address)
        before = state.sessions.find(self._cookie())
        if before is not None:
            state.sessions.end(before)
        session = state.sessions.begin(state.address, credentials)
        return as_json(
            {"user": credentials.username, "csrf": session.csrf},
            200,
            _NOT_STORED,
            self._cookie_header(session.token),
        )

    def _credentials(self, wanted: Any) -> Credentials | None:
        """Who wants to log in; None for a wrong key."""
        state = self.server.state
        if wanted.has("key"):
            given = wanted.text("key").encode()
            right = hmac.compare_digest(given, state.key.encode())
            return state.own if right else None
        if wanted.has("password"):
            return Credentials(wanted.text("username", "") or "default", wanted.text("password"))
        return Credentials()

    def _cookie(self) -> str | None:
        # SimpleCookie reads none if one of somebody else, on another port, is no proper one.
        for part in "; ".join(self.headers.get_all("Cookie") or []).split(";"):
            name, _, value = part.strip().partition("=")
            if name == self.server.cookie:
                return value
        return None

    def _cookie_header(self, token: str, age: int | None = None) -> tuple[str, str]:
        parts = [f"{self.server.cookie}={token}", "Path=/", "HttpOnly", "SameSite=Strict"]
        if age is not None:
            parts.append(f"Max-Age={age}")
        if self.server.tls is not None or is_secure(self.headers):
            parts.append("Secure")
        return "Set-Cookie", "; ".join(parts)

    # -- Sending ---------------------------------------------------------------------------------

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        self.send_header("Date", self.date_time_string())
        self.send_header("Content-Type", answer.kind)
        for name, value in (*HEADERS, *answer.headers):
            self.send_header(name, value)
        if answer.lines is not None:
            self._send_lines(answer.lines)
            return
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _send_lines(self, lines: Any) -> None:
        """Send lines as they come, until they end or the browser has gone."""
        self.close_connection = True
        self.send_header("Connection", "close")
        try:
            self.end_headers()
            for line in lines:
                self.wfile.write(line)
        except LinkError as error:
            self.wfile.write(json.dumps({"end": str(error)}).encode() + b"\n")
        finally:
            lines.close()


def _too_often(wait: float) -> Answer:
    seconds = int(wait) + 1
    text = f"There were too many logins that failed. Try again in {seconds} s."
    return refusal(429, text, ("Retry-After", str(seconds)), _NOT_STORED)


def _is_open(address: ServerAddress) -> bool:
    """Whether the default user needs no password."""
    try:
        _try_login(address, Credentials())
    except (LoginRefusedError, LinkError, RefusedError):
        return False
    return True


def _try_login(address: ServerAddress, credentials: Credentials) -> None:
    """Raises LoginRefusedError if the server does not let somebody in, and LinkError."""
    link = RedisLink(address, credentials, manners=False)
    try:
        link.pipeline([("PING",)])
    finally:
        link.close()


def serve(
    sockets: Iterable[socket.socket], state: ConsoleState, tls: SSLContext | None = None
) -> list[ConsoleServer]:
    """Serve on sockets, each in a thread of its own; ``tls`` has what HTTPS is served with."""
    servers = [ConsoleServer(sock, state, tls) for sock in sockets]
    for server in servers:
        threading.Thread(target=server.serve_forever, name="console", daemon=True).start()
    return servers
