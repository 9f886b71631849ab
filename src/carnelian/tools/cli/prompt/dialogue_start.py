"""A dialogue as the command line asks for it: with a person, or with lines of standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.forms.reply_forms import STANDARD
from carnelian.tools.cli.one_command import speaker_for
from carnelian.tools.cli.prompt.dialogue import Dialogue
from carnelian.tools.cli.prompt.line_readers import PipedLines, PlainPrompt, Reader
from carnelian.tools.cli.prompt.preferences import Preferences
from carnelian.tools.cli.prompt.server_knowledge import ServerKnowledge
from carnelian.tools.cli.talking.cli_login import tell
from carnelian.tools.cli.talking.speaker import Speaker
from carnelian.tools.cli.wire.cli_client import ConnectError

_ADVICE = "(pip install 'carnelian[cli]' adds completion, hints and colours to this prompt)"


def run(options: Options) -> int:
    """Lead it; returns the exit status."""
    speaker = speaker_for(options)
    return lead(speaker, options)


def lead(speaker: Speaker, options: Options, restart: Callable[[], object] | None = None) -> int:
    """Lead a dialogue with a speaker that may have been used before; returns the exit status.

    ``restart`` runs the script of the command line again.
    """
    speaker.fail = False
    interactive = sys.stdin.isatty()
    preferences = Preferences()
    preferences.interval = options.interval
    client = speaker.client
    try:
        client.connect()
    except ConnectError as error:
        tell(str(error))
        if client.address.file is not None:
            return 1
    reader: Reader = PipedLines()
    if interactive:
        reader = _reader(speaker, preferences, options)
        preferences.load()
        _greet(speaker, options)
    dialogue = Dialogue(speaker, reader, preferences, interactive)
    dialogue.restart = restart
    try:
        return dialogue.run()
    finally:
        client.end()


def _reader(speaker: Speaker, preferences: Preferences, options: Options) -> Reader:
    if options.plain_prompt or not sys.stdout.isatty() or not _is_able(os.environ.get("TERM", "")):
        return PlainPrompt()
    try:
        import prompt_toolkit  # noqa: F401
    except ImportError:
        print(_ADVICE, flush=True)
        return PlainPrompt()
    from carnelian.tools.cli.forms.pretty_form import PrettyForm
    from carnelian.tools.cli.prompt.rich_prompt import RichPrompt

    if speaker.style.form == STANDARD:
        preferences.pretty = True
        pretty = PrettyForm()
        speaker.make_pretty = lambda words, reply: (
            pretty.write(words, reply) if preferences.pretty else None
        )
    return RichPrompt(ServerKnowledge(speaker.client), preferences)


def _is_able(terminal: str) -> bool:
    return terminal not in ("", "dumb")


def _greet(speaker: Speaker, options: Options) -> None:
    """Say what was opened."""
    client = speaker.client
    if client.engine is None:
        return
    keys = len(client.engine.core.keyspace)
    how = "open for changes" if options.write else "read-only (--write opens it for changes)"
    print(f"{client.address.file}: {keys} keys, {how}", flush=True)
