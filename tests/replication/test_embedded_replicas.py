"""Engines in one's own process that copy a server's data, and ``carnelian import``."""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest

import carnelian
from carnelian.embedded.primary_thread import Primary
from carnelian.tools import program
from support.servers import ReferenceServer, StartRedis
from support.waiting import free_port, wait_for

from .cutting_proxy import CuttingProxy


@pytest.fixture(scope="module")
def primary(start_redis: StartRedis) -> ReferenceServer:
    return start_redis(
        "--save", "", "--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes"
    )


@pytest.fixture(autouse=True)
def _emptied(primary: ReferenceServer) -> None:
    primary.call("FLUSHALL")


def test_a_live_copy(primary: ReferenceServer) -> None:
    primary.call("SET", "k", 1)
    with carnelian.Engine(replica_of=f"127.0.0.1:{primary.port}") as engine:
        assert engine.execute("GET", "k") == b"1"
        primary.call("INCR", "k")
        wait_for(lambda: engine.execute("GET", "k") == b"2")
        assert engine.execute("ROLE")[0] == b"slave"
        with pytest.raises(carnelian.Error, match="READONLY"):
            engine.execute("SET", "k", 3)
        engine.execute("REPLICAOF", "NO", "ONE")
        engine.execute("SET", "k", 3)
        assert engine.execute("GET", "k") == b"3"
        assert not engine.wait_for_primary(0)
    assert primary.call("GET", "k") == b"2"


def test_a_copy_for_redis_py(primary: ReferenceServer) -> None:
    primary.call("HSET", "h", "f", "v")
    engine = carnelian.Engine(replica_of=f"redis://127.0.0.1:{primary.port}")
    client = carnelian.Redis(engine=engine, decode_responses=True)
    assert client.hgetall("h") == {"f": "v"}

    async def read() -> object:
        async with carnelian.AsyncRedis(engine=engine) as reader:
            for _ in range(1000):
                value = await reader.get("later")
                if value is not None:
                    return value
                await asyncio.sleep(0.01)
        return None

    primary.call("SET", "later", "yes")
    assert asyncio.run(read()) == b"yes"
    engine.close()


def test_messages_arrive(primary: ReferenceServer) -> None:
    engine = carnelian.Engine(replica_of=f"127.0.0.1:{primary.port}")
    with engine, engine.session() as session:
        session.execute("SUBSCRIBE", "c")
        assert primary.call("PUBLISH", "c", "hello") == 0
        messages = [session.get_message(10), session.get_message(10)]
        assert [b"message", b"c", b"hello"] in messages


def test_threads_read_while_it_is_written(primary: ReferenceServer) -> None:
    """No thread sees half of a transaction."""
    with carnelian.Engine(replica_of=f"127.0.0.1:{primary.port}") as engine:
        uneven: list[object] = []
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                a, b = engine.execute("MGET", "a", "b")
                if a != b:
                    uneven.append((a, b))

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for number in range(300):
            primary.call("MULTI")
            primary.call("SET", "a", number)
            primary.call("SET", "b", number)
            primary.call("EXEC")
        wait_for(lambda: engine.execute("GET", "b") == b"299")
        done.set()
        for reader in readers:
            reader.join()
        assert not uneven


def test_a_primary_that_is_away(primary: ReferenceServer) -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="no copy of the primary's data"):
        carnelian.Engine(replica_of=f"127.0.0.1:{free_port()}", replica_wait=0.2)
    assert time.monotonic() - began < 5
    proxy = CuttingProxy(primary.port)
    primary.call("SET", "k", 1)
    with carnelian.Engine(replica_of=f"127.0.0.1:{proxy.port}") as engine:
        proxy.cut()
        assert engine.execute("GET", "k") == b"1"
        primary.call("SET", "k", 2)
        wait_for(lambda: engine.execute("GET", "k") == b"2")
    proxy.close()


def test_not_to_wait(primary: ReferenceServer) -> None:
    engine = carnelian.Engine(replica_of=f"127.0.0.1:{primary.port}", replica_wait=0)
    assert engine.wait_for_primary(10)
    engine.close()


