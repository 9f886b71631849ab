"""``--replica``: what a server sends to its replicas, command by command."""

from __future__ import annotations

import sys

from carnelian.resp.client.reply_reader import ReplyReader
from carnelian.resp.client.reply_values import MORE
from carnelian.resp.client.value_forms import TYPED
from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.forms.reply_forms import CSV, RAW, STANDARD, Style
from carnelian.tools.cli.modes.transfers.sync_feed import ReplicationError, SyncFeed
from carnelian.tools.cli.talking.cli_login import client_for, tell

# Seconds after which the server hears from us again.
_SILENCE = 1.0


def run(options: Options) -> int:
    """Go on until Ctrl-C; returns the exit status. Raises ConnectError and LostError."""
    client = client_for(options)
    client.connect()
    form = options.form or (STANDARD if sys.stdout.isatty() else RAW)
    # A command is a line, where nobody has said otherwise.
    style = Style(CSV if form == STANDARD else form, options.between, options.after)
    feed = SyncFeed(client)
    try:
        feed.begin(snapshot_only=False, functions_only=False)
        amount = "bytes of bulk transfer until EOF marker" if feed.mark else f"{feed.size} bytes"
        tell(f"SYNC with master, discarding {amount}...")
        size = feed.snapshot(lambda data: None)
        after = f" after {size} bytes" if feed.mark else ""
        tell(f"SYNC done{after}. Logging commands from master.")
        tell("sending REPLCONF ACK 0")
        feed.acknowledge()
        parser, out = ReplyReader(TYPED), sys.stdout.buffer
        while True:
            parser.feed(_received(feed))
            while (command := parser.take()) is not MORE:
                out.write(style.write(command))
            out.flush()
    except ReplicationError as error:
        tell(str(error))
        return 1
    finally:
        client.close()


def _received(feed: SyncFeed) -> bytes:
    """Some bytes. The server hears from us meanwhile: it may not have heeded the first time."""
    while True:
        try:
            return feed.receive(_SILENCE)
        except TimeoutError:
            feed.acknowledge()
