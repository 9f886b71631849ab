"""Numbers at the ends of what 64 bits hold, at every place of every command."""

from __future__ import annotations

import random
import re

import carnelian
from carnelian.embedded.local_engine import LocalSession
from carnelian.engine.declaring import declarations

EXTREMES = (
    b"-9223372036854775808", b"-9223372036854775807", b"9223372036854775807",
    b"18446744073709551615", b"4294967296", b"-1", b"0", b"1", b"1e308", b"-inf", b"nan", b"k",
)  # fmt: skip
KEYS = (b"string", b"list", b"set", b"hash", b"zset", b"stream", b"array", b"none")
FILLING = (
    ("SET", "string", 5), ("RPUSH", "list", 1, 2), ("SADD", "set", 1), ("HSET", "hash", 1, 1),
    ("ZADD", "zset", 1, 1), ("XADD", "stream", "1-1", "f", 1), ("ARSET", "array", 1, 1),
)  # fmt: skip
# What ends or delays the session, leaves its transaction, takes long or writes files.
LEFT_OUT = frozenset(
    ("SHUTDOWN", "SAVE", "BGSAVE", "BGREWRITEAOF", "MODULE", "DEBUG", "QUIT", "RESET", "MULTI",
     "EXEC", "DISCARD", "MONITOR", "FAILOVER", "CLIENT PAUSE", "CLIENT REPLY", "CLIENT KILL")
)  # fmt: skip
COMMANDS = 6000


def words_of(name: str, chance: random.Random) -> list[bytes]:
    """Some words of a command as its grammar names them, numbers at random."""
    words = name.encode().split(b" ")
    for token in re.findall(r"[A-Z][A-Z-]+|[a-z][\w-]*", declarations[name].arguments)[:7]:
        if token.isupper():
            words += [token.encode()] * chance.randrange(2)
        elif token.startswith(("key", "destination", "source")):
            words.append(chance.choice(KEYS))
        else:
            words.append(chance.choice(EXTREMES))
    return words


def answer(session: LocalSession, name: str, words: list[bytes]) -> None:
    """Run it; within a transaction, where it does not wait, if it might."""
    waits = "blocking" in declarations[name].flags
    for each in (["MULTI"], words, ["EXEC"]) if waits else (words,):
        try:
            session.execute(*each)
        except carnelian.Error as error:
            assert "Error:" not in str(error), words


def test_all_are_answered() -> None:
    chance = random.Random(8)
    names = [one for one in declarations if not {one, one.split(" ")[0]} & LEFT_OUT]
    with carnelian.Engine() as engine:
        for number in range(COMMANDS):
            if number % 500 == 0:
                engine.execute("FLUSHALL")
                for words in FILLING:
                    engine.execute(*words)
            name = chance.choice(names)
            with engine.session() as session:
                answer(session, name, words_of(name, chance))
