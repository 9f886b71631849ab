"""Completions and manual pages are those of the programs, and shells understand them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import make_completions
import make_manual
from support.compiled import ROOT
from support.servers import require

SHARE = ROOT / "share"
PAGES = sorted(SHARE.glob("man/man*/*"))

# What bash itself does when somebody presses Tab behind the last word.
TAB = """
. "$1"; shift
words=("$@")
COMP_WORDS=("${words[@]}"); COMP_CWORD=$((${#words[@]} - 1))
function=$(complete -p "$1"); function=${function#*-F }; function=${function%% *}
"$function" "$1" "${words[COMP_CWORD]}" "${words[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def output(*command: str, cwd: Path = ROOT) -> list[str]:
    """The lines that a program prints, which has to succeed and to complain of nothing."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def tab(*words: str, cwd: Path = ROOT) -> list[str]:
    script = SHARE / "bash-completion" / "completions" / words[0]
    return output("bash", "-c", TAB, "bash", str(script), *words, cwd=cwd)


@pytest.mark.parametrize("maker", [make_completions, make_manual], ids=lambda each: each.__name__)
def test_they_are_up_to_date(maker: object) -> None:
    made = maker.files()  # type: ignore[attr-defined]
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    assert not stale, "run: make share"


def test_nothing_else_is_there() -> None:
    made = {*make_completions.files(), *make_manual.files()}
    assert {path for path in SHARE.rglob("*") if path.is_file()} == made


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("carnelian-server --appendf", ["--appendfilename", "--appendfsync"]),
        ("carnelian-server --appendfsync ", ["everysec", "always", "no"]),
        ("carnelian-server --port 7000 --appendonly y", ["yes"]),
        ("carnelian-server --port ", [""]),
        ("carnelian-fleet re", ["remove-shard", "rebalance", "remove-replica"]),
        ("carnelian-fleet add-replica --", ["--help", "--dir", "--of", "--count"]),
        ("carnelian-fleet --dir here st", ["status", "stop"]),
        ("carnelian-fleet status st", [""]),
        ("carnelian s", ["server", "sentinel"]),
        ("carnelian import --ov", ["--overwrite"]),
        ("carnelian server --appendfsync ", ["everysec", "always", "no"]),
        ("carnelian fleet --dir here st", ["status", "stop"]),
        ("carnelian-check-aof --f", ["--fix"]),
    ],
)
def test_bash_completes(line: str, wanted: list[str]) -> None:
    assert tab(*line.split(" ")) == wanted


def test_bash_completes_files(tmp_path: Path) -> None:
    for name in ("redis.conf", "dump.rdb", "app.db", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    assert tab("carnelian-server", "", cwd=tmp_path) == ["folder", "redis.conf"]
    assert tab("carnelian-check-rdb", "", cwd=tmp_path) == ["folder", "dump.rdb", "app.db"]
    assert tab("carnelian-server", "--dir", "f", cwd=tmp_path) == ["folder"]


@pytest.mark.parametrize("path", sorted(SHARE.glob("zsh/*/*")), ids=lambda path: path.name)
def test_zsh_reads_it(path: Path) -> None:
    require("zsh", "zsh")
    assert path.read_text().startswith(f"#compdef {path.name[1:]}\n")
    assert output("zsh", "-n", str(path)) == []


# Tab as a user presses it, in a terminal of zsh's own.
ZSH_TAB = """
zmodload zsh/zpty
zpty tab zsh -f -i
zpty -w tab 'fpath=($PWD/share/zsh/site-functions $fpath); autoload -U compinit; compinit -u -D'
# It takes keys for keys when it shows its prompt.
zpty -w tab 'PROMPT="<rea""dy>"'
zpty -r tab line '*<ready>*'
zpty -w tab "$1"$'\\t\\t\\x15print do""ne'
zpty -r tab line '*done*'
print -r -- "$line"
zpty -d tab
"""


@pytest.mark.parametrize("program", ["carnelian-server", "carnelian server"])
def test_zsh_completes(program: str) -> None:
    require("zsh", "zsh")
    shown = " ".join(output("zsh", "-f", "-c", ZSH_TAB, "zsh", f"{program} --maxmemory-"))
    for name in ("--maxmemory-clients", "--maxmemory-policy", "--maxmemory-samples"):
        assert name in shown


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("carnelian-server --appendfsync ", ["always", "everysec", "no"]),
        ("carnelian-server --maxmemory-s", ["--maxmemory-samples"]),
        ("carnelian-fleet add", ["add-replica", "add-shard"]),
        ("carnelian-fleet status --", ["--dir", "--help", "--json", "--watch"]),
        ("carnelian s", ["sentinel", "server"]),
        ("carnelian import --ov", ["--overwrite"]),
    ],
)
def test_fish_completes(line: str, wanted: list[str], tmp_path: Path) -> None:
    require("fish", "fish")
    script = SHARE / "fish" / "vendor_completions.d" / f"{line.split()[0]}.fish"
    command = ["env", f"HOME={tmp_path}", "fish", "--no-config", "-c"]
    shown = output(*command, f"source {script}; complete -C '{line}'")
    assert [each.partition("\t")[0] for each in shown] == wanted


def test_fish_completes_what_a_command_stands_for(tmp_path: Path) -> None:
    require("fish", "fish")
    folder = SHARE / "fish" / "vendor_completions.d"
    # Without a command line there is nothing that commandline could tell; it is told here.
    script = (
        f"source {folder}/carnelian.fish; source {folder}/carnelian-server.fish;"
        "function commandline; switch $argv[1]; case -opc; printf '%s\\n' carnelian server;"
        "case '*'; echo -- --maxmemory-s; end; end; __fish_carnelian_program"
    )
    shown = output("env", f"HOME={tmp_path}", "fish", "--no-config", "-c", script)
    assert [each.partition("\t")[0] for each in shown] == ["--maxmemory-samples"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_manual_pages_are_well_formed(path: Path) -> None:
    require("mandoc", "mandoc")
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", str(path)], capture_output=True, text=True
    )
    assert [each for each in done.stdout.splitlines() if "missing date" not in each] == []


def test_manual_pages_say_what_there_is() -> None:
    require("mandoc", "mandoc")
    page = "\n".join(output("mandoc", "-T", "ascii", str(SHARE / "man/man1/carnelian-fleet.1")))
    plain = " ".join(page.replace("_\b", "").split())
    plain = "".join(c for i, c in enumerate(plain) if plain[i + 1 : i + 2] != "\b" and c != "\b")
    assert "carnelian-fleet - a Redis Cluster on one machine" in plain
    for text in ("SYNOPSIS", "--shards SHARDS", "add-replica", "EXIT STATUS", "carnelian.conf(5)"):
        assert text in plain
