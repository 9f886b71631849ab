"""What a directive is: its name, the form of its value, and who may change it when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from carnelian.engine.config import quantities
from carnelian.engine.config.mistakes import ConfigError
from carnelian.resp.quoting import quote

FLAGS = frozenset(
    ("immutable", "sensitive", "debug", "hidden", "protected", "deny-loading", "volatile")
)

Check = Callable[[Any, Mapping[str, Any]], None]


class Line:
    """A line that CONFIG REWRITE wants in the file.

    A line that is not ``forced`` says no more than the default does: it replaces a line of its
    directive but is not added to a file that has none.
    """

    __slots__ = ("forced", "text")

    def __init__(self, text: bytes, forced: bool = True):
        self.text = text
        self.forced = forced


class Directive:
    """The declaration of one directive; a subclass per form of value.

    ``flags`` is a string of words: ``immutable`` (only a file or an argument sets it),
    ``sensitive`` (its value is kept out of logs), ``protected`` (needs enable-protected-configs),
    ``deny-loading`` (not while a data set is loaded), ``hidden`` (CONFIG GET shows it by its full
    name only), ``debug`` (worth seeing in a crash report), ``volatile`` (applied even if the
    value is the same: it names a file whose content may have changed).

    ``check`` refuses a value of the right form by raising ConfigError; it is given the value and
    the values of all directives. ``awaits`` names the feature that will give the directive its
    effect; "-" means that it will never have one here, and the summary says why. None leaves it
    to the topic. Until then a value other than the default is only worth a warning, or is refused
    if ``binding``: where somebody relies on it for the safety of the server or of its data.
    """

    __slots__ = (
        "alias", "awaits", "binding", "check", "default", "flags", "name", "summary", "topic",
    )  # fmt: skip

    # Whether a value is a list of arguments rather than one.
    multiple = False
    # What kind of value CONFIG INFO and the reference call it.
    kind = "special"

    def __init__(
        self,
        name: str,
        default: Any,
        flags: str = "",
        *,
        alias: str | None = None,
        check: Check | None = None,
        awaits: str | None = None,
        binding: bool = False,
        summary: str,
    ):
        self.name = name
        self.default = default
        self.flags = frozenset(flags.split())
        if not self.flags <= FLAGS:
            raise ValueError(f"unknown flags for {name}: {flags}")
        self.alias = alias
        self.check = check
        self.awaits = awaits
        self.binding = binding
        self.summary = summary
        self.topic = ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    @property
    def effective(self) -> bool:
        """Whether setting it changes what the server does, rather than being stored only."""
        return not self.awaits

    @property
    def form(self) -> str:
        """What values look like, for the reference."""
        return self.kind

    def read(self, arguments: list[bytes], values: Mapping[str, Any]) -> Any:
        """The typed value of the arguments; raises ConfigError if they are not one."""
        value = self.parse(arguments, values)
        if self.check is not None:
            self.check(value, values)
        if self.binding and self.awaits and value != self.default:
            raise ConfigError(f"this needs {self.awaits}, which Carnelian does not have yet")
        return value

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> Any:
        """The typed value of the arguments, before ``check`` has seen it."""
        raise NotImplementedError

    def format(self, value: Any) -> bytes:
        """The value as CONFIG GET shows it."""
        raise NotImplementedError

    def lines(self, value: Any) -> Iterable[Line]:
        """The lines that stand for the value in a configuration file; none to remove them."""
        return (Line(b"%s %s" % (self.name.encode(), self.format(value)), value != self.default),)


class Boolean(Directive):
    """``yes`` or ``no``; a bool."""

    __slots__ = ()
    kind = "bool"

    @property
    def form(self) -> str:
        return "yes, no"

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> bool:
        word = quantities.c_string(arguments[0]).lower()
        if word not in (b"yes", b"no"):
            raise ConfigError("argument must be 'yes' or 'no'")
        return word == b"yes"

    def format(self, value: bool) -> bytes:
        return b"yes" if value else b"no"


class Integer(Directive):
    """An integer within bounds; an int."""

    __slots__ = ("maximum", "minimum")
    kind = "numeric"
    # How a bound is shown in an error.
    bound = "d"

    def __init__(
        self,
        name: str,
        default: int,
        minimum: int,
        maximum: int,
        flags: str = "",
        **options: Any,
    ):
        super().__init__(name, default, flags, **options)
        self.minimum = minimum
        self.maximum = maximum

    @property
    def form(self) -> str:
        if self.maximum >= quantities.LONG_MAX:
            return f"{self.minimum} or more"
        return f"{self.minimum:{self.bound}} to {self.maximum:{self.bound}}"

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> int:
        number = self.number(arguments[0])
        if not self.minimum <= number <= self.maximum:
            low, high = f"{self.minimum:{self.bound}}", f"{self.maximum:{self.bound}}"
            raise ConfigError(f"argument must be between {low} and {high} inclusive")
        return number

    def number(self, text: bytes) -> int:
        """The number a text stands for; raises ConfigError if it is none."""
        number = quantities.parse_integer(text)
        if number is None:
            raise ConfigError("argument couldn't be parsed into an integer")
        return number

    def format(self, value: int) -> bytes:
        return b"%d" % value


class Octal(Integer):
    """File permissions; an int."""

    __slots__ = ()
    bound = "o"

    def number(self, text: bytes) -> int:
        number = quantities.parse_octal(text)
        if number is None:
            raise ConfigError("argument couldn't be parsed as an octal number")
        return number

    def format(self, value: int) -> bytes:
        return b"%o" % value


class Memory(Integer):
    """A number of bytes, which may have a unit: ``100mb``; an int."""

    __slots__ = ()

    @property
    def form(self) -> str:
        return f"memory, {super().form}"

    def number(self, text: bytes) -> int:
        number = quantities.parse_memory(text)
        if number is None:
            raise ConfigError("argument must be a memory value")
        return number

    def lines(self, value: int) -> Iterable[Line]:
        text = b"%s %s" % (self.name.encode(), quantities.format_memory(value))
        return (Line(text, value != self.default),)


class Share(Memory):
    """A number of bytes, or a percentage, which is kept as a negative int: ``5%`` is -5."""

    __slots__ = ()

    @property
    def form(self) -> str:
        return "memory or 0% to 100%"

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> int:
        number = self.number(arguments[0])
        if number < self.minimum:
            raise ConfigError(f"percentage argument must be less or equal to {-self.minimum}")
        return number

    def number(self, text: bytes) -> int:
        number = quantities.parse_memory(text)
        if number is not None:
            return quantities.signed(number)
        percent = quantities.parse_integer(text[:-1]) if text.endswith(b"%") else None
        if percent is None or percent < 0:
            raise ConfigError("argument must be a memory or percent value")
        return -percent

    def format(self, value: int) -> bytes:
        return b"%d%%" % -value if value < 0 else b"%d" % value

    def lines(self, value: int) -> Iterable[Line]:
        if value >= 0:
            return super().lines(value)
        return (Line(b"%s %d%%" % (self.name.encode(), -value)),)


class Text(Directive):
    """A text; a str, with bytes that are not UTF-8 as lone surrogates, like file names.

    With a default of None the empty text is None: not set.
    """

    __slots__ = ()
    kind = "string"

    @property
    def form(self) -> str:
        return "text"

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> str | None:
        text = quantities.c_string(arguments[0]).decode("utf-8", "surrogateescape")
        return None if not text and self.default is None else text

    def format(self, value: str | None) -> bytes:
        return (value or "").encode("utf-8", "surrogateescape")

    def lines(self, value: str | None) -> Iterable[Line]:
        if value is None:
            return ()
        text = b"%s %s" % (self.name.encode(), quote(self.format(value)))
        return (Line(text, value != self.default),)


class Secret(Directive):
    """A password; bytes, None when empty: not set."""

    __slots__ = ()
    kind = "string"

    @property
    def form(self) -> str:
        return "text"

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> bytes | None:
        return arguments[0] or None

    def format(self, value: bytes | None) -> bytes:
        return value or b""

    def lines(self, value: bytes | None) -> Iterable[Line]:
        return () if value is None else (Line(b"%s %s" % (self.name.encode(), quote(value))),)


class Choice(Directive):
    """One word of several; a str. ``synonyms`` maps words to the one they stand for."""

    __slots__ = ("synonyms", "words")
    kind = "enum"

    def __init__(
        self,
        name: str,
        default: str,
        words: str,
        flags: str = "",
        *,
        synonyms: Mapping[str, str] | None = None,
        **options: Any,
    ):
        super().__init__(name, default, flags, **options)
        self.words = tuple(words.split())
        self.synonyms = dict(synonyms or {})

    @property
    def form(self) -> str:
        return ", ".join(self.words)

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> Any:
        if len(arguments) != 1:
            raise self.refusal()
        return self.word(arguments[0])

    def word(self, argument: bytes) -> str:
        """The word an argument stands for; raises ConfigError if it is none."""
        asked = quantities.c_string(argument).decode("latin-1").lower()
        word = next((word for word in self.words if word.lower() == asked), None)
        if word is None:
            raise self.refusal()
        return self.synonyms.get(word, word)

    def refusal(self) -> ConfigError:
        """The error for a word that is not one of these."""
        return ConfigError(f"argument(s) must be one of the following: {', '.join(self.words)}")

    def format(self, value: Any) -> bytes:
        return value.encode()


class Options(Choice):
    """Any of several words, in the order of their declaration; a tuple of str.

    The first word stands for none of them.
    """

    __slots__ = ()
    multiple = True

    def __init__(self, name: str, words: str, flags: str = "", **options: Any):
        super().__init__(name, "", words, flags, **options)
        self.default = ()

    @property
    def form(self) -> str:
        return f"any of {super().form}"

    def parse(self, arguments: list[bytes], values: Mapping[str, Any]) -> tuple[str, ...]:
        if not arguments:
            raise self.refusal()
        chosen = {self.word(argument) for argument in arguments}
        return tuple([word for word in self.words[1:] if word in chosen])

    def format(self, value: tuple[str, ...]) -> bytes:
        return " ".join(value or self.words[:1]).encode()


class Topic:
    """Directives that belong together; ``awaits`` is the default for those that say nothing."""

    def __init__(self, title: str, directives: Iterable[Directive], awaits: str = ""):
        self.title = title
        self.directives = tuple(directives)
        for directive in self.directives:
            directive.topic = title
            if directive.awaits is None:
                directive.awaits = awaits
