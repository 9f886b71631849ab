"""``carnelian import``: a running Redis, copied into the file of an engine of one's own.

This is a replica that ends when it has everything, or follows until it is told to end.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from carnelian.embedded.errors import DatabaseError
from carnelian.embedded.local_engine import Engine
from carnelian.embedded.primary_thread import Primary
from carnelian.replication.replica_side.primary_link import Following, LinkState
from carnelian.server.system.progress import Progress

# Seconds between two looks at how far it is, and between two lines while it follows.
_LOOK = 0.1
_LINE = 10.0
_MB = 1024 * 1024


class ImportFailedError(Exception):
    """It could not be done; the text says why."""


def add_parser(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The words of ``carnelian import``."""
    parser = parsers.add_parser(
        "import",
        help="copy a running Redis into a file",
        description="Copies all data of a running Redis, Valkey or Carnelian server into a file "
        "that carnelian.Redis(FILE) and carnelian-server open. The server goes on meanwhile; it "
        "needs to let this program replicate (a user with +psync +replconf +ping).",
    )
    parser.add_argument("source", help="redis://[user:password@]host[:port], or rediss:// for TLS")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="where it goes")
    parser.add_argument(
        "--follow",
        action="store_true",
        help="go on copying what changes, until Ctrl-C",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what is in FILE already")
    parser.add_argument(
        "--timeout",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="give up when the server has let hear nothing for so long (60)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Do it; returns the exit status."""
    try:
        Primary(options.source)
        _refuse_to_overwrite(options)
        _import(options)
    except (ImportFailedError, DatabaseError, ValueError, OSError) as error:
        print(f"carnelian import: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("carnelian import: interrupted, nothing was written", file=sys.stderr)
        return 130
    return 0


def _refuse_to_overwrite(options: argparse.Namespace) -> None:
    path = os.path.expanduser(options.output)
    taken = [each for each in (path, f"{path}.aof") if os.path.exists(each)]
    if taken and not options.overwrite:
        raise ImportFailedError(f"{taken[0]} is there already: --overwrite replaces what is in it")


def _import(options: argparse.Namespace) -> None:
    engine = Engine(
        options.output,
        replica_of=options.source,
        replica_wait=0,
        repl_timeout=max(1, round(options.timeout)),
    )
    try:
        link = _link_of(engine)
        _await_copy(engine, link, options.timeout)
        print(_told(engine, options), flush=True)
        if options.follow:
            _follow(engine, link)
        engine.execute("REPLICAOF", "NO", "ONE")
        engine.close(save=True)
    except BaseException:
        if not engine.closed:
            engine.close(save=False)
        raise
    print(f"Saved in {engine.path}", flush=True)


def _link_of(engine: Engine) -> Following:
    link = engine.core.replication.following
    assert isinstance(link, Following)
    return link


def _await_copy(engine: Engine, link: Following, patience: float) -> None:
    """Return when everything is there. Raises ImportFailedError."""
    tell = None if sys.stdout.isatty() else print
    heard = time.monotonic()
    seen = 0
    with Progress("Copying", tell) as progress:
        while not engine.wait_for_primary(_LOOK):
            taking = link.receiving
            if taking is not None and taking.received != seen:
                seen, heard = taking.received, time.monotonic()
                # A server that writes to the socket does not know how much it will be.
                progress.show(seen, taking.size or seen + _MB)
            if time.monotonic() - heard > patience:
                raise ImportFailedError(
                    f"{link.host}:{link.port} let nothing be copied within {patience:g} seconds"
                    f"{_reason(link)}"
                )


def _reason(link: Following) -> str:
    """What is known of why, for people."""
    if link.trouble:
        return f": {link.trouble}"
    if link.state in (LinkState.CONNECT, LinkState.CONNECTING):
        return ": it cannot be reached"
    return ""


def _told(engine: Engine, options: argparse.Namespace) -> str:
    keys = len(engine.core.keyspace)
    following = ", following: Ctrl-C ends it and saves" if options.follow else ""
    return f"Copied {keys} keys{following}"


def _follow(engine: Engine, link: Following) -> None:
    """Say now and then how far it is, until Ctrl-C."""
    try:
        while True:
            time.sleep(_LINE)
            state = "up to date" if link.connected else "the server cannot be reached"
            print(f"{len(engine.core.keyspace)} keys, {state}", flush=True)
    except KeyboardInterrupt:
        print(flush=True)
