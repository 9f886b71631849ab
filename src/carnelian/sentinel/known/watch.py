"""What all parts of a Sentinel share: what it knows, who it is, how it tells of what happens."""

from __future__ import annotations

from collections.abc import Callable
from enum import Flag, auto

from carnelian.net.protocol import Host
from carnelian.sentinel.known.instances import Instance, Primary
from carnelian.sentinel.known.peer_address import AddressBook
from carnelian.sentinel.known.periods import Periods
from carnelian.sentinel.known.sentinel_options import Options
from carnelian.sentinel.known.surroundings import Surroundings


class SimulatedFailure(Flag):
    """When to crash, for tests."""

    NONE = 0
    AFTER_ELECTION = auto()
    AFTER_PROMOTION = auto()


class Watch:
    """The state of a Sentinel. Times are in milliseconds since 1970.

    Args:
        host: carries its connections.
        around: the process and the configuration.
    """

    def __init__(self, host: Host, around: Surroundings):
        self.host = host
        self.around = around
        self.options = Options()
        self.periods = Periods()
        self.addresses = AddressBook(
            self.options, around.resolve, lambda text: around.log("warning", text)
        )
        self.my_id = ""
        self.current_epoch = 0
        self.primaries: dict[str, Primary] = {}
        # Since when the time cannot be trusted, None if it can.
        self.tilt_since: int | None = None
        self.simulated_failure = SimulatedFailure.NONE
        # Called with the kind and the text of an event that people are to be told of.
        self.on_alarm: Callable[[Primary, str, str], object] | None = None

    @property
    def now(self) -> int:
        """The time."""
        return self.host.clock.wall_us() // 1000

    def since(self, time: int) -> int:
        """Milliseconds since then."""
        return self.now - time

    def save(self) -> bool:
        """Bring what is known to the disk; false if that could not be done."""
        return self.around.save()

    def raise_epoch(self, epoch: int, primary: Primary) -> None:
        """Take note of an epoch that is later than ours; others have begun it."""
        if epoch > self.current_epoch:
            self.current_epoch = epoch
            self.save()
            self.announce("warning", "+new-epoch", primary, f"{epoch}")

    def crash_if(self, failure: SimulatedFailure) -> None:
        """Crash, if this is when to."""
        if failure in self.simulated_failure:
            self.around.log("warning", "Sentinel CRASH because of SENTINEL simulate-failure")
            self.around.crash()

    # -- Events ----------------------------------------------------------------------------------

    def event(self, level: str, kind: str, instance: Instance, text: str = "") -> None:
        """Something has happened to an instance, which the message names first."""
        self.announce(level, kind, instance, f"{self.describe(instance)}{text}")

    def announce(self, level: str, kind: str, instance: Instance | None, text: str) -> None:
        """Log and publish a message; warnings about an instance are alarms as well."""
        self.around.log(level, f"{kind} {text}")
        if level != "debug":
            self.around.publish(kind, text)
        if level == "warning" and instance is not None and self.on_alarm is not None:
            self.on_alarm(instance.primary, kind, text)

    def describe(self, instance: Instance) -> str:
        """An instance as events name it: ``slave <name> <ip> <port> @ <primary> <ip> <port>``."""
        text = f"{instance.kind} {self._named(instance)}"
        primary = instance.primary
        return text if primary is instance else f"{text} @ {self._named(primary)}"

    def _named(self, instance: Instance) -> str:
        address = instance.address
        return f"{instance.name} {self.addresses.shown(address)} {address.port}"
