"""How the program of a language comes to be: what it needs, how it is built, how it is started."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import venv
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
LANGUAGES = HERE / "languages"
WORK = HERE.parents[1] / "build" / "interop"

# Seconds for fetching what is needed and building it.
BUILD_SECONDS = 1800


class Missing(Exception):
    """Something that is not on this machine, and how to get it."""


def need(package: str, *programs: str) -> None:
    """Raise Missing unless all of the programs are there."""
    absent = [program for program in programs if shutil.which(program) is None]
    if absent:
        raise Missing(f"{', '.join(absent)} (apt install {package})")


def need_module(package: str, *command: str) -> None:
    """Raise Missing unless a command succeeds that asks an interpreter for a module."""
    if subprocess.run(command, capture_output=True, timeout=60).returncode:
        raise Missing(f"apt install {package}")


def build(*command: str | Path, cwd: Path, **environment: str) -> None:
    """Run a step of a build; heavy ones let others go first. Raises RuntimeError if it fails."""
    nice = ["nice", "-n", "19"] if shutil.which("nice") else []
    done = subprocess.run(
        [*nice, *map(str, command)],
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_SECONDS,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stdout[-6000:]}")


def once(place: Path, sources: list[Path], make: Callable[[], None]) -> None:
    """Make something again only if a file that it is made of has changed."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    stamp = place / f".made-{sources[0].name}"
    if stamp.exists() and stamp.read_text() == digest:
        return
    make()
    stamp.write_text(digest)


def copied(language: str) -> Path:
    """The folder of a language below build/, where tools may leave what they make."""
    place = WORK / language
    shutil.copytree(LANGUAGES / language, place, dirs_exist_ok=True)
    return place


def python_environment(place: Path, requirements: Path) -> Path:
    """An environment with packages of its own; its interpreter."""
    python = place / "bin" / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
    pip = (python, "-m", "pip", "-q", "--disable-pip-version-check", "install")
    once(place, [requirements], lambda: build(*pip, "-r", requirements, cwd=place))
    return python


def python(program: str, *words: str) -> list[str]:
    """A program of languages/python."""
    folder = LANGUAGES / "python"
    interpreter = python_environment(WORK / "python", folder / "requirements.txt")
    return [str(interpreter), str(folder / program), *words]


def node(program: str) -> list[str]:
    """A program of languages/node."""
    need("nodejs npm", "node", "npm")
    place = copied("node")
    npm_install(place)
    return ["node", str(place / program)]


def npm_install(place: Path) -> None:
    """Fetch what the package.json of a folder asks for."""
    install = ("npm", "install", "--silent", "--no-audit", "--no-fund")
    once(place, [place / "package.json"], lambda: build(*install, cwd=place))


def go(program: str) -> list[str]:
    """A program of languages/go, each in a folder of its own."""
    need("golang-go", "go")
    place = copied("go")
    sources = [*place.glob(f"{program}/*.go"), *place.glob("steps/*.go"), place / "go.mod"]
    made = place / f"{program}.out"
    command = ("go", "build", "-p", "1", "-o", made, f"./{program}")
    once(place / program, sources, lambda: build(*command, cwd=place, GOFLAGS="-mod=mod"))
    return [str(made)]


def c(compiler: str, program: str, package: str, *words: str) -> list[str]:
    """A program of one file, for gcc and its kin; the words are options of the compiler."""
    need(package.split()[0], compiler)
    header = (
        "#include <Poco/Redis/Client.h>" if "poco" in package else "#include <hiredis/hiredis.h>"
    )
    if subprocess.run(
        [compiler, "-E", "-xc++" if "poco" in package else "-xc", "-"],
        input=header.encode(),
        capture_output=True,
        timeout=60,
    ).returncode:
        raise Missing(f"apt install {package}")
    folder = {".c": "c", ".cpp": "cpp", ".m": "objc"}[Path(program).suffix]
    place = copied(folder)
    made = place / Path(program).stem
    command = (compiler, "-O1", "-g", "-Wall", program, "-o", str(made), *words)
    once(place, [place / program], lambda: build(*command, cwd=place))
    return [str(made)]


def ruby(program: str) -> list[str]:
    """A program of languages/ruby, with Debian's redis-rb."""
    need("ruby ruby-redis", "ruby")
    need_module("ruby-redis", "ruby", "-e", "require 'redis'")
    return ["ruby", str(LANGUAGES / "ruby" / program)]


def php(program: str, package: str, check: str) -> list[str]:
    """A program of languages/php."""
    need(f"php-cli {package}", "php")
    need_module(package, "php", "-r", check)
    return ["php", str(LANGUAGES / "php" / program)]


def lua(program: str) -> list[str]:
    """A program of languages/lua."""
    need("lua5.1 lua-redis", "lua5.1")
    need_module("lua-redis", "lua5.1", "-e", "require 'redis'")
    return ["lua5.1", str(LANGUAGES / "lua" / program)]


def java(program: str) -> list[str]:
    """A class of languages/java, which Maven builds with all three clients."""
    need("openjdk-17-jdk-headless maven", "javac", "mvn")
    place = copied("java")
    sources = [place / "pom.xml", *sorted(place.glob("src/**/*.java"))]
    command = ("mvn", "-q", "-B", "compile", "dependency:copy-dependencies")
    once(place, sources, lambda: build(*command, cwd=place, MAVEN_OPTS="-Xmx512m"))
    path = f"{place}/target/classes:{place}/target/dependency/*"
    return ["java", "-Xmx256m", "-XX:+UseSerialGC", "-cp", path, program]


def rust(program: str) -> list[str]:
    """A program of languages/rust."""
    need("cargo", "cargo")
    place = copied("rust")
    sources = [place / "Cargo.toml", place / "Cargo.lock", *sorted(place.glob("src/*.rs"))]
    command = ("cargo", "build", "--quiet", "--locked", "-j", "1")
    once(place, sources, lambda: build(*command, cwd=place))
    return [str(place / "target" / "debug" / program)]


def csharp() -> list[str]:
    """The program of languages/csharp."""
    if shutil.which("dotnet") is None:
        raise Missing("the .NET SDK (languages/csharp/README.md)")
    place = copied("csharp")
    command = ("dotnet", "build", "-v", "quiet", "-o", place / "made")
    once(
        place, [place / "Program.cs", place / "scenario.csproj"], lambda: build(*command, cwd=place)
    )
    return ["dotnet", str(place / "made" / "scenario.dll")]


def swift() -> list[str]:
    """The program of languages/swift."""
    if shutil.which("swift") is None:
        raise Missing("Swift (languages/swift/README.md)")
    place = copied("swift")
    source = place / "Sources" / "Scenario" / "main.swift"
    once(place, [source], lambda: build("swift", "build", cwd=place))
    return [str(place / ".build" / "debug" / "Scenario")]
