"""What the programs take, read from their declarations: for completions and for manual pages."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from dataclasses import dataclass

from carnelian.engine.config.directive import Boolean, Choice, Directive, Options, Text
from carnelian.engine.config.directives import DIRECTIVES
from carnelian.engine.config.special import WorkingDirectory
from carnelian.tools import program as carnelian_program
from carnelian.tools.cli import cli_help
from carnelian.tools.fleet import fleet_help, fleet_program

# Directives whose value is the name of a file or a directory.
PATHS = re.compile(r"file$|path$|dir$|^unixsocket$|^(?:include|loadmodule|dir)$")


@dataclass(frozen=True)
class Option:
    """One option: its names, and what its value is (no ``argument``: it takes none)."""

    names: tuple[str, ...]
    summary: str
    argument: str = ""
    choices: tuple[str, ...] = ()
    path: bool = False


@dataclass(frozen=True)
class Program:
    """A program, or a command of one.

    ``files`` are patterns of files that it takes; ``program`` is the one that a command runs, if it
    does nothing but that.
    """

    name: str
    summary: str
    options: tuple[Option, ...] = ()
    commands: tuple[Program, ...] = ()
    files: tuple[str, ...] = ()
    program: str = ""


HELP = Option(("-h", "--help"), "Show what there is to say on the command line.")
VERSION = Option(("-v", "--version"), "Show the version.")


def programs() -> list[Program]:
    """All programs of the package."""
    return [_server(), _sentinel(), _fleet(), _cli(), _check_rdb(), _check_aof(), _carnelian()]


# -- Servers ---------------------------------------------------------------------------------------


def _server() -> Program:
    own = (
        HELP,
        VERSION,
        Option(("--check-system",), "Look for settings of the system that slow a server down."),
        Option(("--test-memory",), "Test so many megabytes of the memory.", "megabytes"),
        Option(("--sentinel",), "Be a Sentinel; the configuration file is one for it."),
    )
    directives = tuple(_directive(each) for each in DIRECTIVES)
    return Program("carnelian-server", "a Redis server", own + directives, files=("*.conf",))


def _sentinel() -> Program:
    useful = [
        "port", "bind", "unixsocket", "dir", "logfile", "loglevel", "daemonize", "pidfile",
        "protected-mode", "requirepass", "supervised", "tls-port", "tls-cert-file", "tls-key-file",
        "tls-ca-cert-file", "tls-replication",
    ]  # fmt: skip
    directives = tuple(_directive(each) for each in DIRECTIVES if each.name in useful)
    own = (HELP, VERSION)
    return Program("carnelian-sentinel", "a Redis Sentinel", own + directives, files=("*.conf",))


def _directive(directive: Directive) -> Option:
    choices: tuple[str, ...] = ()
    if isinstance(directive, Boolean):
        choices = ("yes", "no")
    elif isinstance(directive, Choice) and not isinstance(directive, Options):
        choices = directive.words
    path = isinstance(directive, Text | WorkingDirectory) and bool(PATHS.search(directive.name))
    form = "path" if path else directive.form
    return Option((f"--{directive.name}",), directive.summary, form, choices, path)


# -- Programs with argparse ------------------------------------------------------------------------


def _fleet() -> Program:
    texts = dict(re.findall(r"^  (--[\w-]+).*?  +(.*)$", fleet_help.OVERVIEW, re.MULTILINE))
    summaries = dict(re.findall(r"^  ([a-z-]+)(?: \[?NODE\]?)? +(.*)$", _section("Commands"), re.M))
    options = tuple(
        _argument(each, texts.get(each.option_strings[-1]))
        for each in fleet_program._start_parser()._actions
        if each.option_strings and each.help != argparse.SUPPRESS
    )
    commands = tuple(
        Program(name, summaries[name], _arguments(fleet_program._command_parser(name)))
        for name in fleet_program._COMMANDS
    )
    return Program("carnelian-fleet", "a Redis Cluster on one machine", options, commands)


def _section(title: str) -> str:
    """A part of the fleet's help, without its last line."""
    _, _, rest = fleet_help.OVERVIEW.partition(f"\n{title}")
    return rest.partition("\n  NODE is")[0]


def _carnelian() -> Program:
    parser = carnelian_program._parser()
    [choice] = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    commands = []
    for action in choice._choices_actions:
        # What is a program of its own completes and is described under its own name.
        own = action.dest in carnelian_program.PROGRAMS
        options = () if own else _arguments(choice.choices[action.dest])
        program = f"carnelian-{action.dest}" if own else ""
        commands.append(Program(action.dest, action.help or "", options, program=program))
    names = (HELP, Option(("--version",), VERSION.summary))
    return Program("carnelian", "all of Carnelian by one name", names, tuple(commands))


def _arguments(parser: argparse.ArgumentParser) -> tuple[Option, ...]:
    return tuple(_argument(each) for each in _options(parser._actions))


def _options(actions: Iterable[argparse.Action]) -> list[argparse.Action]:
    return [each for each in actions if each.option_strings and each.help != argparse.SUPPRESS]


def _argument(action: argparse.Action, summary: str | None = None) -> Option:
    names = tuple(action.option_strings)
    if "--help" in names:
        return HELP
    if "--version" in names:
        return Option(names, VERSION.summary)
    text = summary or action.help or ""
    text = f"{text[:1].upper()}{text[1:]}."
    if action.nargs == 0:
        return Option(names, text)
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest
    return Option(names, text, metavar.upper(), path=metavar.upper() in ("DIR", "FILE", "SERVER"))


# -- A program whose help says all -----------------------------------------------------------------


def _cli() -> Program:
    options: dict[str, Option] = {}
    for head, text in re.findall(
        r"^  (-\S.*?|FILE, .*?)(?:  +|\n {20,})(\S.*)$", cli_help.USAGE, re.M
    ):
        summary = f"{text[:1].upper()}{text.partition(';')[0][1:]}."
        # What stands on a line of its own, and what its text mentions beside that.
        for name, value in re.findall(r"(?<![\w-])(--?[\w-]+)(?: ([A-Z]+))?", f"{head} {text}"):
            form = "" if value == "YN" or value.endswith("WORDS") else value
            options.setdefault(name, Option((name,), summary, form, path=value in ("FILE", "DIR")))
    return Program(
        "carnelian-cli",
        "a command line for servers and files",
        (HELP, VERSION, *options.values()),
        files=("*.db", "*.rdb"),
    )


# -- Programs that read their few arguments themselves ---------------------------------------------


def _check_rdb() -> Program:
    return Program(
        "carnelian-check-rdb", "looks through a snapshot", (HELP, VERSION), files=("*.rdb", "*.db")
    )


def _check_aof() -> Program:
    options = (
        HELP,
        VERSION,
        Option(("--fix",), "Cut off the end of the last file, after asking."),
        Option(
            ("--truncate-to-timestamp",), "Cut off what was written after that time.", "unix-time"
        ),
    )
    files = ("*.manifest", "*.aof")
    return Program("carnelian-check-aof", "looks through an append-only file", options, files=files)
