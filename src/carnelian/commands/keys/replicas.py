"""WAIT: until replicas have what was written."""

from __future__ import annotations

from carnelian.engine.declaring import command
from carnelian.engine.parts.blocking import parse_timeout
from carnelian.engine.session import Session
from carnelian.resp.numbers import parse_int

GROUP = "generic"


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
