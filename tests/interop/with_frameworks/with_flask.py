"""Flask-Limiter and Flask-Session, seen by two applications that share the server."""

from __future__ import annotations

import flask
import redis
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_session import Session
from settings import part, url


def _application() -> flask.Flask:
    app = flask.Flask("interop")
    app.config["SESSION_TYPE"] = "redis"
    app.config["SESSION_REDIS"] = redis.Redis.from_url(url(13))
    Session(app)
    limiter = Limiter(
        get_remote_address,
        app=app,
        storage_uri=url(13),
        strategy="moving-window",
        headers_enabled=True,
    )

    @app.get("/limited")
    @limiter.limit("20 per hour")
    def limited() -> str:
        return "fine"

    @app.get("/visits")
    @limiter.exempt
    def visits() -> str:
        flask.session["visits"] = flask.session.get("visits", 0) + 1
        return str(flask.session["visits"])

    @app.get("/leave")
    def leave() -> str:
        flask.session.clear()
        return "gone"

    return app


def check() -> None:
    """Fails with an AssertionError, or whatever Flask raises."""
    client = redis.Redis.from_url(url(13))
    client.flushdb()
    browsers = [_application().test_client() for _ in range(2)]
    with part("limits"):
        _check_limits(browsers)
    with part("sessions"):
        _check_sessions(client, browsers)


def _check_limits(browsers) -> None:
    answers = [browsers[n % 2].get("/limited").status_code for n in range(30)]
    assert answers.count(200) == 20 and answers.count(429) == 10, answers
    assert browsers[0].get("/limited").headers["X-RateLimit-Remaining"] == "0"


def _check_sessions(client: redis.Redis, browsers) -> None:
    assert [browsers[0].get("/visits").text for _ in range(3)] == ["1", "2", "3"]
    cookie = browsers[0].get_cookie("session")
    browsers[1].set_cookie("session", cookie.value)
    assert browsers[1].get("/visits").text == "4"
    assert len(client.keys("session:*")) == 1
    assert client.ttl(client.keys("session:*")[0]) > 0
    browsers[0].get("/leave")
    assert client.keys("session:*") == []
