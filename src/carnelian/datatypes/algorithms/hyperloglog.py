"""HyperLogLog: about how many different elements there were, in 12 KB at most.

16384 registers keep the longest run of zeros seen in the hashes that fell to them. They stand in a
string, after a header of 16 bytes: ``HYLL``, the encoding, three unused bytes, and the cardinality
counted last (little endian, its top bit set where it has become invalid).

The dense encoding packs 6 bits per register, the sparse one is a sequence of runs: ``00xxxxxx``
and ``01xxxxxx yyyyyyyy`` are zero registers, ``1vvvvvxx`` are up to four registers of a rank up to
32; lengths and ranks are stored less one.

The estimator is that of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches",
https://arxiv.org/abs/1702.01284
"""

import cython
from cython.cimports.carnelian.datatypes.algorithms.bit_arrays import octets, word_at
from cython.cimports.carnelian.datatypes.algorithms.hyperloglog import (
    DENSE,
    DENSE_SIZE,
    HEADER,
    REGISTERS,
    SPARSE,
)
from cython.cimports.libc.math import INFINITY, llround, sqrt
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.stdlib import free, realloc
from cython.cimports.libc.string import memcmp, memcpy, memmove, memset

_SEED = cython.declare(uint64_t, 0xADC83B19)
_MULTIPLIER = cython.declare(uint64_t, 0xC6A4A7935BD1E995)

# Bits of a hash that choose the register, and of the rest, in which zeros are counted.
_INDEX_BITS = cython.declare(cython.int, 14)
_COUNTED_BITS = cython.declare(cython.int, 50)

_ALPHA = cython.declare(cython.double, 0.721347520444481703680)

# The longest runs and the highest rank that sparse opcodes can say.
_MOST_ZEROS = cython.declare(cython.int, 64)
_MOST_EQUAL = cython.declare(cython.int, 4)
_HIGHEST_SPARSE = cython.declare(cython.int, 32)
# Opcodes around a changed one in which equal neighbours are looked for.
_JOINED = cython.declare(cython.int, 5)

_INVALID = cython.declare(cython.uchar, 0x80)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _hash(data: octets, length: cython.Py_ssize_t) -> uint64_t:
    """MurmurHash2 in its 64-bit variant A."""
    multiplier: uint64_t = _MULTIPLIER
    hash: uint64_t = _SEED ^ (cython.cast(uint64_t, length) * multiplier)
    word: uint64_t
    at: cython.Py_ssize_t = 0
    left: cython.int = length & 7
    while at + 8 <= length:
        word = word_at(data + at) * multiplier
        word ^= word >> 47
        hash = (hash ^ (word * multiplier)) * multiplier
        at += 8
    if left:
        word = 0
        while left > 0:
            left -= 1
            word = (word << 8) | data[at + left]
        hash = (hash ^ word) * multiplier
    hash = (hash ^ (hash >> 47)) * multiplier
    return hash ^ (hash >> 47)


def rank_of(element: octets, length: cython.Py_ssize_t, index: cython.p_int) -> cython.int:
    """The rank of an element: its zeros and the one after them; ``index`` is its register."""
    hash: uint64_t = _hash(element, length)
    rank: cython.int = 1
    index[0] = cython.cast(cython.int, hash & (REGISTERS - 1))
    hash = (hash >> _INDEX_BITS) | (cython.cast(uint64_t, 1) << _COUNTED_BITS)
    while not hash & 1:
        hash >>= 1
        rank += 1
    return rank


def is_valid(data: octets, length: cython.Py_ssize_t) -> cython.bint:
    """Whether a string looks like a HyperLogLog; sparse ones may still turn out corrupt."""
    if length < HEADER or memcmp(data, b"HYLL", 4) != 0:
        return False
    return data[4] == SPARSE or (data[4] == DENSE and length == DENSE_SIZE)


