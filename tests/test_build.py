"""What the build asks for, and what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.compiled import ROOT

# Runs setup.py as far as the choice of a compiler, after the statements that are put before it.
SETUP = """
import os, runpy, sys, sysconfig
{before}
sys.argv = ["setup.py", "--version"]
runpy.run_path("setup.py")
print(os.environ.get("CC"))
"""


def setup(path: Path, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run setup.py where the programs of one directory are found."""
    return subprocess.run(
        [sys.executable, "-c", SETUP.format(before=before)],
        cwd=ROOT,
        env={"PATH": str(path), **environment},
        capture_output=True,
        text=True,
    )


def provide(directory: Path, name: str) -> None:
    (directory / name).write_text("#!/bin/sh\n")
    (directory / name).chmod(0o755)


def test_without_a_compiler_it_says_what_to_install(tmp_path: Path) -> None:
    run = setup(tmp_path)
    assert run.returncode == 1
    assert run.stderr == (
        "Carnelian is compiled when it is installed, and there is no C compiler: install gcc or "
        "clang (Debian: apt install gcc python3-dev), or say in CC which one to use\n"
    )


@pytest.mark.parametrize("name", ["cc", "gcc", "clang"])
def test_any_compiler_will_do(tmp_path: Path, name: str) -> None:
    provide(tmp_path, name)
    usual = "sysconfig.get_config_vars()['CC'] = 'made-with -pthread'"
    assert setup(tmp_path, usual).stdout.split() == ["0.1.0", name]


def test_the_compiler_of_this_python_is_preferred(tmp_path: Path) -> None:
    provide(tmp_path, "cc")
    provide(tmp_path, "made-with")
    usual = "sysconfig.get_config_vars()['CC'] = 'made-with -pthread'"
    assert setup(tmp_path, usual).stdout.split() == ["0.1.0", "None"]


def test_the_environment_decides(tmp_path: Path) -> None:
    assert setup(tmp_path, CC="ccache tcc").stdout.split() == ["0.1.0", "ccache", "tcc"]


def test_without_headers_it_says_what_to_install(tmp_path: Path) -> None:
    provide(tmp_path, "cc")
    run = setup(tmp_path, f"sysconfig.get_path = lambda name: {str(tmp_path)!r}")
    assert run.returncode == 1
    assert run.stderr == (
        f"Carnelian is compiled when it is installed, and {tmp_path}/Python.h is missing: install "
        "the headers of this Python (Debian: apt install python3-dev; Fedora: python3-devel)\n"
    )


# A Python that is too old, or that Debian has taken apart, in front of the real one.
OLD = "sys.version_info = (3, 9, 2)"
APART = "sys.modules['ensurepip'] = None"


@pytest.mark.parametrize(
    ("python", "message"),
    [
        (OLD, "Python 3.11 or newer is needed; {python} is 3.9 (make PYTHON=python3.12 names "),
        (APART, "{python} has no venv module (Debian and Ubuntu: apt install python3-venv)"),
        (None, "Python 3.11 or newer is needed (make PYTHON=... names it)"),
    ],
    ids=["old", "without venv", "none"],
)
def test_make_says_which_python_it_needs(tmp_path: Path, python: str | None, message: str) -> None:
    other = tmp_path / "python"
    if python:
        other.write_text(f"#!{sys.executable}\nimport sys\n{python}\nexec(sys.argv[2])\n")
        other.chmod(0o755)
    venv = tmp_path / "venv"
    run = subprocess.run(
        ["make", "build", f"PYTHON={other}", f"VENV={venv}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2
    assert message.format(python=other) in run.stdout + run.stderr
    assert not venv.exists()
