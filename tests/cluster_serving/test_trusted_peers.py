"""Which servers trust each other over TLS: on the bus, and for replication."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import certificates

from .live_cluster import LiveCluster, LiveNode, free_ports, wait_for
from .test_live_clusters import has_data

pytestmark = pytest.mark.timeout(200)

ALL = ("--tls-cluster", "yes", "--tls-replication", "yes")


class Trusting(LiveCluster):
    """Servers with certificates."""

    def __init__(self, directory: Path):
        super().__init__(directory)
        self.folder = certificates.make(directory)
        certificates.authority().issue(self.folder, "named", hosts=("redis.local",))

    def secure(self, *arguments: str, name: str = "server") -> tuple[LiveNode, int]:
        """Another one, and its port for TLS."""
        port = free_ports()
        folder = self.folder
        node = self.add(
            True,
            *("--tls-port", str(port), "--tls-cert-file", str(folder / f"{name}.crt")),
            *("--tls-key-file", str(folder / f"{name}.key")),
            *("--tls-ca-cert-file", str(folder / "ca.crt"), "--loglevel", "verbose", *arguments),
        )
        return node, port

    def knock(self, port: int, name: str | None) -> bool:
        """Whether a certificate, or none, is let in on a bus."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if name is not None:
            context.load_cert_chain(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        try:
            with (
                socket.create_connection(("127.0.0.1", port), 10) as plain,
                context.wrap_socket(plain) as sock,
            ):
                sock.settimeout(0.5)
                return bool(sock.recv(1))
        except TimeoutError:
            # It waits for what we have to say.
            return True
        except (ssl.SSLError, ConnectionError):
            return False


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Trusting]:
    made = Trusting(tmp_path)
    yield made
    made.stop()


@pytest.mark.parametrize("clients", ["yes", "optional", "no"])
def test_nodes_show_a_certificate_whether_clients_have_to_or_not(
    cluster: Trusting, clients: str
) -> None:
    node, port = cluster.secure(*ALL, "--tls-auth-clients", clients)
    bus = port + 10000
    assert cluster.knock(bus, "client")
    assert not cluster.knock(bus, None)
    assert not cluster.knock(bus, "stranger")
    assert cluster.knock(port, None) == (clients != "yes")
    wait_for(lambda: node.log.count("Error accepting cluster node connection: ") == 2, "it is told")


def test_a_node_with_a_strange_certificate_is_not_met(cluster: Trusting) -> None:
    node, _ = cluster.secure(*ALL, "--tls-auth-clients", "no")
    other, port = cluster.secure(*ALL, "--tls-auth-clients", "no", name="stranger")
    node("CLUSTER", "MEET", "127.0.0.1", port)
    wait_for(lambda: node.facts()["cluster_known_nodes"] == "1", "it is given up")
    assert other.facts()["cluster_known_nodes"] == "1"


def test_a_primary_with_a_strange_certificate_is_not_followed(cluster: Trusting) -> None:
    alone = ("--cluster-enabled", "no", "--tls-auth-clients", "no")
    _, strange = cluster.secure(*alone, name="stranger")
    _, known = cluster.secure(*alone)
    replica, _ = cluster.secure(*alone, "--tls-replication", "yes")
    assert replica("REPLICAOF", "127.0.0.1", strange) == "OK"
    wait_for(lambda: "certificate verify failed" in replica.log, "it is refused")
    assert not has_data(replica)
    assert replica("REPLICAOF", "127.0.0.1", known) == "OK"
    wait_for(lambda: has_data(replica), "it has its data")


def test_keys_move_encrypted(cluster: Trusting) -> None:
    """A node may have no port without TLS."""
    alone = ("--cluster-enabled", "no", "--tls-cluster", "yes")
    source, _ = cluster.secure(*alone)
    target, port = cluster.secure(*alone)
    _, strange = cluster.secure(*alone, name="stranger")
    for number in range(3):
        source("SET", f"key:{number}", "x" * 200_000)
    failure = source("MIGRATE", "127.0.0.1", strange, "key:0", 0, 5000)
    assert str(failure) == "IOERR error or timeout connecting to the client"
    assert source("MIGRATE", "127.0.0.1", port, "key:0", 0, 5000) == "OK"
    assert source("MIGRATE", "127.0.0.1", port, "", 0, 5000, "KEYS", "key:1", "key:2") == "OK"
    assert source("DBSIZE") == 0
    assert [len(target("GET", f"key:{number}")) for number in range(3)] == [200_000] * 3
    assert source("CONFIG", "SET", "tls-expected-peer-name", "redis.local") == "OK"
    source("SET", "key:9", "v")
    failure = source("MIGRATE", "localhost", port, "key:9", 0, 5000)
    assert str(failure) == "IOERR error or timeout connecting to the client"
    assert source("GET", "key:9") == "v"


def test_certificates_of_others_whom_the_authority_has_signed_as_well(cluster: Trusting) -> None:
    expected = ("--tls-expected-peer-name", "other.local redis.local")
    first, port = cluster.secure(*ALL, *expected, name="named")
    second, other = cluster.secure(*ALL, *expected, name="named")
    first("CLUSTER", "MEET", "127.0.0.1", other)
    wait_for(lambda: first.facts()["cluster_known_nodes"] == "2", "they have met")
    assert not cluster.knock(port + 10000, "client")
    assert cluster.knock(port + 10000, "named")
    # Clients are not asked for a name, and others may be expected from now on.
    assert cluster.knock(port, "client")
    assert first("CONFIG", "SET", "tls-expected-peer-name", "") == "OK"
    assert cluster.knock(port + 10000, "client")
    assert first("CONFIG", "SET", "tls-expected-peer-name", ".local .lan") == "OK"
    assert "tls-expected-peer-name has 2 names with a dot at the beginning" in first.log
    assert second.facts()["cluster_known_nodes"] == "2"
    for value, reason in (
        ("  ", "contains no usable name; use an empty string to disable it"),
        (
            "a\tb",
            "must not contain whitespace other than spaces separating names; use an empty string "
            "to disable it",
        ),
    ):
        assert str(first("CONFIG", "SET", "tls-expected-peer-name", value)) == (
            "CONFIG SET failed (possibly related to argument 'tls-expected-peer-name') - "
            f"tls-expected-peer-name {reason}"
        )
