"""Extended regular expressions as POSIX has them, with what the library TRE adds, as programs.

A program is a list of instructions: read a byte of a set, go on at two places, ask where in the
text we are, or say that it matches. It only tells whether a text has a match, so that greediness
has no meaning, though it can be written.

What is added: ``\\w \\W \\s \\S \\d \\D``, ``\\t \\n \\r \\f \\a \\e``, ``\\xHH`` and
``\\x{HH}``, ``\\b \\B \\< \\>``, ``\\Q...\\E``, ``(?i)``, ``(?i:...)``, ``(?:...)``,
``(?#...)``. Left out of TRE is approximate matching; references back are refused.
"""

from __future__ import annotations

# Instructions.
READ = 0
FORK = 1
ASK = 2
MATCH = 3
# What may be asked.
BEGIN = 0
END = 1
WORD_EDGE = 2
NO_WORD_EDGE = 3
WORD_BEGIN = 4
WORD_END = 5

# An instruction and two numbers: those of a fork are relative to itself.
Instruction = tuple[int, int, int]
Program = list[Instruction]

MOST_INSTRUCTIONS = 50_000
MOST_REPEATS = 255

BAD_PATTERN = "Invalid regexp"
BAD_COLLATION = "Unknown collating element"
BAD_CLASS = "Unknown character class name"
BAD_ESCAPE = "Trailing backslash"
BAD_REFERENCE = "Invalid back reference"
NO_BRACKET = "Missing ']'"
NO_PARENTHESIS = "Missing ')'"
NO_BRACE = "Missing '}'"
BAD_BRACES = "Invalid contents of {}"
BAD_RANGE = "Invalid character range"
NO_SPACE = "Out of memory"
BAD_REPETITION = "Invalid use of repetition operators"

_DIGITS = frozenset(b"0123456789")
_UPPER = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LOWER = frozenset(b"abcdefghijklmnopqrstuvwxyz")
_LETTERS = _UPPER | _LOWER
_SPACE = frozenset(b" \t\n\v\f\r")
_GRAPH = frozenset(range(33, 127))
_ALL = frozenset(range(256))
_HEX = frozenset(b"0123456789abcdefABCDEF")
_REPETITIONS = frozenset(b"*+?{")
# Of a group: newlines, the order of matching, and greediness.
_OTHER_FLAGS = frozenset(b"nrU")

CLASSES: dict[bytes, frozenset[int]] = {
    b"alnum": _LETTERS | _DIGITS,
    b"alpha": _LETTERS,
    b"blank": frozenset(b" \t"),
    b"cntrl": frozenset(range(32)) | {127},
    b"digit": _DIGITS,
    b"graph": _GRAPH,
    b"lower": _LOWER,
    b"print": _GRAPH | {32},
    b"punct": _GRAPH - _LETTERS - _DIGITS,
    b"space": _SPACE,
    b"upper": _UPPER,
    b"xdigit": _HEX,
}

WORD = _LETTERS | _DIGITS | {ord("_")}

_ESCAPED_SETS = {
    ord("w"): WORD, ord("W"): _ALL - WORD, ord("s"): _SPACE, ord("S"): _ALL - _SPACE,
    ord("d"): _DIGITS, ord("D"): _ALL - _DIGITS,
}  # fmt: skip
_ESCAPED_BYTES = {
    ord("t"): 9, ord("n"): 10, ord("r"): 13, ord("f"): 12, ord("a"): 7, ord("e"): 27
}  # fmt: skip
_ASKED = {
    ord("b"): WORD_EDGE, ord("B"): NO_WORD_EDGE, ord("<"): WORD_BEGIN, ord(">"): WORD_END
}  # fmt: skip


class RegexError(Exception):
    """An expression that is none; the text says why."""


class BackReference(RegexError):
    """An expression with a reference to what a group has matched."""


def compile_regex(pattern: bytes, nocase: bool) -> tuple[Program, list[frozenset[int]]]:
    """The program of an expression, and the sets of bytes that it reads.

    Raises RegexError, and BackReference for an expression that is right but for that.
    """
    parser = _Parser(pattern, nocase)
    program = parser.parse()
    if parser.highest_reference > parser.groups:
        raise RegexError(BAD_REFERENCE)
    if parser.highest_reference >= 0:
        raise BackReference
    return [*program, (MATCH, 0, 0)], list(parser.sets)


# -- Programs of parts -----------------------------------------------------------------------------


def _both(first: Program, second: Program) -> Program:
    return [(FORK, 1, len(first) + 2), *first, (FORK, len(second) + 1, len(second) + 1), *second]


def _any_times(part: Program) -> Program:
    return [(FORK, 1, len(part) + 2), *part, (FORK, -len(part) - 1, -len(part) - 1)]


def _perhaps(part: Program) -> Program:
    return [(FORK, 1, len(part) + 1), *part]


