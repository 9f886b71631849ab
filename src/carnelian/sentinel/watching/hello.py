"""The hello messages, by which Sentinels find each other and learn of each other's failovers.

They go through a channel of every primary and replica, and straight to other Sentinels. A message
is ``ip,port,id,epoch`` of its sender and ``name,ip,port,epoch`` of the primary as the sender knows
it.
"""

from __future__ import annotations

from typing import NamedTuple

from carnelian.resp.client.reply_values import Refusal
from carnelian.sentinel.known.instances import Instance, PeerSentinel, Primary, Step
from carnelian.sentinel.known.peer_address import AddressError
from carnelian.sentinel.known.roster import Roster, find
from carnelian.sentinel.known.sentinel_words import atoi, to_bytes, to_text
from carnelian.sentinel.known.watch import Watch
from carnelian.sentinel.watching.script_queue import ScriptQueue

HELLO_CHANNEL = b"__sentinel__:hello"


class Message(NamedTuple):
    """What a hello message says."""

    host: str
    port: int
    run_id: str
    epoch: int
    primary_name: str
    primary_host: str
    primary_port: int
    config_epoch: int


def parse(data: bytes) -> Message | None:
    """The message that bytes are, None if they are none."""
    words = to_text(data).split(",")
    if len(words) != 8:
        return None
    return Message(
        words[0],
        atoi(words[1]),
        words[2],
        max(atoi(words[3]), 0),
        words[4],
        words[5],
        atoi(words[6]),
        max(atoi(words[7]), 0),
    )


class Hello:
    """Sends such messages, and learns from those of others."""

    def __init__(self, watch: Watch, roster: Roster, scripts: ScriptQueue):
        self._watch = watch
        self._roster = roster
        self._scripts = scripts

    # -- Sending ---------------------------------------------------------------------------------

    def send(self, instance: Instance) -> None:
        """Publish what we know of the primary at an instance."""
        link, watch = instance.link, self._watch
        if link.disconnected or link.commands is None:
            return
        host = watch.options.announce_ip or link.commands.host
        if host is None:
            return  # it is still being connected

        def published(reply: object) -> None:
            # Otherwise it is tried again soon.
            if not isinstance(reply, Refusal):
                instance.last_publish = watch.now

        primary = instance.primary
        message = self._compose(host, primary)
        words = [instance.command("PUBLISH"), HELLO_CHANNEL, to_bytes(message)]
        link.commands.call(words, instance, published)

    def _compose(self, host: str, primary: Primary) -> str:
        watch = self._watch
        address = primary.current_address
        parts = (
            host,
            watch.options.announce_port or watch.around.own_port(),
            watch.my_id,
            watch.current_epoch,
            primary.name,
            watch.addresses.shown(address),
            address.port,
            primary.config_epoch,
        )
        return ",".join(map(str, parts))

    def hurry(self, primary: Primary) -> None:
        """Tell all about a primary at the next occasion."""
        for instance in (primary, *primary.members()):
            instance.last_publish -= self._watch.periods.publish + 1

    # -- Listening -------------------------------------------------------------------------------

    def heard(self, reply: object) -> None:
        """Something has come through the channel."""
        if not isinstance(reply, list) or len(reply) != 3 or reply[0] != b"message":
            return
        data = reply[2]
        if isinstance(data, bytes) and to_bytes(self._watch.my_id) not in data:
            self.process(data)

    def process(self, data: bytes) -> None:
        """Learn from a message; one of no use is ignored."""
        message = parse(data)
        primary = self._watch.primaries.get(message.primary_name) if message else None
        if message is None or primary is None:
            return
        sender = self._sender(primary, message)
        self._watch.raise_epoch(message.epoch, primary)
        if sender is None:
            return
        if primary.config_epoch < message.config_epoch:
            self._follow(primary, sender, message)
        sender.last_hello = self._watch.now

    def _sender(self, primary: Primary, message: Message) -> PeerSentinel | None:
        """The Sentinel that a message is from; we may get to know it by this."""
        known = primary.sentinels.get(message.run_id)
        addresses = self._watch.addresses
        if known is not None:
            try:
                address = addresses.make(message.host, message.port, unresolved=True)
            except AddressError:
                return None
            if known.address.same(address):
                return known
        return self._meet(primary, message)

    def _meet(self, primary: Primary, message: Message) -> PeerSentinel | None:
        """Take in a Sentinel that is new, or has another address than before."""
        watch = self._watch
        moved = self._roster.remove_sentinel(primary, message.run_id)
        if moved:
            text = f" ip {message.host} port {message.port} for {message.run_id}"
            watch.event("notice", "+sentinel-address-switch", primary, text)
        else:
            self._evict(primary, message)
        try:
            sender = self._roster.add_sentinel(primary, message.run_id, message.host, message.port)
        except AddressError:
            return None
        if moved:
            self._roster.move_sentinel(sender)
        else:
            watch.event("notice", "+sentinel", sender)
        watch.save()
        return sender

    def _evict(self, primary: Primary, message: Message) -> None:
        """Who was known at the address of a new Sentinel is not there any more."""
        try:
            address = self._watch.addresses.make(message.host, message.port, unresolved=True)
        except AddressError:
            return
        old = find(primary.sentinels.values(), address)
        if old is None:
            return
        self._watch.event("notice", "+sentinel-invalid-addr", old)
        for each in self._watch.primaries.values():
            self._roster.remove_sentinel(each, old.name)

    def _follow(self, primary: Primary, sender: PeerSentinel, message: Message) -> None:
        """Another Sentinel knows of a later failover than we do.

        If one of ours goes on, it is over: whatever it comes to, it is not the latest any more.
        """
        watch = self._watch
        host, port = message.primary_host, message.primary_port
        old = primary.current_address
        moved = not watch.addresses.is_at(old, host, port)
        undecided = primary.failing_over and primary.step < Step.RECONF_SLAVES
        if not moved and not (undecided and primary.failover_epoch < message.config_epoch):
            primary.config_epoch = message.config_epoch
            return
        try:
            new = watch.addresses.make(host, port)
        except AddressError:
            return  # until its host is known
        primary.config_epoch = message.config_epoch
        watch.event("warning", "+config-update-from", sender)
        if moved:
            shown = f"{primary.name} {watch.addresses.shown(old)} {old.port} {host} {port}"
            watch.announce("warning", "+switch-master", primary, shown)
        self._roster.switch(primary, new)
        if moved:
            self._scripts.tell_clients(primary, "observer", old, primary.address)