def cached(data: octets) -> int64_t:
    """The cardinality counted last, or -1 if elements came since."""
    if data[15] & _INVALID:
        return -1
    return cython.cast(int64_t, word_at(data + 8))


def cache(data: cython.p_uchar, cardinality: int64_t) -> cython.void:
    """Remember a cardinality."""
    i: cython.int
    for i in range(8):
        data[8 + i] = (cardinality >> (8 * i)) & 0xFF


def invalidate(data: cython.p_uchar) -> cython.void:
    """Forget the cardinality counted last."""
    data[15] |= _INVALID


# -- Dense -----------------------------------------------------------------------------------------


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _register(registers: octets, index: cython.int) -> cython.int:
    at: cython.int = index * 6 >> 3
    shift: cython.int = index * 6 & 7
    # The last register ends with the string: the next byte is only there if it has a part.
    if shift <= 2:
        return (registers[at] >> shift) & 63
    return ((registers[at] >> shift) | (registers[at + 1] << (8 - shift))) & 63


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _set_register(registers: cython.p_uchar, index: cython.int, rank: cython.int) -> cython.void:
    at: cython.int = index * 6 >> 3
    shift: cython.int = index * 6 & 7
    registers[at] = (registers[at] & ~(63 << shift)) | ((rank << shift) & 0xFF)
    if shift > 2:
        registers[at + 1] = (registers[at + 1] & ~(63 >> (8 - shift))) | (rank >> (8 - shift))


def raise_register(registers: cython.p_uchar, index: cython.int, rank: cython.int) -> cython.bint:
    """Raise a dense register to at least ``rank``; returns whether it was lower."""
    if rank <= _register(registers, index):
        return False
    _set_register(registers, index, rank)
    return True


# -- Reading either --------------------------------------------------------------------------------


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _run(
    data: octets,
    length: cython.Py_ssize_t,
    at: cython.Py_ssize_t,
    size: cython.pointer[cython.int],
    rank: cython.pointer[cython.int],
) -> cython.int:
    """Registers that the opcode at ``at`` stands for, with its size and rank; 0 if cut off."""
    opcode: cython.int = data[at]
    size[0] = 1
    rank[0] = 0
    if opcode & 0x80:
        rank[0] = ((opcode >> 2) & 31) + 1
        return (opcode & 3) + 1
    if not opcode & 0x40:
        return (opcode & 63) + 1
    size[0] = 2
    if at + 1 >= length:
        return 0
    return ((opcode & 63) << 8 | data[at + 1]) + 1


def merge(data: octets, length: cython.Py_ssize_t, ranks: cython.p_uchar) -> cython.bint:
    """Raise one byte per register to what is in a HyperLogLog; returns whether it is sound."""
    i: cython.int
    index: cython.int = 0
    run: cython.int
    size: cython.int = 0
    rank: cython.int = 0
    at: cython.Py_ssize_t = HEADER
    if data[4] == DENSE:
        for i in range(REGISTERS):
            rank = _register(data + HEADER, i)
            if rank > ranks[i]:
                ranks[i] = rank
        return True
    while at < length:
        run = _run(data, length, at, cython.address(size), cython.address(rank))
        if run == 0 or index + run > REGISTERS:
            return False
        if rank:
            for i in range(index, index + run):
                if rank > ranks[i]:
                    ranks[i] = rank
        index += run
        at += size
    return index == REGISTERS


def estimate(data: octets, length: cython.Py_ssize_t) -> int64_t:
    """The cardinality, or -1 if the registers are not sound."""
    histogram = cython.declare(cython.int[64])
    at: cython.Py_ssize_t = HEADER
    index: cython.int = 0
    run: cython.int
    size: cython.int = 0
    rank: cython.int = 0
    memset(histogram, 0, cython.sizeof(histogram))
    if data[4] == DENSE:
        # Four registers in three bytes.
        while at < DENSE_SIZE:
            histogram[data[at] & 63] += 1
            histogram[(data[at] >> 6 | data[at + 1] << 2) & 63] += 1
            histogram[(data[at + 1] >> 4 | data[at + 2] << 4) & 63] += 1
            histogram[data[at + 2] >> 2] += 1
            at += 3
        return _estimate(histogram)
    while at < length:
        run = _run(data, length, at, cython.address(size), cython.address(rank))
        if run == 0 or index + run > REGISTERS:
            return -1
        histogram[rank] += run
        index += run
        at += size
    return _estimate(histogram) if index == REGISTERS else -1


