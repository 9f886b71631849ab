"""Pending output: chunks, accounting, moving, giving memory back."""

import sys

import pytest

from carnelian.resp import blocks
from carnelian.resp.output import OutputBuffer


def test_empty():
    out = OutputBuffer()
    assert out.total == len(out) == out.chunk_count == out.memory == 0
    assert out.take() == b""
    assert out.peek() == []
    out.consume(0)
    out.clear()


def test_small_pieces_share_a_block():
    lent = blocks.lent()
    out = OutputBuffer()
    for _ in range(100):
        out.put_bytes(b"abc")
    assert blocks.lent() == lent + 1
    assert out.total == 300
    assert out.memory == 16384
    assert out.chunk_count == 1
    assert out.peek() == [b"abc" * 100]
    out.consume(299)
    assert out.peek() == [b"c"]
    assert blocks.lent() == lent + 1
    out.consume(1)
    assert blocks.lent() == lent
    assert out.memory == 0


def test_blocks_follow_each_other():
    lent = blocks.lent()
    out = OutputBuffer()
    data = bytes(range(250)) * 400
    for start in range(0, len(data), 1000):
        out.put_bytes(data[start : start + 1000])
    assert out.total == len(data)
    assert out.chunk_count == blocks.lent() - lent == 7
    assert out.memory >= 7 * 16384
    assert b"".join(out.peek()) == data
    assert len(out.peek(3)) == 3
    out.consume(40000)
    assert b"".join(out.peek()) == data[40000:]
    assert blocks.lent() == lent + 5
    assert out.take() == data[40000:]
    assert blocks.lent() == lent


def test_large_values_are_kept_by_reference():
    value = b"v" * 16384
    references = sys.getrefcount(value)
    out = OutputBuffer()
    out.put_bytes(value)
    out.put_bytes(b"a")
    out.put_bytes(value)
    out.put_bytes(b"b")
    assert sys.getrefcount(value) == references + 2
    assert out.chunk_count == 4
    assert 3 * 16384 <= out.memory < 4 * 16384
    out.consume(16384)
    assert sys.getrefcount(value) == references + 1
    out.consume(2)
    assert out.peek() == [value[1:], b"b"]
    out.clear()
    assert sys.getrefcount(value) == references
    assert out.total == out.memory == 0


def test_pieces_between_references_share_a_block():
    lent = blocks.lent()
    out = OutputBuffer()
    value = b"v" * 20000
    for _ in range(100):
        out.put_bytes(b"$20000\r\n")
        out.put_bytes(value)
        out.put_bytes(b"\r\n")
    assert blocks.lent() == lent + 1
    expected = (b"$20000\r\n" + value + b"\r\n") * 100
    assert out.total == len(expected)
    sent = b""
    while out.total:
        part = b"".join(out.peek(5))[:33333]
        sent += part
        out.consume(len(part))
    assert sent == expected
    assert blocks.lent() == lent


def test_consuming_too_much():
    out = OutputBuffer()
    out.put_bytes(b"abc")
    for size in (4, -1):
        with pytest.raises(ValueError, match="consumed more than there is"):
            out.consume(size)
    assert out.take() == b"abc"


SMALL = [b"a"]
MIDDLE = [b"m" * 9000] * 3
LARGE = [b"1", b"l" * 20000, b"2"]
ENDS_LARGE = [b"1", b"l" * 20000]


@pytest.mark.parametrize("here", [[], SMALL, MIDDLE, LARGE, ENDS_LARGE])
@pytest.mark.parametrize("there", [[], SMALL, MIDDLE, LARGE, ENDS_LARGE])
def test_absorb(here, there):
    lent = blocks.lent()
    out, other = OutputBuffer(), OutputBuffer()
    for piece in here:
        out.put_bytes(piece)
    for piece in there:
        other.put_bytes(piece)
    memory = out.memory + other.memory
    out.absorb(other)
    assert other.total == other.memory == other.chunk_count == 0
    assert out.memory <= memory + 1024
    out.put_bytes(b"end")
    other.put_bytes(b"other")
    assert out.total == sum(map(len, here + there)) + 3
    assert b"".join(out.peek()) == b"".join(here + there) + b"end"
    out.consume(out.total)
    assert other.take() == b"other"
    assert out.memory == 0
    assert blocks.lent() == lent


def test_absorbing_again_and_again():
    lent = blocks.lent()
    out = OutputBuffer()
    expected = b""
    for turn in range(60):
        other = OutputBuffer()
        for piece in (MIDDLE, LARGE, SMALL)[turn % 3]:
            other.put_bytes(piece)
            expected += piece
        out.absorb(other)
        out.consume(5000)
        expected = expected[5000:]
    assert out.take() == expected
    assert blocks.lent() == lent


def test_a_dropped_buffer_gives_everything_back():
    lent = blocks.lent()
    value = b"v" * 50000
    references = sys.getrefcount(value)
    out = OutputBuffer()
    out.put_bytes(b"x" * 100)
    out.put_bytes(value)
    out.put_bytes(b"x" * 100)
    del out
    assert blocks.lent() == lent
    assert sys.getrefcount(value) == references


def test_blocks_are_kept_for_reuse_up_to_a_bound():
    buffers = [OutputBuffer() for _ in range(500)]
    for out in buffers:
        out.put_bytes(b"x")
    assert blocks.allocated() >= 500 * 16384
    for out in buffers:
        out.clear()
    lent = blocks.lent()
    assert blocks.allocated() <= (lent + 64) * 16384 or lent > 0
