"""Lays out a run tree: the suite's files, our server in the place of theirs, Debian's tools."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from .expected import Unit
from .source import REPOSITORY, Missing

# What the suite calls beside the server, and the Debian package that has it.
TOOLS = {
    "redis-cli": "redis-tools",
    "redis-benchmark": "redis-tools",
    "redis-check-rdb": "redis-tools",
    "redis-check-aof": "redis-tools",
}
# Those of them that stand in this source tree, too, and are tested with its server.
OURS = {"redis-check-rdb": "check_rdb", "redis-check-aof": "check_aof"}
# Other suites, and modules in C.
_NOT_NEEDED = frozenset(("tests/tmp", "tests/cluster", "tests/sentinel", "tests/modules"))


def require_tools() -> str:
    """The path of tclsh; raises Missing with what to install where a tool is absent."""
    wanted = dict(TOOLS, ps="procps")
    packages = {package for tool, package in wanted.items() if shutil.which(tool) is None}
    found = (shutil.which(name) for name in ("tclsh8.6", "tclsh8.5", "tclsh8.7", "tclsh"))
    tclsh = next((path for path in found if path), None)
    if tclsh is None:
        packages.add("tcl")
    if packages or tclsh is None:
        raise Missing(f"install first: apt-get install {' '.join(sorted(packages))}")
    return tclsh


def lay_out(
    folder: Path,
    source: Path,
    server: list[str] | None,
    unit: Unit,
    certificates: Path | None = None,
) -> None:
    """Makes ``folder`` a place where the suite runs ``unit`` against ``server``.

    ``server`` is the command line of another server; None stands for that of this source tree.
    ``certificates`` are there for runs with TLS.
    """
    shutil.copytree(source / "tests", folder / "tests", ignore=_not_needed)
    (folder / "tests" / "tmp").mkdir()
    binaries = folder / "src"
    binaries.mkdir()
    launcher = binaries / "redis-server"
    launcher.write_text(own_launcher("serve") if server is None else foreign_launcher(server))
    launcher.chmod(0o755)
    for tool in TOOLS:
        if server is None and tool in OURS:
            (binaries / tool).write_text(own_launcher(OURS[tool]))
            (binaries / tool).chmod(0o755)
            continue
        path = shutil.which(tool)
        assert path is not None
        (binaries / tool).symlink_to(path)
    if certificates is not None:
        shutil.copytree(certificates, folder / "tests" / "tls", dirs_exist_ok=True)
    if unit.insert_before or unit.insert_first or unit.replaced:
        _insert(folder / "tests" / f"{unit.name}.tcl", unit)


def _not_needed(folder: str, names: list[str]) -> list[str]:
    return [
        name
        for name in names
        if name == "moduleapi" or "/".join((*Path(folder).parts[-1:], name)) in _NOT_NEEDED
    ]


def own_launcher(tool: str) -> str:
    # What an installed entry point is, so that the server is known by the name it is called by.
    return (
        f"#!{sys.executable}\n"
        "import sys\n"
        f"sys.path[0] = {str(REPOSITORY / 'src')!r}\n"
        f"from carnelian.tools.{tool} import main\n"
        "sys.exit(main())\n"
    )


def foreign_launcher(server: list[str]) -> str:
    program = shutil.which(server[0]) or server[0]
    return f'#!/bin/sh\nexec {shlex.join([program, *server[1:]])} "$@"\n'


def _insert(path: Path, unit: Unit) -> None:
    lines = path.read_text().splitlines(keepends=True)
    for test, inserted in unit.insert_before.items():
        starts = (f"test {{{test}}} {{", f'test "{test}" {{')
        at = [number for number, line in enumerate(lines) if line.strip().startswith(starts)]
        if len(at) != 1:
            raise ValueError(f"{path}: {test!r} is found {len(at)} times, not once")
        lines.insert(at[0], f"    {inserted}\n")
    if unit.insert_first:
        lines.insert(0, f"{unit.insert_first}\n")
    text = "".join(lines)
    for old, new in unit.replaced.items():
        if old not in text:
            raise ValueError(f"{path}: {old!r} is not there")
        text = text.replace(old, new)
    path.write_text(text)
