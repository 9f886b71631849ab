"""What went wrong with TLS in the words of OpenSSL, without those of Python's module around it."""

from __future__ import annotations


def tls_reason(error: OSError) -> str | None:
    """Why TLS has failed, ``certificate verify failed: self-signed certificate``.

    None if the error is none of TLS.
    """
    import ssl

    if not isinstance(error, ssl.SSLError):
        return None
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "the connection was closed"
    if error.reason:
        return error.reason.replace("_", " ").lower()
    return str(error.strerror or error.args[0])
