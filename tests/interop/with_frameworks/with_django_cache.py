"""Django's own cache backend and django-redis, seen from two processes."""

from __future__ import annotations

import subprocess
import sys

import django
from django.conf import settings as django_settings
from settings import HERE, part, url

BACKENDS = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": url(9),
    },
    "django_redis": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": url(10),
        "OPTIONS": {"CLIENT_CLASS": "django_redis.client.DefaultClient"},
    },
}


def _set_up() -> None:
    if not django_settings.configured:
        django_settings.configure(
            CACHES=BACKENDS,
            SESSION_ENGINE="django.contrib.sessions.backends.cache",
            INSTALLED_APPS=[],
        )
        django.setup()


def check() -> None:
    """Fails with an AssertionError, or whatever Django raises."""
    _set_up()
    from django.core.cache import caches

    for name in BACKENDS:
        with part("django_cache" if name == "default" else name):
            _check_backend(name, caches)
    with part("sessions"):
        _check_sessions()
    with part("patterns_and_expiry"):
        _check_extras(caches["django_redis"])


def _check_backend(name: str, caches) -> None:
    _check_cache(caches[name])
    caches[name].set("shared", {"seen": [1, 2, 3]}, 60)
    other = subprocess.run(
        [sys.executable, "with_django_cache.py", name], cwd=HERE, capture_output=True, text=True
    )
    assert other.returncode == 0, other.stderr
    assert caches[name].get("answer") == "from another process"
    caches[name].clear()
    assert caches[name].get("answer") is None


def _check_cache(cache) -> None:
    cache.clear()
    assert cache.get("k") is None
    assert cache.add("k", 1, 60) and not cache.add("k", 2)
    assert cache.incr("k") == 2 and cache.decr("k", 5) == -3
    cache.set_many({"a": "x", "b": {"y": 1}}, 60)
    assert cache.get_many(["a", "b", "c"]) == {"a": "x", "b": {"y": 1}}
    assert cache.touch("a", 100) and not cache.touch("nothing")
    assert cache.get_or_set("d", lambda: 5) == 5
    cache.set("k", "v", version=2)
    assert cache.get("k") == -3 and cache.get("k", version=2) == "v"
    assert cache.incr_version("k", version=2) == 3
    assert cache.has_key("b") and "c" not in cache
    assert cache.delete("b") and not cache.delete("b")
    cache.delete_many(["a", "d"])
    assert cache.get("a") is None
    cache.set("gone", 1, 0)
    assert cache.get("gone") is None


def _check_sessions() -> None:
    from django.contrib.sessions.backends.cache import SessionStore

    session = SessionStore()
    session["user"] = 7
    session.save()
    assert SessionStore(session.session_key)["user"] == 7
    session.flush()
    assert SessionStore(session.session_key).get("user") is None
    many = [SessionStore() for _ in range(300)]
    for number, each in enumerate(many):
        each["number"] = number
        each.save()
    assert [SessionStore(each.session_key)["number"] for each in many] == list(range(300))


def _check_extras(cache) -> None:
    """What django-redis has beyond Django."""
    cache.set_many({f"part:{n}": n for n in range(25)})
    assert sorted(cache.iter_keys("part:*")) == sorted(f"part:{n}" for n in range(25))
    assert cache.delete_pattern("part:*") == 25
    cache.set("timed", 1, timeout=50)
    assert 0 < cache.ttl("timed") <= 50
    assert cache.persist("timed") and cache.ttl("timed") is None
    assert cache.expire("timed", 20) and cache.pttl("timed") <= 20_000
    assert cache.set("nx", 1, nx=True) and not cache.set("nx", 2, nx=True)


def _answer(name: str) -> None:
    _set_up()
    from django.core.cache import caches

    assert caches[name].get("shared") == {"seen": [1, 2, 3]}
    caches[name].set("answer", "from another process", 60)


if __name__ == "__main__":
    _answer(sys.argv[1])
