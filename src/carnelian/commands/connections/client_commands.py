"""CLIENT: the connections of the server, one's own and those of others.

See https://redis.io/docs/latest/commands/?group=connection
"""

from __future__ import annotations

from collections.abc import Callable

from carnelian.commands.common.operands import integer, milliseconds
from carnelian.engine.declaring import command
from carnelian.engine.ground.flags import (
    FLAG_NO_EVICT,
    FLAG_NO_TOUCH,
    REPLY_OFF,
    REPLY_ON,
    REPLY_SKIP_NEXT,
    UNTOUCHING,
)
from carnelian.engine.help import container
from carnelian.engine.session import Session
from carnelian.engine.shared import clients
from carnelian.engine.shared.client_state import Client
from carnelian.resp.replies import NO_REPLY, OK, SYNTAX_ERROR, Error, Verbatim

GROUP = "connection"

_TYPES = "NORMAL | MASTER@3.2.0 | SLAVE | REPLICA@5.0.0 | PUBSUB"
_OUTPUT_VARIES = "nondeterministic_output"

container(
    "CLIENT",
    group="connection",
    since="2.4.0",
    flags="sentinel",
    help_flags="loading stale sentinel",
    summary="Tells about connections, and changes them.",
)


# -- One's own connection -----------------------------------------------------------------------


@command("CLIENT ID", "noscript loading stale sentinel")
def client_id(session: Session, args: list[bytes]) -> int:
    """Returns the id of the connection, which no other has or had.

    Since 5.0.0, O(1)
    """
    return session.id


@command("CLIENT INFO", "noscript loading stale sentinel", hints=_OUTPUT_VARIES)
def client_info(session: Session, args: list[bytes]) -> Verbatim:
    """Tells about the connection, in the form of CLIENT LIST.

    Since 6.2.0, O(1)
    """
    return Verbatim(clients.describe(session, session.engine.clock.ms) + b"\n")


@command("CLIENT GETNAME", "noscript loading stale sentinel")
def client_getname(session: Session, args: list[bytes]) -> bytes | None:
    """Returns the name of the connection.

    Since 2.6.9, O(1)
    """
    return session.name or None


