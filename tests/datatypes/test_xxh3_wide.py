"""XXH3 with 128 bits against digests that the xxHash library gives for the same bytes."""

import pytest

from carnelian.datatypes.algorithms.xxh3_wide import hexdigest128

PATTERN = bytes((i * 7 + 3) & 255 for i in range(5000))

# Every formula (0, 1-3, 4-8, 9-16, 17-128, 129-240 bytes, longer) at both of its ends, and where
# they take one round more.
DIGESTS = {
    0: b"99aa06d3014798d86001c324468d497f",
    1: b"22bbb76b211a39ba13e608bc156defed",
    3: b"ce31763cbf8245a5a9088dda485b481c",
    4: b"47197970590746b1788a609154b0fe20",
    8: b"e3bc8a5f461715553cd024e3d63a1588",
    9: b"c72c88247a9a56d7eafab1c7f123109f",
    16: b"ce0b9647ab24f88460d75c5e47d40a24",
    17: b"bfd327edcc2fbd12eeed7654312a26d7",
    32: b"4f130f27ab6baf45d761fd22e8ad5262",
    33: b"d15b272993d9830f4193c535612ac940",
    64: b"fed953fe6a8b2b63aa549d72c69cd267",
    65: b"9f5580903f79bec343622ea01271a860",
    96: b"2a350495986db37a0ab63bcfbc907abb",
    97: b"3ffe2e0f781d623c8d17d1afec22619e",
    128: b"1b1962a096bac78bc580008b6c92ac53",
    129: b"293e4968c4619023bd91ce7ace4d385b",
    159: b"8a0a63a01ba7e83adcbee76d3b570623",
    160: b"d71519a37cb75ab60e298e02860a8fd0",
    161: b"833e8405049a437390aca841910b958f",
    239: b"cb7a8da57ad8329249fb6a0a5210e031",
    240: b"ad46c1021b076bc704e0b5f034bee80b",
    241: b"ac6c3492c3d6b45d8beadd3a8874fe17",
    1024: b"18bc0eaca9a336369b81661c641c72b1",
    1025: b"bf447251cfa98d7c806c2072ed713576",
    5000: b"c98ae385d09887cc799aaddd7339581d",
}


@pytest.mark.parametrize(("size", "expected"), DIGESTS.items())
def test_sizes(size: int, expected: bytes) -> None:
    assert hexdigest128(PATTERN[:size]) == expected
