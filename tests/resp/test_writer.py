"""Replies: exact bytes of every type in RESP2 and RESP3."""

import enum
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.resp import blocks
from carnelian.resp.output import OutputBuffer
from carnelian.resp.replies import (
    NO_REPLY,
    NULL_ARRAY,
    OK,
    PONG,
    QUEUED,
    Attribute,
    BigNumber,
    Error,
    FlatMap,
    FlatSet,
    Lazy,
    Push,
    Several,
    Status,
    SyntaxError_,
    Verbatim,
    WrongType,
)
from carnelian.resp.writer import encode, write


class Colour(enum.IntEnum):
    RED = 7


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "resp2", "resp3"),
    [
        (OK, b"+OK\r\n", None),
        (QUEUED, b"+QUEUED\r\n", None),
        (PONG, b"+PONG\r\n", None),
        (Status(b"a\r\nb\r\n"), b"+a  b\r\n", None),
        (b"", b"$0\r\n\r\n", None),
        (b"\x00\r\n", b"$3\r\n\x00\r\n\r\n", None),
        (b"x" * 1000, b"$1000\r\n" + b"x" * 1000 + b"\r\n", None),
        ("é", b"$2\r\n\xc3\xa9\r\n", None),
        (Text("a"), b"$1\r\na\r\n", None),
        (bytearray(b"abc"), b"$3\r\nabc\r\n", None),
        (memoryview(b"abc"), b"$3\r\nabc\r\n", None),
        (0, b":0\r\n", None),
        (-1, b":-1\r\n", None),
        (10, b":10\r\n", None),
        (Colour.RED, b":7\r\n", None),
        (2**63 - 1, b":9223372036854775807\r\n", None),
        (-(2**63), b":-9223372036854775808\r\n", None),
        (2**63, b"$19\r\n9223372036854775808\r\n", b"(9223372036854775808\r\n"),
        (-(10**30), b"$32\r\n-1" + b"0" * 30 + b"\r\n", b"(-1" + b"0" * 30 + b"\r\n"),
        (BigNumber(12), b"$2\r\n12\r\n", b"(12\r\n"),
        (None, b"$-1\r\n", b"_\r\n"),
        (NULL_ARRAY, b"*-1\r\n", b"_\r\n"),
        (NO_REPLY, b"", b""),
        (True, b":1\r\n", b"#t\r\n"),
        (False, b":0\r\n", b"#f\r\n"),
        (3.0, b"$1\r\n3\r\n", b",3\r\n"),
        (3.141, b"$5\r\n3.141\r\n", b",3.141\r\n"),
        (-0.5, b"$4\r\n-0.5\r\n", b",-0.5\r\n"),
        (math.inf, b"$3\r\ninf\r\n", b",inf\r\n"),
        (-math.inf, b"$4\r\n-inf\r\n", b",-inf\r\n"),
        (math.nan, b"$3\r\nnan\r\n", b",nan\r\n"),
        ([], b"*0\r\n", None),
        ([b"a", 1, None], b"*3\r\n$1\r\na\r\n:1\r\n$-1\r\n", b"*3\r\n$1\r\na\r\n:1\r\n_\r\n"),
        ((b"a", (1,)), b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", None),
        ({b"a": 1}, b"*2\r\n$1\r\na\r\n:1\r\n", b"%1\r\n$1\r\na\r\n:1\r\n"),
        (FlatMap([b"a", 1, b"a", 2]), b"*4\r\n$1\r\na\r\n:1\r\n$1\r\na\r\n:2\r\n",
         b"%2\r\n$1\r\na\r\n:1\r\n$1\r\na\r\n:2\r\n"),
        ({b"a"}, b"*1\r\n$1\r\na\r\n", b"~1\r\n$1\r\na\r\n"),
        (frozenset([1]), b"*1\r\n:1\r\n", b"~1\r\n:1\r\n"),
        (FlatSet([2, 1]), b"*2\r\n:2\r\n:1\r\n", b"~2\r\n:2\r\n:1\r\n"),
        (Push([b"message", b"c", b"m"]), b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n",
         b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nm\r\n"),
        (Several([Push([1]), Push([2])]), b"*1\r\n:1\r\n*1\r\n:2\r\n",
         b">1\r\n:1\r\n>1\r\n:2\r\n"),
        (Several([]), b"", b""),
        (Verbatim(b"hi"), b"$2\r\nhi\r\n", b"=6\r\ntxt:hi\r\n"),
        (Verbatim(b"# hi", b"mkd"), b"$4\r\n# hi\r\n", b"=8\r\nmkd:# hi\r\n"),
        (Attribute({b"k": [b"key:123", 90]}, b"v"), b"$1\r\nv\r\n",
         b"|1\r\n$1\r\nk\r\n*2\r\n$7\r\nkey:123\r\n:90\r\n$1\r\nv\r\n"),
        (Error("ERR no"), b"-ERR no\r\n", None),
        (Error(b"ERR a\r\nb\nc\r\n"), b"-ERR a  b c\r\n", None),
        (SyntaxError_(), b"-ERR syntax error\r\n", None),
        (WrongType(),
         b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", None),
        ([OK, Error("ERR x"), [True]], b"*3\r\n+OK\r\n-ERR x\r\n*1\r\n:1\r\n",
         b"*3\r\n+OK\r\n-ERR x\r\n*1\r\n#t\r\n"),
    ],
)  # fmt: skip
def test_wire_bytes(value, resp2, resp3):
    assert encode(value, 2) == resp2
    assert encode(value, 3) == (resp2 if resp3 is None else resp3)


def test_resp2_is_the_default():
    assert encode(None) == b"$-1\r\n"


@pytest.mark.parametrize("size", [0, 1, 16350, 16384, 16385, 40000, 1 << 20])
@pytest.mark.parametrize("kind", [bytes, bytearray, lambda text: text.decode()])
def test_bulk_strings_of_any_size(size, kind):
    text = b"x" * size
    out = OutputBuffer()
    for _ in range(3):
        write(out, kind(text), 2)
    assert out.take() == b"$%d\r\n%b\r\n" % (size, text) * 3


@pytest.mark.parametrize("size", [100, 16000, 16381, 16382, 50000])
def test_lines_of_any_size(size):
    text = b"x" * size
    out = OutputBuffer()
    for _ in range(3):
        write(out, Status(text), 2)
        write(out, Error(text), 2)
    assert out.take() == (b"+" + text + b"\r\n-" + text + b"\r\n") * 3


def test_large_values_are_not_copied():
    value = b"x" * (1 << 20)
    out = OutputBuffer()
    write(out, [value, b"small", value], 3)
    assert out.memory < 3 << 20
    assert out.total == 2 * len(value) + len(
        b"*3\r\n$1048576\r\n\r\n$5\r\nsmall\r\n$1048576\r\n\r\n"
    )
    assert out.chunk_count == 5
    assert out.take().count(b"x") == 2 * len(value)


def test_verbatim_of_a_large_text():
    text = b"line\n" * 10000
    assert encode(Verbatim(text), 3) == b"=50004\r\ntxt:" + text + b"\r\n"


def test_deep_nesting_up_to_a_limit():
    value: list = []
    for _ in range(400):
        value = [value]
    assert encode(value) == b"*1\r\n" * 400 + b"*0\r\n"
    for _ in range(200):
        value = [value]
    with pytest.raises(ValueError, match="nested too deeply"):
        encode(value)


@pytest.mark.parametrize("before", [0, 1, 16380, 50000])
def test_nothing_is_left_of_a_reply_that_fails(before):
    lent = blocks.lent()
    out = OutputBuffer()
    for size in [before] * 3:
        write(out, b"x" * size, 2)
    kept = out.total
    for value in (
        object(),
        [b"a", object()],
        [b"a" * 20000, object()],
        [b"a" * 1000] * 40 + [object()],
        [b"a" * 20000, b"a" * 1000] * 40 + [object()],
        {b"a": {b"b": object()}},
        "\ud800",
        Verbatim(b"x", b"text"),
    ):
        with pytest.raises((TypeError, ValueError)):
            write(out, value, 3)
        assert out.total == kept
        write(out, 1, 2)
        kept += 4
    expected = b"$%d\r\n%b\r\n" % (before, b"x" * before) * 3 + b":1\r\n" * 8
    assert out.take() == expected
    assert blocks.lent() == lent


# Round trips through a reader of the protocol written for this test.


def read(data: bytes, at: int = 0) -> tuple[object, int]:
    end = data.index(b"\r\n", at)
    kind, line = data[at : at + 1], data[at + 1 : end]
    at = end + 2
    if kind == b"+":
        return line.decode(), at
    if kind == b":":
        return int(line), at
    if kind == b",":
        return float(line), at
    if kind == b"_":
        return None, at
    if kind == b"#":
        return line == b"t", at
    if kind == b"(":
        return int(line), at
    if kind == b"$":
        size = int(line)
        if size < 0:
            return None, at
        assert data[at + size : at + size + 2] == b"\r\n"
        return data[at : at + size], at + size + 2
    items = []
    for _ in range(int(line) * (2 if kind == b"%" else 1)):
        item, at = read(data, at)
        items.append(item)
    if kind == b"%":
        return dict(zip(items[::2], items[1::2], strict=True)), at
    return (set(items) if kind == b"~" else items), at


scalars = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([b"big" * 6000]),
    st.integers(),
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.dictionaries(st.binary(max_size=8), inner, max_size=5),
        st.sets(st.binary(max_size=8), max_size=5),
    ),
    max_leaves=30,
)


