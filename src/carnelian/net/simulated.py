"""A network of nodes that exists only in this process, on a clock that only it moves.

Everything that happens follows from a seed: how long bytes take, how they are cut, what nodes draw
from their random sources. The same seed gives the same trace, so that what goes wrong once can be
looked at as often as one likes, and hours of a cluster's life pass in seconds.

What is like TCP: bytes of one direction of one connection arrive in order, in pieces that have
nothing to do with how they were sent; connections are independent of each other; what was on its
way is lost when a connection is. Between separated nodes nothing is lost but everything waits, as
it is sent again until it gets through. What a node holds in memory is gone when it crashes.
"""

from __future__ import annotations

import heapq
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from errno import EADDRINUSE
from functools import partial
from itertools import pairwise
from random import Random

from carnelian.keyspace.clock import ManualClock
from carnelian.net.protocol import Address, Conversation

# The ports that nodes connect from begin here.
_FIRST_PORT = 49152

Boot = Callable[["Node"], object]


class SimulationError(Exception):
    """The simulation was asked for something that cannot be, or has not come to an end."""


class Event:
    """Something that will happen at a time, in microseconds, unless it is cancelled."""

    __slots__ = ("action", "time")

    def __init__(self, time: int, action: Callable[[], object]):
        self.time = time
        self.action: Callable[[], object] | None = action

    def cancel(self) -> None:
        """Let it not happen."""
        self.action = None


