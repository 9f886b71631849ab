"""Who is down: for us, and for as many Sentinels as it takes."""

from __future__ import annotations

from carnelian.resp.client.reply_values import Refusal, Simple
from carnelian.sentinel.known.instances import Instance, PeerSentinel, Primary, Role, Step
from carnelian.sentinel.known.sentinel_words import to_bytes, to_text
from carnelian.sentinel.known.watch import Watch


class Availability:
    """Decides who is down, and asks other Sentinels."""

    def __init__(self, watch: Watch):
        self._watch = watch

    # -- For us ----------------------------------------------------------------------------------

    def check(self, instance: Instance) -> None:
        """Decide whether an instance is down for us, and give up connections that are silent."""
        self._give_up_silent(instance)
        watch, link = self._watch, instance.link
        silence = 0
        if link.unanswered_ping:
            silence = watch.since(link.unanswered_ping)
        elif link.disconnected:
            silence = watch.since(link.last_available)
        if silence > instance.down_after or self._is_no_primary(instance):
            if not instance.s_down:
                watch.event("warning", "+sdown", instance)
                instance.s_down_since = watch.now
                instance.s_down = True
        elif instance.s_down:
            watch.event("warning", "-sdown", instance)
            instance.s_down = instance.script_kill_sent = False

    def _is_no_primary(self, instance: Instance) -> bool:
        """Whether a primary is none, by its own words or as it has lost its data."""
        if not isinstance(instance, Primary):
            return False
        watch = self._watch
        if instance.reported_role is Role.REPLICA:
            patience = instance.down_after + watch.periods.info * 2
            if watch.since(instance.reported_role_since) > patience:
                return True
        gone = watch.since(instance.rebooting_since)
        return instance.rebooting and gone > instance.reboot_down_after

    def _give_up_silent(self, instance: Instance) -> None:
        """End connections that seem to stand, but carry nothing."""
        watch, link = self._watch, instance.link
        youngest = watch.periods.min_link_reconnect
        if link.commands is not None and watch.since(link.commands.opened) > youngest:
            patience = instance.down_after / 2
            waits = link.unanswered_ping and watch.since(link.unanswered_ping) > patience
            if waits and watch.since(link.last_pong) > patience:
                link.close_commands()
        if link.messages is not None and watch.since(link.messages.opened) > youngest:
            silent = watch.since(link.last_message) > watch.periods.publish * 3
            if silent:
                link.close_messages()

    # -- For all ---------------------------------------------------------------------------------

    def check_quorum(self, primary: Primary) -> None:
        """Decide whether a primary is down for enough Sentinels."""
        watch = self._watch
        count = 0
        if primary.s_down:
            count = 1 + sum(other.says_down for other in primary.sentinels.values())
        if count and count >= primary.quorum:
            if not primary.o_down:
                text = f" #quorum {count}/{primary.quorum}"
                watch.event("warning", "+odown", primary, text)
                primary.o_down = True
                primary.o_down_since = watch.now
        elif primary.o_down:
            watch.event("warning", "-odown", primary)
            primary.o_down = False

    def ask_others(self, primary: Primary, at_once: bool = False) -> None:
        """Ask the other Sentinels whether a primary is down, and for their vote if we want it."""
        watch = self._watch
        for other in primary.sentinels.values():
            elapsed = watch.since(other.last_answer)
            if elapsed > watch.periods.ask * 5:
                other.says_down = False
                other.leader = None
            if not primary.s_down or other.link.disconnected:
                continue
            if at_once or elapsed >= watch.periods.ask:
                self._ask(primary, other)

    def _ask(self, primary: Primary, other: PeerSentinel) -> None:
        watch, address = self._watch, primary.address
        if other.link.commands is None:
            return

        def take(reply: object) -> None:
            self._answered(other, reply)

        candidate = watch.my_id if primary.step > Step.NONE else "*"
        shown = watch.addresses.shown(address)
        words = ["is-master-down-by-addr", shown, address.port, watch.current_epoch, candidate]
        command = [other.command("SENTINEL"), *map(to_bytes, words)]
        other.link.commands.call(command, other, take)

    def _answered(self, other: PeerSentinel, reply: object) -> None:
        """Take an answer: whether it is down, and whom the other has voted for in which epoch."""
        if not isinstance(reply, list) or len(reply) != 3:
            return
        down, leader, epoch = reply
        if not isinstance(down, int) or not isinstance(epoch, int):
            return
        if not isinstance(leader, bytes) or isinstance(leader, (Simple, Refusal)):
            return
        other.last_answer = self._watch.now
        other.says_down = down == 1
        if leader == b"*":
            return
        if other.leader_epoch != epoch:
            text = f"{other.name} voted for {to_text(leader)} {epoch}"
            self._watch.around.log("warning", text)
        other.leader = to_text(leader)
        other.leader_epoch = epoch
