"""GEOADD, GEOSEARCH and their kin: positions on earth, kept as the scores of a sorted set.

See https://redis.io/docs/latest/develop/data-types/geospatial/
"""

import cython
from cython.cimports.carnelian.commands.sorted_sets.adding import add
from cython.cimports.carnelian.commands.sorted_sets.ranges import store
from cython.cimports.carnelian.datatypes.algorithms import geohash
from cython.cimports.carnelian.datatypes.algorithms.decimals import put_longlong
from cython.cimports.carnelian.datatypes.algorithms.geohash import HASH_LENGTH
from cython.cimports.carnelian.datatypes.collections.nearby import Nearby, Point
from cython.cimports.carnelian.datatypes.collections.sorted_set import SortedSet
from cython.cimports.carnelian.engine.session import Session
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.math import llrint, sqrt
from cython.cimports.libc.string import memmove, memset

from carnelian.engine.declaring import after, at, command
from carnelian.resp.numbers import format_int, parse_float, parse_int
from carnelian.resp.replies import NULL_ARRAY, SYNTAX_ERROR, Error, PlainFloat

GROUP = "geo"

# Which words a search takes.
_FROM_POSITION = cython.declare(cython.int, 1)  # GEORADIUS: a position comes first
_FROM_MEMBER = cython.declare(cython.int, 2)  # GEORADIUSBYMEMBER: a member
_STORING = cython.declare(cython.int, 4)  # STORE and STOREDIST with a key
_SHAPES = cython.declare(cython.int, 8)  # GEOSEARCH: FROM... and BY...
_DESTINATION = cython.declare(cython.int, 16)  # GEOSEARCHSTORE: the key to store into comes first

_UNSORTED = cython.declare(cython.int, 0)
_NEAREST = cython.declare(cython.int, 1)
_FARTHEST = cython.declare(cython.int, 2)

_UNITS: dict = {b"m": 1.0, b"km": 1000.0, b"ft": 0.3048, b"mi": 1609.34}

_OPTIONS_OF_GEOADD = frozenset((b"NX", b"XX", b"CH"))


# -- Positions -----------------------------------------------------------------------------------


@command(
    "GEOADD key [condition@6.2.0=<NX | XX>] [change=CH@6.2.0] "
    "longitude_latitude_member=(longitude:double latitude:double member) ...",
    "write denyoom",
    keys=at(1, "RW update"),
)
def geoadd(session: Session, args: list):
    """Adds members with their positions to a sorted set, or moves them.

    Since 3.2.0, O(log(N)) for each member, with N the number of members in the sorted set
    6.2.0: Added CH, NX and XX.
    """
    first: cython.Py_ssize_t = 2
    i: cython.Py_ssize_t
    given: set = set()
    while first < len(args) and args[first].upper() in _OPTIONS_OF_GEOADD:
        given.add(args[first].upper())
        first += 1
    if (len(args) - first) % 3 or (b"NX" in given and b"XX" in given):
        raise SYNTAX_ERROR
    words: list = [b"zadd", *args[1:first]]
    for i in range(first, len(args), 3):
        words.append(_score(parse_float(args[i]), parse_float(args[i + 1])))
        words.append(args[i + 2])
    session.rewrite(words)
    return add(session, words, 0)


@cython.cfunc
def _score(longitude: cython.double, latitude: cython.double) -> bytes:
    """The text of a position's score; raises Error if it is not on the map."""
    _check_position(longitude, latitude)
    return format_int(cython.cast(cython.longlong, geohash.encode(longitude, latitude)))


@cython.cfunc
@cython.exceptval(-1)
def _check_position(longitude: cython.double, latitude: cython.double) -> cython.int:
    if not geohash.is_on_map(longitude, latitude):
        shown = f"{longitude:f},{latitude:f}"
        raise Error(f"ERR invalid longitude,latitude pair {shown}")
    return 0


@cython.cfunc
@cython.exceptval(-1.0, check=True)
def _meters(unit: bytes) -> cython.double:
    """A unit of length in meters."""
    meters = _UNITS.get(unit.lower())
    if meters is None:
        raise Error("ERR unsupported unit provided. please use M, KM, FT, MI")
    return meters


