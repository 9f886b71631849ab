"""What users may give to the nodes, and the files that come of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from carnelian.tools.fleet.wanted.fleet_directory import FleetDirectory, holder
from carnelian.tools.fleet.wanted.fleet_error import FleetError
from carnelian.tools.fleet.wanted.fleet_state import FleetState, NodeEntry, free_port
from carnelian.tools.fleet.wanted.node_directives import (
    check_lines,
    conf_text,
    lines_of,
    node_timeout,
    password_of,
)


def state(*words: str, shards: int = 2, replicas: int = 1, port: int = 7000) -> FleetState:
    made = FleetState(port, shards, replicas, directives=lines_of(words))
    made.lay_out()
    return made


def test_options_become_lines() -> None:
    words = ["--maxmemory", "1gb", "--save", "", "--save", "60", "1", "--requirepass", "a b"]
    assert lines_of(words) == ["maxmemory 1gb", 'save ""', "save 60 1", 'requirepass "a b"']
    assert lines_of([]) == []


def test_a_file_is_included(tmp_path: Path) -> None:
    path = tmp_path / "my nodes.conf"
    assert lines_of([str(path), "--maxmemory", "1gb"]) == [f'include "{path}"', "maxmemory 1gb"]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--port", "1"], "--port cannot be given to nodes: use --port for the first node"),
        (["--Cluster-Enabled", "yes"], "--cluster-enabled cannot be given to nodes"),
        (["--dir", "/"], "--dir cannot be given to nodes: use --dir"),
        (["--replicaof", "a", "1"], "the cluster decides who is a replica"),
        (["-v"], "-v: that is no directive for nodes"),
        (["-"], "-: that is no directive for nodes"),
    ],
)
def test_what_the_fleet_sets_is_refused(words: list[str], text: str) -> None:
    with pytest.raises(FleetError) as error:
        lines_of(words)
    assert text in str(error.value)


def test_a_password_is_used_between_nodes_too() -> None:
    assert 'masterauth "a b"' in conf_text(state("--requirepass", "a b"), 7000)
    given = conf_text(state("--requirepass", "x", "--masterauth", "y"), 7000)
    assert "masterauth y" in given
    assert "masterauth x" not in given


def test_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDISCLI_AUTH", raising=False)
    assert password_of(state()) == ""
    assert password_of(state("--requirepass", "a b")) == "a b"
    monkeypatch.setenv("REDISCLI_AUTH", "elsewhere")
    assert password_of(state("--requirepass", "a b")) == "a b"
    assert password_of(state()) == "elsewhere"


def test_what_users_give_comes_before_what_has_to_be() -> None:
    lines = conf_text(state("--cluster-node-timeout", "1000"), 7001).splitlines()
    assert lines.index("cluster-node-timeout 5000") < lines.index("cluster-node-timeout 1000")
    assert lines.index("cluster-node-timeout 1000") < lines.index("port 7001")
    assert node_timeout(state("--cluster-node-timeout", "1000")) == 1.0
    assert node_timeout(state()) == 5.0


def test_bad_directives_are_refused_before_anything_starts() -> None:
    with pytest.raises(FleetError, match="maxmemori 1gb: Bad directive"):
        check_lines(state("--maxmemori", "1gb"))


def test_directives_are_read_without_a_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_lines(state("--maxmemory", "1gb"))
    assert list(tmp_path.iterdir()) == []


def test_the_layout_of_a_new_fleet() -> None:
    nodes = [(n.port, n.role, n.primary) for n in state(shards=2, replicas=2).nodes]
    assert nodes == [
        (7000, "primary", None),
        (7001, "primary", None),
        (7002, "replica", 7000),
        (7003, "replica", 7001),
        (7004, "replica", 7000),
        (7005, "replica", 7001),
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"shards": 0}, "one shard at least"),
        ({"replicas": -1}, "--replicas is 0 or more"),
        ({"port": 55535}, "ports 55535 to 55538 are wanted, but the highest"),
        ({"port": 0}, "ports 0 to 3 are wanted"),
        ({"bind": ["0.0.0.0"]}, "--bind 0.0.0.0 needs --announce-ip"),
    ],
)
def test_what_no_fleet_can_be(changes: dict[str, int], text: str) -> None:
    bad = state()
    for name, value in changes.items():
        setattr(bad, name, value)
    with pytest.raises(FleetError) as error:
        bad.check()
    assert text in str(error.value)


def test_a_state_comes_back_from_its_file(tmp_path: Path) -> None:
    path = str(tmp_path / "fleet.json")
    written = state("--save", "")
    written.nodes[0].id = "x"
    written.save(path)
    assert FleetState.load(path) == written


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "nodes": [], "more": 1}']
)
def test_a_damaged_state_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fleet.json"
    path.write_text(text)
    with pytest.raises(FleetError, match="is damaged or no state of a fleet"):
        FleetState.load(str(path))


def test_new_nodes_get_the_lowest_port_that_is_free() -> None:
    made = state()
    del made.nodes[1]
    assert free_port(made, ()) == 7001
    assert free_port(made, (7001,)) == 7004
    made.port, made.nodes = 55535, [NodeEntry(55535)]
    with pytest.raises(FleetError, match="no free port"):
        free_port(made, ())


# -- The directory ---------------------------------------------------------------------------------


def test_a_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("")
    with pytest.raises(FleetError, match="holds something that is no fleet"):
        FleetDirectory(str(tmp_path)).make()


def test_a_directory_is_for_its_owner(tmp_path: Path) -> None:
    directory = FleetDirectory(str(tmp_path / "a" / "b"))
    directory.make()
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    with pytest.raises(FleetError, match="there is no fleet in"):
        directory.load()


def test_one_supervises_and_one_changes(tmp_path: Path) -> None:
    directory = FleetDirectory(str(tmp_path))
    assert directory.supervisor() is None
    lock = directory.supervise()
    with pytest.raises(FleetError, match="is supervised by process"):
        directory.supervise()
    with directory.change(), pytest.raises(FleetError, match="is being changed by process"):
        directory.change().__enter__()
    lock.release()
    directory.supervise().release()
    assert holder(str(tmp_path / "nothing")) is None


def test_what_a_former_node_left_is_put_aside(tmp_path: Path) -> None:
    directory = FleetDirectory(str(tmp_path))
    for _ in range(2):
        directory.make_node(state(), 7000)
        (tmp_path / "7000" / "dump.rdb").write_text("")
    directory.make_node(state(), 7000)
    assert [path.name for path in (tmp_path / "7000").iterdir()] == ["carnelian.conf"]
    assert sorted(path.name for path in (tmp_path / "removed").iterdir()) == ["7000.1", "7000.2"]
    assert directory.put_aside(7001) is None
