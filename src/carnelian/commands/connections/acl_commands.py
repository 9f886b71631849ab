"""ACL: users, what they may do, and what was refused to them.

See https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
"""

from __future__ import annotations

import os

from carnelian.commands.common.operands import integer
from carnelian.engine.acl.denial_log import Denial
from carnelian.engine.acl.permissions import REASONS
from carnelian.engine.acl.rules import Grant
from carnelian.engine.acl.users import check_arity, refusal
from carnelian.engine.declaring import command
from carnelian.engine.help import container
from carnelian.engine.parts.monitors import redact
from carnelian.engine.session import Session
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import OK, Error, FlatMap, FlatSet

GROUP = "server"

_MOST_BITS = 4096
_USUAL_BITS = 256
_USUAL_ENTRIES = 10

_OPEN = "noscript loading stale sentinel"
_ADMIN = "admin noscript loading stale sentinel"
_EVERYWHERE = ("request_policy:all_nodes", "response_policy:all_succeeded")

container(
    "ACL",
    group="server",
    since="6.0.0",
    help_since="6.0.0",
    flags="sentinel",
    help_flags="loading stale sentinel",
    summary="Tells about users and their permissions, and changes them.",
)


# -- Users --------------------------------------------------------------------------------------


@command("ACL SETUSER username:string [rule:string ...]", _ADMIN, hints=_EVERYWHERE)
def acl_setuser(session: Session, args: list[bytes]) -> object:
    """Makes a user or changes one, as all of the rules say or not at all.

    Since 6.0.0, O(N), for N rules
    6.2.0: Takes patterns of channels.
    7.0.0: Takes selectors, and what may be done to keys.
    """
    name, rules = args[2], args[3:]
    redact(args, *range(2, len(args)))
    session.engine.users.set_user(name, rules, session)
    return OK


@command("ACL DELUSER username:string ...", _ADMIN, hints=_EVERYWHERE)
def acl_deluser(session: Session, args: list[bytes]) -> int:
    """Forgets users, and ends their connections.

    Since 6.0.0, O(1) for a usual user
    """
    return session.engine.users.delete(args[2:], session)


@command("ACL GETUSER username:string", _ADMIN)
def acl_getuser(session: Session, args: list[bytes]) -> FlatMap | None:
    """Tells the rules of a user.

    Since 6.0.0, O(N), for N passwords, commands and patterns in the rules
    6.2.0: Shows patterns of channels.
    7.0.0: Shows selectors, and keys and channels as the rules about them.
    """
    user = session.engine.users.get(args[2])
    if user is None:
        return None
    account = user.account
    first, *others = account.grants
    return FlatMap(
        [
            b"flags", FlatSet(account.flags()),
            b"passwords", account.passwords.copy(),
            *_granted(first),
            b"selectors", [_granted(grant) for grant in others],
        ]
    )  # fmt: skip


def _granted(grant: Grant) -> FlatMap:
    return FlatMap(
        [
            b"commands", grant.command_text(),
            b"keys", grant.key_text(),
            b"channels", grant.channel_text(),
        ]
    )  # fmt: skip


@command("ACL LIST", _ADMIN)
def acl_list(session: Session, args: list[bytes]) -> list[bytes]:
    """Lists the users as the lines of an ACL file.

    Since 6.0.0, O(N), for N users
    """
    return session.engine.users.lines()


@command("ACL USERS", _ADMIN)
def acl_users(session: Session, args: list[bytes]) -> list[bytes]:
    """Lists the names of the users.

    Since 6.0.0, O(N), for N users
    """
    return [user.name for user in session.engine.users.in_order()]


@command("ACL WHOAMI", _OPEN)
def acl_whoami(session: Session, args: list[bytes]) -> bytes:
    """Tells which user the connection is.

    Since 6.0.0, O(1)
    """
    return session.user


# -- Permissions --------------------------------------------------------------------------------


