"""Requests: commands, protocol errors word for word, and input however it is split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.resp import blocks
from carnelian.resp.parser import Parser, ProtocolError
from carnelian.resp.replies import Error
from support.wire import request


def drain(parser: Parser) -> list[list[bytes]]:
    commands = []
    while (command := parser.next()) is not None:
        commands.append(command)
    return commands


def parse(data: bytes) -> list[list[bytes]]:
    parser = Parser()
    parser.feed(data)
    return drain(parser)


def error_of(data: bytes, **attributes) -> ProtocolError:
    parser = Parser()
    for name, value in attributes.items():
        setattr(parser, name, value)
    parser.feed(data)
    with pytest.raises(ProtocolError) as caught:
        drain(parser)
    return caught.value


@pytest.mark.parametrize(
    ("data", "commands"),
    [
        (b"", []),
        (b"*1\r\n$4\r\nPING\r\n", [[b"PING"]]),
        (b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n", [[b"GET", b""]]),
        (b"*1\r\n$0\r\n\r\n", [[b""]]),
        (b"*2\r\n$3\r\nGET\r\n$4\r\n\r\n\x00\xff\r\n", [[b"GET", b"\r\n\x00\xff"]]),
        (b"*0\r\n*-1\r\n*-10\r\n\r\n\n  \r\n*1\r\n$4\r\nPING\r\n", [[b"PING"]]),
        (b"PING\r\n", [[b"PING"]]),
        (b"PING\n", [[b"PING"]]),
        (b"  SET  key\tvalue  \r\n", [[b"SET", b"key", b"value"]]),
        (b"SET \"a b\\n\\x41\\\"\" 'it\\'s'\r\n", [[b"SET", b'a b\nA"', b"it's"]]),
        (b"\r\n\r\nGET k\r\n*1\r\n$4\r\nQUIT\r\n", [[b"GET", b"k"], [b"QUIT"]]),
        # What follows the CR of a header, and the two bytes after an argument, are not looked at.
        (b"*1\rX$4\rXPINGXX", [[b"PING"]]),
        # Anything that is not a star starts an inline command.
        (b"$3\r\n", [[b"$3"]]),
    ],
)
def test_commands(data, commands):
    assert parse(data) == commands


def test_pipeline_of_both_kinds():
    data = request(b"SET", b"k", b"v") + b"GET k\r\n" + request(b"PING")
    assert parse(data * 3) == [[b"SET", b"k", b"v"], [b"GET", b"k"], [b"PING"]] * 3


def test_arguments_are_plain_bytes():
    (command,) = parse(request(b"GET", b"key"))
    assert type(command) is list
    assert [type(argument) for argument in command] == [bytes, bytes]


def test_names_are_the_same_object():
    names = [b"GET", b"zrangebyscore", b"12345678", b"x" * 32]
    for name in names:
        first, second = parse(request(name, name) * 2)
        assert first[0] is second[0]
        assert first[0] == name == first[1]


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=60))
def test_names_are_never_mixed_up(names):
    assert parse(b"".join(request(name) for name in names)) == [[name] for name in names]


def test_many_arguments():
    arguments = [b"%d" % number for number in range(5000)]
    assert parse(request(*arguments)) == [arguments]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"*3000000000\r\n", "invalid multibulk length"),
        (b"*2147483648\r\n", "invalid multibulk length"),
        (b"*9223372036854775808\r\n", "invalid multibulk length"),
        (b"*\r\n", "invalid multibulk length"),
        (b"*a\r\n", "invalid multibulk length"),
        (b"*01\r\n", "invalid multibulk length"),
        (b"*+1\r\n", "invalid multibulk length"),
        (b"* 1\r\n", "invalid multibulk length"),
        (b"*1 \r\n", "invalid multibulk length"),
        (b"*-0\r\n", "invalid multibulk length"),
        (b"*1\n$4\nPING\r\n", "invalid multibulk length"),
        (b"*1\r\nfoo\r\n", "expected '$', got 'f'"),
        (b"*1\r\n:5\r\n", "expected '$', got ':'"),
        (b"*1\r\n\r\n", "expected '$', got '\r'"),
        (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", "expected '$', got 'f'"),
        (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$-10\r\n", "invalid bulk length"),
        (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$2000000000\r\n", "invalid bulk length"),
        (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$blabla\r\n", "invalid bulk length"),
        (b"*1\r\n$536870913\r\n", "invalid bulk length"),
        (b"*1\r\n$\r\n", "invalid bulk length"),
        (b"*1\r\n$04\r\nPING\r\n", "invalid bulk length"),
        (b"*" + b"1" * 65536, "too big mbulk count string"),
        (b"*\x00" + b"1" * 70000 + b"\r\n", "too big mbulk count string"),
        (b"*1\r\n$" + b"1" * 65536, "too big bulk count string"),
        (b"*1\r\nX" + b"1" * 65536, "too big bulk count string"),
        (b"a" * 65537, "too big inline request"),
        (b"a" * 65537 + b"\n", "too big inline request"),
        (b"\x00" * 65537, "too big inline request"),
        (b'set """test-key""" test-value\r\n', "unbalanced quotes in request"),
        (b"get 'a\r\n", "unbalanced quotes in request"),
        (b'get "a"b\r\n', "unbalanced quotes in request"),
    ],
)
def test_errors(data, message):
    error = error_of(data)
    assert isinstance(error, Error)
    assert error.message == b"ERR Protocol error: " + message.encode("latin-1")


@pytest.mark.parametrize(
    "data",
    [
        b"*",
        b"*1",
        b"*1\r",
        b"*1x",
        b"*\x00\r\n",
        b"*1\r\nf",
        b"*1\r\nfoo",
        b"*1\r\nfoo\r",
        b"*1\r\n$",
        b"*1\r\n$-1\r",
        b"*1\r\n$4\r\nPING",
        b"*1\r\n$4\r\nPING\r",
        b"*" + b"1" * 65535,
        b"a" * 65536,
        b"get\x00 a\r\n",
        b"get 'a",
    ],
)
def test_more_input_is_needed(data):
    parser = Parser()
    parser.feed(data)
    assert parser.next() is None
    assert parser.next() is None


def test_lines_of_just_64_kilobytes():
    assert parse(b"a" * 65536 + b"\n") == [[b"a" * 65536]]
    error = error_of(b"*" + b"1" * 65535 + b"\r\n")
    assert error.message == b"ERR Protocol error: invalid multibulk length"


def test_limits_before_authentication():
    error = error_of(b"*11\r\n", authenticated=False)
    assert error.message == b"ERR Protocol error: unauthenticated multibulk length"
    error = error_of(b"*1\r\n$16385\r\n", authenticated=False)
    assert error.message == b"ERR Protocol error: unauthenticated bulk length"
    error = error_of(b"*1\r\n$536870912\r\n", authenticated=False)
    assert error.message == b"ERR Protocol error: unauthenticated bulk length"
    parser = Parser()
    parser.authenticated = False
    arguments = [b"x" * 16384] * 10
    parser.feed(request(*arguments))
    assert parser.next() == arguments
    parser.authenticated = True
    arguments = [b"x" * 16385] * 11
    parser.feed(request(*arguments))
    assert drain(parser) == [arguments]


def test_other_limits():
    assert error_of(request(b"12345"), max_bulk=4).message.endswith(b"invalid bulk length")
    assert error_of(b"*3\r\n", max_multibulk=2).message.endswith(b"invalid multibulk length")
    parser = Parser()
    parser.max_bulk = 1 << 40
    parser.feed(b"*1\r\n$600000000")
    assert parser.next() is None


def test_a_failed_parser_is_dead():
    parser = Parser()
    parser.feed(b"*1\r\nxxxx\r\n" + request(b"PING"))
    for _ in range(3):
        with pytest.raises(ProtocolError):
            parser.next()
    parser.feed(request(b"PING"))
    with pytest.raises(ProtocolError):
        parser.next()
    assert parser.pending == parser.held == 0


def test_errors_describe_themselves_for_the_log():
    error = error_of(b"*1\r\nfoo\x01\r\n")
    assert error.reason == "expected $ but got something else"
    assert error.excerpt == "'foo...'"
    error = error_of(b"*x" + b"a" * 62 + b"b" * 10 + b"c" * 62 + b"\r\n")
    assert error.reason == "invalid mbulk count"
    assert error.excerpt == ("'*x" + "a" * 62 + "' (... more 10 bytes ...) '" + "c" * 62 + "..'")


# Splits

STREAM = (
    request(b"SET", b"key", b"value")
    + b"\r\nPING\r\n"
    + b"set 'a b' \"\\x00\"\n"
    + b"*0\r\n"
    + request(b"MSET", b"", b"\r\n", b"x" * 300)
    + request(b"SET", b"big", b"y" * 33000)
    + request(b"GET", b"key")
)
COMMANDS = [
    [b"SET", b"key", b"value"],
    [b"PING"],
    [b"set", b"a b", b"\x00"],
    [b"MSET", b"", b"\r\n", b"x" * 300],
    [b"SET", b"big", b"y" * 33000],
    [b"GET", b"key"],
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 16384, 32768, 33000])
def test_pieces(size):
    parser = Parser()
    commands = []
    for start in range(0, len(STREAM), size):
        parser.feed(STREAM[start : start + size])
        commands += drain(parser)
    assert commands == COMMANDS
    assert parser.consumed == len(STREAM)
    assert parser.pending == parser.held == 0


def test_every_split_in_two():
    for split in range(len(STREAM)):
        if 500 < split < len(STREAM) - 500 and split % 97:
            continue
        parser = Parser()
        parser.feed(STREAM[:split])
        commands = drain(parser)
        parser.feed(STREAM[split:])
        assert commands + drain(parser) == COMMANDS
        assert parser.consumed == len(STREAM)


arguments = st.one_of(
    st.binary(max_size=20),
    st.binary(max_size=3).map(lambda seed: (seed or b"s") * 11000),
)


@given(
    st.lists(st.lists(arguments, min_size=1, max_size=5), max_size=6),
    st.lists(st.integers(1, 40000), max_size=12),
    st.booleans(),
)
def test_any_requests_at_any_split(commands, sizes, eager):
    stream = b"".join(request(*command) for command in commands)
    parser = Parser()
    parsed = []
    start = 0
    for size in [*sizes, len(stream)]:
        parser.feed(stream[start : start + size])
        start += size
        if eager:
            parsed += drain(parser)
    parsed += drain(parser)
    assert parsed == commands
    assert parser.consumed == len(stream)
    assert parser.pending == parser.held == 0


# What CLIENT LIST shows


def test_an_idle_parser_holds_nothing():
    before = blocks.lent()
    parsers = [Parser() for _ in range(100)]
    for parser in parsers:
        parser.feed(request(b"PING"))
        assert drain(parser) == [[b"PING"]]
    assert blocks.lent() == before
    assert all(parser.held == 0 for parser in parsers)


def test_the_running_command_counts_as_buffered():
    parser = Parser()
    data = request(b"client", b"list")
    parser.feed(data)
    assert parser.next() == [b"client", b"list"]
    assert parser.buffered == 26 == len(data)
    assert parser.pending == 0
    assert parser.argument_bytes == 10
    assert parser.next() is None
    assert parser.buffered == 0
    assert parser.argument_bytes == 0


def test_an_incomplete_command_counts_as_pending():
    parser = Parser()
    parser.feed(request(b"PING") + b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nva")
    assert drain(parser) == [[b"PING"]]
    assert parser.pending == parser.buffered == len(b"va")
    assert parser.argument_bytes == 6
    parser.feed(b"lue\r\n")
    assert drain(parser) == [[b"SET", b"key", b"value"]]


def test_a_big_argument_counts_as_it_comes():
    parser = Parser()
    parser.feed(b"*1\r\n$200000\r\n" + b"v" * 100)
    assert parser.next() is None
    assert parser.buffered == parser.pending == 100
    parser.feed(b"v" * 199900)
    assert parser.next() is None
    assert parser.buffered == parser.pending == 200000
    assert parser.free == 2
    assert parser.held >= 200000
    parser.feed(b"\r\n")
    assert drain(parser) == [[b"v" * 200000]]
    assert parser.held == parser.pending == 0


def test_room_follows_use_and_goes_when_idle():
    parser = Parser()
    assert parser.free == 0
    parser.feed(request(b"PING"))
    drain(parser)
    assert parser.free == 16384
    parser.trim()
    assert parser.free == 16384
    parser.trim(idle=True)
    assert parser.free == 0


def test_room_shrinks_to_the_lower_peak():
    parser = Parser()

    def step(size: int) -> None:
        parser.feed(b"*3\r\n$3\r\nset\r\n$1\r\nx\r\n$%d\r\n" % size)
        drain(parser)
        parser.feed(b"A" * size + b"\r\n")
        drain(parser)

    step(400000)
    assert parser.buffered + parser.free > 32768
    before = parser.buffered + parser.free
    for _ in range(2):
        step(100)
        parser.trim()
    assert 0 < parser.buffered + parser.free < before


def test_input_of_a_client_that_has_to_wait_is_kept_and_given_back():
    before = blocks.lent()
    parser = Parser()
    data = request(b"SET", b"k", b"v" * 1000)
    for _ in range(1000):
        parser.feed(data)
    assert parser.pending == 1000 * len(data)
    assert parser.held >= 1000 * len(data)
    assert len(drain(parser)) == 1000
    assert parser.held == 0
    parser.feed(data * 100 + data[:50])
    assert len(drain(parser)) == 100
    assert 0 < parser.held <= 32768
    del parser
    assert blocks.lent() == before


# Commands that are made before their turn


def state(parser: Parser) -> tuple[int, ...]:
    return (
        parser.consumed, parser.pending, parser.buffered, parser.free, parser.held,
        parser.argument_bytes,
    )  # fmt: skip


@given(
    st.lists(st.lists(arguments, min_size=1, max_size=5), max_size=40),
    st.lists(st.tuples(st.integers(1, 40000), st.integers(0, 20)), max_size=12),
)
def test_looking_ahead_changes_nothing(commands, steps):
    stream = b"".join(request(*command) for command in commands)
    looking, plain = Parser(), Parser()
    parsed = []
    start = 0
    for size, count in [*steps, (len(stream), len(commands))]:
        for parser in (looking, plain):
            parser.feed(stream[start : start + size])
        start += size
        for _ in range(count):
            looking.look_ahead()
            assert state(looking) == state(plain)
            command = looking.next()
            assert command == plain.next()
            assert state(looking) == state(plain)
            if command is None:
                break
            parsed.append(command)
    assert parsed + drain(looking) == commands


def test_how_far_it_looks():
    parser = Parser()
    assert parser.look_ahead() == 0
    parser.feed(request(b"PING") * 20 + b"PING\r\n" + request(b"PING"))
    assert parser.look_ahead() == 16
    assert parser.next() == [b"PING"]
    assert parser.look_ahead() == 15
    for _ in range(15):
        parser.next()
    assert parser.look_ahead() == 4
    for _ in range(4):
        parser.next()
    assert parser.look_ahead() == 0
    assert parser.next() == [b"PING"]
    assert parser.look_ahead() == 1
    assert drain(parser) == [[b"PING"]]
    assert parser.look_ahead() == 0


@pytest.mark.parametrize("argument", [b"*0\r\n", b"*-1\r\n", request(*[b"x"] * 32)])
def test_what_is_unusual_has_its_turn_first(argument):
    parser = Parser()
    parser.feed(request(b"GET", b"a") + argument + request(b"GET", b"b"))
    assert parser.look_ahead() == 1
    assert parser.next() == [b"GET", b"a"]
    assert parser.look_ahead() == 0
    assert drain(parser)[-1] == [b"GET", b"b"]


def test_an_error_ahead_has_its_turn():
    parser = Parser()
    parser.feed(request(b"PING") * 2 + b"*1\r\n$-1\r\n")
    assert parser.look_ahead() == 2
    assert parser.next() == parser.next() == [b"PING"]
    assert parser.look_ahead() == 0
    with pytest.raises(ProtocolError):
        parser.next()
    assert parser.look_ahead() == 0


def test_who_has_to_authenticate_is_looked_at_command_by_command():
    parser = Parser()
    parser.authenticated = False
    parser.feed(request(b"AUTH", b"secret") + request(b"PING"))
    assert parser.look_ahead() == 0
    assert parser.next() == [b"AUTH", b"secret"]
    parser.authenticated = True
    assert parser.look_ahead() == 1


def test_input_may_come_while_some_wait():
    parser = Parser()
    parser.feed(request(b"SET", b"a", b"1") * 5)
    parser.look_ahead()
    parser.next()
    parser.feed(request(b"SET", b"b", b"2" * 30000))
    assert drain(parser) == [[b"SET", b"a", b"1"]] * 4 + [[b"SET", b"b", b"2" * 30000]]
    assert parser.held == 0
