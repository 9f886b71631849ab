"""Replies for people."""

from __future__ import annotations

import re

import pytest

from carnelian.resp.client.reply_values import Double, Pairs, Refusal, Simple
from carnelian.tools.cli.forms.pretty_form import PrettyForm


def shown(command: str, reply: object) -> str:
    return PrettyForm(coloured=False).write(command.encode().split(), reply).decode()


@pytest.mark.parametrize(
    ("command", "reply", "text"),
    [
        ("get a", b"text", '"text"\n'),
        ("get a", "f\u00fcr \u5317".encode(), '"f\u00fcr \u5317"\n'),
        ("get a", b'say "x"', '"say \\"x\\""\n'),
        ("get a", b"one\ntwo\n", "one\ntwo\n"),
        ("get a", b"\x1b[31m", '"\\x1b[31m"\n'),
        ("get a", b'{"a":[1,null]}', '{\n  "a": [\n    1,\n    null\n  ]\n}\n'),
        ("get a", b"{not json", '"{not json"\n'),
        ("get a", None, "(nil)\n"),
        ("ping", Simple(b"PONG"), "PONG\n"),
        ("get a", Refusal(b"ERR x"), "(error) ERR x\n"),
        ("incr a", 7, "(integer) 7\n"),
        ("ttl a", 3661, "(integer) 3661  (1:01:01)\n"),
        ("pttl a", 1500, "(integer) 1500  (0:00:01)\n"),
        ("ttl a", -1, "(integer) -1  (no time to live)\n"),
        ("expiretime a", 0, "(integer) 0  (1970-01-01 00:00:00 UTC)\n"),
        ("expiretime a", 10**17, "(integer) 100000000000000000\n"),
        ("lrange l 0 -1", [b"a", "\u00e9".encode()], '1) "a"\n2) "\u00e9"\n'),
        ("lrange l 0 -1", [], "(empty array)\n"),
        ("exec", [Simple(b"OK"), [b"x"]], '1) OK\n2) 1) "x"\n'),
    ],
)
def test_values(command: str, reply: object, text: str) -> None:
    assert shown(command, reply) == text


def test_binary() -> None:
    text = shown("get a", bytes(range(250, 256)) * 4)
    assert text.split("\n")[0] == (
        "00000000  fa fb fc fd fe ff fa fb  fc fd fe ff fa fb fc fd  |................|"
    )
    assert shown("get a", b"\xff" * 2000).endswith("... 1488 more bytes\n")


@pytest.mark.parametrize(
    "reply", [[b"name", b"Ann", b"n", b""], Pairs([b"name", b"Ann", b"n", b""])]
)
def test_hashes(reply: list[object]) -> None:
    assert shown("hgetall h", reply) == ('field  value\n─────  ─────\nname   Ann\nn      ""\n')


@pytest.mark.parametrize(
    "reply", [[b"a", b"1", b"bb", b"2.5"], [[b"a", Double(b"1")], [b"bb", Double(b"2.5")]]]
)
def test_scores(reply: list[object]) -> None:
    assert shown("zrange z 0 -1 withscores", reply) == (
        "score  member\n─────  ──────\n1      a\n2.5    bb\n"
    )


def test_streams() -> None:
    entries = [[b"1700000000000-0", [b"temp", b"21"]], [b"5-1", [b"x", b"y"]]]
    lines = "1700000000000-0  (2023-11-14 22:13:20 UTC)\n    temp  21\n5-1\n    x  y\n"
    assert shown("xrange s - +", entries) == lines
    nested = "".join(f"  {line}\n" for line in lines.splitlines())
    assert shown("xread streams s 0", [[b"s", entries]]) == f'"s"\n{nested}'
    assert shown("xread streams s 0", Pairs([b"s", entries])) == f'"s"\n{nested}'


def test_scans() -> None:
    assert shown("scan 0", [b"17", [b"a"]]) == '1) "a"\n(go on with cursor 17)\n'
    assert shown("hscan h 0", [b"0", [b"f", b"v"]]) == (
        "field  value\n─────  ─────\nf      v\n(that was all)\n"
    )


def test_values_of_several_lines_in_tables() -> None:
    text = shown("hgetall h", [b"doc", b'{"a":1}', b"wide \xe5\x8c\x97", b"x"])
    assert text.split("\n")[2:] == [
        "doc      {",
        '           "a": 1',
        "         }",
        "wide 北  x",
        "",
    ]


def test_colours() -> None:
    text = PrettyForm(coloured=True).write([b"get", b"a"], b'{"a":[1,"x",true]}').decode()
    assert '\x1b[36m"a"\x1b[0m' in text
    assert re.sub(r"\x1b\[\d+m", "", text) == shown("get a", b'{"a":[1,"x",true]}')
