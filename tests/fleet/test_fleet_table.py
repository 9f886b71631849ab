"""What people see, from what nodes have told."""

from __future__ import annotations

import io

import pytest

from carnelian.tools.fleet.screen.fleet_table import (
    BAD,
    BUSY,
    GOOD,
    FleetView,
    in_bytes,
    lines,
    summary,
)
from carnelian.tools.fleet.screen.live_display import LiveDisplay
from carnelian.tools.fleet.screen.move_progress import MoveProgress
from carnelian.tools.fleet.screen.timeout_watch import TimeoutWatch
from carnelian.tools.fleet.wanted.fleet_state import FleetState
from carnelian.tools.fleet.wire.cluster_seen import parse_nodes
from carnelian.tools.fleet.wire.node_client import NodeClient, NodeUnreachableError, RefusedError
from carnelian.tools.fleet.wire.node_samples import Sample, fields

A, B, C = "a" * 40, "b" * 40, "c" * 40
NODES = (
    f"{A} 127.0.0.1:7000@17000 master - 0 0 1 connected 0-8191\n"
    f"{B} 127.0.0.1:7001@17001 master - 0 0 2 connected 8192-16383\n"
    f"{C} 127.0.0.1:7002@17002 slave {A} 0 0 1 connected\n"
)


def sample(id: str, info: str, nodes: str = NODES, state: str = "ok") -> Sample:
    lines = [
        line.replace(" master", " myself,master").replace(" slave", " myself,slave")
        if line.startswith(id)
        else line
        for line in nodes.splitlines()
    ]
    return Sample(fields(info), {"cluster_state": state}, tuple(parse_nodes("\n".join(lines))))


PRIMARY = (
    "role:master\r\nused_memory:1900000\r\ninstantaneous_ops_per_sec:1234\r\n"
    "master_repl_offset:5000\r\ndb0:keys=1000000,expires=0,avg_ttl=0\r\n"
)
REPLICA = (
    "role:slave\r\nmaster_link_status:up\r\nslave_repl_offset:4000\r\nused_memory:900\r\n"
    "master_repl_offset:4000\r\n"
)


def view(**changes: object) -> FleetView:
    samples = {7000: sample(A, PRIMARY), 7001: sample(B, PRIMARY), 7002: sample(C, REPLICA)}
    return FleetView([7000, 7001, 7002], samples, **changes)  # type: ignore[arg-type]


def test_the_table() -> None:
    assert [line for line, _ in lines(view().rows())] == [
        "port  role     shard  slots       keys  memory  ops/s    lag  state",
        "7000  primary      1   8192  1,000,000   1.81M  1,234         ok",
        "7002  replica      1                 0     900      0  0.98K  ok",
        "7001  primary      2   8192  1,000,000   1.81M  1,234         ok",
    ]


def test_the_summary() -> None:
    assert summary(view()) == "cluster ok, 2 shards, 1 replica, all slots"
    assert view().ok
    assert view().replicas() == {7002}


def test_nodes_of_others_are_counted() -> None:
    text = summary(FleetView([7000], {7000: sample(A, PRIMARY)}))
    assert text == "cluster ok, 1 shard, 0 replicas, all slots, 2 nodes elsewhere"
    # One that has a port of ours is on another machine, as its ID tells.
    seen = FleetView([7000, 7001], {7000: sample(A, PRIMARY)}, ids={7000: A, 7001: "e" * 40})
    assert [node.id for node in seen.elsewhere()] == [B, C]
    assert seen.node(7001) is None


def test_a_node_that_is_down_is_seen_by_others() -> None:
    seen = view(remarks={7000: "down, failing over"})
    del seen.samples[7000]  # type: ignore[attr-defined]
    rows = {row.port: row for row in seen.rows()}
    assert rows[7000].state == "down, failing over"
    assert rows[7000].mood == BAD
    assert (rows[7000].role, rows[7000].slots, rows[7000].keys) == ("primary", "8192", "")
    assert rows[7002].lag == "?"
    assert summary(seen) == (
        "cluster works in part, 2 shards, 1 replica, 8192 slots without a live node"
    )
    assert not seen.ok


def test_a_node_that_is_slow_has_its_slots() -> None:
    seen = view(remarks={7000: "no answer"})
    del seen.samples[7000]  # type: ignore[attr-defined]
    assert seen.lost_slots == 0
    assert summary(seen) == "cluster works, 2 shards, 1 replica, all slots"
    # Until the others take it for dead.
    nodes = NODES.replace("7000@17000 master", "7000@17000 master,fail")
    samples = {7001: sample(B, PRIMARY, nodes), 7002: sample(C, REPLICA, nodes)}
    seen = FleetView([7000, 7001, 7002], samples, {7000: "no answer"})
    assert seen.lost_slots == 8192


def test_slots_of_a_node_that_was_taken_over_from_are_not_lost() -> None:
    """Whoever took over knows before the others do."""
    taken = NODES.replace("master - 0 0 1 connected 0-8191", "master,fail - 0 0 1 connected")
    taken = taken.replace(f"slave {A} 0 0 1 connected", "master - 0 0 3 connected 0-8191")
    samples = {7001: sample(B, PRIMARY), 7002: sample(C, PRIMARY, taken)}
    seen = FleetView([7000, 7001, 7002], samples, {7000: "down, failing over"})
    assert seen.lost_slots == 0


