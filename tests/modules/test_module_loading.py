"""Loading and unloading modules; what fails says why and changes nothing."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import redis

import carnelian

HELLO = """
import carnelian

@carnelian.command("HELLO", arity=1)
def hello(session, args):
    return "hello"
""".replace('"HELLO"', '"HI"')


@pytest.fixture
def engine() -> Iterator[carnelian.Engine]:
    with carnelian.Engine(enable_module_command="local") as made:
        yield made


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    def written(source: str, name: str = "mine.py") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
        return path

    return written


def refused(engine: carnelian.Engine, source: Any, *args: Any) -> str:
    """Why a module cannot be loaded; and that nothing has changed by trying."""
    commands = sorted(command.name for command in engine.core.registry.every())
    modules = [module.name for module in engine.core.modules]
    imported = set(sys.modules)
    with pytest.raises(carnelian.Error) as raised:
        engine.load_module(source, *args)
    assert sorted(command.name for command in engine.core.registry.every()) == commands
    assert [module.name for module in engine.core.modules] == modules
    assert {name for name in set(sys.modules) - imported if "carnelian_module" in name} == set()
    reason = str(raised.value)
    assert reason.startswith("ERR Error loading the extension. ")
    return reason.removeprefix("ERR Error loading the extension. ")


# -- MODULE ----------------------------------------------------------------------------------------


def test_load_list_unload(engine, write):
    path = write(HELLO)
    assert engine.execute("MODULE", "LIST") == []
    assert engine.execute("MODULE", "LOAD", path.as_posix(), "a", "b") == b"OK"
    assert engine.execute("HI") == b"hello"
    assert engine.execute("MODULE", "LIST") == [
        {b"name": b"mine", b"ver": 1, b"path": str(path).encode(), b"args": [b"a", b"b"]}
    ]
    assert b"module:name=mine,ver=1," in engine.execute("INFO", "modules")
    assert engine.execute("HELLO")[b"modules"] == engine.execute("MODULE", "LIST")
    assert engine.execute("MODULE", "UNLOAD", "mine") == b"OK"
    with pytest.raises(carnelian.Error, match="unknown command 'HI'"):
        engine.execute("HI")
    assert engine.execute("MODULE", "LIST") == []
    with pytest.raises(carnelian.Error) as raised:
        engine.execute("MODULE", "UNLOAD", "mine")
    assert str(raised.value) == "ERR Error unloading module: no such module with that name"


def test_module_commands_from_redis_py(engine, write):
    client = carnelian.Redis(engine=engine, decode_responses=True)
    assert client.module_load(str(write(HELLO))) is True
    assert client.module_list()[0]["name"] == "mine"
    assert client.module_unload("mine")
    with pytest.raises(redis.exceptions.ModuleError, match="no such module with that name"):
        client.module_unload("mine")


def test_loading_can_be_forbidden(write):
    with carnelian.Engine() as engine:
        with pytest.raises(
            carnelian.Error, match=r"MODULE command not allowed. If the enable-modul"
        ):
            engine.execute("MODULE", "LOAD", str(write(HELLO)))
        with pytest.raises(carnelian.Error, match="MODULE command not allowed"):
            engine.execute("MODULE", "UNLOAD", "mine")
        assert engine.execute("MODULE", "LIST") == []
        engine.load_module(write(HELLO))
        assert engine.execute("HI") == b"hello"


def test_help(engine):
    lines = engine.execute("MODULE", "HELP")
    assert lines[0] == b"MODULE <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
    assert b"UNLOAD <name>" in lines


def test_loadex(engine, write):
    path = write(
        HELLO
        + """
seen = []
def on_load(module):
    seen.append((module.args, module.config))
@carnelian.command("SEEN")
def show(session, args):
    return repr(seen)
