"""``--stat``: figures of the server, a line each second."""

from __future__ import annotations

import re
import time

from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.modes.keys.key_walk import TaskFailedError, checked
from carnelian.tools.cli.talking.cli_login import client_for, tell
from carnelian.tools.cli.wire.cli_client import Client

_HEADER = """\
------- data ------ --------------------- load -------------------- - child -
keys       mem      clients blocked requests            connections          """
# Lines after which the header comes again.
_PAGE = 20
_KEYS = re.compile(r"^db\d+:keys=(\d+)", re.MULTILINE)


def run(options: Options) -> int:
    """Go on until Ctrl-C, or so often as ``-r`` says; returns the exit status."""
    client = client_for(options)
    client.connect()
    requests: int | None = None
    number = 0
    try:
        while True:
            if number % _PAGE == 0:
                print(_HEADER)
            info = _info(client)
            now = _number(info, "total_commands_processed")
            print(_line(info, now, 0 if requests is None else now - requests), flush=True)
            requests = now
            number += 1
            if options.repeat > 1 and number >= options.repeat:
                return 0
            time.sleep(options.interval or 1.0)
    except TaskFailedError as error:
        tell(f"ERROR: {error}")
        return 1
    finally:
        client.end()


def _info(client: Client) -> str:
    reply = checked(client.call("INFO"))
    assert isinstance(reply, bytes)
    return reply.decode("utf-8", "replace").replace("\r\n", "\n")


def _line(info: str, requests: int, more: int) -> str:
    keys = sum(map(int, _KEYS.findall(info)))
    memory = _human(_number(info, "used_memory"))
    clients, blocked = _number(info, "connected_clients"), _number(info, "blocked_clients")
    load = f"{requests} (+{more})"
    connections = _number(info, "total_connections_received")
    return f"{keys:<11}{memory:<9}{clients:<8}{blocked:<8}{load:<20}{connections:<12}{_child(info)}"


def _child(info: str) -> str:
    """What the server does in the background."""
    if _number(info, "loading"):
        return "LOAD"
    if _number(info, "rdb_bgsave_in_progress"):
        return "SAVE"
    return "AOF" if _number(info, "aof_rewrite_in_progress") else ""


def _number(info: str, name: str) -> int:
    found = re.search(rf"^{name}:(\d+)", info, re.MULTILINE)
    return int(found[1]) if found else 0


def _human(size: int) -> str:
    if size < 1024:
        return f"{size}B"
    power = min((size.bit_length() - 1) // 10, 3)
    return f"{size / 1024**power:.2f}{'BKMG'[power]}"
