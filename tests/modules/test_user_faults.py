"""What user code returns or raises: an error reply and a log line, and nobody else is harmed."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

import carnelian
from carnelian.engine.extensions.conversion import to_reply
from carnelian.resp.replies import NO_REPLY, Attribute, FlatMap, Push, Several, Verbatim
from carnelian.resp.writer import encode
from server.peers import ServerProcess

SOURCE = '''
import asyncio, sys
import carnelian
from carnelian.resp import replies


class BytesOfItself(bytes):
    def __bytes__(self):
        return self


class TextOfItself(str):
    def __str__(self):
        return self

    def encode(self, *options):
        return self


class Number(int):
    def __index__(self):
        return self

    def __add__(self, other):
        raise RuntimeError("no sums")

    __lt__ = __le__ = __add__


class Real(float):
    def __float__(self):
        raise RuntimeError("no floats")


class Iterator:
    def __iter__(self):
        raise RuntimeError("no members")


class ForEver:
    def __iter__(self):
        return iter([self])


class Items(dict):
    def items(self):
        return [(1, 2, 3)]


class Members(list):
    def __len__(self):
        return 1000


class Textless(Exception):
    def __str__(self):
        raise KeyboardInterrupt


class Codeless(carnelian.Error):
    @property
    def code(self):
        raise RuntimeError("no code")


class Wordless(carnelian.Error):
    def __init__(self):
        super().__init__("ERR x")
        self.message = 7


class Own(carnelian.Error):
    pass


class Ending(BaseException):
    pass


class Restless:
    def __del__(self):
        raise RuntimeError("not yet")


class Changing:
    """Shortens the list it stands in."""

    def __init__(self, members):
        self.members = members

    def __iter__(self):
        self.members.clear()
        return iter(())


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def circle(kind):
    value = kind()
    if kind is list:
        value.append(value)
    else:
        value["me"] = value
    return value


def failing():
    yield 1
    raise asyncio.CancelledError("midway")


def changing():
    members = []
    members += [Changing(members), 2, 3]
    return members


def throw(what):
    raise what


@carnelian.command("EVAL.PY", arity=2, flags="write")
def evaluate(session, args):
    session.call("INCR", "calls")
    return eval(args[1])
'''

CASES: list[tuple[str, object]] = [
    ("circle(list)", b"-ERR ValueError: a reply is nested too deeply, or contains itself"),
    ("circle(dict)", b"-ERR ValueError: a reply is nested too deeply, or contains itself"),
    ("nested(100000)", b"-ERR ValueError: a reply is nested too deeply, or contains itself"),
    ("ForEver()", b"-ERR ValueError: a reply is nested too deeply, or contains itself"),
    ("{'a': [{'b': circle(list)}]}", b"-ERR ValueError: a reply is nested too deeply, or contains "
     b"itself"),
    ("[1, 'two', circle(list)]", b"-ERR ValueError: a reply is nested too deeply, or contains "
     b"itself"),
    ("BytesOfItself(b'abc')", b"abc"),
    ("[BytesOfItself(b'abc')]", [b"abc"]),
    ("TextOfItself('abc')", b"abc"),
    ("Number(7)", 7),
    ("Number(2**70)", b"1180591620717411303424"),
    ("Real(1.5)", b"1.5"),
    ("Members([1, 2])", [1, 2]),
    ("changing()", [[]]),
    ("[Restless()]", b"-ERR TypeError: a command cannot reply with a Restless"),
    ("Restless() and 1", 1),
    ("Iterator()", b"-ERR RuntimeError: no members"),
    ("Items(a=1)", b"-ERR ValueError: too many values to unpack (expected 2)"),
    ("failing()", b"-ERR CancelledError: midway"),
    ("'\\ud800'", b"-ERR UnicodeEncodeError: 'utf-8' codec can't encode character '\\ud800' in "
     b"position 0: surrogates not allowed"),
    ("throw(ValueError('\\ud800'))", b"-ERR ValueError: \\ud800"),
    ("throw(ValueError('a\\r\\n+OK\\r\\n'))", b"-ERR ValueError: a  +OK"),
    ("10**5000", b"-ERR ValueError: Exceeds the limit (4300 digits) for integer string conversion; "
     b"use sys.set_int_max_str_digits() to increase the limit"),
    ("[10**5000]", b"-ERR ValueError: Exceeds the limit (4300 digits) for integer string "
     b"conversion; use sys.set_int_max_str_digits() to increase the limit"),
    ("throw(Textless())", b"-ERR Textless: (its text raises KeyboardInterrupt)"),
    ("throw(Codeless('ERR x'))", b"-ERR RuntimeError: no code"),
    ("throw(Wordless())", b"-ERR TypeError: Expected bytes, got int"),
    ("[Wordless()]", b"-ERR TypeError: Expected bytes, got int"),
    ("throw(Own('OWN it'))", b"-OWN it"),
    ("[Own('OWN it')]", [b"-OWN it"]),
    ("throw(asyncio.CancelledError())", b"-ERR CancelledError: "),
    ("throw(SystemExit(3))", b"-ERR SystemExit: 3"),
    ("throw(GeneratorExit())", b"-ERR GeneratorExit: "),
    ("throw(StopIteration())", b"-ERR StopIteration: "),
    ("throw(RecursionError('deep'))", b"-ERR RecursionError: deep"),
    ("throw(MemoryError())", b"-ERR MemoryError: "),
    ("(lambda f: f(f))(lambda f: f(f))", b"-ERR RecursionError: maximum recursion depth exceeded"),
    ("session.call('SET', nested(100000), 1)",
     b"-ERR RecursionError: maximum recursion depth exceeded while getting the repr of an object"),
    ("[replies.NO_REPLY]", b"-ERR TypeError: a command cannot reply with a Sentinel"),
    ("replies.FlatMap([1])", b"-ERR ValueError: a map has as many values as keys"),
    ("replies.Verbatim(7)", b"-ERR ValueError: a verbatim string is a text, and a format of three "
     b"letters"),
    ("[replies.Several([1, 2]), replies.Push([3])]", [[1, 2], [3]]),
]  # fmt: skip

# What may be somebody's interrupt where the process is not ours.
INTERRUPTS: list[tuple[str, object]] = [
    ("throw(KeyboardInterrupt())", b"-ERR KeyboardInterrupt: "),
    ("throw(Ending('all of it'))", b"-ERR Ending: all of it"),
]


@pytest.fixture(scope="module")
def module(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("module") / "evil.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory, module):
    directory = tmp_path_factory.mktemp("server")
    server = ServerProcess(directory, "--save", "", "--loadmodule", str(module))
    yield server.wait_until_ready()
    server.stop()


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize(("expression", "reply"), CASES + INTERRUPTS)
def test_a_server_replies_and_goes_on(server, expression, reply, protocol):
    client = server.connect()
    client.call("HELLO", protocol)
    before = int(client.call("GET", "calls") or 0)
    found = client.call("EVAL.PY", expression)
    if protocol == 3 and expression == "Real(1.5)":
        reply = b",1.5"
    if protocol == 3 and expression == "Number(2**70)":
        reply = b"(1180591620717411303424"
    assert found == reply
    # Nothing is left of a reply that could not be written, and what was done is done.
    assert client.call("PING") == b"+PONG"
    assert int(client.call("GET", "calls")) == before + 1
    client.call("MULTI")
    client.call("EVAL.PY", expression)
    client.call("PING")
    assert client.call("EXEC") == [reply, b"+PONG"]
    client.close()


def test_what_would_end_the_server_is_in_its_log(server):
    client = server.connect()
    client.call("EVAL.PY", "throw(Ending('of the log'))")
    assert "Traceback (most recent call last):" in server.log
    assert "Ending: of the log\n" in server.log


def test_a_log_has_what_was_done_before_the_end(tmp_path, module):
    server = ServerProcess(
        tmp_path, "--save", "", "--appendonly", "yes", "--loadmodule", str(module)
    ).wait_until_ready()
    server.connect().call("EVAL.PY", "throw(asyncio.CancelledError())")
    server.process.kill()
    server.process.wait()
    again = ServerProcess(
        tmp_path, "--save", "", "--appendonly", "yes", "--loadmodule", str(module)
    ).wait_until_ready()
    assert again.connect().call("GET", "calls") == b"1"
    again.stop()


def test_a_reply_that_cannot_be_written_is_replaced(tmp_path):
    path = tmp_path / "odd.py"
    path.write_text(
        "import carnelian\n"
        "@carnelian.command('ODD')\n"
        "def odd(session, args): pass\n"
        "def on_load(module):\n"
        "    module.engine.debug_commands[b'odd'] = lambda session, args: [b'begun', object()]\n"
    )
    server = ServerProcess(
        tmp_path, "--save", "", "--enable-debug-command", "yes", "--loadmodule", str(path)
    )
    client = server.wait_until_ready().connect()
    client.send(b"PING\r\nDEBUG ODD\r\nPING\r\n")
    assert [client.reply() for _ in range(3)] == [
        b"+PONG",
        b"-ERR TypeError: object is no type of a reply",
        b"+PONG",
    ]
    assert "A reply cannot be written: Traceback" in server.log
    server.stop()


@pytest.mark.parametrize("hook", ["load", "unload"])
@pytest.mark.parametrize("raised", ["KeyboardInterrupt", "SystemExit", "GeneratorExit"])
def test_hooks_of_a_module_do_not_end_a_server(tmp_path, hook, raised):
    path = tmp_path / "odd.py"
    path.write_text(
        "import carnelian\n"
        "@carnelian.command('ODD')\n"
        "def odd(session, args): pass\n"
        f"def on_{hook}(module): raise {raised}('no')\n"
    )
    server = ServerProcess(tmp_path, "--save", "", "--enable-module-command", "yes")
    client = server.wait_until_ready().connect()
    if hook == "load":
        assert client.call("MODULE", "LOAD", path) == (
            f"-ERR Error loading the extension. {raised}: no (odd.py, line 4)".encode()
        )
    else:
        assert client.call("MODULE", "LOAD", path) == b"+OK"
        assert client.call("MODULE", "UNLOAD", "odd").startswith(b"-ERR Error unloading module")
    assert client.call("PING") == b"+PONG"
    server.stop()


@pytest.mark.parametrize("change", ["args.clear()", "args[:] = 5, None", "args[:] = ['SET', 'a']"])
def test_what_a_handler_does_to_its_words_is_no_matter(tmp_path, change):
    path = tmp_path / "odd.py"
    path.write_text(
        "import carnelian\n"
        "@carnelian.command('ODD key', 'write', keys=1)\n"
        "def odd(session, args):\n"
        "    session.db.set_string(args[1], b'v')\n"
        "    session.db.changed(args[1], 8, b'odd')\n"
        f"    {change}\n"
        "    return 'done'\n"
    )
    server = ServerProcess(
        tmp_path, "--loadmodule", str(path), "--appendonly", "yes", "--slowlog-log-slower-than", "0"
    )
    client = server.wait_until_ready().connect()
    watcher = server.connect()
    assert watcher.call("MONITOR") == b"+OK"
    assert client.call("ODD", "key") == b"done"
    assert watcher.line().endswith(b'"ODD" "key"')
    assert client.call("SLOWLOG", "GET", "1")[0][3] == [b"ODD", b"key"]
    server.stop()
    log = tmp_path / "appendonlydir" / "appendonly.aof.1.incr.aof"
    assert b"ODD\r\n$3\r\nkey" in log.read_bytes()


# -- Embedded --------------------------------------------------------------------------------------


@pytest.fixture
def engine(module):
    with carnelian.Engine() as made:
        made.load_module(module)
        yield made


@pytest.mark.filterwarnings("ignore:Exception ignored in")
@pytest.mark.parametrize(
    ("expression", "reply"), [case for case in CASES if str(case[1]).startswith("b'-")]
)
def test_an_engine_raises_and_goes_on(engine, expression, reply):
    for run in (engine.execute, carnelian.Redis(engine=engine).execute_command):
        with pytest.raises(Exception) as raised:
            run("EVAL.PY", expression)
        assert type(raised.value).__mro__[1] is not BaseException
        text = reply[1:].decode()
        shown = str(raised.value).replace("\r\n", "  ").rstrip()
        assert shown in (text, text.removeprefix("ERR "), text.rstrip(), text[4:].rstrip())
        assert run("PING") in (b"PONG", True)


@pytest.mark.parametrize(("expression", "reply"), INTERRUPTS)
def test_an_interrupt_comes_out_of_an_engine(engine, expression, reply):
    with pytest.raises(BaseException) as raised:
        engine.execute("EVAL.PY", expression)
    assert type(raised.value).__name__ == reply.split()[1].rstrip(b":").decode()
    assert engine.execute("PING") == b"PONG"


def test_keys_of_maps_that_python_cannot_hash(engine):
    assert engine.execute("EVAL.PY", "{(1, (2, 3)): 4, frozenset({5}): 6}") == {
        (1, (2, 3)): 4,
        frozenset({5}): 6,
    }


def test_as_deep_as_a_reply_may_be(engine):
    depth = 499
    value = engine.execute("EVAL.PY", f"nested({depth})")
    for _ in range(depth):
        (value,) = value
    assert value == []
    with pytest.raises(carnelian.Error, match="nested too deeply"):
        engine.execute("EVAL.PY", f"nested({depth + 1})")


def test_depth_in_a_thread_with_little_stack(module):
    """As threads have it on some systems."""
    program = f"""
