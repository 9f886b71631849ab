"""What is meant otherwise says so: paths, positions, directives; and test suites that patch."""

from __future__ import annotations

import asyncio
import errno
import os
import pathlib
import warnings
from typing import Any
from unittest import mock

import pytest
import redis
import redis.asyncio

import carnelian
from carnelian.embedded.options import directives
from carnelian.embedded.options.directives import IDLE, OF_LINKS, REFUSED
from carnelian.engine.config.directives import DIRECTIVES
from carnelian.testing import forget_servers

ENGINES = (carnelian.Engine, carnelian.Redis, carnelian.AsyncRedis)
CLIENTS = (carnelian.Redis, carnelian.AsyncRedis)


@pytest.fixture(autouse=True)
def in_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path


def close(made) -> None:
    if isinstance(made, carnelian.AsyncRedis):
        asyncio.run(made.aclose())
    else:
        made.close()


# -- Paths -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", ENGINES)
@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "::1", "[::1]", "redis:6379", "[::1]:6379"]
)
def test_hosts_are_no_paths(make, host, in_directory):
    with pytest.raises(ValueError, match="is a host, not the path of a file") as error:
        make(host)
    assert str(error.value) == (
        f"'{host}' is a host, not the path of a file: there is no server to connect to. Redis() "
        f"keeps data in memory, Redis('app.db') in a file; './{host}' is a file of that name"
    )
    assert os.listdir(in_directory) == ["home"]


@pytest.mark.parametrize("make", ENGINES)
@pytest.mark.parametrize("url", ["redis://localhost/0", "rediss://x", "unix:///tmp/redis.sock"])
def test_urls_are_no_paths(make, url, in_directory):
    with pytest.raises(ValueError, match="is a URL, not the path of a file") as error:
        make(url)
    assert "Redis.from_url(url) takes the database and the options" in str(error.value)
    assert os.listdir(in_directory) == ["home"]


@pytest.mark.parametrize("make", ENGINES)
@pytest.mark.parametrize("kind", [str, pathlib.Path, os.fsencode])
def test_a_file_may_have_any_name(make, kind, in_directory):
    made = make(kind("./localhost") if kind is str else kind("localhost"))
    assert (made if make is carnelian.Engine else made.engine).path == str(
        in_directory / "localhost"
    )
    close(made)


@pytest.mark.parametrize("make", ENGINES)
@pytest.mark.parametrize("kind", [str, pathlib.Path, os.fsencode])
def test_home_directories(make, kind, in_directory):
    made = make(kind("~/app.db"))
    assert (made if make is carnelian.Engine else made.engine).path == str(
        in_directory / "home" / "app.db"
    )
    close(made)
    assert not (in_directory / "~").exists()


@pytest.mark.parametrize("make", ENGINES)
def test_memory(make, in_directory):
    made = make(":memory:")
    assert (made if make is carnelian.Engine else made.engine).path is None
    close(made)
    assert os.listdir(in_directory) == ["home"]
    with pytest.raises(ValueError, match="appendonly needs a path"):
        make(":memory:", appendonly=True)


# -- Arguments of clients --------------------------------------------------------------------------


@pytest.mark.parametrize("make", CLIENTS)
@pytest.mark.parametrize("others", [(6379,), (6379, 0), (6379, 0, "secret")])
def test_positions_of_a_client_of_a_server(make, others, in_directory):
    with pytest.raises(TypeError, match="Redis\\(\\) takes one positional argument, the path"):
        make("localhost", *others)
    assert os.listdir(in_directory) == ["home"]


@pytest.mark.parametrize("make", CLIENTS)
def test_names_of_a_client_of_a_server(make):
    made = make(host="localhost", port=6379, db=1)
    assert made.engine.path is None
    close(made)


@pytest.mark.parametrize("make", CLIENTS)
def test_suggestions(make):
    with pytest.raises(TypeError) as error:
        make(decode_response=True)
    assert str(error.value) == (
        "Redis() got an unexpected keyword argument 'decode_response'. "
        "Did you mean 'decode_responses'?"
    )
    with pytest.raises(TypeError, match=r"'maxmemry'\. Did you mean 'maxmemory'\?"):
        make(maxmemry=3)
    with pytest.raises(TypeError) as error:
        make(nothing_like_it=1)
    assert str(error.value) == "Redis() got an unexpected keyword argument 'nothing_like_it'"
    with carnelian.Engine() as engine, pytest.raises(TypeError) as error:
        make(engine=engine, maxmemory="1mb")
    assert str(error.value) == (
        "Redis() got an unexpected keyword argument 'maxmemory': the engine is made already, "
        "directives are for Engine(maxmemory=...)"
    )


@pytest.mark.parametrize("make", CLIENTS)
def test_urls_with_a_path(make, in_directory):
    made = make.from_url("redis://x/2?path=a.db&appendonly=yes&decode_responses=True")
    assert made.engine.path == str(in_directory / "a.db")
    assert made.engine.execute("CONFIG", "GET", "appendonly") == {b"appendonly": b"yes"}
    assert made.get_connection_kwargs()["db"] == 2
    close(made)
    made = make.from_url("redis://x", path="b.db", maxmemory="1mb")
    assert made.engine.path == str(in_directory / "b.db")
    assert made.engine.execute("CONFIG", "GET", "maxmemory") == {b"maxmemory": b"1048576"}
    close(made)
    # That of a socket.
    made = make.from_url("unix:///tmp/redis.sock?db=1")
    assert made.engine.path is None
    close(made)
    with carnelian.Engine() as engine:
        with pytest.raises(
            TypeError, match="a path, an engine, a server or a connection pool, not two"
        ):
            make.from_url("redis://x?path=a.db", engine=engine)
        close(make.from_url("redis://x", engine=engine))
        assert not engine.closed
    with pytest.raises(TypeError, match="Did you mean 'maxmemory'"):
        make.from_url("redis://x?maxmemry=1mb")
    with pytest.raises(ValueError, match="must specify one of the following schemes"):
        make.from_url("localhost:6379")


