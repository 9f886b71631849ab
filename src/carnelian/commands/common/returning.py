"""What puts back the elements that a blocking command has taken for somebody who is gone."""

from __future__ import annotations

from carnelian.resp.numbers import format_float


def words_to_return(name: bytes, args: list[bytes], reply: object) -> list[bytes] | None:
    """The command that undoes a pop; None where nothing was taken, or it stays to be found.

    Args:
        name: of the command, in small letters.
        args: its words.
        reply: what its handler has returned.
    """
    if name not in _RETURNING or not isinstance(reply, list) or len(reply) < 2:
        return None
    return _RETURNING[name](args, reply)


def _to_head(args: list[bytes], reply: list) -> list[bytes]:
    return [b"LPUSH", reply[0], reply[1]]


def _to_tail(args: list[bytes], reply: list) -> list[bytes]:
    return [b"RPUSH", reply[0], reply[1]]


def _to_either_end(args: list[bytes], reply: list) -> list[bytes]:
    key, elements = reply
    end = args[3 + int(args[2])].lower()
    # What was popped first goes last.
    return [b"LPUSH" if end == b"left" else b"RPUSH", key, *reversed(elements)]


def _to_sorted_set(args: list[bytes], reply: list) -> list[bytes]:
    return [b"ZADD", reply[0], _score(reply[2]), reply[1]]


def _all_to_sorted_set(args: list[bytes], reply: list) -> list[bytes]:
    key, members = reply
    return [b"ZADD", key, *(word for name, score in members for word in (_score(score), name))]


def _score(score: float | bytes) -> bytes:
    return score if isinstance(score, bytes) else format_float(score)


_RETURNING = {
    b"blpop": _to_head,
    b"brpop": _to_tail,
    b"blmpop": _to_either_end,
    b"bzpopmin": _to_sorted_set,
    b"bzpopmax": _to_sorted_set,
    b"bzmpop": _all_to_sorted_set,
}