def test_slots_of_a_dead_node_elsewhere_are_lost() -> None:
    nodes = NODES.replace("7001@17001 master", "7001@17001 master,fail")
    seen = FleetView([7000], {7000: sample(A, PRIMARY, nodes)})
    assert (seen.lost_slots, seen.ok, seen.serving) == (8192, False, True)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ([b"cluster-node-timeout", b"5000"], []),
        (
            [b"cluster-node-timeout", b"15000"],
            [
                f"127.0.0.1:{port} has cluster-node-timeout 15000, the nodes of the fleet 5000: "
                "failovers wait for those that wait longest, so give all the same"
                for port in (7001, 7002)
            ],
        ),
        ([], []),
        (RefusedError("NOPERM"), []),
        (NodeUnreachableError("no answer"), []),
    ],
)
def test_nodes_elsewhere_that_wait_longer(
    monkeypatch: pytest.MonkeyPatch, reply: object, told: list[str]
) -> None:
    def answer(client: NodeClient, *words: object) -> object:
        assert words == ("CONFIG", "GET", "cluster-node-timeout")
        if isinstance(reply, Exception):
            raise reply
        return reply

    monkeypatch.setattr(NodeClient, "call", answer)
    watch = TimeoutWatch(FleetState(7000, 1, 0))
    seen = FleetView([7000], {7000: sample(A, PRIMARY)})
    assert [*watch.look(seen), *watch.look(seen)] == told
    assert [*watch.look(seen, 10)] == []


def test_nobody_answers() -> None:
    seen = FleetView([7000, 7001])
    assert [(row.role, row.state) for row in seen.rows()] == [("", "no answer")] * 2
    assert summary(seen) == "no node answers"


@pytest.mark.parametrize(
    ("info", "state", "shown", "mood"),
    [
        (PRIMARY, "ok", "ok", GOOD),
        (PRIMARY, "fail", "cluster down", BAD),
        (PRIMARY + "loading:1\r\nloading_loaded_perc:41.70\r\n", "ok", "loading 41%", BUSY),
    ],
)
def test_states_of_a_primary(info: str, state: str, shown: str, mood: str) -> None:
    (row,) = FleetView([7000], {7000: sample(A, info, state=state)}).rows()
    assert (row.state, row.mood) == (shown, mood)


@pytest.mark.parametrize(
    ("info", "shown"),
    [
        ("role:slave\r\nmaster_link_status:down\r\nmaster_sync_in_progress:1\r\n", "syncing"),
        ("role:slave\r\nmaster_link_status:down\r\n", "no primary"),
    ],
)
def test_states_of_a_replica(info: str, shown: str) -> None:
    (row,) = FleetView([7002], {7002: sample(C, info)}).rows()
    assert row.state == shown


def test_a_node_that_refuses_says_why() -> None:
    refused = Sample({}, {}, (), "NOAUTH Authentication required.")
    (row,) = FleetView([7000], {7000: refused}).rows()
    assert row.state == "NOAUTH Authentication required."


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1000, "0.98K"), (20480, "20.0K"), (5 << 30, "5.00G"),
     (3 << 50, "3072.0T")],
)  # fmt: skip
def test_bytes(number: int, text: str) -> None:
    assert in_bytes(number) == text


# -- Display ---------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """Takes what is written, as a terminal."""

    def fileno(self) -> int:
        return 1


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("LINES", "5")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("os.isatty", lambda fd: True)
    return Terminal()


def test_what_is_drawn_is_drawn_over(terminal: Terminal) -> None:
    display = LiveDisplay(terminal)
    display.draw([("one", GOOD), ("two", "")])
    assert terminal.getvalue() == "\x1b[?25l\x1b[32mone\x1b[0m\ntwo\n"
    terminal.truncate(0)
    terminal.seek(0)
    display.say("news")
    assert terminal.getvalue() == "\x1b[2A\x1b[Jnews\n\x1b[?25l\x1b[32mone\x1b[0m\ntwo\n"
    terminal.truncate(0)
    terminal.seek(0)
    display.close()
    assert terminal.getvalue() == "\x1b[2A\x1b[J\x1b[?25h"


def test_what_does_not_fit_is_cut_off(terminal: Terminal) -> None:
    LiveDisplay(terminal).draw([("x" * 100, "")] * 9)
    assert terminal.getvalue() == "\x1b[?25l" + ("x" * 39 + "\n") * 4


def test_without_colour(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    LiveDisplay(terminal).draw([("one", BAD)])
    assert "\x1b[31m" not in terminal.getvalue()


def test_elsewhere_there_are_only_lines() -> None:
    stream = io.StringIO()
    display = LiveDisplay(stream)
    display.draw([("one", GOOD)])
    display.say("news")
    display.close()
    assert stream.getvalue() == "news\n"


def test_a_reader_that_has_gone_is_no_failure() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    LiveDisplay(Gone()).say("news")


def test_progress_of_a_move(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    progress = MoveProgress(LiveDisplay(terminal), 10)
    progress.begin("7000 -> 7001")
    assert "[" + "." * 30 + "] 7000 -> 7001" in terminal.getvalue()
    progress.add(slots=5, keys=7)
    progress.expect(5)
    progress.close()
    assert terminal.getvalue().endswith("moved 5 slots with 7 keys in 0.0 s\n")
