"""PFADD, PFCOUNT, PFMERGE and the commands to look into them."""

import pytest

from support.local import LocalClient, Recorder

EMPTY = b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\x80\x7f\xff"
NOT_VALID = "WRONGTYPE Key is not a valid HyperLogLog string value."
CORRUPT = "INVALIDOBJ Corrupted HLL object detected"


def add(client: LocalClient, key: str, first: int, last: int) -> None:
    """Add so many elements, a hundred at a time."""
    for start in range(first, last, 100):
        client("PFADD", key, *(f"element:{i}" for i in range(start, min(start + 100, last))))


def test_pfadd_tells_whether_anything_changed(client: LocalClient) -> None:
    assert client("PFADD", "k") == 1
    assert client("GET", "k") == EMPTY
    assert client("PFADD", "k") == 0
    assert client("PFADD", "k", "a", "b", "c") == 1
    assert client("PFADD", "k", "a", "c") == 0
    assert client("PFCOUNT", "k") == 3


def test_the_count_is_kept_until_something_changes(client: LocalClient) -> None:
    client("PFADD", "k", "a", "b")
    assert client("GETRANGE", "k", 15, 15) == b"\x80"
    assert client("PFCOUNT", "k") == 2
    assert client("GETRANGE", "k", 8, 15) == b"\x02\0\0\0\0\0\0\0"
    client("SETRANGE", "k", 8, "\x07")
    assert client("PFCOUNT", "k") == 7
    client("PFADD", "k", "c")
    assert client("PFCOUNT", "k") == 3


def test_a_sparse_one_becomes_dense(client: LocalClient) -> None:
    client("CONFIG", "SET", "hll-sparse-max-bytes", 200)
    add(client, "k", 0, 50)
    assert client("PFDEBUG", "ENCODING", "k") == b"sparse"
    add(client, "k", 50, 400)
    assert client("PFDEBUG", "ENCODING", "k") == b"dense"
    assert client("STRLEN", "k") == 12304
    assert abs(client("PFCOUNT", "k") - 400) < 20


def test_count_of_many_elements(client: LocalClient) -> None:
    add(client, "k", 0, 20000)
    assert abs(client("PFCOUNT", "k") - 20000) < 20000 * 0.05


def test_counts_of_several_keys_and_merging(client: LocalClient) -> None:
    add(client, "a", 0, 300)
    add(client, "b", 200, 600)
    union = client("PFCOUNT", "a", "b", "none")
    assert abs(union - 600) < 30
    assert client("PFMERGE", "out", "a", "b", "none") == b"OK"
    assert client("PFCOUNT", "out") == union
    assert client("PFMERGE", "fresh") == b"OK"
    assert client("GET", "fresh") == EMPTY


def test_merging_with_a_dense_one_makes_it_dense(client: LocalClient) -> None:
    client("PFADD", "a", "x")
    client("PFADD", "b", "y")
    assert client("PFDEBUG", "TODENSE", "b") == 1
    assert client("PFDEBUG", "TODENSE", "b") == 0
    client("PFMERGE", "a", "b")
    assert client("PFDEBUG", "ENCODING", "a") == b"dense"
    assert client("PFCOUNT", "a") == 2


def test_missing_keys_count_nothing(client: LocalClient) -> None:
    assert client("PFCOUNT", "none") == 0
    assert client("PFCOUNT", "none", "nor this") == 0
    assert client("EXISTS", "none") == 0


def test_the_expiry_stays(client: LocalClient) -> None:
    client("PFADD", "k", *(str(i) for i in range(200)))
    client("EXPIRE", "k", 100)
    add(client, "k", 0, 2000)
    client("PFCOUNT", "k")
    client("PFMERGE", "k", "k")
    assert client("TTL", "k") == 100


@pytest.mark.parametrize(
    "value",
    [b"", b"12345", b"HYLL", b"HYLX" + EMPTY[4:], b"HYLL\2" + EMPTY[5:], b"HYLL\0" + EMPTY[5:]],
)
def test_strings_that_are_none(client: LocalClient, value: bytes) -> None:
    client("SET", "k", value)
    for words in (("PFADD", "k", "x"), ("PFCOUNT", "k"), ("PFCOUNT", "k", "k"), ("PFMERGE", "k")):
        assert client.error(*words) == NOT_VALID
    assert client.error("PFMERGE", "out", "k") == NOT_VALID
    assert client("GET", "k") == value


@pytest.mark.parametrize("tail", [b"", b"\x7f", b"\x7f\xff\0", b"\x3f", b"\x7f\xff\x7f\xff"])
def test_corrupt_ones_are_found(client: LocalClient, tail: bytes) -> None:
    client("SET", "k", EMPTY[:16] + tail)
    assert client.error("PFCOUNT", "k") == CORRUPT
    assert client.error("PFCOUNT", "k", "none") == CORRUPT
    assert client.error("PFMERGE", "out", "k") == CORRUPT
    assert client.error("PFDEBUG", "GETREG", "k") == CORRUPT


def test_wrong_types(client: LocalClient) -> None:
    client("SADD", "s", "x")
    for words in (("PFADD", "s", "x"), ("PFCOUNT", "s"), ("PFMERGE", "out", "s"), ("PFMERGE", "s")):
        assert client.error(*words).startswith("WRONGTYPE Operation against a key")


def test_looking_inside(client: LocalClient) -> None:
    client("PFADD", "k", "a", "b")
    runs = client("PFDEBUG", "decode", "k").split()
    assert [run[:1] for run in runs].count(b"v") == 2
    assert all(run.startswith((b"v:", b"z:", b"Z:")) for run in runs)
    registers = client("PFDEBUG", "GETREG", "k")
    assert len(registers) == 16384
    assert sum(1 for rank in registers if rank) == 2
    assert client("PFDEBUG", "ENCODING", "k") == b"dense"
    assert client.error("PFDEBUG", "DECODE", "k") == "ERR HLL encoding is not sparse"
    assert client.error("PFDEBUG", "nosuch", "k") == "ERR Unknown PFDEBUG subcommand 'nosuch'"
    assert client.error("PFDEBUG", "DECODE", "no") == "ERR The specified key does not exist"


def test_self_test(client: LocalClient) -> None:
    assert client("PFSELFTEST") == b"OK"


def test_what_leaves_the_engine(client: LocalClient) -> None:
    recorder = Recorder(client.engine)
    client("PFADD", "k", "a")
    client("PFADD", "k", "a")
    client("PFCOUNT", "k")
    client("PFCOUNT", "k")
    client("PFMERGE", "k", "none")
    assert recorder.take() == [b"PFADD k a", b"PFCOUNT k", b"PFMERGE k none"]
