"""A whole Sentinel without I/O: its parts, and what it does about ten times a second."""

from __future__ import annotations

from carnelian.net.protocol import Host
from carnelian.sentinel.known.instances import Instance, Primary
from carnelian.sentinel.known.peer_address import PeerAddress
from carnelian.sentinel.known.roster import Roster, find
from carnelian.sentinel.known.surroundings import Surroundings
from carnelian.sentinel.known.watch import Watch
from carnelian.sentinel.watching.availability import Availability
from carnelian.sentinel.watching.connecting import Connecting
from carnelian.sentinel.watching.election import Election
from carnelian.sentinel.watching.failing_over import FailingOver
from carnelian.sentinel.watching.hello import Hello
from carnelian.sentinel.watching.reporting import Reporting
from carnelian.sentinel.watching.script_queue import ScriptQueue

# The least number of rounds in a second. Each comes after another time, so that Sentinels which
# were started together do not ask for votes together for ever.
LEAST_ROUNDS = 10


class Sentinel:
    """Watches primaries from :meth:`start` on.

    Args:
        host: carries its connections, and gives it time.
        around: the process and the configuration.
    """

    def __init__(self, host: Host, around: Surroundings):
        self.watch = watch = Watch(host, around)
        self.roster = Roster(watch)
        self.scripts = ScriptQueue(watch)
        self.hello = Hello(watch, self.roster, self.scripts)
        self.election = Election(watch)
        self.failovers = FailingOver(watch, self.roster, self.election)
        self._availability = Availability(watch)
        reporting = Reporting(watch, self.roster, self.hello, self.scripts)
        self._connecting = Connecting(watch, self.hello, reporting)
        self._last_round = watch.now

    def start(self) -> None:
        """Begin to watch; who has no ID takes one."""
        watch = self.watch
        if not watch.my_id:
            watch.my_id = f"{watch.host.random.getrandbits(160):040x}"
            watch.save()
        watch.around.log("warning", f"Sentinel ID is {watch.my_id}")
        for primary in watch.primaries.values():
            self.announce(primary)
        self._last_round = watch.now
        self._go_on()

    def announce(self, primary: Primary) -> None:
        """Tell that a primary is watched."""
        self.watch.event("warning", "+monitor", primary, f" quorum {primary.quorum}")

    # -- What others ask -------------------------------------------------------------------------

    def is_down(self, address: PeerAddress, epoch: int, candidate: str) -> tuple[bool, str, int]:
        """What to answer a Sentinel that asks about a primary, and for our vote unless the
        candidate is ``*``.

        Returns whether it is down for us, whom we have voted for (``*`` if for nobody), and the
        epoch of that.
        """
        found = find(self.watch.primaries.values(), address)
        if not isinstance(found, Primary):
            return False, "*", 0
        down = found.s_down and self.watch.tilt_since is None
        if candidate == "*":
            return down, "*", 0
        leader, leader_epoch = self.election.vote(found, epoch, candidate)
        return down, leader or "*", leader_epoch

    # -- Rounds ----------------------------------------------------------------------------------

    def _go_on(self) -> None:
        host = self.watch.host
        rounds = LEAST_ROUNDS + host.random.randrange(LEAST_ROUNDS)
        host.call_later(1 / rounds, self._round)

    def _round(self) -> None:
        try:
            self.tend()
        finally:
            self._go_on()

    def tend(self) -> None:
        """Do all that is due."""
        self._check_time()
        for primary in list(self.watch.primaries.values()):
            self._tend_primary(primary)
            for member in primary.members():
                self._tend(member)
        for primary in self.watch.primaries.values():
            self.failovers.finish(primary)
        self.scripts.tend()

    def _check_time(self) -> None:
        """Do nothing for a while if the time has made a leap: all would seem to be down."""
        watch = self.watch
        passed = watch.since(self._last_round)
        if passed < 0 or passed > watch.periods.tilt_trigger:
            watch.tilt_since = watch.now
            watch.announce("warning", "+tilt", None, "#tilt mode entered")
        self._last_round = watch.now

    def _tend(self, instance: Instance) -> bool:
        """What is done for every instance; false if nothing may be done about it now."""
        watch = self.watch
        self._connecting.reconnect(instance)
        self._connecting.send_periodically(instance)
        if watch.tilt_since is not None:
            if watch.since(watch.tilt_since) < watch.periods.tilt:
                return False
            watch.tilt_since = None
            watch.announce("warning", "-tilt", None, "#tilt mode exited")
        self._availability.check(instance)
        return True

    def _tend_primary(self, primary: Primary) -> None:
        if not self._tend(primary):
            return
        self._availability.check_quorum(primary)
        if self.failovers.begin_if_needed(primary):
            self._availability.ask_others(primary, at_once=True)
        self.failovers.advance(primary)
        self._availability.ask_others(primary)
