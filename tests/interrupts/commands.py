"""Commands of a user, for tests: what they do is interpreted."""

from __future__ import annotations

from typing import Any

import carnelian


@carnelian.command("TWICE", arity=2, flags="write", keys=1)
def twice(session: Any, args: list[bytes]) -> object:
    """Count a key up two times."""
    session.call("INCR", args[1])
    return session.call("INCR", args[1])
