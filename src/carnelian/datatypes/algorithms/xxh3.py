"""XXH3, the 64-bit hash behind DIGEST and the digest conditions of SET and DELEX.

What its sibling of 128 bits has in common with it is shared with :mod:`xxh3_wide`.

XXH3 with seed 0 and its default secret, after
https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md. Inputs up to 240 bytes have
formulas of their own; longer ones go through eight lanes in stripes of 64 bytes.
"""

import cython
from cython.cimports.carnelian.datatypes.algorithms.xxh3 import octets, u64

PRIME32_1 = cython.declare(cython.ulonglong, 0x9E3779B1)
PRIME32_2 = cython.declare(cython.ulonglong, 0x85EBCA77)
PRIME32_3 = cython.declare(cython.ulonglong, 0xC2B2AE3D)
PRIME64_1 = cython.declare(cython.ulonglong, 0x9E3779B185EBCA87)
PRIME64_2 = cython.declare(cython.ulonglong, 0xC2B2AE3D27D4EB4F)
PRIME64_3 = cython.declare(cython.ulonglong, 0x165667B19E3779F9)
PRIME64_4 = cython.declare(cython.ulonglong, 0x85EBCA77C2B2AE63)
PRIME64_5 = cython.declare(cython.ulonglong, 0x27D4EB2F165667C5)
PRIME_MX1 = cython.declare(cython.ulonglong, 0x165667919E3779F9)
PRIME_MX2 = cython.declare(cython.ulonglong, 0x9FB21C651E98DF25)
LOW_32 = cython.declare(cython.ulonglong, 0xFFFFFFFF)

_SECRET = cython.declare(
    bytes,
    bytes.fromhex(
        "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
        "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
        "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
        "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
        "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
        "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
    ),
)
SECRET = cython.declare(octets, _SECRET)
SECRET_SIZE = cython.declare(cython.Py_ssize_t, 192)

STRIPE = cython.declare(cython.Py_ssize_t, 64)
# The secret advances 8 bytes with each stripe; when it is used up, a block is complete.
STRIPES_PER_BLOCK = cython.declare(cython.Py_ssize_t, 16)


