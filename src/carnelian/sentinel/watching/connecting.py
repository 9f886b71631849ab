"""Keeping connections to all instances, and sending them what they are sent again and again."""

from __future__ import annotations

from collections.abc import Callable

from carnelian.resp.client.reply_values import Refusal, Simple
from carnelian.sentinel.known.instances import DataInstance, Instance, PeerSentinel, Replica
from carnelian.sentinel.known.sentinel_words import to_bytes
from carnelian.sentinel.known.watch import Watch
from carnelian.sentinel.links.channel import Channel
from carnelian.sentinel.watching.hello import HELLO_CHANNEL, Hello
from carnelian.sentinel.watching.reporting import Reporting

# Commands without a reply after which only what is urgent is sent.
MOST_PENDING = 100

# Answers of an instance that is there, if not always of use.
_ALIVE = (b"PONG", b"LOADING", b"MASTERDOWN")


class Connecting:
    """Connects to instances, and sends PING, INFO and PUBLISH."""

    def __init__(self, watch: Watch, hello: Hello, reporting: Reporting):
        self._watch = watch
        self._hello = hello
        self._reporting = reporting

    # -- Connecting ------------------------------------------------------------------------------

    def reconnect(self, instance: Instance) -> None:
        """Open the connections that are missing, at most once in a period of PING."""
        link, watch = instance.link, self._watch
        if not link.disconnected or instance.address.port == 0:
            return
        now = watch.now
        if now - link.last_reconnect < watch.periods.ping:
            return
        link.last_reconnect = now
        if link.commands is None:
            if watch.options.resolve_hostnames:
                instance.address = watch.addresses.refreshed(instance.address)
            link.commands = self._open(instance, "cmd")
            if link.commands is not None:
                self.ping(instance)
        if isinstance(instance, DataInstance) and link.messages is None:
            link.messages = self._open(instance, "pubsub", self._listener(instance))
            if link.messages is not None:
                self._subscribe(instance, link.messages)
        complete = link.messages is not None or isinstance(instance, PeerSentinel)
        if link.commands is not None and complete:
            link.disconnected = False

    def _open(
        self, instance: Instance, kind: str, listener: Callable[[object], object] | None = None
    ) -> Channel | None:
        """A connection, on which the first commands are sent already."""
        watch, link, address = self._watch, instance.link, instance.address
        if not address.ip:
            text = " #Failed to establish connection"
            watch.event("debug", f"-{kind}-link-reconnection", instance, text)
            return None
        channel = Channel(watch.now, link.forget, listener)
        self._authenticate(instance, channel)
        name = f"sentinel-{watch.my_id[:8]}-{kind}".encode()
        channel.call([instance.command("CLIENT"), b"SETNAME", name], instance)
        watch.host.connect((address.ip, address.port), channel)
        return channel

    def _authenticate(self, instance: Instance, channel: Channel) -> None:
        """Log in, if we have what it takes; if it is refused, the instance will be down for us."""
        options, primary = self._watch.options, instance.primary
        user: str | None
        if not isinstance(instance, PeerSentinel):
            user, password = primary.auth_user, primary.auth_pass
        elif options.sentinel_pass is not None:
            user, password = options.sentinel_user, options.sentinel_pass
        else:
            # What we ask others for is what they ask us for.
            user, password = None, self._watch.around.own_password()
        if password is None:
            return
        words = [word for word in (user, password) if word is not None]
        channel.call([instance.command("AUTH"), *map(to_bytes, words)], instance)

    def _subscribe(self, instance: Instance, channel: Channel) -> None:
        def subscribed(reply: object) -> None:
            if isinstance(reply, Refusal):
                channel.fail()  # it is of no use
            else:
                instance.link.last_message = self._watch.now

        words = [instance.command("SUBSCRIBE"), HELLO_CHANNEL]
        channel.call(words, instance, subscribed)

    def _listener(self, instance: Instance) -> Callable[[object], None]:
        def listen(reply: object) -> None:
            # Our own messages come as well, so that silence means that nothing gets through.
            instance.link.last_message = self._watch.now
            self._hello.heard(reply)

        return listen

    # -- Again and again -------------------------------------------------------------------------

    def send_periodically(self, instance: Instance) -> None:
        """Send what is due."""
        link, periods = instance.link, self._watch.periods
        if link.disconnected or link.pending >= MOST_PENDING * len(link.owners):
            return
        now = self._watch.now
        if isinstance(instance, DataInstance):
            self._ask_for_info(instance, now)
        every = min(instance.down_after, periods.ping)
        if now - link.last_pong > every and now - link.last_ping > every / 2:
            self.ping(instance)
        if now - instance.last_publish > periods.publish:
            self._hello.send(instance)

    def _ask_for_info(self, instance: DataInstance, now: int) -> None:
        if instance.info_refresh and now - instance.info_refresh <= self._info_period(instance):
            return
        assert instance.link.commands is not None

        def take(reply: object) -> None:
            if isinstance(reply, bytes) and not isinstance(reply, (Simple, Refusal)):
                self._reporting.take(instance, reply)

        instance.link.commands.call([instance.command("INFO")], instance, take)

    def _info_period(self, instance: DataInstance) -> int:
        """Replicas are looked at closely when their primary is down, or when they think so."""
        primary = instance.primary
        closely = isinstance(instance, Replica) and (
            primary.o_down or primary.failing_over or instance.link_down_ms != 0
        )
        return 1000 if closely else self._watch.periods.info

    def ping(self, instance: Instance) -> None:
        """Ask whether it is there."""
        link = instance.link
        assert link.commands is not None

        def take(reply: object) -> None:
            self._pong(instance, reply)

        link.commands.call([instance.command("PING")], instance, take)
        link.last_ping = self._watch.now
        # Otherwise the wait goes on that began with an earlier one.
        if link.unanswered_ping == 0:
            link.unanswered_ping = link.last_ping

    def _pong(self, instance: Instance, reply: object) -> None:
        link, now = instance.link, self._watch.now
        if isinstance(reply, (Simple, Refusal)):
            if reply.startswith(_ALIVE):
                link.last_available = now
                link.unanswered_ping = 0
                if reply.startswith(b"PONG") and instance is instance.primary:
                    instance.primary.rebooting = False
            elif reply.startswith(b"BUSY"):
                self._kill_script(instance)
        link.last_pong = now

    def _kill_script(self, instance: Instance) -> None:
        """It is down for no other reason than that a script takes so long."""
        commands = instance.link.commands
        if instance.s_down and not instance.script_kill_sent and commands is not None:
            commands.call([instance.command("SCRIPT"), b"KILL"], instance)
            instance.script_kill_sent = True
