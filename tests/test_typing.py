"""What type checkers of other people's programs see of the package."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from carnelian.embedded.options.directives import NAMES, REFUSED
from carnelian.embedded.options.keywords import Directives
from support import keywords
from support.compiled import ROOT, SOURCES

STUBS = sorted(SOURCES.rglob("*.pyi"))

# Each line that a type checker is to object to, or that asks for a type, ends in a comment with
# what it has to say.
PROGRAM = '''
import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import carnelian
import carnelian.asyncio

engine = carnelian.Engine("app.db", maxmemory="100mb", save=((900, 1), (300, 10)), appendonly=True)
carnelian.Engine(Path("app.db"), clock=carnelian.ManualClock(), notify_keyspace_events="KEA")
carnelian.Engine(maxmemry=3)  # E: Unexpected keyword argument "maxmemry"
carnelian.Engine(databases=1.5)  # E: expected "int | str | bytes"
carnelian.Engine(maxmemory_policy="allkeys")  # E: expected "Literal['volatile-lru'
carnelian.Engine(tcp_backlog=511)  # E: Unexpected keyword argument "tcp_backlog"
carnelian.Engine(clock=3)  # E: expected "Clock | None"
carnelian.Engin()  # E: Module has no attribute "Engin"

engine.execute("SET", b"key", 1.5)
engine.execute()  # E: Too few arguments
engine.execute("SET", "key", None)  # E: has incompatible type "None"
reveal_type(engine.execute("GET", "key"))  # R: Any
reveal_type(engine.path)  # R: str | None
engine.path = "other.db"  # E: Property "path" defined in "Engine" is read-only
with engine as same, engine.session(db=3) as session:
    reveal_type(same)  # R: carnelian.embedded.local_engine.Engine
    reveal_type(session)  # R: carnelian.embedded.local_engine.LocalSession
    reveal_type(session.get_message(0.5))  # R: list[Any] | None
    session.on_delivery(3)  # E: has incompatible type "int"
engine.close(save=False)
engine.load_module("scores.py", 1, limit="100")


class Line(carnelian.LocalSession):
    pass


reveal_type(engine.stream())  # R: carnelian.embedded.local_engine.LocalSession
reveal_type(engine.stream(kind=Line))  # R: program.Line
engine.stream(kind=int)  # E: cannot be "int"

carnelian.ManualClock(0).advance(timedelta(seconds=1))
carnelian.ManualClock("now")  # E: has incompatible type "str"

client = carnelian.Redis("app.db", db=1, decode_responses=True, appendonly=True, host="localhost")
carnelian.Redis(sokcet_timeout=1)  # E: Unexpected keyword argument "sokcet_timeout"
reveal_type(client.engine)  # R: carnelian.embedded.local_engine.Engine
reveal_type(carnelian.Redis.from_url("redis:///1"))  # R: carnelian.embedded.client.Redis
reveal_type(carnelian.AsyncRedis())  # R: carnelian.embedded.aio.Redis
asyncio.run(carnelian.asyncio.Redis(path="app.db", hz=100).aclose())


@carnelian.command("SCORE.ADD player points:integer", "write", keys=1)
def add(session: carnelian.Session, args: list[bytes]) -> object:
    """Adds to a score."""
    reveal_type(session.db.string(args[1]))  # R: bytes | None
    reveal_type(session.db.set_string(args[1], b"3"))  # R: bool
    reveal_type(session.engine.clock.ms)  # R: int
    session.db.set_expiry(args[1], "soon")  # E: has incompatible type "str"
    session.rewrite([b"SET", args[1], b"3"])
    if len(args) > 9:
        raise carnelian.Error(3)  # E: has incompatible type "int"
    return session.call("INCRBY", args[1], 3)


reveal_type(add)  # R: def (session: carnelian.engine.session.Session, args: list[bytes]) -> object


@carnelian.command("SCORE.TOP", keys=carnelian.at(1, "RO"), categories=("fast",))  # E: "categories"
def top(session: Any, args: Any) -> Any:
    return carnelian.OK


def on_load(module: carnelian.Module) -> None:
    module.log("ready", "notice")
    reveal_type(module.config)  # R: dict[str, str]


def test_of_a_user(carnelian_engine: carnelian.Engine) -> None:
    carnelian_engine.clock.advance(1000)


try:
    engine.execute("PING")
except carnelian.DatabaseLockedError as error:
    reveal_type(error.pid)  # R: int | None
'''

EXPECTED = re.compile(r"  # ([ER]): (.*)$")


def mypy(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    environment = {"MYPYPATH": str(SOURCES), "PATH": "", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def test_a_program_is_checked_as_it_should_be(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    options = ("--strict", "--python-version=3.11", "--cache-dir", str(ROOT / ".mypy_cache"))
    run = mypy("mypy", *options, "--follow-imports=silent", "program.py", cwd=tmp_path)
    said: dict[int, str] = {}
    for line in run.stdout.splitlines():
        if line.startswith("program.py:"):
            _, place, _, text = line.split(":", 3)
            said[int(place)] = said.get(int(place), "") + text
    wrong = []
    for number, line in enumerate(PROGRAM.splitlines(), 1):
        asked = EXPECTED.search(line)
        text = said.get(number, "")
        kind, wanted = asked.groups() if asked else ("", "")
        wanted = f'Revealed type is "{wanted}"' if kind == "R" else wanted
        if bool(text) != bool(asked) or wanted not in text:
            wrong.append(f"{number}: {line}\n    {text}")
    assert not wrong, "\n".join(wrong) + run.stderr


def test_stubs_say_what_the_compiled_modules_are(tmp_path: Path) -> None:
    modules = [".".join(stub.relative_to(SOURCES).with_suffix("").parts) for stub in STUBS]
    assert modules
    # Compiled constructors without arguments do not tell that they take none.
    allowed = tmp_path / "allowed"
    allowed.write_text("carnelian.keyspace.clock.Clock.__init__\n")
    # A stub leaves out what is of the inside.
    options = ("--ignore-missing-stub", "--ignore-disjoint-bases", f"--allowlist={allowed}")
    run = mypy("mypy.stubtest", *options, "--mypy-config-file=pyproject.toml", *modules)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_types_of_keywords_are_those_of_the_declarations() -> None:
    path = SOURCES / "carnelian" / "embedded" / "options" / "keywords.py"
    assert path.read_text() == keywords.formatted(), "run: python -m tests.support.keywords"
    assert {name.replace("-", "_") for name in NAMES - REFUSED.keys()} >= set(
        Directives.__annotations__
    )


def test_the_package_brings_what_type_checkers_read() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    assert '"py.typed"' in project and '"**/*.pyi"' in project
    assert (SOURCES / "carnelian" / "py.typed").exists()
