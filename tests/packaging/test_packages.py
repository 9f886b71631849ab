"""What goes into the archive of sources and into wheels."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import check_wheel
from support.compiled import ROOT, modules
from support.servers import require

# What only who works on the project's repository needs.
NOT_PACKED = (".github/", ".gitignore")


def test_the_archive_of_sources_is_whole(tmp_path: Path) -> None:
    require("git", "git")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no repository")
    run = subprocess.run(
        [sys.executable, "setup.py", "-q", "egg_info", "-e", str(tmp_path), "sdist"]
        + ["--dist-dir", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "CARNELIAN_WITHOUT_EXTENSIONS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    [path] = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        packed = {each.name.partition("/")[2] for each in archive.getmembers() if each.isfile()}
    names = [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]
    wanted = {name for name in names if not name.startswith(NOT_PACKED)}
    assert wanted - packed == set()
    made = {name for name in packed - wanted if "egg-info" not in name}
    assert made == {"PKG-INFO", "setup.cfg"}


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """The names of what a wheel has to have."""
    names = check_wheel.source_files()
    assert "carnelian/py.typed" in names
    assert "carnelian/engine/engine.pxd" in names
    names += [f"{name.replace('.', '/')}.cpython-311-x.so" for name in modules()]
    beside = [path for path in (ROOT / "share").rglob("*") if path.is_file()]
    names += [f"carnelian-0.1.0.data/data/{path.relative_to(ROOT)}" for path in beside]
    copied = ["carnelian.conf", *(path.name for path in (ROOT / "deploy" / "systemd").iterdir())]
    names += [f"carnelian-0.1.0.data/data/share/carnelian/{name}" for name in copied]
    return dict.fromkeys(names, "")


def wheel(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path / "carnelian.whl", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path / "carnelian.whl"


def test_a_whole_wheel_passes(tmp_path: Path, files: dict[str, str]) -> None:
    lines = check_wheel.check_contents(wheel(tmp_path, files))
    assert f"{len(modules())} .so" in lines[1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("carnelian/engine/engine.c", "does not belong into it"),
        ("tests/test_build.py", "does not belong into it"),
        ("carnelian/__pycache__/x.cpython-311.pyc", "does not belong into it"),
        ("carnelian/extra.cpython-311-x.so", "compiled are not the modules of setup.py"),
    ],
)
def test_what_does_not_belong_is_found(
    tmp_path: Path, files: dict[str, str], name: str, message: str
) -> None:
    with pytest.raises(check_wheel.WheelError, match=message):
        check_wheel.check_contents(wheel(tmp_path, {**files, name: ""}))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("carnelian/py.typed", "carnelian/py.typed is missing"),
        (
            "carnelian-0.1.0.data/data/share/carnelian/carnelian-server.service",
            "share/carnelian/carnelian-server.service is missing",
        ),
        ("carnelian/engine/engine.pxd", "carnelian/engine/engine.pxd is missing"),
        ("carnelian/engine/engine.cpython-311-x.so", "compiled are not the modules of setup.py"),
        (
            "carnelian-0.1.0.data/data/share/man/man1/carnelian-server.1",
            "share/man/man1/carnelian-server.1 is missing",
        ),
    ],
)
def test_what_is_missing_is_found(
    tmp_path: Path, files: dict[str, str], name: str, message: str
) -> None:
    assert name in files
    rest = {each: text for each, text in files.items() if each != name}
    with pytest.raises(check_wheel.WheelError, match=message):
        check_wheel.check_contents(wheel(tmp_path, rest))


def test_setup_and_check_agree_on_what_is_compiled() -> None:
    assert check_wheel.compiled_modules() == set(modules())