@command("ACL CAT [categoryname:string]", _OPEN)
def acl_cat(session: Session, args: list[bytes]) -> list[bytes]:
    """Lists the categories, or the commands of one.

    Since 6.0.0, O(1), as there are so many of both
    """
    if len(args) > 3:
        raise _wrong_form(args)
    names = session.engine.users.names
    if len(args) == 2:
        return names.categories()
    category = args[2].lower()
    if names.of_category(category) is None:
        raise Error(b"ERR Unknown category '%s'" % args[2][:128])
    return names.names_of(category)


@command("ACL DRYRUN username:string command:string [arg:string ...]", _ADMIN)
def acl_dryrun(session: Session, args: list[bytes]) -> bytes:
    """Tells whether a user could run a command, which is not run.

    Since 7.0.0, O(1)
    """
    engine = session.engine
    user = engine.users.get(args[2])
    if user is None:
        raise Error(b"ERR User '%s' not found" % args[2])
    words = args[3:]
    asked = engine.registry.lookup(words)
    if asked is None:
        raise Error(b"ERR Command '%s' not found" % words[0])
    check_arity(asked, words)
    refused = user.judge(asked, words)
    if refused is None:
        return OK
    reason, position = refused
    return refusal(user.name, asked, REASONS[reason], words[position])


@command("ACL GENPASS [bits:integer]", _OPEN)
def acl_genpass(session: Session, args: list[bytes]) -> bytes:
    """Makes a password that nobody can guess, as hexadecimal digits.

    Since 6.0.0, O(1)
    """
    if len(args) > 3:
        raise _wrong_form(args)
    bits = parse_int(args[2]) if len(args) == 3 else _USUAL_BITS
    if not 0 < bits <= _MOST_BITS:
        raise Error(
            "ERR ACL GENPASS argument must be the number of bits for the output password, a "
            f"positive number up to {_MOST_BITS}"
        )
    digits = (bits + 3) // 4
    return os.urandom(digits // 2 + 1).hex()[:digits].encode()


# -- The file, and the log ----------------------------------------------------------------------


@command("ACL LOAD", _ADMIN)
def acl_load(session: Session, args: list[bytes]) -> object:
    """Takes the users of the ACL file, and no others; nothing changes if one cannot be taken.

    Since 6.0.0, O(N), for N users
    """
    session.engine.users.load(session)
    return OK


@command("ACL SAVE", _ADMIN, hints=_EVERYWHERE)
def acl_save(session: Session, args: list[bytes]) -> object:
    """Writes the users to the ACL file.

    Since 6.0.0, O(N), for N users
    """
    session.engine.users.save()
    return OK


@command("ACL LOG [operation=<count:integer | RESET>]", _ADMIN)
def acl_log(session: Session, args: list[bytes]) -> object:
    """Lists what was refused last, or forgets it.

    Since 6.0.0, O(N), for N entries that are shown
    7.2.0: Shows the number of each entry, and when it began and was changed.
    """
    if len(args) > 3:
        raise _wrong_form(args)
    log = session.engine.users.log
    count = _USUAL_ENTRIES
    if len(args) == 3:
        if args[2].lower() == b"reset":
            log.reset()
            return OK
        count = integer(args[2], "ERR value is not an integer or out of range")
    now_ms = session.engine.clock.wall_ms()
    return [_entry(denial, now_ms) for denial in log.latest(max(count, 0))]


def _entry(denial: Denial, now_ms: int) -> FlatMap:
    return FlatMap(
        [
            b"count", denial.count,
            b"reason", denial.reason,
            b"context", denial.context,
            b"object", denial.object,
            b"username", denial.user,
            b"age-seconds", (now_ms - denial.updated_ms) / 1000,
            b"client-info", denial.client,
            b"entry-id", denial.number,
            b"timestamp-created", denial.created_ms,
            b"timestamp-last-updated", denial.updated_ms,
        ]
    )  # fmt: skip


def _wrong_form(args: list[bytes]) -> Error:
    return Error(
        b"ERR unknown subcommand or wrong number of arguments for '%s'. Try ACL HELP."
        % args[1][:128]
    )
