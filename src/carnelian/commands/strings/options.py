"""The options that SET, GETEX and MSETEX have in common."""

import cython
from cython.cimports.carnelian.commands.common.lifetimes import ABSOLUTE, SECONDS
from cython.cimports.carnelian.commands.strings.options import (
    COMPARISONS,
    CONDITIONS,
    EX,
    EXAT,
    GET,
    IFDEQ,
    IFDNE,
    IFEQ,
    IFNE,
    KEEPTTL,
    LIFETIMES,
    NX,
    PERSIST,
    PX,
    PXAT,
    TIMES,
    XX,
)

from carnelian.resp.replies import SYNTAX_ERROR

_WORDS = cython.declare(
    dict,
    {
        b"NX": NX,
        b"XX": XX,
        b"IFEQ": IFEQ,
        b"IFNE": IFNE,
        b"IFDEQ": IFDEQ,
        b"IFDNE": IFDNE,
        b"GET": GET,
        b"KEEPTTL": KEEPTTL,
        b"PERSIST": PERSIST,
        b"EX": EX,
        b"PX": PX,
        b"EXAT": EXAT,
        b"PXAT": PXAT,
    },
)
# Most clients send one of two spellings: neither needs to be folded.
_WORDS.update({name.lower(): bit for name, bit in list(_WORDS.items())})


@cython.final
@cython.cclass
class Options:
    """What was given: one bit for each word, and the arguments of those that take one."""

    def __init__(self):
        self.given = 0
        self.operand = None
        self.time = None

    def unit(self):
        """How the time is given, in the terms of :mod:`carnelian.commands.common.lifetimes`."""
        unit: cython.int = 0
        if self.given & (EX | EXAT):
            unit |= SECONDS
        if self.given & (EXAT | PXAT):
            unit |= ABSOLUTE
        return unit


@cython.cfunc
@cython.exceptval(-1, check=False)
def word(text: bytes) -> cython.int:
    """The bit of an option, 0 if there is none of that name."""
    bit = _WORDS.get(text)
    if bit is None:
        bit = _WORDS.get(text.upper(), 0)
    return bit


@cython.cfunc
def parse(args: list, start: cython.Py_ssize_t, allowed: cython.int) -> Options:
    """Read the words from ``start`` on.

    An option may come again, and its last argument counts; two of one kind exclude each other.

    Raises:
        Error: an option is unknown, not allowed here, excluded or lacks its argument.
    """
    options: Options = Options.__new__(Options)
    at: cython.Py_ssize_t = start
    bit: cython.int
    while at < len(args):
        bit = word(args[at]) & allowed
        if bit == 0 or options.given & _excluded(bit):
            raise SYNTAX_ERROR
        options.given |= bit
        at += 1
        if bit & (COMPARISONS | TIMES):
            if at == len(args):
                raise SYNTAX_ERROR
            if bit & TIMES:
                options.time = args[at]
            else:
                options.operand = args[at]
            at += 1
    return options


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _excluded(bit: cython.int) -> cython.int:
    """The options that this one cannot stand beside."""
    if bit & CONDITIONS:
        return CONDITIONS & ~bit
    if bit & LIFETIMES:
        return LIFETIMES & ~bit
    return 0