@cython.ccall
def hexdigest(data: bytes) -> bytes:
    """The hash of ``data`` as 16 lower-case hexadecimal digits. O(N)."""
    return b"%016x" % digest(data, len(data))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def digest(data: octets, size: cython.Py_ssize_t) -> u64:
    """The hash of ``size`` bytes at ``data``. O(N)."""
    if size <= 16:
        return _up_to_16(data, size)
    if size <= 128:
        return _up_to_128(data, size)
    if size <= 240:
        return _up_to_240(data, size)
    return _long(data, size)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def secret_from(place: cython.Py_ssize_t) -> octets:
    """The default secret from one of its bytes on."""
    return SECRET + place


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def read32(data: octets) -> u64:
    return (
        cython.cast(u64, data[0])
        | cython.cast(u64, data[1]) << 8
        | cython.cast(u64, data[2]) << 16
        | cython.cast(u64, data[3]) << 24
    )


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def read64(data: octets) -> u64:
    return read32(data) | read32(data + 4) << 32


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def swap64(value: u64) -> u64:
    """The bytes of a word in the opposite order."""
    swapped: u64 = 0
    shift: cython.int
    for shift in range(0, 64, 8):
        swapped = swapped << 8 | (value >> shift & 0xFF)
    return swapped


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _fold(a: u64, b: u64) -> u64:
    """Both halves of the 128-bit product, xored."""
    low: u64 = (a & LOW_32) * (b & LOW_32)
    middle: u64 = (a >> 32) * (b & LOW_32) + (low >> 32)
    cross: u64 = (a & LOW_32) * (b >> 32) + (middle & LOW_32)
    high: u64 = (a >> 32) * (b >> 32) + (middle >> 32) + (cross >> 32)
    return (cross << 32 | (low & LOW_32)) ^ high


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def mix16(data: octets, secret: octets) -> u64:
    return _fold(
        read64(data) ^ read64(secret),
        read64(data + 8) ^ read64(secret + 8),
    )


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def avalanche(hash: u64) -> u64:
    hash = (hash ^ hash >> 37) * PRIME_MX1
    return hash ^ hash >> 32


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def avalanche_xxh64(hash: u64) -> u64:
    """The finish of the older XXH64, which inputs of up to three bytes share."""
    hash = (hash ^ hash >> 33) * PRIME64_2
    hash = (hash ^ hash >> 29) * PRIME64_3
    return hash ^ hash >> 32


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _up_to_16(data: octets, size: cython.Py_ssize_t) -> u64:
    low: u64
    high: u64
    if size > 8:
        low = read64(data) ^ read64(SECRET + 24) ^ read64(SECRET + 32)
        high = read64(data + size - 8) ^ read64(SECRET + 40) ^ read64(SECRET + 48)
        return avalanche(cython.cast(u64, size) + swap64(low) + high + _fold(low, high))
    if size >= 4:
        low = read32(data + size - 4) | read32(data) << 32
        low ^= read64(SECRET + 8) ^ read64(SECRET + 16)
        low ^= (low << 49 | low >> 15) ^ (low << 24 | low >> 40)
        low *= PRIME_MX2
        low = (low ^ ((low >> 35) + cython.cast(u64, size))) * PRIME_MX2
        return low ^ low >> 28
    if size > 0:
        low = cython.cast(u64, data[0]) << 16 | cython.cast(u64, data[size >> 1]) << 24
        low |= cython.cast(u64, data[size - 1]) | cython.cast(u64, size) << 8
        return avalanche_xxh64(low ^ read32(SECRET) ^ read32(SECRET + 4))
    return avalanche_xxh64(read64(SECRET + 56) ^ read64(SECRET + 64))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _up_to_128(data: octets, size: cython.Py_ssize_t) -> u64:
    hash: u64 = cython.cast(u64, size) * PRIME64_1
    step: cython.Py_ssize_t
    for step in range((size - 1) // 32, -1, -1):
        hash += mix16(data + 16 * step, SECRET + 32 * step)
        hash += mix16(data + size - 16 * (step + 1), SECRET + 32 * step + 16)
    return avalanche(hash)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _up_to_240(data: octets, size: cython.Py_ssize_t) -> u64:
    hash: u64 = cython.cast(u64, size) * PRIME64_1
    step: cython.Py_ssize_t
    for step in range(8):
        hash += mix16(data + 16 * step, SECRET + 16 * step)
    hash = avalanche(hash)
    for step in range(8, size // 16):
        hash += mix16(data + 16 * step, SECRET + 16 * (step - 8) + 3)
    return avalanche(hash + mix16(data + size - 16, SECRET + 136 - 17))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _accumulate(lanes: cython.pointer[u64], data: octets, secret: octets) -> cython.void:
    """Take one stripe in."""
    lane: cython.Py_ssize_t
    word: u64
    keyed: u64
    for lane in range(8):
        word = read64(data + 8 * lane)
        keyed = word ^ read64(secret + 8 * lane)
        lanes[lane ^ 1] += word
        lanes[lane] += (keyed & LOW_32) * (keyed >> 32)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _scramble(lanes: cython.pointer[u64]) -> cython.void:
    """Stir the lanes at the end of a block."""
    lane: cython.Py_ssize_t
    for lane in range(8):
        lanes[lane] ^= lanes[lane] >> 47
        lanes[lane] ^= read64(SECRET + SECRET_SIZE - STRIPE + 8 * lane)
        lanes[lane] *= PRIME32_1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def gather(lanes: cython.pointer[u64], data: octets, size: cython.Py_ssize_t) -> cython.void:
    """Take all of a long input into eight lanes. O(N)."""
    lanes[0], lanes[1], lanes[2], lanes[3] = PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3
    lanes[4], lanes[5], lanes[6], lanes[7] = PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1
    # The last stripe ends with the data and is taken apart, overlapping the one before it.
    stripe: cython.Py_ssize_t
    for stripe in range((size - 1) // STRIPE):
        _accumulate(lanes, data + stripe * STRIPE, SECRET + 8 * (stripe % STRIPES_PER_BLOCK))
        if stripe % STRIPES_PER_BLOCK == STRIPES_PER_BLOCK - 1:
            _scramble(lanes)
    _accumulate(lanes, data + size - STRIPE, SECRET + SECRET_SIZE - STRIPE - 7)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def merge(lanes: cython.pointer[u64], secret: octets, hash: u64) -> u64:
    """Eight lanes as one word, which starts with this value."""
    pair: cython.Py_ssize_t
    for pair in range(4):
        hash += _fold(
            lanes[2 * pair] ^ read64(secret + 16 * pair),
            lanes[2 * pair + 1] ^ read64(secret + 16 * pair + 8),
        )
    return avalanche(hash)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _long(data: octets, size: cython.Py_ssize_t) -> u64:
    lanes = cython.declare(u64[8])
    gather(cython.address(lanes[0]), data, size)
    return merge(cython.address(lanes[0]), SECRET + 11, cython.cast(u64, size) * PRIME64_1)
