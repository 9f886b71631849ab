"""The command of the command line, run once or several times."""

from __future__ import annotations

import sys

from carnelian.tools.cli.cli_options import OptionError, Options
from carnelian.tools.cli.forms.reply_forms import RAW, STANDARD, Style
from carnelian.tools.cli.talking.cli_login import client_for, tell
from carnelian.tools.cli.talking.speaker import CommandFailedError, Speaker
from carnelian.tools.cli.wire.cli_client import LostError


def speaker_for(options: Options) -> Speaker:
    """Whoever says the commands of this command line."""
    terminal = sys.stdout.isatty()
    form = options.form or (STANDARD if terminal else RAW)
    shown = terminal if options.show_pushes is None else options.show_pushes
    return Speaker(
        client_for(options),
        Style(form, options.between, options.after),
        show_pushes=shown,
        follow=options.cluster,
        fail=options.fail_on_error,
    )


def run(options: Options) -> int:
    """Run the command; returns the exit status. Raises ConnectError and OptionError."""
    words = with_input(options)
    speaker = speaker_for(options)
    client = speaker.client
    client.connect()
    try:
        speaker.repeat(words, options.repeat, options.interval)
    except CommandFailedError as error:
        tell(str(error))
        return 1
    except LostError as error:
        if _is_shutdown(words):
            return 0
        tell(f"Error: {error}")
        return 1
    finally:
        client.end()
    return 0


def with_input(options: Options) -> list[bytes]:
    """The words, with standard input where it belongs. Raises OptionError."""
    words = list(options.words)
    if options.stdin_last:
        words.append(sys.stdin.buffer.read())
    elif options.stdin_tag is not None:
        places = [at for at, word in enumerate(words) if word == options.stdin_tag]
        if not places:
            raise OptionError("Using -X option but stdin tag not match.")
        words[places[0]] = sys.stdin.buffer.read()
    return words


def _is_shutdown(words: list[bytes]) -> bool:
    return words[0].lower() == b"shutdown"
