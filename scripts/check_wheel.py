"""Checks a built wheel: what is in it, and that it works where there is no compiler.

    python scripts/check_wheel.py dist/carnelian-0.1.0-cp313-cp313-manylinux_2_28_x86_64.whl

A new environment is made for it in a temporary folder, and ``check_install.py`` runs there.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src"

# What has no business in a wheel: sources of C, tests, what the build or the interpreter leaves.
UNWANTED = re.compile(r"\.(c|h|o|pyc|pyx|html)$|(^|/)(tests|benchmarks|build|__pycache__)/")

# The C interface of an extension: nothing but these may be linked to.
SYSTEM_LIBRARIES = re.compile(r"lib(c|m|dl|pthread|rt)\.so\.\d+|ld-linux.*|libc\.musl-.*")


class WheelError(Exception):
    """The wheel is not as it should be; the text says how."""


def main() -> int:
    """Run the checks; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--contents-only", action="store_true", help="do not install it")
    options = parser.parse_args()
    try:
        for line in check_contents(options.wheel):
            print(line)
        if not options.contents_only:
            check_use(options.wheel)
    except WheelError as error:
        print(f"{options.wheel.name}: {error}", file=sys.stderr)
        return 1
    return 0


def check_contents(wheel: Path) -> list[str]:
    """What is in a wheel, as lines to be printed. Raises WheelError."""
    with zipfile.ZipFile(wheel) as archive:
        sizes = {each.filename: each.file_size for each in archive.infolist()}
        linked = _linked(archive, [name for name in sizes if name.endswith(".so")])
    if unwanted := [name for name in sizes if UNWANTED.search(name)]:
        raise WheelError(f"{unwanted[0]} does not belong into it ({len(unwanted)} such files)")
    for name in source_files():
        if name not in sizes:
            raise WheelError(f"{name} is missing: is it package-data in pyproject.toml?")
    modules = {name.split(".")[0].replace("/", ".") for name in sizes if name.endswith(".so")}
    if modules != (wanted := compiled_modules()):
        raise WheelError(f"compiled are not the modules of setup.py: {modules ^ wanted}")
    for name in _installed_beside():
        if not any(each.endswith(f".data/data/{name}") for each in sizes):
            raise WheelError(f"{name} is missing")
    if foreign := {each for each in linked if not SYSTEM_LIBRARIES.fullmatch(each)}:
        raise WheelError(f"it is linked to {', '.join(sorted(foreign))}")
    kinds = Counter(Path(name).suffix or "other" for name in sizes)
    total = sum(sizes.values()) / 1e6
    return [
        f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, {total:.1f} MB installed",
        ", ".join(f"{count} {kind}" for kind, count in kinds.most_common()),
        f"linked to {', '.join(sorted(linked)) or 'nothing that could be looked at'}",
    ]


def source_files() -> list[str]:
    """All files of the package but those that were built, by their names in a wheel."""
    paths = [path for path in (SOURCES / "carnelian").rglob("*") if path.is_file()]
    names = [path.relative_to(SOURCES).as_posix() for path in paths]
    return [name for name in names if not (UNWANTED.search(name) or name.endswith(".so"))]


def compiled_modules() -> set[str]:
    """The modules that ``setup.py`` compiles."""
    text = (ROOT / "setup.py").read_text()
    lists = re.findall(r"^(?:COMPILED|WHOLE) = \((.*?)^\)", text, re.MULTILINE | re.DOTALL)
    return set(re.findall(r'"([\w.]+)"', "".join(lists)))


def _installed_beside() -> list[str]:
    """Manual pages, completions and units, as paths under the prefix."""
    shared = [path for path in (ROOT / "share").rglob("*") if path.is_file()]
    others = [ROOT / "carnelian.conf", *(ROOT / "deploy" / "systemd").iterdir()]
    names = [path.relative_to(ROOT).as_posix() for path in shared]
    return names + [f"share/carnelian/{path.name}" for path in others]


def _linked(archive: zipfile.ZipFile, names: list[str]) -> set[str]:
    """The libraries that shared objects need; none where there is no readelf."""
    if not shutil.which("readelf"):
        return set()
    with tempfile.TemporaryDirectory() as folder:
        paths = [archive.extract(name, folder) for name in names]
        told = subprocess.run(
            ["readelf", "--wide", "--dynamic", *paths], capture_output=True, text=True
        ).stdout
    if runpaths := set(re.findall(r"\(R(?:UN)?PATH\).*\[(.*)\]", told)):
        raise WheelError(f"libraries would be looked for in {', '.join(sorted(runpaths))}")
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", told))


def check_use(wheel: Path) -> None:
    """Install a wheel into a new environment, and use it there. Raises WheelError."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "venv")
        venv.create(home, with_pip=True)
        python = str(home / "bin" / "python")
        # Nothing is found that could compile: a wheel must not need it.
        environment = {"PATH": str(home / "bin"), "HOME": folder, "PIP_CACHE_DIR": _cache()}
        environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        install = [python, "-m", "pip", "install", "-q", "--only-binary=:all:"]
        run([*install, f"{wheel.resolve()}[client]", "pytest"], folder, environment)
        if client := shutil.which("redis-cli"):
            environment["REDIS_CLI"] = client
        run([python, str(ROOT / "scripts" / "check_install.py")], folder, environment)


def _cache() -> str:
    """Where pip keeps what it has downloaded."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.environ.get("PIP_CACHE_DIR") or os.path.join(home, "pip")


def run(command: list[str], folder: str, environment: dict[str, str]) -> None:
    """Run a program that has to succeed. Raises WheelError."""
    done = subprocess.run(command, cwd=folder, env=environment)
    if done.returncode:
        raise WheelError(f"{' '.join(command[:4])} ended with status {done.returncode}")


if __name__ == "__main__":
    raise SystemExit(main())
