"""Has mypy check what is compiled: ``python -m tests.shadow``.

In a source that is compiled, all that comes from ``cython.cimports`` is unknown to type checkers.
So a shadow of the sources is made, in which those imports are plain ones, classes have the fields
of their headers, and numbers of C are numbers. Lines are where they are in the sources.

``[tool.shadow]`` of pyproject.toml has the settings.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from shadow.sources import Shadows  # noqa: E402

SHADOW = ROOT / "build" / "shadow"


def settings() -> str:
    """The settings in the form of a file of mypy."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["shadow"]
    lines = ["[mypy]"]
    lines += [f"{name} = {_value(value)}" for name, value in table.items() if name != "overrides"]
    for override in table.get("overrides", ()):
        lines.append("[mypy-" + ",".join(override.pop("module")) + "]")
        lines += [f"{name} = {_value(value)}" for name, value in override.items()]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def main() -> int:
    """Make the shadow, check it, and tell what is wrong in terms of the sources."""
    shutil.rmtree(SHADOW, ignore_errors=True)
    Shadows(ROOT / "src").write(SHADOW)
    shutil.copytree(ROOT / "tests" / "shadow" / "stubs", SHADOW, dirs_exist_ok=True)
    (SHADOW / "mypy.ini").write_text(settings())
    cache = ROOT / ".mypy_cache" / "shadow"
    command = ["mypy", "--config-file=mypy.ini", f"--cache-dir={cache}", "-p", "carnelian"]
    run = subprocess.run(
        [sys.executable, "-m", *command], cwd=SHADOW, capture_output=True, text=True
    )
    print(run.stdout.replace("\ncarnelian/", "\nsrc/carnelian/"), end="")
    print(run.stderr, end="", file=sys.stderr)
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
