"""Modules that are loaded before the data, which may hold their commands."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

import carnelian
from carnelian.tools.cli.wire.file_link import open_file

SOURCE = """
import carnelian
from carnelian.keyspace import events

@carnelian.command("MY.SET key value", "write", keys=1)
def my_set(session, args):
    session.db.set_string(args[1], args[2])
    session.db.changed(args[1], events.STRING, b"myset")

def on_load(module):
    if module.args == [b"refuse"]:
        raise ValueError("not so")
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def logged(tmp_path: Path, source: Path) -> Path:
    """A path whose log has a command of the module."""
    path = tmp_path / "app.db"
    with carnelian.Engine(path, appendonly=True, modules=[source]) as engine:
        engine.execute("MY.SET", "a", "b")
    return path


def test_without_it_the_data_stay_and_the_error_says_what_to_do(logged: Path) -> None:
    with pytest.raises(carnelian.DatabaseLoadError) as error:
        carnelian.Engine(logged)
    assert str(error.value) == (
        f"cannot load {logged}: Unknown command 'MY.SET' reading the append only file "
        "appendonly.aof.1.incr.aof. If it is one of your own, have it loaded before the data: "
        "modules=['commands.py'], or carnelian-cli --loadmodule commands.py"
    )


def test_engines_and_clients_have_it(logged: Path, source: Path) -> None:
    with carnelian.Engine(logged, modules=[str(source)]) as engine:
        assert engine.execute("GET", "a") == b"b"
    with carnelian.Redis(logged, modules=[source]) as client:
        assert client.get("a") == b"b"
    for _ in range(2):
        with carnelian.Redis(logged, modules=[source], share=True) as client:
            client.execute_command("MY.SET", "a", "b")

    async def scenario() -> None:
        async with carnelian.AsyncRedis(logged, modules=[source]) as client:
            assert await client.get("a") == b"b"

    asyncio.run(scenario())


def test_a_module_object_and_words_for_it(source: Path) -> None:
    module = ModuleType("mine")
    exec(SOURCE, module.__dict__)
    with carnelian.Engine(modules=[module]) as engine:
        engine.execute("MY.SET", "a", "b")
    with carnelian.Engine(modules=[(source, "accept")]) as engine:
        engine.execute("MY.SET", "a", "b")
    with pytest.raises(carnelian.Error, match="not so"):
        carnelian.Engine(modules=[(source, "refuse")])


def test_a_refused_module_leaves_the_path_free(logged: Path, source: Path) -> None:
    for _ in range(2):
        with pytest.raises(carnelian.Error, match="Error loading the extension"):
            carnelian.Engine(logged, modules=["nothing.py"])
    with carnelian.Engine(logged, modules=[source]) as engine:
        assert engine.execute("GET", "a") == b"b"


@pytest.mark.parametrize("one", ["mine.py", b"mine.py", sys])
def test_one_alone_is_no_list(one: object) -> None:
    with pytest.raises(TypeError, match=r"^modules is a list of modules, or of their paths"):
        carnelian.Engine(modules=one)  # type: ignore[arg-type]


def test_an_engine_that_is_there_takes_none(source: Path) -> None:
    message = r"the engine is made already, modules are for Engine\(modules=\.\.\.\)"
    with carnelian.Engine() as engine, pytest.raises(TypeError, match=message):
        carnelian.Redis(engine=engine, modules=[source])


def test_servers_that_are_none_have_it(source: Path) -> None:
    with carnelian.Redis(host="of-modules", version=6, modules=[source]) as client:
        client.execute_command("MY.SET", "a", "b")
        assert client.get("a") == b"b"


@pytest.mark.parametrize("write", [False, True])
def test_a_file_is_looked_into(logged: Path, source: Path, write: bool) -> None:
    with pytest.raises(carnelian.DatabaseLoadError, match="--loadmodule"):
        open_file(os.fspath(logged), write)
    engine = open_file(os.fspath(logged), write, (os.fspath(source),))
    assert engine.execute("GET", "a") == b"b"
    engine.close()


def test_kinds_of_events_need_no_import_of_their_own() -> None:
    assert carnelian.keyspace.events.STRING == 8  # type: ignore[attr-defined]
