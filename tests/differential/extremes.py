"""Commands with a number at the edge of what fits in each place that takes one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from carnelian.engine.catalogue.grammar import Argument, parse
from carnelian.engine.catalogue.registry import Declaration
from differential.generate import Words, known

NUMBERS = ("integer", "double", "unix-time")

_LAST = (1 << 63) - 1
# Where 64 bits end, also after a multiplication by 10, 100, 1000 and 1000000 and an addition, and
# where 32 do; and what a C compiler would rather not negate.
EDGES = [
    *(_LAST - i for i in range(3)), _LAST + 1, -_LAST, -_LAST - 1, -_LAST - 2, 1 << 62, -(1 << 62),
    *(_LAST // factor + i for factor in (2, 10, 100, 1000, 1_000_000) for i in (0, 1)),
    *(-(_LAST // factor) - i for factor in (2, 10, 1000) for i in (0, 1)),
    (1 << 64) - 1, 1 << 64, 1 << 32, (1 << 32) - 1, -(1 << 32), 1 << 31, -(1 << 31), -(1 << 31) - 1,
    (1 << 31) - 1, 0, -1, 10**19, 10**30,
]  # fmt: skip
DOUBLES = [
    *(b"%d" % number for number in EDGES), b"1e308", b"-1e308", b"1e309", b"inf", b"-inf", b"nan",
    b"1e-320", b"9223372036854775807.5", b"9223372036854775.8", b"18446744073709551615.0",
]  # fmt: skip


def with_extremes(
    declaration: Declaration, usual: dict[str, bytes], all_versions: bool = False
) -> Iterator[tuple[str, Words]]:
    """Instances of a command with an extreme number in one place, the name of which comes first.

    ``usual`` are the words for all other places, by the name of the argument or, where that has
    none, by its type. Without ``all_versions`` only what the reference knows is there.
    """
    name = tuple(declaration.name.encode().split(b" "))
    nodes = list(parse(declaration.arguments, len(declaration.keys)))
    if not all_versions:
        nodes = [_older(node) for node in known(tuple(nodes))]
    for place, words in _instances(nodes, usual):
        yield place, name + words


def _instances(nodes: Sequence[Argument], usual: dict[str, bytes]) -> Iterator[tuple[str, Words]]:
    """Each place for a number in turn; what is optional is there if it holds that place."""
    whole = [() if node.optional else _plain(node, usual) for node in nodes]
    for at, node in enumerate(nodes):
        for place, words in _extreme(node, usual):
            yield place, sum(whole[:at], ()) + words + sum(whole[at + 1 :], ())


def _older(node: Argument) -> Argument:
    """The argument without those parts that the reference does not know."""
    return node._replace(arguments=tuple(map(_older, known(node.arguments))))


def _token(node: Argument) -> Words:
    return (node.token.encode(),) if node.token is not None else ()


def _plain(node: Argument, usual: dict[str, bytes]) -> Words:
    """An argument as it is usually given."""
    token = _token(node)
    if node.type == "pure-token":
        return token
    if node.type == "oneof":
        return token + _plain(node.arguments[0], usual)
    if node.type == "block":
        parts = [_plain(part, usual) for part in node.arguments if not part.optional]
        return token + sum(parts, ())
    return (*token, usual.get(node.name, usual.get(node.type, b"1")))


def _extreme(node: Argument, usual: dict[str, bytes]) -> Iterator[tuple[str, Words]]:
    """The argument with each of its own places extreme in turn."""
    token = _token(node)
    if node.type == "oneof":
        for choice in node.arguments:
            for place, words in _extreme(choice, usual):
                yield place, token + words
    elif node.type == "block":
        for place, words in _instances(node.arguments, usual):
            yield place, token + words
    elif node.type in NUMBERS or (node.type == "string" and node.name in usual):
        texts = DOUBLES if node.type == "double" else [b"%d" % number for number in EDGES]
        for text in texts:
            yield node.name, (*token, text)
