"""Values of every type and encoding, as sequences of commands."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from support.local import LocalClient
from support.wire import Word

Commands = list[tuple[Word, ...]]

KEY = b"key"

numbers = st.one_of(
    st.integers(-200, 200),
    st.integers(-40000, 40000),
    st.integers(-(1 << 33), 1 << 33),
    st.integers(-(1 << 63), (1 << 63) - 1),
).map(lambda number: b"%d" % number)
texts = st.one_of(
    numbers,
    st.binary(max_size=80),
    st.text(string.ascii_letters, max_size=30).map(str.encode),
    st.builds(lambda part, times: part * times, st.binary(min_size=1, max_size=5), st.just(300)),
    st.sampled_from([b"", b"00", b"-0", b"+1", b"x" * 512, b"y" * 513, b"z" * 9000]),
)
scores = st.one_of(
    st.integers(-1000, 1000),
    st.floats(allow_nan=False),
    st.sampled_from([float("inf"), float("-inf"), 0.1, -0.0, 1e300]),
)


def one(*words: Word) -> Commands:
    return [words]


strings = st.one_of(
    texts.map(lambda text: one("SET", KEY, text)),
    st.tuples(texts, texts).map(lambda pair: [("SET", KEY, pair[0]), ("APPEND", KEY, pair[1])]),
)
lists = st.lists(texts, min_size=1, max_size=60).map(lambda items: one("RPUSH", KEY, *items))
sets = st.one_of(
    st.lists(numbers, min_size=1, max_size=60),
    st.lists(texts, min_size=1, max_size=60),
).map(lambda items: one("SADD", KEY, *items))
hashes = st.dictionaries(texts, texts, min_size=1, max_size=40).map(
    lambda pairs: one("HSET", KEY, *[word for pair in pairs.items() for word in pair])
)
sorted_sets = st.dictionaries(texts, scores, min_size=1, max_size=40).map(
    lambda pairs: one("ZADD", KEY, *[w for m, s in pairs.items() for w in (repr(s), m)])
)
counters = st.lists(texts, max_size=40).map(lambda items: one("PFADD", KEY, *items))


@st.composite
def made_streams(draw: st.DrawFn) -> Commands:
    """Streams with deleted entries, groups, consumers and pending entries."""
    commands: Commands = []
    for number in range(draw(st.integers(1, 30))):
        fields = draw(st.lists(texts, min_size=1, max_size=3))
        words = [word for field in fields for word in (field, b"value of " + field)]
        commands.append(("XADD", KEY, b"%d-%d" % (number + 1, draw(st.integers(0, 5))), *words))
    for id_ in draw(st.lists(st.integers(1, 30), max_size=5)):
        commands.append(("XDEL", KEY, b"%d-1" % id_))
    for name in draw(st.lists(texts, max_size=3, unique=True)):
        commands.append(("XGROUP", "CREATE", KEY, name, draw(st.sampled_from(["0", "$", "3-1"]))))
        for consumer in draw(st.lists(texts, max_size=3)):
            commands.append(
                ("XREADGROUP", "GROUP", name, consumer, "COUNT", 3, "STREAMS", KEY, ">")
            )
    return commands


streams = made_streams()
anything = st.one_of(strings, lists, sets, hashes, sorted_sets, counters, streams)

# Thresholds: everything in its big form, some of both, the defaults.
forms = st.sampled_from([0, 5, 128])


def timed(commands: Commands, late: int) -> Commands:
    """A hash of which every other field expires."""
    fields = commands[0][2::4]
    return [*commands, ("HPEXPIREAT", KEY, late, "FIELDS", len(fields), *fields)]


def make(client: LocalClient, commands: Commands, form: int) -> None:
    """Have the engine hold such a value under ``KEY``."""
    for name in (
        "hash-max-listpack-entries", "set-max-intset-entries", "set-max-listpack-entries",
        "zset-max-listpack-entries",
    ):  # fmt: skip
        client("CONFIG", "SET", name, form)
    client("CONFIG", "SET", "list-max-listpack-size", -2 if form == 128 else max(form, 1))
    client("CONFIG", "SET", "list-compress-depth", 1 if form == 5 else 0)
    for words in commands:
        reply = client(*words)
        assert not isinstance(reply, Exception), (words, reply)
