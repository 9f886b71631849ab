"""A browser without a screen: requests as the pages of the console send them."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Any, NamedTuple

from support.waiting import TIMEOUT


class Response(NamedTuple):
    """An answer of the console."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


class Browser:
    """One browser: it keeps a cookie and the token of its page.

    A header of None is left out. With ``tls`` it speaks HTTPS.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None):
        self.port = port
        self.tls = tls
        self.cookie = ""
        self.csrf = ""

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str | None] | None = None,
    ) -> Response:
        usual: dict[str, str | None] = {"Host": f"127.0.0.1:{self.port}"}
        if method == "POST":
            usual["Content-Length"] = str(len(body))
        sent = {**usual, **(headers or {})}
        place = ("127.0.0.1", self.port)
        if self.tls is None:
            connection = http.client.HTTPConnection(*place, timeout=TIMEOUT)
        else:
            connection = http.client.HTTPSConnection(*place, timeout=TIMEOUT, context=self.tls)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return Response(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Response:
        return self.request(
            "GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    def post(self, path: str, body: Any = None, **headers: str | None) -> Response:
        """A request of a page; ``headers`` take the place of the usual ones."""
        usual: dict[str, str | None] = {
            "Origin": f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}",
            "Content-Type": "application/json",
            "Cookie": self.cookie or None,
            "X-CSRF-Token": self.csrf or None,
        }
        usual.update({name.replace("_", "-"): value for name, value in headers.items()})
        data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        return self.request("POST", path, data, usual)

    def log_in(self, username: str = "", password: str | None = None) -> Response:
        wanted = {} if password is None else {"username": username, "password": password}
        answer = self.post("/api/login", wanted)
        if answer.status == 200:
            self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
            self.csrf = answer.json["csrf"]
        return answer

    def call(self, path: str, **wanted: Any) -> Any:
        """What a page gets; fails if it is refused."""
        answer = self.post(path, wanted)
        assert answer.status == 200, answer.text
        return answer.json

    def edit(self, action: str, key: Any, **wanted: Any) -> Response:
        return self.post("/api/edit", {"action": action, "key": key, **wanted})

    def value(self, key: Any, **wanted: Any) -> Any:
        return self.call("/api/value", key=key, **wanted)
