"""CLIENT: the connections of the server, one's own and those of others.

See https://redis.io/docs/latest/commands/?group=connection
"""

from __future__ import annotations

from collections.abc import Callable

from carnelian.commands.operands import integer, milliseconds
from carnelian.engine import authentication, clients
from carnelian.engine.flags import (
    FLAG_NO_EVICT,
    FLAG_NO_TOUCH,
    REPLY_OFF,
    REPLY_ON,
    REPLY_SKIP_NEXT,
    UNTOUCHING,
)
from carnelian.engine.help import container
from carnelian.engine.registry import command
from carnelian.engine.session import Session
from carnelian.resp.replies import NO_REPLY, OK, Error, SyntaxError_, Verbatim

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


@command(
    "CLIENT ID",
    arity=2,
    flags="noscript loading stale sentinel",
    group="connection",
    since="5.0.0",
    complexity="O(1)",
    summary="Returns the id of the connection, which no other has or had.",
)
def client_id(session: Session, args: list[bytes]) -> int:
    return session.id


@command(
    "CLIENT INFO",
    arity=2,
    flags="noscript loading stale sentinel",
    group="connection",
    since="6.2.0",
    complexity="O(1)",
    summary="Tells about the connection, in the form of CLIENT LIST.",
    hints=_OUTPUT_VARIES,
)
def client_info(session: Session, args: list[bytes]) -> Verbatim:
    return Verbatim(clients.describe(session, session.engine.clock.ms) + b"\n")


@command(
    "CLIENT GETNAME",
    arity=2,
    flags="noscript loading stale sentinel",
    group="connection",
    since="2.6.9",
    complexity="O(1)",
    summary="Returns the name of the connection.",
)
def client_getname(session: Session, args: list[bytes]) -> bytes | None:
    return session.name or None


