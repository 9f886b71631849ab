"""LZF streams: round trips, damage, and the same bytes as redis-server's."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carnelian.datatypes.algorithms import lzf
from conftest import ReferenceServer, StartRedis

repetitive = st.builds(
    lambda parts, picks: b"".join(parts[pick % len(parts)] for pick in picks),
    st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=4),
    st.lists(st.integers(0, 3), max_size=200),
)


@given(repetitive | st.binary(max_size=300))
def test_round_trip(data: bytes) -> None:
    stream = lzf.compress(data, len(data) * 33 // 32 + 10)
    if data:
        assert stream is not None
        assert lzf.decompress(stream, len(data)) == data
    else:
        assert stream is None


def test_a_long_run_takes_few_bytes() -> None:
    stream = lzf.compress(b"a" * 10000, 10000)
    assert stream is not None and len(stream) < 130
    assert lzf.decompress(stream, 10000) == b"a" * 10000


def test_what_does_not_fit_is_refused() -> None:
    noise = random.Random(1).randbytes(1000)
    assert lzf.compress(noise, 996) is None
    stream = lzf.compress(b"abc" * 100, 300)
    assert stream is not None
    assert lzf.compress(b"abc" * 100, len(stream) - 1) is None


def test_old_input_is_not_taken_for_new() -> None:
    first = b"0123456789abcdef" * 4
    stream = lzf.compress(first, 100)
    for _ in range(3):
        lzf.compress(b"x" + first[::-1], 100)
        assert lzf.compress(first, 100) == stream


@given(repetitive, st.data())
def test_damaged_streams_are_read_safely(data: bytes, draw: st.DataObject) -> None:
    stream = bytearray(lzf.compress(data, len(data) + 20) or b"\0")
    for _ in range(draw.draw(st.integers(1, 4))):
        stream[draw.draw(st.integers(0, len(stream) - 1))] = draw.draw(st.integers(0, 255))
    try:
        plain = lzf.decompress(bytes(stream), len(data))
    except ValueError:
        return
    assert len(plain) == len(data)


@pytest.mark.parametrize("stream", [b"\x05ab", b"\x20", b"\xe0\x01", b"\x00a\x20\x05"])
def test_streams_that_end_or_reach_too_far(stream: bytes) -> None:
    with pytest.raises(ValueError, match="damaged"):
        lzf.decompress(stream, 20)


@pytest.fixture(scope="module")
def redis(start_redis: StartRedis) -> ReferenceServer:
    return start_redis("--save", "", "--rdbcompression", "yes")


@settings(max_examples=400, deadline=None)
@given(data=repetitive.filter(lambda data: len(data) > 20))
def test_redis_has_the_same_streams(redis: ReferenceServer, data: bytes) -> None:
    redis.call("SET", "k", data)
    payload = redis.call("DUMP", "k")
    assert isinstance(payload, bytes)
    stream = lzf.compress(data, len(data) - 4)
    if stream is None:
        assert payload[1] != 0xC3
    else:
        assert payload[1] == 0xC3
        assert stream in payload
