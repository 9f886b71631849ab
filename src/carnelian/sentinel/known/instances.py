"""What is watched: primaries, their replicas, and the other Sentinels that watch them."""

from __future__ import annotations

from enum import Enum, IntEnum

from carnelian.sentinel.known.peer_address import PeerAddress
from carnelian.sentinel.known.periods import DEFAULT_DOWN_AFTER, DEFAULT_FAILOVER_TIMEOUT
from carnelian.sentinel.links.instance_link import InstanceLink

DEFAULT_PRIORITY = 100
DEFAULT_PARALLEL_SYNCS = 1


class Role(Enum):
    """What an instance says it is; the values are Redis's words."""

    PRIMARY = "master"
    REPLICA = "slave"


class Step(IntEnum):
    """How far a failover has come, in order."""

    NONE = 0
    WAIT_START = 1
    SELECT_SLAVE = 2
    SEND_SLAVEOF_NOONE = 3
    WAIT_PROMOTION = 4
    RECONF_SLAVES = 5
    UPDATE_CONFIG = 6


class Obedience(Enum):
    """How far a replica has followed to the new primary; the values are those of its flags."""

    NONE = ""
    SENT = "reconf_sent"
    IN_PROGRESS = "reconf_inprog"
    DONE = "reconf_done"


class Instance:
    """One server. Times are in milliseconds, 0 being never.

    Args:
        name: a primary's is given by people, a replica's is its address, a Sentinel's its ID.
        now: the time.
    """

    # The word for it in events.
    kind = ""

    def __init__(self, name: str, address: PeerAddress, down_after: int, now: int):
        self.name = name
        self.address = address
        self.run_id: str | None = None
        # The silence after which it is down.
        self.down_after = down_after
        self.link = InstanceLink(now)
        self.link.share(self)
        self.last_publish = now
        self.s_down = False
        self.s_down_since = 0
        self.script_kill_sent = False

    @property
    def primary(self) -> Primary:
        """The primary that it belongs to, or is."""
        raise NotImplementedError

    @property
    def is_down(self) -> bool:
        """Whether it cannot be counted on."""
        return self.s_down

    def command(self, name: str) -> bytes:
        """What a command is called there."""
        return name.encode()

    def flags(self) -> list[str]:
        """Words for its state, in Redis's order."""
        return []

    def _flags(self, before: dict[str, bool], behind: dict[str, bool]) -> list[str]:
        """Those words that hold, the kind's own before and behind the one for the link."""
        chosen = {
            "s_down": self.s_down,
            **before,
            "disconnected": self.link.disconnected,
            **behind,
            "script_kill_sent": self.script_kill_sent,
        }
        return [word for word, holds in chosen.items() if holds]

    def use(self, link: InstanceLink) -> None:
        """Share the link of another instance."""
        self.link.release(self)
        self.link = link
        link.share(self)


class DataInstance(Instance):
    """A server with data: it answers INFO, and says what it is."""

    # What it is by our configuration.
    role: Role

    def __init__(self, name: str, address: PeerAddress, down_after: int, now: int):
        super().__init__(name, address, down_after, now)
        # The last INFO, and when it came.
        self.info: bytes | None = None
        self.info_refresh = 0
        self.reported_role: Role | None = self.role
        self.reported_role_since = now
        # What a replica says of its primary.
        self.primary_host: str | None = None
        self.primary_port = 0
        self.link_is_up = False
        self.link_down_ms = 0
        self.conf_changed = now
        self.priority = DEFAULT_PRIORITY
        self.offset = 0
        self.announced = True

    def command(self, name: str) -> bytes:
        """What a command is called there: ``rename-command`` may have changed it."""
        renamed = self.primary.renamed.get(name.lower())
        return (renamed[1] if renamed else name).encode("utf-8", "surrogateescape")


