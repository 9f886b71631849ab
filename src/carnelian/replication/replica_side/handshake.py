"""What a replica and its primary say to each other, as a state machine without I/O.

A replica introduces itself, asks to go on where it stands, and gets a snapshot if that cannot be;
after that comes the stream. See https://redis.io/docs/latest/operate/oss_and_stack/management/
replication/ and the module docstring of :mod:`carnelian.replication.history` for ids and offsets.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, Protocol

from carnelian.net.protocol import Wire
from carnelian.resp.client.request_encoder import encode_request

# A line of the primary that has not ended by then never will.
_LONGEST_LINE = 64 * 1024
_MARK_SIZE = 40

Log = Callable[[str, str], None]


class Stage(Enum):
    """How far the dialogue has come."""

    CONNECTING = "connecting"
    PING = "ping"
    GREETING = "greeting"
    PSYNC = "psync"
    ANNOUNCEMENT = "announcement"  # of the snapshot's size
    SNAPSHOT = "snapshot"
    STREAM = "stream"
    OVER = "over"

    @property
    def introduces(self) -> bool:
        """Whether nothing of the data is on its way yet."""
        return self in (Stage.PING, Stage.GREETING, Stage.PSYNC)


class Greeting(NamedTuple):
    """What the replica says of itself, and where it wants to go on.

    ``position`` are the replication id and the offset of the next byte; None if it has nothing that
    it could go on with. ``failover`` asks the other side to become the primary of this one.
    """

    user: str | None = None
    password: str | None = None
    port: int = 0
    announced_ip: str | None = None
    version: str = ""
    position: tuple[str, int] | None = None
    failover: bool = False


class Follower(Protocol):
    """The node whose replica's end this is."""

    def greeting(self) -> Greeting:
        """What to say of this node."""

    def going_on(self, new_id: str | None) -> None:
        """The stream goes on where this node stands, under a new id if there is one."""

    def starting_over(self, repl_id: str | None, offset: int) -> None:
        """A snapshot will come, taken at that offset; no id if the primary knows of none."""

    def occupied(self) -> bool:
        """Whether a snapshot is to wait. If so, the follower calls :meth:`Handshake.go_on` when it
        is not any more.
        """

    def snapshot_begins(self, size: int | None) -> None:
        """So many bytes of it will come; None if the primary writes it as it goes."""

    def snapshot_part(self, data: bytes) -> None:
        """The next bytes of it."""

    def snapshot_ends(self) -> None:
        """That was all of it."""

    def stream_part(self, data: bytes) -> None:
        """The next bytes of the stream."""

    def alive(self) -> None:
        """The primary has let hear of itself."""

    def ended(self, stage: Stage, reason: str) -> None:
        """The dialogue is over, at that stage, but not by :meth:`Handshake.close`."""


