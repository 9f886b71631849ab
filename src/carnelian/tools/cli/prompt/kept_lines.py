"""The history of lines: where it is, and what does not belong there."""

from __future__ import annotations

import os
import re

ENV_HISTORY = "CARNELIAN_CLI_HISTORY"
_NAME = ".carnelian_cli_history"
_MOST = 10_000

# Words after which a password may stand.
_SECRETS = frozenset(
    (
        "auth",
        "auth2",
        "masterauth",
        "masteruser",
        "primaryauth",
        "requirepass",
        "sentinel-pass",
        "tls-client-key-file-pass",
        "tls-key-file-pass",
    )
)
_NUMBER = re.compile(r"[-+\d._e]+")
_CONTAINERS = {"acl": ("setuser", "getuser", "genpass"), "sentinel": ("set", "config")}


def history_path() -> str | None:
    """The file; None if there is to be none, or no directory for it.

    The environment variable CARNELIAN_CLI_HISTORY names another one, /dev/null none.
    """
    path = os.environ.get(ENV_HISTORY)
    if path is None:
        path = os.path.join(os.path.expanduser("~"), _NAME)
    return None if path in ("", os.devnull) or path.startswith("~") else path


def may_be_kept(line: str) -> bool:
    """Whether a line holds nothing that others should not read: no AUTH, ACL SETUSER and the like.

    A line that begins with a blank is not kept either.
    """
    if line[:1].isspace():
        return False
    words = [word.strip("\"'").lower() for word in line.split()]
    # A number of times or of seconds, and what is meant for the prompt, come before a command.
    while words and (_NUMBER.fullmatch(words[0]) or words[0].startswith("\\")):
        del words[0]
    if len(words) > 1 and words[1] in _CONTAINERS.get(words[0], ()):
        return False
    return not _SECRETS.intersection(words)


def keep_line(path: str, line: str) -> None:
    """Put a line into the history, which only its owner may read."""
    try:
        with open(path, "a", encoding="utf-8", errors="surrogateescape", opener=_for_owner) as file:
            file.write(line.replace("\n", " ") + "\n")
    except OSError:
        # The history is a help, not a condition.
        pass


def kept_lines(path: str) -> list[str]:
    """The lines of the history, the oldest first; no more than the last ten thousand."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read().splitlines()[-_MOST:]
    except OSError:
        return []


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
