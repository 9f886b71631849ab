"""Run the check of a framework of Python's world, with a real worker.

    REDIS_PORT=6379 python check.py celery

Prints a line for each part of the check, as the programs of languages/ do.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import traceback

import settings

# The distribution whose version is told, where its name is not that of the check.
DISTRIBUTIONS = {
    "channels": "channels_redis", "django_cache": "django-redis", "embedded": "",
    "exporter": "", "flask": "flask-limiter", "locks": "redis", "socketio": "python-socketio",
    "taskiq": "taskiq-redis", "redis_om": "redis-om",
}  # fmt: skip


def main() -> int:
    name = sys.argv[1]
    distribution = DISTRIBUTIONS.get(name, name)
    if distribution:
        print(f"version {distribution} {importlib.metadata.version(distribution)}", flush=True)
    try:
        importlib.import_module(f"with_{name}").check()
    except Exception as error:
        traceback.print_exc()
        part = settings.parts[-1] if settings.parts else "check"
        text = " ".join(f"{type(error).__name__} {error}".split())
        print(f"fail {part}: {text:.300}", flush=True)
        return 1
    if not settings.parts:
        print("ok check", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
