"""Malformed input: the parser agrees with a plain model of the protocol, and gives memory back.

``CARNELIAN_FUZZ`` is the number of inputs for each seed, 25,000 by default.
"""

import gc
import os
import random
import re
import resource

import pytest

from carnelian.resp import blocks
from carnelian.resp.arguments import recycle_all
from carnelian.resp.inline import split_arguments
from carnelian.resp.parser import Parser, ProtocolError
from support.malformed_requests import mutant, soup

COUNT = int(os.environ.get("CARNELIAN_FUZZ", "25000"))
MAX_LINE = 65536
MAX_BULK = 536870912

Outcome = tuple[list[list[bytes]], bytes | None]


class Incomplete(Exception):
    pass


class Model:
    """What Redis does with a stream of bytes that has come as a whole."""

    def __init__(self, data: bytes):
        self.data = data
        self.at = 0

    def line(self, end: bytes, after: int, too_long: bytes) -> bytes:
        # A NUL hides the rest.
        visible = self.data[self.at : self.at + MAX_LINE + 1].split(b"\x00", 1)[0]
        size = visible.find(end)
        if size < 0:
            if len(self.data) - self.at > MAX_LINE:
                raise ProtocolError(too_long, "", "")
            raise Incomplete
        if self.at + size + after > len(self.data):
            raise Incomplete
        return visible[:size]

    def number(self, line: bytes, low: int, high: int, message: bytes) -> int:
        if not re.fullmatch(rb"0|-?[1-9][0-9]{0,18}", line):
            raise ProtocolError(message, "", "")
        if not low <= int(line) <= high:
            raise ProtocolError(message, "", "")
        return int(line)

    def command(self) -> list[bytes]:
        if self.at == len(self.data):
            raise Incomplete
        if self.data[self.at : self.at + 1] != b"*":
            line = self.line(b"\n", 1, b"too big inline request")
            try:
                words = split_arguments(line.removesuffix(b"\r"))
            except ValueError:
                raise ProtocolError(b"unbalanced quotes in request", "", "") from None
            self.at += len(line) + 1
            return words
        line = self.line(b"\r", 2, b"too big mbulk count string")
        count = self.number(line[1:], -(2**63), 2**31 - 1, b"invalid multibulk length")
        self.at += len(line) + 2
        return [self.bulk() for _ in range(count)]

    def bulk(self) -> bytes:
        line = self.line(b"\r", 2, b"too big bulk count string")
        if self.data[self.at : self.at + 1] != b"$":
            raise ProtocolError(
                b"expected '$', got '" + self.data[self.at : self.at + 1] + b"'", "", ""
            )
        size = self.number(line[1:], 0, MAX_BULK, b"invalid bulk length")
        self.at += len(line) + 2
        if self.at + size + 2 > len(self.data):
            raise Incomplete
        self.at += size + 2
        return self.data[self.at - size - 2 : self.at - 2]

    def outcome(self) -> Outcome:
        commands = []
        try:
            while True:
                if words := self.command():
                    commands.append(words)
        except Incomplete:
            return commands, None
        except ProtocolError as error:
            return commands, error.message


def outcome(*pieces: bytes, ahead: bool = False) -> Outcome:
    parser = Parser()
    commands: list = []
    done: list = []
    try:
        for piece in pieces:
            parser.feed(piece)
            while True:
                if ahead:
                    parser.look_ahead()
                if (command := parser.next()) is None:
                    break
                commands.append(command[:])
                done.append(command)
                del command
                recycle_all(done)
    except ProtocolError as error:
        return commands, error.message
    return commands, None


@pytest.mark.timeout(0)
@pytest.mark.parametrize("make", [soup, mutant])
@pytest.mark.parametrize("seed", [1, 2])
def test_malformed_input(make, seed):
    chance = random.Random(seed)
    lent = blocks.lent()
    for turn in range(COUNT):
        data = make(chance)
        expected = Model(data).outcome()
        assert outcome(data) == expected, data
        split = chance.randint(0, len(data))
        assert outcome(data[:split], data[split:]) == expected, (data, split)
        assert outcome(data[:split], data[split:], ahead=True) == expected, (data, split)
        if turn % 100 == 0:
            pieces = [data[at : at + 1] for at in range(len(data))]
            assert outcome(*pieces) == expected, data
            assert outcome(*pieces, ahead=True) == expected, data
    assert blocks.lent() == lent


def test_long_lines_and_arguments():
    chance = random.Random(3)
    lent = blocks.lent()
    for _ in range(300):
        size = chance.choice([32766, 32767, 32768, 65534, 65535, 65536, 65537, 70000, 140000])
        filler = bytes([chance.choice(b"1a \x00$*'\r")])
        start = chance.choice(
            [b"", b"*", b"*1\r\n$", b"*1\r\n", b"*1\r\n$%d\r\n" % (size - 2), b"PING\r\n"]
        )
        data = start + filler * size + chance.choice([b"", b"\r", b"\n", b"\r\n", b"\r\n*1\r\n"])
        expected = Model(data).outcome()
        assert outcome(data) == expected
        cuts = sorted(chance.choices(range(len(data)), k=4))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        assert outcome(*pieces) == expected
        assert outcome(*pieces, ahead=True) == expected
    assert blocks.lent() == lent


def test_malformed_input_leaves_no_memory_behind():
    chance = random.Random(4)
    inputs = [make(chance) for make in (soup, mutant) for _ in range(2000)]

    def run() -> int:
        for data in inputs:
            outcome(data)
            outcome(data[:10], data[10:], ahead=True)
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    run()
    before = run()
    for _ in range(5):
        after = run()
    assert after - before < 1024
