"""Commands that users write: declaration, replies, errors, calls of other commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

import carnelian
from carnelian.engine.catalogue.registry import DECLARED
from carnelian.resp.writer import encode

EXAMPLE = Path(__file__).parents[2] / "examples" / "scores.py"
WAITING = Path(__file__).parents[1] / "embedded" / "waiting.py"

Load = Callable[[str], carnelian.Engine]


@pytest.fixture
def engine() -> Iterator[carnelian.Engine]:
    with carnelian.Engine() as made:
        yield made


@pytest.fixture
def load(engine, tmp_path) -> Load:
    """An engine with a module of this source."""

    def loaded(source: str) -> carnelian.Engine:
        path = tmp_path / "mine.py"
        path.write_text("import carnelian\n" + source)
        engine.load_module(path)
        return engine

    return loaded


# -- Handlers --------------------------------------------------------------------------------------


def test_hello_world(load):
    engine = load("""
@carnelian.command("HELLO.WORLD", arity=-2, flags="readonly fast")
def hello(session, args):
    "Greets."
    return b"Hello " + b" and ".join(args[1:])
""")
    assert engine.execute("hello.world", "Anna", "Bert") == b"Hello Anna and Bert"
    with pytest.raises(carnelian.Error, match=r"wrong number of arguments for 'hello.world' comm"):
        engine.execute("HELLO.WORLD")
    engine.execute("MULTI")
    assert engine.execute("HELLO.WORLD", "x") == b"QUEUED"
    assert engine.execute("EXEC") == [b"Hello x"]
    client = carnelian.Redis(engine=engine, decode_responses=True)
    assert client.execute_command("HELLO.WORLD", "x") == "Hello x"
    with client.pipeline() as pipe:
        pipe.execute_command("HELLO.WORLD", "x")
        assert pipe.execute() == ["Hello x"]


@pytest.mark.parametrize(
    ("expression", "resp2", "resp3"),
    [
        ("'text'", b"$4\r\ntext\r\n", None),
        ("b'x'", b"$1\r\nx\r\n", None),
        ("None", b"$-1\r\n", b"_\r\n"),
        ("3", b":3\r\n", None),
        ("2**70", b"$22\r\n1180591620717411303424\r\n", b"(1180591620717411303424\r\n"),
        ("1.5", b"$3\r\n1.5\r\n", b",1.5\r\n"),
        ("True", b":1\r\n", b"#t\r\n"),
        ("carnelian.OK", b"+OK\r\n", None),
        ("carnelian.Status(b'FINE')", b"+FINE\r\n", None),
        ("('a', [1])", b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", None),
        ("{'a': 1}", b"*2\r\n$1\r\na\r\n:1\r\n", b"%1\r\n$1\r\na\r\n:1\r\n"),
        ("{7}", b"*1\r\n:7\r\n", b"~1\r\n:7\r\n"),
        ("(n for n in range(2))", b"*2\r\n:0\r\n:1\r\n", None),
    ],
)
def test_replies(load, expression, resp2, resp3):
    engine = load(f"""
@carnelian.command("REPLY", arity=1)
def reply(session, args):
    return {expression}
""")
    with engine.stream() as stream:
        stream.submit([[b"REPLY"]])
        value = stream.fetch()
        assert encode(value, 2) == resp2
        assert encode(value, 3) == (resp3 or resp2)


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("raise carnelian.Error('MYCODE it is so')", "MYCODE it is so"),
        ("raise ValueError('bad number')", "ERR ValueError: bad number"),
        ("1 / 0", "ERR ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "ERR SystemExit: 3"),
        ("return object()", "ERR TypeError: a command cannot reply with a object"),
        ("session.call('GET')", "ERR wrong number of arguments for 'get' command"),
        ("session.call('NOPE', 1)", "ERR unknown command 'NOPE', with args beginning with: '1' "),
        ("session.call('SET', 'k', None)", "ERR TypeError: cannot send a NoneType (None): pass "
         "bytes, str, int, float, bytearray or memoryview"),
        ("session.call('MULTI')", "ERR 'multi' is not allowed inside of a command"),
    ],
)  # fmt: skip
def test_errors(load, statement, error):
    engine = load(f"""
@carnelian.command("FAIL", arity=1, flags="write")
def fail(session, args):
    {statement}
""")
    with pytest.raises(carnelian.Error) as raised:
        engine.execute("FAIL")
    assert str(raised.value) == error
    assert engine.execute("PING") == b"PONG"
    assert b"errorstat_" in engine.execute("INFO", "errorstats")


def test_an_error_of_several_lines_stays_one_reply(load):
    engine = load("""
@carnelian.command("FAIL", arity=1)
def fail(session, args):
    raise ValueError("one\\r\\ntwo")
""")
    with engine.stream() as stream:
        stream.submit([[b"FAIL"]])
        assert encode(stream.fetch(), 2) == b"-ERR ValueError: one  two\r\n"


def test_the_database(load):
    engine = load("""
@carnelian.command("RAW.SET", arity=3, flags="write", keys=1)
def raw_set(session, args):
    session.db.set_string(args[1], args[2])
    session.db.changed(args[1], 8, b"raw.set")
    return session.db.string(args[1])
