"""Errors as INFO counts them, by their codes."""

from __future__ import annotations

import pytest

from carnelian.engine.engine import Engine
from carnelian.resp.replies import Error
from support.local import LocalClient


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"ERR no", "ERR"),
        (b"WRONGTYPE no", "WRONGTYPE"),
        (b"lower case", "lower"),
        (b" begins with a space", ""),
        (b"ALONE", "ERR"),
        (b"", "ERR"),
        (b"X" * 30 + b" y", "X" * 30),
        (b"X" * 31 + b" y", "ERR"),
    ],
)
def test_code(message: bytes, code: str) -> None:
    assert Error(message).code == code


def test_codes_are_safe_names() -> None:
    client = LocalClient(Engine())
    for code in (b"A:B", b"C#D", b"E\xff", "\u00fc".encode()):
        client.error("EVAL", "return {err = ARGV[1]}", 0, code + b" x")
    assert client("INFO", "errorstats").text == (
        b"# Errorstats\r\n"
        b"errorstat_A_B:count=1\r\n"
        b"errorstat_C_D:count=1\r\n"
        b"errorstat_E\xff:count=1\r\n"
        b"errorstat_\xc3\xbc:count=1\r\n"
    )


def test_too_many_codes_are_none() -> None:
    """Scripts may invent any number: with one more than 128, none is told any more."""
    engine = Engine()
    lines: list[str] = []
    engine.log = lambda level, message: lines.append(f"{level} {message}")
    client = LocalClient(engine)
    for number in range(200):
        client.error("EVAL", "return {err = ARGV[1]}", 0, f"CODE{number} x")
    client.error("NOTHING")
    assert client("INFO", "errorstats").text == (
        b"# Errorstats\r\nerrorstat_ERRORSTATS_DISABLED:count=1\r\n"
    )
    assert b"total_error_replies:201\r\n" in client("INFO", "stats").text
    codes = ", ".join(sorted(f"CODE{number}" for number in range(128)))
    assert lines == [
        "warning Errorstats stopped adding new errors: there are 128 already. CONFIG RESETSTAT "
        "lets them be counted again.",
        f"warning Current errors code list: {codes}",
    ]
    client("CONFIG", "RESETSTAT")
    client.error("NOTHING")
    assert client("INFO", "errorstats").text == b"# Errorstats\r\nerrorstat_ERR:count=1\r\n"
