"""Whose certificates are those of servers of ours, where an authority has signed others as well."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from typing import Any

# Names, as ``tls-expected-peer-name`` has them.
Names = Sequence[str]

_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


def expect(context: ssl.SSLContext, names: Callable[[], Names]) -> None:
    """Have handshakes of a context fail unless the other side's certificate is for one of some
    names. They are asked for at the end of each handshake; if there are none, any will do.
    """

    class Checked(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            wanted = names()
            if wanted and not is_for(self.getpeercert() or {}, wanted):
                raise ValueError("certificate verify failed: hostname mismatch")

    context.sslobject_class = Checked


def is_for(certificate: Any, names: Names) -> bool:
    """Whether a certificate, as ``getpeercert`` shows it, is for one of some names. Its subject
    counts only if it names no hosts.
    """
    hosts = [value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"]
    if not hosts:
        pairs = [pair for part in certificate.get("subject", ()) for pair in part]
        hosts = [value for kind, value in pairs if kind == "commonName"]
    return any(_covers(host.lower(), name.lower()) for host in hosts for name in names)


def _covers(host: str, name: str) -> bool:
    if name.startswith("."):
        return host.endswith(name) and len(host) > len(name) > 1
    if host == name:
        return True
    # A star stands for one label, and not for that before the last.
    star, _, rest = host.partition(".")
    first, _, other = name.partition(".")
    return (
        star == "*" and "." in rest and rest == other and bool(first) and _LABEL.issuperset(first)
    )