""")
    engine.execute("SELECT", 5)
    assert engine.execute("RAW.SET", "k", "v") == b"v"
    assert engine.execute("GET", "k") == b"v"


# -- Calling other commands ------------------------------------------------------------------------


CALLER = """
@carnelian.command("CALL", arity=-2, flags="write")
def call(session, args):
    return session.call(*args[1:])

@carnelian.command("READ", arity=-2, flags="readonly")
def read(session, args):
    return session.call(*args[1:])

@carnelian.command("TWICE", arity=2, flags="write", keys=1)
def twice(session, args):
    session.call("INCR", args[1])
    return session.call("TWICE.MORE", args[1])

@carnelian.command("TWICE.MORE", arity=2, flags="write", keys=1)
def more(session, args):
    return session.call("INCR", args[1])

@carnelian.command("BOTH", arity=2, flags="write", keys=1)
def both(session, args):
    session.rewrite([b"SET", args[1], b"both"])
    value = session.call("GET", args[1])
    session.db.set_string(args[1], b"both")
    session.db.changed(args[1], 8, b"set")
    return value
"""


def test_calls(load):
    engine = load(CALLER)
    assert engine.execute("CALL", "SET", "k", "v") == b"OK"
    assert engine.execute("READ", "GET", "k") == b"v"
    assert engine.execute("READ", "LCS", "k", "k", "IDX") == {
        b"matches": [[[0, 0], [0, 0]]],
        b"len": 1,
    }
    assert engine.execute("TWICE", "n") == 2
    with pytest.raises(carnelian.Error, match="value is not an integer or out of range"):
        engine.execute("CALL", "INCR", "k")
    engine.execute("MULTI")
    engine.execute("TWICE", "n")
    engine.execute("CALL", "GET", "k")
    assert engine.execute("EXEC") == [4, b"v"]


def test_a_reader_must_not_write(load):
    engine = load(CALLER)
    with pytest.raises(carnelian.Error) as raised:
        engine.execute("READ", "SET", "k", "v")
    assert str(raised.value) == "ERR 'set' writes, and 'read' is not declared with the flag write"
    assert engine.execute("EXISTS", "k") == 0


def test_what_is_called_is_propagated_once_and_as_one(load):
    engine = load(CALLER)
    seen: list = []
    engine.core.effects.listen(lambda db, args: seen.append(args))
    engine.execute("TWICE", "n")
    assert seen == [[b"MULTI"], [b"INCR", b"n"], [b"INCR", b"n"], [b"EXEC"]]
    seen.clear()
    engine.execute("CALL", "GET", "n")
    assert seen == []
    engine.execute("BOTH", "n")
    assert seen == [[b"SET", b"n", b"both"]]


def test_watched_keys_notice(load):
    engine = load(CALLER)
    with engine.session() as session:
        session.execute("WATCH", "n")
        engine.execute("TWICE", "n")
        session.execute("MULTI")
        assert session.execute("EXEC") is None


def test_statistics(load):
    engine = load(CALLER)
    engine.execute("TWICE", "n")
    stats = engine.execute("INFO", "commandstats").decode()
    assert "cmdstat_twice:calls=1," in stats
    assert "cmdstat_incr:calls=2," in stats


# -- Declarations ----------------------------------------------------------------------------------


def noop(session, args):
    """Does nothing. At all.

    Really.
    """


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"name": ""}, ValueError, "'' is no name of a command"),
        ({"name": "A|B C"}, ValueError, r"'A\|B C' is no name of a command"),
        ({"name": "A|B"}, ValueError, r"'A\|B' is no name"),
        ({"name": 3}, ValueError, "3 is no name"),
        ({"arity": "2"}, TypeError, "X: arity is the number of words, not '2'"),
        ({"arity": 1.0}, TypeError, "X: arity is the number of words, not 1.0"),
        ({"arity": 0}, ValueError, "X: arity counts the name, so it cannot be 0"),
        ({"flags": "quick"}, ValueError, "X: unknown flags: quick"),
        ({"flags": "write readonly"}, ValueError, "X: a command is either write or readonly"),
        ({"keys": "1"}, TypeError, "X: keys are positions or key specs, not '1'"),
        ({"keys": (1, 2)}, TypeError, "X: keys are positions or key specs"),
        ({"keys": 1.5}, TypeError, "X: keys are positions or key specs, not 1.5"),
        ({"keys": -1}, ValueError, r"X: no keys at \(-1, -1, 1\)"),
        ({"keys": (3, 2, 1)}, ValueError, r"X: no keys at \(3, 2, 1\)"),
        ({"arguments": "[key"}, ValueError, "missing ']'"),
    ],
)
def test_bad_declarations(arguments, error, message):
    with pytest.raises(error, match=message):
        carnelian.command(**{"name": "X", **arguments})(noop)


def test_handlers_that_are_none():
    with pytest.raises(TypeError, match="X: 3 cannot be called"):
        carnelian.command("X")(3)  # type: ignore[type-var]

    async def handler(session, args):
        pass

    with pytest.raises(TypeError, match="cannot be async"):
        carnelian.command("X")(handler)
    globals().pop(DECLARED, None)


def test_declarations_in_command_info(load):
    engine = load("""
