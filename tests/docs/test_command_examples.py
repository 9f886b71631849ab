"""The examples of commands: what is shown is what a server answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import command_pages
from command_examples import Example, Terminal, examples
from server.peers import ServerProcess
from support.servers import StartRedis

EXAMPLES = examples()
NAMES = {each.name: each for each in command_pages.commands()}

# Commands in whose examples a reply has changed since Redis 7.0.
CHANGED = {"ACL DRYRUN", "ACL LIST", "COMMAND LIST", "OBJECT ENCODING"}
# Replies in no certain order.
UNORDERED = {"ACL CAT", "CONFIG GET", "SCAN"}
# Examples that use an option or a command of a later Redis.
LATER = {"HSCAN", "XREAD", "ZRANK"}


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal at a server of ours."""
    server = ServerProcess(tmp_path_factory.mktemp("server"), "--save", "").wait_until_ready()
    terminal = Terminal(server.port)
    yield terminal
    terminal.close()
    server.stop()


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=lambda each: each.command)
def test_it_answers_so(example: Example, terminal: Terminal) -> None:
    assert terminal.run(example) == example.lines


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=lambda each: each.command)
def test_it_is_about_its_command(example: Example) -> None:
    assert example.command in NAMES
    typed = [line.upper() for line, _ in example.lines]
    assert any(line == example.command or line.startswith(f"{example.command} ") for line in typed)


def test_redis_answers_the_same(start_redis: StartRedis) -> None:
    """Where the command was there in 7.0, and its reply has an order."""
    server = start_redis("--save", "")
    terminal = Terminal(server.port)
    other = []
    for example in EXAMPLES.values():
        since = tuple(map(int, NAMES[example.command].documentation["since"].split(".")))
        if since >= (7, 1) or example.command in CHANGED | UNORDERED | LATER:
            continue
        if (shown := terminal.run(example)) != example.lines:
            other.append((example.command, shown))
    terminal.close()
    assert other == []


def test_usual_commands_have_one() -> None:
    """All that concern data, but for those that are forms of others or wait for messages."""
    families = ("string", "hash", "list", "set", "sorted-set", "stream", "bitmap", "geo")
    usual = {
        name
        for name, each in NAMES.items()
        if each.documentation["group"] in families
        and "subcommands" not in each.documentation
        and "deprecated_since" not in each.documentation
        and each.documentation["since"] < "7.4"
        and " " not in name
    }
    without = sorted(usual - set(EXAMPLES))
    assert without == ["XSETID"]


@pytest.mark.parametrize(
    ("name", "syntax"),
    [
        ("GET", ""),
        ("COPY", "[DB destination-db] [REPLACE]"),
        ("MSET", "[key value ...]"),
        ("GETEX", "[EX seconds | PX milliseconds"),
        ("ZRANGE", "[BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]"),
        ("BITFIELD_RO", "[GET encoding offset [GET encoding offset ...]]"),
        ("CLIENT KILL", "<ID client-id | TYPE"),
    ],
)
def test_syntax_is_written_as_people_do(name: str, syntax: str) -> None:
    arguments = NAMES[name].documentation["arguments"]
    assert syntax in " ".join(map(command_pages.syntax_of, arguments))


def test_each_command_is_on_one_page() -> None:
    pages = command_pages.family_pages()
    headings = [line for page in pages for line in page.text.splitlines() if line.startswith("## ")]
    assert sorted(headings) == sorted(f"## {name}" for name in NAMES)
