"""``\\watch``: a command again and again, what has changed since the last time standing out."""

from __future__ import annotations

import shutil
import time

from carnelian.resp.quoting import quote_if_needed
from carnelian.tools.cli.talking.speaker import Speaker

DEFAULT = 2.0
_LEAST = 0.05


def seconds(word: bytes) -> float | None:
    """The time between two runs that a word tells; None if it is no time."""
    try:
        value = float(word)
    except ValueError:
        return None
    return max(value, _LEAST) if value < float("inf") else None


def watch(speaker: Speaker, words: list[bytes], pause: float) -> None:
    """Go on until Ctrl-C (KeyboardInterrupt). Raises ConnectError and LostError."""
    last: list[bytes] = []
    command = b" ".join(map(quote_if_needed, words))
    while True:
        lines = speaker.shown(words, speaker.client.exchange(words)).split(b"\n")
        moment = time.strftime("%H:%M:%S").encode()
        head = b"Every %gs: %b    %b (Ctrl-C to stop)" % (pause, command, moment)
        speaker.write(b"\x1b[H\x1b[2J%b\n\n%b" % (head, b"\n".join(_marked(lines, last))))
        last = lines
        time.sleep(pause)


def _marked(lines: list[bytes], last: list[bytes]) -> list[bytes]:
    """The lines that fit on the screen, in bold where they are other than before."""
    room = max(shutil.get_terminal_size().lines - 4, 3)
    shown = [
        b"\x1b[1m%b\x1b[0m" % line if last and line and line not in last else line
        for line in lines[:room]
    ]
    if len(lines) > room:
        shown.append(b"... %d more lines\n" % (len(lines) - room))
    return shown