class Network:
    """Nodes, what is between them, and the order in which everything happens.

    Args:
        seed: from which all chance follows.
        clock: the clock to move; engines of the nodes may share it.
        delay: least and most seconds that bytes take from one node to another.
        pieces: into how many pieces at most something that is sent is cut.
        traced: whether to keep a trace, which grows with all that happens.
    """

    def __init__(
        self,
        seed: int = 0,
        clock: ManualClock | None = None,
        delay: tuple[float, float] = (0.0002, 0.005),
        pieces: int = 3,
        traced: bool = True,
    ):
        self.seed = seed
        self.clock = clock if clock is not None else ManualClock()
        self.random = Random(f"network {seed}")
        self.nodes: dict[str, Node] = {}
        # What has happened, as lines that begin with the time in microseconds.
        self.trace: list[str] = []
        self.now = 0
        self._traced = traced
        self._delay = _micro(delay[0]), _micro(delay[1])
        self._pieces = pieces
        self._events: list[tuple[int, int, Event]] = []
        self._count = 0
        # Pairs of nodes, of which nothing gets from the first to the second; in the order of
        # their separation, as that of a set is not the same in every process.
        self._cut: dict[tuple[str, str], None] = {}
        self._slow: dict[tuple[str, str], int] = {}
        self._connections: dict[Connection, None] = {}

    # -- Nodes -----------------------------------------------------------------------------------

    def node(self, name: str, boot: Boot | None = None) -> Node:
        """A new node; ``boot(node)`` starts what runs on it, now and after each crash."""
        if name in self.nodes:
            raise SimulationError(f"there is a node {name} already")
        node = self.nodes[name] = Node(self, name, boot)
        node._start()
        return node

    def crash(self, name: str, silently: bool = False) -> None:
        """End all that runs on a node. Its peers learn so at once, or when they send next.

        ``silently`` is a loss of power, after which nobody is left to answer.
        """
        node = self._running(name)
        self.note(f"{name} crashes{' silently' * silently}")
        node._stop(answers=not silently)
        for connection in self._of(node):
            connection.crash(node, silently)

    def restart(self, name: str) -> None:
        """Start a node that has crashed: what is in its memory is new."""
        node = self.nodes[name]
        if node.is_up:
            raise SimulationError(f"{name} is running")
        self.note(f"{name} restarts")
        node._start()
        # Who takes the old connections for good, and has sent, hears that nobody knows them.
        for connection in self._of(node):
            connection.go_on()

    # -- What is between them --------------------------------------------------------------------

    def partition(self, *groups: Sequence[str]) -> None:
        """Let each group reach only itself. Nodes of no group are a group together."""
        named = [name for group in groups for name in group]
        rest = [name for name in self.nodes if name not in named]
        self.note(f"partition {' | '.join(','.join(group) for group in groups)}")
        everyone = [*groups, rest]
        for group in everyone:
            for other in everyone:
                if other is not group:
                    self._cut.update(((a, b), None) for a in group for b in other)

    def cut(self, source: str, target: str) -> None:
        """Let nothing get from ``source`` to ``target``; the other way is as it was."""
        self.note(f"cut {source} -> {target}")
        self._cut[source, target] = None

    def slow(self, source: str, target: str, seconds: float) -> None:
        """Let everything from ``source`` to ``target`` take so much longer."""
        self.note(f"slow {source} -> {target} {seconds}")
        self._slow[source, target] = _micro(seconds)

    def heal(self) -> None:
        """Let everybody reach everybody as fast as ever; what has waited is on its way."""
        self.note("heal")
        self._cut.clear()
        self._slow.clear()
        for connection in list(self._connections):
            connection.go_on()

    def drop(self, one: str, other: str) -> None:
        """Break all connections between two nodes, with what is on its way."""
        self.note(f"drop {one} - {other}")
        for connection in self._of(self.nodes[one]):
            if self.nodes[other] in connection.nodes:
                connection.drop()

    def reaches(self, source: str, target: str) -> bool:
        """Whether anything gets from one node to another."""
        return (source, target) not in self._cut

    # -- Time ------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        end = self.now + _micro(seconds)
        while self._events and self._events[0][0] <= end:
            self._step()
        self._move(end)

    def run_until(self, condition: Callable[[], bool], seconds: float = 60.0) -> float:
        """Let time pass until something is so: the seconds that it took.

        Raises SimulationError if it is not within ``seconds``.
        """
        begun = self.now
        end = begun + _micro(seconds)
        while not condition():
            if not self._events or self._events[0][0] > end:
                raise SimulationError(f"not so after {seconds} s, seed {self.seed}")
            self._step()
        return (self.now - begun) / 1e6

    def note(self, line: str) -> None:
        """Add a line to the trace."""
        if self._traced:
            self.trace.append(f"{self.now} {line}")

    def after(self, microseconds: int, action: Callable[[], object]) -> Event:
        """Have something happen; among what happens at the same time, in the order of asking."""
        event = Event(self.now + microseconds, action)
        self._count += 1
        heapq.heappush(self._events, (event.time, self._count, event))
        return event

    def latency(self, source: str, target: str) -> int:
        """Microseconds that something takes this time."""
        return self.random.randint(*self._delay) + self._slow.get((source, target), 0)

    def pieces(self, data: bytes) -> list[bytes]:
        """Cut something that is sent."""
        most = min(self._pieces, len(data))
        places = sorted(self.random.randrange(len(data)) for _ in range(most - 1))
        ends = [0, *places, len(data)]
        return [data[a:b] for a, b in pairwise(ends) if a < b]

    def _step(self) -> None:
        time, _, event = heapq.heappop(self._events)
        action = event.action
        if action is not None:
            self._move(time)
            event.cancel()
            action()

    def _move(self, time: int) -> None:
        if time > self.now:
            self.clock.advance_us(time - self.now)
            self.now = time

    def _running(self, name: str) -> Node:
        node = self.nodes[name]
        if not node.is_up:
            raise SimulationError(f"{name} is not running")
        return node

    def _of(self, node: Node) -> list[Connection]:
        return [connection for connection in self._connections if node in connection.nodes]


