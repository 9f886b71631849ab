"""The geo commands: what does not show in a comparison with redis-server, and known places."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from carnelian.resp.replies import PlainFloat
from support.local import LocalClient


@pytest.fixture
def sicily(client: LocalClient) -> LocalClient:
    client("GEOADD", "g", "13.361389", "38.115556", "Palermo", "15.087269", "37.502669", "Catania")
    return client


def test_positions(sicily: LocalClient) -> None:
    position = sicily("GEOPOS", "g", "Palermo")[0]
    assert position == [13.361389338970184, 38.1155563954963]
    assert type(position[0]) is PlainFloat
    assert sicily("GEOHASH", "g", "Palermo", "none") == [b"sqc8b49rny0", None]
    assert sicily("ZSCORE", "g", "Palermo") == 3479099956230698


def test_distances(sicily: LocalClient) -> None:
    assert sicily("GEODIST", "g", "Palermo", "Catania") == b"166274.1516"
    assert sicily("GEODIST", "g", "Palermo", "Catania", "KM") == b"166.2742"
    assert sicily("GEODIST", "g", "Palermo", "Palermo") == b"0.0000"


def test_digits_of_positions(engine: Engine, sicily: LocalClient) -> None:
    newer = LocalClient(engine, protocol=3)
    words = ("GEOSEARCH", "g", "FROMMEMBER", "Palermo", "BYRADIUS", 1, "m", "WITHCOORD")
    for client, kind in ((sicily, b"$"), (newer, b",")):
        place = client.call(*words).value[0].value[1].value
        assert [part.kind for part in place] == [kind, kind]
    assert sicily.call(*words).value[0].value[1].value[0].value == b"13.36138933897018433"


def test_searching(sicily: LocalClient) -> None:
    near = ("FROMLONLAT", 15, 37)
    assert sicily("GEOSEARCH", "g", *near, "BYRADIUS", 200, "km", "ASC", "WITHDIST") == [
        [b"Catania", b"56.4413"],
        [b"Palermo", b"190.4424"],
    ]
    assert sicily("GEOSEARCH", "g", *near, "BYBOX", 100, 150, "km") == [b"Catania"]
    assert sicily("GEOSEARCH", "g", *near, "BYRADIUS", 200, "km", "COUNT", 1) == [b"Catania"]


def test_storing(sicily: LocalClient) -> None:
    near = ("FROMLONLAT", 15, 37, "BYRADIUS", 200, "km")
    assert sicily("GEOSEARCHSTORE", "d", "g", *near, "STOREDIST") == 2
    assert sicily("ZRANGE", "d", 0, -1) == [b"Catania", b"Palermo"]
    assert sicily("ZSCORE", "d", "Catania") == pytest.approx(56.4413, abs=1e-4)
    assert sicily("GEOSEARCHSTORE", "d", "none", *near) == 0
    assert sicily("EXISTS", "d") == 0
    assert sicily("COMMAND", "GETKEYS", "GEORADIUS", "g", 1, 2, 3, "m", "STORE", "d") == [
        b"g",
        b"d",
    ]
