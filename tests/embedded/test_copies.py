"""An engine is not copied: a copy would be a second owner, whose end would be the first one's."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import carnelian
from carnelian.embedded.client import Connection

WAYS: list[Callable[[Any], object]] = [copy.copy, copy.deepcopy, pickle.dumps]


@pytest.fixture
def engine():
    with carnelian.Engine() as engine:
        engine.execute("SET", "k", "v")
        yield engine


@pytest.mark.parametrize("way", WAYS)
def test_an_engine_and_what_holds_it(engine, way):
    for held in (engine, engine.host, engine.core):
        with pytest.raises(TypeError, match=r"^an engine cannot be copied or pickled$"):
            way(held)
    assert engine.execute("GET", "k") == b"v"


@pytest.mark.parametrize("way", WAYS)
def test_a_session(engine, way):
    session, stream = engine.session(), engine.stream()
    for held in (session, session.box, stream):
        with pytest.raises(TypeError, match=r"^a session cannot be copied or pickled$"):
            way(held)
    assert session.execute("GET", "k") == b"v"


@pytest.mark.parametrize("way", WAYS)
def test_a_connection(engine, way):
    connection = Connection(engine=engine)
    connection.connect()
    with pytest.raises(TypeError, match=r"^a connection cannot be copied or pickled$"):
        way(connection)
    connection.send_command("GET", "k")
    assert connection.read_response() == b"v"


@pytest.mark.parametrize("kind", [carnelian.Redis, carnelian.AsyncRedis])
@pytest.mark.parametrize("way", [copy.deepcopy, pickle.dumps])
def test_a_client_is_no_more_copied_than_one_of_a_server(engine, way, kind):
    client = kind(engine=engine)
    with pytest.raises(TypeError, match="cannot be pickled or deeply copied"):
        way(client)
    assert copy.copy(client).connection_pool is client.connection_pool


def test_a_shallow_copy_of_a_client_shares_its_connections(engine):
    """As with redis.Redis; its end is not the end of the other."""
    client = carnelian.Redis(engine=engine)
    twin = copy.copy(client)
    assert twin.get("k") == b"v"
    del twin
    assert client.get("k") == b"v"