@carnelian.command("My.Cmd", arity=-3, flags="readonly Allow-Busy", keys=(1, -2, 2),
                   arguments="key:key value", since="2.0", complexity="O(1)")
def cmd(session, args):
    '''Does what it does.

    In detail.
    '''
""")
    [info] = engine.execute("COMMAND", "INFO", "my.cmd")
    assert info[:6] == [b"my.cmd", -3, {b"readonly", b"module", b"allow_busy"}, 1, -2, 2]
    docs = engine.execute("COMMAND", "DOCS", "my.cmd")[b"my.cmd"]
    assert docs[b"summary"] == b"Does what it does."
    assert docs[b"since"] == b"2.0"
    assert docs[b"group"] == b"module"
    assert [argument[b"name"] for argument in docs[b"arguments"]] == [b"key", b"value"]
    assert engine.execute("COMMAND", "GETKEYS", "MY.CMD", "a", "x", "b", "y", "z") == [b"a", b"b"]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("1", [b"a"]),
        ("2", [b"b"]),
        ("(1, -1, 1)", [b"a", b"b", b"c"]),
        ("(1, 2, 1)", [b"a", b"b"]),
        ("(1, 3, 2)", [b"a", b"c"]),
        ("carnelian.at(2, 'RO')", [b"b"]),
        ("[carnelian.at(1, 'RO'), carnelian.at(3, 'RW')]", [b"a", b"c"]),
    ],
)
def test_keys(load, keys, expected):
    engine = load(f"""
@carnelian.command("K", flags="readonly", keys={keys})
def k(session, args):
    pass
""")
    assert engine.execute("COMMAND", "GETKEYS", "K", "a", "b", "c") == expected


@pytest.mark.parametrize("keys", ["()", "0", "(0, 0, 0)"])
def test_no_keys(load, keys):
    engine = load(f"""
@carnelian.command("K", keys={keys})
def k(session, args):
    pass
""")
    with pytest.raises(carnelian.Error, match="The command has no key arguments"):
        engine.execute("COMMAND", "GETKEYS", "K", "a")


def test_subcommands(load):
    engine = load("""
@carnelian.command("BOX OPEN", arity=3)
def opens(session, args):
    return args

@carnelian.command("BOX", arity=-2)
def box(session, args):
    raise AssertionError("never")
""")
    assert engine.execute("box", "open", "x") == [b"box", b"open", b"x"]
    with pytest.raises(carnelian.Error, match=r"unknown subcommand 'SHUT'. Try BOX HELP."):
        engine.execute("BOX", "SHUT")
    engine.unload_module("mine")
    with pytest.raises(carnelian.Error, match="unknown command 'box'"):
        engine.execute("box", "open", "x")


def test_a_slow_command_is_not_run_inside_itself(load):
    engine = load("""
engine = None

def on_load(module):
    global engine
    engine = module.engine

@carnelian.command("OUTSIDE", arity=1)
def outside(session, args):
    return handle.execute("PING")
""")
    import sys

    module = engine.core.modules.get("mine").source
    module.handle = engine
    assert module.__name__ in sys.modules
    with pytest.raises(carnelian.Error, match="RuntimeError: an engine cannot be used by its own"):
        engine.execute("OUTSIDE")
    assert engine.execute("PING") == b"PONG"


# -- The example -----------------------------------------------------------------------------------


def test_the_example(engine):
    assert engine.load_module(EXAMPLE, 10) == "scores"
    assert engine.execute("SCORE.ADD", "anna", 7) == 7
    assert engine.execute("SCORE.ADD", "bert", 3) == 3
    assert engine.execute("SCORE.ADD", "anna", 7) == 10
    top = engine.execute("SCORE.TOP", "bert", "anna", "carl")
    assert list(top.items()) == [(b"anna", 10), (b"bert", 3), (b"carl", 0)]
    with pytest.raises(carnelian.Error, match=r"^ERR points must be positive$"):
        engine.execute("SCORE.ADD", "anna", -1)
    with pytest.raises(carnelian.Error, match=r"^ERR ValueError: invalid literal for int"):
        engine.execute("SCORE.ADD", "anna", "many")
    client = carnelian.Redis(engine=engine)
    with pytest.raises(redis.ResponseError, match="points must be positive"):
        client.execute_command("SCORE.ADD", "anna", 0)


def test_a_session_may_wait_twice_until_the_same_time():
    with carnelian.Engine(clock=carnelian.ManualClock()) as engine:
        engine.load_module(WAITING)
        with engine.stream() as stream:
            stream.submit([[b"WAITKEY", b"k", b"10"], [b"WAITKEY", b"k", b"10"], [b"PING"]])
            engine.execute("SET", "k", "v")
            assert stream.fetch(0) == b"v"
            engine.clock.advance(10)
            assert [stream.fetch(0), stream.fetch(0)] == [None, b"PONG"]
