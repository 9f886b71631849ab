"""Whole iterations with SCAN, which need not come in the same order, against redis-server."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from differential.pair import Pair
from support.local import LocalClient
from support.wire import WireClient

ODD = st.text("abk:[]*?\\^-", max_size=6).map(str.encode)
NAMES = st.one_of(
    ODD,
    st.integers(0, 999).map(lambda n: b"key:%d" % n),
)


def iterate(client: WireClient | LocalClient, options: list[bytes | int]) -> list[bytes]:
    """The keys that a whole iteration returns, in order of their names."""
    cursor, found = b"0", []
    while True:
        reply = client.call("SCAN", cursor, *options)
        assert isinstance(reply.value, list), reply
        cursor = reply.value[0].value
        found += [key.value for key in reply.value[1].value]
        if cursor == b"0":
            return sorted(found)


@settings(deadline=None)
@given(
    keys=st.sets(NAMES, max_size=60),
    pattern=st.one_of(
        st.none(), st.just(b"*"), st.text("abk:[]*?\\^-", max_size=5).map(str.encode)
    ),
    count=st.one_of(st.none(), st.sampled_from([1, 7, 1000])),
    type_name=st.sampled_from([None, b"string", b"STRING", b"hash", b"stream"]),
)
def test_whole_iterations(
    pair: Pair, keys: set[bytes], pattern: bytes | None, count: int | None, type_name: bytes | None
) -> None:
    pair.start(2)
    options: list[bytes | int] = []
    for name, value in ((b"MATCH", pattern), (b"COUNT", count), (b"TYPE", type_name)):
        if value is not None:
            options += [name, value]
    if keys:
        pair.check("MSET", *(word for key in keys for word in (key, b"v")))
    assert iterate(pair.ours, options) == iterate(pair.reference, options)
    if pattern is not None:
        pair.check("KEYS", pattern)


@pytest.mark.parametrize(
    "words",
    [
        ("x",),
        ("",),
        ("-1",),
        ("+7",),
        ("007",),
        (" 1",),
        ("18446744073709551615",),
        ("18446744073709551616",),
        ("0", "FOO"),
        ("0", "COUNT"),
        ("0", "COUNT", "0"),
        ("0", "COUNT", "-1"),
        ("0", "COUNT", "1.5"),
        ("0", "MATCH"),
        ("0", "TYPE"),
        ("0", "MATCH", "*", "FOO", "1"),
    ],
)
def test_cursors_and_options(pair: Pair, words: tuple[str, ...]) -> None:
    pair.start(2)
    pair.check("SCAN", *words)