def test_an_engine_that_nobody_uses_ends(primary: ReferenceServer) -> None:
    engine = carnelian.Engine(replica_of=f"127.0.0.1:{primary.port}")
    host = weakref.ref(engine.host)
    del engine

    def is_gone() -> bool:
        gc.collect()
        return host() is None

    wait_for(is_gone)
    wait_for(lambda: not any(one.name == "carnelian-primary" for one in threading.enumerate()))
    wait_for(lambda: b"connected_slaves:0" in primary.call("INFO", "replication"))  # type: ignore


def test_a_copy_in_a_file(primary: ReferenceServer, tmp_path: Path) -> None:
    primary.call("SET", "k", 1)
    address = f"127.0.0.1:{primary.port}"
    with carnelian.Engine(tmp_path / "app.db", replica_of=address, appendonly=True) as engine:
        primary.call("SET", "k", 2)
        wait_for(lambda: engine.execute("GET", "k") == b"2")
    with carnelian.Engine(tmp_path / "app.db") as engine:
        assert engine.execute("GET", "k") == b"2"
        engine.execute("SET", "k", 3)


@pytest.mark.parametrize(
    "text", ["", "http://x", "redis://", "redis://h/1", "h:x", "redis://h:99999", "redis://h?a=1"]
)
def test_what_is_no_primary(text: str) -> None:
    with pytest.raises(ValueError):
        Primary(text)


def test_a_url() -> None:
    primary = Primary("rediss://us%40er:pass%3A@[::1]:7000")
    assert (primary.host, primary.port) == ("::1", 7000)
    assert (primary.user, primary.password, primary.encrypted) == ("us@er", "pass:", True)
    assert Primary("example.org").port == 6379


# -- carnelian import -----------------------------------------------------------------------------


def test_to_move_in(
    primary: ReferenceServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    primary.call("DEBUG", "POPULATE", 1000)
    primary.call("SELECT", 3)
    primary.call("RPUSH", "l", "a", "b")
    primary.call("SELECT", 0)
    path = str(tmp_path / "app.db")
    source = f"redis://127.0.0.1:{primary.port}"
    assert program.main(["import", source, "-o", path]) == 0
    assert "Copied 1001 keys" in capsys.readouterr().out
    with carnelian.Engine(path) as engine:
        assert engine.execute("DBSIZE") == 1000
        engine.execute("SELECT", 3)
        assert engine.execute("LRANGE", "l", 0, -1) == [b"a", b"b"]
    # What is there stays unless it may go.
    assert program.main(["import", source, "-o", path]) == 1
    assert "app.db is there already" in capsys.readouterr().err
    primary.call("FLUSHALL")
    assert program.main(["import", source, "-o", path, "--overwrite"]) == 0
    with carnelian.Engine(path) as engine:
        assert engine.execute("DBSIZE") == 0


def test_to_follow_and_end(primary: ReferenceServer, tmp_path: Path) -> None:
    primary.call("SET", "k", 1)
    path = tmp_path / "app.db"
    source = f"redis://127.0.0.1:{primary.port}"
    # Tests that run in the background of a shell inherit that Ctrl-C is ignored.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    words = ["-c", f"{heed}from carnelian.tools.program import main; raise SystemExit(main())"]
    process = subprocess.Popen(
        [sys.executable, *words, "import", source, "--follow", "-o", str(path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Copied 1 keys, following")
    primary.call("SET", "k", 2)
    assert primary.call("WAIT", 1, 10_000) == 1
    process.send_signal(signal.SIGINT)
    assert "Saved in" in process.stdout.read()
    assert process.wait() == 0
    with carnelian.Engine(path) as engine:
        assert engine.execute("GET", "k") == b"2"


def test_an_import_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "app.db"
    source = f"redis://127.0.0.1:{free_port()}"
    assert program.main(["import", source, "-o", str(path), "--timeout", "0.3"]) == 1
    assert "let nothing be copied" in capsys.readouterr().err
    assert not path.exists()
    assert program.main(["import", "http://x", "-o", str(path)]) == 1
