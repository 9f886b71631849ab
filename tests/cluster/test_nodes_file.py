"""The file of the nodes: that of redis-server, of newer ones, and damaged ones."""

from __future__ import annotations

from random import Random

import pytest

from carnelian.cluster.known.cluster_errors import NodesFileError
from carnelian.cluster.known.cluster_view import ClusterView
from carnelian.cluster.known.node_lines import nodes_text
from carnelian.cluster.known.nodes_file import file_text, load, slot_notes
from carnelian.cluster.known.slot_bitmap import slots_in
from carnelian.keyspace.clock import ManualClock

from .captures import captured_file

MINE, OTHER, THIRD, SHARD = "a" * 40, "b" * 40, "c" * 40, "d" * 40


def read(text: bytes, tls: bool = False, warnings: list[str] | None = None) -> ClusterView:
    view = ClusterView(ManualClock(), Random(1))
    load(view, text, tls, (warnings if warnings is not None else []).append)
    return view


def one(line: str) -> bytes:
    """A file with this node beside another."""
    return f"{MINE} :0@0 myself,master - 0 0 1 connected\n{line}\n".encode()


def test_a_file_of_redis_server() -> None:
    """Of version 7.0.15."""
    view = read(captured_file())
    assert (view.current_epoch, view.last_vote_epoch) == (6, 6)
    assert len(view.nodes) == 4
    myself = view.myself
    assert myself.id == "af54db5c2e7be60333a00a37d975596fa187dc96"
    assert (myself.ip, myself.tcp_port, myself.bus_port) == ("127.0.0.1", 42841, 43619)
    assert (myself.hostname, myself.config_epoch) == ("second.example.com", 2)
    assert slots_in(myself.slots) == list(range(5000, 10000))
    replica = view.nodes["b3f35b3b9ff66598192bc9415b4731b74ff9eab8"]
    primary = view.nodes["d619ca922adfcc9a210fc8b52af62cfb8aa4278b"]
    assert replica.primary is primary and replica in primary.replicas
    assert replica.shard_id == primary.shard_id != myself.shard_id
    assert (primary.config_epoch, replica.config_epoch) == (6, 0)
    # What we write of it is the same, but for what 7.2 adds, and times.
    lines = [line.split() for line in file_text(view, False).decode().splitlines()]
    again = {line[0]: line for line in lines}
    for text in captured_file().decode().splitlines():
        expected = text.split()
        line = again.pop(expected[0])
        if expected[0] == "vars":
            assert line == expected
            continue
        comma = "" if "," in expected[1] else ","
        shard = view.nodes[line[0]].shard_id
        assert line[1] == f"{expected[1]}{comma},tls-port=0,shard-id={shard}"
        assert [*line[2:4], line[6], *line[8:]] == [*expected[2:4], expected[6], *expected[8:]]
    assert not again


# As redis-server 7.2 writes it, with and without a host name, and with one of TLS.
NEWER = f"""\
{MINE} 10.0.0.1:7000@17000,,tls-port=0,shard-id={SHARD} myself,slave {OTHER} 0 5 7 connected
{OTHER} 10.0.0.2:7001@17001,b.example,tls-port=7101,nodename=second,shard-id={SHARD} master,fail - \
0 0 7 disconnected 0-99 200 300-301 [200->-{THIRD}]
{THIRD} 10.0.0.3:7002@17002,,tls-port=0,shard-id={"e" * 40} slave,noaddr,nofailover,fail? \
- 1 1 9 connected
vars currentEpoch 10 lastVoteEpoch 8
"""


def test_a_file_of_a_newer_server_is_written_as_it_was() -> None:
    view = read(NEWER.encode())
    other = view.nodes[OTHER]
    assert (other.tls_port, other.human_name, other.hostname) == (7101, "second", "b.example")
    assert other.has_failed and other.fail_time == view.now
    assert view.nodes[THIRD].flags & 0xFF == 2 | 4 | 64
    text = file_text(view, False).decode()
    # Times are those of the reading; open slots are told of at this node; nothing is connected.
    now = str(1_000_000_000_000)
    expected = (
        NEWER.replace(" 0 5 7", f" 0 {now} 7")
        .replace(" 1 1 9 connected", f" {now} {now} 9 disconnected")
        .replace(f" [200->-{THIRD}]", "")
        .replace("7 connected", f"7 connected [200->-{THIRD}]")
        .replace("slave,noaddr,nofailover,fail?", "slave,fail?,noaddr,nofailover")
    )
    assert text == expected
    assert file_text(read(text.encode()), False).decode() == text


