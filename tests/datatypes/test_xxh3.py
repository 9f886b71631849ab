"""XXH3 against digests that the xxHash library gives for the same bytes."""

import pytest

from carnelian.datatypes.algorithms.xxh3 import hexdigest

PATTERN = bytes((i * 7 + 3) & 255 for i in range(5000))

# Every formula (0, 1-3, 4-8, 9-16, 17-128, 129-240 bytes, longer) at both of its ends, then
# stripes and blocks: one short of, exactly and one past 1024 bytes, and several blocks.
DIGESTS = {
    0: b"2d06800538d394c2",
    1: b"13e608bc156defed",
    2: b"1c9074b93943b86c",
    3: b"a9088dda485b481c",
    4: b"6d9253b16c8b1ed3",
    5: b"998620e10e3a4b37",
    8: b"60539db630471163",
    9: b"feff668361d723a8",
    12: b"6829454be0cc3199",
    16: b"b8c859b0f030b585",
    17: b"714a04408e79b80f",
    31: b"ed41ac283d0674b3",
    32: b"19ff4ee1d6ba1a55",
    33: b"3e44983ad21679c8",
    64: b"287eb1fa9e4be2c1",
    65: b"829218de4d798646",
    96: b"f084e7cfbc624743",
    97: b"1daa83271a8e7b7c",
    128: b"67425a03650261bf",
    129: b"c664bf3311c6abc4",
    144: b"606a17fa700bb932",
    160: b"d70dea8de694b883",
    239: b"1d861931c1f3cafa",
    240: b"64556dc6b462a6cf",
    241: b"8beadd3a8874fe17",
    256: b"3c38817f6d79c0da",
    320: b"44bee046b4a45d45",
    511: b"e3fca5c97aa72e1b",
    1023: b"d26986a0b85dcc44",
    1024: b"9b81661c641c72b1",
    1025: b"806c2072ed713576",
    1088: b"2f8781e01841f0da",
    2047: b"e36fcecaa2c0ecba",
    2048: b"abe604813ba62ed1",
    2049: b"55aed42c9f1554b6",
    4096: b"d7428746842be37e",
    5000: b"799aaddd7339581d",
}


@pytest.mark.parametrize(("size", "expected"), DIGESTS.items())
def test_sizes(size: int, expected: bytes) -> None:
    assert hexdigest(PATTERN[:size]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"hello", b"9555e8555c62dcfd"),
        (
            b"v8lf0c11xh8ymlqztfd3eeq16kfn4sspw7fqmnuuq3k3t75em5wdizgcdw7uc26nnf961u2jkfzkjytls2kw"
            b"lj7626sd",
            b"00006c38adf31777",
        ),
    ],
)
def test_digests_that_redis_documents(text: bytes, expected: bytes) -> None:
    assert hexdigest(text) == expected
