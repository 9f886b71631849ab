"""The prompt of prompt_toolkit, with a pipe in the place of the keyboard."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carnelian.tools.cli.forms.pretty_form import PrettyForm
from carnelian.tools.cli.forms.reply_forms import Style
from carnelian.tools.cli.prompt.dialogue import Dialogue
from carnelian.tools.cli.prompt.preferences import Preferences
from carnelian.tools.cli.prompt.server_knowledge import ServerKnowledge
from carnelian.tools.cli.talking.speaker import Speaker
from carnelian.tools.cli.wire.addresses import Address
from carnelian.tools.cli.wire.cli_client import Client
from support.waiting import wait_for

from .programs import require_prompt_toolkit


class Person:
    """Types lines at the prompt of a file, and reads what comes of it."""

    def __init__(self, path: Path, keyboard: Any):
        from prompt_toolkit.output import DummyOutput

        from carnelian.tools.cli.prompt.rich_prompt import RichPrompt

        self.keyboard = keyboard
        self.client = Client(Address(file=str(path)), write=True)
        self.out = io.BytesIO()
        self.speaker = Speaker(self.client, Style(), output=self.out)
        self.preferences = Preferences()
        self.preferences.pretty = True
        pretty = PrettyForm(coloured=False)
        self.speaker.make_pretty = lambda words, reply: (
            pretty.write(words, reply) if self.preferences.pretty else None
        )
        self.knowledge = ServerKnowledge(self.client)
        self.reader = RichPrompt(
            self.knowledge,
            self.preferences,
            keyboard,
            DummyOutput(),
        )
        self.dialogue = Dialogue(self.speaker, self.reader, self.preferences, True)
        self.client.connect()
        self.knowledge.learn()

    def type(self, text: str) -> bytes:
        """Type until the end of lines; returns what was shown."""
        self.out.truncate(0)
        self.out.seek(0)
        self.keyboard.send_text(text + "\x04")
        assert self.dialogue.run() == 0
        return self.out.getvalue()

    def complete(self, begun: str, whole: str, rest: str) -> bytes:
        """Type the beginning of a line and a tab, and the rest when the line is as it should be."""
        buffer = self.reader.session.default_buffer

        def go_on() -> None:
            wait_for(lambda: buffer.text == whole)
            self.keyboard.send_text(rest + "\x04")

        self.out.truncate(0)
        self.out.seek(0)
        self.keyboard.send_text(begun + "\t")
        thread = threading.Thread(target=go_on)
        thread.start()
        assert self.dialogue.run() == 0
        thread.join()
        return self.out.getvalue()


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    require_prompt_toolkit()
    from prompt_toolkit.input import create_pipe_input

    monkeypatch.setenv("CARNELIAN_CLI_HISTORY", str(tmp_path / "history"))
    with create_pipe_input() as keyboard:
        someone = Person(tmp_path / "app.db", keyboard)
        yield someone
        someone.knowledge.close()
        someone.client.end()


def test_commands_and_values(person: Person) -> None:
    assert person.type("hset h a 1 b two\r") == b"(integer) 2\n"
    assert (
        person.type("hgetall h\r") == "field  value\n─────  ─────\na      1\nb      two\n".encode()
    )
    assert person.type("\\pretty off\rhgetall h\r") == b'1) "a"\n2) "1"\n3) "b"\n4) "two"\n'
    assert person.type("2 incr n\r") == b"(integer) 1\n(integer) 2\n"


def test_the_prompt_tells_where_one_is(person: Person) -> None:
    name = person.client.address.text
    assert person.dialogue.prompt() == f"{name}> "
    person.type("select 3\rmulti\r")
    assert person.dialogue.prompt() == f"{name}[3](TX)> "
    person.type("ping\rexec\r")
    assert person.dialogue.prompt() == f"{name}[3]> "
    person.type("multi\rnosuch\rexec\r")
    assert person.dialogue.prompt() == f"{name}[3]> "
    person.client.close()
    assert person.dialogue.prompt() == "not connected> "
    assert person.type("dbsize\r") == b"(integer) 0\n"
    assert person.dialogue.prompt() == f"{name}[3]> "


def test_completion(person: Person) -> None:
    person.type("set session:1 x\r")
    # The only key that begins so, found by the server.
    assert person.complete("get ses", "get session:1", "\r") == b'"x"\n'


def test_completion_within_a_transaction(person: Person) -> None:
    person.type("set session:1 x\r")
    shown = person.complete("multi\rget ses", "get session:1", "\rexec\r")
    assert shown == b'OK\nQUEUED\n1) "x"\n'


def test_a_line_that_is_given_up(person: Person) -> None:
    assert person.type("flushall\x03ping\r") == b"PONG\n"


def test_history(person: Person, tmp_path: Path) -> None:
    person.type("set a 1\rauth secret\rget a\r")
    history = tmp_path / "history"
    assert history.read_text() == "set a 1\nget a\n"
    assert history.stat().st_mode & 0o777 == 0o600
    # The last line again.
    assert person.type("\x1b[A\r") == b'"1"\n'


def test_words_of_its_own(person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    person.type('\\help\r\\hints\r\\hints on\r\\nosuch\r:set nohints\r:nosuch\r\\watch\r"a\r')
    shown = capsys.readouterr().out
    assert "  \\watch    [SECONDS] COMMAND  run a command again and again" in shown
    assert "hints is off\nhints is on\nThere is no \\nosuch: \\help tells what there is.\n" in shown
    assert "unknown carnelian-cli internal command ':nosuch'\n" in shown
    assert "\\watch takes a command, and seconds before it if you like\n" in shown
    assert shown.endswith("Invalid argument(s)\n")
    assert not person.preferences.hints


def test_help(person: Person, capsys: pytest.CaptureFixture[str]) -> None:
    person.type("help getdel\rhelp @nosuch\r")
    shown = capsys.readouterr().out
    assert "  GETDEL key\n  summary: " in shown
    assert "  since: 6.2.0\n  group: string\n" in shown
    assert "There is no help about @nosuch; there are @" in shown


def test_quit_ends_it(person: Person) -> None:
    person.keyboard.send_text("ping\rquit\rping\r")
    assert person.dialogue.run() == 0
    assert person.out.getvalue() == b"PONG\n"


def test_messages(person: Person) -> None:
    shown = person.type("hello 3\rclient tracking on\rget k\rset k 1\rget k\r")
    # Nobody has asked for messages to be shown.
    assert shown.endswith(b'OK\n(nil)\nOK\n"1"\n')
