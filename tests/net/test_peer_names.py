"""Which certificates are those of servers of ours."""

from __future__ import annotations

import pytest

from carnelian.net.peer_names import is_for


def certificate(*hosts: str, subject: str = "node") -> dict:
    """As ``ssl`` shows one."""
    shown: dict = {"subject": ((("organizationName", "us"),), (("commonName", subject),))}
    if hosts:
        shown["subjectAltName"] = tuple(("DNS", host) for host in hosts)
    return shown


@pytest.mark.parametrize(
    ("host", "name", "fits"),
    [
        ("redis.local", "redis.local", True),
        ("Redis.Local", "redis.LOCAL", True),
        ("redis.local", "redis.loca", False),
        ("redis.local", "x.redis.local", False),
        ("*.example.com", "node.example.com", True),
        ("*.example.com", "a.b.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.example.com", ".example.com", True),
        ("f*.example.com", "foo.example.com", False),
        ("*", "node", False),
        ("*.com", "example.com", False),
        ("node.example.com", "*.example.com", False),
        ("node.example.com", ".example.com", True),
        ("a.b.example.com", ".example.com", True),
        ("example.com", ".example.com", False),
        ("notexample.com", ".example.com", False),
        ("x", ".", False),
    ],
)
def test_names(host: str, name: str, fits: bool) -> None:
    assert is_for(certificate(host), [name]) == fits
    assert is_for(certificate("other", host), ["none.such", name]) == fits


def test_the_subject_counts_where_no_hosts_are_named() -> None:
    assert is_for(certificate(subject="redis.local"), ["redis.local"])
    assert not is_for(certificate("other", subject="redis.local"), ["redis.local"])
    only_address = certificate(subject="redis.local") | {
        "subjectAltName": (("IP Address", "1.2.3.4"),)
    }
    assert is_for(only_address, ["redis.local"])
    assert not is_for({}, ["redis.local"])
