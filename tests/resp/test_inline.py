"""Words of a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.resp.inline import split_arguments


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", []),
        (b"   ", []),
        (b"a", [b"a"]),
        (b" \t a \r\n b\x0bc \x0c\x0b d", [b"a", b"b\x0bc", b"d"]),
        (b'""', [b""]),
        (b"'' \"\"", [b"", b""]),
        (b'"a b"', [b"a b"]),
        (b'foo"bar baz"', [b"foobar baz"]),
        (b"foo'bar baz' x", [b"foobar baz", b"x"]),
        (b'"\\x41\\xfF\\x0"', [b"A\xffx0"]),
        (b'"\\n\\r\\t\\b\\a\\\\\\"\\q"', [b'\n\r\t\b\a\\"q']),
        (b"'\\n\\'x\"'", [b"\\n'x\""]),
        (b"a\\nb", [b"a\\nb"]),
        (b'"a"\x0b"b"', [b"a", b"b"]),
        (b"'a\nb'", [b"a\nb"]),
        (b"a b\x00c d", [b"a", b"b"]),
        (b"\x80\xff", [b"\x80\xff"]),
    ],
)
def test_words(line, words):
    assert split_arguments(line) == words


@pytest.mark.parametrize(
    "line",
    [b'"', b"'", b'"a', b"'a", b'"a"b', b"'a'b", b'"a\\"', b"'a\\'", b'"a\\', b"\"a\"'b'", b'a""b'],
)
def test_unbalanced(line):
    with pytest.raises(ValueError, match="unbalanced quotes"):
        split_arguments(line)


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_quoted_words_come_back(words):
    line = b" ".join(b'"%b"' % b"".join(b"\\x%02x" % byte for byte in word) for word in words)
    assert split_arguments(line) == words