import threading
threading.stack_size(256 * 1024)
import carnelian
engine = carnelian.Engine()
engine.load_module({str(module)!r})
def run():
    client = carnelian.Redis(engine=engine)
    engine.execute("EVAL.PY", "nested(499)")
    client.execute_command("EVAL.PY", "nested(499)")
    try:
        engine.execute("EVAL.PY", "circle(list)")
    except carnelian.Error as error:
        print(error)
thread = threading.Thread(target=run)
thread.start()
thread.join()
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout == "ERR ValueError: a reply is nested too deeply, or contains itself\n"
    assert threading.stack_size() == 0


# -- The writer, whatever comes to it --------------------------------------------------------------


class BytesOfItself(bytes):
    def __bytes__(self):
        return self


class TextOfItself(str):
    def __str__(self):
        return self

    def encode(self, *options):
        return self


def test_the_writer_runs_no_code_of_texts():
    assert encode([BytesOfItself(b"abc")]) == b"*1\r\n$3\r\nabc\r\n"
    assert encode([TextOfItself("abc")]) == b"*1\r\n$3\r\nabc\r\n"


def test_the_message_of_an_error_is_bytes():
    error = carnelian.Error("ERR x")
    with pytest.raises(TypeError, match="Expected bytes, got str"):
        error.message = "ERR x"  # type: ignore[assignment]
    assert encode([error]) == b"*1\r\n-ERR x\r\n"


def test_replies_that_stand_alone(engine):
    assert to_reply(NO_REPLY) is NO_REPLY
    assert type(to_reply(Several(["a"]))) is Several
    assert type(to_reply(Push(["a"]))) is Push
    assert type(to_reply({"a": 1})) is FlatMap
    verbatim = to_reply(Verbatim(b"x"))
    assert isinstance(verbatim, Verbatim) and verbatim.text == b"x"
    attribute = to_reply(Attribute({"a": 1}, (2,)))
    assert isinstance(attribute, Attribute) and attribute.value == [2]
