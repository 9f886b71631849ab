"""Who is watched: instances come, go, are found, and begin anew."""

from __future__ import annotations

from collections.abc import Iterable

from carnelian.sentinel.known.instances import Instance, PeerSentinel, Primary, Replica, Role, Step
from carnelian.sentinel.known.peer_address import AddressError, PeerAddress
from carnelian.sentinel.known.watch import Watch


class Roster:
    """Changes the instances of a watch."""

    def __init__(self, watch: Watch):
        self._watch = watch

    # -- Coming ----------------------------------------------------------------------------------

    def add_primary(self, name: str, host: str, port: int, quorum: int) -> Primary:
        """Watch a primary. Raises AddressError."""
        watch = self._watch
        address = watch.addresses.make(host, port, unresolved=True)
        if name in watch.primaries:
            raise AddressError("Duplicate master name.")
        periods = watch.periods
        made = watch.primaries[name] = Primary(
            name,
            address,
            quorum,
            watch.now,
            periods.default_down_after,
            periods.default_failover_timeout,
        )
        return made

    def add_replica(self, primary: Primary, host: str, port: int) -> Replica:
        """Watch a replica. Raises AddressError."""
        watch = self._watch
        address = watch.addresses.make(host, port, unresolved=True)
        name = watch.addresses.shown_with_port(address)
        if name in primary.replicas or find(primary.replicas.values(), address):
            raise AddressError("Duplicate hostname and port for replica.")
        made = primary.replicas[name] = Replica(name, address, primary, watch.now)
        return made

    def add_sentinel(self, primary: Primary, run_id: str, host: str, port: int) -> PeerSentinel:
        """Know of another Sentinel of a primary. Raises AddressError.

        If it watches another of our primaries as well, we have a link to it already.
        """
        watch = self._watch
        address = watch.addresses.make(host, port, unresolved=True)
        if run_id in primary.sentinels:
            raise AddressError("Duplicate runid for sentinel.")
        made = PeerSentinel(run_id, address, primary, watch.now)
        for other in watch.primaries.values():
            if other is not primary and run_id in other.sentinels:
                made.use(other.sentinels[run_id].link)
                break
        primary.sentinels[run_id] = made
        return made

    # -- Going -----------------------------------------------------------------------------------

    def remove_primary(self, primary: Primary) -> None:
        """Watch a primary no longer."""
        for member in (*primary.members(), primary):
            member.link.release(member)
        del self._watch.primaries[primary.name]

    def remove_sentinel(self, primary: Primary, run_id: str) -> bool:
        """Forget another Sentinel of a primary; whether it was known."""
        gone = primary.sentinels.pop(run_id, None)
        if gone is None:
            return False
        gone.link.release(gone)
        return True

    # -- Connections -----------------------------------------------------------------------------

    def drop_data_links(self, primary: Primary) -> None:
        """End the connections to a primary and its replicas, as they are authenticated anew."""
        for instance in (primary, *primary.replicas.values()):
            instance.link.close()

    def drop_sentinel_links(self) -> None:
        """End the connections to all other Sentinels."""
        for primary in self._watch.primaries.values():
            for other in primary.sentinels.values():
                other.link.close()

    def move_sentinel(self, moved: PeerSentinel) -> None:
        """Another Sentinel has a new address: that holds for all primaries that it watches."""
        count = 0
        for primary in self._watch.primaries.values():
            same = primary.sentinels.get(moved.name)
            if same is None:
                continue
            same.link.close()
            if same is not moved:
                same.address = moved.address
                count += 1
        if count:
            text = f" {count} additional matching instances"
            self._watch.event("notice", "+sentinel-address-update", moved, text)

    # -- Beginning anew --------------------------------------------------------------------------

    def reset(self, primary: Primary, keep_sentinels: bool = False) -> None:
        """Forget all that was found out about a primary, and a failover that goes on."""
        gone: list[Instance] = [*primary.replicas.values()]
        primary.replicas.clear()
        if not keep_sentinels:
            gone += primary.sentinels.values()
            primary.sentinels.clear()
        for instance in gone:
            instance.link.release(instance)
        now = self._watch.now
        primary.link.close()
        primary.link.restart_clocks(now)
        primary.s_down = primary.o_down = primary.script_kill_sent = False
        primary.rebooting = primary.forced = False
        primary.leader = primary.run_id = primary.primary_host = None
        primary.promoted = None
        primary.enter(Step.NONE, 0)
        primary.failover_started = 0
        primary.reported_role = Role.PRIMARY
        primary.reported_role_since = now

    def switch(self, primary: Primary, address: PeerAddress) -> None:
        """Another instance is the primary now, and the old one a replica of it."""
        others = [replica.address for replica in primary.replicas.values()]
        others.append(primary.address)
        self.reset(primary, keep_sentinels=True)
        primary.address = address
        primary.s_down_since = primary.o_down_since = 0
        for other in others:
            if not other.same(address):
                self._add_back(primary, other)
        self._watch.save()

    def _add_back(self, primary: Primary, address: PeerAddress) -> None:
        try:
            replica = self.add_replica(primary, address.host, address.port)
        except AddressError:
            return
        self._watch.event("notice", "+slave", replica)


def find(instances: Iterable[Instance], address: PeerAddress) -> Instance | None:
    """The first instance at an address, if there is one."""
    return next((each for each in instances if each.address.same(address)), None)
