"""Each block of Python in the documents runs as it stands, and gives what its comments say."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from carnelian.embedded.testing.cluster_process import ClusterProcess
from docs.blocks import Block, blocks, program, write_files
from server.peers import ServerProcess
from support.compiled import ROOT, SOURCES

PYTHON = blocks("python")
# What blocks use that is no part of the project, and how pip knows it.
PEERS = {"django": "django", "fastapi": "fastapi httpx", "freezegun": "freezegun"}
PLUGIN = ("-p", "carnelian.embedded.testing.pytest_plugin", "-p", "no:cacheprovider", "-q")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """The server of a block that needs one: those of the pages are on the usual port."""
    server = ServerProcess(tmp_path, "--save", "")
    yield server.wait_until_ready()
    server.stop()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterProcess]:
    """The cluster of the blocks that talk to one."""
    cluster = ClusterProcess(tmp_path_factory.mktemp("clusters") / "cluster")
    yield cluster
    cluster.stop()


def run(directory: Path, *arguments: str, path: str = "") -> None:
    """Run Python in a directory, where it has to succeed."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Where unittest says how it went.
    assert done.stderr == "" or re.search(r"^OK\n\Z", done.stderr, re.MULTILINE)


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_it_runs(block: Block, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    require_peers(block)
    write_files(block.page, tmp_path)
    text, _ = program(block)
    if "LocalClient" in text:
        run_in_house(block, tmp_path)
        return
    if "def test_" in text:
        (tmp_path / "test_block.py").write_text(block.text)
        run(tmp_path, "-m", "pytest", *PLUGIN, "test_block.py")
        return
    if "redis.Redis()" in text and "carnelian.Redis()" not in text:
        port = request.getfixturevalue("server").port
        text = text.replace("redis.Redis()", f"redis.Redis(port={port})")
    if "RedisCluster(" in text:
        cluster = request.getfixturevalue("cluster")
        text, made = re.subn(r"\bport=700\d\b", f"port={cluster.port}", text)
        assert made == 1
    (tmp_path / "block.py").write_text(text)
    run(tmp_path, "block.py")


def test_no_block_of_python_is_left_out() -> None:
    """Those that need machines of their own are counted here, so that no other joins them."""
    pages = [block.page.name for block in blocks("py", "python3", "pycon")]
    assert pages == ["replication.md", "sentinel.md"]


def require_peers(block: Block) -> None:
    """Skip a block that uses what is not installed, saying what to install; fail it in CI."""
    for module, packages in PEERS.items():
        if re.search(rf"^(?:from|import) {module}\b", block.text, re.MULTILINE) is None:
            continue
        if importlib.util.find_spec(module) is None:
            message = f"this test needs {module} (pip install {packages})"
            if os.environ.get("CI"):
                pytest.fail(message)
            pytest.skip(message)


def run_in_house(block: Block, directory: Path) -> None:
    """Run a block of tests for a new family of commands, in a copy of the package that has it."""
    commands = directory / "src" / "carnelian" / "commands"
    shutil.copytree(SOURCES, directory / "src", copy_function=os.symlink)
    write_files(block.page, commands)
    (commands / str(block.name)).rename(directory / "test_block.py")
    path = os.pathsep.join([str(directory / "src"), str(ROOT / "tests")])
    run(directory, "-m", "pytest", *PLUGIN, "-p", "conftest", "test_block.py", path=path)


def test_values_in_comments_are_checked() -> None:
    block = Block(ROOT / "README.md", 1, "python", "x = 1\nx  # 2\nx  # two\nif x:\n    x  # 1\n")
    text, made = program(block)
    assert made == 2
    with pytest.raises(AssertionError, match=r"\(2, 1\)"):
        exec(text, {})


def test_there_are_such_values() -> None:
    assert sum(program(block)[1] for block in PYTHON) >= 15


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/*.py")), ids=lambda path: path.stem)
def test_examples_say_how_they_are_used(path: Path, tmp_path: Path) -> None:
    """Their docstring ends with lines for one's own process; they run from the project's root."""
    text = path.read_text().split('"""')[1]
    lines = text.rpartition("::\n")[2].splitlines()
    code = "\n".join(line.strip() for line in lines)
    run(ROOT, "-c", f"{code}\nassert engine.execute('MODULE', 'LIST')")
