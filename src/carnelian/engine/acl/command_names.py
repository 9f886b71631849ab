"""Commands as rules name them: which there are, and which bits stand for them and for categories.

A set of commands is an ``int`` with the bit of each one's ``Command.number``.
"""

from __future__ import annotations

from collections.abc import Iterable

from carnelian.engine.catalogue.registry import CATEGORIES, Command, Registry, declarations


class CommandNames:
    """The commands that a registry has now, by the names that they were declared with.

    That ``rename-command`` gives a command another name, or none, is not seen here: a rule goes on
    meaning the same. Names are in lower case, subcommands are ``config|get``.
    """

    def __init__(self, registry: Registry):
        commands = {command.name: command for command in registry.every()}
        declared = [name.lower().replace(" ", "|").encode() for name in declarations]
        self._numbers = dict.fromkeys(declared, -1)
        self._numbers |= {name: command.number for name, command in commands.items()}
        self._containers = {name.partition(b"|")[0] for name in self._numbers if b"|" in name}
        self._bits = {
            name: _bits([one, *one.subcommands.values()]) for name, one in commands.items()
        }
        self._categories: dict[bytes, int] = {name.encode(): 0 for name in CATEGORIES}
        for command in commands.values():
            for category in command.categories:
                name = category.lower().encode()
                self._categories[name] = self._categories.get(name, 0) | 1 << command.number
        self.count = registry.numbered
        self.everything = (1 << self.count) - 1

    def __contains__(self, name: object) -> bool:
        return name in self._numbers

    def is_container(self, name: bytes) -> bool:
        """Whether a command has subcommands."""
        return name in self._containers

    def categories(self) -> list[bytes]:
        """All categories: those of Redis, then those of user commands as they came."""
        return list(self._categories)

    def of_category(self, category: bytes) -> int | None:
        """The commands of a category; None if there is no such category."""
        return self._categories.get(category)

    def names_of(self, category: bytes) -> list[bytes]:
        """The names of the commands of a category."""
        bits = self._categories[category]
        return [
            name for name, number in self._numbers.items() if number >= 0 and bits >> number & 1
        ]

    def allowed(self, future: bool, rules: Iterable[bytes]) -> tuple[int, dict[int, list[bytes]]]:
        """The commands that rules allow in their order, and first arguments that some need.

        Args:
            future: whether everything is allowed to begin with.
            rules: words such as ``+get``; those that name what there is no more mean nothing.
        """
        allowed = self.everything if future else 0
        first_arguments: dict[int, list[bytes]] = {}
        for rule in rules:
            head, bar, argument = rule[1:].partition(b"|")
            if bar and head not in self._containers:
                first_arguments.setdefault(self._numbers.get(head, -1), []).append(argument)
                continue
            if head.startswith(b"@"):
                bits = self._categories.get(head[1:], 0)
            else:
                bits = self._bits.get(rule[1:], 0)
            allowed = allowed | bits if rule[:1] == b"+" else allowed & ~bits
            for number in [
                number for number in first_arguments if number < 0 or bits >> number & 1
            ]:
                del first_arguments[number]
        return allowed, first_arguments


def _bits(commands: Iterable[Command]) -> int:
    bits = 0
    for command in commands:
        bits |= 1 << command.number
    return bits
