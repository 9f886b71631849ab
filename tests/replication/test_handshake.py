"""What a replica says to its primary, byte for byte, and what it makes of the answers."""

from __future__ import annotations

import pytest

from carnelian.replication.replica_side.handshake import Greeting, Handshake, Stage

ID = "a" * 40
OTHER = "b" * 40
MARK = "c" * 40


class Wire:
    """Keeps what is sent."""

    peer = ("primary", 6379)
    address = ("replica", 40000)

    def __init__(self) -> None:
        self.sent = b""
        self.closed = False
        self.paused = False

    def send(self, data: bytes) -> None:
        self.sent += data

    def pause(self, paused: bool) -> None:
        self.paused = paused

    def close(self) -> None:
        self.closed = True

    def commands(self) -> list[bytes]:
        """The commands sent since the last look, words joined by blanks."""
        sent, self.sent = self.sent, b""
        found: list[bytes] = []
        for request in sent.split(b"*")[1:]:
            words = request.split(b"\r\n")[2:-1:2]
            found.append(b" ".join(words))
        return found


class Node:
    """Keeps what a dialogue tells."""

    def __init__(self, greeting: Greeting):
        self._greeting = greeting
        self.is_occupied = False
        self.events: list[object] = []
        self.snapshot = b""
        self.stream = b""

    def greeting(self) -> Greeting:
        return self._greeting

    def going_on(self, new_id: str | None) -> None:
        self.events.append(("on", new_id))

    def starting_over(self, repl_id: str | None, offset: int) -> None:
        self.events.append(("over", repl_id, offset))

    def occupied(self) -> bool:
        return self.is_occupied

    def snapshot_begins(self, size: int | None) -> None:
        self.events.append(("begins", size))

    def snapshot_part(self, data: bytes) -> None:
        self.snapshot += data

    def snapshot_ends(self) -> None:
        self.events.append("ends")

    def stream_part(self, data: bytes) -> None:
        self.stream += data

    def alive(self) -> None:
        pass

    def ended(self, stage: Stage, reason: str) -> None:
        self.events.append(("ended", stage, reason))


class Dialogue:
    """A replica's end, and the hand that writes the primary's part."""

    def __init__(self, piece: int = 1 << 30, **greeting: object):
        self.node = Node(Greeting(port=7000, version="8.0.0", **greeting))  # type: ignore[arg-type]
        self.lines: list[str] = []
        self.talk = Handshake(self.node, lambda level, line: self.lines.append(line))
        self.wire = Wire()
        self.piece = piece
        self.talk.connected(self.wire)

    def hear(self, data: str | bytes) -> list[bytes]:
        """The primary says something; returns what the replica says then."""
        raw = data.encode() if isinstance(data, str) else data
        for start in range(0, len(raw), self.piece):
            self.talk.receive(raw[start : start + self.piece])
        return self.wire.commands()

    def introduce(self) -> list[bytes]:
        """Up to the wish to go on."""
        assert self.wire.commands() == [b"PING"]
        self.hear("+PONG\r\n")
        return self.hear("+OK\r\n+OK\r\n+OK\r\n")


def test_the_replica_introduces_itself() -> None:
    talk = Dialogue(user="u", password="p", announced_ip="10.0.0.1")
    assert talk.wire.commands() == [b"PING"]
    assert talk.hear("-NOAUTH Authentication required.\r\n") == [
        b"AUTH u p",
        b"REPLCONF listening-port 7000",
        b"REPLCONF ip-address 10.0.0.1",
        b"REPLCONF capa eof capa psync2",
        b"REPLCONF version 8.0.0",
    ]
    assert talk.hear("+OK\r\n+OK\r\n+OK\r\n+OK\r\n") == []
    assert talk.hear("-ERR unknown\r\n") == [b"PSYNC ? -1"]
    assert talk.lines[-2] == (
        "(Non critical) Master does not understand REPLCONF version: -ERR unknown"
    )


def test_a_snapshot_waits_while_the_replica_is_occupied() -> None:
    talk = Dialogue()
    talk.introduce()
    talk.node.is_occupied = True
    talk.hear(f"+FULLRESYNC {ID} 5\r\n$6\r\nab")
    talk.hear("cdef")
    talk.hear("stream")
    assert talk.node.events == [("over", ID, 5)]
    assert talk.node.snapshot == talk.node.stream == b""
    talk.node.is_occupied = False
    talk.talk.go_on()
    assert talk.node.events == [("over", ID, 5), ("begins", 6), "ends"]
    assert (talk.node.snapshot, talk.node.stream) == (b"abcdef", b"stream")


