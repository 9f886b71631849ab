"""The reference server and an engine of ours, given the same commands."""

from __future__ import annotations

from collections.abc import Iterable

from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from support.local import LocalClient
from support.wire import Reply, WireClient, Word

# Replies that tell the time: by how much they may differ between two servers.
SLACK = {b"TTL": 1, b"EXPIRETIME": 1, b"PTTL": 2000, b"PEXPIRETIME": 2000, b"OBJECT": 1}
UNORDERED = {b"KEYS", b"SMEMBERS", b"SINTER", b"SUNION", b"SDIFF", b"HKEYS", b"HVALS"}
COUNTERS = ("keyspace_hits", "keyspace_misses", "rdb_changes_since_last_save")
EVENTS = b"__key*__:*"


class Pair:
    """Both servers; every command goes to both, and :meth:`check` holds the replies together."""

    def __init__(self, port: int, configuration: str = ""):
        self._configuration = configuration
        self.reference = WireClient(port)
        self._listener = WireClient(port)
        self._listener.call("PSUBSCRIBE", EVENTS)
        self._listener.call("SUBSCRIBE", "end")
        self.reference.call("CONFIG", "SET", "notify-keyspace-events", "KEAmn")
        # What is overdue goes when it is met, not whenever the server has time for it.
        self.reference.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        self.start(2)

    def start(self, protocol: int) -> None:
        """An empty key space on both sides."""
        config = Config()
        config.load_text(self._configuration)
        self.engine = Engine(config)
        self.ours = LocalClient(self.engine, protocol)
        self._ours_listener = LocalClient(self.engine)
        self.ours("CONFIG", "SET", "notify-keyspace-events", "KEAmn")
        self._ours_listener("PSUBSCRIBE", EVENTS)
        self._ours_listener.messages()
        self.reference.call("HELLO", protocol)
        self.reference.call("FLUSHALL")
        self.events()
        self._before = self._reference_counters()

    def check(self, *words: Word) -> Reply:
        """Run a command on both sides; fails if the replies differ."""
        theirs, ours = self.reference.call(*words), self.ours.call(*words)
        assert same(words, theirs, ours), (
            f"{list(words)}:\n  redis-server: {theirs}\n  carnelian:    {ours}"
        )
        return theirs

    def run(self, commands: Iterable[tuple[Word, ...]]) -> None:
        """Check commands one after the other, then what they notified and counted."""
        for words in commands:
            self.check(*words)
        theirs, ours = self.events()
        assert ours == theirs
        expected, counters = self.counters()
        assert counters == expected

    def check_keys(self, name: str, *rest: Word, databases: Iterable[int] = (0,)) -> None:
        """Compare all keys; ``name``, the key and ``rest`` are the command that reads a value."""
        for index in databases:
            self.select(index)
            for key in self.check("KEYS", "*").items:
                self.check("TYPE", key.text)
                self.check("OBJECT", "ENCODING", key.text)
                self.check("PEXPIRETIME", key.text)
                self.check(name, key.text, *rest)
        self.select(0)
        self.check("DEBUG", "DIGEST")

    def counters(self) -> tuple[dict[str, int], dict[str, int]]:
        """Hits, misses and changes since the start, of both sides."""
        now = self._reference_counters()
        keyspace = self.engine.keyspace
        ours = (keyspace.stats.hits, keyspace.stats.misses, keyspace.dirty)
        theirs = {name: now[name] - self._before[name] for name in COUNTERS}
        return theirs, dict(zip(COUNTERS, ours, strict=True))

    def _reference_counters(self) -> dict[str, int]:
        text = self.reference.call("INFO", "stats", "persistence").value
        assert isinstance(text, bytes)
        fields = dict(line.split(":", 1) for line in text.decode().splitlines() if ":" in line)
        return {name: int(fields[name]) for name in COUNTERS}

    def select(self, index: int) -> None:
        """Make a database the current one of both."""
        self.reference.call("SELECT", index)
        self.ours.session.select(index)

    def events(self) -> tuple[list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]]:
        """The notifications since the last look, of both sides: channel and content."""
        self.reference.call("PUBLISH", "end", "")
        theirs = []
        while True:
            message = texts(self._listener.read())
            if message[0] == b"message":
                break
            theirs.append((message[2], message[3]))
        ours = [texts(message) for message in self._ours_listener.messages()]
        return theirs, [(message[2], message[3]) for message in ours]

    def close(self) -> None:
        """End the connections."""
        self.reference.close()
        self._listener.close()


def texts(message: Reply) -> list[bytes]:
    """The words of a message."""
    return [part.text for part in message.items]


def pairs(flat: list[Reply]) -> list[tuple[Reply, Reply]]:
    """The items of a map, in an order of their own."""
    return sorted(zip(flat[::2], flat[1::2], strict=True))


def same(words: tuple[Word, ...], theirs: Reply, ours: Reply) -> bool:
    """Whether the replies to a command say the same."""
    name = words[0].upper() if isinstance(words[0], bytes) else str(words[0]).upper().encode()
    if name in UNORDERED and isinstance(theirs.value, list) and isinstance(ours.value, list):
        return theirs.kind == ours.kind and sorted(theirs.value) == sorted(ours.value)
    if name == b"HGETALL" and isinstance(theirs.value, list) and isinstance(ours.value, list):
        return theirs.kind == ours.kind and pairs(theirs.value) == pairs(ours.value)
    numbers = isinstance(theirs.value, int) and isinstance(ours.value, int)
    if numbers and min(theirs.value, ours.value) >= 0:
        return abs(theirs.value - ours.value) <= SLACK.get(name, 0)
    return theirs == ours