# -- Directives ------------------------------------------------------------------------------------


def test_every_directive_that_is_refused_or_idle_is_one():
    names = {directive.name for directive in DIRECTIVES}
    assert set(REFUSED) <= names
    assert names >= IDLE
    assert not IDLE & set(REFUSED)
    # Whoever adds a directive that is not heeded yet says here what becomes of it.
    waiting = {d.name for d in DIRECTIVES if d.awaits == "-" or d.topic in ("TLS", "Cluster")}
    assert waiting <= IDLE | set(REFUSED) | OF_LINKS


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_directives_of_a_server(name):
    keyword = name.replace("-", "_")
    directives: Any = {keyword: "1"}
    with pytest.raises(TypeError) as error:
        carnelian.Engine(**directives)
    assert str(error.value) == f"Engine() has no use for {keyword!r}: {REFUSED[name]}"


@pytest.mark.parametrize("directive", DIRECTIVES, ids=lambda directive: directive.name)
def test_all_other_directives_are_taken(directive):
    if directive.name in REFUSED or directive.name in ("dir", "save", "appendonly"):
        return
    keyword = directive.name.replace("-", "_")
    words = directive.format(directive.default).decode().split()
    value = words if directive.multiple or len(words) > 1 else "".join(words)
    directives: Any = {keyword: value}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        carnelian.Engine(**directives).close()
    messages = [str(warning.message) for warning in caught]
    idle = [f"{keyword} has no effect in an engine of your own"]
    assert messages == (idle if directive.name in IDLE else [])
    assert all(warning.filename == __file__ for warning in caught)


def test_a_directive_that_there_is_not():
    with pytest.raises(TypeError) as error:
        carnelian.Engine(maxmemry=3)  # type: ignore[call-arg]
    assert str(error.value) == (
        "Engine() got an unexpected keyword argument 'maxmemry'. Did you mean 'maxmemory'?"
    )
    assert directives.is_directive("maxmemory_policy")


# -- Test suites that put these clients in the place of redis-py's --------------------------------


def use_of_redis_py() -> object:
    client = redis.Redis(host="localhost", port=6379, db=0, socket_timeout=3)
    client.set("k", "v")
    with client.pipeline() as pipe:
        pipe.get("k")
        assert pipe.execute() == [b"v"]
    return client.get("k")


@pytest.fixture
def no_servers():
    yield
    forget_servers()


def test_redis_patched(no_servers):
    with mock.patch("redis.Redis", carnelian.Redis):
        assert use_of_redis_py() == b"v"
        assert redis.Redis.from_url("redis://localhost:6379/3").get("k") is None
        with carnelian.Redis(health_check_interval=3, maxmemory="1mb") as client:
            assert client.get("k") is None
    with mock.patch("redis.StrictRedis", carnelian.Redis):
        # Where a host is named there is one server for all who name it.
        assert redis.StrictRedis(host="localhost").get("k") == b"v"
    with mock.patch("redis.client.Redis", carnelian.Redis):
        assert redis.from_url("redis://localhost:6379/3").get("k") is None
    with mock.patch("redis.from_url", carnelian.Redis.from_url):
        assert redis.from_url("redis://localhost:6379/3").get("k") is None
    with mock.patch("redis.ConnectionPool"), carnelian.Redis() as client:
        assert client.get("k") is None


def test_asyncio_redis_patched(no_servers):
    async def main() -> None:
        client = redis.asyncio.Redis(host="localhost", port=6379)
        assert await client.set("k", "v") is True
        assert await client.get("k") == b"v"
        await client.aclose()
        client = redis.asyncio.Redis.from_url("redis://localhost:6379/3")
        assert await client.get("k") is None
        await client.aclose()

    with mock.patch("redis.asyncio.Redis", carnelian.AsyncRedis):
        asyncio.run(main())
    with mock.patch("redis.asyncio.client.Redis", carnelian.AsyncRedis):
        asyncio.run(carnelian.AsyncRedis(socket_timeout=3).aclose())


def test_a_closed_engine_is_not_entered():
    engine = carnelian.Engine()
    session = engine.session()
    session.close()
    with pytest.raises(carnelian.EngineClosedError, match=r"^this session is closed$"), session:
        raise AssertionError
    engine.close()
    with pytest.raises(carnelian.EngineClosedError, match=r"^the engine is closed$"), engine:
        raise AssertionError


def test_a_socket_whose_path_is_too_long(in_directory):
    with carnelian.Engine() as engine, pytest.raises(OSError, match="too long") as error:
        engine.serve(unixsocket="x" * 200)
    assert error.value.errno == errno.ENAMETOOLONG
    assert error.value.filename == str(in_directory / ("x" * 200))
