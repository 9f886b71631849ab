"""``carnelian``: all programs by one name."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys

import pytest

from carnelian.tools.program import PROGRAMS


def run(*words: str) -> subprocess.CompletedProcess[str]:
    program = "from carnelian.tools.program import main; raise SystemExit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60
    )


def test_each_program_has_its_place() -> None:
    entries = importlib.metadata.distribution("carnelian").entry_points
    there = {each.name: each.value for each in entries if each.group == "console_scripts"}
    del there["carnelian"]
    assert {
        f"carnelian-{name}": f"{module}:main" for name, (module, _) in PROGRAMS.items()
    } == there


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_reads_its_own_arguments(name: str) -> None:
    done = run(name, "--version")
    assert done.returncode == 0
    assert "arnelian" in done.stdout


@pytest.mark.parametrize(
    "words",
    [["--help"], ["import", "--help"], ["console", "--help"], ["fleet", "--help"],
     ["fleet", "status", "--help"], ["cli", "--help"], ["check-aof", "--help"],
     ["check-rdb", "--help"], ["server", "--version"], ["sentinel", "--version"]],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("buffered", [True, False])
def test_it_ends_quietly_when_its_reader_has_gone(words: list[str], buffered: bool) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    program = "from carnelian.tools.program import main; raise SystemExit(main())"
    environment = {**os.environ, "PYTHONUNBUFFERED": "" if buffered else "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, *words],
            env=environment, stdout=writing, stderr=subprocess.PIPE, timeout=60,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert done.stderr == b""
    # argparse has no eye for what becomes of its help.
    assert done.returncode in ((141,) if buffered else (0, 141))


def test_without_a_command_it_tells_what_there_is() -> None:
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    for name in (*PROGRAMS, "import"):
        assert f"\n    {name}" in done.stderr


def test_an_unknown_command_is_refused() -> None:
    done = run("serve")
    assert done.returncode == 2
    assert "invalid choice: 'serve'" in done.stderr


def test_a_server_is_loaded_without_what_it_does_not_need() -> None:
    """It starts as quickly as under its own name."""
    program = (
        "import sys; from carnelian.tools.program import main; main(['server', '--version']); "
        "print('carnelian.embedded' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False"