def estimate_ranks(ranks: octets) -> int64_t:
    """The cardinality from one byte per register."""
    histogram = cython.declare(cython.int[64])
    i: cython.int
    memset(histogram, 0, cython.sizeof(histogram))
    for i in range(REGISTERS):
        histogram[ranks[i] & 63] += 1
    return _estimate(histogram)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _estimate(histogram: cython.pointer[cython.int]) -> int64_t:
    """The cardinality from the number of registers of each rank."""
    registers: cython.double = REGISTERS
    j: cython.int = _COUNTED_BITS
    z: cython.double = registers * _tau((registers - histogram[_COUNTED_BITS + 1]) / registers)
    while j >= 1:
        z += histogram[j]
        z *= 0.5
        j -= 1
    z += registers * _sigma(histogram[0] / registers)
    return llround(_ALPHA * registers * registers / z)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _sigma(x: cython.double) -> cython.double:
    y: cython.double = 1
    z: cython.double = x
    before: cython.double = -1
    if x == 1:
        return INFINITY
    while z != before:
        x *= x
        before = z
        z += x * y
        y += y
    return z


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _tau(x: cython.double) -> cython.double:
    y: cython.double = 1
    z: cython.double = 1 - x
    before: cython.double = -1
    if x == 0 or x == 1:
        return 0
    while z != before:
        x = sqrt(x)
        before = z
        y *= 0.5
        z -= (1 - x) * (1 - x) * y
    return z / 3


# -- Changing --------------------------------------------------------------------------------------


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _put_zeros(out: cython.p_uchar, run: cython.int) -> cython.int:
    """Write an opcode for zero registers; returns its size."""
    if run <= _MOST_ZEROS:
        out[0] = run - 1
        return 1
    out[0] = 0x40 | (run - 1) >> 8
    out[1] = (run - 1) & 0xFF
    return 2


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _equals(rank: cython.int, run: cython.int) -> cython.uchar:
    """The opcode for registers of the same rank."""
    return 0x80 | (rank - 1) << 2 | (run - 1)


