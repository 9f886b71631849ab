"""What a node of a cluster may be called, and where it may be said to be."""

from __future__ import annotations

import pytest

from carnelian.engine.config import Config

from .test_config import set_error


@pytest.mark.parametrize(
    "address", ["", "192.168.1.100", "2001:db8::1", "::ffff:1.2.3.4", "redis-node-1.example.com"]
)
def test_addresses_to_announce(address: str) -> None:
    config = Config()
    config.set([(b"cluster-announce-ip", address.encode())])
    assert config["cluster-announce-ip"] == (address or None)


@pytest.mark.parametrize(
    "address",
    ["1.2.3.4\nnext", "10.0.0.1\ttab", "1.2.3.4\r\n", "1.2.3.4:6379", "fe80::1%eth0", "a b", "a_b"],
)
def test_what_is_no_address_to_announce(address: str) -> None:
    assert set_error(Config(), b"cluster-announce-ip", address.encode()) == (
        b"ERR CONFIG SET failed (possibly related to argument 'cluster-announce-ip') - Hostnames "
        b"may only contain alphanumeric characters, hyphens or dots"
    )


def test_a_long_name_in_place_of_an_address() -> None:
    config = Config()
    config.set([(b"cluster-announce-ip", b"x" * 45)])
    assert set_error(config, b"cluster-announce-ip", b"x" * 46) == (
        b"ERR CONFIG SET failed (possibly related to argument 'cluster-announce-ip') - Hostnames "
        b"for cluster-announce-ip must be less than 46 characters"
    )


@pytest.mark.parametrize(
    "name",
    ["a\nb", "a\tb", "a\r\n", "a\x7f", "a,b", "a=b", "a b", 'a"b', "a'b", "a\\b", "a#b", "{a}"],
)
def test_names_that_would_spoil_the_file_of_the_nodes(name: str) -> None:
    assert set_error(Config(), b"cluster-announce-human-nodename", name.encode()) == (
        b"ERR CONFIG SET failed (possibly related to argument 'cluster-announce-human-nodename') "
        b"- Announced human node name contained invalid character"
    )


def test_names_of_nodes() -> None:
    config = Config()
    for name in (b"my-redis-node-1", b"a.b/c_d", b"caf\xc3\xa9", b"\xff", b""):
        config.set([(b"cluster-announce-human-nodename", name)])
        [(_, shown)] = config.get([b"cluster-announce-human-nodename"])
        assert shown == name
