"""The texts that users are kept in: the lines of an ACL file, and those of redis.conf."""

from __future__ import annotations

from collections.abc import Iterator

from carnelian.engine.acl.command_names import CommandNames
from carnelian.engine.acl.rules import (
    Account,
    RuleError,
    UnknownName,
    UnmatchedParenthesis,
    is_user_name,
    merge_selectors,
)
from carnelian.engine.config.assigned import ConfigLine
from carnelian.engine.config.mistakes import ConfigFileError

Accounts = dict[bytes, Account]


class AclFileError(Exception):
    """An ACL file cannot be taken as it is; ``str(error)`` is what Redis says about it."""


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


# -- ACL files ------------------------------------------------------------------------------------


def read_accounts(path: str, shown: str, names: CommandNames, all_channels: bool) -> Accounts:
    """The users that a file defines.

    Args:
        path: where it is.
        shown: how errors call it.
        names: the commands that there are.
        all_channels: whether users may use all channels if nothing is said of them.

    Raises:
        AclFileError: it cannot be read, or something is wrong with it.
    """
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError as error:
        raise AclFileError(
            f"Error loading ACLs, opening file '{shown}': {error.strerror}"
        ) from None
    accounts: Accounts = {}
    errors: list[str] = []
    for number, line in enumerate(text.split(b"\n"), 1):
        words = line.strip(b" \t\r\n").split(b" ")
        if words != [b""] and not words[0].startswith(b"#"):
            errors += _read_line(accounts, words, f"{shown}:{number}", number, names, all_channels)
    if errors:
        raise AclFileError(
            "".join(errors)
            + "WARNING: ACL errors detected, no change to the previously active ACL rules was "
            "performed"
        )
    return accounts


def _read_line(
    accounts: Accounts,
    words: list[bytes],
    place: str,
    number: int,
    names: CommandNames,
    all_channels: bool,
) -> Iterator[str]:
    """Take the user of one line in; gives what is wrong with it."""
    if words[0] != b"user" or len(words) < 2:
        yield f"{place} should start with user keyword followed by the username. "
        return
    name, rules = words[1], [word.strip(b"\t\r\n") for word in words[2:]]
    if not is_user_name(name):
        yield f"'{place}: username '{_shown(name)}' contains invalid characters. "
        return
    if name in accounts:
        yield f"WARNING: Duplicate user '{_shown(name)}' found on line {number}. "
        return
    account = accounts[name] = Account(all_channels)
    try:
        merged = merge_selectors(rules)
    except UnmatchedParenthesis:
        yield f"{place}: Unmatched parenthesis in selector definition."
        return
    yield from _apply(account, merged, place, names, all_channels)


def _apply(
    account: Account, rules: list[bytes], place: str, names: CommandNames, all_channels: bool
) -> Iterator[str]:
    """Apply rules; gives what is wrong with them. Of passwords nothing is told."""
    told = False
    for rule in rules:
        try:
            account.apply(rule, names, all_channels)
        except UnknownName as error:
            yield f"{place}: Error in applying operation '{_shown(rule)}': {error}. "
        except RuleError as error:
            if not told:
                yield f"{place}: {error}. "
            told = True


# -- Lines of redis.conf --------------------------------------------------------------------------


def check_lines(lines: list[ConfigLine], names: CommandNames) -> None:
    """Refuse ``user`` lines that cannot be right, whatever commands modules will bring.

    Raises:
        ConfigFileError: one makes no sense.
    """
    for line in lines:
        name, *rules = line.words[1:]
        if not is_user_name(name):
            raise line.error("Spaces not allowed in ACL usernames")
        _check_rules(line, rules, names)


def _check_rules(line: ConfigLine, rules: list[bytes], names: CommandNames) -> None:
    account = Account()
    try:
        merged = merge_selectors(rules)
    except UnmatchedParenthesis as error:
        raise _refused(line, error.word, str(error)) from None
    for rule in merged:
        try:
            account.apply(rule, names, False)
        except UnknownName:
            # A module may bring it.
            continue
        except RuleError as error:
            # A password is not to be told.
            shown = rule[:1] + b"(redacted)" if rule[:1] in (b">", b"<") else rule
            raise _refused(line, shown, str(error)) from None


def _refused(line: ConfigLine, word: bytes, reason: str) -> ConfigFileError:
    return line.error(f"Error in user declaration '{_shown(word)}': {reason}")


def accounts_of(lines: list[ConfigLine], names: CommandNames, all_channels: bool) -> Accounts:
    """The users that such lines define, once all commands are there.

    Raises:
        ConfigFileError: a rule names a command or category that there is not.
    """
    accounts: Accounts = {}
    for line in lines:
        name, *rules = line.words[1:]
        account = accounts[name] = Account(all_channels)
        for rule in merge_selectors(rules):
            try:
                account.apply(rule, names, all_channels)
            except RuleError as error:
                raise line.error(
                    f"Error loading ACL rule '{_shown(rule)}' for the user named "
                    f"'{_shown(name)}': {error}"
                ) from None
    return accounts
