"""The geo commands against redis-server: scores, distances and digits have to be the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from differential.generate import Words, commands
from differential.pair import Pair
from support.servers import StartRedis

GEO = [
    "GEOADD", "GEOADD", "GEOADD", "GEODIST", "GEOHASH", "GEOPOS", "GEOSEARCH", "GEOSEARCHSTORE",
    "GEORADIUS", "GEORADIUS_RO", "GEORADIUSBYMEMBER", "GEORADIUSBYMEMBER_RO", "ZADD", "SET", "DEL",
]  # fmt: skip

longitudes = st.sampled_from([-180.0, 180.0, 0.0, 13.361389, -122.27652, 179.9999999]) | st.floats(
    -180, 180
)
latitudes = st.sampled_from([-85.05112878, 85.05112878, 0.0, 38.115556, 66.1, -80.5]) | st.floats(
    -85.05112878, 85.05112878
)
positions = st.tuples(longitudes, latitudes)
lengths = st.sampled_from([0.0, 1.0, 500.0, 7000.0, 40000.0]) | st.floats(0, 10000)
units = st.sampled_from(["m", "km", "ft", "mi", "KM"])
orders = st.sampled_from([[], ["ASC"], ["DESC"]])
details = st.sampled_from(
    [[], ["WITHDIST"], ["WITHCOORD"], ["WITHHASH"], ["WITHDIST", "WITHHASH", "WITHCOORD"]]
)


@pytest.fixture(scope="module")
def pair(start_redis: StartRedis) -> Iterator[Pair]:
    pair = Pair(start_redis("--save", "").port)
    yield pair
    pair.close()


def repeated(value: float) -> str:
    return format(value, ".17g")


def check_nearest(pair: Pair, words: list[str | int]) -> None:
    """Compare how far away those found are: of several as far any may be among them."""
    replies = [side.call(*words, "WITHDIST").value for side in (pair.reference, pair.ours)]
    theirs, ours = ([place.value[1].value for place in reply] for reply in replies)
    assert theirs == ours, words


differential = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@differential
@given(
    st.lists(positions, min_size=1, max_size=40),
    st.lists(
        st.tuples(positions, st.lists(lengths, min_size=2, max_size=2), units, orders, details),
        min_size=1, max_size=8,
    ),
    st.sampled_from([2, 3]),
    st.sampled_from([0, 128]),
)  # fmt: skip
def test_searches(pair: Pair, places: list, searches: list, protocol: int, entries: int) -> None:
    pair.start(protocol)
    pair.check("CONFIG", "SET", "zset-max-listpack-entries", entries)
    words: list[str] = []
    for number, place in enumerate(places):
        words += [*map(repeated, place), f"m{number}"]
    pair.check("GEOADD", "g", *words)
    names = [f"m{number}" for number in range(len(places))]
    pair.check("ZRANGE", "g", 0, -1, "WITHSCORES")
    pair.check("GEOPOS", "g", *names)
    pair.check("GEOHASH", "g", *names)
    for (longitude, latitude), (width, height), unit, order, shown in searches:
        middle = ("FROMLONLAT", repeated(longitude), repeated(latitude))
        for shape in (
            ("BYRADIUS", repeated(width), unit),
            ("BYBOX", repeated(width), repeated(height), unit),
        ):
            pair.check("GEOSEARCH", "g", *middle, *shape, *order, *shown)
            check_nearest(pair, ["GEOSEARCH", "g", *middle, *shape, "COUNT", 3, *order])
            pair.check("GEOSEARCH", "g", *middle, *shape, "COUNT", 3, "ANY", *shown)
            pair.check("GEOSEARCH", "g", "FROMMEMBER", names[-1], *shape, *shown)
        pair.check("GEORADIUS", "g", *middle[1:], repeated(width), unit, *shown, *order)
        pair.check("GEODIST", "g", names[0], names[-1], unit)
        pair.check("GEOSEARCHSTORE", "kept", "g", *middle, *shape, "STOREDIST")
        pair.check("ZCARD", "kept")
        pair.check("GEOSEARCHSTORE", "kept", "g", *middle, *shape, *order)
        pair.check("ZRANGE", "kept", 0, -1, "WITHSCORES")
    theirs, ours = pair.events()
    assert ours == theirs
    expected, counters = pair.counters()
    assert counters == expected


@differential
@given(st.lists(commands(GEO), min_size=1, max_size=25), st.sampled_from([2, 3]))
def test_random_sequences(pair: Pair, sequence: list[Words], protocol: int) -> None:
    pair.start(protocol)
    for words in sequence:
        pair.check(*words)
    theirs, ours = pair.events()
    assert ours == theirs
    expected, counters = pair.counters()
    assert counters == expected


@pytest.mark.parametrize(
    "words",
    [
        ("GEOADD", "g", "NX", "XX", "1", "2", "m"),
        ("GEOADD", "g", "NX", "CH", "XX", "CH"),
        ("GEOADD", "g", "CH", "CH", "CH"),
        ("GEOADD", "g", "1", "2", "m", "3"),
        ("GEOADD", "g", "200", "2", "m"),
        ("GEOADD", "g", "1", "-85.1", "m"),
        ("GEOADD", "g", "1", "x", "m"),
        ("GEOADD", "g", "inf", "1", "m"),
        ("GEOADD", "text", "1", "2", "m"),
        ("GEODIST", "g", "a", "b", "yd"),
        ("GEODIST", "g", "a", "b", "m", "m"),
        ("GEODIST", "g", "a", "none"),
        ("GEODIST", "none", "a", "b", "mi"),
        ("GEODIST", "g", "a", "a"),
        ("GEOPOS", "g"),
        ("GEOPOS", "none", "a"),
        ("GEOPOS", "odd", "a", "b", "c", "d"),
        ("GEOHASH", "odd", "a", "b", "c", "d"),
        ("GEOHASH", "none", "a"),
        ("GEOSEARCH", "g", "FROMMEMBER", "none", "BYRADIUS", "1", "m"),
        ("GEOSEARCH", "none", "FROMMEMBER", "none", "BYRADIUS", "1", "m"),
        ("GEOSEARCH", "none", "FROMMEMBER", "none", "BYRADIUS", "x", "m"),
        ("GEOSEARCH", "g", "FROMMEMBER", "a", "BYRADIUS", "-1", "m"),
        ("GEOSEARCH", "g", "FROMMEMBER", "a", "BYRADIUS", "inf", "km"),
        ("GEOSEARCH", "g", "FROMMEMBER", "a", "BYBOX", "x", "1", "m"),
        ("GEOSEARCH", "g", "FROMMEMBER", "a", "BYBOX", "1", "-1", "m"),
        ("GEOSEARCH", "g", "FROMMEMBER", "a", "BYBOX", "1", "1", "parsec"),
        ("GEOSEARCH", "g", "FROMMEMBER", "a", "FROMLONLAT", "1", "2", "BYRADIUS", "1", "m"),
        ("GEOSEARCH", "g", "FROMMEMBER", "a", "BYRADIUS", "1", "m", "BYBOX", "1", "1", "m"),
        ("geosearch", "g", "BYRADIUS", "1", "m", "ASC", "WITHDIST"),
        ("GeoSearch", "g", "FROMMEMBER", "a", "ASC", "DESC", "WITHDIST"),
        ("GEOSEARCH", "g", "FROMMEMBER", "a", "BYRADIUS", "9", "km", "COUNT", "0"),
        ("GEOSEARCH", "g", "FROMMEMBER", "a", "BYRADIUS", "9", "km", "COUNT", "x"),
        ("GEOSEARCH", "g", "FROMMEMBER", "a", "BYRADIUS", "9", "km", "COUNT"),
        ("GEOSEARCH", "g", "FROMMEMBER", "a", "BYRADIUS", "9", "km", "ANY"),
        ("GEOSEARCH", "g", "FROMMEMBER", "a", "BYRADIUS", "9", "km", "STOREDIST"),
        ("GEOSEARCH", "g", "FROMMEMBER", "a", "BYRADIUS", "9", "km", "STORE", "x"),
        ("GEOSEARCH", "g", "FROMEVERYWHERE", "a", "BYRADIUS", "9", "km"),
        ("GEOSEARCH", "odd", "FROMLONLAT", "0", "0", "BYRADIUS", "99999", "km", "WITHCOORD"),
        ("GEOSEARCHSTORE", "d", "g", "FROMMEMBER", "a", "BYRADIUS", "9", "km", "WITHDIST"),
        ("GEOSEARCHSTORE", "text", "none", "FROMMEMBER", "a", "BYRADIUS", "9", "km"),
        ("GEOSEARCHSTORE", "text", "g", "FROMLONLAT", "100", "80", "BYRADIUS", "9", "m"),
        ("GEORADIUS", "g", "15", "37", "200", "km", "WITHDIST", "STORE", "d"),
        ("GEORADIUS", "g", "15", "37", "200", "km", "STORE", "d", "STOREDIST", "e"),
        ("GEORADIUS", "g", "15", "37", "200", "km", "STORE"),
        ("GEORADIUS", "none", "15", "37", "200", "km", "STORE", "text"),
        ("GEORADIUS", "none", "15", "x", "200", "km"),
        ("GEORADIUS", "g", "15", "37", "200", "km", "FROMMEMBER", "a"),
        ("GEORADIUS_RO", "g", "15", "37", "200", "km", "STORE", "d"),
        ("GEORADIUSBYMEMBER", "g", "a", "200", "km", "STOREDIST", "d", "DESC", "COUNT", "1"),
        ("GEORADIUSBYMEMBER", "none", "a", "x", "y", "STORE", "text"),
        ("GEORADIUSBYMEMBER_RO", "none", "a", "x", "y", "ASC"),
        ("GEORADIUSBYMEMBER_RO", "g", "none", "1", "m"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 3])
def test_odd_commands(pair: Pair, words: tuple[str, ...], protocol: int) -> None:
    pair.start(protocol)
    pair.check("GEOADD", "g", "13.361389", "38.115556", "a", "15.087269", "37.502669", "b")
    pair.check("ZADD", "odd", "1.5", "a", "-7", "b", "1e300", "c", "4503599627370496", "d")
    pair.check("SET", "text", "x")
    pair.check(*words)
    for key in ("g", "d", "e"):
        pair.check("ZRANGE", key, 0, -1)
    pair.check("TYPE", "text")
