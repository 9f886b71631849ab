"""Small files that are written anew as a whole: redis.conf and the file of users."""

from __future__ import annotations

import os


def replace_file(path: str, text: bytes) -> None:
    """Put a new file in the place of the old one, which is whole until the new one is on the disk.

    Raises:
        OSError: nothing has changed.
    """
    temporary = f"{path}.{os.urandom(4).hex()}"
    # The umask applies to the mode, as to any file made.
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        with open(fd, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(fd)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
