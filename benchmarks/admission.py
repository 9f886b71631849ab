"""What it costs a command that checks of features are there, and to be a user with limits (ACL).

Compiles benchmarks/checks.py into a temporary directory. The figures are of the engine alone,
without a socket, parser and writer: what they are of a request is less. ``--module DIRECTORY``
leaves a module there instead that attaches the checks to a server, for ``compare.py``:

    benchmarks/admission.py --module /tmp/checks
    benchmarks/compare.py --ours "carnelian-server --loadmodule /tmp/checks/both.py" \
        --peer carnelian-server --tests GET,SET --pipelines 16
"""

from __future__ import annotations

import argparse
import binascii
import importlib.util
import os
import random
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import carnelian
from carnelian.engine.engine import Engine
from carnelian.engine.ground import stages
from carnelian.engine.session import Session

SOURCE = Path(__file__).with_name("checks.py")
SOURCES = Path(carnelian.__file__).parents[1]

_ATTACHING = """
import importlib.util
import carnelian
from carnelian.engine.ground import stages

@carnelian.command("checked")
def checked(session, args):
    "A module has to have a command."

def on_load(module):
    spec = importlib.util.spec_from_file_location("checks", {path!r})
    checks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(checks)
    admission = module.engine.admission
    admission.add_check(checks.Users(), stage=stages.USERS)
    admission.add_check(checks.Slots(), stage=stages.CLUSTER)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--module", type=Path, help="leave a module for a server there")
    options = parser.parse_args()
    if options.module is not None:
        options.module.mkdir(exist_ok=True)
        path = compile_checks(options.module)
        (options.module / "both.py").write_text(_ATTACHING.format(path=str(path)))
        return
    with tempfile.TemporaryDirectory() as directory:
        checks = load(compile_checks(Path(directory)))
        # What CLUSTER KEYSLOT says.
        assert checks.slot(b"x{foo}y") == checks.slot(b"foo") == 12182
        assert checks.slot(b"123456789123456789") == binascii.crc_hqx(b"123456789" * 2, 0) & 0x3FFF
        measure(checks, options.rounds)


def compile_checks(directory: Path) -> Path:
    """Build the checks in a directory; returns the path of the shared object."""
    generated, built = directory / "checks.c", directory / "checks.so"
    directives = [f"-X{each}" for each in ("boundscheck=False", "wraparound=False")]
    cython = [sys.executable, "-m", "cython", "-3", "-I", str(SOURCES), *directives]
    subprocess.run([*cython, str(SOURCE), "-o", str(generated)], check=True)
    include = sysconfig.get_path("include")
    flags = ["-O2", "-fPIC", "-shared", "-Wno-deprecated-declarations", f"-I{include}"]
    # Headers of ours that are no Cython.
    flags += [f"-I{SOURCES}", f"-I{SOURCES / 'carnelian' / 'datatypes'}"]
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, *flags, str(generated), "-o", str(built)], check=True)
    return built


def load(path: Path) -> ModuleType:
    """The module in a shared object."""
    spec = importlib.util.spec_from_file_location("checks", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measure(checks: Any, rounds: int) -> None:
    """Print nanoseconds per command with and without checks, taken in turns."""
    carnelian.Engine()  # so that there are commands
    kinds = {
        "none": lambda admission: None,
        "user, ~key:*": lambda admission: ["~key:*"],
        "user, ~*": lambda admission: ["~*"],
        "user, %R~ %W~": lambda admission: ["%R~key:*", "%W~key:*"],
        "user, 8 patterns": lambda admission: [*[f"~k{n}:*" for n in range(7)], "~key:*"],
        "user, 3 selectors": lambda admission: ["(+ping)", "(+get +set ~x*)", "(+@all ~key:*)"],
        "users": lambda a: a.add_check(checks.Users(), stage=stages.USERS),
        "users, exactly": lambda a: a.add_check(checks.Users(True), stage=stages.USERS),
        "slots": lambda a: a.add_check(checks.Slots(), stage=stages.CLUSTER),
        "users and slots": lambda a: [
            a.add_check(checks.Users(), stage=stages.USERS),
            a.add_check(checks.Slots(), stage=stages.CLUSTER),
        ],
    }
    sessions = {name: session_with(attach) for name, attach in kinds.items()}
    keys = [b"key:%012d" % random.randrange(10**6) for _ in range(1600)]
    for title, commands in (
        ("GET", [[b"GET", key] for key in keys]),
        ("SET", [[b"SET", key, b"xxx"] for key in keys]),
    ):
        times: dict[str, list[float]] = {name: [] for name in sessions}
        for _ in range(rounds):
            for name, session in sessions.items():
                began = time.perf_counter_ns()
                checks.run(session.engine, session, commands, 5)
                times[name].append((time.perf_counter_ns() - began) / 5 / len(commands))
        print(title)
        for name, each in times.items():
            ratios = [one / none for one, none in zip(each, times["none"], strict=True)]
            print(f"  {name:16} {min(each):6.1f} ns  x {statistics.median(ratios):.3f}")


def session_with(attach: Any) -> Session:
    """A session of an engine of its own, with some checks, or of a user with some rules."""
    engine = Engine()
    rules = attach(engine.admission)
    session = Session(engine)
    if isinstance(rules, list) and isinstance(rules[0], str):
        words = ["on", "nopass", "+@all", "-flushall", *rules]
        if rules[0].startswith("("):
            words[2] = "-@all"
        engine.users.set_user(b"limited", [word.encode() for word in words])
        engine.users.impersonate(session, b"limited")
    return session


if __name__ == "__main__":
    main()
