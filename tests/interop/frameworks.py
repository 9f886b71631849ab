"""The frameworks, each with its real worker."""

from __future__ import annotations

import shutil
from functools import partial

from . import toolchains
from .catalogue import Client
from .toolchains import HERE, WORK

FOLDER = HERE / "with_frameworks"


def _python(module: str) -> list[str]:
    place = WORK / "frameworks"
    interpreter = toolchains.python_environment(place, FOLDER / "requirements.txt")
    return [str(interpreter), str(FOLDER / "check.py"), module]


def _of_python(name: str, module: str) -> Client:
    return Client(name, "Python", partial(_python, module), light=True)


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
    _of_python("arq", "arq"),
    _of_python("taskiq", "taskiq"),
    _of_python("channels_redis", "channels"),
    _of_python("python-socketio", "socketio"),
    _of_python("redis-om", "redis_om"),
    _of_python("Celery", "celery"),
    _of_python("embedded: RQ, Huey, limits, Flask-Session", "embedded"),
    Client("BullMQ", "Node.js", _bullmq, light=True),
    Client("Sidekiq", "Ruby", _sidekiq),
    Client("spring-data-redis", "Java", lambda: toolchains.java("WithSpring")),
    Client("Redisson locks", "Java", lambda: toolchains.java("RedissonLocks")),
    Client("redis_exporter", "Go", _exporter),
)