@cython.cfunc
def _position_of(score: cython.double) -> list:
    longitude: cython.double = 0.0
    latitude: cython.double = 0.0
    geohash.decode(score, cython.address(longitude), cython.address(latitude))
    return [PlainFloat(longitude), PlainFloat(latitude)]


@cython.cfunc
def _distance_text(distance: cython.double) -> bytes:
    """Four digits after the point."""
    text = cython.declare(cython.char[32])
    size: cython.Py_ssize_t
    # As many zeros in front that there is a digit before the point.
    memset(text, 48, 8)
    size = put_longlong(text + 4, llrint(distance * 10000.0))
    start: cython.Py_ssize_t = 4
    if size < 5:
        start -= 5 - size
        size = 5
    memmove(text + start + size - 3, text + start + size - 4, 4)
    text[start + size - 4] = b"."
    return PyBytes_FromStringAndSize(text + start, size + 1)


@command("GEOPOS key member ...", "readonly", keys=at(1, "RO access"), arity=-2)
def geopos(session: Session, args: list):
    """Replies with the longitudes and latitudes of members of a sorted set.

    Since 3.2.0, O(N), with N the number of members asked for
    """
    value: SortedSet = session.db.collection(args[1], SortedSet)
    found: list = []
    score: cython.double = 0.0
    for member in args[2:]:
        if value is None or not value.lookup(member, cython.address(score)):
            found.append(NULL_ARRAY)
        else:
            found.append(_position_of(score))
    return found


@command("GEOHASH key member ...", "readonly", keys=at(1, "RO access"), arity=-2)
def geohash_(session: Session, args: list):
    """Replies with the positions of members of a sorted set as geohash texts.

    Since 3.2.0, O(log(N)) for each member, with N the number of members in the sorted set
    """
    value: SortedSet = session.db.collection(args[1], SortedSet)
    found: list = []
    text = cython.declare(cython.char[HASH_LENGTH])
    score: cython.double = 0.0
    longitude: cython.double = 0.0
    latitude: cython.double = 0.0
    for member in args[2:]:
        if value is None or not value.lookup(member, cython.address(score)):
            found.append(None)
            continue
        geohash.decode(score, cython.address(longitude), cython.address(latitude))
        geohash.write_hash(longitude, latitude, text)
        found.append(PyBytes_FromStringAndSize(text, HASH_LENGTH))
    return found


@command(
    "GEODIST key member1 member2 [unit=<M | KM | FT | MI>]", "readonly", keys=at(1, "RO access")
)
def geodist(session: Session, args: list):
    """Replies with the distance between two members of a sorted set of positions.

    Since 3.2.0, O(log(N))
    """
    unit: cython.double = 1.0
    score: cython.double = 0.0
    other: cython.double = 0.0
    x = cython.declare(cython.double[2])
    y = cython.declare(cython.double[2])
    if len(args) == 5:
        unit = _meters(args[4])
    elif len(args) > 5:
        raise SYNTAX_ERROR
    value: SortedSet = session.db.collection(args[1], SortedSet)
    if (
        value is None
        or not value.lookup(args[2], cython.address(score))
        or not value.lookup(args[3], cython.address(other))
    ):
        return None
    geohash.decode(score, cython.address(x[0]), cython.address(y[0]))
    geohash.decode(other, cython.address(x[1]), cython.address(y[1]))
    return _distance_text(geohash.distance(x[0], y[0], x[1], y[1]) / unit)


# -- Searching -----------------------------------------------------------------------------------