def _repeated(part: Program, least: int, most: int | None) -> Program:
    """A part so many times; without end if ``most`` is None."""
    length = (len(part) + 1) * (least + 2 if most is None else most)
    if length > MOST_INSTRUCTIONS:
        raise RegexError(NO_SPACE)
    if most is None:
        return part * least + _any_times(part)
    return part * least + _perhaps(part) * (most - least)


class _Group:
    """What stands between two parentheses, as far as it was read."""

    def __init__(self, nocase: bool):
        self.alternatives: list[Program] = []
        self.current: Program = []
        # Whether case counted outside.
        self.nocase = nocase

    def add(self, part: Program) -> None:
        if len(self.current) + len(part) > MOST_INSTRUCTIONS:
            raise RegexError(NO_SPACE)
        self.current += part

    def alternative(self) -> None:
        self.alternatives.append(self.current)
        self.current = []

    def program(self) -> Program:
        whole = self.current
        for one in reversed(self.alternatives):
            whole = _both(one, whole)
        if len(whole) > MOST_INSTRUCTIONS:
            raise RegexError(NO_SPACE)
        return whole


class _Parser:
    """Reads an expression from left to right; groups are kept on a stack."""

    def __init__(self, pattern: bytes, nocase: bool):
        self.text = pattern
        self.at = 0
        self.nocase = nocase
        self.groups = 0
        self.highest_reference = -1
        self.quoted = False
        self.sets: dict[frozenset[int], int] = {}

    def peek(self, ahead: int = 0) -> int:
        """The byte to come; -1 at the end."""
        at = self.at + ahead
        return self.text[at] if at < len(self.text) else -1

    def parse(self) -> Program:
        """The program of the whole text."""
        stack = [_Group(self.nocase)]
        while self.at < len(self.text):
            byte = self.peek()
            if self.quoted or byte not in b"|()":
                stack[-1].add(self.postfix(self.atom()))
            elif byte == ord("|"):
                self.at += 1
                stack[-1].alternative()
            elif byte == ord("("):
                self.at += 1
                before = self.nocase
                if self.opens():
                    stack.append(_Group(before))
            elif len(stack) > 1:
                self.at += 1
                group = stack.pop()
                self.nocase = group.nocase
                stack[-1].add(self.postfix(group.program()))
            else:
                # Nothing to be closed: it stands for itself.
                self.at += 1
                stack[-1].add(self.postfix(self.byte(byte)))
        if len(stack) > 1:
            raise RegexError(NO_PARENTHESIS)
        return stack[0].program()

    def opens(self) -> bool:
        """Read what stands behind an opening parenthesis; returns whether a group begins."""
        if self.peek() != ord("?"):
            self.groups += 1
            return True
        self.at += 1
        on = True
        while True:
            byte = self.peek()
            self.at += 1
            if byte == ord("i"):
                self.nocase = on
            elif byte == ord("-"):
                on = False
            elif byte == ord("#"):
                return self.skip_comment()
            elif byte == ord(":"):
                return True
            elif byte == ord(")"):
                return False
            elif byte not in _OTHER_FLAGS:
                raise RegexError(BAD_PATTERN)

    def skip_comment(self) -> bool:
        """Go behind the end of a comment."""
        end = self.text.find(b")", self.at)
        if end < 0:
            raise RegexError(BAD_PATTERN)
        self.at = end + 1
        return False

    # -- Atoms -----------------------------------------------------------------------------------

    def atom(self) -> Program:
        """The part that begins here; an empty one where there is nothing to be repeated."""
        byte = self.peek()
        if self.quoted:
            return self.quoted_atom(byte)
        if byte in _REPETITIONS:
            return []
        self.at += 1
        if byte == ord("["):
            return self.bracket()
        if byte == ord("\\"):
            return self.escape()
        if byte == ord("."):
            return self.set(_ALL)
        if byte == ord("^"):
            return [(ASK, BEGIN, 0)]
        if byte == ord("$"):
            return [(ASK, END, 0)]
        return self.byte(byte)

    def quoted_atom(self, byte: int) -> Program:
        """A byte that stands for itself, or the end of the quotation."""
        if byte == ord("\\") and self.peek(1) == ord("E"):
            self.at += 2
            self.quoted = False
            return []
        self.at += 1
        return self.byte(byte)

    def set(self, members: frozenset[int]) -> Program:
        """Read a byte of a set."""
        number = self.sets.setdefault(members, len(self.sets))
        return [(READ, number, 0)]

    def byte(self, byte: int) -> Program:
        """Read a byte."""
        return self.set(self.cased(frozenset((byte,))))

    def cased(self, members: frozenset[int]) -> frozenset[int]:
        """A set with both cases of its letters, if case does not count."""
        if not self.nocase:
            return members
        return members | {byte ^ 32 for byte in members if byte in _LETTERS}

    def escape(self) -> Program:
        """What a backslash makes of that behind it."""
        byte = self.peek()
        self.at += 1
        if byte < 0:
            raise RegexError(BAD_ESCAPE)
        if byte in _ESCAPED_SETS:
            return self.set(_ESCAPED_SETS[byte])
        if byte in _ESCAPED_BYTES:
            return self.byte(_ESCAPED_BYTES[byte])
        if byte in _ASKED:
            return [(ASK, _ASKED[byte], 0)]
        if byte == ord("Q"):
            self.quoted = True
            return []
        if byte == ord("x"):
            return self.hexadecimal()
        if byte in _DIGITS:
            self.highest_reference = max(self.highest_reference, byte - 48)
            return []
        return self.byte(byte)

    def hexadecimal(self) -> Program:
        """A byte by its number: up to two digits, or some in braces."""
        if self.peek() != ord("{"):
            digits = self.digits(2)
            return self.byte(int(digits or b"0", 16))
        self.at += 1
        digits = self.digits(8)
        if self.peek() != ord("}"):
            raise RegexError(NO_BRACE)
        self.at += 1
        number = int(digits or b"0", 16)
        # No byte has a higher number, and nothing can be read.
        return self.byte(number) if number < 256 else self.set(frozenset())

    def digits(self, most: int) -> bytes:
        """Up to so many hexadecimal digits."""
        start = self.at
        while self.at - start < most and self.peek() in _HEX:
            self.at += 1
        return self.text[start : self.at]

    def bracket(self) -> Program:
        """A set in brackets, of which the first is read."""
        negated = self.peek() == ord("^")
        members: set[int] = set()
        if negated:
            self.at += 1
        first = True
        while first or self.peek() != ord("]"):
            first = False
            if self.peek() < 0:
                raise RegexError(NO_BRACKET)
            members |= self.bracket_item()
        self.at += 1
        found = self.cased(frozenset(members))
        return self.set(_ALL - found if negated else found)

    def bracket_item(self) -> frozenset[int]:
        """A class, a range, or a byte."""
        byte, behind = self.peek(), self.peek(1)
        if byte == ord("[") and behind == ord(":"):
            return self.named_class()
        if byte == ord("[") and behind in (ord("."), ord("=")):
            raise RegexError(BAD_COLLATION)
        self.at += 1
        if behind != ord("-") or self.peek(1) in (ord("]"), -1):
            return frozenset((byte,))
        last = self.peek(1)
        if last == ord("[") and self.peek(2) in (ord("."), ord("=")):
            raise RegexError(BAD_COLLATION)
        if last < byte:
            raise RegexError(BAD_RANGE)
        self.at += 2
        return frozenset(range(byte, last + 1))

    def named_class(self) -> frozenset[int]:
        """A class such as ``[:alpha:]``."""
        end = self.text.find(b":]", self.at + 2)
        if end < 0:
            raise RegexError(BAD_CLASS)
        name = self.text[self.at + 2 : end]
        if name not in CLASSES:
            raise RegexError(BAD_CLASS)
        self.at = end + 2
        return CLASSES[name]

    # -- Repetitions -----------------------------------------------------------------------------

    def postfix(self, part: Program) -> Program:
        """A part with what is said behind it of how often it comes."""
        while not self.quoted and self.peek() in _REPETITIONS:
            byte = self.peek()
            self.at += 1
            if byte == ord("*"):
                part = _any_times(part)
            elif byte == ord("+"):
                part = [*part, (FORK, -len(part), 1)] if part else part
            elif byte == ord("?"):
                part = _perhaps(part)
            else:
                part = self.braces(part)
            if len(part) > MOST_INSTRUCTIONS:
                raise RegexError(NO_SPACE)
            if self.peek() == ord("?"):
                self.at += 1
            elif self.peek() in (ord("*"), ord("+")):
                raise RegexError(BAD_REPETITION)
        return part

    def braces(self, part: Program) -> Program:
        """A part as often as braces say, of which the first is read."""
        start = self.at
        least = self.number()
        most = least
        if self.peek() == ord(","):
            self.at += 1
            most = self.number()
        elif least is None:
            raise RegexError(NO_BRACE if self.peek() < 0 else BAD_BRACES)
        if self.peek() < 0:
            raise RegexError(NO_BRACE)
        if self.peek() != ord("}") or self.text[start : self.at] == b",":
            raise RegexError(BAD_BRACES)
        self.at += 1
        least = least or 0
        if least > MOST_REPEATS or (most is not None and not least <= most <= MOST_REPEATS):
            raise RegexError(BAD_BRACES)
        return _repeated(part, least, most)

    def number(self) -> int | None:
        """A decimal number, None if there is none."""
        start = self.at
        while self.peek() in _DIGITS:
            self.at += 1
        return int(self.text[start : self.at]) if self.at > start else None