def test_ports_of_a_cluster_with_tls() -> None:
    line = f"{OTHER} 10.0.0.2:7101@17001,,tcp-port=7001,shard-id={SHARD} master - 0 0 7 connected"
    view = read(one(line), tls=True)
    other = view.nodes[OTHER]
    assert (other.tcp_port, other.tls_port) == (7001, 7101)
    assert f"10.0.0.2:7101@17001,,tcp-port=7001,shard-id={SHARD}" in file_text(view, True).decode()
    # What clients are shown depends on how they are connected.
    assert "10.0.0.2:7001@17001 master" in nodes_text(view, False)
    assert "10.0.0.2:7101@17001 master" in nodes_text(view, True)


def test_old_files() -> None:
    """Without a port of the bus, and without variables."""
    view = read(one(f"{OTHER} ::1:7001 master - 0 0 7 connected 5"))
    other = view.nodes[OTHER]
    assert (other.ip, other.tcp_port, other.bus_port) == ("::1", 7001, 17001)
    # No epoch can be greater than the current one.
    assert view.current_epoch == 7


def test_nodes_that_are_told_of_before_their_lines() -> None:
    text = f"""\
{MINE} :0@0 myself,slave {OTHER} 0 0 1 connected [5-<-{THIRD}]

{OTHER} 10.0.0.2:7001@17001,,shard-id={SHARD} master - 0 0 7 connected 5 5
"""
    view = read(text.encode())
    assert view.myself.primary is view.nodes[OTHER]
    assert view.myself.shard_id == SHARD
    assert view.importing_from == {5: view.nodes[THIRD]}
    assert view.nodes[OTHER].slot_count == 1


def test_names_of_any_alphabet() -> None:
    name = b"caf\xc3\xa9\xff"
    line = b"%b 10.0.0.2:1@2,,tls-port=0,nodename=%b master - 0 0 7 connected\n"
    view = read(one("") + line % (OTHER.encode(), name))
    assert view.nodes[OTHER].human_name.encode(errors="surrogateescape") == name
    assert b",nodename=%b,shard-id=" % name in file_text(view, False)


def test_what_does_no_harm() -> None:
    warnings: list[str] = []
    line = f"{OTHER} 10.0.0.2:1@2,,zone=here master - 0 0 7 connected\nvars currentEpoch 9 other 5"
    view = read(one(line), warnings=warnings)
    assert view.current_epoch == 9
    assert warnings == [
        "Skipping unknown cluster config field 'zone'",
        "Skipping unknown cluster config variable 'other'",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "too few words",
        "vars currentEpoch",
        "vars currentEpoch x",
        f"{OTHER} 10.0.0.2 master - 0 0 7 connected",
        f"{OTHER} 10.0.0.2:x@1 master - 0 0 7 connected",
        f"{OTHER} 10.0.0.2:1@70000 master - 0 0 7 connected",
        f"{OTHER} 10.0.0.2:1@1,,shard-id=short master - 0 0 7 connected",
        f"{OTHER} 10.0.0.2:1@1,,shard-id master - 0 0 7 connected",
        f"{OTHER} 10.0.0.2:1@1 emperor - 0 0 7 connected",
        f"{OTHER} 10.0.0.2:1@1 myself,master - 0 0 7 connected",
        f"{OTHER} 10.0.0.2:1@1 slave {OTHER} 0 0 7 connected",
        f"{OTHER} 10.0.0.2:1@1 slave short 0 0 7 connected",
        f"{OTHER} 10.0.0.2:1@1 master - 0 0 -7 connected",
        f"{OTHER} 10.0.0.2:1@1 master - 0 0 7 connected 16384",
        f"{OTHER} 10.0.0.2:1@1 master - 0 0 7 connected 0-16384",
        f"{OTHER} 10.0.0.2:1@1 master - 0 0 7 connected x",
        f"{OTHER} 10.0.0.2:1@1 master - 0 0 7 connected [5->-short]",
        f"{OTHER} 10.0.0.2:1@1 master - 0 0 7 connected [5-=-{THIRD}]",
        f"{OTHER} 10.0.0.2:1@1 master - 0 0 7 connected [5->-{THIRD}",
        f"{OTHER.upper()} 10.0.0.2:1@1 master - 0 0 7 connected",
        f'{OTHER} "10.0.0.2:1@1 master - 0 0 7 connected',
        "vars slot 5,-",
        "vars slot 16384,-,-",
        "vars slot 5,-,-,-",
        "vars slot 5,nobody,-",
        f"vars slot 5,{THIRD},[5=-{OTHER}]",
    ],
)
def test_damage(line: str) -> None:
    with pytest.raises(NodesFileError, match="Unrecoverable error: corrupted cluster config file"):
        read(one(line))


