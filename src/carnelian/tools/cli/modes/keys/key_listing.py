"""``--scan``: all keys, a line each."""

from __future__ import annotations

import sys

from carnelian.resp.quoting import quote
from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.forms.reply_forms import STANDARD
from carnelian.tools.cli.modes.keys.key_walk import KeyWalk, TaskFailedError
from carnelian.tools.cli.talking.cli_login import client_for, tell


def run(options: Options) -> int:
    """Do it; returns the exit status."""
    client = client_for(options)
    client.connect()
    out = sys.stdout.buffer
    terminal = sys.stdout.isatty()
    quoted = (options.form or (STANDARD if terminal else "")) == STANDARD
    try:
        for keys in KeyWalk(client, options, alone=True).portions():
            if quoted:
                keys = [quote(key) for key in keys]
            if keys:
                out.write(b"\n".join(keys) + b"\n")
            if terminal:
                out.flush()
        out.flush()
    except TaskFailedError as error:
        tell(f"ERROR: {error}")
        return 1
    finally:
        client.end()
    return 0
