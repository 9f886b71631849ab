"""Things that go wrong at random in a simulated network, and are repaired again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from carnelian.net.simulated import Network

# What makes something go wrong.
Fault = Callable[[Network, Random], object]

# Seconds that something takes longer at most where the way is slow.
_SLOWEST = 1.0


class Storm:
    """Faults one after the other until :meth:`end`, which repairs everything.

    Args:
        every: the mean of seconds from one fault to the next.
        lasting: the mean of seconds until what a fault has done is repaired.
        faults: what may happen.
    """

    def __init__(
        self,
        network: Network,
        every: float = 1.0,
        lasting: float = 2.0,
        faults: Sequence[Fault] | None = None,
    ):
        self._network = network
        # Its own, so that the nodes' messages take as long as without a storm at first.
        self._random = Random(f"storm {network.seed}")
        self._every = every
        self._lasting = lasting
        self._faults = faults if faults is not None else FAULTS
        self._is_over = False
        self._plan(every, self._strike)
        self._plan(lasting, self._repair)

    def end(self) -> None:
        """Let nothing go wrong any more, and repair what is."""
        self._is_over = True
        self._network.heal()
        for name, node in self._network.nodes.items():
            if not node.is_up:
                self._network.restart(name)

    def _strike(self) -> None:
        if not self._is_over:
            self._random.choice(self._faults)(self._network, self._random)
            self._plan(self._every, self._strike)

    def _repair(self) -> None:
        """Restart one node that is down, or let all reach each other."""
        if self._is_over:
            return
        down = [name for name, node in self._network.nodes.items() if not node.is_up]
        if down and self._random.random() < 0.5:
            self._network.restart(self._random.choice(down))
        else:
            self._network.heal()
        self._plan(self._lasting, self._repair)

    def _plan(self, mean: float, action: Callable[[], None]) -> None:
        self._network.after(round(self._random.expovariate(1 / mean) * 1e6), action)


def crash(network: Network, random: Random) -> None:
    """End a node, if there is still one that runs."""
    running = [name for name, node in network.nodes.items() if node.is_up]
    if running:
        network.crash(random.choice(running), silently=random.random() < 0.5)


def partition(network: Network, random: Random) -> None:
    """Separate some nodes from all others."""
    names = list(network.nodes)
    network.partition(random.sample(names, random.randrange(1, max(len(names), 2))))


def cut(network: Network, random: Random) -> None:
    """Let nothing get from one node to another."""
    network.cut(*_two(network, random))


def slow(network: Network, random: Random) -> None:
    """Let everything from one node to another take long."""
    network.slow(*_two(network, random), random.uniform(0, _SLOWEST))


def drop(network: Network, random: Random) -> None:
    """Break the connections between two nodes."""
    network.drop(*_two(network, random))


def _two(network: Network, random: Random) -> tuple[str, str]:
    one, other = random.sample(list(network.nodes), 2)
    return one, other


FAULTS: tuple[Fault, ...] = (crash, partition, cut, slow, drop)
