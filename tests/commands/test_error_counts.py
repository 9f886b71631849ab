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
