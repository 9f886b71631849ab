"""One path that several processes use: one has the engine, and the next one goes on with it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.cache import CacheConfig

import carnelian
from support.interrupts import heeded_interrupts as heeded_interrupts


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Return when a condition is true: programs start slowly where much else goes on."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.01)


# Says what it has written, one number in a line, until it is killed.
WRITER = """
import carnelian, sys, time
path, name = sys.argv[1:]
client = carnelian.Redis(path, share=True)
number = 0
while True:
    number += 1
    client.rpush(name, number)
    print(number, flush=True)
    time.sleep(0.002)
"""


class Writers:
    """Processes that write to one path."""

    def __init__(self, directory: Path, count: int):
        self.path = directory / "app.db"
        self.outputs = [directory / f"out{number}" for number in range(count)]
        self.processes = []
        for number, output in enumerate(self.outputs):
            words = [sys.executable, "-c", WRITER, str(self.path), f"w{number}"]
            with output.open("wb") as stream:
                self.processes.append(
                    subprocess.Popen(words, stdout=stream, stderr=subprocess.DEVNULL)
                )

    def said(self, number: int) -> list[int]:
        """What a writer knows to be written."""
        return [int(line) for line in self.outputs[number].read_text().split("\n")[:-1]]

    def has_said(self, number: int, count: int) -> bool:
        """Whether a writer has written so much."""
        return len(self.said(number)) > count

    def owner(self) -> int:
        """The process that has the path open."""
        return int((self.path.parent / "app.db.lock").read_text().split("\n")[0])

    def alive(self) -> list[int]:
        """Those that still write."""
        return [n for n, process in enumerate(self.processes) if process.poll() is None]

    def close(self) -> None:
        """End all."""
        for process in self.processes:
            process.kill()
            process.wait(10)


@pytest.fixture
def writers(tmp_path: Path) -> Iterator[Writers]:
    """Three of them, who all write."""
    writers = Writers(tmp_path, 3)
    try:
        for number in range(3):
            wait_for(partial(writers.said, number))
        yield writers
    finally:
        writers.close()


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_lost_when_the_owner_ends(writers: Writers, ending: signal.Signals) -> None:
    for _ in range(2):
        owner = writers.owner()
        os.kill(owner, ending)
        next(p for p in writers.processes if p.pid == owner).wait(20)
        before = {number: len(writers.said(number)) for number in writers.alive()}
        for number, count in before.items():
            wait_for(partial(writers.has_said, number, count + 5))
    writers.close()
    with carnelian.Redis(writers.path, share=True) as client:
        for number in range(3):
            kept = [int(value) for value in client.lrange(f"w{number}", 0, -1)]
            said = writers.said(number)
            # What was written, and not answered by one who was killed then, is written again.
            kept = [value for value, _ in groupby(kept)]
            assert kept[: len(said)] == said


def test_within_a_process_there_is_one_engine(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    one = carnelian.Redis(path, share=True)
    two = carnelian.Redis(str(path), share=True, decode_responses=True)
    one.set("k", "v")
    assert two.get("k") == "v"
    assert one.engine is two.engine
    assert two.config_get("appendonly") == {"appendonly": "yes"}
    engine = one.engine
    one.close()
    assert two.get("k") == "v"
    two.close()
    assert engine.closed
    assert not (tmp_path / "app.db.lock").exists()
    assert not (tmp_path / "app.db.sock").exists()


def test_who_cannot_save_serves_on(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    engine = carnelian.Engine(path, share=True, appendonly=False, save="3600 1")
    engine.execute("SET", "k", 1)
    obstacle = tmp_path / f"temp-{os.getpid()}.rdb"
    obstacle.mkdir()
    with pytest.raises(carnelian.DatabaseSaveError):
        engine.close()
    assert not engine.closed
    with redis.Redis(unix_socket_path=f"{path}.sock") as client:
        assert client.incr("k") == 2
    obstacle.rmdir()
    engine.close()
    assert not (tmp_path / "app.db.sock").exists()
    with carnelian.Engine(path) as again:
        assert again.execute("GET", "k") == b"2"


def test_another_process_and_its_children(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    program = """
import carnelian, os, sys
client = carnelian.Redis(sys.argv[1], share=True)
client.incr("visits")
if os.fork() == 0:
    client.incr("visits")
    os._exit(0)
