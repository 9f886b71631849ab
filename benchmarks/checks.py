"""Checks as users and slots of a cluster will need them, for benchmarks/admission.py, which
compiles this file.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.engine.catalogue.key_positions import KeyFinder, KeyPositions
from cython.cimports.carnelian.engine.catalogue.registry import Command
from cython.cimports.carnelian.engine.engine import Engine
from cython.cimports.carnelian.engine.parts.admission import Check
from cython.cimports.carnelian.engine.shared.client_state import Client
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.string import memchr, memset

from carnelian.resp.replies import Error

# Of each byte, and of it with up to seven zeros after it.
_crcs = cython.declare(cython.ushort[256][8])


@cython.cclass
class Users(Check):
    """Looks whether a command is allowed, and at what it does to which keys."""

    found: KeyPositions
    allowed: cython.uchar[1024]
    exactly: cython.bint
    seen: cython.int

    def __init__(self, exactly: bool = False):
        self.found = KeyPositions()
        self.exactly = exactly
        memset(self.allowed, 255, 1024)

    @cython.ccall
    def judge(self, session: Client, command: Command, args: list):
        """Nothing is refused."""
        number: cython.Py_ssize_t
        if not self.allowed[command.number >> 3] & 1 << (command.number & 7):
            return Error("NOPERM")
        finder: KeyFinder = command.key_finder()
        for number in range(finder.locate(args, self.found, self.exactly)):
            self.seen |= self.found.keys[number].access
        return None


@cython.cclass
class Slots(Check):
    """Looks whether the slot of the first key is ours."""

    found: KeyPositions
    ours: cython.uchar[2048]

    def __init__(self) -> None:
        self.found = KeyPositions()
        memset(self.ours, 255, 2048)

    @cython.ccall
    def judge(self, session: Client, command: Command, args: list):
        """Everything is."""
        slot: cython.int
        finder: KeyFinder = command.key_finder()
        if finder.any and finder.locate(args, self.found, False):
            slot = slot_of(args[self.found.keys[0].position])
            if not self.ours[slot >> 3] & 1 << (slot & 7):
                return Error("MOVED")
        return None


@cython.cfunc
@cython.exceptval(check=False)
def slot_of(key: bytes) -> cython.int:
    """The slot of a key, or of what stands between the first braces in it."""
    text: cython.p_char = PyBytes_AS_STRING(key)
    size: cython.Py_ssize_t = PyBytes_GET_SIZE(key)
    place: cython.Py_ssize_t
    crc: cython.uint = 0
    start = cython.cast(cython.p_char, memchr(text, 123, size))
    if start != cython.NULL:
        end = cython.cast(cython.p_char, memchr(start, 125, size - (start - text)))
        if end != cython.NULL and end - start > 1:
            size = end - start - 1
            text = start + 1
    byte = cython.cast(cython.pointer[cython.uchar], text)
    while size >= 8:
        # Eight that do not wait for each other.
        crc = (
            _crcs[7][byte[0] ^ crc >> 8]
            ^ _crcs[6][byte[1] ^ crc & 0xFF]
            ^ _crcs[5][byte[2]]
            ^ _crcs[4][byte[3]]
            ^ _crcs[3][byte[4]]
            ^ _crcs[2][byte[5]]
            ^ _crcs[1][byte[6]]
            ^ _crcs[0][byte[7]]
        )
        byte += 8
        size -= 8
    for place in range(size):
        crc = (crc << 8 & 0xFFFF) ^ _crcs[0][crc >> 8 ^ byte[place]]
    return crc & 0x3FFF


def prepare() -> None:
    """Fill the tables of the check sum."""
    crc: cython.int
    for byte in range(256):
        crc = byte << 8
        for zeros in range(8):
            for _ in range(8):
                crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
            _crcs[zeros][byte] = crc


def slot(key: bytes) -> int:
    """The slot of a key, for a test of this file."""
    return slot_of(key)


def run(engine: Engine, session: Client, commands: list, rounds: cython.int):
    """Run commands as the parser would hand them over, 16 at a time."""
    number: cython.Py_ssize_t
    for _ in range(rounds):
        for number in range(len(commands)):
            if number % 16 == 0:
                engine.execute(session, commands[number])
            else:
                engine.execute_next(session, commands[number])


prepare()
