"""A certificate for servers that are measured with TLS, and what both sides are told of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def make_certificate(folder: Path) -> Path:
    """Make a key (RSA, 2048 bits) and a certificate that vouches for itself; returns the folder."""
    if shutil.which("openssl") is None:
        sys.exit("openssl is not installed (Debian: apt-get install openssl)")
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-keyout", str(folder / "key"), "-out", str(folder / "crt")],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return folder


def server_options(folder: Path, port: int) -> list[str]:
    """What a server needs to listen with TLS as well."""
    return [
        "--tls-port", str(port), "--tls-auth-clients", "no", "--tls-cert-file", str(folder / "crt"),
        "--tls-key-file", str(folder / "key"), "--tls-ca-cert-file", str(folder / "crt"),
    ]  # fmt: skip


def client_options(folder: Path) -> list[str]:
    """What redis-benchmark needs to speak TLS with it."""
    return ["--tls", "--cacert", str(folder / "crt")]
