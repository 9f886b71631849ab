"""The same bytes to redis-server and to this package."""

import random
import socket

import pytest

from carnelian.resp.numbers import add_floats, parse_float, parse_int
from carnelian.resp.parser import Parser, ProtocolError
from carnelian.resp.replies import Attribute, BigNumber, Error, FlatMap, FlatSet, Push, Verbatim
from carnelian.resp.writer import encode
from support.malformed_requests import mutant, soup


def exchange(server, data: bytes) -> bytes:
    """Everything the server answers to ``data`` and the end of input."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        answer = b""
        try:
            while part := connection.recv(65536):
                answer += part
        except ConnectionResetError:
            pass
        return answer


def error_of(data: bytes, authenticated: bool = True) -> bytes:
    """The protocol error as a reply, empty if there is none."""
    parser = Parser()
    parser.authenticated = authenticated
    parser.feed(data)
    try:
        while parser.next() is not None:
            pass
    except ProtocolError as error:
        return encode(error)
    return b""


def server_error(answer: bytes) -> bytes:
    start = answer.find(b"-ERR Protocol error")
    return answer[start:] if start >= 0 else b""


FIXED = [
    b"*1\r\nfoo\r\n", b"*1\r\n\r\n", b"*1\r\n\n\r\n", b"*\r\n", b"*01\r\n", b"*-0\r\n",
    b"* 1\r\n", b"*2147483647\r\n", b"*2147483648\r\n", b"*9223372036854775807\r\n",
    b"*-10\r\nPING\r\n", b"*-9223372036854775809\r\n", b"*1\r\n$\r\n", b"*1\r\n$-1\r\n",
    b"*1\r\n$536870913\r\n", b"*1\r\n$04\r\nPING\r\n", b"*1\rX$4\rXPINGXX", b"*1\n$4\nPING\r\n",
    b"*\x001\r\n", b"*1\x00\r\n", b"*1\r\n\x00$4\r\n", b"*1\r\n$4\x00\r\nPING\r\n",
    b'get "a"b\r\n', b"get 'a\r\n", b'get "\\x4\r\n', b'get "\\', b'get "\\\r\n', b"\x00\r\n",
    b"\r\n\r\nPING\r\n", b"ping\n", b"  \t\x0b\x0c ping\r\n", b"*1\r\n:4\r\n", b"*1\r\n\xff\r\n",
    b"\xff\r\n", b"*" + b"1" * 65535 + b"\r\n", b"*" + b"1" * 65536, b"*1\r\n$" + b"1" * 65536,
    b"*1\r\nx" + b"1" * 65536, b"a" * 65537, b"a" * 65535 + b"\r\n",
]  # fmt: skip


def test_protocol_errors(redis_server):
    for data in FIXED:
        assert error_of(data) == server_error(exchange(redis_server, data)), data[:80]


def test_protocol_errors_of_malformed_input(redis_server):
    chance = random.Random(5)
    for _ in range(600):
        data = chance.choice([soup, mutant])(chance)
        assert error_of(data) == server_error(exchange(redis_server, data)), data


def test_limits_before_authentication(start_redis):
    server = start_redis("--save", "", "--requirepass", "secret")
    for data in (
        b"*10\r\n", b"*11\r\n", b"*1\r\n$16384\r\n", b"*1\r\n$16385\r\n", b"*1\r\n$536870913\r\n",
        b"*2147483648\r\n", b"*1\r\nx\r\n", b"*11\r\n$3\r\n",
    ):  # fmt: skip
        assert error_of(data, authenticated=False) == server_error(exchange(server, data)), data


WORDS = [
    b"", b"a", b"''", b'""', b'"a b"', b"'a b'", b'a"b c"', b"a'b'", b'"\\x41\\n\\q\\"\\\\"',
    b"'\\n\\''", b"\x0b", b"a\x0bb", b"\x0c", b"\\n", b"'\"'", b'"\'"', b"\xc3\xa9", b'"\\x4"',
]  # fmt: skip


def test_inline_words(redis_server):
    for first in WORDS:
        for second in WORDS:
            data = b"rpush words " + first + b" " + second + b"\r\nlrange words 0 -1\r\n"
            parser = Parser()
            parser.feed(data)
            words = parser.next()[2:]
            pushed = (
                encode(len(words))
                if words
                else encode(Error("ERR wrong number of arguments for 'rpush' command"))
            )
            answer = exchange(redis_server, data + b"del words\r\n")
            assert answer == pushed + encode(words) + encode(1 if words else 0), data


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("string", b"Hello World"),
        ("integer", 12345),
        ("double", 3.141),
        ("bignum", BigNumber(1234567999999999999999999999999999999)),
        ("null", None),
        ("array", [0, 1, 2]),
        ("set", FlatSet([0, 1, 2])),
        ("map", FlatMap([0, False, 1, True, 2, False])),
        (
            "attrib",
            Attribute(
                {b"key-popularity": [b"key:123", 90]},
                b"Some real reply following the attribute",
            ),
        ),
        ("push", Push([b"server-cpu-usage", 42])),
        ("verbatim", Verbatim(b"This is a verbatim\nstring")),
        ("true", True),
        ("false", False),
    ],
)
@pytest.mark.parametrize("protocol", [2, 3])
def test_replies_of_every_type(start_redis, name, value, protocol):
    server = start_redis("--save", "", "--enable-debug-command", "yes")
    hello = exchange(server, b"HELLO %d\r\n" % protocol)
    answer = exchange(server, b"HELLO %d\r\nDEBUG PROTOCOL %b\r\n" % (protocol, name.encode()))
    expected = encode(value, protocol)
    if name == "push":
        if protocol == 2:
            return
        expected += encode(b"Some real reply following the push reply", protocol)
    if (name, protocol) in {("double", 2), ("double", 3)}:
        # 7.0 writes 17 digits, 7.2 the fewest that are enough.
        answer = answer.replace(b"$18\r\n3.1410000000000000", b"$5\r\n3.141")
        answer = answer.replace(b"3.1410000000000000", b"3.141")
    assert answer[-len(expected) - 2 :].endswith(expected)
    assert len(answer) - len(hello) - len(expected) in (0, 1, -1)


INTEGERS = [
    b"0", b"-1", b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808", b"", b"-",
    b"+1", b"-0", b"00", b"01", b" 1", b"1 ", b"1.0", b"1e2", b"0x1", b"18446744073709551616",
    b"-99999999999999999999", b"1\x00", b"1\n",
]  # fmt: skip


def test_integers(redis_server):
    for text in INTEGERS:
        redis_server.call("SET", "number", text)
        answer = redis_server.call("INCRBY", "number", "0")
        try:
            assert parse_int(text) == answer
        except Error as error:
            assert str(error) == f"ERR {answer}" or str(error) == str(answer)


FLOATS = [
    b"0", b"-0", b"1", b"+1", b"1.", b".5", b"-.5", b"3.0e3", b"1E-2", b"0x10", b"0x1p-2", b"inf",
    b"-inf", b"+inf", b"infinity", b"nan", b"-nan", b"", b".", b"-", b"e1", b"1e", b" 1", b"1 ",
    b"1\n", b"1\x00", b"1e400", b"-1e400", b"1e-400", b"1e-320", b"1,5", b"1.2.3", b"1_0", b"0x",
    b"17179869184", b"0.1", b"0.2", b"1.1", b"123456789012345678", b"9007199254740993",
    b"3.0000000000000000001", b"1e22", b"1e300", b"5e-324", b"1.7976931348623157e308", b"-1.5",
    b"0." + b"3" * 40, b"1" * 40,
]  # fmt: skip


def test_floats(redis_server):
    for text in FLOATS:
        answer = redis_server.call("ZADD", "scores", text, "member")
        try:
            value = parse_float(text)
        except Error as error:
            assert str(answer) == "value is not a valid float" and "valid float" in str(error), text
        else:
            assert answer in (0, 1), text
            assert float(redis_server.call("ZSCORE", "scores", "member")) == value


def test_adding_floats(redis_server):
    for current in FLOATS:
        for increment in FLOATS:
            redis_server.call("SET", "number", current)
            answer = redis_server.call("INCRBYFLOAT", "number", increment)
            try:
                assert add_floats(current, increment) == answer, (current, increment)
            except Error as error:
                assert str(error) == f"ERR {answer}", (current, increment)
