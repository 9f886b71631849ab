"""The users of an engine, and which session is whose.

There is always a user ``default``: who connects is that one until somebody authenticates. A
session without a user (``Client.rights`` is None) is one of the owner of an embedded engine, which
nobody has to trust; it may do everything.

See https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from carnelian.engine.acl import acl_files
from carnelian.engine.acl.acl_files import AclFileError
from carnelian.engine.acl.command_names import CommandNames
from carnelian.engine.acl.denial_log import DenialLog
from carnelian.engine.acl.passwords import hashed, is_one_of
from carnelian.engine.acl.permissions import REASONS, User
from carnelian.engine.acl.rules import (
    Account,
    RuleError,
    UnmatchedParenthesis,
    is_user_name,
    merge_selectors,
)
from carnelian.engine.acl.user_check import UserCheck
from carnelian.engine.catalogue.registry import FLAG_BITS, Command, unknown_command, wrong_arity
from carnelian.engine.config.mistakes import ConfigFileError
from carnelian.engine.ground import stages
from carnelian.engine.ground.flags import FLAG_SCRIPT, NEEDS_AUTH, RESTRICTED
from carnelian.engine.ground.whole_files import replace_file
from carnelian.engine.parts.admission import Admission
from carnelian.engine.shared.client_state import Client
from carnelian.engine.shared.clients import describe
from carnelian.engine.shared.core import Core
from carnelian.resp.replies import Error

DEFAULT_USER = b"default"

_NO_AUTH = FLAG_BITS["no_auth"]

_BOTH_GIVEN = (
    "Configuring Redis with users defined in redis.conf and at the same setting an ACL file path "
    "is invalid. This setup is very likely to lead to configuration errors and security holes, "
    "please define either an ACL file or declare users directly in your redis.conf, but not both."
)

_CHANGED_IN_MULTI = (
    b"NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
    b"call. This command is no longer allowed for the following reason: "
)
_LOST = {
    b"command": b"no permission to execute the command or subcommand",
    b"key": b"no permission to touch the specified keys",
    b"channel": b"no permission to access one of the channels used as arguments",
}

_NO_FILE = (
    "ERR This Redis instance is not configured to use an ACL file. You may want to specify users "
    "via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
    "configuration file set) in order to store users in the Redis configuration."
)


class WrongPass(Error):
    """The user is unknown or off, or the password is not theirs."""

    def __init__(self) -> None:
        super().__init__("WRONGPASS invalid username-password pair or user is disabled.")


class Users:
    """All users by name, and the check that each command of those with limits has to pass.

    Args:
        core: what the parts of an engine share.
        admission: who asks about commands.
    """

    def __init__(self, core: Core, admission: Admission):
        self._core = core
        self.names = CommandNames(core.registry)
        self.log = DenialLog()
        account = Account()
        account.enabled = account.nopass = True
        for word in (b"~*", b"&*", b"+@all"):
            account.apply(word, self.names, False)
        self.default = User(DEFAULT_USER, account, self.names)
        self._by_name: dict[bytes, User] = {DEFAULT_USER: self.default}
        admission.add_check(
            self._objection_to_strangers, stage=stages.AUTHENTICATION, gate=NEEDS_AUTH
        )
        admission.add_check(UserCheck(self._denied), stage=stages.USERS, gate=RESTRICTED)
        self._follow_configuration()

    def _follow_configuration(self) -> None:
        config = self._core.config
        acl_files.check_lines(config.users, self.names)
        if config["requirepass"] is not None:
            self._require(config["requirepass"])
        self.log.resize(config["acllog-max-len"])
        config.on_change("requirepass", self._require)
        config.on_change("acllog-max-len", self.log.resize)
        config.rewrite_with("user", self._config_lines)

    # -- Who there is ----------------------------------------------------------------------------

    def get(self, name: bytes) -> User | None:
        """The user of this name, if there is one."""
        return self._by_name.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __len__(self) -> int:
        return len(self._by_name)

    def in_order(self) -> list[User]:
        """All users, by name."""
        return [self._by_name[name] for name in sorted(self._by_name)]

    def lines(self) -> list[bytes]:
        """All users as the lines of a file define them."""
        return [b"user %s %s" % (user.name, user.account.text()) for user in self.in_order()]

    def _config_lines(self) -> Iterable[bytes]:
        return [] if self._core.config["aclfile"] else self.lines()

    # -- Changing them ---------------------------------------------------------------------------

    def set_user(self, name: bytes, words: Sequence[bytes], by: Client | None = None) -> None:
        """Change a user as rules say, or make one: as all of them say, or not at all.

        Who loses a channel to which it listens is cut off; the one that asks still gets its reply.

        Raises:
            Error: Redis's text about what is wrong with the name or a rule.
        """
        if not is_user_name(name):
            raise Error("ERR Usernames can't contain spaces or null characters")
        try:
            rules = merge_selectors(words)
        except UnmatchedParenthesis as error:
            raise Error(
                b"ERR Unmatched parenthesis in acl selector starting at '%s'." % error.word
            ) from None
        user = self._by_name.get(name)
        account = Account(self._all_channels) if user is None else user.account.copy()
        for rule in rules:
            try:
                account.apply(rule, self.names, self._all_channels)
            except RuleError as error:
                raise Error(
                    b"ERR Error in ACL SETUSER modifier '%s': %s" % (rule, str(error).encode())
                ) from None
        self._put_all({name: account}, by)

    def delete(self, names: Sequence[bytes], by: Client) -> int:
        """Forget users and end their sessions; the one that asks for it still gets its reply.

        Returns how many there were. Raises Error, and forgets none, if ``default`` is among them.
        """
        if DEFAULT_USER in names:
            raise Error("ERR The 'default' user cannot be removed")
        deleted = 0
        for name in names:
            user = self._by_name.pop(name, None)
            if user is not None:
                deleted += 1
                self._expel([user], by)
        return deleted

    def _put(self, name: bytes, account: Account) -> None:
        """Have a user of this account, in place of the one of the same name."""
        self._put_all({name: account})

    def _put_all(self, accounts: acl_files.Accounts, by: Client | None = None) -> None:
        """Take in or change users; listeners that lose their channels are cut off."""
        # Made before anything is changed, for that is interpreted.
        made = {name: User(name, account, self.names) for name, account in accounts.items()}
        before = {name: self._heard(name) for name in made}
        for name, new in made.items():
            user = self._by_name.setdefault(name, new)
            user.become(new.account, new.selectors)
        self._mark_sessions()
        for name, heard in before.items():
            self._cut_listeners(self._by_name[name], heard, by)

    def _heard(self, name: bytes) -> list[bytes] | None:
        user = self._by_name.get(name)
        return [] if user is None else user.channels()

    def _cut_listeners(
        self, user: User, before: list[bytes] | None, by: Client | None = None
    ) -> None:
        """End the sessions that listen to what their user no longer may listen to."""
        now = user.channels()
        if now is None or (before is not None and set(before) <= set(now)):
            return
        for session in self._core.sessions:
            if session.rights is user and _overhears(session, user):
                self._end(session, after_replies=session is by)

    def _mark_sessions(self) -> None:
        """Raise the gate of sessions whose user has limits, and of no others."""
        for session in self._core.sessions:
            self._mark(session)

    def _mark(self, session: Client) -> None:
        user = session.rights
        if user is None or user.unlimited:
            session.gate &= ~RESTRICTED
        else:
            session.gate |= RESTRICTED

    def _expel(self, users: Sequence[User], by: Client | None = None) -> None:
        """End the sessions of users that are none any more."""
        for session in self._core.sessions:
            if session.rights in users:
                self._end(session, after_replies=session is by)

    def _end(self, session: Client, after_replies: bool = False) -> None:
        """End a session, which is nobody's from now on."""
        session.rights, session.user = self.default, DEFAULT_USER
        session.gate |= NEEDS_AUTH
        self._mark(session)
        session.close(after_replies=after_replies)

    def commands_changed(self) -> None:
        """Commands came or went: rules about categories mean others now."""
        names = CommandNames(self._core.registry)
        made = [(user, User(user.name, user.account, names)) for user in self._by_name.values()]
        self.names = names
        for user, new in made:
            user.become(new.account, new.selectors)
        self._mark_sessions()

    @property
    def _all_channels(self) -> bool:
        return self._core.config["acl-pubsub-default"] == "allchannels"

    def _require(self, password: bytes | None) -> None:
        """``requirepass``: the one password of the default user."""
        account = self.default.account.copy()
        account.reset_passwords()
        if password is None:
            account.nopass = True
        else:
            account.passwords.append(hashed(password))
        self._put(DEFAULT_USER, account)

    # -- Files -----------------------------------------------------------------------------------

    def load_configured(self) -> None:
        """Take in the users of the configuration, or those of its ``aclfile``: when all commands
        are there, and before anybody is let in.

        Raises:
            ConfigFileError: they cannot be taken as they are.
        """
        config = self._core.config
        if config["aclfile"] and config.users:
            raise ConfigFileError(_BOTH_GIVEN)
        accounts = acl_files.accounts_of(config.users, self.names, self._all_channels)
        for name, account in accounts.items():
            if not account.enabled:
                shown = name.decode("utf-8", "surrogateescape")
                self._core.log(
                    "notice",
                    f"The user '{shown}' is disabled (there is no 'on' modifier in the user "
                    "description). Make sure this is not a configuration error.",
                )
        self._put_all(accounts)
        if config["aclfile"]:
            try:
                self._load()
            except AclFileError as error:
                raise ConfigFileError(
                    f"Aborting Redis startup because of ACL errors: {error}"
                ) from None

    def load(self, by: Client | None = None) -> None:
        """Have the users of the ``aclfile``, and no others; sessions of those that are not there
        any more end, the one that asks with its reply. Raises Error, and changes nothing, if
        something is wrong with the file.
        """
        self._path()
        try:
            self._load(by)
        except AclFileError as error:
            raise Error(f"ERR {error}") from None

    def _load(self, by: Client | None = None) -> None:
        shown = self._core.config["aclfile"]
        accounts = acl_files.read_accounts(self._path(), shown, self.names, self._all_channels)
        if DEFAULT_USER not in accounts:
            account = accounts[DEFAULT_USER] = Account(True)
            account.enabled = account.nopass = True
            account.grants[0].allow_all_keys()
            account.grants[0].allow_all_commands()
        gone = [user for name, user in self._by_name.items() if name not in accounts]
        self._put_all(accounts, by)
        for user in gone:
            del self._by_name[user.name]
        self._expel(gone, by)

    def save(self) -> None:
        """Write all users to the ``aclfile``. Raises Error if it cannot be written."""
        path = self._path()
        try:
            replace_file(path, b"".join([line + b"\n" for line in self.lines()]))
        except OSError as error:
            self._core.log("warning", f"Writing ACL file for ACL SAVE: {error.strerror}")
            raise Error(
                "ERR There was an error trying to save the ACLs. Please check the server logs for "
                "more information"
            ) from None

    def _path(self) -> str:
        config = self._core.config
        if not config["aclfile"]:
            raise Error(_NO_FILE)
        return os.path.join(config["dir"], config["aclfile"])

    # -- Who a session is ------------------------------------------------------------------------

    def required(self) -> bool:
        """Whether who connects has to authenticate before anything else."""
        account = self.default.account
        return not account.nopass or not account.enabled

    def begin(self, session: Client) -> None:
        """Make a session the default user, who has to authenticate if there is a password.

        For sessions from outside, when they begin and after RESET.
        """
        self._make(session, self.default)
        if self.required():
            session.gate |= NEEDS_AUTH

    def authenticate(
        self, session: Client, name: bytes, password: bytes, asked: bytes = b"AUTH"
    ) -> None:
        """Make a session this user; raises :class:`WrongPass` and changes nothing if it is not.

        Args:
            asked: the command that does it, for the log of refusals.
        """
        user = self._by_name.get(name)
        account = _NOBODY if user is None else user.account
        # Looked at first, so that the time tells nothing of who there is.
        known = is_one_of(password, account.passwords)
        if user is None or not account.enabled or not (account.nopass or known):
            self._note(session, b"auth", _context(session), asked, name)
            raise WrongPass
        self._make(session, user)

    def impersonate(self, session: Client, name: bytes) -> None:
        """Make a session this user without a password: its owner says who it is.

        Raises:
            Error: there is no such user, or it is off.
        """
        user = self._by_name.get(name)
        if user is None:
            raise Error(b"ERR User '%s' not found" % name)
        if not user.account.enabled:
            raise Error(b"ERR User '%s' is disabled" % name)
        self._make(session, user)

    def take_in_certified(self, session: Client, name: bytes) -> None:
        """Make a session the user that its certificate names; who there is none for is noted."""
        user = self._by_name.get(name)
        if user is None or not user.account.enabled:
            self._note(session, b"tls-cert", b"toplevel", b"", name)
            return
        self._make(session, user)
        shown = name.decode("utf-8", "backslashreplace")
        self._core.log("verbose", f"TLS: Auto-authenticated client as {shown}")

    def _make(self, session: Client, user: User) -> None:
        session.rights, session.user = user, user.name
        session.gate &= ~NEEDS_AUTH
        self._mark(session)

    # -- What a session may do -------------------------------------------------------------------

    def objection(
        self, session: Client, command: Command, args: list[bytes], context: bytes = b""
    ) -> Error | None:
        """The error with which this command of a session is refused, which is noted; None if its
        user may run it.

        Args:
            context: for the log of refusals: ``toplevel``, ``multi``, ``lua`` or ``module``; what
                the session is doing if empty.
        """
        user = session.rights
        refused = None if user is None else user.judge(command, args)
        if refused is None:
            return None
        reason, position = refused
        return self._denied(session, command, args, reason, position, context)

    def objection_in_exec(
        self, session: Client, command: Command, args: list[bytes]
    ) -> Error | None:
        """The same for a command that was let in when it was queued, and is to be run now."""
        user = session.rights
        refused = None if user is None else user.judge(command, args)
        if refused is None:
            return None
        reason, position = refused
        self._denied(session, command, args, reason, position, b"multi")
        return Error(_CHANGED_IN_MULTI + _LOST[REASONS[reason]])

    def may(self, session: Client, args: list[bytes]) -> bool:
        """Whether the user of a session may run these words; nothing is noted.

        Raises:
            Error: they make no command.
        """
        command = self._core.registry.lookup(args)
        if command is None:
            raise unknown_command(args)
        check_arity(command, args)
        return session.rights is None or session.rights.judge(command, args) is None

    def _denied(
        self,
        session: Client,
        command: Command,
        args: list[bytes],
        reason: int,
        position: int,
        context: bytes = b"",
    ) -> Error:
        """Note a refusal, and tell it."""
        word = command.name if REASONS[reason] == b"command" else args[position]
        context = context or _context(session, command)
        self._note(session, REASONS[reason], context, word, session.user)
        text = refusal(session.user, command, REASONS[reason])
        return Error((b"ERR ACL failure in script: " if context == b"lua" else b"NOPERM ") + text)

    def _note(
        self, session: Client, reason: bytes, context: bytes, word: bytes, user: bytes
    ) -> None:
        now_ms = self._core.clock.wall_ms()
        client = describe(session.origin(), now_ms)
        self.log.add(reason, context, word, user, client, now_ms)

    def _objection_to_strangers(
        self, session: Client, command: Command, args: list[bytes]
    ) -> Error | None:
        if command.flags & _NO_AUTH or not self.required():
            return None
        return Error("NOAUTH Authentication required.")


