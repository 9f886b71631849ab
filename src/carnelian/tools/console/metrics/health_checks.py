"""Whether the server lives, and whether it is ready for work."""

from __future__ import annotations

from typing import NamedTuple

from carnelian.tools.console.answers.info_text import read_info
from carnelian.tools.console.link.link_errors import LinkError, LoginRefusedError, RefusedError
from carnelian.tools.console.link.redis_link import RedisLink
from carnelian.tools.console.link.server_address import Credentials, ServerAddress

# Seconds until a server that says nothing counts as dead.
TIMEOUT = 2.0


class Health(NamedTuple):
    """The answer to a probe: whether all is well, and what to tell."""

    well: bool
    text: str


def live(address: ServerAddress) -> Health:
    """Whether the server answers at all, be it with an error."""
    link = RedisLink(address, Credentials(), TIMEOUT, manners=False)
    try:
        link.pipeline([("PING",)])
    except LinkError as error:
        return Health(False, str(error))
    except LoginRefusedError:
        pass
    finally:
        link.close()
    return Health(True, "ok")


def ready(address: ServerAddress, credentials: Credentials | None, told: str) -> Health:
    """Whether it has loaded its data, and, as a replica, is linked to its primary.

    ``told`` is what our own server has told of itself (``ready``, ``loading``, ``unlinked``), ""
    if this is another one: that is asked, and has to let these credentials in. Raises
    LoginRefusedError if it does not.
    """
    if told:
        answers = live(address)
        return Health(told == "ready", told) if answers.well else answers
    link = RedisLink(address, credentials or Credentials(), TIMEOUT, manners=False)
    try:
        # INFO is answered while data are loaded, and says so.
        info = read_info(link, "persistence", "replication")
    except RefusedError as error:
        return Health(False, "loading" if str(error).startswith("LOADING") else str(error))
    except LinkError as error:
        return Health(False, str(error))
    finally:
        link.close()
    if info.get("loading") == "1":
        return Health(False, "loading")
    if info.get("role") == "slave" and info.get("master_link_status") != "up":
        return Health(False, "unlinked")
    return Health(True, "ready")
