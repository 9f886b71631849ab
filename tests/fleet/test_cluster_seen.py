"""CLUSTER NODES, read and put together, and what is done about slots that are half moved."""

from __future__ import annotations

import pytest

from carnelian.tools.fleet.changing.open_slots import Repairs, plan_repairs
from carnelian.tools.fleet.planning.slot_plans import Transfer
from carnelian.tools.fleet.wire.cluster_seen import (
    IMPORTING,
    MIGRATING,
    OpenSlot,
    SeenCluster,
    SeenNode,
    parse_nodes,
)

A, B, C, D = "a" * 40, "b" * 40, "c" * 40, "d" * 40


def line(
    id: str, port: int, flags: str = "master", primary: str = "-", epoch: int = 1, rest: str = ""
) -> str:
    address = f"127.0.0.1:{port}@{port + 10000}"
    return f"{id} {address} {flags} {primary} 0 1700000000000 {epoch} connected {rest}".strip()


def test_a_line() -> None:
    text = line(A, 7000, "myself,master", rest=f"0-10 12 [11->-{B}] [13-<-{C}]")
    (node,) = parse_nodes(text)
    assert node == SeenNode(
        id=A,
        host="127.0.0.1",
        port=7000,
        flags=frozenset({"myself", "master"}),
        primary_id="",
        epoch=1,
        linked=True,
        slots=set(range(11)) | {12},
        open=[OpenSlot(A, 11, MIGRATING, B), OpenSlot(A, 13, IMPORTING, C)],
    )
    assert node.is_primary
    assert node.known
    assert not node.failing


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        (":7000@17000", "", 7000),
        ("::1:7000@17000", "::1", 7000),
        ("10.0.0.1:7000@17000,host-1", "10.0.0.1", 7000),
        ("10.0.0.1:7000@17000,,tls-port=0,shard-id=69bc", "10.0.0.1", 7000),
    ],
)
def test_addresses(address: str, host: str, port: int) -> None:
    (node,) = parse_nodes(f"{A} {address} slave,fail? {B} 1 2 3 disconnected\n")
    assert (node.host, node.port) == (host, port)
    assert not node.linked
    assert node.failing
    assert not node.is_primary


@pytest.mark.parametrize("text", ["no line", f"{A} 127.0.0.1:x@1 master - 0 0 1 connected"])
def test_what_is_no_line_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_nodes(text)


def cluster(*reports: str) -> SeenCluster:
    return SeenCluster(map(parse_nodes, reports))


def report(me: str, open_slots: str = "", **slots: str) -> str:
    """What one of three primaries says; ``open_slots`` stand in its own line."""
    ids = {"a": A, "b": B, "c": C}
    given = {"a": "0-99", "b": "100-199", "c": "200-299", **slots}
    return "\n".join(
        line(
            id,
            7000 + number,
            "myself,master" if name == me else "master",
            epoch=number + 1,
            rest=f"{given[name]} {open_slots if name == me else ''}",
        )
        for number, (name, id) in enumerate(ids.items())
    )


def test_nodes_are_found_by_port_and_by_the_beginning_of_their_id() -> None:
    seen = cluster(report("a"))
    found = seen.find("7001")
    assert found is not None
    assert found.id == B
    assert seen.find("cccc") is seen.nodes[C]
    assert seen.find("ccc") is None
    assert seen.find("7009") is None


def test_they_agree_or_not() -> None:
    assert cluster(report("a"), report("b")).agreed()
    assert not cluster(report("a"), report("b", b="100-198", c="199-299")).agreed()


def test_a_slot_that_two_claim_belongs_to_the_later_epoch() -> None:
    seen = cluster(report("a", a="0-100"), report("b"))
    assert seen.owners[100].id == B
    assert 100 not in seen.nodes[A].slots


def test_replicas_and_their_primary() -> None:
    text = report("a") + "\n" + line(D, 7003, "slave", B)
    seen = cluster(text)
    assert [node.id for node in seen.replicas_of(B)] == [D]
    assert seen.primary_of(D) is seen.nodes[B]
    assert [node.id for node in seen.primaries()] == [A, B, C]


def test_a_node_in_a_handshake_is_none_of_the_cluster() -> None:
    seen = cluster(report("a") + "\n" + line(D, 7003, "handshake"))
    assert D not in seen.nodes


# -- Half moved slots ------------------------------------------------------------------------------


def repairs(*reports: str, keys: dict[tuple[str, int], int] | None = None) -> Repairs:
    return plan_repairs(cluster(*reports), lambda id, slot: (keys or {}).get((id, slot), 0))


def test_a_slot_that_is_open_on_both_sides_is_moved_to_the_end() -> None:
    found = repairs(report("a", f"[5->-{B}]"), report("b", f"[5-<-{A}]"), report("c"))
    assert found == Repairs(finish=[Transfer(A, B, (5,))])
    assert found.slots == {5}


def test_a_slot_that_only_the_source_knows_of_is_moved_to_the_end() -> None:
    found = repairs(report("a", f"[5->-{B}] [6->-{B}]"), report("b"))
    assert found.finish == [Transfer(A, B, (5, 6))]


def test_an_import_that_has_not_begun_is_taken_back() -> None:
    found = repairs(report("a"), report("b", f"[5-<-{A}]"))
    assert found == Repairs(close=[(B, 5)])


def test_an_import_whose_source_has_forgotten_it_goes_on_if_there_are_keys() -> None:
    found = repairs(report("a"), report("b", f"[5-<-{A}]"), keys={(B, 5): 3})
    assert found == Repairs(finish=[Transfer(A, B, (5,))])


def test_a_slot_that_has_arrived_is_closed_at_its_source() -> None:
    moved = {"a": "0-4 6-99", "b": "5 100-199"}
    found = repairs(report("a", f"[5->-{B}]", **moved), report("b", **moved))
    assert found == Repairs(close=[(A, 5)])


def test_of_two_that_import_the_source_decides() -> None:
    found = repairs(report("a", f"[5->-{C}]"), report("b", f"[5-<-{A}]"), report("c", f"[5-<-{A}]"))
    assert found == Repairs(finish=[Transfer(A, C, (5,))], close=[(B, 5)])


def test_the_destination_may_have_failed_over() -> None:
    failed = report("a", f"[5->-{B}]").replace(
        line(B, 7001, epoch=2, rest="100-199"), line(B, 7001, "slave", D)
    )
    found = repairs(failed + "\n" + line(D, 7003, epoch=9, rest="100-199"))
    assert found.finish == [Transfer(A, D, (5,))]