"""
    )
    load = ("MODULE", "LOADEX", str(path))
    assert engine.execute(*load, "CONFIG", "mine.a", "1", "config", "b", "2", "ARGS", "x", "y") == (
        b"OK"
    )
    assert engine.execute("SEEN") == b"[([b'x', b'y'], {'a': '1', 'b': '2'})]"
    engine.unload_module("mine")
    assert engine.execute(*load, "ARGS") == b"OK"
    engine.unload_module("mine")
    assert engine.execute(*load) == b"OK"
    engine.unload_module("mine")
    for words in (("x",), ("CONFIG", "a"), ("CONFIG", "a", "1", "x")):
        with pytest.raises(carnelian.Error, match=r"Error loading the extension. Unexpected "):
            engine.execute(*load, *words)


def test_commands_that_are_blocked_keep_a_module(engine):
    waiting = Path(__file__).parents[1] / "embedded" / "waiting.py"
    engine.load_module(waiting)
    thread = threading.Thread(target=engine.execute, args=("WAITKEY", "k", 0))
    thread.start()
    while engine.core.blocking.count == 0:
        pass
    with pytest.raises(carnelian.Error, match="the module has blocked clients"):
        engine.unload_module("waiting")
    engine.execute("SET", "k", "v")
    thread.join(30)
    engine.unload_module("waiting")


def test_a_queued_command_may_be_gone_at_exec(engine, write):
    engine.load_module(write(HELLO))
    engine.execute("MULTI")
    engine.execute("HI")
    with engine.session() as other:
        other.execute("MODULE", "UNLOAD", "mine")
    assert engine.execute("EXEC") == [b"hello"]


# -- What a module is ------------------------------------------------------------------------------


def test_metadata(engine, write):
    path = write(HELLO + '__carnelian_module__ = {"name": "greetings", "version": 42}\n')
    assert engine.load_module(path) == "greetings"
    [shown] = engine.execute("MODULE", "LIST")
    assert (shown[b"name"], shown[b"ver"]) == (b"greetings", 42)


def test_a_module_can_be_loaded_again_and_by_others(engine, write):
    path = write(HELLO)
    engine.load_module(path)
    engine.unload_module("mine")
    path.write_text(HELLO.replace('"hello"', '"changed"'))
    engine.load_module(path)
    assert engine.execute("HI") == b"changed"
    with carnelian.Engine() as other:
        with pytest.raises(carnelian.Error, match="unknown command"):
            other.execute("HI")
        other.load_module(path)
        assert other.execute("HI") == b"changed"


def test_a_module_object(engine):
    module = ModuleType("made_up")
    exec(HELLO, vars(module))
    assert engine.load_module(module) == "made_up"
    assert engine.execute("HI") == b"hello"
    assert engine.execute("MODULE", "LIST")[0][b"path"] == b"made_up"


def test_a_dotted_name(engine, write, tmp_path, monkeypatch):
    write("", "shop/__init__.py")
    write(HELLO, "shop/orders.py")
    monkeypatch.syspath_prepend(tmp_path)
    assert engine.load_module("shop.orders") == "orders"
    assert engine.execute("HI") == b"hello"


def test_a_package(engine, write, tmp_path):
    write("from . import more\nfrom .helper import WORD\n" + HELLO, "shop/__init__.py")
    write("WORD = 1\n", "shop/helper.py")
    write(HELLO.replace('"HI"', '"HI.MORE"'), "shop/more.py")
    assert engine.load_module(tmp_path / "shop") == "shop"
    assert engine.execute("HI") == engine.execute("HI.MORE") == b"hello"


def test_hooks(engine, write):
    engine.load_module(
        write(
            HELLO
            + """
def on_load(module):
    module.log(f"{module.name} is here with {module.args}")
def on_unload(module):
    if module.engine.keyspace.databases[0].exists(b"lock"):
        raise RuntimeError("locked")
