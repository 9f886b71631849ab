"""The bitmap commands against redis-server, on random sequences of them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from differential.generate import Words, commands
from differential.pair import Pair

KEYS = st.sampled_from([b"a", b"b", b"c", b"d"])
VALUES = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([b"12345", b"-7", b"\xff" * 50, b"\0" * 40 + b"\x10", b"\xff" * 130 + b"\xef"]),
    st.binary(min_size=60, max_size=300),
)
WIDTHS = st.sampled_from([b"%d" % n for n in (1, 2, 3, 7, 8, 9, 13, 16, 31, 32, 33, 62, 63, 64)])
ENCODINGS = st.one_of(
    st.tuples(st.sampled_from([b"i", b"u"]), WIDTHS).map(b"".join),
    st.sampled_from([b"u64", b"i65", b"i0", b"x8", b"", b"i", b"i8\0z", b"u-1", b"i 8"]),
)
OFFSETS = st.one_of(
    st.integers(0, 200).map(b"%d".__mod__),
    st.integers(0, 20).map(b"#%d".__mod__),
    st.sampled_from([b"-1", b"#-1", b"#", b"x", b"4294967296", b"9223372036854775807"]),
)
EDGES = [-(2**63), 2**63 - 1, -(2**31), 2**31, 127, 128, 255, 256, -128, -129, 2**62, -(2**62)]
NUMBERS = st.one_of(
    st.integers(-300, 300), st.sampled_from(EDGES), st.integers(-(2**63), 2**63 - 1)
).map(b"%d".__mod__)
RANGES = st.integers(-40, 40).map(b"%d".__mod__)
UNITS = st.sampled_from([(), (b"BIT",), (b"byte",)])

FIELDS = st.one_of(
    st.tuples(st.just(b"GET"), ENCODINGS, OFFSETS),
    st.tuples(st.sampled_from([b"SET", b"INCRBY"]), ENCODINGS, OFFSETS, NUMBERS),
    st.tuples(st.just(b"OVERFLOW"), st.sampled_from([b"WRAP", b"sat", b"FAIL", b"no"])),
)


def whole(*parts: st.SearchStrategy[Words] | st.SearchStrategy[bytes]) -> st.SearchStrategy[Words]:
    """A command of these words or runs of words."""
    return st.tuples(*parts).map(
        lambda found: sum((part if isinstance(part, tuple) else (part,) for part in found), ())
    )


COMMANDS = st.one_of(
    whole(st.just(b"SET"), KEYS, VALUES),
    whole(st.just(b"SETBIT"), KEYS, OFFSETS, st.sampled_from([b"0", b"1", b"2", b"01"])),
    whole(st.just(b"GETBIT"), KEYS, OFFSETS),
    whole(st.just(b"BITCOUNT"), KEYS),
    whole(st.just(b"BITCOUNT"), KEYS, RANGES, RANGES, UNITS),
    whole(st.just(b"BITPOS"), KEYS, st.sampled_from([b"0", b"1"])),
    whole(st.just(b"BITPOS"), KEYS, st.sampled_from([b"0", b"1"]), RANGES),
    whole(st.just(b"BITPOS"), KEYS, st.sampled_from([b"0", b"1"]), RANGES, RANGES, UNITS),
    whole(
        st.just(b"BITOP"),
        st.sampled_from([b"AND", b"or", b"XOR", b"NOT", b"nand"]),
        KEYS,
        st.lists(KEYS, min_size=1, max_size=4).map(tuple),
    ),
    whole(
        st.sampled_from([b"BITFIELD", b"BITFIELD", b"BITFIELD_RO"]),
        KEYS,
        st.lists(FIELDS, max_size=4).map(lambda found: sum(found, ())),
    ),
    commands(["DEL", "APPEND", "OBJECT ENCODING", "STRLEN"]),
)


@settings(max_examples=250, deadline=None)
@given(sequence=st.lists(COMMANDS, min_size=1, max_size=30))
def test_random_sequences(pair: Pair, sequence: list[Words]) -> None:
    pair.start(3)
    pair.run(sequence)
    pair.check_keys("GET")