@cython.final
@cython.cclass
class Sketch:
    """A HyperLogLog being changed, apart from the string it came from.

    A sparse one becomes dense where a rank is too high for it or its string would grow beyond
    ``most`` bytes.
    """

    def __cinit__(self):
        self.data = cython.NULL
        self.length = 0
        self.room = 0

    def __dealloc__(self):
        free(self.data)

    def reserve(self, length: cython.Py_ssize_t) -> cython.int:
        """Make room for so many bytes."""
        if length > self.room:
            moved: cython.p_void = realloc(self.data, length)
            if moved is cython.NULL:
                raise MemoryError
            self.data = cython.cast(cython.p_uchar, moved)
            self.room = length
        return 0

    def load(self, data: octets, length: cython.Py_ssize_t) -> cython.int:
        """Take over a string, which has to be valid."""
        # Most strings grow by a few bytes only.
        self.reserve(length + 64)
        memcpy(self.data, data, length)
        self.length = length
        return 0

    def clear(self) -> cython.int:
        """Begin without elements, sparse."""
        self.reserve(HEADER + 64)
        memset(self.data, 0, HEADER)
        memcpy(self.data, b"HYLL", 4)
        self.data[4] = SPARSE
        self.length = HEADER + _put_zeros(self.data + HEADER, REGISTERS)
        return 0

    def encoding(self) -> cython.int:
        """DENSE or SPARSE."""
        return self.data[4]

    def add(self, element: octets, length: cython.Py_ssize_t, most: int64_t) -> cython.int:
        """Add an element; 1 if a register changed, 0 if not, -1 if the string is corrupt."""
        index: cython.int = 0
        rank: cython.int = rank_of(element, length, cython.address(index))
        return self.raise_to(index, rank, most)

    def raise_to(self, index: cython.int, rank: cython.int, most: int64_t) -> cython.int:
        """Raise a register to at least ``rank``; replies as :meth:`add`."""
        if self.data[4] == DENSE:
            return raise_register(self.data + HEADER, index, rank)
        return self.raise_sparse(index, rank, most)

    def raise_sparse(self, index: cython.int, rank: cython.int, most: int64_t) -> cython.int:
        """:meth:`raise_to` for the sparse encoding. O(opcodes)."""
        at: cython.Py_ssize_t = HEADER
        before: cython.Py_ssize_t = HEADER
        first: cython.int = 0
        run: cython.int = 0
        size: cython.int = 0
        old: cython.int = 0
        if rank > _HIGHEST_SPARSE:
            return self.promote(index, rank)
        while at < self.length:
            run = _run(self.data, self.length, at, cython.address(size), cython.address(old))
            if run == 0 or index < first + run:
                break
            before = at
            at += size
            first += run
        if run == 0 or at >= self.length:
            return -1
        if old >= rank:
            return 0
        if run == 1 and size == 1:
            self.data[at] = _equals(rank, 1)
        elif not self.split(at, size, run, old, index - first, rank, most):
            return self.promote(index, rank)
        self.join(before)
        invalidate(self.data)
        return 1

    def split(
        self,
        at: cython.Py_ssize_t,
        size: cython.int,
        run: cython.int,
        old: cython.int,
        place: cython.int,
        rank: cython.int,
        most: int64_t,
    ) -> cython.bint:
        """Give one register in a run another rank; False if the string would be too long."""
        opcodes = cython.declare(cython.uchar[5])
        count: cython.int = 0
        growth: cython.int
        after: cython.int = run - place - 1
        if place:
            if old:
                opcodes[0] = _equals(old, place)
                count = 1
            else:
                count = _put_zeros(opcodes, place)
        opcodes[count] = _equals(rank, 1)
        count += 1
        if after:
            if old:
                opcodes[count] = _equals(old, after)
                count += 1
            else:
                count += _put_zeros(cython.address(opcodes[count]), after)
        growth = count - size
        if growth > 0 and self.length + growth > most:
            return False
        self.reserve(self.length + max(growth, 0))
        memmove(self.data + at + count, self.data + at + size, self.length - at - size)
        memcpy(self.data + at, opcodes, count)
        self.length += growth
        return True

    def join(self, at: cython.Py_ssize_t) -> cython.void:
        """Make one of neighbouring runs of the same rank, as far as opcodes allow."""
        looks: cython.int = _JOINED
        size: cython.int = 0
        next_size: cython.int = 0
        rank: cython.int = 0
        next_rank: cython.int = 0
        run: cython.int
        while at < self.length and looks > 0:
            looks -= 1
            run = _run(self.data, self.length, at, cython.address(size), cython.address(rank))
            if rank and at + 1 < self.length:
                run += _run(
                    self.data,
                    self.length,
                    at + 1,
                    cython.address(next_size),
                    cython.address(next_rank),
                )
                if rank == next_rank and run <= _MOST_EQUAL:
                    self.data[at + 1] = _equals(rank, run)
                    memmove(self.data + at, self.data + at + 1, self.length - at - 1)
                    self.length -= 1
                    continue
            at += size

    def promote(self, index: cython.int, rank: cython.int) -> cython.int:
        """Become dense and raise a register."""
        if not self.make_dense():
            return -1
        return raise_register(self.data + HEADER, index, rank)

    def make_dense(self) -> cython.bint:
        """Become dense; False if the string is corrupt."""
        ranks = cython.declare(cython.uchar[16384])
        i: cython.int
        if self.data[4] == DENSE:
            return True
        memset(ranks, 0, REGISTERS)
        if not merge(self.data, self.length, ranks):
            return False
        self.reserve(DENSE_SIZE)
        memset(self.data + HEADER, 0, DENSE_SIZE - HEADER)
        self.data[4] = DENSE
        self.length = DENSE_SIZE
        for i in range(REGISTERS):
            if ranks[i]:
                _set_register(self.data + HEADER, i, ranks[i])
        return True

    def ranks(self) -> list:
        """The ranks of all registers, of the dense encoding."""
        return [_register(self.data + HEADER, i) for i in range(REGISTERS)]

    def opcodes(self) -> bytes:
        """The runs of the sparse encoding as text: ``z:`` and ``Z:`` zeros, ``v:rank,length``."""
        at: cython.Py_ssize_t = HEADER
        run: cython.int
        size: cython.int = 0
        rank: cython.int = 0
        words: list = []
        while at < self.length:
            run = _run(self.data, self.length, at, cython.address(size), cython.address(rank))
            if rank:
                words.append(b"v:%d,%d" % (rank, run))
            else:
                words.append((b"z:%d" if size == 1 else b"Z:%d") % run)
            at += size
        return b" ".join(words)