@command(
    "CLIENT SETNAME connection-name",
    "noscript loading stale sentinel",
    hints=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def client_setname(session: Session, args: list[bytes]) -> object:
    """Names the connection, or takes its name away.

    Since 2.6.9, O(1)
    """
    check_name(args[2])
    session.name = args[2]
    return OK


@command(
    "CLIENT SETINFO attr=<LIB-NAME libname | LIB-VER libver>",
    "noscript loading stale sentinel",
    hints=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def client_setinfo(session: Session, args: list[bytes]) -> object:
    """Tells which client library is behind the connection.

    Since 7.2.0, O(1)
    """
    attribute, value = args[2], args[3]
    word = attribute.lower()
    if word not in (b"lib-name", b"lib-ver"):
        raise Error(b"ERR Unrecognized option '%s'" % attribute)
    if not _is_printable(value):
        raise Error(b"ERR %s cannot contain spaces, newlines or special characters." % attribute)
    if word == b"lib-name":
        session.lib_name = value
    else:
        session.lib_ver = value
    return OK


@command("CLIENT REPLY action=<ON | OFF | SKIP>", "noscript loading stale sentinel")
def client_reply(session: Session, args: list[bytes]) -> object:
    """Turns replies on or off, or skips the next one.

    Since 3.2.0, O(1)
    """
    mode = args[2].lower()
    if mode == b"on":
        session.reply_mode = REPLY_ON
        return OK
    if mode == b"off":
        session.reply_mode = REPLY_OFF
    elif mode != b"skip":
        raise SYNTAX_ERROR
    elif session.reply_mode != REPLY_OFF:
        session.reply_mode = REPLY_SKIP_NEXT
    return NO_REPLY


@command("CLIENT NO-EVICT enabled=<ON | OFF>", "admin noscript loading stale sentinel")
def client_no_evict(session: Session, args: list[bytes]) -> object:
    """Keeps the connection from being cut when clients take too much memory.

    Since 7.0.0, O(1)
    """
    return _switch(session, FLAG_NO_EVICT, args[2])


@command("CLIENT NO-TOUCH enabled=<ON | OFF>", "noscript loading stale")
def client_no_touch(session: Session, args: list[bytes]) -> object:
    """Makes reads of the connection leave no trace in the LRU and LFU clocks of keys.

    Since 7.2.0, O(1)
    """
    reply = _switch(session, FLAG_NO_TOUCH, args[2])
    if session.flags & FLAG_NO_TOUCH:
        session.gate |= UNTOUCHING
    else:
        session.gate &= ~UNTOUCHING
    return reply


# -- The connections of others ------------------------------------------------------------------


@command(
    "CLIENT LIST [TYPE client-type@5.0.0=<NORMAL | MASTER | REPLICA | PUBSUB>] [ID "
    "client-id:integer@6.2.0 ...]",
    "admin noscript loading stale sentinel",
    hints=_OUTPUT_VARIES,
)
def client_list(session: Session, args: list[bytes]) -> Verbatim:
    """Tells about connections, one a line.

    Since 2.4.0, O(N), for N connections
    2.8.12: Added the field `id`.
    5.0.0: Added the option `TYPE`.
    6.0.0: Added the field `user`.
    6.2.0: Added the fields `argv-mem`, `tot-mem`, `laddr` and `redir`, and `ID`.
    7.0.0: Added the fields `resp`, `multi-mem`, `rbs` and `rbp`.
    7.0.3: Added the field `ssub`.
    7.2.0: Added the fields `lib-name` and `lib-ver`.
    7.4.0: Added the field `watch`.
    8.0.0: Added the field `io-thread`.
    """
    sessions = session.engine.sessions
    option = args[2].lower() if len(args) > 2 else b""
    if len(args) == 2:
        chosen = list(sessions)
    elif option == b"type" and len(args) == 4:
        kind = _kind(args[3])
        chosen = [one for one in sessions if clients.kind(one) == kind]
    elif option == b"id" and len(args) > 3:
        found = [sessions.get(integer(word, "ERR Invalid client ID")) for word in args[3:]]
        chosen = [one for one in found if one is not None]
    else:
        raise SYNTAX_ERROR
    now = session.engine.clock.ms
    return Verbatim(b"".join([clients.describe(one, now) + b"\n" for one in chosen]))


@command(
    'CLIENT KILL filter=<old-format~"ip:port"!2.8.12 | new-format=<[ID client-id:integer@2.8.12]'
    f" | [TYPE client-type@2.8.12=<{_TYPES}>] | [USER username]"
    ' | [ADDR addr~"ip:port"] | [LADDR laddr~"ip:port"@6.2.0] | [SKIPME skipme=<YES | NO>]'
    " | [MAXAGE maxage:integer@7.4.0]> ...>",
    "admin noscript loading stale sentinel",
    arity=-3,
)
def client_kill(session: Session, args: list[bytes]) -> object:
    """Ends the connections that an address or some filters name.

    Since 2.4.0, O(N), for N connections
    2.8.12: Added filters, and among them `ID`.
    3.2.0: Added the type `master`.
    5.0.0: Added the type `replica` in place of `slave`, which still works.
    6.2.0: Added the filter `LADDR`.
    7.4.0: Added the filter `MAXAGE`.
    """
    old_form = len(args) == 3
    if old_form:
        conditions, spare_self = [_at_address(args[2])], False
    else:
        conditions, spare_self = _filters(session, args)
    killed = 0
    for one in session.engine.sessions:
        if (spare_self and one is session) or not all(fits(one) for fits in conditions):
            continue
        # One's own connection still gets the reply.
        one.close(after_replies=one is session)
        killed += 1
    if old_form and not killed:
        raise Error("ERR No such client")
    return OK if old_form else killed


Condition = Callable[[Client], bool]


def _filters(session: Session, args: list[bytes]) -> tuple[list[Condition], bool]:
    """What a connection to be killed must fulfil, and whether one's own is spared."""
    if len(args) % 2:
        raise SYNTAX_ERROR
    conditions: dict[bytes, Condition] = {}
    spare_self = True
    for word, value in zip(args[2::2], args[3::2], strict=True):
        option = word.lower()
        if option == b"skipme":
            spare_self = _yes_or_no(value)
        elif option in _FILTERS:
            # The last one of a kind counts.
            conditions[option] = _FILTERS[option](session, value)
        else:
            raise SYNTAX_ERROR
    return list(conditions.values()), spare_self


def _of_id(session: Session, value: bytes) -> Condition:
    wanted = integer(value, "ERR client-id should be greater than 0", lowest=1)
    return lambda one: one.id == wanted


def _of_kind(session: Session, value: bytes) -> Condition:
    kind = _kind(value)
    return lambda one: clients.kind(one) == kind


def _of_user(session: Session, value: bytes) -> Condition:
    if value not in session.engine.users:
        raise Error(b"ERR No such user '%s'" % value)
    return lambda one: one.user == value


def _of_age(session: Session, value: bytes) -> Condition:
    age = integer(value, "ERR maxage is not an integer or out of range")
    if age <= 0:
        raise Error("ERR maxage should be greater than 0")
    now = session.engine.clock.ms // 1000
    return lambda one: now - one.created_ms // 1000 >= age


def _at_address(address: bytes) -> Condition:
    return lambda one: one.peer() == address


def _at_own_address(address: bytes) -> Condition:
    return lambda one: one.describe().get("laddr") == address


_FILTERS: dict[bytes, Callable[[Session, bytes], Condition]] = {
    b"id": _of_id,
    b"type": _of_kind,
    b"user": _of_user,
    b"maxage": _of_age,
    b"addr": lambda session, value: _at_address(value),
    b"laddr": lambda session, value: _at_own_address(value),
}


@command(
    "CLIENT UNBLOCK client-id:integer [unblock-type=<TIMEOUT | ERROR>]",
    "admin noscript loading stale sentinel",
)
def client_unblock(session: Session, args: list[bytes]) -> int:
    """Ends the wait of a connection inside a blocking command.

    Since 5.0.0, O(log N), for N connections
    """
    if len(args) > 4:
        raise _wrong_form(args)
    reason = args[3].lower() if len(args) == 4 else b"timeout"
    if reason not in (b"timeout", b"error"):
        raise Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
    engine = session.engine
    target = engine.sessions.get(
        integer(args[2], "ERR value is not an integer or out of range"),
    )
    if target is None:
        return 0
    return int(engine.blocking.unblock(target, with_error=reason == b"error"))


# -- All connections together -------------------------------------------------------------------


@command(
    "CLIENT PAUSE timeout:integer [mode@6.2.0=<WRITE | ALL>]",
    "admin noscript loading stale sentinel",
)
def client_pause(session: Session, args: list[bytes]) -> object:
    """Holds back all commands, or those that write, for some time.

    Since 2.9.50, O(1)
    6.2.0: Added the modes `WRITE` and `ALL`.
    """
    if len(args) > 4:
        raise _wrong_form(args)
    mode = args[3].lower() if len(args) == 4 else b"all"
    if mode not in (b"write", b"all"):
        raise Error("ERR CLIENT PAUSE mode must be WRITE or ALL")
    engine = session.engine
    end_ms = milliseconds(args[2], engine.clock.ms)
    engine.pause.start(end_ms, writes_only=mode == b"write")
    return OK


@command("CLIENT UNPAUSE", "admin noscript loading stale sentinel")
def client_unpause(session: Session, args: list[bytes]) -> object:
    """Ends a pause, and runs what it held back.

    Since 6.2.0, O(N), for N commands that are held back
    """
    session.engine.pause.stop()
    return OK


# -- Operands -----------------------------------------------------------------------------------


def check_name(name: bytes) -> None:
    """Refuse a name that would break the lines of CLIENT LIST."""
    if not _is_printable(name):
        raise Error(
            "ERR Client names cannot contain spaces, newlines or special characters.",
        )


def _is_printable(text: bytes) -> bool:
    return all(b"!"[0] <= byte <= b"~"[0] for byte in text)


def _kind(word: bytes) -> str:
    kind = clients.kind_named(word)
    if kind is None:
        raise Error(b"ERR Unknown client type '%s'" % word)
    return kind


def _yes_or_no(word: bytes) -> bool:
    answer = word.lower()
    if answer not in (b"yes", b"no"):
        raise SYNTAX_ERROR
    return answer == b"yes"


def _switch(session: Session, flag: int, word: bytes) -> object:
    state = word.lower()
    if state == b"on":
        session.flags |= flag
    elif state == b"off":
        session.flags &= ~flag
    else:
        raise SYNTAX_ERROR
    return OK


def _wrong_form(args: list[bytes]) -> Error:
    return Error(
        b"ERR unknown subcommand or wrong number of arguments for '%s'. Try CLIENT HELP."
        % args[1][:128]
    )