@command(
    "CLIENT SETNAME",
    arity=3,
    flags="noscript loading stale sentinel",
    group="connection",
    since="2.6.9",
    complexity="O(1)",
    summary="Names the connection, or takes its name away.",
    arguments="connection-name",
    hints=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def client_setname(session: Session, args: list[bytes]) -> object:
    check_name(args[2])
    session.name = args[2]
    return OK


@command(
    "CLIENT SETINFO",
    arity=4,
    flags="noscript loading stale sentinel",
    group="connection",
    since="7.2.0",
    complexity="O(1)",
    summary="Tells which client library is behind the connection.",
    arguments="attr=<LIB-NAME libname | LIB-VER libver>",
    hints=("request_policy:all_nodes", "response_policy:all_succeeded"),
)
def client_setinfo(session: Session, args: list[bytes]) -> object:
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


@command(
    "CLIENT REPLY",
    arity=3,
    flags="noscript loading stale sentinel",
    group="connection",
    since="3.2.0",
    complexity="O(1)",
    summary="Turns replies on or off, or skips the next one.",
    arguments="action=<ON | OFF | SKIP>",
)
def client_reply(session: Session, args: list[bytes]) -> object:
    mode = args[2].lower()
    if mode == b"on":
        session.reply_mode = REPLY_ON
        return OK
    if mode == b"off":
        session.reply_mode = REPLY_OFF
    elif mode != b"skip":
        raise SyntaxError_
    elif session.reply_mode != REPLY_OFF:
        session.reply_mode = REPLY_SKIP_NEXT
    return NO_REPLY


@command(
    "CLIENT NO-EVICT",
    arity=3,
    flags="admin noscript loading stale sentinel",
    group="connection",
    since="7.0.0",
    complexity="O(1)",
    summary="Keeps the connection from being cut when clients take too much memory.",
    arguments="enabled=<ON | OFF>",
)
def client_no_evict(session: Session, args: list[bytes]) -> object:
    return _switch(session, FLAG_NO_EVICT, args[2])


@command(
    "CLIENT NO-TOUCH",
    arity=3,
    flags="noscript loading stale",
    group="connection",
    since="7.2.0",
    complexity="O(1)",
    summary="Makes reads of the connection leave no trace in the LRU and LFU clocks of keys.",
    arguments="enabled=<ON | OFF>",
)
def client_no_touch(session: Session, args: list[bytes]) -> object:
    reply = _switch(session, FLAG_NO_TOUCH, args[2])
    if session.flags & FLAG_NO_TOUCH:
        session.gate |= UNTOUCHING
    else:
        session.gate &= ~UNTOUCHING
    return reply


# -- The connections of others ------------------------------------------------------------------


@command(
    "CLIENT LIST",
    arity=-2,
    flags="admin noscript loading stale sentinel",
    group="connection",
    since="2.4.0",
    complexity="O(N), for N connections",
    summary="Tells about connections, one a line.",
    arguments=(
        "[TYPE client-type@5.0.0=<NORMAL | MASTER | REPLICA | PUBSUB>]"
        " [ID client-id:integer@6.2.0 ...]"
    ),
    hints=_OUTPUT_VARIES,
    history=(
        ("2.8.12", "Added the field `id`."),
        ("5.0.0", "Added the option `TYPE`."),
        ("6.0.0", "Added the field `user`."),
        ("6.2.0", "Added the fields `argv-mem`, `tot-mem`, `laddr` and `redir`, and `ID`."),
        ("7.0.0", "Added the fields `resp`, `multi-mem`, `rbs` and `rbp`."),
        ("7.0.3", "Added the field `ssub`."),
        ("7.2.0", "Added the fields `lib-name` and `lib-ver`."),
        ("7.4.0", "Added the field `watch`."),
        ("8.0.0", "Added the field `io-thread`."),
    ),
)
def client_list(session: Session, args: list[bytes]) -> Verbatim:
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
        raise SyntaxError_
    now = session.engine.clock.ms
    return Verbatim(b"".join([clients.describe(one, now) + b"\n" for one in chosen]))


@command(
    "CLIENT KILL",
    arity=-3,
    flags="admin noscript loading stale sentinel",
    group="connection",
    since="2.4.0",
    complexity="O(N), for N connections",
    summary="Ends the connections that an address or some filters name.",
    arguments=(
        'filter=<old-format~"ip:port"!2.8.12 | new-format=<[ID client-id:integer@2.8.12]'
        f" | [TYPE client-type@2.8.12=<{_TYPES}>] | [USER username]"
        ' | [ADDR addr~"ip:port"] | [LADDR laddr~"ip:port"@6.2.0] | [SKIPME skipme=<YES | NO>]'
        " | [MAXAGE maxage:integer@7.4.0]> ...>"
    ),
    history=(
        ("2.8.12", "Added filters, and among them `ID`."),
        ("3.2.0", "Added the type `master`."),
        ("5.0.0", "Added the type `replica` in place of `slave`, which still works."),
        ("6.2.0", "Added the filter `LADDR`."),
        ("7.4.0", "Added the filter `MAXAGE`."),
    ),
)
def client_kill(session: Session, args: list[bytes]) -> object:
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


Condition = Callable[[Session], bool]


def _filters(session: Session, args: list[bytes]) -> tuple[list[Condition], bool]:
    """What a connection to be killed must fulfil, and whether one's own is spared."""
    if len(args) % 2:
        raise SyntaxError_
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
            raise SyntaxError_
    return list(conditions.values()), spare_self


def _of_id(session: Session, value: bytes) -> Condition:
    wanted = integer(value, "ERR client-id should be greater than 0", lowest=1)
    return lambda one: one.id == wanted


def _of_kind(session: Session, value: bytes) -> Condition:
    kind = _kind(value)
    return lambda one: clients.kind(one) == kind


def _of_user(session: Session, value: bytes) -> Condition:
    if not authentication.user_exists(session.engine, value):
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
    "CLIENT UNBLOCK",
    arity=-3,
    flags="admin noscript loading stale sentinel",
    group="connection",
    since="5.0.0",
    complexity="O(log N), for N connections",
    summary="Ends the wait of a connection inside a blocking command.",
    arguments="client-id:integer [unblock-type=<TIMEOUT | ERROR>]",
)
def client_unblock(session: Session, args: list[bytes]) -> int:
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
    "CLIENT PAUSE",
    arity=-3,
    flags="admin noscript loading stale sentinel",
    group="connection",
    since="2.9.50",
    complexity="O(1)",
    summary="Holds back all commands, or those that write, for some time.",
    arguments="timeout:integer [mode@6.2.0=<WRITE | ALL>]",
    history=(("6.2.0", "Added the modes `WRITE` and `ALL`."),),
)
def client_pause(session: Session, args: list[bytes]) -> object:
    if len(args) > 4:
        raise _wrong_form(args)
    mode = args[3].lower() if len(args) == 4 else b"all"
    if mode not in (b"write", b"all"):
        raise Error("ERR CLIENT PAUSE mode must be WRITE or ALL")
    engine = session.engine
    end_ms = milliseconds(args[2], engine.clock.ms)
    engine.pause.start(end_ms, writes_only=mode == b"write")
    return OK


@command(
    "CLIENT UNPAUSE",
    arity=2,
    flags="admin noscript loading stale sentinel",
    group="connection",
    since="6.2.0",
    complexity="O(N), for N commands that are held back",
    summary="Ends a pause, and runs what it held back.",
)
def client_unpause(session: Session, args: list[bytes]) -> object:
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
        raise SyntaxError_
    return answer == b"yes"


def _switch(session: Session, flag: int, word: bytes) -> object:
    state = word.lower()
    if state == b"on":
        session.flags |= flag
    elif state == b"off":
        session.flags &= ~flag
    else:
        raise SyntaxError_
    return OK


def _wrong_form(args: list[bytes]) -> Error:
    return Error(
        b"ERR unknown subcommand or wrong number of arguments for '%s'. Try CLIENT HELP."
        % args[1][:128]
    )
