"""The object connection gives the very values that redis-py reads from a wire."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import exceptions
from redis.connection import AbstractConnection

from carnelian.embedded.redis_py.shapes import Shaper
from carnelian.resp import replies
from carnelian.resp.writer import encode

texts = st.text(alphabet=st.characters(codec="utf-8"), max_size=8).map(str.encode)
leaves = st.one_of(
    texts,
    st.integers(-(2**63), 2**63 - 1),
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False),
    texts.map(lambda text: replies.Status(text.replace(b"\r", b"").replace(b"\n", b""))),
    texts.map(replies.Verbatim),
    st.integers(2**63, 2**90).map(replies.BigNumber),
    st.just(replies.NULL_ARRAY),
    st.sampled_from(["ERR no", "WRONGTYPE bad", "MOVED 1 127.0.0.1:1", "nothing"]).map(
        replies.Error
    ),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(replies.FlatSet),
        st.dictionaries(texts, inner, max_size=3),
        st.lists(st.tuples(texts, inner), max_size=3).map(
            lambda pairs: replies.FlatMap([part for pair in pairs for part in pair])
        ),
    ),
    max_leaves=12,
)


class Wire(AbstractConnection):
    """A connection whose other end is in the test's hands."""

    host: Any = None
    port = None

    def __init__(self, **options):
        self.near, self.far = socket.socketpair()
        super().__init__(**options)
        self._sock: Any = self.near
        self._parser.on_connect(self)

    def _connect(self):
        raise AssertionError("connected already")

    def _host_error(self):
        return "test"

    def repr_pieces(self):
        return []

    def read(self, value, protocol):
        self.far.sendall(encode(value, protocol))
        return self._parser.read_response()


def comparable(value):
    if isinstance(value, list):
        return [comparable(part) for part in value]
    if isinstance(value, dict):
        return [(comparable(key), comparable(part)) for key, part in value.items()]
    if isinstance(value, Exception):
        return type(value), value.args
    return type(value), value


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("decode", [False, True])
def test_shapes_are_those_of_redis_py(protocol, decode):
    wire = Wire(protocol=protocol, decode_responses=decode)
    encoding = "utf-8" if decode else None
    shaper = Shaper(protocol, encoding, "strict", wire._parser.parse_error)

    @given(values)
    @settings(max_examples=300, deadline=None)
    def check(value):
        assert comparable(shaper.shape(value)) == comparable(wire.read(value, protocol))

    check()
    wire.disconnect()
    wire.far.close()


def test_attributes_are_left_out():
    value = replies.Attribute({b"a": 1}, b"x")
    assert Shaper(3, None, "", None).shape(value) == b"x"


def test_undecodable_text():
    with pytest.raises(UnicodeDecodeError):
        Shaper(3, "utf-8", "strict", None).shape(b"\xff")
    assert Shaper(3, "utf-8", "replace", None).shape(b"\xff") == "�"
    assert Shaper(3, "latin-1", "strict", None).shape(b"\xff") == "ÿ"


def test_plain_bytes_only():
    for value in (replies.OK, replies.PONG, replies.Status(b"x")):
        assert type(Shaper(3, None, "", None).shape(value)) is bytes


def test_errors_are_those_of_redis_py():
    shaper = Shaper(3, None, "", _parse)
    assert type(shaper.shape(replies.Error("NOSCRIPT x"))) is exceptions.NoScriptError


def _parse(text):
    from redis._parsers import _RESP3Parser

    return _RESP3Parser.parse_error(text)
