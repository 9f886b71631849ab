"""Paths of files, without the interpreted code of ``os.path``, where an interrupt may come out."""

from __future__ import annotations

import os
import stat


def join(directory: str, name: str) -> str:
    """The path of what has a name, or a path, from a directory on."""
    if name.startswith("/") or not directory:
        return name
    return directory + name if directory.endswith("/") else f"{directory}/{name}"


def parent(path: str) -> str:
    """The directory that an absolute path lies in."""
    return path.rpartition("/")[0] or "/"


def last(path: str) -> str:
    """The last name of a path."""
    return path.rpartition("/")[2]


def is_directory(path: str) -> bool:
    """Whether there is a directory."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def exists(path: str) -> bool:
    """Whether there is anything of that path, if only a link to nowhere."""
    try:
        os.lstat(path)
    except (OSError, ValueError):
        return False
    return True