def test_notes_of_slots_count_more_than_what_stands_before() -> None:
    base = one(f"{OTHER} 10.0.0.2:1@1 master - 0 0 7 connected 0-9 20")
    view = read(base)
    view.give([3, 11], view.myself)
    view.give([20], None)
    view.importing_from[4] = view.nodes[OTHER]
    view.migrating_to[3] = view.nodes[OTHER]
    notes = slot_notes(view, [3, 4, 11, 20])
    assert notes.decode().splitlines() == [
        f"vars slot 3,{MINE},[3->-{OTHER}]",
        f"vars slot 4,{OTHER},[4-<-{OTHER}]",
        f"vars slot 11,{MINE},-",
        "vars slot 20,-,-",
    ]
    again = read(base + notes)
    assert nodes_text(again, False) == nodes_text(view, False)
    # The last that tells of a slot counts.
    view.migrating_to.clear()
    view.give([3, 4], view.myself)
    view.importing_from.clear()
    again = read(base + notes + slot_notes(view, [3, 4]))
    assert slots_in(again.myself.slots) == [3, 4, 11]
    assert not again.migrating_to and not again.importing_from
    assert again.owners[20] is None


def test_a_part_of_a_note_does_not_count() -> None:
    base = one(f"{OTHER} 10.0.0.2:1@1 master - 0 0 7 connected 0-9")
    note = f"vars slot 3,{MINE},-\n".encode()
    for length in range(len(note)):
        for behind in (b"", b"\0" * 9):
            assert not read(base + note[:length] + behind).myself.slot_count
    assert slots_in(read(base + note).myself.slots) == [3]
    assert slots_in(read(base + note + b"\0" * 9).myself.slots) == [3]


def test_a_file_without_this_node() -> None:
    with pytest.raises(NodesFileError):
        read(b"vars currentEpoch 6 lastVoteEpoch 6\n")
    with pytest.raises(NodesFileError):
        read(b"\xff\xfe")


@pytest.mark.parametrize("seed", range(5))
def test_random_damage_is_found_or_does_no_harm(seed: int) -> None:
    random = Random(seed)
    for _ in range(200):
        text = bytearray(random.choice([NEWER.encode(), captured_file()]))
        for _ in range(random.randrange(1, 8)):
            text[random.randrange(len(text))] = random.randrange(256)
        try:
            view = read(bytes(text))
        except NodesFileError:
            continue
        assert view.myself.is_myself


@pytest.mark.parametrize("seed", range(5))
def test_what_is_written_is_read(seed: int) -> None:
    random = Random(seed)
    view = ClusterView(ManualClock(), random)
    view.myself = view.create(None, 17)
    nodes = [view.create(None, 1) for _ in range(random.randrange(1, 8))]
    for number, node in enumerate(nodes):
        node.ip, node.tcp_port, node.bus_port = f"10.0.0.{number}", number, number + 1
        node.config_epoch = random.randrange(100)
        node.hostname = random.choice(["", "host.example"])
        node.human_name = random.choice(["", "name"])
        if number and random.random() < 0.5:
            view.make_replica(node, nodes[0])
            view.set_shard(node, nodes[0].shard_id)
        else:
            view.give(random.sample(range(16384), random.randrange(500)), node)
    view.migrating_to[5] = view.importing_from[7] = nodes[0]
    view.current_epoch, view.last_vote_epoch = view.max_epoch(), 3
    text = file_text(view, False)
    assert file_text(read(text), False) == text