class Primary(DataInstance):
    """A primary, with all that belongs to it.

    ``leader`` is whom we voted for in ``leader_epoch``.
    """

    kind = "master"
    role = Role.PRIMARY

    def __init__(
        self,
        name: str,
        address: PeerAddress,
        quorum: int,
        now: int,
        down_after: int = DEFAULT_DOWN_AFTER,
        failover_timeout: int = DEFAULT_FAILOVER_TIMEOUT,
    ):
        super().__init__(name, address, down_after, now)
        self.replicas: dict[str, Replica] = {}
        self.sentinels: dict[str, PeerSentinel] = {}
        self.config_epoch = 0
        # What people may set.
        self.quorum = quorum
        self.parallel_syncs = DEFAULT_PARALLEL_SYNCS
        self.failover_timeout = failover_timeout
        self.reboot_down_after = 0
        self.auth_user: str | None = None
        self.auth_pass: str | None = None
        self.notification_script: str | None = None
        self.reconfig_script: str | None = None
        # By lower name, names as they were given: the usual one and the one it has here.
        self.renamed: dict[str, tuple[str, str]] = {}
        self.rebooting = False
        self.rebooting_since = 0
        self.leader: str | None = None
        self.leader_epoch = 0
        self.o_down = False
        self.o_down_since = 0
        # The failover.
        self.step = Step.NONE
        self.step_since = 0
        self.forced = False
        self.failover_epoch = 0
        self.failover_started = 0
        self.delay_logged = 0
        self.promoted: Replica | None = None

    @property
    def primary(self) -> Primary:
        """Itself."""
        return self

    @property
    def is_down(self) -> bool:
        """Whether it cannot be counted on."""
        return self.s_down or self.o_down

    @property
    def failing_over(self) -> bool:
        """Whether a failover goes on."""
        return self.step is not Step.NONE

    @property
    def current_address(self) -> PeerAddress:
        """Where the data is written: at the new primary as soon as it is one."""
        if self.promoted is not None and self.step >= Step.RECONF_SLAVES:
            return self.promoted.address
        return self.address

    def flags(self) -> list[str]:
        """Words for its state, in Redis's order."""
        before = {"o_down": self.o_down, "master": True}
        behind = {"failover_in_progress": self.failing_over, "force_failover": self.forced}
        return self._flags(before, behind)

    def enter(self, step: Step, now: int) -> None:
        """Begin a step of the failover."""
        self.step = step
        self.step_since = now

    def members(self) -> list[Instance]:
        """Its replicas and the other Sentinels."""
        return [*self.replicas.values(), *self.sentinels.values()]


class Replica(DataInstance):
    """A replica of a primary."""

    kind = "slave"
    role = Role.REPLICA

    def __init__(self, name: str, address: PeerAddress, primary: Primary, now: int):
        super().__init__(name, address, primary.down_after, now)
        self._primary = primary
        self.is_promoted = False
        self.obedience = Obedience.NONE
        self.obedience_asked = 0

    @property
    def primary(self) -> Primary:
        """Whose replica it is by our configuration."""
        return self._primary

    def flags(self) -> list[str]:
        """Words for its state, in Redis's order."""
        obeys = self.obedience is not Obedience.NONE
        behind = {"promoted": self.is_promoted, self.obedience.value: obeys}
        return self._flags({"slave": True}, behind)


class PeerSentinel(Instance):
    """Another Sentinel that watches a primary.

    ``leader`` is whom it voted for in ``leader_epoch``.
    """

    kind = "sentinel"

    def __init__(self, run_id: str, address: PeerAddress, primary: Primary, now: int):
        super().__init__(run_id, address, primary.down_after, now)
        self._primary = primary
        self.run_id = run_id
        self.last_hello = now
        # Whether it takes the primary for down, and when it has said so or not.
        self.says_down = False
        self.last_answer = now
        self.leader: str | None = None
        self.leader_epoch = 0

    @property
    def primary(self) -> Primary:
        """The primary that both of us watch."""
        return self._primary

    def flags(self) -> list[str]:
        """Words for its state, in Redis's order."""
        return self._flags({"sentinel": True}, {"master_down": self.says_down})
