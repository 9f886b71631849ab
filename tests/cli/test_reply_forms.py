"""Replies in every form, byte for byte as redis-cli writes them."""

from __future__ import annotations

import random

import pytest

from carnelian.resp.client.reply_reader import ReplyReader
from carnelian.resp.client.value_forms import TYPED
from carnelian.tools.cli.forms import reply_forms
from carnelian.tools.cli.forms.reply_forms import Style
from support.servers import require

from .programs import THEIRS, Echo, escaped, run

FORMS = {
    reply_forms.STANDARD: ["--no-raw"],
    reply_forms.RAW: ["--raw", "-d", "|", "-D", "end"],
    reply_forms.CSV: ["--csv"],
    reply_forms.JSON: ["--json"],
    reply_forms.QUOTED_JSON: ["--quoted-json"],
}
LISTS = ("*", "%", "~")
SCALARS = ("$", "+", ":", ",", "#", "_", "=", "-")
BYTES = b'ab"\\\n\x00\xff\x08\x0c\x7f \t'


def made(chance: random.Random, depth: int = 0) -> bytes:
    """A reply of RESP3."""
    kind = chance.choice(SCALARS + (LISTS * 2 if depth < 4 else ()))
    text = bytes(chance.choice(BYTES) for _ in range(chance.randrange(4)))
    if kind in LISTS:
        count = chance.choice((0, 1, 2, 3, 11) if depth < 2 else (0, 1, 2))
        parts = count * 2 if kind == "%" else count
        head = b"%b%d\r\n" % (kind.encode(), count)
        return head + b"".join(made(chance, depth + 1) for _ in range(parts))
    return {
        "$": b"$%d\r\n%b\r\n" % (len(text), text),
        "=": b"=%d\r\ntxt:%b\r\n" % (len(text) + 4, text),
        "+": b'+OK "x\r\n',
        "-": b"-ERR no\r\n",
        ":": b":%d\r\n" % chance.randrange(-5, 200),
        ",": chance.choice((b",1.5\r\n", b",inf\r\n", b",-0\r\n", b",1e+20\r\n")),
        "#": chance.choice((b"#t\r\n", b"#f\r\n")),
        "_": chance.choice((b"_\r\n", b"$-1\r\n", b"*-1\r\n")),
    }[kind]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(12))
def test_random_replies(echo: Echo, form: str, seed: int) -> None:
    require("redis-cli", "redis-tools")
    reply = made(random.Random(seed), depth=-1 if seed % 2 else 0)
    parser = ReplyReader(TYPED)
    parser.feed(reply)
    port = str(echo.port)
    theirs = run(THEIRS, "-p", port, "-3", *FORMS[form], "say", escaped(reply))
    assert Style(form, b"|", b"end").write(parser.take()) == theirs.out


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        (reply_forms.STANDARD, b"(big number) 123456789012345678901234567890\n"),
        (reply_forms.RAW, b"123456789012345678901234567890\n"),
        (reply_forms.JSON, b"123456789012345678901234567890\n"),
        (reply_forms.CSV, b"123456789012345678901234567890\n"),
    ],
)
def test_big_numbers_of_which_redis_cli_makes_nothing(form: str, shown: bytes) -> None:
    parser = ReplyReader(TYPED)
    parser.feed(b"(123456789012345678901234567890\r\n")
    assert Style(form).write(parser.take()) == shown