"""
        ),
        "x",
    )
    engine.execute("SET", "lock", 1)
    with pytest.raises(carnelian.Error) as raised:
        engine.unload_module("mine")
    assert str(raised.value) == "ERR Error unloading module: operation not possible."
    assert engine.execute("HI") == b"hello"
    engine.execute("DEL", "lock")
    engine.unload_module("mine")


# -- Failures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def x(:\n", "SyntaxError: invalid syntax (mine.py, line 1)"),
        ("\n1 / 0\n", "ZeroDivisionError: division by zero (mine.py, line 2)"),
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module' "
         "(mine.py, line 1)"),
        ("raise SystemExit(1)\n", "SystemExit: 1 (mine.py, line 1)"),
        ("", "it declares no commands"),
        (HELLO + HELLO, "it declares HI more than once"),
        (HELLO.replace("HI", "Get"), "there is a command GET already"),
        (HELLO.replace("HI", "CONFIG NEW"), "it declares CONFIG NEW, but not CONFIG"),
        (HELLO.replace("HI", "BOX NEW"), "it declares BOX NEW, but not BOX"),
        (HELLO.replace("arity=1", "arity='one'"),
         "TypeError: HI: arity is the number of words, not 'one' (mine.py, line 4)"),
        (HELLO + "__carnelian_module__ = {'name': 'a b'}",
         "ValueError: __carnelian_module__: 'a b' is no name of a module"),
        (HELLO + "__carnelian_module__ = {'version': '1'}",
         "ValueError: __carnelian_module__: version is a whole number, not '1'"),
        (HELLO + "__carnelian_module__ = 'x'",
         "TypeError: __carnelian_module__ is a dict of name and version, not 'x'"),
        (HELLO + "def on_load(module):\n    raise KeyError('setting')\n",
         "KeyError: 'setting' (mine.py, line 8)"),
        (HELLO + "def on_load(module):\n    raise carnelian.Error('ERR not today')\n", "not today"),
    ],
)  # fmt: skip
def test_a_module_that_fails_says_why_and_changes_nothing(engine, write, caplog, source, reason):
    path = write(source)
    with caplog.at_level(logging.WARNING, "carnelian"):
        assert refused(engine, path) == reason
    assert [record.getMessage() for record in caplog.records] == [
        f"Module {path} failed to load: {reason}"
    ]
    with pytest.raises(carnelian.Error) as raised:
        engine.execute("MODULE", "LOAD", str(path))
    assert str(raised.value) == f"ERR Error loading the extension. {reason}"


@pytest.mark.parametrize("start", [b"\x7fELF\2\1", b"MZ\0", b"\xcf\xfa\xed\xfe"])
def test_modules_in_c_are_told_apart(engine, tmp_path, start):
    path = tmp_path / "redisbloom.so"
    path.write_bytes(start + bytes(100))
    assert refused(engine, path) == (f"{path}: modules in C cannot be loaded, only those in Python")


def test_other_failures(engine, write, tmp_path):
    assert refused(engine, tmp_path / "nowhere.py") == f"{tmp_path}/nowhere.py: no such file"
    # It would do as the dotted name of a Python module, but is meant as a file.
    assert refused(engine, "nowhere.so") == f"{Path.cwd()}/nowhere.so: no such file"
    assert refused(engine, "no_such_module_1") == (
        "ModuleNotFoundError: No module named 'no_such_module_1'"
    )
    engine.load_module(write(HELLO))
    assert refused(engine, write(HELLO, "other.py")) == "there is a command HI already"
    other = write(HELLO.replace('"HI"', '"HO"'), "sub/mine.py")
    assert refused(engine, other) == "a module named mine is loaded already"
    with pytest.raises(carnelian.Error, match="mine2 has no on_load that could take configuration"):
        engine.load_module(write(HELLO.replace('"HI"', '"HO"'), "mine2.py"), color="red")


# -- redis.conf ------------------------------------------------------------------------------------


def test_configured_modules(engine, write, tmp_path):
    path = write(HELLO + "def on_load(module):\n    global got\n    got = module.config\n")
    config = engine.core.config
    config.load_text(f'loadmodule {path} one "two words"\nmine.color red blue\n')
    engine.host.perform(engine.core.modules.load_configured)
    assert engine.execute("HI") == b"hello"
    [module] = engine.core.modules
    assert module.args == [b"one", b"two words"]
    assert module.source.got == {"color": "red blue"}
    config.path = str(tmp_path / "redis.conf")
    config.rewrite()
    assert f'loadmodule {path} one "two words"\n' in Path(config.path).read_text()
    engine.unload_module("mine")
    config.rewrite()
    assert "loadmodule" not in Path(config.path).read_text()


def test_configured_modules_that_fail(engine, write):
    engine.core.config.load_text(f"loadmodule {write('1 / 0')}\n")
    with pytest.raises(carnelian.Error, match=r"Can't load module from .*/mine.py$") as raised:
        engine.host.perform(engine.core.modules.load_configured)
    assert "ZeroDivisionError: division by zero" in str(raised.value.__cause__)


def test_configuration_of_no_module(engine):
    engine.core.config.load_text("nothing.color red\n")
    with pytest.raises(carnelian.Error, match=r"nothing.color is configured, but no module"):
        engine.host.perform(engine.core.modules.load_configured)
