"""The link to an instance: its connections, and when it was last heard of."""

from __future__ import annotations

from carnelian.sentinel.links.channel import Channel


class InstanceLink:
    """A connection for commands, one for messages, and what failure detection needs.

    Sentinels that watch several primaries with us are several instances with one link. Times are in
    milliseconds, 0 being never.

    Args:
        now: the time.
    """

    def __init__(self, now: int):
        # The instances that share it.
        self.owners: list[object] = []
        self.commands: Channel | None = None
        self.messages: Channel | None = None
        # Whether a connection is missing.
        self.disconnected = True
        self.last_reconnect = 0
        # When something was last heard on the connection for messages.
        self.last_message = 0
        self.last_ping = 0
        self.restart_clocks(now)

    def restart_clocks(self, now: int) -> None:
        """Count the time of silence from now on."""
        # When the ping was sent that waits for a good answer, 0 if none does. It is as if one had
        # been sent before there is a connection: there may never be one.
        self.unanswered_ping = now
        self.last_ping = 0
        # The last good answer, and the last of any kind.
        self.last_available = self.last_pong = now

    @property
    def pending(self) -> int:
        """Commands without a reply yet."""
        return 0 if self.commands is None else self.commands.pending

    def share(self, owner: object) -> None:
        """Let another instance use it."""
        self.owners.append(owner)

    def release(self, owner: object) -> None:
        """An instance does not use it any more; who is the last closes it."""
        self.owners.remove(owner)
        if not self.owners:
            self.close()
        elif self.commands is not None:
            self.commands.disown(owner)

    def forget(self, channel: Channel) -> None:
        """A connection has ended."""
        if channel is self.commands:
            self.commands = None
        elif channel is self.messages:
            self.messages = None
        else:
            return
        self.disconnected = True

    def close_commands(self) -> None:
        """End the connection for commands, if there is one."""
        if self.commands is not None:
            self.commands.close()
            self.forget(self.commands)

    def close_messages(self) -> None:
        """End the connection for messages, if there is one."""
        if self.messages is not None:
            self.messages.close()
            self.forget(self.messages)

    def close(self) -> None:
        """End both connections."""
        self.close_commands()
        self.close_messages()
