"""``--replica``: what a server sends to its replicas, command by command."""

from __future__ import annotations

import sys

from carnelian.sentinel.links.reply_reader import MORE
from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.forms.reply_forms import CSV, RAW, STANDARD, Style
from carnelian.tools.cli.modes.replica_feed import ReplicaFeed, ReplicationError
from carnelian.tools.cli.talking.cli_login import client_for, tell
from carnelian.tools.cli.wire.reply_parser import ReplyParser


def run(options: Options) -> int:
    """Go on until Ctrl-C; returns the exit status. Raises ConnectError and LostError."""
    client = client_for(options)
    client.connect()
    form = options.form or (STANDARD if sys.stdout.isatty() else RAW)
    # A command is a line, where nobody has said otherwise.
    style = Style(CSV if form == STANDARD else form, options.between, options.after)
    feed = ReplicaFeed(client)
    try:
        feed.begin(snapshot_only=False, functions_only=False)
        amount = "bytes of bulk transfer until EOF marker" if feed.mark else f"{feed.size} bytes"
        tell(f"SYNC with master, discarding {amount}...")
        feed.snapshot(lambda data: None)
        tell("SYNC done. Logging commands from master.")
        parser, out = ReplyParser(), sys.stdout.buffer
        while True:
            parser.feed(feed.receive().lstrip(b"\n") if parser.idle else feed.receive())
            while (command := parser.take()) is not MORE:
                out.write(style.write(command))
            out.flush()
    except ReplicationError as error:
        tell(str(error))
        return 1
    finally:
        client.close()
