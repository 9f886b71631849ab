"""WAIT: until replicas have what was written."""

from __future__ import annotations

from carnelian.engine.declaring import command
from carnelian.engine.session import Session
from carnelian.resp.numbers import parse_int
from carnelian.resp.replies import Error

GROUP = "generic"

_LONGEST_MS = (1 << 63) - 1


@command(
    "WAIT numreplicas:integer timeout:integer",
    "blocking",
    categories="-keyspace connection",
    hints=("request_policy:all_shards", "response_policy:agg_min"),
)
def wait(session: Session, args: list[bytes]) -> object:
    """Waits until replicas have confirmed what this connection wrote.

    Since 3.0.0, O(1)
    """
    wanted = parse_int(args[1])
    timeout = parse_timeout(args[2], session.engine.clock.ms)
    if wanted <= 0:
        return 0
    return session.engine.blocking.wait(session, args, (), timeout, 0)


def parse_timeout(text: bytes, now_ms: int) -> int:
    """Milliseconds to wait; 0 is forever.

    Raises:
        Error: it is no integer, negative or out of range.
    """
    try:
        timeout = parse_int(text)
    except Error:
        raise Error("ERR timeout is not an integer or out of range") from None
    if timeout < 0:
        raise Error("ERR timeout is negative")
    if timeout > _LONGEST_MS - now_ms:
        raise Error("ERR timeout is out of range")
    return timeout
