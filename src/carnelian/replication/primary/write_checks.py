"""What may not run because of replicas: writes where too few of them listen, and what they ask for
themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cython.cimports.carnelian.engine.parts.admission import judged_flags

from carnelian.engine.catalogue.registry import FLAG_BITS
from carnelian.engine.ground.stages import REPLICAS
from carnelian.resp.replies import Error

if TYPE_CHECKING:
    from carnelian.engine.catalogue.registry import Command
    from carnelian.engine.shared.client_state import Client
    from carnelian.replication.primary.replicas import Leader

_WRITE = FLAG_BITS["write"]
_TOUCHES_KEYS = FLAG_BITS["write"] | FLAG_BITS["readonly"] | FLAG_BITS["may_replicate"]
_TOO_FEW = Error("NOREPLICAS Not enough good replicas to write.")


def refuse_on_link(session: Client, command: Command, args: list[bytes]) -> Error | None:
    """What a replica may not ask for."""
    if judged_flags(session, command, args) & _TOUCHES_KEYS:
        return Error("ERR Replica can't interact with the keyspace")
    return None


class EnoughReplicas:
    """Refuses writes where fewer than ``min-replicas-to-write`` replicas were heard of lately.

    ``good`` is how many were; it is counted only where that is asked for.
    """

    def __init__(self, primary: Leader):
        self._primary = primary
        self._asked = False
        self.good = 0
        config = primary.engine.config
        self._wanted: int = config["min-replicas-to-write"]
        self._most_lag_s: int = config["min-replicas-max-lag"]
        self._heed()
        config.on_change("min-replicas-to-write", self._set_wanted)
        config.on_change("min-replicas-max-lag", self._set_most_lag)

    @property
    def is_asked(self) -> bool:
        """Whether it matters how many there are."""
        return self._asked

    def _set_wanted(self, wanted: int) -> None:
        self._wanted = wanted
        self._heed()

    def _set_most_lag(self, most_lag_s: int) -> None:
        self._most_lag_s = most_lag_s
        self._heed()

    def _heed(self) -> None:
        """Do what the two directives say."""
        asked = bool(self._wanted and self._most_lag_s)
        if asked != self._asked:
            self._asked = asked
            admission = self._primary.engine.admission
            admission.switch_check(self._judge, asked, stage=REPLICAS)
        self.count()

    def count(self) -> None:
        """Count those that were heard of lately."""
        if self._asked:
            since_s = self._primary.now_s - self._most_lag_s
            self.good = sum(each.heard_s >= since_s for each in self._primary.online())

    def _judge(self, session: Client, command: Command, args: list[bytes]) -> Error | None:
        if self.good >= self._wanted or self._primary.replication.following is not None:
            return None
        return _TOO_FEW if judged_flags(session, command, args) & _WRITE else None
