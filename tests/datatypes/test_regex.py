"""Regular expressions against those of Python, and that none takes long."""

from __future__ import annotations

import random
import re
import time

import pytest

from carnelian.datatypes.patterns.regex import Regex
from carnelian.datatypes.patterns.regex_syntax import BackReference, RegexError

MATCHES = [
    (b"foo|bar", b"xbarx"), (b"[0-9]{3}$", b"zoo999"), (b"a{2,}b", b"aab"), (b"a{,2}b", b"b"),
    (rb"\bfoo\b", b"a foo b"), (rb"\<foo\>", b"foo"), (rb"o\Bo", b"foo"), (rb"\Qa.b\E+", b"a.bb"),
    (b"(?i)foo", b"FOO"), (b"(?i:f)oo", b"Foo"), (b"(?:a|b)c", b"bc"), (b"a(?#no)b", b"ab"),
    (b"()", b""), (b"a||b", b""), (b"*a", b"a"), (b"x$|^y", b"y"), (b"^$", b""), (b"$^", b""),
    (b"[[:alpha:]_-]+$", b"ab_-"), (b"[]a]", b"]"), (rb"[\]", b"\\"), (rb"\x41", b"A"),
    (rb"\x{41}", b"A"), (b"a)", b"a)"), (rb"\d\D\w\W\s\S", b"1ab- x"),
    (rb"\t\n\r\f\a\e", b"\t\n\r\f\a\x1b"),
    (b"a*?b+?c??", b"b"), (b"a.c", b"a\nc"), (b"\xff", b"a\xff"), (b"a{0}b", b"b"),
    (b"((a))", b"a"),
    (rb"\.", b"."), (b"[a-]", b"-"),
]  # fmt: skip
MISSES = [
    (b"^(foo|bar)$", b"foobar"), (b"^(foo|bar)$", b"BAR"), (b"^.*[0-9]{3}$", b"foo12"),
    (rb"\bfoo\b", b"afoo b"), (b"(?i:f)oo", b"FOO"), (b"^$", b"a"), (b"[^]a]", b"]"),
    (b"(a*)*b", b"aaaaaaaaac"), (rb"\x{141}", b"A"), (b"(?i)a(?-i)b", b"AB"),
]  # fmt: skip
REFUSED = [
    (b"(", "Missing ')'"), (b"[a", "Missing ']'"), (b"[]", "Missing ']'"), (b"a{", "Missing '}'"),
    (b"a{1", "Missing '}'"), (b"a{x}", "Invalid contents of {}"),
    (b"a{,}", "Invalid contents of {}"),
    (b"a{2,1}", "Invalid contents of {}"), (b"a{256}", "Invalid contents of {}"),
    (b"a**", "Invalid use of repetition operators"),
    (b"a{1}+", "Invalid use of repetition operators"),
    (b"\\", "Trailing backslash"), (b"[b-a]", "Invalid character range"),
    (b"[[:foo:]]", "Unknown character class name"), (b"[[.a.]]", "Unknown collating element"),
    (rb"\1", "Invalid back reference"), (rb"(a)\2", "Invalid back reference"),
    (rb"\x{1", "Missing '}'"), (b"(?z)", "Invalid regexp"), (b"(?#", "Invalid regexp"),
    (b"((a{255}){255}){255}", "Out of memory"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "text"), MATCHES)
def test_matches(pattern: bytes, text: bytes) -> None:
    assert Regex(pattern).search(text)


@pytest.mark.parametrize(("pattern", "text"), MISSES)
def test_misses(pattern: bytes, text: bytes) -> None:
    assert not Regex(pattern).search(text)


@pytest.mark.parametrize(("pattern", "why"), REFUSED)
def test_refused(pattern: bytes, why: str) -> None:
    with pytest.raises(RegexError) as error:
        Regex(pattern)
    assert str(error.value) == why


def test_references_back_are_a_case_of_their_own() -> None:
    with pytest.raises(BackReference):
        Regex(rb"(a)\1")


def test_case() -> None:
    assert Regex(b"[a-c]X", True).search(b"Bx")
    assert not Regex(b"[^a]", True).search(b"A")
    assert not Regex(b"[a-c]x").search(b"Bx")


def made(dice: random.Random, depth: int) -> str:
    """A random expression that means the same to Python."""
    choice = dice.random()
    if depth == 0 or choice < 0.35:
        return dice.choice(["a", "b", "c", ".", "[ab]", "[^a]", "x", r"\d", "^", "$", r"\b"])
    if choice < 0.6:
        return made(dice, depth - 1) + made(dice, depth - 1)
    if choice < 0.75:
        return f"({made(dice, depth - 1)}|{made(dice, depth - 1)})"
    return f"({made(dice, depth - 1)})" + dice.choice(["*", "+", "?", "{2}", "{1,3}", "{2,}"])


def test_random_expressions_are_as_those_of_python() -> None:
    dice = random.Random(5)
    for _ in range(1500):
        pattern = made(dice, 4)
        known = re.compile(pattern.replace("$", r"\Z").encode(), re.DOTALL)
        regex = Regex(pattern.encode())
        for _ in range(6):
            text = "".join(dice.choices("abcx1 ", k=dice.randrange(8))).encode()
            assert regex.search(text) == bool(known.search(text)), (pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (b"(a|aa)+$", b"a" * 100_000 + b"b"),
        (b"(a*)*b", b"a" * 100_000),
        (b"(.*a){20}[xyz]{200}", b"ab" * 5000),
        (b"(a|b)*a(a|b){14}c", b"abbab" * 4000),
        (rb"(a|aa)+\b\bx", b"a" * 20_000),
    ],
)
def test_none_takes_long(pattern: bytes, text: bytes) -> None:
    begun = time.monotonic()
    assert not Regex(pattern).search(text)
    assert time.monotonic() - begun < 2


def test_deep_nesting() -> None:
    assert Regex(b"(" * 1000 + b"a" + b")" * 1000).search(b"a")
    assert Regex(b"(" * 680 + b"a" + b")*" * 680).search(b"")
