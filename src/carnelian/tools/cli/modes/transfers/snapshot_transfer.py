"""``--rdb`` and ``--functions-rdb``: a snapshot of a server, into a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import BinaryIO

from carnelian.server.system.progress import Progress
from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.modes.transfers.sync_feed import ReplicationError, SyncFeed
from carnelian.tools.cli.talking.cli_login import client_for, tell

_MB = 1024 * 1024


def run(options: Options) -> int:
    """Do it; returns the exit status. Raises ConnectError and LostError."""
    name = options.argument
    if options.address.file is not None:
        tell("A file is a snapshot already: copy it.")
        return 1
    client = client_for(options)
    client.connect()
    feed = SyncFeed(client)
    try:
        feed.begin(snapshot_only=True, functions_only=options.mode == "functions-rdb")
        what = (
            f"writing bytes of bulk transfer until EOF marker to '{name}'"
            if feed.mark
            else f"writing {feed.size} bytes to '{name}'"
        )
        tell(f"SYNC sent to master, {what}")
        size = _save(feed, name)
    except ReplicationError as error:
        tell(str(error))
        return 1
    except OSError as error:
        tell(f"Error opening '{name}': {error.strerror}")
        return 1
    finally:
        client.close()
    tell(f"Transfer finished with success after {size} bytes")
    return 0


def _save(feed: SyncFeed, name: str) -> int:
    """Write it; what is not whole does not stay. Raises OSError."""
    if name == "-":
        size = feed.snapshot(sys.stdout.buffer.write)
        sys.stdout.buffer.flush()
        return size
    with open(name, "wb") as file:
        try:
            with Progress("Copying") as progress:
                size = feed.snapshot(_counting(file, feed.size, progress))
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            if os.path.isfile(name):
                os.unlink(name)
            raise
    return size


def _counting(file: BinaryIO, size: int, progress: Progress) -> Callable[[bytes], object]:
    done = 0

    def take(data: bytes) -> None:
        nonlocal done
        file.write(data)
        done += len(data)
        # How much it will be is not always known.
        progress.show(done, size or done + _MB)

    return take
