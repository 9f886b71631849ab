"""What follows from the INFO of an instance."""

from __future__ import annotations

from carnelian.sentinel.known.instances import DataInstance, Obedience, Primary, Replica, Role, Step
from carnelian.sentinel.known.peer_address import AddressError
from carnelian.sentinel.known.roster import Roster, find
from carnelian.sentinel.known.watch import SimulatedFailure, Watch
from carnelian.sentinel.watching.hello import Hello
from carnelian.sentinel.watching.info_report import InfoReport, parse
from carnelian.sentinel.watching.orders import follow
from carnelian.sentinel.watching.script_queue import ScriptQueue


class Reporting:
    """Takes reports, and sets right what is not as it should be."""

    def __init__(self, watch: Watch, roster: Roster, hello: Hello, scripts: ScriptQueue):
        self._watch = watch
        self._roster = roster
        self._hello = hello
        self._scripts = scripts

    def take(self, instance: DataInstance, data: bytes) -> None:
        """INFO has come."""
        instance.info = data
        report = parse(data)
        self._note_identity(instance, report)
        if isinstance(instance, Primary):
            for host, port in report.replicas:
                self._meet(instance, host, port)
        instance.link_down_ms = report.link_down_ms
        self._note_replication(instance, report)
        instance.info_refresh = self._watch.now
        self._note_role(instance, report.role)
        if self._watch.tilt_since is None and isinstance(instance, Replica):
            self._act(instance, report.role)

    # -- Taking note -----------------------------------------------------------------------------

    def _note_identity(self, instance: DataInstance, report: InfoReport) -> None:
        if report.run_id is None:
            return
        if instance.run_id is not None and instance.run_id != report.run_id:
            self._watch.event("notice", "+reboot", instance)
            if isinstance(instance, Primary) and instance.reboot_down_after:
                instance.rebooting = True
                instance.rebooting_since = self._watch.now
        instance.run_id = report.run_id

    def _meet(self, primary: Primary, host: str, port: int) -> None:
        """A replica that a primary has."""
        addresses = self._watch.addresses
        try:
            address = addresses.make(host, port, unresolved=True)
            if find(primary.replicas.values(), address) is not None:
                return
            replica = self._roster.add_replica(primary, host, port)
        except AddressError:
            return
        self._watch.event("notice", "+slave", replica)
        self._watch.save()

    def _note_replication(self, instance: DataInstance, report: InfoReport) -> None:
        """What a replica says of its primary."""
        host, port = report.primary_host, report.primary_port
        if host is not None and host.lower() != (instance.primary_host or "").lower():
            instance.primary_host = host
            instance.conf_changed = self._watch.now
        if port is not None and port != instance.primary_port:
            instance.primary_port = port
            instance.conf_changed = self._watch.now
        if report.link_is_up is not None:
            instance.link_is_up = report.link_is_up
        if report.priority is not None:
            instance.priority = report.priority
        if report.offset is not None:
            instance.offset = report.offset
        if report.announced is not None:
            instance.announced = report.announced

    def _note_role(self, instance: DataInstance, role: Role | None) -> None:
        if role is instance.reported_role:
            return
        now = self._watch.now
        instance.reported_role = role
        instance.reported_role_since = now
        if role is Role.REPLICA:
            instance.conf_changed = now
        kind = "+role-change" if role is instance.role else "-role-change"
        shown = "master" if role is Role.PRIMARY else "slave"
        self._watch.event("verbose", kind, instance, f" new reported role is {shown}")

    # -- Acting ----------------------------------------------------------------------------------

    def _act(self, replica: Replica, role: Role | None) -> None:
        """Do what a replica's report calls for.

        Nothing is done about a primary that says it is a replica: it will count as down.
        """
        if role is Role.PRIMARY:
            primary = replica.primary
            awaited = primary.step is Step.WAIT_PROMOTION
            if replica.is_promoted and awaited:
                self._promoted(replica)
            else:
                self._convert(replica)
        elif role is Role.REPLICA:
            self._correct(replica)
            self._note_obedience(replica)

    def _promoted(self, replica: Replica) -> None:
        """The replica that was chosen has become a primary: now nothing can go back."""
        watch, primary = self._watch, replica.primary
        # Of all that others may know of this primary, this is the latest from now on.
        primary.config_epoch = primary.failover_epoch
        primary.enter(Step.RECONF_SLAVES, watch.now)
        watch.save()
        watch.event("warning", "+promoted-slave", replica)
        watch.crash_if(SimulatedFailure.AFTER_PROMOTION)
        watch.event("warning", "+failover-state-reconf-slaves", primary)
        self._scripts.tell_clients(primary, "leader", primary.address, replica.address)
        self._hello.hurry(primary)

    def _convert(self, replica: Replica) -> None:
        """Make a replica of what has become a primary (again) without us.

        Not at once: we may be about to hear that it was meant to.
        """
        watch = self._watch
        wait = watch.periods.publish * 4
        if replica.is_promoted or not self._looks_sane(replica.primary):
            return
        if not self._is_up_for(replica, wait) or watch.since(replica.reported_role_since) <= wait:
            return
        if follow(watch, replica, replica.primary.address):
            watch.event("notice", "+convert-to-slave", replica)

    def _correct(self, replica: Replica) -> None:
        """Make a replica follow our primary, if it follows another for long enough."""
        watch, primary = self._watch, replica.primary
        host, port = replica.primary_host or "", replica.primary_port
        if watch.addresses.is_at(primary.address, host, port):
            return
        wait = primary.failover_timeout
        if not self._looks_sane(primary) or not self._is_up_for(replica, wait):
            return
        if watch.since(replica.conf_changed) <= wait:
            return
        if follow(watch, replica, primary.address):
            watch.event("notice", "+fix-slave-config", replica)

    def _note_obedience(self, replica: Replica) -> None:
        """See whether a replica that was told to follow the new primary does."""
        watch, promoted = self._watch, replica.primary.promoted
        if replica.obedience is Obedience.SENT and promoted is not None:
            host, port = replica.primary_host, replica.primary_port
            if host is not None and watch.addresses.is_at(promoted.address, host, port):
                replica.obedience = Obedience.IN_PROGRESS
                watch.event("notice", "+slave-reconf-inprog", replica)
        if replica.obedience is Obedience.IN_PROGRESS and replica.link_is_up:
            replica.obedience = Obedience.DONE
            watch.event("notice", "+slave-reconf-done", replica)

    def _looks_sane(self, primary: Primary) -> bool:
        """Whether a primary is one, is up, and has told so lately."""
        fresh = self._watch.since(primary.info_refresh) < self._watch.periods.info * 2
        return primary.reported_role is Role.PRIMARY and not primary.is_down and fresh

    def _is_up_for(self, replica: Replica, time: int) -> bool:
        """Whether it was not found to be down in so many milliseconds."""
        return not replica.s_down_since or self._watch.since(replica.s_down_since) > time