assert os.wait()[1] == 0
print(client.get("visits"))
try:
    client.engine
except RuntimeError as error:
    print(error)
"""
    with carnelian.Redis(path, share=True) as client:
        client.set("visits", 10)
        words = [sys.executable, "-c", program, str(path)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60)
        assert done.stdout == "b'12'\nthe engine is in another process\n", done.stderr
        assert client.get("visits") == b"12"
        if (child := os.fork()) == 0:
            # This process has the engine: the child comes back by the socket.
            status = 1
            try:
                status = 0 if client.incr("visits") == 13 else 2
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        assert client.get("visits") == b"13"


def in_child(function: Callable[[], Any]) -> Any:
    """What a function returns in a child made by fork, as JSON; an error is a text."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            try:
                result = function()
            except Exception as error:
                result = f"{type(error).__name__}: {error}"
            os.write(writer, json.dumps(result).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as stream:
        told = stream.read()
    os.waitpid(child, 0)
    return json.loads(told)


OWNER = """
import carnelian, sys
with carnelian.Redis(sys.argv[1], share=True) as client:
    client.set("there", 1)
    print("there", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(params=["owner", "another process"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A path that this process has open, or another one."""
    path = tmp_path / "app.db"
    if request.param == "owner":
        with carnelian.Redis(path, share=True) as client:
            client.set("there", 1)
            yield path
        return
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    words = [sys.executable, "-c", OWNER, str(path)]
    with subprocess.Popen(words, **pipes) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "there\n"
        yield path
        owner.communicate("\n", 60)


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("protocol", [2, 3])
def test_a_child_goes_on_with_a_client(shared: Path, single: bool, protocol: int) -> None:
    options: Any = {"protocol": protocol, "decode_responses": True, "client_name": "both"}
    with carnelian.Redis(shared, share=True, single_connection_client=single, **options) as client:
        client.set("n", 1)
        own = client.client_id()

        def work() -> Any:
            return [client.incr("n"), client.client_getname(), client.client_id() != own]

        assert in_child(work) == [2, "both", True]
        # Two at a time, and the parent's connection is still its own.
        assert in_child(lambda: in_child(work)) == [3, "both", True]
        assert (client.incr("n"), client.client_id() == own) == (4, True)


def test_a_child_with_one_connection_keeps_it(shared: Path) -> None:
    with carnelian.Redis(shared, share=True, single_connection_client=True) as client:
        client.select(3)
        assert client.set("k", "v")

        def work() -> Any:
            ids = {client.client_id() for _ in range(3)}
            client.close()
            return len(ids)

        assert in_child(work) == 1
        assert client.get("k") == b"v"
        # One that is made of a pool does as well.
        with client.client() as other:
            other.set("k", "w")
            assert in_child(lambda: other.get("k").decode()) == "w"


@pytest.mark.parametrize("single", [False, True])
def test_a_child_knows_nothing_by_heart(shared: Path, single: bool) -> None:
    with carnelian.Redis(
        shared, share=True, protocol=3, cache_config=CacheConfig(), single_connection_client=single
    ) as client:
        client.set("k", 1)
        assert (client.get("k"), client.get("k")) == (b"1", b"1")

        def work() -> Any:
            told = [client.get("k").decode(), client.incr("k"), client.get("k").decode()]
            assert client.get_cache().size > 0
            return told

        assert in_child(work) == ["1", 2, "2"]
        wait_for(lambda: client.get("k") == b"2")


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_child_goes_on_with_what_was_subscribed_to(shared: Path, protocol: int) -> None:
    with carnelian.Redis(shared, share=True, protocol=protocol, decode_responses=True) as client:
        subscriber = client.pubsub(ignore_subscribe_messages=True)
        subscriber.subscribe("c")
        subscriber.psubscribe("p*")
        client.publish("c", "0")

        def next_message() -> Any:
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                message = subscriber.get_message(timeout=0.1)
                if message is not None:
                    return [message["channel"], message["data"]]
            return None

        assert next_message() == ["c", "0"]

        def listen() -> Any:
            while subscriber.get_message(timeout=0.1) is not None:
                pass
            wait_for(lambda: client.pubsub_numsub("c") == [("c", 2)])
            client.publish("c", "1")
            first = next_message()
            client.publish("pp", "2")
            return [first, next_message()]

        # The parent's is there still, and gets the same.
        assert in_child(listen) == [["c", "1"], ["pp", "2"]]
        assert [next_message(), next_message()] == [["c", "1"], ["pp", "2"]]
        wait_for(lambda: client.pubsub_numsub("c") == [("c", 1)])
        subscriber.close()


def test_what_is_watched_is_not_watched_by_a_child(shared: Path) -> None:
    with carnelian.Redis(shared, share=True) as client, client.pipeline() as pipe:
        pipe.watch("k")
        pipe.multi()
        pipe.incr("k")
        assert in_child(lambda: pipe.execute()).startswith("WatchError: ")
        assert pipe.execute() == [1]
        pipe.incr("k")
        assert in_child(lambda: pipe.execute()) == [2]


def test_asyncio(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    program = """
import asyncio, carnelian, sys
async def main():
    async with carnelian.AsyncRedis(sys.argv[1], share=True) as client:
        await client.incr("visits")
        print("there", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(await client.incr("visits"), flush=True)
asyncio.run(main())
"""
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}

    async def main() -> None:
        async with carnelian.AsyncRedis(path, share=True) as client:
            await client.set("visits", 1)
            words = [sys.executable, "-c", program, str(path)]
            other: Any = subprocess.Popen(words, **pipes)
            assert await asyncio.to_thread(other.stdout.readline) == "there\n"
            assert await client.get("visits") == b"2"
        # This process has ended it: the other one goes on.
        out, _ = await asyncio.to_thread(other.communicate, "\n", 60)
        assert out == "3\n"

    asyncio.run(main())


def test_an_engine_that_is_not_shared_keeps_others_out(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with carnelian.Engine(path), pytest.raises(carnelian.DatabaseLockedError) as caught:
        carnelian.Redis(path, share=True)
    assert caught.value.address is None


def test_an_engine_may_be_shared_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    with carnelian.Engine(path, share=True) as engine:
        with carnelian.Redis(path, share=True) as client:
            client.set("k", "v")
            assert engine.execute("GET", "k") == b"v"
        assert engine.execute("PING") == b"PONG"
        with redis.Redis(unix_socket_path=f"{path}.sock") as client:
            assert client.get("k") == b"v"
        with pytest.raises(carnelian.DatabaseLockedError) as caught:
            carnelian.Engine(path)
        assert caught.value.address == f"unix://{path}.sock"


def test_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 100)
    directory.mkdir()
    with carnelian.Engine(directory / "app.db", share=True) as engine:
        (service,) = engine.host.services
        assert len(os.fsencode(service.unixsocket)) <= 103
        with carnelian.Redis(directory / "app.db", share=True) as client:
            assert client.ping()
    assert not os.path.exists(service.unixsocket)


def test_what_cannot_be_shared() -> None:
    with pytest.raises(TypeError, match="share=True needs one"):
        carnelian.Redis(share=True)
    with pytest.raises(ValueError, match="is no file that others could find"):
        carnelian.Redis(":memory:", share=True)
    with pytest.raises(ValueError, match="needs a path"):
        carnelian.Engine(share=True)
