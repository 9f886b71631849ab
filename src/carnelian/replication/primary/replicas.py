"""A replica as its primary sees it."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from carnelian.engine.ground.flags import FLAG_REPLICA, ON_LINK, REPLY_NEVER
from carnelian.replication.primary.replica_feed import ReplicaFeed

if TYPE_CHECKING:
    from carnelian.engine.engine import Engine
    from carnelian.engine.session import Session
    from carnelian.replication.replication_core import Replication


class State(Enum):
    """How far a replica has come; INFO shows the value.

    - STRANGER: it has told of itself, and not asked for anything;
    - WAITING: it is to get a copy that is not begun;
    - COPYING: the copy that it gets is being made;
    - SENDING: it is being sent the file;
    - ONLINE: it has the data set, and gets the stream;
    - SERVED: it has what it wanted, a copy and no more.
    """

    STRANGER = ""
    WAITING = "wait_bgsave "
    COPYING = "wait_bgsave"
    SENDING = "send_bulk"
    ONLINE = "online"
    SERVED = "rdb_transmitted"


class Replica:
    """The other side of a session that follows this node, or is about to.

    - ``address``, ``port``: as it wants to be known (REPLCONF), ``b""`` and 0 if it did not say;
    - ``takes_stream``: it knows the end of a copy whose size it is not told (``capa eof``);
    - ``takes_new_ids``: it hears under which ID a stream goes on (``capa psync2``);
    - ``is_old``: it came with SYNC, and will not confirm anything;
    - ``copy_only``: it wants a copy, and not what follows (``rdb-only``);
    - ``parts``: what the copy is to hold of functions and data; None is all (``rdb-filter-only``);
    - ``confirmed``, ``confirmed_log``: offsets that it has confirmed to have, and to have on disk;
    - ``heard_s``: when it did so last, in unix time;
    - ``asked_ms``: when it asked for a copy;
    - ``copied_at``: the offset of the copy that it gets, -1 if there is none.
    """

    def __init__(self, session: Session):
        self.session = session
        self.state = State.STRANGER
        self.address = b""
        self.port = 0
        self.version = b""
        self.takes_stream = self.takes_new_ids = False
        self.is_old = self.copy_only = False
        self.parts: frozenset[bytes] | None = None
        self.confirmed = self.confirmed_log = 0
        self.heard_s = 0
        self.asked_ms = 0
        self.copied_at = -1
        # When it took something of the copy last, as far as some was waiting for it; else 0.
        self.stalled_since_s = 0
        self.waited = 0
        # It is sent the stream only once it has confirmed its copy.
        self.confirms_copy = False
        self.feed = ReplicaFeed()

    @property
    def is_attached(self) -> bool:
        """Whether it follows, or is going to."""
        return self.state is not State.STRANGER

    @property
    def host(self) -> bytes:
        """Its address: what it said, or where it came from."""
        return self.address or self.session.peer().rpartition(b":")[0].strip(b"[]")

    @property
    def name(self) -> str:
        """What the log calls it."""
        peer = self.session.peer()
        host = self.host
        if not self.port:
            return f"client id #{self.session.id}" if not host else f"{peer.decode()}"
        shown = host.decode("utf-8", "replace")
        return f"[{shown}]:{self.port}" if ":" in shown else f"{shown}:{self.port}"

    def attach(self) -> None:
        """Make a link of the session: nothing is answered on it any more.

        Raises Error where the session cannot be one.
        """
        session = self.session
        session.begin_feed(self.feed)
        session.flags |= FLAG_REPLICA
        session.gate |= ON_LINK
        session.reply_mode = REPLY_NEVER

    def note_progress(self, now_s: int) -> None:
        """See whether it takes what waits for it."""
        waiting = self.feed.waiting
        if waiting == 0 or waiting < self.waited:
            self.stalled_since_s = 0
        elif not self.stalled_since_s:
            self.stalled_since_s = now_s
        self.waited = waiting

    def detach(self) -> None:
        """It follows no longer: what it was sent from is let go of."""
        self.state = State.STRANGER
        self.feed.leave()


class Leader(Protocol):
    """The node that the replicas follow, as its parts know it: a ``Primary``."""

    engine: Engine
    replication: Replication
    replicas: list[Replica]
    # Its parts, which do not know each other.
    copies: Any

    @property
    def now_s(self) -> int:
        """Unix time."""

    def online(self) -> list[Replica]:
        """Those that have the data set."""

    def put_online(self, replica: Replica) -> None:
        """A replica has its copy."""

    def begin_stream(self, replica: Replica) -> None:
        """A replica is ready for what happened since its copy was made."""

    def drop(self, replica: Replica, why: str = "") -> None:
        """Give a replica up."""


def replica_of(session: Session) -> Replica:
    """What is known of the other side of a session as a replica."""
    if session.replica is None:
        session.replica = Replica(session)
    return session.replica
