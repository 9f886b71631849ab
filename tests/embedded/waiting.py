"""User commands for tests: one that waits for a key, and one that says when it runs."""

import carnelian
from carnelian.engine.session import Session


@carnelian.command("WAITKEY", arity=3, flags="write blocking", keys=1)
def waitkey(session: Session, args: list[bytes]) -> object:
    """Take a string away, waiting for it up to so many milliseconds."""
    value = session.db.string(args[1])
    if value is None:
        return session.engine.blocking.wait(session, args, [args[1]], int(args[2]), None)
    session.call("DEL", args[1])
    return value
