"""The frameworks, each with its real worker."""

from __future__ import annotations

import shutil
from functools import partial

from . import toolchains
from .catalogue import Client
from .toolchains import HERE, WORK

FOLDER = HERE / "with_frameworks"
SOURCES = HERE.parents[1] / "src"


def _python(module: str, requirements: str = "requirements") -> list[str]:
    place = WORK / f"python_{requirements}"
    interpreter = toolchains.python_environment(place, FOLDER / f"{requirements}.txt")
    return [str(interpreter), str(FOLDER / "check.py"), module]


def _embedded() -> list[str]:
    """With Carnelian itself beside the frameworks, as it is built here."""
    return ["env", f"PYTHONPATH={SOURCES}", *_python("embedded")]


def _of_python(name: str, module: str, *requirements: str) -> Client:
    return Client(name, "Python", partial(_python, module, *requirements), light=True)


def _bullmq() -> list[str]:
    toolchains.need("nodejs npm", "node", "npm")
    place = WORK / "node_frameworks"
    shutil.copytree(FOLDER / "node", place, dirs_exist_ok=True)
    toolchains.npm_install(place)
    return ["node", str(place / "bullmq.js")]


def _sidekiq() -> list[str]:
    toolchains.need("ruby ruby-sidekiq", "ruby", "sidekiq")
    return ["ruby", str(FOLDER / "ruby" / "sidekiq.rb")]


def _exporter() -> list[str]:
    toolchains.need("prometheus-redis-exporter", "prometheus-redis-exporter")
    return _python("exporter")


FRAMEWORKS = (
    _of_python("redis-py locks", "locks"),
    _of_python("limits", "limits"),
    _of_python("Flask-Limiter, Flask-Session", "flask"),
    _of_python("Django caches and sessions", "django_cache"),
    _of_python("Huey", "huey"),
    _of_python("RQ", "rq"),
    _of_python("Dramatiq", "dramatiq"),
    _of_python("arq", "arq", "requirements_older"),
    Client("taskiq", "Python", partial(_python, "taskiq")),
    _of_python("channels_redis", "channels"),
    _of_python("python-socketio", "socketio"),
    _of_python("redis-om", "redis_om", "requirements_older"),
    _of_python("Celery", "celery"),
    Client("RQ, Huey, Dramatiq, limits, Flask-Session, embedded", "Python", _embedded, light=True),
    Client("BullMQ", "Node.js", _bullmq, light=True),
    Client("Sidekiq", "Ruby", _sidekiq),
    Client("spring-data-redis", "Java", lambda: toolchains.java("WithSpring")),
    Client("Redisson locks", "Java", lambda: toolchains.java("RedissonLocks")),
    Client("redis_exporter", "Go", _exporter),
)