_NOBODY = Account()


def refusal(user: bytes, command: Command, reason: bytes, word: bytes | None = None) -> bytes:
    """What a refusal says; with the key or channel that it is about, if that is given."""
    if reason == b"command":
        return b"User %s has no permissions to run the '%s' command" % (user, command.name)
    if word is None:
        return b"No permissions to access a " + reason
    return b"User %s has no permissions to access the '%s' %s" % (user, word, reason)


def check_arity(command: Command, args: list[bytes]) -> None:
    """Raise Error where a command cannot have so many words."""
    arity = command.arity
    if len(args) != arity if arity > 0 else len(args) < -arity:
        raise wrong_arity(command)


def _context(session: Client, command: Command | None = None) -> bytes:
    """Where a command comes from, as ACL LOG calls it."""
    if session.flags & FLAG_SCRIPT:
        return b"lua"
    if command is not None and session.command is not command:
        # A command of a user runs, and calls this one.
        return b"module"
    if session.transaction is not None or session.executing is not None:
        return b"multi"
    return b"toplevel"


def _overhears(session: Client, user: User) -> bool:
    """Whether a session listens to what a user may not listen to."""
    return (
        any(not user.listens(name, True) for name in session.patterns or ())
        or any(not user.listens(name, False) for name in session.channels or ())
        or any(not user.listens(name, False) for name in session.shard_channels or ())
    )
