"""Messages of real nodes."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).parent


def captured_messages() -> dict[str, bytes]:
    """The bytes of messages by what they are."""
    messages = {}
    for line in (_HERE / "captured_messages.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, *words = line.split()
            messages[name] = b"".join(map(_bytes, words))
    return messages


def captured_file() -> bytes:
    """A file of nodes that redis-server has written."""
    return (_HERE / "captured_nodes.conf").read_bytes()


def _bytes(word: str) -> bytes:
    byte, _, count = word.partition("*")
    return bytes.fromhex(byte) * int(count or 1)