@given(values)
def test_resp3_round_trip(value):
    data = encode(value, 3)
    decoded, end = read(data)
    assert end == len(data)
    assert decoded == value


@given(st.lists(values, max_size=8), st.lists(st.integers(0, 50000), max_size=8))
def test_output_survives_any_sends(replies, sizes):
    lent = blocks.lent()
    out = OutputBuffer()
    expected = b"".join(encode(reply, 2) for reply in replies)
    sent = b""
    for reply, size in zip(replies, sizes + [0] * len(replies), strict=False):
        write(out, reply, 2)
        size = min(size, out.total)
        sent += b"".join(out.peek())[:size]
        out.consume(min(size, len(b"".join(out.peek()))))
    while out.total:
        part = b"".join(out.peek(2))[:20000]
        sent += part
        out.consume(len(part))
    assert sent == expected
    assert out.memory == out.chunk_count == 0
    assert blocks.lent() == lent


# Part by part


@pytest.mark.parametrize("kind", [list, FlatMap, FlatSet])
@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("counted", [False, True])
def test_a_lazy_reply_is_written_like_a_whole_one(kind: type, protocol: int, counted: bool):
    members = [b"x" * size for size in (*range(100), 20_000, 5, 16_384, *range(600, 700))]
    parts = [members[at : at + 7] for at in range(0, len(members), 7)]
    count = len(members) if counted else None
    out = OutputBuffer()
    write(out, b"before", protocol)
    write(out, Lazy(iter(parts), count, kind), protocol)
    write(out, b"after", protocol)
    whole = encode(b"before", protocol) + encode(kind(members), protocol)
    assert out.take() == whole + encode(b"after", protocol)


def test_an_empty_lazy_reply():
    assert encode(Lazy(iter([]))) == encode(Lazy(iter([[]]), 0)) == b"*0\r\n"


def test_a_lazy_reply_of_another_length_than_announced_is_none():
    out = OutputBuffer()
    write(out, 1, 2)
    with pytest.raises(ValueError, match="3 members were announced, 2 came"):
        write(out, Lazy(iter([[b"a"], [b"b"]]), 3), 2)
    with pytest.raises(TypeError):
        write(out, Lazy(iter([[b"a"], [object()]])), 2)
    assert out.take() == b":1\r\n"
    assert out.memory == 0
