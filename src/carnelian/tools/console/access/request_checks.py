"""Which requests are taken for what a page of this console has asked for.

A browser sends along where a request comes from. A name that somebody else's DNS has led here is
no host of ours (DNS rebinding), and a page of somebody else cannot send what changes something.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from email.message import Message

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")


class RequestChecks:
    """Judges the headers of requests.

    Args:
        names: host names under which the console may be called, besides ``localhost``, the name of
            this machine, and addresses in digits, which no DNS can lead astray.
    """

    def __init__(self, names: Iterable[str] = ()):
        own = socket.gethostname().lower()
        self._names = {"localhost", own, *(name.lower().rstrip(".") for name in names)} - {""}

    def host_refusal(self, headers: Message) -> str:
        """Why a request is not for us; "" if it is."""
        hosts = headers.get_all("Host") or []
        if len(hosts) != 1:
            return "A request needs one Host header."
        found = _HOST.fullmatch(hosts[0].strip())
        if found is None:
            return "The Host header is no host."
        name = found["name"].lower().rstrip(".")
        if name in self._names or _is_address(name):
            return ""
        return (
            f"This console is not called {name}. Call it by its address or as localhost, or allow "
            "the name (console-hosts)."
        )

    def origin_refusal(self, headers: Message) -> str:
        """Why a request that changes something comes from elsewhere; "" if it is from our page."""
        host = (headers.get("Host") or "").strip().lower()
        origins = headers.get_all("Origin") or []
        if len(origins) != 1 or origins[0].lower() not in (f"http://{host}", f"https://{host}"):
            return "The request does not come from a page of this console (Origin)."
        return self.site_refusal(headers)

    def site_refusal(self, headers: Message) -> str:
        """Why a request was sent by somebody else's page, as browsers tell; "" if it was not."""
        site = headers.get("Sec-Fetch-Site", "same-origin")
        if site not in ("same-origin", "none"):
            return "The request does not come from a page of this console (Sec-Fetch-Site)."
        return ""


def is_secure(headers: Message) -> bool:
    """Whether the browser has come over HTTPS, by way of a proxy."""
    return headers.get("Origin", "").lower().startswith("https://")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
