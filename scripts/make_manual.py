"""Writes the manual pages into ``share/man``, from what the programs declare and the docs say.

python scripts/make_manual.py          # or --check: say whether they are up to date
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

import carnelian
from carnelian.engine.config.directives import TOPICS
from carnelian.engine.config.reference import change, effect
from carnelian.tools import check_aof, check_rdb
from carnelian.tools.cli import cli_help
from carnelian.tools.fleet import fleet_help
from make_completions import SHARE, write
from program_descriptions import Option, Program, programs

DOCS = SHARE.parent / "docs"

EXIT = {
    "carnelian-fleet": "0: done. 1: it could not be done. 2: the command line is wrong. "
    "130: interrupted.",
    "carnelian-check-rdb": "0: a server can load the file. 1: it cannot.",
    "carnelian-check-aof": "0: a server can load the file. 1: it cannot.",
}
SYNOPSIS = {
    "carnelian-server": ["[FILE] [--DIRECTIVE VALUE ...] [-]", "--check-system | --test-memory MB"],
    "carnelian-sentinel": ["FILE [--DIRECTIVE VALUE ...]"],
    "carnelian-fleet": ["[OPTIONS] [-- [FILE] --DIRECTIVE VALUE ...]", "COMMAND [OPTIONS]"],
    "carnelian-cli": [
        "[OPTIONS] [COMMAND [ARGUMENT ...]]",
        "[OPTIONS] FILE [COMMAND [ARGUMENT ...]]",
    ],
    "carnelian-check-rdb": ["FILE"],
    "carnelian-check-aof": ["[--fix | --truncate-to-timestamp TIME] FILE"],
    "carnelian": ["COMMAND ..."],
}
# What stands on the pages besides the options: sections of the documentation, by title.
SECTIONS = {
    "carnelian-server": ("server.md", ("Start and stop", "Signals")),
    "carnelian-sentinel": ("sentinel.md", ()),
    "carnelian-fleet": ("fleet.md", ("Directives",)),
}
TEXTS = {
    "carnelian": "Starts any of the programs of Carnelian, with the arguments that follow, and has "
    "a command of its own, import.",
    "carnelian-cli": cli_help.USAGE.split("\n\n")[1],
    "carnelian-check-rdb": check_rdb.HELP.split("\n\n")[1],
    "carnelian-check-aof": check_aof.HELP.split("\n\n")[1],
}
DETAILS = {
    "status": fleet_help.STATUS,
    "stop": fleet_help.STOP,
    "add-shard": fleet_help.ADD_SHARD,
    "remove-shard": fleet_help.REMOVE_SHARD,
    "rebalance": fleet_help.REBALANCE,
    "add-replica": fleet_help.ADD_REPLICA,
    "remove-replica": fleet_help.REMOVE_REPLICA,
}


def files() -> dict[Path, str]:
    """What is to stand in each file."""
    made = {SHARE / "man" / "man5" / "carnelian.conf.5": configuration()}
    everything = programs()
    for program in everything:
        others = [each.name for each in everything if each.name != program.name]
        made[SHARE / "man" / "man1" / f"{program.name}.1"] = page(program, others)
    return made


def page(program: Program, others: Iterable[str]) -> str:
    """The manual page of a program."""
    name = program.name
    parts = [head(name, 1), section("Name"), f"{escaped(name)} \\- {escaped(program.summary)}\n"]
    parts.append(section("Synopsis"))
    lines = [f".B {escaped(name)}\n{escaped(line)}\n" for line in SYNOPSIS[name]]
    parts.append(".br\n".join(lines))
    parts.append(section("Description"))
    if name in TEXTS:
        parts.append(paragraphs(TEXTS[name]))
    if name in SECTIONS:
        document, titles = SECTIONS[name]
        text = (DOCS / document).read_text()
        parts.append(paragraphs(opening(text)))
        parts += [section(title) + paragraphs(part(text, title)) for title in titles]
    parts.append(section("Options") + options(shown(program)))
    if program.commands:
        parts.append(section("Commands"))
        parts += [command(each) for each in program.commands]
    if name in EXIT:
        parts.append(section("Exit status") + paragraphs(EXIT[name]))
    references = [f".BR {escaped(each)} (1)" for each in others] + [".BR carnelian.conf (5)"]
    parts.append(section("See also") + ",\n".join(references) + "\n")
    return "".join(parts)


def shown(program: Program) -> list[Option]:
    """The options of a program without the directives, which have a page of their own."""
    directives = {f"--{each.name}" for topic in TOPICS for each in topic.directives}
    own = program.name in ("carnelian-server", "carnelian-sentinel")
    return [each for each in program.options if not own or each.names[0] not in directives]


def command(command: Program) -> str:
    """A command of a program, with its options."""
    text = DETAILS.get(command.name) or f"{command.summary[:1].upper()}{command.summary[1:]}."
    more = [each for each in command.options if "--help" not in each.names]
    return f".SS {escaped(command.name)}\n{paragraphs(text)}{options(more)}"


def options(options: Iterable[Option]) -> str:
    """Options with what they do."""
    parts = []
    for option in options:
        names = ", ".join(f"\\fB{escaped(name)}\\fR" for name in option.names)
        value = f" \\fI{escaped(option.argument)}\\fR" if option.argument else ""
        parts.append(f".TP\n{names}{value}\n{escaped(option.summary)}\n")
    return "".join(parts)


def configuration() -> str:
    """The page of all directives."""
    text = (DOCS / "configuration.md").read_text()
    parts = [
        head("carnelian.conf", 5),
        section("Name"),
        "carnelian.conf \\- configuration of a Carnelian server\n",
        section("Description"),
        paragraphs(opening(text)),
        section("Values") + paragraphs(part(text, "How to read the tables")),
    ]
    for topic in TOPICS:
        parts.append(section(topic.title))
        for directive in topic.directives:
            alias = f", {directive.alias}" if directive.alias else ""
            default = directive.format(directive.default).decode()
            value = f"{directive.form}; default {default}" if default else directive.form
            parts.append(f".TP\n\\fB{escaped(directive.name + alias)}\\fR ({escaped(value)})\n")
            parts.append(f"{escaped(directive.summary)}\n")
            if (when := change(directive)) != "any time":
                parts.append(f"Change: {when}.\n")
            if (works := effect(directive)) != "yes":
                parts.append(f"Effect: {works}.\n")
    parts.append(section("See also") + ".BR carnelian\\-server (1)\n")
    return "".join(parts)


# -- Documents -------------------------------------------------------------------------------------


def opening(text: str) -> str:
    """What a document says before its first section, without its list of sections."""
    before = text.partition("\n## ")[0].partition("\n")[2]
    return re.sub(r"^- \[(?:.|\n)*?(?=\n\n|\Z)", "", before, flags=re.M).strip()


def part(text: str, title: str) -> str:
    """What a document says in one section, without those below it."""
    found = re.search(rf"^(##+) {re.escape(title)}\n(.*?)(?=^##|\Z)", text, re.M | re.S)
    if found is None:
        raise LookupError(f"there is no section {title!r}")
    return found[2].strip()


def paragraphs(text: str) -> str:
    """Markdown as roff: paragraphs, lists, tables of two columns and blocks of code."""
    parts = []
    for block in re.split(r"\n\n(?!  )", text.strip()):
        if block.startswith("```"):
            code = "\n".join(block.splitlines()[1:-1])
            parts.append(f".PP\n.EX\n{escaped(code)}\n.EE\n")
        elif block.startswith("- "):
            for item in re.split(r"^- ", block, flags=re.M)[1:]:
                parts.append(f".IP \\(bu 2\n{inline(item)}\n")
        elif block.startswith("|"):
            parts += [_row(line) for line in block.splitlines() if _has_content(line)]
        else:
            parts.append(f".PP\n{inline(block)}\n")
    return "".join(parts).removeprefix(".PP\n")


def _has_content(line: str) -> bool:
    return bool(line.strip("|- :"))


def _row(line: str) -> str:
    first, *rest = [cell.strip() for cell in line.strip("|").split(" | ")]
    return f".TP\n{inline(first.strip())}\n{inline('; '.join(each for each in rest if each))}\n"


def inline(text: str) -> str:
    """A paragraph: code is bold, and links are their text."""
    plain = re.sub(r"!?\[([^\]]+)\]\([^)]*\)", r"\1", " ".join(text.split()))
    pieces = plain.split("`")
    marked = [
        f"\\fB{escaped(piece)}\\fR" if number % 2 else escaped(re.sub(r"\*+", "", piece))
        for number, piece in enumerate(pieces)
    ]
    return textwrap.fill("".join(marked), 100, break_on_hyphens=False, break_long_words=False)


def escaped(text: str) -> str:
    """Text that roff takes for what it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def section(title: str) -> str:
    """The heading of a section."""
    return f".SH {title.upper()}\n"


def head(name: str, number: int) -> str:
    """The first line of a page."""
    version = f"Carnelian {carnelian.__version__}"
    return f'.TH "{name.upper()}" {number} "" "{version}" "Carnelian"\n'


if __name__ == "__main__":
    raise SystemExit(write(files(), "--check" in sys.argv))
