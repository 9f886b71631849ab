"""Where a server is, and as whom to log in there; URLs say it in one word."""

from __future__ import annotations

from typing import NamedTuple

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 6379


class UrlError(Exception):
    """A URL that says nothing; the text is what to tell."""


class Address(NamedTuple):
    """A host and a port, a UNIX socket if there is a path of one, or a file if that is given."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    socket: str | None = None
    file: str | None = None

    @property
    def text(self) -> str:
        """As prompts and messages show it."""
        if self.file is not None:
            return self.file
        if self.socket is not None:
            return self.socket
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def plain(self) -> str:
        """As redis-cli shows it in errors."""
        return self.socket or f"{self.host}:{self.port}"


class Target(NamedTuple):
    """What a URL says; None is what it does not say."""

    host: str | None = None
    port: int | None = None
    socket: str | None = None
    user: str | None = None
    password: str | None = None
    db: int | None = None
    tls: bool = False


def parse_url(text: str) -> Target:
    """``redis://[[user]:password@]host[:port][/db]``, ``rediss://``, ``unix://path[?db=N]``.

    Raises:
        UrlError: it is none of these.
    """
    # Most invocations have no URL.
    from urllib.parse import parse_qs, unquote

    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in ("redis", "rediss", "unix", "valkey", "valkeys"):
        raise UrlError("Invalid URI scheme")
    user = password = None
    if "@" in rest.partition("/")[0] or (scheme == "unix" and "@" in rest):
        login, _, rest = rest.rpartition("@") if scheme == "unix" else rest.partition("@")
        name, colon, secret = login.partition(":")
        # A single word is the password.
        user, password = (name or None, secret) if colon else (None, name)
        user, password = unquote(user) if user else None, unquote(password)
    rest, _, query = rest.partition("?")
    asked = parse_qs(query).get("db")
    if scheme == "unix":
        return Target(
            socket=unquote(rest),
            user=user,
            password=password,
            db=_number(asked[0]) if asked else None,
        )
    place, _, path = rest.partition("/")
    host, port = _split(place)
    chosen = path or (asked[0] if asked else "")
    return Target(
        host=unquote(host) or None,
        port=_number(port) if port else None,
        user=user,
        password=password,
        db=_number(chosen) if chosen else None,
        tls=scheme.endswith("ss") or scheme == "valkeys",
    )


def _split(place: str) -> tuple[str, str]:
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _, port = place.partition(":")
    return host, port


def _number(text: str) -> int:
    if not text.isdigit():
        raise UrlError(f"Invalid URI: {text!r} is no number")
    return int(text)