class Node:
    """A machine with a name, which is the host part of its addresses. A Host of protocols.

    What was started before a crash hears nothing after it. What has to outlive a crash, as files
    do, goes into ``disk``.
    """

    def __init__(self, network: Network, name: str, boot: Boot | None):
        self.network = network
        self.name = name
        self.disk: dict = {}
        self.is_up = False
        # Whether it tells others that nobody is there, when that is so.
        self.answers = True
        self.clock = network.clock
        self.random = Random()
        self._boot = boot
        self._life = 0
        self._next_port = _FIRST_PORT
        self._ears: dict[int, SimulatedEar] = {}

    def call_later(self, seconds: float, callback: Callable[[], object]) -> Event:
        """Call once, after so many seconds, if the node is still running then."""
        life = self._life

        def fire() -> None:
            if self.is_up and self._life == life:
                self.network.note(f"{self.name} timer")
                callback()

        return self.network.after(max(_micro(seconds), 0), fire)

    def listen(self, address: Address, accept: Callable[[], Conversation]) -> SimulatedEar:
        """Have a conversation made for each connection to a port of this node."""
        host, port = address
        if host != self.name:
            raise SimulationError(f"{self.name} cannot listen at {host}")
        if port in self._ears:
            raise OSError(EADDRINUSE, "Address already in use")
        ear = SimulatedEar(self, port, accept)
        if self.is_up:
            self._ears[port] = ear
        return ear

    def connect(self, address: Address, conversation: Conversation, timeout: float = 5.0) -> None:
        """Connect to a port of a node."""
        if not self.is_up:
            return
        if address[0] not in self.network.nodes:
            self.call_later(0, lambda: conversation.lost("unknown host"))
            return
        self._next_port += 1
        Connection(self, (self.name, self._next_port), address, conversation, timeout)

    def ear(self, port: int) -> SimulatedEar | None:
        """Who accepts connections to a port, if anybody does."""
        return self._ears.get(port)

    def _start(self) -> None:
        self._life += 1
        self.is_up = self.answers = True
        self.random = Random(f"node {self.network.seed} {self.name} {self._life}")
        if self._boot is not None:
            self._boot(self)

    def _stop(self, answers: bool) -> None:
        self._life += 1
        self.is_up = False
        self.answers = answers
        self._ears.clear()


class SimulatedEar:
    """A port on which a node listens."""

    def __init__(self, node: Node, port: int, accept: Callable[[], Conversation]):
        self.accept = accept
        self._node = node
        self._port = port

    def close(self) -> None:
        """Accept no connection from now on."""
        if self._node._ears.get(self._port) is self:
            del self._node._ears[self._port]


class Connection:
    """Two ends, and a stream from each to the other."""

    def __init__(
        self,
        node: Node,
        address: Address,
        target: Address,
        conversation: Conversation,
        timeout: float,
    ):
        self.network = network = node.network
        self.caller = End(self, node, address, target, conversation)
        network.note(f"{self.caller} connects")
        other = network.nodes[target[0]]
        self.nodes = node, other
        self.callee = End(self, other, target, address, None)
        self.there = Stream(self.caller, self.callee)
        self.back = Stream(self.callee, self.caller)
        network._connections[self] = None
        self.there.put(self._arrive)
        network.after(_micro(timeout), self._run_out)

    def crash(self, node: Node, silently: bool) -> None:
        """One of the nodes has crashed; its system ends the connection if it still can."""
        for end in (self.caller, self.callee):
            if end.node is node and end.is_known and not end.is_over:
                end.is_over = True
                if not silently:
                    self.stream_from(end).reset()

    def drop(self) -> None:
        """End for both sides, each in its own time; what is on its way is lost."""
        for end, stream in ((self.caller, self.back), (self.callee, self.there)):
            stream.abandon()
            self.network.after(stream.latency(), partial(end.lose, "reset"))

    def go_on(self) -> None:
        """What has waited is on its way, if anything has."""
        self.there.go_on()
        self.back.go_on()

    def stream_from(self, end: End) -> Stream:
        """What carries what an end sends."""
        return self.there if end is self.caller else self.back

    def forget(self) -> None:
        """Nobody needs to know of it any more if both ends are over and nothing is on its way."""
        if self.caller.is_over and self.callee.is_over and not (self.there or self.back):
            self.network._connections.pop(self, None)

    def _arrive(self) -> None:
        """The call has come to the node that is called."""
        callee = self.callee
        ear = callee.node.ear(callee.address[1])
        if ear is None:
            callee.is_over = True
            self.back.put(lambda: self.caller.lose("refused"))
            return
        callee.is_known = True
        callee.conversation = ear.accept()
        self.back.put(self.caller.stand)
        callee.stand()

    def _run_out(self) -> None:
        if not self.caller.stands and not self.caller.is_over:
            self.caller.lose("timed out")
            self.there.reset()