def self_test(seed: uint64_t, most: int64_t) -> str | None:
    """Try registers, encodings and the error of estimates; what is wrong, or None.

    ``most`` is the longest sparse string. Adds ten million elements, which takes about a second.
    """
    return _test_registers(seed) or _test_estimates(seed, most)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _shuffled(state: uint64_t) -> uint64_t:
    """The next number of a xorshift sequence."""
    state ^= state << 13
    state ^= state >> 7
    return state ^ (state << 17)


@cython.cfunc
def _test_registers(seed: uint64_t):
    """Whether every register keeps its rank whatever its neighbours are set to."""
    registers = cython.declare(cython.uchar[12304])
    expected = cython.declare(cython.uchar[16384])
    state: uint64_t = seed | 1
    i: cython.int
    memset(registers, 0, DENSE_SIZE)
    for _cycle in range(1000):
        for i in range(REGISTERS):
            state = _shuffled(state)
            expected[i] = state & 63
            _set_register(registers, i, expected[i])
        for i in range(REGISTERS):
            if _register(registers, i) != expected[i]:
                found = _register(registers, i)
                return f"Register {i} should be {expected[i]} but is {found}"
    return None


@cython.cfunc
def _test_estimates(seed: uint64_t, most: int64_t):
    """Whether both encodings agree, and are no further off than six times the standard error."""
    dense: Sketch = Sketch()
    sketch: Sketch = Sketch()
    number: int64_t
    element: uint64_t
    checkpoint: int64_t = 1
    error: int64_t
    allowed: cython.double
    dense.clear()
    dense.make_dense()
    sketch.clear()
    for number in range(1, 10_000_001):
        element = seed ^ cython.cast(uint64_t, number)
        dense.add(cython.cast(octets, cython.address(element)), 8, most)
        sketch.add(cython.cast(octets, cython.address(element)), 8, most)
        if number != checkpoint:
            continue
        if number < most // 2 and sketch.encoding() != SPARSE:
            return "sparse encoding not used"
        counted: int64_t = estimate(dense.data, dense.length)
        if counted != estimate(sketch.data, sketch.length):
            return "dense/sparse disagree"
        error = abs(number - counted)
        # Among ten elements two may well share a register.
        allowed = 1 if number == 10 else 1.04 / 128 * 6 * number + 1
        if error > allowed:
            return f"Too big error. card:{number} abserr:{error}"
        checkpoint *= 10
    return None
