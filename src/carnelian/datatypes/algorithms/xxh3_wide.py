"""XXH3 with 128 bits, by which XADD with IDMPAUTO knows an entry again.

With seed 0 and the default secret, after
https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md. A hash is two words here, the low
one first.
"""

import cython
from cython.cimports.carnelian.datatypes.algorithms.xxh3 import (
    avalanche,
    avalanche_xxh64,
    gather,
    merge,
    mix16,
    octets,
    read32,
    read64,
    secret_from,
    swap64,
    u64,
)

PRIME32_2 = cython.declare(cython.ulonglong, 0x85EBCA77)
PRIME64_1 = cython.declare(cython.ulonglong, 0x9E3779B185EBCA87)
PRIME64_2 = cython.declare(cython.ulonglong, 0xC2B2AE3D27D4EB4F)
PRIME64_4 = cython.declare(cython.ulonglong, 0x85EBCA77C2B2AE63)
PRIME_MX2 = cython.declare(cython.ulonglong, 0x9FB21C651E98DF25)
LOW_32 = cython.declare(cython.ulonglong, 0xFFFFFFFF)
ALL_64 = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)


@cython.ccall
def hexdigest128(data: bytes) -> bytes:
    """The hash of ``data`` as 32 lower-case hexadecimal digits. O(N)."""
    hash = cython.declare(u64[2])
    digest128(data, len(data), cython.address(hash[0]))
    return b"%016x%016x" % (hash[1], hash[0])


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def digest128(data: octets, size: cython.Py_ssize_t, hash: cython.pointer[u64]) -> cython.void:
    """Hash ``size`` bytes at ``data``. O(N)."""
    if size > 240:
        _long(data, size, hash)
    elif size > 16:
        _up_to_240(data, size, hash)
    elif size > 8:
        _up_to_16(data, size, hash)
    elif size >= 4:
        _up_to_8(data, size, hash)
    else:
        _up_to_3(data, size, hash)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _multiply(a: u64, b: u64, product: cython.pointer[u64]) -> cython.void:
    low: u64 = (a & LOW_32) * (b & LOW_32)
    middle: u64 = (a >> 32) * (b & LOW_32) + (low >> 32)
    cross: u64 = (a & LOW_32) * (b >> 32) + (middle & LOW_32)
    product[0] = cross << 32 | (low & LOW_32)
    product[1] = (a >> 32) * (b >> 32) + (middle >> 32) + (cross >> 32)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _up_to_3(data: octets, size: cython.Py_ssize_t, hash: cython.pointer[u64]) -> cython.void:
    low: u64
    high: u64
    if size == 0:
        hash[0] = avalanche_xxh64(read64(secret_from(64)) ^ read64(secret_from(72)))
        hash[1] = avalanche_xxh64(read64(secret_from(80)) ^ read64(secret_from(88)))
        return
    low = cython.cast(u64, data[0]) << 16 | cython.cast(u64, data[size >> 1]) << 24
    low |= cython.cast(u64, data[size - 1]) | cython.cast(u64, size) << 8
    high = swap64(low) >> 32
    high = (high << 13 | high >> 19) & LOW_32
    hash[0] = avalanche_xxh64(low ^ read32(secret_from(0)) ^ read32(secret_from(4)))
    hash[1] = avalanche_xxh64(high ^ read32(secret_from(8)) ^ read32(secret_from(12)))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _up_to_8(data: octets, size: cython.Py_ssize_t, hash: cython.pointer[u64]) -> cython.void:
    keyed: u64 = read32(data) | read32(data + size - 4) << 32
    keyed ^= read64(secret_from(16)) ^ read64(secret_from(24))
    _multiply(keyed, PRIME64_1 + (cython.cast(u64, size) << 2), hash)
    hash[1] += hash[0] << 1
    hash[0] ^= hash[1] >> 3
    hash[0] = (hash[0] ^ hash[0] >> 35) * PRIME_MX2
    hash[0] ^= hash[0] >> 28
    hash[1] = avalanche(hash[1])


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _up_to_16(data: octets, size: cython.Py_ssize_t, hash: cython.pointer[u64]) -> cython.void:
    mixed = cython.declare(u64[2])
    low: u64 = read64(data)
    high: u64 = read64(data + size - 8)
    low ^= high ^ read64(secret_from(32)) ^ read64(secret_from(40))
    high ^= read64(secret_from(48)) ^ read64(secret_from(56))
    _multiply(low, PRIME64_1, cython.address(mixed[0]))
    mixed[0] += cython.cast(u64, size - 1) << 54
    mixed[1] += high + (high & LOW_32) * (PRIME32_2 - 1)
    mixed[0] ^= swap64(mixed[1])
    _multiply(mixed[0], PRIME64_2, hash)
    hash[1] += mixed[1] * PRIME64_2
    hash[0] = avalanche(hash[0])
    hash[1] = avalanche(hash[1])


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _mix32(hash: cython.pointer[u64], one: octets, other: octets, secret: octets) -> cython.void:
    hash[0] += mix16(one, secret)
    hash[0] ^= read64(other) + read64(other + 8)
    hash[1] += mix16(other, secret + 16)
    hash[1] ^= read64(one) + read64(one + 8)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _up_to_240(data: octets, size: cython.Py_ssize_t, hash: cython.pointer[u64]) -> cython.void:
    low: u64
    step: cython.Py_ssize_t
    hash[0] = cython.cast(u64, size) * PRIME64_1
    hash[1] = 0
    if size <= 128:
        for step in range((size - 1) // 32, -1, -1):
            _mix32(hash, data + 16 * step, data + size - 16 * (step + 1), secret_from(32 * step))
    else:
        for step in range(4):
            _mix32(hash, data + 32 * step, data + 32 * step + 16, secret_from(32 * step))
        hash[0] = avalanche(hash[0])
        hash[1] = avalanche(hash[1])
        for step in range(4, size // 32):
            _mix32(hash, data + 32 * step, data + 32 * step + 16, secret_from(32 * step - 125))
        # The last two halves in the opposite order.
        _mix32(hash, data + size - 16, data + size - 32, secret_from(136 - 17 - 16))
    low = hash[0]
    hash[0] = avalanche(low + hash[1])
    hash[1] = 0 - avalanche(
        low * PRIME64_1 + hash[1] * PRIME64_4 + cython.cast(u64, size) * PRIME64_2
    )


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _long(data: octets, size: cython.Py_ssize_t, hash: cython.pointer[u64]) -> cython.void:
    lanes = cython.declare(u64[8])
    gather(cython.address(lanes[0]), data, size)
    hash[0] = merge(cython.address(lanes[0]), secret_from(11), cython.cast(u64, size) * PRIME64_1)
    hash[1] = merge(
        cython.address(lanes[0]),
        secret_from(192 - 64 - 11),
        ALL_64 ^ cython.cast(u64, size) * PRIME64_2,
    )
