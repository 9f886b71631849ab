"""Rules of users by themselves: what they say, said again, and what any words do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carnelian import commands
from carnelian.engine.acl.command_names import CommandNames
from carnelian.engine.acl.passwords import hashed, is_hash, is_one_of
from carnelian.engine.acl.permissions import Selector, User
from carnelian.engine.acl.rules import (
    Account,
    Grant,
    RuleError,
    UnmatchedParenthesis,
    merge_selectors,
)
from carnelian.engine.catalogue.registry import Registry

commands.declare_all()
REGISTRY = Registry()
NAMES = CommandNames(REGISTRY)

KNOWN = [
    b"on", b"off", b"nopass", b"resetpass", b"reset", b"allkeys", b"resetkeys", b"allchannels",
    b"resetchannels", b"allcommands", b"nocommands", b"clearselectors", b"sanitize-payload",
    b"skip-sanitize-payload", b"+@all", b"-@all", b"+get", b"-get", b"+@read", b"-@write",
    b"+config|get", b"-config", b"+select|0", b"+debug|object", b"~*", b"~a", b"%R~a", b"%W~b",
    b"%RW~c*", b"%R~*", b"&*", b"&a", b">secret", b"<secret", b"#" + b"0" * 64, b"!" + b"0" * 64,
    b"()", b"(+get ~a)", b"(", b")", b"(~*", b"+set)", b"", b"~", b"&", b"+", b"-", b"%", b"#",
]  # fmt: skip

WORDS = st.one_of(
    st.sampled_from(KNOWN),
    st.binary(max_size=8),
    st.builds(
        lambda sign, rest: sign + rest,
        st.sampled_from(
            [b"+", b"-", b"~", b"%", b"&", b"(", b">", b"<", b"#", b"!", b"+@", b"%R~"]
        ),
        st.binary(max_size=6),
    ),
)


def applied(words: list[bytes]) -> Account | None:
    """The account of some rules, None if they are none."""
    account = Account()
    try:
        account.apply_all(merge_selectors(words), NAMES, False)
    except (RuleError, UnmatchedParenthesis):
        return None
    return account


@settings(max_examples=3000, deadline=None)
@given(st.lists(WORDS, max_size=8))
def test_any_words(words: list[bytes]) -> None:
    """They are rules or RuleError; and what they come to can be said and read again."""
    account = applied(words)
    if account is None:
        return
    user = User(b"u", account, NAMES)
    text = account.text()
    again = applied(text.split(b" "))
    if again is None:
        # A selector may hold what has to be quoted there.
        assert any(byte in text for byte in b"\"'\\")
        return
    assert again.text() == text or any(byte in text for byte in b"\"'\\")
    other = User(b"u", again, NAMES)
    for command in REGISTRY.every():
        args = [b"x", b"a", b"b", b"c"]
        if again.text() == text:
            assert user.judge(command, args) == other.judge(command, args)


@given(st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=4))
@settings(max_examples=500, deadline=None)
def test_a_copy_is_another_one(first: list[bytes], second: list[bytes]) -> None:
    account = applied(first)
    if account is None:
        return
    text = account.text()
    try:
        account.copy().apply_all(merge_selectors(second), NAMES, True)
    except RuleError:
        pass
    assert account.text() == text


@given(st.dictionaries(st.text("ab*?[]\\", max_size=5), st.sampled_from("RW"), max_size=4))
@settings(max_examples=300, deadline=None)
def test_patterns_mean_what_globs_mean(patterns: dict[str, str]) -> None:
    from carnelian.datatypes.algorithms.glob import matches

    grant = Grant()
    grant.future = True
    for pattern, letter in patterns.items():
        grant.apply(f"%{letter}~{pattern}".encode(), NAMES)
    user_account = Account()
    user_account.grants = [grant]
    user = User(b"u", user_account, NAMES)
    get, dele = REGISTRY.find("get"), REGISTRY.find("del")
    for key in (b"", b"a", b"b", b"ab", b"aab", b"a*", b"[", b"\\", b"aaaaaaaa"):
        for command, letter in ((get, "R"), (dele, "W")):
            opened = any(
                matches(pattern.encode(), key)
                for pattern, opens in patterns.items()
                if opens == letter
            )
            assert (user.judge(command, [b"x", key]) is None) == opened


@pytest.mark.parametrize(
    ("words", "merged"),
    [
        (["a", "(b", "c)", "d"], ["a", "(b c)", "d"]),
        (["(a)", "(b)"], ["(a)", "(b)"]),
        (["(", ")"], ["( )"]),
        ([")", "a)"], [")", "a)"]),
        ([], []),
    ],
)
def test_merging(words: list[str], merged: list[str]) -> None:
    found = merge_selectors([word.encode() for word in words])
    assert found == [word.encode() for word in merged]


def test_all_commands_but_later_ones() -> None:
    """Who has all commands one by one has not those to come; who has all has them."""
    one_by_one = Grant()
    for command in REGISTRY:
        one_by_one.apply(b"+" + command.name, NAMES)
    one_by_one.all_keys = one_by_one.all_channels = True
    assert not Selector(one_by_one, NAMES).unlimited
    everything = Grant(True)
    everything.allow_all_keys()
    everything.allow_all_commands()
    assert Selector(everything, NAMES).unlimited
    everything.apply(b"-get", NAMES)
    assert not Selector(everything, NAMES).unlimited
    everything.apply(b"+get", NAMES)
    assert Selector(everything, NAMES).unlimited


def test_passwords() -> None:
    secret = hashed(b"secret")
    assert is_hash(secret)
    assert not is_hash(secret.upper())
    assert not is_hash(secret[1:])
    assert is_one_of(b"secret", [hashed(b"a"), secret, hashed(b"b")])
    assert not is_one_of(b"other", [secret])
    assert not is_one_of(b"", [])