@cython.final
@cython.cclass
class Query:
    """A search as its words have it; the shape is in ``nearby.points``."""

    def __init__(self):
        self.nearby = Nearby()
        self.unit = 1.0
        self.order = _UNSORTED
        self.from_member = self.from_position = False
        self.by_radius = self.by_box = False

    def read_position(self, args, at):
        """The middle, as longitude and latitude."""
        longitude: cython.double = parse_float(args[at])
        latitude: cython.double = parse_float(args[at + 1])
        _check_position(longitude, latitude)
        self.nearby.points.shape.longitude = longitude
        self.nearby.points.shape.latitude = latitude
        return 0

    def read_member(self, value, member):
        """The middle, as a member."""
        score: cython.double = 0.0
        if not value.lookup(member, cython.address(score)):
            raise Error("ERR could not decode requested zset member")
        geohash.decode(
            score,
            cython.address(self.nearby.points.shape.longitude),
            cython.address(self.nearby.points.shape.latitude),
        )
        return 0

    def read_circle(self, args, at):
        """Radius and unit."""
        radius: cython.double = parse_float(args[at], "ERR need numeric radius")
        if radius < 0:
            raise Error("ERR radius cannot be negative")
        self.unit = _meters(args[at + 1])
        self.nearby.points.shape.is_box = False
        self.nearby.points.shape.radius = radius * self.unit
        self.nearby.points.shape.reach = radius * self.unit
        return 0

    def read_box(self, args, at):
        """Width, height and unit."""
        width: cython.double = parse_float(args[at], "ERR need numeric width")
        height: cython.double = parse_float(args[at + 1], "ERR need numeric height")
        if width < 0 or height < 0:
            raise Error("ERR height or width cannot be negative")
        self.unit = _meters(args[at + 2])
        self.nearby.points.shape.is_box = True
        self.nearby.points.shape.width = width * self.unit
        self.nearby.points.shape.height = height * self.unit
        self.nearby.points.shape.reach = self.unit * sqrt(
            (width / 2) * (width / 2) + (height / 2) * (height / 2)
        )
        return 0

    def read_options(self, args, first, allowed, value):
        """Read all words from ``first`` on."""
        i: cython.Py_ssize_t = first
        option: bytes
        while i < len(args):
            option = args[i].upper()
            if option == b"WITHDIST":
                self.with_distance = True
            elif option == b"WITHHASH":
                self.with_hash = True
            elif option == b"WITHCOORD":
                self.with_position = True
            elif option == b"ANY":
                self.any = True
            elif option == b"ASC":
                self.order = _NEAREST
            elif option == b"DESC":
                self.order = _FARTHEST
            elif allowed & _SHAPES and (option[:4] == b"FROM" or option[:2] == b"BY"):
                i += self.read_shape(args, i, option, value)
            else:
                i += self.read_option(args, i, option, allowed)
            i += 1
        return 0

    def read_option(self, args, at, option, allowed):
        """COUNT, STORE or STOREDIST; how many words belong to it."""
        has_word: cython.bint = at + 1 < len(args)
        if option == b"COUNT" and has_word:
            self.count = parse_int(args[at + 1])
            if self.count <= 0:
                raise Error("ERR COUNT must be > 0")
            return 1
        if allowed & _STORING and has_word and (option == b"STORE" or option == b"STOREDIST"):
            self.destination = args[at + 1]
            self.store_distances = option == b"STOREDIST"
            return 1
        if allowed & _DESTINATION and option == b"STOREDIST":
            self.store_distances = True
            return 0
        raise SYNTAX_ERROR

    def read_shape(self, args, at, option, value):
        """FROMMEMBER, FROMLONLAT, BYRADIUS or BYBOX; how many words belong to it."""
        left: cython.Py_ssize_t = len(args) - at - 1
        if option == b"FROMMEMBER" and left >= 1 and not self.from_position:
            if value is not None:
                self.read_member(value, args[at + 1])
            self.from_member = True
            return 1
        if option == b"FROMLONLAT" and left >= 2 and not self.from_member:
            self.read_position(args, at + 1)
            self.from_position = True
            return 2
        if option == b"BYRADIUS" and left >= 2 and not self.by_box:
            self.read_circle(args, at + 1)
            self.by_radius = True
            return 2
        if option == b"BYBOX" and left >= 3 and not self.by_radius:
            self.read_box(args, at + 1)
            self.by_box = True
            return 3
        raise SYNTAX_ERROR

    def check(self, allowed, name):
        """Raise Error if something is missing, or options do not go together."""
        if self.destination is not None and (
            self.with_distance or self.with_hash or self.with_position
        ):
            who = "GEOSEARCHSTORE" if allowed & _DESTINATION else "STORE option in GEORADIUS"
            raise Error(
                f"ERR {who} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            )
        if allowed & _SHAPES and not (self.from_member or self.from_position):
            raise Error(b"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for " + name)
        if allowed & _SHAPES and not (self.by_radius or self.by_box):
            raise Error(b"ERR exactly one of BYRADIUS and BYBOX can be specified for " + name)
        if self.any and not self.count:
            raise Error("ERR the ANY argument requires COUNT argument")
        return 0

    def run(self, value):
        """Search and sort; how many of the positions are wanted."""
        found: cython.Py_ssize_t
        # A count of the nearest needs an order.
        if self.count and self.order == _UNSORTED and not self.any:
            self.order = _NEAREST
        self.nearby.search(value, self.count if self.any else 0)
        found = self.nearby.points.count
        if self.order != _UNSORTED:
            self.nearby.sort(self.order == _FARTHEST)
        return min(found, self.count) if self.count else found

    def reply(self, count):
        """The first ``count`` positions."""
        i: cython.Py_ssize_t
        found: list = []
        details: list
        point: cython.pointer[cython.const[Point]]
        plain: cython.bint = not (self.with_distance or self.with_hash or self.with_position)
        for i in range(count):
            if plain:
                found.append(self.nearby.member(i))
                continue
            point = self.nearby.at(i)
            details = [self.nearby.member(i)]
            if self.with_distance:
                details.append(_distance_text(point.distance / self.unit))
            if self.with_hash:
                details.append(cython.cast(cython.longlong, point.score))
            if self.with_position:
                details.append([PlainFloat(point.longitude), PlainFloat(point.latitude)])
            found.append(details)
        return found

    def pairs(self, count):
        """The first ``count`` positions as ``(score, member)``, in order."""
        i: cython.Py_ssize_t
        found: list = []
        point: cython.pointer[cython.const[Point]]
        score: cython.double
        for i in range(count):
            point = self.nearby.at(i)
            score = point.distance / self.unit if self.store_distances else point.score
            found.append((score, self.nearby.member(i)))
        found.sort()
        return found


@cython.cfunc
def _search(session: Session, args: list, allowed: cython.int):
    source: cython.Py_ssize_t = 2 if allowed & _DESTINATION else 1
    first: cython.Py_ssize_t = source + 1
    value: SortedSet = session.db.collection(args[source], SortedSet)
    query: Query = Query()
    if allowed & _DESTINATION:
        query.destination = args[1]
    if allowed & _FROM_POSITION:
        query.read_position(args, 2)
        query.read_circle(args, 4)
        first = 6
    elif allowed & _FROM_MEMBER:
        if value is not None:
            query.read_member(value, args[2])
            query.read_circle(args, 3)
        first = 5
    query.read_options(args, first, allowed, value)
    query.check(allowed, args[0])
    count: cython.Py_ssize_t = query.run(value) if value is not None else 0
    if query.destination is None:
        return query.reply(count)
    return _store(session, query, count, allowed)


@cython.cfunc
def _store(session: Session, query: Query, count: cython.Py_ssize_t, allowed: cython.int):
    """Set the destination to what was found, or delete it; each member counts as a change."""
    event: bytes = b"geosearchstore" if allowed & _SHAPES else b"georadiusstore"
    return store(session, query.destination, query.pairs(count), event, count)


_UNIT = "unit=<M | KM | FT | MI>"
_WITH = "[WITHCOORD] [WITHDIST] [WITHHASH]"
_STORE = "[STORE key:key#1] [STOREDIST key:key#2]"


@command(
    "GEOSEARCH key from=<FROMMEMBER member"
    " | FROMLONLAT longitude_latitude=(longitude:double latitude:double)>"
    f" by=<circle=(BYRADIUS radius:double {_UNIT})"
    f" | box=(BYBOX width:double height:double {_UNIT})>"
    f" [order=<ASC | DESC>] [count=(COUNT count:integer [ANY])] {_WITH}",
    "readonly",
    keys=at(1, "RO access"),
)
def geosearch(session: Session, args: list):
    """Replies with the members of a sorted set of positions in a circle or a box.

    Since 6.2.0, O(N+log(M)), with N members in the cells of the map that cover the shape, and M in
    all
    7.0.0: Units may be in upper case.
    """
    return _search(session, args, _SHAPES)


@command(
    "GEOSEARCHSTORE destination:key source:key from=<FROMMEMBER member"
    " | FROMLONLAT longitude_latitude=(longitude:double latitude:double)>"
    f" by=<circle=(BYRADIUS radius:double {_UNIT})"
    f" | box=(BYBOX width:double height:double {_UNIT})>"
    " [order=<ASC | DESC>] [count=(COUNT count:integer [ANY])] [STOREDIST]",
    "write denyoom",
    keys=(at(1, "OW update"), at(2, "RO access")),
)
def geosearchstore(session: Session, args: list):
    """Stores the members of a sorted set of positions in a circle or a box.

    Since 6.2.0, O(N+log(M)), with N members in the cells of the map that cover the shape, and M in
    all
    7.0.0: Units may be in upper case.
    """
    return _search(session, args, _SHAPES | _DESTINATION)


def _keys_of_georadius(args: list) -> list:
    """The key, and the one to store into, the last of them if there are several."""
    keys = {1: None}
    for i in range(5, len(args) - 1):
        if args[i].upper() in (b"STORE", b"STOREDIST"):
            keys = {1: None, i + 1: None}
    return list(keys)


@command(
    f"GEORADIUS key longitude:double latitude:double radius:double {_UNIT} {_WITH}"
    f" [count=(COUNT count:integer [ANY@6.2.0])] [order=<ASC | DESC>] {_STORE}",
    "write denyoom",
    keys=(
        at(1, "RO access"),
        after("STORE", "OW update", start=6),
        after("STOREDIST", "OW update", start=6),
    ),
    get_keys=_keys_of_georadius,
)
def georadius(session: Session, args: list):
    """Replies with, or stores, the members of a sorted set of positions in a circle.

    Since 3.2.0, O(N+log(M)), with N members in the cells of the map that cover the shape, and M in
    all
    6.2.0: Added ANY.
    7.0.0: Units may be in upper case.
    Deprecated since 6.2.0: `GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument
    """
    return _search(session, args, _FROM_POSITION | _STORING)


@command(
    f"GEORADIUS_RO key longitude:double latitude:double radius:double {_UNIT} {_WITH}"
    " [count=(COUNT count:integer [ANY@6.2.0])] [order=<ASC | DESC>]",
    "readonly",
    keys=at(1, "RO access"),
)
def georadius_ro(session: Session, args: list):
    """Replies with the members of a sorted set of positions in a circle.

    Since 3.2.10, O(N+log(M)), with N members in the cells of the map that cover the shape, and M in
    all
    6.2.0: Added ANY.
    Deprecated since 6.2.0: `GEOSEARCH` with the `BYRADIUS` argument
    """
    return _search(session, args, _FROM_POSITION)


@command(
    f"GEORADIUSBYMEMBER key member radius:double {_UNIT} {_WITH}"
    f" [count=(COUNT count:integer [ANY])] [order=<ASC | DESC>] {_STORE}",
    "write denyoom",
    keys=(
        at(1, "RO access"),
        after("STORE", "OW update", start=5),
        after("STOREDIST", "OW update", start=5),
    ),
    get_keys=_keys_of_georadius,
)
def georadiusbymember(session: Session, args: list):
    """Replies with, or stores, the members of a sorted set of positions around one.

    Since 3.2.0, O(N+log(M)), with N members in the cells of the map that cover the shape, and M in
    all
    7.0.0: Units may be in upper case.
    Deprecated since 6.2.0: `GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER`
    arguments
    """
    return _search(session, args, _FROM_MEMBER | _STORING)


@command(
    f"GEORADIUSBYMEMBER_RO key member radius:double {_UNIT} {_WITH}"
    " [count=(COUNT count:integer [ANY])] [order=<ASC | DESC>]",
    "readonly",
    keys=at(1, "RO access"),
)
def georadiusbymember_ro(session: Session, args: list):
    """Replies with the members of a sorted set of positions around one.

    Since 3.2.10, O(N+log(M)), with N members in the cells of the map that cover the shape, and M in
    all
    Deprecated since 6.2.0: `GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments
    """
    return _search(session, args, _FROM_MEMBER)
