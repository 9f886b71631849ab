"""Certificates for tests, made once in a run: an authority, and what it has signed."""

from __future__ import annotations

import datetime
import ipaddress
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "sesame"
_DAY = datetime.timedelta(days=1)


class Authority:
    """Signs certificates."""

    def __init__(self, name: str):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        self.certificate = self.sign(self.name, self.key.public_key(), True)

    def sign(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePublicKey,
        ca: bool,
        hosts: tuple[str, ...] = (),
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        constraints = x509.BasicConstraints(ca=ca, path_length=None)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + 30 * _DAY)
            .add_extension(constraints, critical=True)
        )
        if hosts:
            builder = builder.add_extension(_host_names(hosts), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def pem(self) -> bytes:
        """The certificate of the authority itself."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self, folder: Path, name: str, password: str | None = None, hosts: tuple[str, ...] = ()
    ) -> None:
        """Leave ``name.crt`` and ``name.key`` in a folder; the hosts stand in the certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        _write(folder / f"{name}.crt", self.sign(_name(name), key.public_key(), False, hosts))
        locked: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password is not None:
            locked = serialization.BestAvailableEncryption(password.encode())
        (folder / f"{name}.key").write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
        )


@cache
def authority() -> Authority:
    return Authority("authority")


def make(folder: Path) -> Path:
    """``ca.crt``; server, client and other, signed by it; locked, with a password; stranger, which
    another authority has signed. Returns the folder.
    """
    trusted = authority()
    _write(folder / "ca.crt", trusted.certificate)
    for name in ("server", "client", "other"):
        trusted.issue(folder, name)
    trusted.issue(folder, "locked", PASSWORD)
    Authority("another").issue(folder, "stranger")
    return folder


def _host_names(hosts: tuple[str, ...]) -> x509.SubjectAlternativeName:
    names: list[x509.GeneralName] = []
    for host in hosts:
        if host[0].isdigit():
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        else:
            names.append(x509.DNSName(host))
    return x509.SubjectAlternativeName(names)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
