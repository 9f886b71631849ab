"""Positions on earth as the scores of a sorted set.

Longitude and latitude are halved 26 times, and the halves that they are in make 52 bits, in turns:
an integer that a double holds exactly. Positions that share their first bits share a cell of the
map, and the scores of a cell are one range. See https://en.wikipedia.org/wiki/Geohash; Redis's map
ends at 85.05 degrees north and south, as EPSG:900913 does, so that its cells are not those of the
usual text form.

Distances are those of a sphere (https://en.wikipedia.org/wiki/Haversine_formula), in meters; angles
are in degrees.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.datatypes.algorithms.geohash import (
    CELLS,
    HASH_LENGTH,
    STEPS,
    Bounds,
    Cell,
    Cells,
    Shape,
    Shapes,
)
from cython.cimports.libc.math import M_PI, asin, cos, fabs, sin, sqrt
from cython.cimports.libc.stdint import uint32_t, uint64_t

MOST_LONGITUDE = cython.declare(cython.double, 180.0)
MOST_LATITUDE = cython.declare(cython.double, 85.05112878)
POLE = cython.declare(cython.double, 90.0)
RADIUS = cython.declare(cython.double, 6372797.560856)
RADIAN = cython.declare(cython.double, M_PI / 180.0)
# Half the extent of the map in meters at the equator.
HALF_MAP = cython.declare(cython.double, 20037726.37)

# The even and the odd bits.
EVEN = cython.declare(uint64_t, cython.cast(uint64_t, 0x5555555555555555))
ODD = cython.declare(uint64_t, cython.cast(uint64_t, 0xAAAAAAAAAAAAAAAA))

# Where the neighbours of a cell are: north, south, east, west, and the corners.
COLUMNS = cython.declare(cython.int[9], [0, 0, 0, 1, -1, 1, -1, 1, -1])
ROWS = cython.declare(cython.int[9], [0, 1, -1, 0, 0, 1, 1, -1, -1])

ALPHABET = cython.declare(cython.p_const_char, b"0123456789bcdefghjkmnpqrstuvwxyz")


# -- Bits ----------------------------------------------------------------------------------------


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def spread(half: uint32_t) -> uint64_t:
    """The bits with a zero before each."""
    bits: uint64_t = half
    bits = (bits | (bits << 16)) & cython.cast(uint64_t, 0x0000FFFF0000FFFF)
    bits = (bits | (bits << 8)) & cython.cast(uint64_t, 0x00FF00FF00FF00FF)
    bits = (bits | (bits << 4)) & cython.cast(uint64_t, 0x0F0F0F0F0F0F0F0F)
    bits = (bits | (bits << 2)) & cython.cast(uint64_t, 0x3333333333333333)
    return (bits | (bits << 1)) & EVEN


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def gather(bits: uint64_t) -> uint32_t:
    """Every other bit: what :func:`spread` was given."""
    bits &= EVEN
    bits = (bits | (bits >> 1)) & cython.cast(uint64_t, 0x3333333333333333)
    bits = (bits | (bits >> 2)) & cython.cast(uint64_t, 0x0F0F0F0F0F0F0F0F)
    bits = (bits | (bits >> 4)) & cython.cast(uint64_t, 0x00FF00FF00FF00FF)
    bits = (bits | (bits >> 8)) & cython.cast(uint64_t, 0x0000FFFF0000FFFF)
    return cython.cast(uint32_t, bits | (bits >> 16))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def cell_bits(
    longitude: cython.double, latitude: cython.double, north: cython.double, steps: cython.int
) -> uint64_t:
    """The cell that a position is in, on a map that ends at ``north`` and as far south."""
    halves: cython.double = cython.cast(cython.double, cython.cast(uint64_t, 1) << steps)
    x: cython.double = (longitude + MOST_LONGITUDE) / (MOST_LONGITUDE + MOST_LONGITUDE) * halves
    y: cython.double = (latitude + north) / (north + north) * halves
    return spread(cython.cast(uint32_t, y)) | spread(cython.cast(uint32_t, x)) << 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def bounds_of(bits: uint64_t, steps: cython.int, bounds: cython.pointer[Bounds]) -> cython.void:
    """The part of the map that a cell is."""
    # A power of two: a product with it is exact, as the quotient would be.
    part: cython.double = 1.0 / cython.cast(cython.double, cython.cast(uint64_t, 1) << steps)
    wide: cython.double = MOST_LONGITUDE + MOST_LONGITUDE
    high: cython.double = MOST_LATITUDE + MOST_LATITUDE
    x: uint32_t = gather(bits >> 1)
    y: uint32_t = gather(bits)
    bounds.west = -MOST_LONGITUDE + x * part * wide
    bounds.east = -MOST_LONGITUDE + cython.cast(uint32_t, x + 1) * part * wide
    bounds.south = -MOST_LATITUDE + y * part * high
    bounds.north = -MOST_LATITUDE + cython.cast(uint32_t, y + 1) * part * high


# -- Positions -----------------------------------------------------------------------------------


def is_on_map(longitude: cython.double, latitude: cython.double) -> cython.bint:
    """Whether there is a score for such a position."""
    return (
        -MOST_LONGITUDE <= longitude <= MOST_LONGITUDE
        and -MOST_LATITUDE <= latitude <= MOST_LATITUDE
    )


def encode(longitude: cython.double, latitude: cython.double) -> cython.double:
    """The score of a position on the map."""
    return cython.cast(cython.double, cell_bits(longitude, latitude, MOST_LATITUDE, STEPS))


def decode(
    score: cython.double, longitude: cython.p_double, latitude: cython.p_double
) -> cython.void:
    """The position of a score: the middle of its cell."""
    bounds = cython.declare(Bounds)
    bounds_of(cython.cast(uint64_t, score), STEPS, cython.address(bounds))
    longitude[0] = (bounds.west + bounds.east) / 2
    latitude[0] = (bounds.south + bounds.north) / 2
    longitude[0] = min(max(longitude[0], -MOST_LONGITUDE), MOST_LONGITUDE)
    latitude[0] = min(max(latitude[0], -MOST_LATITUDE), MOST_LATITUDE)


def write_hash(
    longitude: cython.double, latitude: cython.double, text: cython.p_char
) -> cython.void:
    """Write the usual text form, of HASH_LENGTH characters: 50 bits, the last character is 0."""
    bits: uint64_t = cell_bits(longitude, latitude, POLE, STEPS)
    i: cython.int
    for i in range(HASH_LENGTH - 1):
        text[i] = ALPHABET[(bits >> (2 * STEPS - 5 * (i + 1))) & 31]
    text[HASH_LENGTH - 1] = ALPHABET[0]


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def along_meridian(latitude: cython.double, other: cython.double) -> cython.double:
    return RADIUS * fabs(other * RADIAN - latitude * RADIAN)


def distance(
    longitude: cython.double,
    latitude: cython.double,
    other_longitude: cython.double,
    other_latitude: cython.double,
) -> cython.double:
    """Meters between two positions."""
    north: cython.double
    other_north: cython.double
    u: cython.double
    v: cython.double = sin((other_longitude * RADIAN - longitude * RADIAN) / 2)
    if v == 0.0:
        return along_meridian(latitude, other_latitude)
    north = latitude * RADIAN
    other_north = other_latitude * RADIAN
    u = sin((other_north - north) / 2)
    return 2.0 * RADIUS * asin(sqrt(u * u + cos(north) * cos(other_north) * v * v))


# -- Searching -----------------------------------------------------------------------------------


def prepare(shape: cython.pointer[Shape]) -> cython.void:
    """Fill in what :func:`is_within` needs to know of a circle."""
    half: cython.double = shape.radius / RADIUS / 2
    edge: cython.double = fabs(shape.latitude) * RADIAN + 2 * half
    sine: cython.double = sin(min(half, M_PI / 2))
    # Rounding may be off by some 1e-15 of it, the resolution of positions is 1e-8.
    shape.limit = sine * sine * (1 + 1e-9) + 1e-18
    shape.cosines = 0.0
    if edge < M_PI / 2:
        shape.cosines = cos(shape.latitude * RADIAN) * cos(edge)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def low_sine(degrees: cython.double) -> cython.double:
    """A little less than the sine of half an angle, or 0 where this is no good estimate."""
    half: cython.double = fabs(degrees) * (RADIAN / 2)
    return half - half * half * half / 6 if half < 1.5 else 0.0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def is_far(shape: Shapes, longitude: cython.double, latitude: cython.double) -> cython.bint:
    """Whether a position is outside of a circle for sure, found without a sine or cosine.

    The haversine of its distance is compared with that of the radius, its terms estimated from
    below: x - x^3/6 is no more than the sine of x, and no latitude in the circle has a smaller
    cosine than one edge.
    """
    north: cython.double = low_sine(latitude - shape.latitude)
    east: cython.double = low_sine(longitude - shape.longitude)
    return north * north + shape.cosines * east * east > shape.limit


def is_within(
    shape: cython.pointer[cython.const[Shape]],
    longitude: cython.double,
    latitude: cython.double,
    away: cython.p_double,
) -> cython.bint:
    """Whether a position is in the shape, which is prepared; if so, how far from the middle."""
    if not shape.is_box:
        if is_far(shape, longitude, latitude):
            return False
        away[0] = distance(shape.longitude, shape.latitude, longitude, latitude)
        # Opposite ends of the world are at no number of meters, by rounding: they count.
        return not (away[0] > shape.radius)
    # The way along the meridian costs the least to find.
    if along_meridian(latitude, shape.latitude) > shape.height / 2:
        return False
    if distance(longitude, latitude, shape.longitude, latitude) > shape.width / 2:
        return False
    away[0] = distance(shape.longitude, shape.latitude, longitude, latitude)
    return True


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def steps_for(radius: cython.double, latitude: cython.double) -> cython.int:
    """About how many steps make cells so large that one and its neighbours hold a circle."""
    steps: cython.int = 1
    if radius == 0:
        return STEPS
    while radius < HALF_MAP:
        radius *= 2
        steps += 1
    steps -= 2
    # Meridians are nearer to each other towards the poles.
    if fabs(latitude) > 66:
        steps -= 1
        if fabs(latitude) > 80:
            steps -= 1
    return min(max(steps, 1), STEPS)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def bounds_around(shape: Shapes, bounds: cython.pointer[Bounds]) -> cython.void:
    """The part of the map that holds a shape."""
    high: cython.double = shape.height / 2 if shape.is_box else shape.radius
    wide: cython.double = shape.width / 2 if shape.is_box else shape.radius
    north: cython.double = high / RADIUS / RADIAN
    # The side nearer to the pole reaches over more degrees.
    far: cython.double = shape.latitude - north if shape.latitude < 0 else shape.latitude + north
    east: cython.double = wide / RADIUS / cos(far * RADIAN) / RADIAN
    bounds.west = shape.longitude - east
    bounds.east = shape.longitude + east
    bounds.south = shape.latitude - north
    bounds.north = shape.latitude + north


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def neighbour(cell: Cells, x: cython.int, y: cython.int, to: cython.pointer[Cell]) -> cython.void:
    """The cell so many columns to the east and rows to the north, around the map's edges."""
    unused: cython.int = 64 - 2 * cell.steps
    columns: uint64_t = ODD >> unused
    rows: uint64_t = EVEN >> unused
    # The bits of the eastern and the northern edge of the map are one too many; they stay.
    east: uint64_t = cell.bits & ODD
    north: uint64_t = cell.bits & EVEN
    if x > 0:
        # With the bits of the other one set, the carry passes through them.
        east = ((east | rows) + 1) & columns
    elif x < 0:
        east = (east - 1) & columns
    if y > 0:
        north = ((north | columns) + 1) & rows
    elif y < 0:
        north = (north - 1) & rows
    to.bits = east | north
    to.steps = cell.steps


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def surround(
    shape: Shapes, steps: cython.int, cells: cython.pointer[Cell], area: cython.pointer[Bounds]
) -> cython.void:
    """The cell in the middle of a shape, its part of the map, and its eight neighbours."""
    i: cython.int
    cells[0].bits = cell_bits(shape.longitude, shape.latitude, MOST_LATITUDE, steps)
    cells[0].steps = steps
    bounds_of(cells[0].bits, steps, area)
    for i in range(1, CELLS):
        neighbour(cells, COLUMNS[i], ROWS[i], cython.address(cells[i]))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def reaches(cells: Cells, wanted: cython.pointer[cython.const[Bounds]]) -> cython.bint:
    """Whether the neighbours in the four directions reach as far as they have to."""
    there = cython.declare(Bounds)
    i: cython.int
    for i in range(1, 5):
        bounds_of(cells[i].bits, cells[i].steps, cython.address(there))
        if ROWS[i] > 0 and there.north < wanted.north:
            return False
        if ROWS[i] < 0 and there.south > wanted.south:
            return False
        if COLUMNS[i] > 0 and there.east < wanted.east:
            return False
        if COLUMNS[i] < 0 and there.west > wanted.west:
            return False
    return True