def test_a_password_without_a_user() -> None:
    talk = Dialogue(password="p")
    talk.wire.commands()
    assert talk.hear("+PONG\r\n")[0] == b"AUTH p"


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("-ERR go away\r\n", "Error reply to PING from master: '-ERR go away'"),
        (
            "+PONG\r\n-WRONGPASS invalid\r\n",
            "Unable to AUTH to MASTER: -WRONGPASS invalid",
        ),
    ],
)
def test_a_primary_that_refuses(said: str, line: str) -> None:
    talk = Dialogue(password="p")
    talk.hear(said)
    assert talk.wire.closed
    assert talk.lines[-1] == line
    assert talk.node.events[-1][0] == "ended"  # type: ignore[index]


def test_to_go_on() -> None:
    talk = Dialogue(position=(ID, 11))
    assert talk.introduce() == [f"PSYNC {ID} 11".encode()]
    talk.hear("\n\n+CONTINUE\r\nstream")
    assert talk.node.events == [("on", None)]
    assert talk.node.stream == b"stream"


def test_to_go_on_under_another_id() -> None:
    talk = Dialogue(position=(ID, 11))
    talk.introduce()
    talk.hear(f"+CONTINUE {OTHER}\r\n")
    assert talk.node.events == [("on", OTHER)]
    assert f"Master replication ID changed to {OTHER}" in talk.lines


def test_to_go_on_under_the_same_id() -> None:
    talk = Dialogue(position=(ID, 11))
    talk.introduce()
    talk.hear(f"+CONTINUE {ID}\r\n")
    assert talk.node.events == [("on", None)]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1000])
def test_a_snapshot_of_known_size(piece: int) -> None:
    talk = Dialogue(piece)
    talk.introduce()
    talk.hear(f"+FULLRESYNC {ID} 5\r\n\n\n$10\r\n0123456789*1\r\n$4\r\nPING\r\n")
    assert talk.node.events == [("over", ID, 5), ("begins", 10), "ends"]
    assert talk.node.snapshot == b"0123456789"
    assert talk.node.stream == b"*1\r\n$4\r\nPING\r\n"


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 41, 1000])
def test_a_snapshot_up_to_a_mark(piece: int) -> None:
    talk = Dialogue(piece)
    talk.introduce()
    body = b"x" * 50 + MARK[:39].encode() + b"d" + b"c" * 5 + b"y"
    talk.hear(f"+FULLRESYNC {ID} 5\r\n$EOF:{MARK}\r\n".encode() + body + MARK.encode() + b"stream")
    assert talk.node.events == [("over", ID, 5), ("begins", None), "ends"]
    assert talk.node.snapshot == body
    assert talk.node.stream == b"stream"


def test_an_empty_snapshot() -> None:
    talk = Dialogue()
    talk.introduce()
    talk.hear(f"+FULLRESYNC {ID} 5\r\n$0\r\n")
    assert talk.node.events == [("over", ID, 5), ("begins", 0), "ends"]


def test_a_snapshot_that_is_none() -> None:
    talk = Dialogue()
    talk.introduce()
    talk.hear(f"+FULLRESYNC {ID} 5\r\nHTTP/1.1 400\r\n")
    assert talk.lines[-1] == (
        "Bad protocol from MASTER, the first byte is not '$' (we received 'HTTP/1.1 400'), are you "
        "sure the host and port are right?"
    )
    assert talk.wire.closed


def test_a_primary_that_gives_up() -> None:
    talk = Dialogue()
    talk.introduce()
    talk.hear(f"+FULLRESYNC {ID} 5\r\n-ERR no child\r\n")
    assert talk.lines[-1] == "MASTER aborted replication with an error: -ERR no child"
    assert talk.wire.closed


def test_a_primary_from_before_psync() -> None:
    talk = Dialogue()
    talk.introduce()
    talk.talk.receive(b"-ERR unknown command 'PSYNC'\r\n")
    assert talk.wire.sent == b"SYNC\r\n"
    talk.hear("$3\r\nabc")
    assert talk.node.events == [("over", None, -1), ("begins", 3), "ends"]


@pytest.mark.parametrize("word", ["NOMASTERLINK", "LOADING"])
def test_a_primary_that_cannot_yet(word: str) -> None:
    talk = Dialogue()
    talk.introduce()
    talk.hear(f"-{word} later\r\n")
    assert talk.lines[-1] == (
        f"Master is currently unable to PSYNC but should be in the future: -{word} later"
    )
    assert talk.node.events == [("ended", Stage.PSYNC, f"-{word} later")]


def test_acknowledgements() -> None:
    talk = Dialogue()
    talk.introduce()
    talk.talk.acknowledge(17)
    talk.talk.acknowledge(18, 9)
    assert talk.wire.commands() == [b"REPLCONF ACK 17", b"REPLCONF ACK 18 FACK 9"]


def test_nothing_is_heard_after_the_end() -> None:
    talk = Dialogue()
    talk.talk.close()
    talk.hear("+PONG\r\n")
    talk.talk.lost("closed")
    assert talk.node.events == []


def test_a_line_without_an_end() -> None:
    talk = Dialogue()
    talk.hear("x" * 70_000)
    assert talk.wire.closed
