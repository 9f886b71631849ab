"""INFO, SHUTDOWN and LOLWUT."""

from __future__ import annotations

import random

from carnelian import REDIS_VERSION
from carnelian.engine.declaring import command
from carnelian.engine.ground.flags import FLAG_DENY_BLOCKING
from carnelian.engine.session import Session
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import NO_REPLY, OK, SYNTAX_ERROR, Error, Verbatim

GROUP = "server"

_SHUTDOWN_OPTIONS = "[save-selector=<NOSAVE | SAVE>] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]"


@command(
    "INFO [section ...]",
    "loading stale sentinel",
    categories="dangerous",
    hints=("nondeterministic_output", "request_policy:all_shards", "response_policy:special"),
)
def info(session: Session, args: list[bytes]) -> Verbatim:
    """Tells about the server, by section.

    Since 1.0.0, O(1)
    7.0.0: Takes several sections.
    """
    wanted = [word.decode("latin-1") for word in args[1:]]
    return Verbatim(session.engine.info.render(wanted))


@command(
    f"SHUTDOWN {_SHUTDOWN_OPTIONS}", "admin noscript loading stale no_multi allow_busy sentinel"
)
def shutdown(session: Session, args: list[bytes]) -> object:
    """Ends the server, after saving where it is configured to.

    Since 1.0.0, O(N) when saving, for N keys
    7.0.0: Added `NOW`, `FORCE` and `ABORT`.
    """
    options = {word.lower() for word in args[1:]}
    if options - {b"nosave", b"save", b"now", b"force", b"abort"}:
        raise SYNTAX_ERROR
    if {b"nosave", b"save"} <= options or (b"abort" in options and len(options) > 1):
        raise SYNTAX_ERROR
    engine = session.engine
    if b"abort" in options:
        if engine.on_shutdown is None or not engine.on_shutdown(options):
            raise Error("ERR No shutdown in progress.")
        return OK
    if b"now" not in options and session.flags & FLAG_DENY_BLOCKING:
        raise Error("ERR SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client")
    ended = False if engine.on_shutdown is None else engine.on_shutdown(options)
    if ended is None:
        # It will be when the replicas have everything.
        return engine.blocking.wait(session, args, (), 0, NO_REPLY)
    if not ended:
        raise Error("ERR Errors trying to SHUTDOWN. Check logs.")
    return NO_REPLY


@command("LOLWUT [VERSION version:integer]", "readonly fast")
def lolwut(session: Session, args: list[bytes]) -> Verbatim:
    """Draws a picture, and tells the version.

    Since 5.0.0, O(N), for a picture of N characters
    """
    words = args[1:]
    if len(words) >= 2 and words[0].lower() == b"version":
        parse_int(words[1])
        words = words[2:]
    numbers = [parse_int(word) for word in words[:2]]
    columns = _bounded(numbers[0] if numbers else 48, 8, 160)
    rows = _bounded(numbers[1] if len(numbers) > 1 else 13, 3, 60)
    picture = _bands(columns, rows)
    return Verbatim(f"{picture}\nRedis ver. {REDIS_VERSION}\n".encode())


def _bounded(value: int, lowest: int, highest: int) -> int:
    return max(lowest, min(highest, value))


def _bands(columns: int, rows: int) -> str:
    """A cut and polished stone: bands of shade around a wandering centre, inside an oval."""
    shades = " .:-=+*#%@"
    drift = random.uniform(-0.4, 0.4)
    width = random.uniform(5.0, 11.0)
    lines = []
    for row in range(rows):
        y = (row + 0.5) / rows * 2 - 1
        line = []
        for column in range(columns):
            x = (column + 0.5) / columns * 2 - 1
            if x * x + y * y > 1:
                line.append(" ")
                continue
            distance = ((x - drift) ** 2 + (y + drift / 2) ** 2) ** 0.5
            band = int(distance * width + random.uniform(0, 0.35))
            line.append(shades[(band * 3 + 2) % len(shades)])
        lines.append("".join(line).rstrip())
    return "\n".join(lines) + "\n"