class End:
    """The wire of one of the two protocols."""

    def __init__(
        self,
        connection: Connection,
        node: Node,
        address: Address,
        peer: Address,
        conversation: Conversation | None,
    ):
        self.connection = connection
        self.node = node
        self.address = address
        self.peer = peer
        self.conversation = conversation
        # Whether its node knows of it: from the beginning, or once the call has arrived.
        self.is_known = conversation is not None
        self.stands = False
        self.is_over = False

    def __str__(self) -> str:
        return f"{self.address[0]}:{self.address[1]} {self.peer[0]}:{self.peer[1]}"

    def send(self, data: bytes) -> None:
        """Send, after all that was sent before."""
        if data and not self.is_over:
            stream = self.connection.stream_from(self)
            for piece in self.node.network.pieces(data):
                stream.put(piece)

    def close(self) -> None:
        """End the connection behind what was sent."""
        if not self.is_over:
            self.is_over = True
            self.node.network.note(f"{self} closes")
            self.connection.stream_from(self).end("closed")

    @property
    def unsent(self) -> int:
        """Bytes that were sent and would have arrived if the other end were there."""
        return self.connection.stream_from(self).waiting()

    def abort(self) -> None:
        """End the connection at once; what waits is lost."""
        if not self.is_over:
            self.is_over = True
            self.node.network.note(f"{self} aborts")
            stream = self.connection.stream_from(self)
            stream.clear()
            stream.reset()

    def stand(self) -> None:
        """The connection is there."""
        if not self.is_over and self.conversation is not None:
            self.stands = True
            self.node.network.note(f"{self} connected")
            self.conversation.connected(self)

    def take(self, data: bytes) -> None:
        """Bytes have arrived; who is not there any more says so."""
        if self.is_over:
            self.connection.stream_from(self).reset()
        elif self.conversation is not None:
            self.node.network.note(f"{self} receives {len(data)} {zlib.crc32(data):08x}")
            self.conversation.receive(data)

    def lose(self, reason: str) -> None:
        """The connection has ended, by the other side or by what is between them."""
        if self.is_over:
            return
        self.is_over = True
        if self.conversation is not None:
            self.node.network.note(f"{self} lost: {reason}")
            self.conversation.lost(reason)
        self.connection.forget()


class Stream:
    """What is on its way from one end to the other, in order; true if there is something.

    An item is a piece of what was sent, or what is to be done when all before it has arrived.
    """

    def __init__(self, source: End, target: End):
        self.source = source
        self.target = target
        self._network = source.node.network
        self._items: deque[tuple[int, bytes | Callable[[], object]]] = deque()
        self._last = 0
        self._abandoned = False

    def __bool__(self) -> bool:
        return bool(self._items)

    def put(self, item: bytes | Callable[[], object]) -> None:
        """Have something arrive in a while, but not before what was put here before."""
        if self._abandoned:
            return
        self._last = max(self._last, self._network.now + self.latency())
        self._items.append((self._last, item))
        self._network.after(self._last - self._network.now, self._deliver)

    def end(self, reason: str) -> None:
        """The source sends no more."""
        self.put(partial(self.target.lose, reason))

    def reset(self) -> None:
        """The source knows nothing of the connection."""
        self.end("reset")

    def abandon(self) -> None:
        """Lose what is on its way and what is sent from now on."""
        self._abandoned = True
        self._items.clear()

    def clear(self) -> None:
        """Lose what is on its way."""
        self._items.clear()

    def waiting(self) -> int:
        """Bytes whose time to arrive has come, but which could not."""
        if not self._items or self._items[0][0] >= self._network.now:
            return 0
        return sum([len(item) for _, item in self._items if isinstance(item, bytes)])

    def go_on(self) -> None:
        """The way may be free again."""
        if self._items:
            self._network.after(self.latency(), self._deliver)

    def latency(self) -> int:
        """Microseconds that something takes this time."""
        return self._network.latency(self.source.node.name, self.target.node.name)

    def _deliver(self) -> None:
        """Hand over what has arrived; bytes that arrive together are received together."""
        data = b""
        while self._is_due():
            item = self._items.popleft()[1]
            if isinstance(item, bytes):
                data += item
                continue
            if data:
                self.target.take(data)
                data = b""
            item()
        if data:
            self.target.take(data)
        self.source.connection.forget()

    def _is_due(self) -> bool:
        if not self._items or self._items[0][0] > self._network.now:
            return False
        source, target = self.source.node, self.target.node
        return target.answers and self._network.reaches(source.name, target.name)


def _micro(seconds: float) -> int:
    return round(seconds * 1_000_000)
