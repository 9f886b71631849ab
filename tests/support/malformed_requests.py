"""Makers of input that is wrong, or nearly right."""

import random

from support.wire import request

TOKENS = [
    b"*", b"$", b"\r\n", b"\r", b"\n", b"-", b"+", b":", b" ", b"0", b"1", b"2", b"3", b"10",
    b"*1\r\n", b"*2\r\n", b"*-1\r\n", b"*0\r\n", b"$0\r\n\r\n", b"$4\r\nPING\r\n", b"$-1\r\n",
    b"$1\r\n", b"'", b'"', b"\\", b"\\x4", b"\\n", b"PING", b"get a\r\n", b"\x00", b"\xff", b"\t",
    b"99999999999999999999", b"2147483648", b"9223372036854775807", b"536870913",
]  # fmt: skip
WORDS = [b"", b"GET", b"set", b"PING", b"key", b"a b", b"\r\n", b"\x00\xff", b"x" * 30, b"'\""]


def soup(chance: random.Random) -> bytes:
    return b"".join(chance.choices(TOKENS, k=chance.randint(1, 12)))


def mutant(chance: random.Random) -> bytes:
    data = bytearray()
    for _ in range(chance.randint(1, 3)):
        if chance.random() < 0.8:
            data += request(*chance.choices(WORDS, k=chance.randint(1, 4)))
        else:
            data += b" ".join(chance.choices(WORDS, k=chance.randint(1, 4))) + b"\r\n"
    for _ in range(chance.randint(0, 3)):
        at = chance.randrange(len(data)) if data else 0
        kind = chance.randrange(4)
        if kind == 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            data[at:at] = chance.choice(TOKENS)
        elif kind == 2:
            del data[at : at + chance.randint(1, 4)]
        else:
            data += data[at : at + 20]
    return bytes(data)
