"""Random rules of users, most of them nearly right, and questions what the users may do then."""

from __future__ import annotations

import random

RULES = (
    b"on", b"off", b"nopass", b"resetpass", b"reset", b"resetkeys", b"allkeys", b"resetchannels",
    b"allchannels", b"allcommands", b"nocommands", b"clearselectors", b"sanitize-payload",
    b"skip-sanitize-payload", b"+@all", b"-@all", b"~*", b"&*", b">secret", b"<secret", b">", b"<",
    b"#" + b"a" * 64, b"!" + b"a" * 64, b"#xyz", b"()", b"(", b")", b"(~* +@all)", b"(+get",
    b"~k*)",
    b"%R~r*", b"%W~w*", b"%RW~x*", b"%~", b"%X~a", b"%R", b"~[a-z]*", b"~\\", b"~[", b"&c?", b"&",
    b"+", b"-", b"+@", b"-@", b"+@nope", b"+nope", b"+get|", b"+|", b"+config|get|x", b"+select|0",
    b"-config|get", b"+config|nope", b"-client|kill", b"+CLIENT|ID", b"", b" ", b"\0", b"\xff\xfe",
)  # fmt: skip
SIGNS = (b"+", b"-")
CATEGORIES = (
    b"read", b"write", b"fast", b"slow", b"keyspace", b"string", b"hash", b"set", b"sortedset",
    b"list", b"stream", b"admin", b"dangerous", b"connection", b"scripting", b"transaction",
    b"pubsub", b"blocking", b"geo", b"bitmap", b"hyperloglog",
)  # fmt: skip
QUESTIONS = (
    (b"get", b"k1"), (b"set", b"w1", b"v"), (b"mget", b"a", b"r", b"x"), (b"config", b"get", b"hz"),
    (b"client", b"id"), (b"publish", b"c1", b"m"), (b"sort", b"k", b"get", b"*"), (b"ping",),
    (b"eval", b"return 1", b"1", b"k"), (b"copy", b"r1", b"w1"), (b"xread", b"streams", b"k", b"0"),
    (b"zunionstore", b"d", b"2", b"a", b"b"), (b"migrate", b"h", b"1", b"", b"0", b"1"), (b"get",),
)  # fmt: skip
NAMES = (b"alice", b"bob", b"default", b"", b"with space", b"\xff")


class Rules:
    """Makes commands of ACL; the same ones for the same seed."""

    def __init__(self, seed: int, commands: list[bytes]):
        self._chance = random.Random(seed)
        self._commands = commands

    def next(self) -> tuple[bytes, ...]:
        """A command."""
        pick = self._chance.choice
        name = pick(NAMES)
        kind = self._chance.random()
        if kind < 0.6:
            count = self._chance.randrange(6)
            return (b"ACL", b"SETUSER", name, *[self._rule() for _ in range(count)])
        if kind < 0.85:
            return (b"ACL", b"DRYRUN", name, *pick(QUESTIONS))
        if kind < 0.9:
            return (b"ACL", b"GETUSER", name)
        if kind < 0.93:
            return (b"ACL", b"DELUSER", name)
        if kind < 0.96:
            return (b"ACL", pick((b"LIST", b"USERS", b"LOG", b"WHOAMI")))
        return (b"ACL", b"CAT", pick(CATEGORIES))

    def _rule(self) -> bytes:
        pick = self._chance.choice
        kind = self._chance.random()
        if kind < 0.4:
            rule = pick(RULES)
        elif kind < 0.6:
            rule = pick(SIGNS) + b"@" + pick(CATEGORIES)
        elif kind < 0.9:
            rule = pick(SIGNS) + pick(self._commands)
        else:
            rule = b"(" + b" ".join(self._rule() for _ in range(self._chance.randrange(3))) + b")"
        if self._chance.random() < 0.05 and rule:
            at = self._chance.randrange(len(rule))
            rule = rule[:at] + bytes([self._chance.randrange(256)]) + rule[at + 1 :]
        return rule
