"""HOTKEYS: which keys take the most time and traffic.

See https://redis.io/docs/latest/commands/hotkeys/
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from carnelian.commands.common.operands import integer
from carnelian.engine.declaring import command
from carnelian.engine.help import container
from carnelian.engine.hotkeys import HotKeys
from carnelian.engine.session import Session
from carnelian.resp.replies import OK, SYNTAX_ERROR, Error

GROUP = "server"

_METRICS = 2
_MOST_KEYS = 64
_LONGEST = 1_000_000
_INT_MAX = 2**31 - 1
_SLOTS = 16384

container(
    "HOTKEYS",
    group="server",
    since="8.6.0",
    help_since="8.6.1",
    summary="Finds the keys that take the most time and traffic.",
)


def _gathered(session: Session) -> HotKeys | None:
    """The session of gathering that runs, or the last one."""
    return session.engine.facts.get("hotkeys")


@command(
    "HOTKEYS START METRICS metrics=(count:integer [CPU] [NET]) [COUNT k:integer] [DURATION "
    "seconds:integer] [SAMPLE ratio:integer] [SLOTS slots=(count:integer slot:integer ...)]",
    "admin noscript",
    arity=-2,
)
def hotkeys_start(session: Session, args: list[bytes]) -> object:
    """Begins to gather.

    Since 8.6.0, O(1)
    """
    last = _gathered(session)
    if last is not None and last.active:
        raise Error("ERR hotkey tracking session already in progress")
    metrics, place = _metrics(args)
    count, seconds, sample, slots = _options(session, args[place:])
    session.engine.facts["hotkeys"] = HotKeys(
        session.engine,
        cpu="CPU" in metrics,
        net="NET" in metrics,
        count=count,
        duration_ms=seconds * 1000,
        sample=sample,
        slots=slots,
    )
    return OK


@command("HOTKEYS STOP", "admin noscript")
def hotkeys_stop(session: Session, args: list[bytes]) -> object:
    """Ends gathering; what was gathered stays.

    Since 8.6.0, O(1)
    """
    last = _gathered(session)
    if last is None or not last.active:
        return None
    last.stop()
    return OK


@command("HOTKEYS GET", "admin noscript")
def hotkeys_get(session: Session, args: list[bytes]) -> object:
    """Tells what was gathered, or is so far.

    Since 8.6.0, O(K), for K keys
    """
    last = _gathered(session)
    return None if last is None else [last.report()]


@command("HOTKEYS RESET", "admin noscript")
def hotkeys_reset(session: Session, args: list[bytes]) -> object:
    """Forgets what was gathered.

    Since 8.6.0, O(1)
    """
    last = _gathered(session)
    if last is not None and last.active:
        raise Error("ERR hotkey tracking session in progress, stop tracking first")
    session.engine.facts.pop("hotkeys", None)
    return OK


def _metrics(args: list[bytes]) -> tuple[set[str], int]:
    """What is to be measured, and where the options begin; unknown metrics are passed over."""
    if len(args) < 4 or args[2].upper() != b"METRICS":
        raise Error("ERR METRICS parameter is required")
    count = integer(args[3], f"ERR METRICS count must be > 0 and <= {_METRICS}", 1, _METRICS)
    words = [word.upper() for word in args[4 : 4 + count]]
    for word in (b"CPU", b"NET"):
        if words.count(word) > 1:
            raise Error(b"ERR METRICS %s defined more than once!" % word)
    if len(words) < count:
        raise Error("ERR METRICS count does not match number of metric types provided")
    found = {word.decode() for word in words if word in (b"CPU", b"NET")}
    if not found:
        raise Error("ERR METRICS no valid metrics passed. Supported: CPU|NET")
    return found, 4 + count


def _options(session: Session, words: list[bytes]) -> tuple[int, int, int, list[int] | None]:
    """Number of keys, seconds (0: until it is stopped), one of how many is looked at, and in which
    slots of a cluster (None: in all).
    """
    count, seconds, sample, slots = 10, 0, 1, None
    rest = iter(words)
    for word in rest:
        option, value = word.upper(), next(rest, None)
        if value is None:
            raise SYNTAX_ERROR
        if option == b"COUNT":
            count = integer(value, "ERR COUNT must be between 1 and 64", 1, _MOST_KEYS)
        elif option == b"DURATION":
            message = "ERR DURATION must be between 1 and 1000000"
            seconds = integer(value, message, 1, _LONGEST)
        elif option == b"SAMPLE":
            sample = integer(value, "ERR SAMPLE ratio must be positive", 1, _INT_MAX)
        elif option == b"SLOTS":
            if session.engine.cluster is None:
                raise Error("ERR SLOTS parameter cannot be used in non-cluster mode")
            if slots is not None:
                raise Error("ERR SLOTS parameter already specified")
            slots = _slots(session, value, rest)
        else:
            raise SYNTAX_ERROR
    return count, seconds, sample, slots


def _slots(session: Session, count_word: bytes, words: Iterator[bytes]) -> list[int]:
    """Slots of this node, in order."""
    message = f"ERR SLOTS count must be between 1 and {_SLOTS}"
    given = list(islice(words, count := integer(count_word, message, 1, _SLOTS)))
    if len(given) < count:
        raise Error("ERR not enough slot numbers provided")
    own, slots = set(session.engine.cluster.own_slots()), []
    for word in given:
        slot = integer(word, "ERR Invalid or out of range slot", 0, _SLOTS - 1)
        if slot not in own:
            raise Error(f"ERR slot {slot} not handled by this node")
        slots.append(slot)
    if len(set(slots)) < count:
        raise Error("ERR duplicate slot number")
    return sorted(slots)
