"""Commands about the connection itself: AUTH, HELLO, PING, ECHO, SELECT, QUIT and RESET.

See https://redis.io/docs/latest/commands/?group=connection
"""

from cython.cimports.carnelian.engine.ground.flags import (
    FLAG_PRIMARY,
    FLAG_REPLICA,
    NEEDS_AUTH,
    SUBSCRIBED,
)
from cython.cimports.carnelian.engine.session import Session

from carnelian import REDIS_VERSION
from carnelian.commands.connections import pubsub_commands, transaction_commands
from carnelian.commands.connections.client_commands import check_name
from carnelian.engine.acl.users import DEFAULT_USER
from carnelian.engine.catalogue.registry import wrong_arity
from carnelian.engine.declaring import command
from carnelian.engine.parts.monitors import redact
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import OK, PONG, SYNTAX_ERROR, Error, FlatMap, Status

GROUP = "connection"

_MIN_INT, _MAX_INT = -(2**31), 2**31 - 1


@command(
    "PING [message]",
    "fast sentinel",
    hints=("request_policy:all_shards", "response_policy:all_succeeded"),
)
def ping(session: Session, args: list):
    """Answers PONG, or the message it was given.

    Since 1.0.0, O(1)
    """
    if len(args) > 2:
        raise wrong_arity(session.command)
    # An old client that listens to channels tells an answer from a message by its form.
    if session.gate & SUBSCRIBED and session.protocol == 2:
        return [b"pong", args[1] if len(args) > 1 else b""]
    return args[1] if len(args) > 1 else PONG


@command("ECHO message", "loading stale fast")
def echo(session: Session, args: list):
    """Returns its message.

    Since 1.0.0, O(1)
    """
    return args[1]


@command("SELECT index:integer", "loading stale fast")
def select(session: Session, args: list):
    """Makes another database the current one.

    Since 1.0.0, O(1)
    """
    index = parse_int(args[1])
    if not _MIN_INT <= index <= _MAX_INT:
        raise Error(
            f"ERR value is out of range, value must between {_MIN_INT} and {_MAX_INT}",
        )
    if index and session.engine.cluster is not None:
        raise Error("ERR SELECT is not allowed in cluster mode")
    session.select(index)
    return OK


@command(
    "AUTH [username@6.0.0] password", "noscript loading stale fast no_auth sentinel allow_busy"
)
def auth(session: Session, args: list):
    """Shows who is behind the connection.

    Since 1.0.0, O(N), for N passwords of the user
    6.0.0: Takes a user name.
    """
    if len(args) > 3:
        raise SYNTAX_ERROR
    words = args[1:]
    redact(args, *range(1, len(args)))
    if len(words) == 1:
        if session.engine.users.default.account.nopass:
            raise Error(
                "ERR AUTH <password> called without any password configured for the default "
                "user. Are you sure your configuration is correct?"
            )
        words = [DEFAULT_USER, *words]
    session.engine.users.authenticate(session, words[0], words[1], args[0])
    return OK


@command(
    "HELLO [arguments=(protover:integer [AUTH auth=(username password)] [SETNAME clientname])]",
    "noscript loading stale fast no_auth sentinel allow_busy",
)
def hello(session: Session, args: list):
    """Chooses the protocol, and tells about the server.

    Since 6.0.0, O(1)
    6.2.0: Without a protocol version it tells about the connection as it is.
    """
    version = _protocol(args[1]) if len(args) > 1 else session.protocol
    credentials, name = _hello_options(args)
    if credentials is not None:
        user, password = credentials
        session.engine.users.authenticate(session, user, password, args[0])
    if session.gate & NEEDS_AUTH:
        raise Error(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the "
            "HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and "
            "select the RESP protocol version at the same time"
        )
    if name is not None:
        session.name = name
    session.protocol = version
    engine = session.engine
    return FlatMap(
        [
            b"server", b"redis",
            b"version", session.engine.facts.get("redis_version", REDIS_VERSION).encode(),
            b"proto", version,
            b"id", session.id,
            b"mode", b"standalone" if engine.cluster is None else b"cluster",
            b"role", b"replica" if _follows(session) else b"master",
            b"modules", [module.describe() for module in engine.modules],
        ]
    )  # fmt: skip


def _follows(session: Session) -> bool:
    replication = session.engine.replication
    return replication is not None and replication.following is not None


def _protocol(word: bytes) -> int:
    try:
        version = parse_int(word)
    except Error:
        raise Error("ERR Protocol version is not an integer or out of range") from None
    if version not in (2, 3):
        raise Error("NOPROTO unsupported protocol version")
    return version


def _hello_options(args: list):
    """The user and password, and the name of the connection, each if it is given."""
    credentials = name = None
    position = 2
    while position < len(args):
        option, left = args[position].lower(), len(args) - position - 1
        if option == b"auth" and left >= 2:
            credentials = (args[position + 1], args[position + 2])
            redact(args, position + 1, position + 2)
            position += 3
        elif option == b"setname" and left >= 1:
            name = args[position + 1]
            check_name(name)
            position += 2
        else:
            raise Error(b"ERR Syntax error in HELLO option '%s'" % args[position])
    return credentials, name


@command("QUIT", "allow_busy noscript loading stale fast no_auth", arity=-1)
def quit(session: Session, args: list):
    """Ends the connection once all replies are sent.

    Since 1.0.0, O(1)
    Deprecated since 7.2.0: just closing the connection
    """
    session.close(after_replies=True)
    return OK


@command("RESET", "noscript loading stale fast no_auth allow_busy")
def reset(session: Session, args: list):
    """Makes the connection as it was when it began.

    Since 6.2.0, O(1)
    """
    if session.flags & (FLAG_PRIMARY | FLAG_REPLICA):
        raise Error("ERR can only reset normal client connections")
    session.engine.monitors.remove(session)
    transaction_commands.end(session)
    pubsub_commands.leave(session)
    session.engine.tracking.disable(session)
    session.fieldsets = None
    session.select(0)
    session.protocol = 2
    session.reset_identity()
    if session.rights is not None:
        session.engine.users.begin(session)
    return Status(b"RESET")