def cover(shape: cython.pointer[cython.const[Shape]], cells: cython.pointer[Cell]) -> cython.int:
    """Write up to CELLS cells that together hold a shape; returns how many.

    Which ones, and in what order, is that of Redis: a search for any few positions finds the same.
    """
    area = cython.declare(Bounds)
    wanted = cython.declare(Bounds)
    steps: cython.int = steps_for(shape.reach, shape.latitude)
    found: cython.int = 1
    i: cython.int
    bounds_around(shape, cython.address(wanted))
    surround(shape, steps, cells, cython.address(area))
    if steps > 1 and not reaches(cells, cython.address(wanted)):
        steps -= 1
        surround(shape, steps, cells, cython.address(area))
    for i in range(1, CELLS):
        if steps >= 2 and is_beyond(i, cython.address(area), cython.address(wanted)):
            continue
        # On a map of few cells two neighbours may be the same one.
        if found > 1 and cells[i].bits == cells[found - 1].bits:
            continue
        cells[found] = cells[i]
        found += 1
    return found


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def is_beyond(
    i: cython.int,
    area: cython.pointer[cython.const[Bounds]],
    wanted: cython.pointer[cython.const[Bounds]],
) -> cython.bint:
    """Whether a neighbour is behind an edge of the middle cell that the shape does not cross."""
    return (
        (ROWS[i] < 0 and area.south < wanted.south)
        or (ROWS[i] > 0 and area.north > wanted.north)
        or (COLUMNS[i] < 0 and area.west < wanted.west)
        or (COLUMNS[i] > 0 and area.east > wanted.east)
    )


def scores_of(
    cell: cython.pointer[cython.const[Cell]], low: cython.p_double, high: cython.p_double
) -> cython.void:
    """The scores of the positions in a cell: from ``low`` to right below ``high``."""
    unused: cython.int = 2 * (STEPS - cell.steps)
    low[0] = cython.cast(cython.double, cell.bits << unused)
    high[0] = cython.cast(cython.double, (cell.bits + 1) << unused)
