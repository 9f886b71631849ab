"""What TLS connections are made with: certificates, trust, versions and ciphers."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable
from typing import NamedTuple

from carnelian.net.tls_transport import explain

VERSIONS = {
    "tlsv1": (ssl.TLSVersion.TLSv1, ssl.OP_NO_TLSv1),
    "tlsv1.1": (ssl.TLSVersion.TLSv1_1, ssl.OP_NO_TLSv1_1),
    "tlsv1.2": (ssl.TLSVersion.TLSv1_2, ssl.OP_NO_TLSv1_2),
    "tlsv1.3": (ssl.TLSVersion.TLSv1_3, ssl.OP_NO_TLSv1_3),
}
DEFAULT_VERSIONS = "TLSv1.2 TLSv1.3"
# What OpenSSL takes if it is told nothing; Python's ssl would take fewer.
DEFAULT_CIPHERS = "DEFAULT"

VERIFY_MODES = {
    "no": ssl.CERT_NONE,
    "optional": ssl.CERT_OPTIONAL,
    "yes": ssl.CERT_REQUIRED,
}


class TlsError(Exception):
    """Something that TLS is configured with cannot be used; the message says what and why."""


class Identity(NamedTuple):
    """A certificate file, the file of its key, and that key's password if it has one."""

    certificate: str
    key: str
    password: str | None = None


class Trust(NamedTuple):
    """Files of certificates that are trusted, and which clients have to show one.

    ``clients`` is ``yes``, ``no`` or ``optional``.
    """

    file: str | None = None
    directory: str | None = None
    clients: str = "yes"


class Terms(NamedTuple):
    """What is agreed on in a handshake; None leaves it to the library.

    Args:
        versions: names as in ``TLSv1.2 TLSv1.3``, separated by blanks.
        ciphers: those up to TLS 1.2, as openssl-ciphers(1) lists them.
        suites: those of TLS 1.3, separated by colons.
        dh_file: Diffie-Hellman parameters.
        server_chooses: whether the server's order of ciphers counts, not the client's.
        resumable: whether sessions can be resumed.
    """

    versions: str | None = None
    ciphers: str | None = None
    suites: str | None = None
    dh_file: str | None = None
    server_chooses: bool = False
    resumable: bool = True


def server_context(identity: Identity, trust: Trust, terms: Terms) -> ssl.SSLContext:
    """For connections that are accepted. Raises TlsError."""
    context = _context(ssl.PROTOCOL_TLS_SERVER, identity, trust, terms)
    context.verify_mode = VERIFY_MODES[trust.clients]
    if not terms.resumable:
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
    if terms.dh_file:
        _load_parameters(context, terms.dh_file)
    return context


def client_context(identity: Identity, trust: Trust, terms: Terms) -> ssl.SSLContext:
    """For connections to other servers, whose certificates may be for any name. Raises TlsError."""
    context = _context(ssl.PROTOCOL_TLS_CLIENT, identity, trust, terms)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _context(protocol: int, identity: Identity, trust: Trust, terms: Terms) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if terms.server_chooses:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    _limit_versions(context, terms.versions or DEFAULT_VERSIONS)
    _load_identity(context, identity)
    if trust.file or trust.directory:
        _attempt(
            "Failed to configure CA certificate(s) file/directory: {}",
            lambda: context.load_verify_locations(trust.file, trust.directory),
        )
    _choose_ciphers(context, terms)
    return context


def _limit_versions(context: ssl.SSLContext, names: str) -> None:
    chosen = {name.lower() for name in names.split(" ") if name}
    if not chosen or not chosen <= VERSIONS.keys():
        raise TlsError(
            "Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', "
            "'TLSv1.2' and 'TLSv1.3'."
        )
    with warnings.catch_warnings():
        # Whoever asks for old versions knows that they are old.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = min(VERSIONS[name][0] for name in chosen)
        context.maximum_version = max(VERSIONS[name][0] for name in chosen)
        for name, (_, refusal) in VERSIONS.items():
            if name not in chosen:
                context.options |= refusal


def _load_identity(context: ssl.SSLContext, identity: Identity) -> None:
    """Certificate and key; what is wrong is said of the file that it is wrong with."""
    try:
        # A password is always given: without one the terminal would be asked.
        context.load_cert_chain(identity.certificate, identity.key, lambda: identity.password or "")
    except (OSError, ValueError) as error:
        alone = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _attempt(
            f"Failed to load certificate: {identity.certificate}: {{}}",
            lambda: alone.load_verify_locations(identity.certificate),
        )
        reason = f"Failed to load private key: {identity.key}: {explain(error)}"
        raise TlsError(reason) from None


def _choose_ciphers(context: ssl.SSLContext, terms: Terms) -> None:
    try:
        context.set_ciphers(terms.ciphers or DEFAULT_CIPHERS)
    except ssl.SSLError:
        raise TlsError(f"Failed to configure ciphers: {terms.ciphers}") from None
    if not terms.suites:
        return
    choose = getattr(context, "set_ciphersuites", None)
    if choose is None:
        raise TlsError(
            "tls-ciphersuites cannot be set: the ssl module of this Python does not choose among "
            "the ciphers of TLS 1.3 (that of Python 3.15 does). Without it all of them are offered."
        )
    try:
        choose(terms.suites)
    except ssl.SSLError:
        raise TlsError(f"Failed to configure ciphersuites: {terms.suites}") from None


def _load_parameters(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_dh_params(path)
    except ssl.SSLError:
        raise TlsError(f"{path}: failed to read DH params.") from None
    except OSError as error:
        raise TlsError(f"Failed to load {path}: {error.strerror}") from None


def _attempt(refusal: str, load: Callable[[], object]) -> None:
    """Do it, or raise TlsError with the reason in place of the braces."""
    try:
        load()
    except (OSError, ValueError) as error:
        raise TlsError(refusal.format(explain(error))) from None
