"""Random commands from the argument grammars of their declarations, and ways to spoil them."""

from __future__ import annotations

import time

from hypothesis import strategies as st

from carnelian.engine.catalogue.grammar import Argument, parse
from carnelian.engine.catalogue.registry import Declaration, declarations

Words = tuple[bytes, ...]
Version = tuple[int, ...]

# The version of the reference: it knows nothing that came later.
REFERENCE: Version = (7, 0, 15)

KEYS = [b"a", b"b", b"c", b"d", b"", b"key with \x00 and \xff"]

TEXTS = [
    b"", b"0", b"1", b"-1", b"10", b"00", b"+5", b" 1", b"9999", b"10000", b"3.5", b"-0.25", b"1e3",
    b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808",
    b"12345678901234567890", b"foo", b"bar", b"ohmytext", b"mynewtext", b"\x00\xff\r\n", b"x" * 44,
    b"y" * 45, b"z" * 600, b"inf", b"nan",
]  # fmt: skip

INTEGERS = [0, 1, -1, 2, 3, 5, 10, 100, -5, -100, 2147483647, 2147483648, -2147483649]
EXTREMES = [9223372036854775807, -9223372036854775808, 9223372036854775, 9223372036854776]
ODD = [b"", b"x", b"1.5", b"01", b" 1", b"9223372036854775808"]

# Doubles that stay such as every version writes with the same digits, and what is none.
DOUBLES = [
    b"0", b"1", b"2", b"3", b"-1", b"2.5", b"-0.25", b"1e3", b"10", b"+inf", b"-inf", b"inf",
    b"-0", b"0x10", b"4.",
]  # fmt: skip
NO_DOUBLES = [b"", b"x", b"nan", b"1,5", b" 1", b"1 "]
ENDS_OF_SCORES = [*DOUBLES, b"-inf", b"+inf", b"(1", b"(2.5", b"(-inf", b"(", b"((1", b"(inf"]
ENDS_OF_TEXTS = [b"-", b"+", b"[", b"(", b"[foo", b"(foo", b"[1", b"(10", b"[bar", b"+x", b"foo"]

PATTERNS = [b"*", b"a", b"[a-c]", b"?", b"k*", b"[^a]", b"\\a", b"", b"*[", b"a*b*c"]


def version(text: str | None) -> Version:
    """A version number to compare by."""
    return tuple(int(part) for part in (text or "0").split("."))


def commands(names: list[str]) -> st.SearchStrategy[Words]:
    """Commands of these names: mostly as their grammar has them, sometimes spoilt."""
    whole = st.one_of([of_declaration(declarations[name]) for name in names])
    return st.one_of(whole, whole, whole, whole.flatmap(spoilt))


def of_declaration(declaration: Declaration) -> st.SearchStrategy[Words]:
    """Instances of one command."""
    name = tuple(declaration.name.encode().split(b" "))
    nodes = parse(declaration.arguments, len(declaration.keys))
    return st.tuples(*(of_argument(node) for node in known(nodes))).map(
        lambda parts: name + sum(parts, ())
    )


def known(nodes: tuple[Argument, ...]) -> list[Argument]:
    """Those that the reference knows."""
    return [node for node in nodes if version(node.since) <= REFERENCE]


def of_argument(node: Argument) -> st.SearchStrategy[Words]:
    """Instances of an argument; of an optional one, none half of the time."""
    strategy = once(node)
    if node.multiple:
        strategy = st.lists(strategy, min_size=1, max_size=3).map(lambda parts: sum(parts, ()))
    if node.optional:
        strategy = st.one_of(st.just(()), strategy)
    return strategy


def once(node: Argument) -> st.SearchStrategy[Words]:
    token: Words = (node.token.encode(),) if node.token is not None else ()
    if node.type == "pure-token":
        return st.sampled_from([token, tuple(word.lower() for word in token)])
    if node.type == "oneof":
        inner = st.one_of([of_argument(choice) for choice in known(node.arguments)])
    elif node.type == "block":
        inner = st.tuples(*(of_argument(part) for part in known(node.arguments))).map(
            lambda parts: sum(parts, ())
        )
    else:
        inner = value(node).map(lambda word: (word,))
    return inner.map(lambda words: token + words)


def value(node: Argument) -> st.SearchStrategy[bytes]:
    """A word for an argument, by its type and, where that says more, its name."""
    if node.type == "key":
        return st.sampled_from(KEYS)
    if node.type == "pattern":
        return st.sampled_from(PATTERNS)
    if node.type == "unix-time":
        return moments(node.name)
    if node.name in ("seconds", "milliseconds"):
        return durations(node.name)
    if node.name in ("db", "destination-db", "index1", "index2"):
        return st.sampled_from([b"0", b"1", b"2", b"15", b"16", b"-1", b"x", b"2147483648"])
    if node.name == "numkeys":
        return st.sampled_from([b"1", b"2", b"3"] * 4 + [b"0", b"-1", b"x"])
    if node.name in ("min", "max", "start", "stop"):
        return ends(node)
    if node.name in ("longitude", "latitude", "radius", "width", "height"):
        return st.sampled_from([b"%d" % n for n in (0, 1, 13, -45, 85, 500)] * 4 + NO_DOUBLES)
    if node.type == "double" or node.name == "weight":
        return st.sampled_from(DOUBLES * 3 + NO_DOUBLES)
    if node.type == "integer":
        return st.sampled_from([b"%d" % n for n in INTEGERS * 4 + EXTREMES] + ODD)
    return st.sampled_from(TEXTS)


def ends(node: Argument) -> st.SearchStrategy[bytes]:
    """Ends of a range of a sorted set, mostly of the right kind."""
    scores = st.sampled_from(ENDS_OF_SCORES * 3 + NO_DOUBLES)
    texts = st.sampled_from(ENDS_OF_TEXTS)
    ranks = st.sampled_from([b"%d" % n for n in INTEGERS * 3 + EXTREMES] + ODD)
    if node.type == "double":
        return st.one_of(scores, scores, scores, texts)
    if node.type == "integer":
        return ranks
    return st.one_of(texts, texts, scores, ranks)


def durations(unit: str) -> st.SearchStrategy[bytes]:
    """Times long enough not to end while the test runs, and such that never are."""
    scale = 1 if unit == "seconds" else 1000
    usual = [100 * scale, 5000 * scale, 31536000 * scale]
    return st.sampled_from([b"%d" % n for n in usual * 4 + [0, -1, -1000 * scale] + EXTREMES] + ODD)


def moments(name: str) -> st.SearchStrategy[bytes]:
    """Points of time, likewise, counted from when the tests began."""
    scale = 1000 if "milliseconds" in name else 1
    now = int(time.time())
    usual = [(now + ahead) * scale for ahead in (50_000, 500_000, 31_536_000)]
    return st.sampled_from([b"%d" % n for n in usual * 4 + [0, -1] + EXTREMES] + ODD)


def spoilt(words: Words) -> st.SearchStrategy[Words]:
    """The command with a word too few, too many or another one."""
    at = st.integers(1, max(1, len(words) - 1))
    other = st.sampled_from([*KEYS[:2], b"NX", b"XX", b"GET", b"EX", b"junk", b"10", b""])
    return st.one_of(
        at.map(lambda i: words[:i] + words[i + 1 :]),
        st.tuples(at, other).map(lambda pick: (*words[: pick[0]], pick[1], *words[pick[0] :])),
        st.tuples(at, other).map(lambda pick: (*words[: pick[0]], pick[1], *words[pick[0] + 1 :])),
    )
