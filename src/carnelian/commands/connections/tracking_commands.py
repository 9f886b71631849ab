"""CLIENT TRACKING and its kin: what a client with a cache of its own wants to hear of.

See https://redis.io/docs/latest/develop/reference/client-side-caching/
"""

from __future__ import annotations

from carnelian.commands.common.operands import integer
from carnelian.engine.declaring import command
from carnelian.engine.parts.tracking import Tracker
from carnelian.engine.session import Session
from carnelian.resp.replies import OK, SYNTAX_ERROR, Error, FlatMap, FlatSet

GROUP = "connection"

_SWITCHING = (
    "before disabling tracking for this client, and then re-enabling it with a different mode."
)


@command(
    "CLIENT TRACKING status=<ON | OFF> [REDIRECT client-id:integer] [PREFIX prefix ...*] [BCAST] "
    "[OPTIN] [OPTOUT] [NOLOOP]",
    "noscript loading stale sentinel",
)
def client_tracking(session: Session, args: list[bytes]) -> object:
    """Tells the connection from now on when keys change that it may have in a cache.

    Since 6.0.0, O(1), and O(N) for N prefixes
    """
    tracker, prefixes = _options(session, args)
    status = args[2].lower()
    if status == b"on":
        _check_modes(session, tracker, prefixes)
        session.engine.tracking.enable(session, tracker, prefixes)
    elif status == b"off":
        session.engine.tracking.disable(session)
    else:
        raise SYNTAX_ERROR
    return OK


def _options(session: Session, args: list[bytes]) -> tuple[Tracker, list[bytes]]:
    """What the words after ON or OFF ask for, and the prefixes among them."""
    tracker = Tracker()
    prefixes: list[bytes] = []
    position = 3
    while position < len(args):
        option, follows = args[position].lower(), position + 1 < len(args)
        if option == b"redirect" and follows:
            position += 1
            tracker.redirect = _redirect(session, tracker, args[position])
        elif option == b"prefix" and follows:
            position += 1
            prefixes.append(args[position])
        elif option == b"bcast":
            tracker.bcast = True
        elif option == b"optin":
            tracker.optin = True
        elif option == b"optout":
            tracker.optout = True
        elif option == b"noloop":
            tracker.noloop = True
        else:
            raise SYNTAX_ERROR
        position += 1
    return tracker, prefixes


def _redirect(session: Session, tracker: Tracker, word: bytes) -> int:
    """The id of the client to redirect to, which has to be there now."""
    if tracker.redirect:
        raise Error("ERR A client can only redirect to a single other client")
    number = integer(word, "ERR value is not an integer or out of range")
    if session.engine.sessions.get(number) is None:
        raise Error("ERR The client ID you want redirect to does not exist")
    return number


def _check_modes(session: Session, wanted: Tracker, prefixes: list[bytes]) -> None:
    """Refuse modes that do not go together, or not with what the client has now."""
    now = session.tracking
    if prefixes and not wanted.bcast:
        raise Error("ERR PREFIX option requires BCAST mode to be enabled")
    if now is not None and now.bcast != wanted.bcast:
        raise Error(f"ERR You can't switch BCAST mode on/off {_SWITCHING}")
    if wanted.bcast and (wanted.optin or wanted.optout):
        raise Error("ERR OPTIN and OPTOUT are not compatible with BCAST")
    if wanted.optin and wanted.optout:
        raise Error("ERR You can't specify both OPTIN mode and OPTOUT mode")
    if now is not None and ((wanted.optin and now.optout) or (wanted.optout and now.optin)):
        raise Error(f"ERR You can't switch OPTIN/OPTOUT mode {_SWITCHING}")
    _check_prefixes([] if now is None else sorted(now.prefixes), prefixes)


def _check_prefixes(existing: list[bytes], prefixes: list[bytes]) -> None:
    """Refuse prefixes of which a key might have two."""
    for number, prefix in enumerate(prefixes):
        for other in existing:
            _check_overlap(prefix, other, b"an existing prefix")
        for other in prefixes[number + 1 :]:
            _check_overlap(prefix, other, b"another provided prefix")


def _check_overlap(prefix: bytes, other: bytes, what: bytes) -> None:
    if prefix.startswith(other) or other.startswith(prefix):
        raise Error(
            b"ERR Prefix '%s' overlaps with %s '%s'. Prefixes for a single client must not "
            b"overlap." % (prefix, what, other)
        )


@command("CLIENT CACHING mode=<YES | NO>", "noscript loading stale sentinel")
def client_caching(session: Session, args: list[bytes]) -> object:
    """Tells whether the keys of the next command, or transaction, are tracked.

    Since 6.0.0, O(1)
    """
    tracker = session.tracking
    if tracker is None:
        raise Error(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN "
            "or OPTOUT mode enabled"
        )
    mode = args[2].lower()
    if mode == b"yes":
        if not tracker.optin:
            raise Error(
                "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."
            )
    elif mode == b"no":
        if not tracker.optout:
            raise Error(
                "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."
            )
    else:
        raise SYNTAX_ERROR
    tracker.caching = True
    return OK


@command("CLIENT GETREDIR", "noscript loading stale sentinel")
def client_getredir(session: Session, args: list[bytes]) -> int:
    """Returns the id of the connection that messages are redirected to.

    It is 0 if they come to this one, and -1 if it does not track keys.

    Since 6.0.0, O(1)
    """
    return -1 if session.tracking is None else session.tracking.redirect


@command("CLIENT TRACKINGINFO", "noscript loading stale sentinel")
def client_trackinginfo(session: Session, args: list[bytes]) -> FlatMap:
    """Tells how the connection tracks keys.

    Since 6.2.0, O(1)
    """
    tracker = session.tracking
    if tracker is None:
        flags, redirect, prefixes = [b"off"], -1, []
    else:
        flags, redirect, prefixes = _flags(tracker), tracker.redirect, sorted(tracker.prefixes)
    return FlatMap([b"flags", FlatSet(flags), b"redirect", redirect, b"prefixes", prefixes])


def _flags(tracker: Tracker) -> list[bytes]:
    shown = (
        (b"on", True),
        (b"bcast", tracker.bcast),
        (b"optin", tracker.optin),
        (b"caching-yes", tracker.optin and tracker.caching),
        (b"optout", tracker.optout),
        (b"caching-no", tracker.optout and tracker.caching),
        (b"noloop", tracker.noloop),
        (b"broken_redirect", tracker.broken),
    )
    return [name for name, holds in shown if holds]
