"""A directory of redis-server becomes one of carnelian-server, and one of redis-server again."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from redis_suite import source
from server.peers import Client
from support.servers import require
from support.waiting import TIMEOUT, free_port, wait_for

REDIS, OURS = ["redis-server"], [sys.executable, "-m", "carnelian"]

CONFIGURATION = """\
# As an installation has it.
bind 127.0.0.1 -::1
protected-mode yes
port {port}
tcp-backlog 128
timeout 0
tcp-keepalive 300
daemonize no
loglevel notice
databases 16
always-show-logo no
save 3600 1
save 300 100
stop-writes-on-bgsave-error yes
rdbcompression yes
rdbchecksum yes
dbfilename "data.rdb"
dir {directory}
maxmemory 256mb
maxmemory-policy volatile-lru
appendonly {appendonly}
appendfilename "journal.aof"
appenddirname "journal"
appendfsync everysec
no-appendfsync-on-rewrite no
auto-aof-rewrite-percentage 100
auto-aof-rewrite-min-size 64mb
aof-load-truncated yes
aof-use-rdb-preamble {preamble}
slowlog-log-slower-than 10000
hash-max-ziplist-entries 256
list-max-ziplist-size -2
set-max-intset-entries 512
zset-max-listpack-value 64
client-output-buffer-limit pubsub 32mb 8mb 60
hz 10
enable-debug-command local
"""


class Place:
    """A directory with a redis.conf, in which one server after the other is started."""

    def __init__(self, directory: Path, **directives: str):
        self.directory = directory
        self.port = free_port()
        values = {"appendonly": "yes", "preamble": "yes", **directives}
        text = CONFIGURATION.format(port=self.port, directory=directory, **values)
        (directory / "redis.conf").write_text(text)
        self._process: subprocess.Popen[bytes] | None = None
        self._client: Client | None = None

    def start(self, program: list[str], *arguments: str) -> None:
        with (self.directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*program, "redis.conf", *arguments],
                cwd=self.directory, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        process = self._process
        wait_for(lambda: "eady to accept" in self.log or process.poll() is not None)
        assert process.poll() is None, self.log
        self._client = Client(("127.0.0.1", self.port))

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text("utf-8", "backslashreplace")

    def call(self, *words: object) -> Any:
        assert self._client is not None
        return self._client.call(*words)

    def digest(self) -> bytes:
        return self.call("DEBUG", "DIGEST")

    def shut_down(self) -> None:
        """Let the server end as it does when it is told to."""
        assert self._client is not None and self._process is not None
        self._client.send(b"SHUTDOWN\r\n")
        assert self._process.wait(TIMEOUT) == 0
        self._client.close()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def places(tmp_path: Path) -> Iterator[list[Place]]:
    require("redis-server", "redis-server")
    made: list[Place] = []
    yield made
    for place in made:
        place.kill()


def fill(place: Place, seed: int) -> None:
    """Add keys of all types in several databases."""
    chosen = random.Random(seed)
    for number in range(60):
        place.call("SELECT", chosen.choice((0, 0, 0, 5)))
        key = f"{chosen.choice('abc')}{number}"
        word = chosen.choice(("7", "-12345678901", "text", "\x00\xff", "x" * 100, "y" * 20_000))
        many = [f"{word[:40]}{i}" for i in range(chosen.choice((1, 5, 600)))]
        place.call("SET", f"{key}:string", word)
        place.call("RPUSH", f"{key}:list", *many)
        place.call("SADD", f"{key}:set", *many)
        place.call("SADD", f"{key}:integers", *range(number))
        place.call("ZADD", f"{key}:zset", *[x for i, m in enumerate(many) for x in (i / 7, m)])
        place.call("HSET", f"{key}:hash", *[x for m in many for x in (m, word[:50])])
        place.call("XADD", f"{key}:stream", "*", "field", word[:50])
        place.call("EXPIRE", f"{key}:string", 100_000)
    place.call("XGROUP", "CREATE", f"{key}:stream", "group", 0)
    place.call("XREADGROUP", "GROUP", "group", "me", "STREAMS", f"{key}:stream", ">")
    place.call("SELECT", 0)


def move(place: Place) -> None:
    """Load in the one what the other has left, add to it, and go back."""
    place.start(REDIS)
    fill(place, 1)
    if place.call("CONFIG", "GET", "appendonly")[1] == b"yes":
        place.call("BGREWRITEAOF")
        wait_for(lambda: b"aof_rewrite_in_progress:0" in place.call("INFO", "persistence"))
        fill(place, 2)
    there = place.digest()
    place.shut_down()
    stay(place, there)


def stay(place: Place, there: bytes) -> None:
    """The second half of :func:`move`."""
    place.start(OURS)
    assert place.digest() == there
    assert place.call("CONFIG", "GET", "hash-max-listpack-entries")[1] == b"256"
    fill(place, 3)
    assert place.call("CONFIG", "SET", "maxmemory", "300mb") == b"+OK"
    assert place.call("CONFIG", "REWRITE") == b"+OK"
    there = place.digest()
    place.shut_down()
    place.start(REDIS)
    assert place.digest() == there
    assert place.call("CONFIG", "GET", "maxmemory")[1] == b"%d" % (300 << 20)
    place.shut_down()


@pytest.mark.parametrize(("appendonly", "preamble"), [("no", "yes"), ("yes", "yes"), ("yes", "no")])
def test_there_and_back(
    tmp_path: Path, places: list[Place], appendonly: str, preamble: str
) -> None:
    place = Place(tmp_path, appendonly=appendonly, preamble=preamble)
    places.append(place)
    move(place)
    if appendonly == "yes":
        assert (tmp_path / "journal" / "journal.aof.manifest").exists()
    else:
        assert (tmp_path / "data.rdb").exists() and not (tmp_path / "journal").exists()


@pytest.mark.parametrize("preamble", ["yes", "no"])
def test_the_one_file_of_older_versions(tmp_path: Path, places: list[Place], preamble: str) -> None:
    place = Place(tmp_path, preamble=preamble)
    places.append(place)
    place.start(REDIS)
    fill(place, 1)
    place.call("BGREWRITEAOF")
    wait_for(lambda: b"aof_rewrite_in_progress:0" in place.call("INFO", "persistence"))
    fill(place, 2)
    there = place.digest()
    place.shut_down()
    # Before 7.0 the increment stood behind the base, in one file.
    parts = sorted((tmp_path / "journal").glob("journal.aof.*.aof"))
    base = next((tmp_path / "journal").glob("*.base.*"))
    increment = next(part for part in parts if ".incr." in part.name)
    (tmp_path / "journal.aof").write_bytes(base.read_bytes() + increment.read_bytes())
    shutil.rmtree(tmp_path / "journal")
    (tmp_path / "data.rdb").unlink(missing_ok=True)
    stay(place, there)
    assert not (tmp_path / "journal.aof").exists()


# -- Files of Redis's own tests --------------------------------------------------------------------


@pytest.fixture(scope="module")
def assets() -> Path:
    try:
        return source.find_or_fetch() / "tests" / "assets"
    except source.Missing as error:
        pytest.fail(str(error))


@pytest.mark.parametrize(
    "name",
    [
        "corrupt_empty_keys.rdb", "corrupt_ziplist.rdb", "encodings.rdb", "hash-ziplist.rdb",
        "hash-zipmap.rdb", "list-quicklist.rdb", "scriptbackup.rdb", "zset-ziplist.rdb",
        "rdb-preamble.aof",
    ],
)  # fmt: skip
def test_files_of_the_test_suite(
    tmp_path: Path, places: list[Place], assets: Path, name: str
) -> None:
    log = name.endswith(".aof")
    outcomes: list[Any] = []
    for number, program in enumerate((REDIS, OURS)):
        directory = tmp_path / str(number)
        directory.mkdir()
        place = Place(directory, appendonly="yes" if log else "no")
        places.append(place)
        shutil.copy(assets / name, directory / ("journal.aof" if log else "data.rdb"))
        try:
            place.start(program)
        except AssertionError:
            outcomes.append(None)
            continue
        keys = sorted(place.call("KEYS", "*"))
        outcomes.append((place.digest(), [(key, place.call("TYPE", key)) for key in keys]))
    assert outcomes[0] == outcomes[1]
