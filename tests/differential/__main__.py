"""Long runs of random commands against redis-server, family by family.

    python -m tests.differential --family hashes --commands 200000 --seed 1

Replies are compared one by one; events, counters and all values with their encodings and digests
after every 50 commands or 1,000. Exits with 1 if anything differs without an explanation.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from carnelian import commands
from carnelian.engine.config import Config
from differential import families
from differential.chance import Chance
from differential.families import CHECKED_FIRST, FAMILIES, RANDOM, SCANS, UNORDERED, Family
from differential.generate import Words
from differential.pair import Pair, same
from support.servers import ReferenceServer
from support.wire import Reply

BETWEEN_EVENTS = 50
BETWEEN_RESETS = 1000
MOST_SHOWN = 20


class Differs(Exception):
    """Something is not the same on both sides."""


class Run:
    """One family, from one seed."""

    def __init__(self, pair: Pair, family: Family, seed: int):
        self.pair = pair
        self.family = family
        self.random = random.Random(seed)
        self.chance = Chance(seed, family.names)
        self.explained: Counter[str] = Counter()
        self.differences: list[str] = []
        self.recent: list[Words] = []
        self.uncounted = False

    def go(self, count: int) -> None:
        """Compare so many commands."""
        defaults = Config()
        for name in {name for family in FAMILIES.values() for name in family.settings}:
            # A family before may have left another value.
            self.pair.reference.call("CONFIG", "SET", name, defaults.text(name))
        self.reset()
        for number in range(1, count + 1):
            words = self.chance.command()
            self.recent = [*self.recent[-BETWEEN_EVENTS:], words]
            try:
                self.compare(words)
                if number % BETWEEN_EVENTS == 0:
                    self.compare_events()
                if number % BETWEEN_RESETS == 0:
                    self.compare_data()
                    self.reset()
            except (Differs, AssertionError) as difference:
                self.differences.append(f"command {number}: {difference}")
                self.reset()

    def reset(self) -> None:
        """Empty both sides, and draw other settings."""
        pair = self.pair
        pair.reference.call("DISCARD")
        pair.reference.call("UNWATCH")
        pair.reference.call("SELECT", 0)
        pair.start(self.random.choice((2, 3)))
        self.recent = []
        self.uncounted = False
        pair.ours("CONFIG", "SET", "set-max-listpack-entries", 0)
        for name, values in self.family.settings.items():
            pair.check("CONFIG", "SET", name, self.random.choice(values))

    # -- Commands --------------------------------------------------------------------------------

    def compare(self, words: Words) -> None:
        """Run a command on both sides and compare the replies."""
        name = words[0].upper()
        if name.startswith(b"B") and not name.startswith(b"BIT"):
            # It would wait.
            for step in ((b"MULTI",), words, (b"EXEC",)):
                self.plain(step)
        elif name in SCANS:
            self.scan(words, SCANS[name])
        elif name in RANDOM:
            self.drawn(words)
        else:
            self.plain(words)

    def both(self, words: Words) -> tuple[Reply, Reply]:
        return self.pair.reference.call(*words), self.pair.ours.call(*words)

    def plain(self, words: Words) -> None:
        theirs, ours = self.both(words)
        if words[0].upper() in CHECKED_FIRST and ours.kind == b"-":
            self.uncounted = True  # the error comes before a hit or miss is counted
        if same(words, theirs, ours) or self.unordered(words, theirs, ours):
            return
        self.judge(words, theirs, ours)

    def judge(self, words: Words, theirs: Reply, ours: Reply) -> None:
        reason = families.explained(words, theirs, ours)
        if reason is None:
            raise Differs(f"{words}:\n  redis-server: {theirs}\n  carnelian:    {ours}")
        self.explained[reason] += 1
        if b"-" in (theirs.kind, ours.kind) and theirs.kind != ours.kind:
            self.reset()

    def unordered(self, words: Words, theirs: Reply, ours: Reply) -> bool:
        """Whether the replies are the same in an order of their own, where that is allowed."""
        name = words[0].upper()
        lists = isinstance(theirs.value, list) and isinstance(ours.value, list)
        if not lists or theirs.kind != ours.kind or len(theirs.value) != len(ours.value):
            return False
        if name in UNORDERED:
            return sorted(theirs.value) == sorted(ours.value)
        if name.startswith(b"SORT"):
            # What is not sorted comes as it lies, and so does what is alike by ALPHA.
            by = [words[at + 1] for at, word in enumerate(words[:-1]) if word.upper() == b"BY"]
            alpha = any(word.upper() == b"ALPHA" for word in words)
            return any(alpha or b"*" not in pattern for pattern in by)
        return False

    def drawn(self, words: Words) -> None:
        """Compare how many were drawn; what SPOP has left differs, and goes."""
        theirs, ours = self.both(words)
        if b"-" in (theirs.kind, ours.kind) or None in (theirs.value, ours.value):
            if theirs != ours:
                self.judge(words, theirs, ours)
        elif isinstance(theirs.value, list) and len(theirs.value) != len(ours.value):
            raise Differs(f"{words}: {len(theirs.value)} and {len(ours.value)} were drawn")
        if words[0].upper() == b"SPOP" and len(words) > 1:
            self.plain((b"DEL", words[1]))

    def scan(self, words: Words, at: int) -> None:
        """Compare whole iterations."""
        self.uncounted = True
        theirs, ours = self.both(words)
        if b"-" in (theirs.kind, ours.kind) or len(words) <= at or words[at] != b"0":
            if b"-" in (theirs.kind, ours.kind) and theirs != ours:
                self.judge(words, theirs, ours)
            return
        width = 2 if words[0].upper() in (b"HSCAN", b"ZSCAN") else 1
        found = [
            _iterated(side, words, at, width, first)
            for side, first in ((self.pair.reference, theirs), (self.pair.ours, ours))
        ]
        if found[0] != found[1]:
            raise Differs(f"{words}:\n  redis-server: {found[0]}\n  carnelian:    {found[1]}")

    # -- All the rest ----------------------------------------------------------------------------

    def compare_events(self) -> None:
        if "MULTI" in self.family.names:
            return  # what ends the events would be queued
        theirs, ours = self.pair.events()
        if "SORT" in self.family.names:
            # Which GET patterns are looked up in which order may be up to the server.
            theirs, ours = (
                sorted(event for event in events if b"keymiss" not in event[0] + event[1])
                for events in (theirs, ours)
            )
        if theirs != ours:
            raise Differs(f"events after {self.recent}:\n  {theirs}\n  {ours}")
        if self.uncounted:
            return  # how many commands an iteration takes is up to the server
        expected, counters = self.pair.counters()
        if expected != counters:
            raise Differs(f"counters after {self.recent}:\n  {expected}\n  {counters}")

    def compare_data(self) -> None:
        """Every key of the databases in use."""
        pair = self.pair
        name, *rest = self.family.reader
        pair.reference.call("DISCARD")
        pair.ours("DISCARD")
        for index in range(3):
            pair.select(index)
            for key in pair.check("KEYS", "*").items:
                for words in (
                    (b"TYPE", key.text),
                    (b"OBJECT", b"ENCODING", key.text),
                    (b"PEXPIRETIME", key.text),
                    (str(name).encode(), key.text, *(str(word).encode() for word in rest)),
                    (b"DEBUG", b"DIGEST-VALUE", key.text),
                ):
                    self.plain(words)
        pair.select(0)


def _iterated(side: object, words: Words, at: int, width: int, reply: Reply) -> set:
    """What a whole iteration of one side finds."""
    found: set = set()
    while True:
        cursor, part = reply.items
        texts = [item.value for item in part.items]
        for first in range(0, len(texts), width):
            value = texts[first + 1 : first + width]
            found.add((texts[first], *(_number(text) for text in value)))
        if cursor.text == b"0":
            return found
        reply = side.call(*words[:at], cursor.text, *words[at + 1 :])  # type: ignore[attr-defined]


def _number(text: bytes) -> object:
    """A score whatever its digits; any other text as it is."""
    try:
        number = float(text)
    except ValueError:
        return text
    return number if number == number else text


def main() -> int:
    options = _parser().parse_args()
    for module in pkgutil.walk_packages(commands.__path__, "carnelian.commands."):
        importlib.import_module(module.name)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        server = ReferenceServer(Path(folder), ("--save", "", "--enable-debug-command", "yes"))
        try:
            pair = Pair(server.port, "enable-debug-command yes")
            pair.reference.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
            for name in options.family or FAMILIES:
                run = Run(pair, FAMILIES[name], options.seed)
                run.go(options.commands)
                failed |= bool(run.differences)
                _report(name, options, run)
            pair.close()
        finally:
            server.stop()
    return int(failed)


def _report(name: str, options: argparse.Namespace, run: Run) -> None:
    print(
        f"{name}: {options.commands} commands of seed {options.seed}, "
        f"{len(run.differences)} differences, {run.explained.total()} explained",
        flush=True,
    )
    for reason, count in run.explained.most_common():
        print(f"  {count:6} {reason}")
    for difference in run.differences[:MOST_SHOWN]:
        print(difference)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    add = parser.add_argument
    add("--family", action="append", choices=list(FAMILIES), help="only this one; may come again")
    add("--commands", type=int, default=200_000, help="for each family (200000)")
    add("--seed", type=int, default=1, help="of the random commands (1)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
