"""A network in one process: the same from the same seed, and like TCP in what counts."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

import pytest

from carnelian.keyspace.clock import ManualClock
from carnelian.net.simulated import Network, Node, SimulationError
from carnelian.net.storm import Storm, drop
from support.compiled import ROOT

from .conversations import Caller, Echo, Gossip, Recorder

WORDS = bytes(range(256)) * 20


def fleet(network: Network, count: int = 5) -> list[Node]:
    """Nodes that gossip, and begin anew after a crash."""
    names = [f"n{number}" for number in range(count)]

    def boot(node: Node) -> None:
        others = [(name, Gossip.PORT) for name in names if name != node.name]
        node.disk["gossip"] = Gossip(node, node.name, others)

    return [network.node(name, boot) for name in names]


def numbers(network: Network) -> list[int]:
    return [node.disk["gossip"].number for node in network.nodes.values()]


def eventful(seed: int) -> Network:
    """Some seconds of a fleet, with all that can go wrong."""
    network = Network(seed)
    nodes = fleet(network)
    nodes[0].disk["gossip"].number = 1
    network.run(1)
    network.partition(["n0", "n1"], ["n2"])
    nodes[2].disk["gossip"].number = 2
    network.run(1)
    network.crash("n3")
    network.crash("n4", silently=True)
    network.cut("n0", "n1")
    network.run(1)
    network.restart("n4")
    network.heal()
    network.restart("n3")
    network.drop("n0", "n1")
    network.run(2)
    return network


@pytest.fixture
def network() -> Network:
    return Network(1)


class Pair:
    """A caller at ``a`` and an echo at ``b``."""

    def __init__(self, network: Network, words: bytes = WORDS):
        self.network = network
        self.a = network.node("a")
        self.b = network.node("b")
        self.echoes: list[Echo] = []
        self.ear = self.b.listen(("b", 1), self.accept)
        self.caller = Caller(words)
        self.a.connect(("b", 1), self.caller)

    def accept(self) -> Echo:
        self.echoes.append(Echo())
        return self.echoes[-1]

    @property
    def reasons(self) -> list[str | None]:
        return [self.caller.reason, *(echo.reason for echo in self.echoes)]


@pytest.fixture
def pair(network: Network) -> Pair:
    return Pair(network)


class TestDeterminism:
    def test_the_same_seed_gives_the_same_trace(self) -> None:
        trace = eventful(3).trace
        assert len(trace) > 200
        assert eventful(3).trace == trace

    def test_another_seed_gives_another_trace(self) -> None:
        assert eventful(3).trace != eventful(4).trace

    def test_the_same_in_another_process(self) -> None:
        program = (
            "from zlib import crc32; from net.test_simulated import eventful; "
            "print(crc32(str(eventful(3).trace).encode()))"
        )
        path = f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}"
        found = {
            subprocess.run(
                [sys.executable, "-c", program],
                env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed},
                capture_output=True,
                check=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(found) == 1

    def test_chance_of_a_node_is_its_own(self) -> None:
        alone = Network(5).node("a").random.random()
        network = Network(5)
        network.node("b")
        assert network.node("a").random.random() == alone
        network.crash("a")
        network.restart("a")
        assert network.nodes["a"].random.random() != alone

    @pytest.mark.parametrize("seed", range(20))
    def test_everybody_agrees_in_the_end(self, seed: int) -> None:
        network = eventful(seed)
        assert numbers(network) == [2] * 5


class TestStreams:
    @pytest.mark.parametrize("seed", range(10))
    def test_all_arrives_in_order_in_other_pieces(self, seed: int) -> None:
        network = Network(seed)
        pair = Pair(network)
        network.run(0.1)
        wire = pair.caller.wire
        assert wire is not None
        for number in range(100):
            network.after(number * 500, partial(wire.send, b"%d," % number))
        network.run(1)
        sent = WORDS + b"".join(b"%d," % number for number in range(100))
        assert pair.caller.received == sent == pair.echoes[0].received
        assert pair.echoes[0].pieces not in (1, 101)

    def test_connections_are_not_in_order_with_each_other(self) -> None:
        network = Network(1, pieces=1)
        a, b = network.node("a"), network.node("b")
        arrived: list[int] = []

        class Numbered(Recorder):
            def receive(self, data: bytes) -> None:
                arrived.append(int(data))

        b.listen(("b", 1), Numbered)
        for number in range(10, 30):
            a.connect(("b", 1), Caller(b"%d" % number))
        network.run(1)
        assert arrived != sorted(arrived) == list(range(10, 30))

    def test_close_comes_after_what_was_sent(self, network: Network) -> None:
        pair = Pair(network, b"bye.")
        network.run(1)
        assert pair.caller.received == b"bye."
        assert pair.reasons == ["closed", None]

    def test_sending_to_who_has_closed_is_in_vain(self, network: Network) -> None:
        pair = Pair(network, b"bye.")
        network.run_until(lambda: bool(pair.echoes and pair.echoes[0].received == b"bye."))
        wire = pair.caller.wire
        assert wire is not None
        wire.send(b"too late")
        network.run(1)
        wire.send(b"much too late")
        wire.close()
        network.run(1)
        assert pair.reasons == ["closed", None]
        assert pair.echoes[0].received == b"bye."

    def test_nothing_is_kept_of_what_has_ended(self, network: Network) -> None:
        Pair(network, b"bye.")
        network.run(10)
        assert not network._connections

    def test_refused(self, network: Network) -> None:
        a, _ = network.node("a"), network.node("b")
        caller = Caller(b"")
        a.connect(("b", 1), caller)
        assert caller.reason is None
        network.run(1)
        assert (caller.reason, caller.wire) == ("refused", None)

    def test_an_ear_that_is_closed_refuses(self, pair: Pair) -> None:
        pair.network.run(1)
        pair.ear.close()
        late = Caller(b"")
        pair.a.connect(("b", 1), late)
        pair.network.run(1)
        assert (late.reason, pair.reasons) == ("refused", [None, None])

    def test_a_host_that_does_not_exist(self, network: Network) -> None:
        caller = Caller(b"")
        network.node("a").connect(("nowhere", 1), caller)
        network.run(1)
        assert caller.reason == "unknown host"

    def test_a_port_is_taken_once(self, pair: Pair) -> None:
        with pytest.raises(OSError, match="in use"):
            pair.b.listen(("b", 1), Echo)


class TestPartitions:
    def test_what_is_sent_waits(self, pair: Pair) -> None:
        network = pair.network
        network.run(1)
        before = pair.caller.received
        network.partition(["a"], ["b"])
        assert pair.caller.wire is not None
        pair.caller.wire.send(b"later")
        network.run(100)
        assert pair.caller.received == before
        network.heal()
        network.run(1)
        assert pair.caller.received == before + b"later"
        assert pair.reasons == [None, None]

    def test_one_way(self, pair: Pair) -> None:
        network = pair.network
        network.run(1)
        network.cut("b", "a")
        assert pair.caller.wire is not None
        pair.caller.wire.send(b"heard")
        network.run(1)
        assert pair.echoes[0].received == WORDS + b"heard"
        assert pair.caller.received == WORDS
        assert network.reaches("a", "b") and not network.reaches("b", "a")

    def test_who_cannot_be_reached_times_out(self, network: Network) -> None:
        a, b = network.node("a"), network.node("b")
        network.node("c")
        b.listen(("b", 1), Echo)
        network.partition(["a", "c"])
        caller = Caller(b"")
        a.connect(("b", 1), caller, timeout=2)
        network.run(1.9)
        assert caller.reason is None
        network.run(0.2)
        assert caller.reason == "timed out"

    @pytest.mark.parametrize("direction", [("a", "b"), ("b", "a")])
    def test_who_accepts_too_late_hears_of_it(
        self, network: Network, direction: tuple[str, str]
    ) -> None:
        for name in ("a", "b"):
            network.node(name)
        echo = Echo()
        network.nodes["b"].listen(("b", 1), lambda: echo)
        network.cut(*direction)
        caller = Caller(b"")
        network.nodes["a"].connect(("b", 1), caller, timeout=2)
        network.run(3)
        network.heal()
        network.run(1)
        assert (caller.reason, caller.wire, echo.reason) == ("timed out", None, "reset")

    def test_groups(self) -> None:
        network = Network(1)
        fleet(network)
        network.partition(["n0", "n1"], ["n2"])
        network.nodes["n0"].disk["gossip"].number = 5
        network.nodes["n3"].disk["gossip"].number = 4
        network.run(5)
        assert numbers(network) == [5, 5, 0, 4, 4]
        network.heal()
        assert network.run_until(lambda: numbers(network) == [5] * 5) < 5

    def test_a_slow_way(self, pair: Pair) -> None:
        network = pair.network
        network.run(1)
        network.slow("a", "b", 0.5)
        assert pair.caller.wire is not None
        pair.caller.wire.send(b"slow")
        assert 0.5 < network.run_until(lambda: pair.echoes[0].received == WORDS + b"slow") < 0.51
        network.heal()
        pair.caller.wire.send(b"fast")
        assert network.run_until(lambda: pair.echoes[0].received.endswith(b"fast")) < 0.01

    def test_drop(self, pair: Pair) -> None:
        pair.network.run(1)
        assert pair.caller.wire is not None
        pair.caller.wire.send(b"lost on its way")
        pair.network.drop("a", "b")
        pair.network.run(1)
        assert pair.reasons == ["reset", "reset"]
        assert pair.echoes[0].received == WORDS
        assert not pair.network._connections


class TestCrashes:
    def test_peers_hear_of_a_crash(self, pair: Pair) -> None:
        pair.network.run(1)
        pair.network.crash("b")
        pair.network.run(1)
        assert pair.reasons == ["reset", None]
        late = Caller(b"")
        pair.a.connect(("b", 1), late)
        pair.network.run(1)
        assert late.reason == "refused"

    def test_peers_hear_nothing_of_a_loss_of_power(self, pair: Pair) -> None:
        network = pair.network
        network.run(1)
        network.crash("b", silently=True)
        assert pair.caller.wire is not None
        pair.caller.wire.send(b"are you there")
        late = Caller(b"")
        pair.a.connect(("b", 1), late)
        network.run(10)
        assert (pair.reasons, late.reason) == ([None, None], "timed out")
        network.restart("b")
        network.run(1)
        # Somebody is there again who knows nothing of it.
        assert pair.reasons == ["reset", None]
        assert pair.echoes[0].received == WORDS

    def test_a_call_that_arrives_after_a_restart(self, network: Network) -> None:
        echoes: list[Echo] = []

        def accept() -> Echo:
            echoes.append(Echo())
            return echoes[-1]

        a = network.node("a")
        network.node("b", lambda node: node.listen(("b", 1), accept))
        caller = Caller(b"hello")
        a.connect(("b", 1), caller)
        network.crash("b")
        network.restart("b")
        network.run(1)
        assert (caller.received, caller.reason, len(echoes)) == (b"hello", None, 1)

    def test_what_ran_before_a_crash_is_silent(self, pair: Pair) -> None:
        network = pair.network
        called: list[str] = []
        network.run(1)
        pair.b.call_later(2, lambda: called.append("before"))
        network.crash("b")
        pair.b.call_later(2, lambda: called.append("dead"))
        pair.b.connect(("a", 1), Caller(b""))
        network.run(0.5)
        network.restart("b")
        pair.b.call_later(2, lambda: called.append("after"))
        network.run(10)
        assert called == ["after"]
        wire = pair.echoes[0].wire
        assert wire is not None
        wire.send(b"from the dead")
        network.run(1)
        assert pair.caller.received == WORDS

    def test_the_disk_outlives_a_crash(self, network: Network) -> None:
        def boot(node: Node) -> None:
            node.disk["boots"] = node.disk.get("boots", 0) + 1

        network.node("a", boot)
        network.crash("a")
        network.restart("a")
        assert network.nodes["a"].disk == {"boots": 2}

    def test_what_cannot_be(self, network: Network) -> None:
        network.node("a")
        with pytest.raises(SimulationError):
            network.node("a")
        with pytest.raises(SimulationError):
            network.restart("a")
        network.crash("a")
        with pytest.raises(SimulationError):
            network.crash("a")


class TestStorms:
    def storm(self, seed: int) -> Network:
        """A minute of one, and what is left of it."""
        network = Network(seed)
        fleet(network)
        storm = Storm(network)
        network.run(30)
        network.nodes["n0"].disk["gossip"].number = 9
        network.run(30)
        storm.end()
        network.run(1)
        return network

    @pytest.mark.parametrize("seed", range(5))
    def test_everything_is_repaired_in_the_end(self, seed: int) -> None:
        network = self.storm(seed)
        assert all(node.is_up for node in network.nodes.values())
        assert all(network.reaches(a, b) for a in network.nodes for b in network.nodes)
        network.nodes["n1"].disk["gossip"].number = 10
        network.run_until(lambda: numbers(network) == [10] * 5)
        later = len(network.trace)
        network.run(30)
        assert not [line for line in network.trace[later:] if "crashes" in line]

    def test_all_kinds_of_fault_happen(self) -> None:
        trace = " ".join(self.storm(1).trace)
        for fault in ("crashes silently", "restarts", "partition", "cut", "slow", "drop", "heal"):
            assert fault in trace

    def test_the_same_seed_brings_the_same_storm(self) -> None:
        assert self.storm(2).trace == self.storm(2).trace

    def test_some_faults_only(self, network: Network) -> None:
        fleet(network)
        Storm(network, faults=[drop])
        network.run(30)
        trace = " ".join(network.trace)
        assert "drop" in trace and "crashes" not in trace


class TestTime:
    def test_timers_come_in_their_order_and_time(self, network: Network) -> None:
        node = network.node("a")
        start = network.clock.ms
        seen: list[tuple[str, int]] = []

        def note(name: str) -> None:
            seen.append((name, node.clock.ms - start))

        node.call_later(3, lambda: note("late"))
        node.call_later(1, lambda: note("first"))
        node.call_later(1, lambda: note("second"))
        node.call_later(2, lambda: note("cancelled")).cancel()
        node.call_later(2, lambda: node.call_later(0.5, lambda: note("nested")))
        network.run(10)
        assert seen == [("first", 1000), ("second", 1000), ("nested", 2500), ("late", 3000)]
        assert network.clock.ms - start == 10_000

    def test_hours_take_no_time(self) -> None:
        clock = ManualClock()
        begun = clock.ms
        network = Network(1, clock)
        ticks: list[int] = []
        node = network.node("a")

        def tick() -> None:
            ticks.append(clock.ms - begun)
            node.call_later(60, tick)

        tick()
        network.run(24 * 3600)
        assert ticks == [minute * 60_000 for minute in range(24 * 60 + 1)]

    def test_waiting_for_what_does_not_come(self, network: Network) -> None:
        network.node("a").call_later(100, lambda: None)
        with pytest.raises(SimulationError, match="seed 1"):
            network.run_until(lambda: False, 10)

    def test_without_a_trace(self) -> None:
        network = Network(1, traced=False)
        Pair(network)
        network.run(1)
        assert network.trace == []


def test_a_paused_end_takes_nothing_in(network: Network) -> None:
    recorder = Recorder()
    network.node("a").listen(("a", 1), lambda: recorder)
    caller = Caller(WORDS)
    network.node("b").connect(("a", 1), caller)
    network.run_until(lambda: caller.wire is not None)
    assert recorder.wire is not None and caller.wire is not None
    recorder.wire.pause(True)
    recorder.wire.send(b"hello")
    before = recorder.received
    network.run(1)
    assert (recorder.received, caller.received) == (before, b"hello")
    caller.wire.close()
    network.run(1)
    assert recorder.reason is None
    recorder.wire.pause(False)
    network.run(1)
    assert (recorder.received, recorder.reason) == (WORDS, "closed")
