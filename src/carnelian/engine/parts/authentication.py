"""Who a session is: the default user, with the password of ``requirepass`` if there is one.

See https://redis.io/docs/latest/commands/auth/
"""

from __future__ import annotations

from carnelian.engine.ground.flags import NEEDS_AUTH
from carnelian.engine.shared.client_state import Client
from carnelian.engine.shared.core import Core
from carnelian.resp.replies import Error

DEFAULT_USER = b"default"


class WrongPass(Error):
    """The user is unknown, or the password is not theirs."""

    def __init__(self) -> None:
        super().__init__("WRONGPASS invalid username-password pair or user is disabled.")


def required(core: Core) -> bool:
    """Whether a session has to authenticate before it may do anything else."""
    return core.config["requirepass"] is not None


def begin(core: Core, session: Client) -> None:
    """Make a session the default user, who has to authenticate if there is a password.

    For sessions from outside, when they begin and after RESET.
    """
    session.user = DEFAULT_USER
    if required(core):
        session.gate |= NEEDS_AUTH
    else:
        session.gate &= ~NEEDS_AUTH


def authenticate(core: Core, session: Client, user: bytes, password: bytes) -> None:
    """Make a session this user; raises :class:`WrongPass` and changes nothing if it is not."""
    if not user_exists(core, user) or not _accepts(core, password):
        raise WrongPass
    session.user = user
    session.gate &= ~NEEDS_AUTH


def is_authenticated(session: Client) -> bool:
    """Whether a session has shown who it is, or began when nobody had to."""
    return not session.gate & NEEDS_AUTH


def user_exists(core: Core, user: bytes) -> bool:
    """Whether there is a user of this name."""
    return user == DEFAULT_USER


def _accepts(core: Core, password: bytes) -> bool:
    # Imported late: it takes the hashes with it, which most programs never need.
    from hmac import compare_digest

    expected = core.config["requirepass"]
    return expected is None or compare_digest(password, expected)