class Handshake:
    """The replica's end of one connection to a primary. A :class:`~carnelian.net.protocol
    .Conversation`.

    Args:
        follower: is told what comes of it.
        log: takes the lines for the log.
    """

    def __init__(self, follower: Follower, log: Log):
        self.stage = Stage.CONNECTING
        self._follower = follower
        self._log = log
        self._wire: Wire | None = None
        self._input = bytearray()
        self._greeting = Greeting()
        # What the primary has still to answer of the greeting, by the name of what was said.
        self._unanswered: list[str] = []
        self._left = 0
        self._mark = b""

    # -- The connection ---------------------------------------------------------------------------

    def connected(self, wire: Wire) -> None:
        """The connection stands: see whether a primary is there."""
        if self.stage is Stage.OVER:
            wire.close()
            return
        self._wire = wire
        self._follower.alive()
        self._log("notice", "Non blocking connect for SYNC fired the event.")
        self.stage = Stage.PING
        self.say("PING")

    def lost(self, reason: str) -> None:
        """The connection has ended, or has not come about."""
        if self.stage is Stage.OVER:
            return
        stage, self.stage = self.stage, Stage.OVER
        self._wire = None
        if stage is Stage.CONNECTING:
            self._log("warning", f"Error condition on socket for SYNC: {reason}")
        elif stage.introduces:
            self._log("warning", f"Failed to read response from the server: {reason}")
        elif stage in (Stage.SNAPSHOT, Stage.ANNOUNCEMENT):
            self._log("warning", "I/O error trying to sync with MASTER: connection lost")
        self._follower.ended(stage, reason)

    def close(self) -> None:
        """End it; the follower hears nothing more."""
        self.stage = Stage.OVER
        self._input.clear()
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def say(self, *words: str | bytes) -> None:
        """Send a command."""
        if self._wire is not None:
            self._wire.send(encode_request(words))

    def keep_alive(self) -> None:
        """Show the primary that this side is there while it loads a snapshot."""
        if self._wire is not None:
            self._wire.send(b"\n")

    def pause(self, paused: bool) -> None:
        """Let the primary wait with what it sends, or take that in again."""
        if self._wire is not None:
            self._wire.pause(paused)

    def acknowledge(self, offset: int, durable: int | None = None) -> None:
        """Tell the primary up to where the stream was applied, and what of it is on the disk."""
        words: list[bytes | str] = ["REPLCONF", "ACK", b"%d" % offset]
        if durable is not None:
            words += ["FACK", b"%d" % durable]
        self.say(*words)

    def give_up(self, reason: str) -> None:
        """End it because of what the primary has said, or failed to say."""
        stage = self.stage
        self.close()
        self._follower.ended(stage, reason)

    # -- Input ------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """The next bytes, in whatever pieces they come."""
        if self.stage is Stage.OVER:
            return
        self._follower.alive()
        if self.stage is Stage.STREAM and not self._input:
            self._follower.stream_part(data)
            return
        if self.stage is Stage.SNAPSHOT and not self._input and not self._follower.occupied():
            data = self._take_snapshot(data)
        self._input += data
        self.go_on()

    def go_on(self) -> None:
        """Take what has come, as far as the follower is not occupied."""
        while self._input and not self._must_wait() and self._advance():
            pass

    def _must_wait(self) -> bool:
        brings_data = self.stage in (Stage.ANNOUNCEMENT, Stage.SNAPSHOT)
        return brings_data and self._follower.occupied()

    def _advance(self) -> bool:
        """Take what is next of the input; returns whether there may be more to take."""
        if self.stage is Stage.STREAM:
            self._follower.stream_part(self._take_all())
            return False
        if self.stage is Stage.SNAPSHOT:
            self._input += self._take_snapshot(self._take_all())
            return self.stage is not Stage.SNAPSHOT
        line = self._line()
        if line is None or self.stage is Stage.OVER:
            return False
        if self.stage is Stage.PING:
            self._ping_answered(line)
        elif self.stage is Stage.GREETING:
            self._greeting_answered(line)
        elif self.stage is Stage.PSYNC:
            self._psync_answered(line)
        elif self.stage is Stage.ANNOUNCEMENT:
            self._announced(line)
        return True

    def _take_all(self) -> bytes:
        data = bytes(self._input)
        self._input.clear()
        return data

    def _line(self) -> str | None:
        """The next line without its end, None if it has not come yet."""
        end = self._input.find(b"\n")
        if end < 0:
            if len(self._input) > _LONGEST_LINE:
                self.give_up("a line without an end")
            return None
        line = bytes(self._input[:end]).removesuffix(b"\r")
        del self._input[: end + 1]
        return line.decode("utf-8", "backslashreplace")

    # -- Introduction -----------------------------------------------------------------------------

    def _ping_answered(self, line: str) -> None:
        """Anything but a refusal is good: who has to authenticate does so next."""
        friendly = ("+", "-NOAUTH", "-NOPERM", "-ERR operation not permitted")
        if not line.startswith(friendly):
            self._log("warning", f"Error reply to PING from master: '{line}'")
            self.give_up(line)
            return
        self._log("notice", "Master replied to PING, replication can continue...")
        self._greeting = greeting = self._follower.greeting()
        self.stage = Stage.GREETING
        if greeting.password:
            login = [greeting.user] if greeting.user else []
            self._introduce("AUTH", "AUTH", *login, greeting.password)
        self._introduce("listening-port", "REPLCONF", "listening-port", str(greeting.port))
        if greeting.announced_ip:
            self._introduce("ip-address", "REPLCONF", "ip-address", greeting.announced_ip)
        self._introduce("capa", "REPLCONF", "capa", "eof", "capa", "psync2")
        self._introduce("version", "REPLCONF", "version", greeting.version)

    def _introduce(self, name: str, *words: str) -> None:
        self._unanswered.append(name)
        self.say(*words)

    def _greeting_answered(self, line: str) -> None:
        name = self._unanswered.pop(0)
        if line.startswith("-"):
            if name == "AUTH":
                self._log("warning", f"Unable to AUTH to MASTER: {line}")
                self.give_up(line)
                return
            self._log(
                "notice", f"(Non critical) Master does not understand REPLCONF {name}: {line}"
            )
        if not self._unanswered:
            self._ask_for_stream()

    # -- Where to go on ---------------------------------------------------------------------------

    def _ask_for_stream(self) -> None:
        self.stage = Stage.PSYNC
        position, extra = self._greeting.position, []
        if position is None:
            self._log("notice", "Partial resynchronization not possible (no cached master)")
            words = ["?", "-1"]
        else:
            words = [position[0], str(position[1])]
            self._log(
                "notice",
                f"Trying a partial resynchronization (request {position[0]}:{position[1]}).",
            )
        if self._greeting.failover:
            self._log("notice", "Failover target: asking for the role of the primary to change")
            extra = ["FAILOVER"]
        self.say("PSYNC", *words, *extra)

    def _psync_answered(self, line: str) -> None:
        words = line.split()
        if not line:
            return  # it is busy, and says that it is there
        if words[0] == "+FULLRESYNC":
            self._start_over(words[1:])
        elif words[0] == "+CONTINUE":
            self._go_on(words[1:])
        elif line.startswith(("-NOMASTERLINK", "-LOADING")):
            self._log(
                "notice",
                f"Master is currently unable to PSYNC but should be in the future: {line}",
            )
            self.give_up(line)
        elif self._greeting.failover:
            # Who does not want to become the primary is not to be followed as one.
            self._log("warning", f"The primary-to-be does not take over: {line}")
            self.give_up("failover rejected")
        else:
            self._ask_the_old_way(line)

    def _start_over(self, words: list[str]) -> None:
        """The primary sends a snapshot; words are its id and offset."""
        try:
            repl_id, offset = words[0], int(words[1])
            if len(repl_id) != _MARK_SIZE:
                raise ValueError
        except (IndexError, ValueError):
            self._log("warning", "Master replied with wrong +FULLRESYNC syntax.")
            self._follower.starting_over(None, -1)
        else:
            self._log("notice", f"Full resync from master: {repl_id}:{offset}")
            self._follower.starting_over(repl_id, offset)
        self._expect_announcement()

    def _go_on(self, words: list[str]) -> None:
        """The primary sends what follows, perhaps under another id."""
        self._log("notice", "Successful partial resynchronization with master.")
        position = self._greeting.position
        new_id = words[0] if words and len(words[0]) == _MARK_SIZE else None
        if position is not None and new_id == position[0]:
            new_id = None
        if new_id is not None:
            self._log("warning", f"Master replication ID changed to {new_id}")
        self.stage = Stage.STREAM
        self._follower.going_on(new_id)

    def _ask_the_old_way(self, line: str) -> None:
        if not line.startswith("-ERR"):
            self._log("warning", f"Unexpected reply to PSYNC from master: {line}")
        else:
            self._log(
                "notice", f"Master does not support PSYNC or is in error state (reply: {line})"
            )
        self._log("notice", "Retrying with SYNC...")
        self._follower.starting_over(None, -1)
        if self._wire is not None:
            self._wire.send(b"SYNC\r\n")
        self._expect_announcement()

    def _expect_announcement(self) -> None:
        if self.stage is not Stage.OVER:
            self.stage = Stage.ANNOUNCEMENT

    # -- Snapshot ---------------------------------------------------------------------------------

    def _announced(self, line: str) -> None:
        """``$<size>`` or ``$EOF:<mark>``; empty lines are signs of life."""
        if not line:
            return
        if line.startswith("-"):
            self._log("warning", f"MASTER aborted replication with an error: {line}")
            self.give_up(line)
            return
        size, mark = None, line.removeprefix("$EOF:")
        if line.startswith("$EOF:") and len(mark) >= _MARK_SIZE:
            self._mark = mark[:_MARK_SIZE].encode()
        elif line.startswith("$") and line[1:].isdecimal():
            size = self._left = int(line[1:])
            self._mark = b""
        else:
            self._log(
                "warning",
                f"Bad protocol from MASTER, the first byte is not '$' (we received '{line}'), are "
                "you sure the host and port are right?",
            )
            self.give_up("what it sends is no snapshot")
            return
        self.stage = Stage.SNAPSHOT
        self._follower.snapshot_begins(size)
        if size == 0:
            self._end_snapshot()

    def _take_snapshot(self, data: bytes) -> bytes:
        """Pass on what belongs to the snapshot; returns what is left, of which more may follow."""
        if self._mark:
            return self._take_until_mark(data)
        part, rest = data[: self._left], data[self._left :]
        self._left -= len(part)
        self._follower.snapshot_part(part)
        if self._left == 0 and self.stage is Stage.SNAPSHOT:
            self._end_snapshot()
        return rest

    def _take_until_mark(self, data: bytes) -> bytes:
        end = data.find(self._mark)
        if end < 0:
            # The mark may have begun: so much waits for what follows.
            kept = _beginning(data, self._mark)
            if len(data) > kept:
                self._follower.snapshot_part(data[: len(data) - kept])
            return data[len(data) - kept :] if self.stage is Stage.SNAPSHOT else b""
        if end:
            self._follower.snapshot_part(data[:end])
        if self.stage is Stage.SNAPSHOT:
            self._end_snapshot()
        return data[end + _MARK_SIZE :]

    def _end_snapshot(self) -> None:
        self.stage = Stage.STREAM
        self._follower.snapshot_ends()


def _beginning(data: bytes, mark: bytes) -> int:
    """How many of the last bytes are the first of the mark."""
    for size in range(min(len(mark) - 1, len(data)), 0, -1):
        if data.endswith(mark[:size]):
            return size
    return 0
