"""SETBIT, BITCOUNT, BITOP, BITFIELD and their kin."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carnelian.engine.engine import Engine
from support.local import LocalClient, Recorder
from support.wire import Word

BAD_OFFSET = "ERR bit offset is not an integer or out of range"
BAD_TYPE = (
    "ERR Invalid bitfield type. Use something like i16 u8. "
    "Note that u64 is not supported but i64 is."
)
NOT_AN_INTEGER = "ERR value is not an integer or out of range"


def test_setbit_and_getbit(client: LocalClient) -> None:
    assert client("SETBIT", "k", 7, 1) == 0
    assert client("SETBIT", "k", 7, 0) == 1
    assert client("SETBIT", "k", 16, 1) == 0
    assert client("GET", "k") == b"\0\0\x80"
    assert [client("GETBIT", "k", bit) for bit in (15, 16, 17, 10**9)] == [0, 1, 0, 0]
    assert client("GETBIT", "none", 0) == 0
    client("SET", "n", 1)
    assert client("SETBIT", "n", 6, 1) == 0
    assert client("GET", "n") == b"3"
    assert client("OBJECT", "ENCODING", "n") == b"raw"


def test_setbit_keeps_the_expiry(client: LocalClient) -> None:
    client("SET", "k", "v", "EX", 10)
    client("SETBIT", "k", 100, 1)
    assert client("TTL", "k") == 10


@pytest.mark.parametrize("offset", ["-1", "x", "1.0", 512 * 1024 * 1024 * 8, 2**63])
def test_offset_out_of_range(client: LocalClient, offset: Word) -> None:
    assert client.error("SETBIT", "k", offset, 1) == BAD_OFFSET
    assert client.error("GETBIT", "k", offset) == BAD_OFFSET
    assert client.error("BITFIELD", "k", "GET", "u8", offset) == BAD_OFFSET


def test_the_longest_string_is_that_of_the_configuration(client: LocalClient) -> None:
    client("CONFIG", "SET", "proto-max-bulk-len", 2 * 1024 * 1024)
    assert client.error("SETBIT", "k", 2 * 1024 * 1024 * 8, 1) == BAD_OFFSET
    assert client("SETBIT", "k", 2 * 1024 * 1024 * 8 - 1, 1) == 0
    assert client("STRLEN", "k") == 2 * 1024 * 1024


@pytest.mark.parametrize("bit", ["2", "-1", "x", "", "01"])
def test_a_bit_is_0_or_1(client: LocalClient, bit: str) -> None:
    assert client.error("SETBIT", "k", 0, bit) == "ERR bit is not an integer or out of range"
    assert client("EXISTS", "k") == 0


def test_bitcount(client: LocalClient) -> None:
    client("SET", "k", "foobar")
    assert client("BITCOUNT", "k") == 26
    assert client("BITCOUNT", "k", 0, 0) == 4
    assert client("BITCOUNT", "k", 1, 1, "byte") == 6
    assert client("BITCOUNT", "k", 5, 30, "BIT") == 17
    assert client("BITCOUNT", "k", -2, -3) == 0
    assert client("BITCOUNT", "k", 100, 200) == 0
    assert client("BITCOUNT", "none") == 0
    for words in ((0,), (0, 1, "hello"), (0, 1, "BIT", "BIT")):
        assert client.error("BITCOUNT", "k", *words) == "ERR syntax error"
    assert client.error("BITCOUNT", "k", "a", 1) == NOT_AN_INTEGER


def test_bad_ranges_are_errors_without_a_key_too(client: LocalClient) -> None:
    assert client.error("BITCOUNT", "none", 0, 1, "hello") == "ERR syntax error"
    assert client.error("BITCOUNT", "none", 0, "b") == NOT_AN_INTEGER
    assert client.error("BITPOS", "none", 0, 0, "b") == NOT_AN_INTEGER
    assert client.error("BITPOS", "none", 0, 0, 1, "hello") == "ERR syntax error"


def test_bitpos(client: LocalClient) -> None:
    client("SET", "k", b"\xff\xf0\x00")
    assert client("BITPOS", "k", 0) == 12
    assert client("BITPOS", "k", 1, 2) == -1
    assert client("BITPOS", "k", 0, 9, 11, "BIT") == -1
    assert client("BITPOS", "k", 0, 9, 12, "BIT") == 12
    client("SET", "ones", b"\xff\xff")
    assert client("BITPOS", "ones", 0) == 16
    assert client("BITPOS", "ones", 0, 1) == 16
    assert client("BITPOS", "ones", 0, 0, -1) == -1
    assert client("BITPOS", "ones", 0, 3) == -1
    assert client("BITPOS", "none", 0) == 0
    assert client("BITPOS", "none", 1) == -1
    client("SET", "empty", "")
    assert client("BITPOS", "empty", 0) == -1
    assert client.error("BITPOS", "k", 2) == "ERR The bit argument must be 1 or 0."


def test_bitop_of_newer_versions(client: LocalClient) -> None:
    client("SET", "x", b"\xf0\xff")
    client("SET", "y", b"\xaa")
    client("SET", "z", b"\xcc\x0f\x03")
    results = {
        "DIFF": b"\x10\xf0\x00",
        "DIFF1": b"\x0e\x00\x03",
        "ANDOR": b"\xe0\x0f\x00",
        "ONE": b"\x16\xf0\x03",
    }
    for name, result in results.items():
        assert client("BITOP", name, "out", "x", "y", "z") == 3
        assert client("GET", "out") == result
    assert client("BITOP", "one", "out", "y") == 1
    assert client("GET", "out") == b"\xaa"
    for name in ("DIFF", "diff1", "ANDOR"):
        assert client.error("BITOP", name, "out", "x") == (
            f"ERR BITOP {name.upper()} must be called with at least two source keys."
        )


def test_bitop_errors(client: LocalClient) -> None:
    client("SADD", "set", 1)
    assert client.error("BITOP", "NAND", "out", "x") == "ERR syntax error"
    assert client.error("BITOP", "NOT", "out", "x", "y") == (
        "ERR BITOP NOT must be called with a single source key."
    )
    assert client.error("BITOP", "OR", "out", "x", "set").startswith("WRONGTYPE")


def test_bitop_replaces_or_deletes_its_destination(client: LocalClient) -> None:
    client("SET", "out", "5", "EX", 100)
    assert client("BITOP", "NOT", "out", "out") == 1
    assert client("GET", "out") == b"\xca"
    assert client("TTL", "out") == -1
    assert client("OBJECT", "ENCODING", "out") == b"raw"
    assert client("BITOP", "AND", "out", "none") == 0
    assert client("EXISTS", "out") == 0


def expected_of(operation: str, sources: list[int]) -> int:
    """What an operation makes of numbers as bit strings."""
    first, *others = sources
    union = twice = result = 0
    for number in sources:
        twice |= union & number
        union |= number
    union_of_others = 0
    for number in others:
        union_of_others |= number
    if operation == "DIFF":
        result = first & ~union_of_others
    elif operation == "DIFF1":
        result = union_of_others & ~first
    elif operation == "ANDOR":
        result = first & union_of_others
    elif operation == "ONE":
        result = union & ~twice
    elif operation == "OR":
        result = union
    else:
        result = first
        for number in others:
            result = result & number if operation == "AND" else result ^ number
    return result


@settings(max_examples=60, deadline=None)
@given(
    operation=st.sampled_from(["AND", "OR", "XOR", "DIFF", "DIFF1", "ANDOR", "ONE"]),
    lengths=st.lists(
        st.sampled_from([0, 1, 7, 8, 9, 31, 4095, 4096, 4097, 9000]), min_size=2, max_size=4
    ),
    seed=st.integers(0, 2**32),
)
def test_bitop_of_long_strings(operation: str, lengths: list[int], seed: int) -> None:
    client = LocalClient(Engine())
    random_bytes = random.Random(seed).randbytes
    sources = [random_bytes(length) for length in lengths]
    total = max(lengths)
    for index, source in enumerate(sources):
        client("SET", f"s{index}", source)
    assert client("BITOP", operation, "out", *(f"s{i}" for i in range(len(sources)))) == total
    numbers = [int.from_bytes(source.ljust(total, b"\0"), "big") for source in sources]
    expected = expected_of(operation, numbers).to_bytes(total, "big")
    assert (client("GET", "out") or b"") == expected


@settings(max_examples=60, deadline=None)
@given(
    data=st.one_of(st.binary(max_size=300), st.integers(0, 300).map(lambda n: b"\xff" * n)),
    first=st.integers(-2500, 2500),
    last=st.integers(-2500, 2500),
)
def test_ranges_of_bits(data: bytes, first: int, last: int) -> None:
    client = LocalClient(Engine())
    client("SET", "k", data)
    bits = "".join(f"{byte:08b}" for byte in data)
    start, end = (max(0, n + len(bits)) if n < 0 else n for n in (first, last))
    part = bits[start : end + 1] if start <= end else ""
    if not (first < 0 and last < 0 and first > last):
        assert client("BITCOUNT", "k", first, last, "BIT") == part.count("1")
    for bit in "01":
        found = part.find(bit)
        assert client("BITPOS", "k", bit, first, last, "BIT") == (
            start + found if found >= 0 else -1
        )


def test_bitfield(client: LocalClient) -> None:
    assert client("BITFIELD", "k", "INCRBY", "i5", 100, 1, "GET", "u4", 0) == [1, 0]
    assert client("BITFIELD", "k", "SET", "u8", "#1", 255, "GET", "i8", 8) == [0, -1]
    assert client("BITFIELD", "k") == []
    assert client("BITFIELD", "none", "GET", "i64", 5) == [0]
    assert client("EXISTS", "none") == 0
    assert client("BITFIELD_RO", "k", "GET", "u8", 8) == [255]


def test_bitfield_overflow(client: LocalClient) -> None:
    client("BITFIELD", "k", "SET", "u2", 0, 3)
    words: list[Word] = ["INCRBY", "u2", 0, 1]
    assert client("BITFIELD", "k", "OVERFLOW", "SAT", *words) == [3]
    assert client("BITFIELD", "k", "OVERFLOW", "FAIL", *words, "GET", "u2", 0) == [None, 3]
    assert client("BITFIELD", "k", *words) == [0]
    assert client("BITFIELD", "k", "OVERFLOW", "SAT", "SET", "i8", 0, -1000) == [0]
    assert client("BITFIELD", "k", "GET", "i8", 0) == [-128]


def test_bitfield_errors(client: LocalClient) -> None:
    for encoding in ("u64", "i65", "x8", "u0", "", "i"):
        assert client.error("BITFIELD", "k", "GET", encoding, 0) == BAD_TYPE
    assert client.error("BITFIELD", "k", "GET", "u8") == "ERR syntax error"
    assert client.error("BITFIELD", "k", "OVERFLOW", "x") == ("ERR Invalid OVERFLOW type specified")
    assert client.error("BITFIELD", "k", "SET", "u8", 0, "x") == NOT_AN_INTEGER
    assert client.error("BITFIELD_RO", "k", "SET", "u8", 0, 1) == (
        "ERR BITFIELD_RO only supports the GET subcommand"
    )
    assert client("EXISTS", "k") == 0


def test_what_leaves_the_engine(client: LocalClient) -> None:
    recorder = Recorder(client.engine)
    client("SETBIT", "k", 3, 0)
    client("SETBIT", "k", 3, 0)
    client("SETBIT", "k", 3, 1)
    client("BITFIELD", "k", "GET", "u8", 8)
    client("BITFIELD", "k", "SET", "u8", 0, 16)
    client("BITOP", "OR", "out", "none")
    assert recorder.take() == [b"SETBIT k 3 0", b"SETBIT k 3 1"]
