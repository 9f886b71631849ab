"""The frameworks, each with its real worker."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from . import toolchains
from .outcomes import Outcome
from .peers import Peers
from .toolchains import HERE, WORK, Missing

FOLDER = HERE / "with_frameworks"
# Seconds that one may take.
PATIENCE = 400


@dataclass(frozen=True)
class Framework:
    """A framework; ``prepare`` installs it and returns how its check is started."""

    name: str
    language: str
    prepare: Callable[[], list[str]]
    light: bool = True


def _python(module: str) -> list[str]:
    place = WORK / "frameworks"
    interpreter = toolchains.python_environment(place, FOLDER / "requirements.txt")
    return [str(interpreter), str(FOLDER / "check.py"), module]


def _of_python(name: str, module: str, light: bool = True) -> Framework:
    return Framework(name, "Python", partial(_python, module), light)


FRAMEWORKS = (
    _of_python("redis-py locks", "locks"),
    _of_python("limits", "limits"),
    _of_python("Django caches and sessions", "django_cache"),
    _of_python("Huey", "huey"),
    _of_python("RQ", "rq"),
    _of_python("Dramatiq", "dramatiq"),
    _of_python("channels_redis", "channels"),
    _of_python("Celery", "celery"),
)


def attempt(framework: Framework, found: Peers) -> Outcome:
    """Run the check of a framework."""
    outcome = Outcome(framework.name, framework.language)
    try:
        command = framework.prepare()
    except Missing as error:
        outcome.skipped = str(error)
        return outcome
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        outcome.read("fail build: it could not be built", 1)
        return outcome
    found.make_ready()
    started = time.monotonic()
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **found.environment()},
            cwd=WORK,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired as error:
        printed = error.stdout or b""
        outcome.read(printed.decode(errors="replace"), 1)
        outcome.why["end"] = f"still running after {PATIENCE} s"
    else:
        outcome.read(done.stdout, done.returncode)
    outcome.seconds = time.monotonic() - started
    return outcome
