"""Copies of the data set for replicas: which are made when, and for whom."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from carnelian.persistence.background.jobs import Method, Outcome
from carnelian.persistence.rdb import files
from carnelian.persistence.saving.snapshots import snapshots_of
from carnelian.replication.history import random_id
from carnelian.replication.primary import copy_content
from carnelian.replication.primary.file_source import FileSource
from carnelian.replication.primary.replicas import Leader, Replica, State
from carnelian.replication.primary.socket_copies import SocketCopies

if TYPE_CHECKING:
    from collections.abc import Callable


_CANNOT = b"-ERR BGSAVE failed, replication can't continue\r\n"


class Copies:
    """Makes copies for the replicas of one primary.

    A copy goes to the disk, as a snapshot, or straight to the replicas. Those who come while one is
    made for others have a part in it where that is possible; else they wait for the next one.
    """

    def __init__(self, primary: Leader):
        self._primary = primary
        self._engine = primary.engine
        self._snapshots = snapshots_of(primary.engine)
        self._sockets = SocketCopies(self._snapshots.background, primary)
        self._snapshots.on_ended.append(self._file_made)
        # There is a file which only replicas needed (rdb-del-sync-files).
        self._made_file = False

    @property
    def prepare_child(self) -> Callable[[], None]:
        """What a child does first that makes a copy for sockets."""
        return self._sockets.prepare_child

    @prepare_child.setter
    def prepare_child(self, prepare: Callable[[], None]) -> None:
        """Say what else it does."""
        self._sockets.prepare_child = prepare

    @property
    def to_sockets(self) -> bool:
        """Whether the copy that is being made goes straight to the replicas."""
        return self._sockets.active

    @property
    def _is_busy(self) -> bool:
        return self._snapshots.background.busy or self._sockets.active

    def look(self) -> None:
        """See whether the copy is made by now."""
        self._snapshots.background.tick()

    # -- Who wants one ---------------------------------------------------------------------------

    def ask(self, replica: Replica) -> None:
        """A replica waits for a copy: have it made, now or later."""
        config, log = self._engine.config, self._engine.log
        if self._snapshots.running:
            self._take_part(replica)
        elif self._sockets.active:
            log(
                "notice",
                "Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC",
            )
        elif (
            config["repl-diskless-sync"]
            and replica.takes_stream
            and config["repl-diskless-sync-delay"]
        ):
            log("notice", "Delay next BGSAVE for diskless SYNC")
        elif self._is_busy:
            log(
                "notice",
                "No BGSAVE in progress, but another BG operation is active. BGSAVE for replication "
                "delayed",
            )
        else:
            self.begin()

    def _take_part(self, replica: Replica) -> None:
        """Give a replica the snapshot that is being written, if it was begun for another one."""
        log = self._engine.log
        for other in self._primary.replicas:
            if other.state is not State.COPYING or other.parts != replica.parts:
                continue
            if other.takes_stream and not replica.takes_stream:
                continue
            if other.feed.place is None and not replica.copy_only:
                continue
            self._set_out(replica, other)
            log("notice", "Waiting for end of BGSAVE for SYNC")
            return
        log(
            "notice",
            "Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC",
        )

    def begin_waiting(self) -> None:
        """Begin the next copy if somebody waits for one, and has waited for others long enough."""
        config = self._engine.config
        waiting = self._next_group()
        if not waiting or self._is_busy:
            return
        most = config["repl-diskless-sync-max-replicas"]
        oldest_s = min(each.asked_ms for each in waiting) // 1000
        if (
            not config["repl-diskless-sync"]
            or 0 < most <= len(waiting)
            or self._primary.now_s - oldest_s >= config["repl-diskless-sync-delay"]
        ):
            self.begin()

    def _next_group(self) -> list[Replica]:
        """Those who wait and want the same as the first of them."""
        waiting = [each for each in self._primary.replicas if each.state is State.WAITING]
        return [each for each in waiting if each.parts == waiting[0].parts]

    # -- Making one ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a copy for those who wait."""
        group = self._next_group()
        if not group:
            return
        streams = all(each.takes_stream for each in group)
        parts = group[0].parts
        to_sockets = streams and (self._engine.config["repl-diskless-sync"] or parts is not None)
        target = "replicas sockets" if to_sockets else "disk"
        self._engine.log("notice", f"Starting BGSAVE for SYNC with target: {target}")
        # What was done belongs to the copy.
        self._engine.effects.flush()
        if parts is not None or self._primary.replication.loop is None:
            self._copy_at_once(group)
        elif to_sockets:
            self._copy_to_sockets(group)
        else:
            self._copy_to_disk(group)

    def _set_out(self, replica: Replica, other: Replica | None = None) -> None:
        """A copy has begun for a replica, or was begun for another one in which it has a part: it
        will need all that happens from there on.
        """
        stream, history = self._primary.replication.stream, self._primary.replication.history
        replica.state = State.COPYING
        replica.copied_at = history.offset if other is None else other.copied_at
        if not replica.copy_only and stream.backlog is not None:
            if other is None or other.feed.place is None:
                replica.feed.place = stream.backlog.end()
            else:
                replica.feed.place = other.feed.place.copy()
        # Its copy does not tell which database the stream is in.
        stream.begin_anew()
        if not replica.is_old:
            replica.session.send_raw(f"+FULLRESYNC {history.id} {replica.copied_at}\r\n".encode())

    def _refuse(self, group: list[Replica]) -> None:
        self._engine.log("warning", "BGSAVE for replication failed")
        for replica in group:
            replica.session.send_raw(_CANNOT)
            replica.session.close(True)

    def _copy_at_once(self, group: list[Replica]) -> None:
        """Copy what is little, or what nobody else could copy meanwhile."""
        text = copy_content.make(self._engine, group[0].parts)
        for replica in group:
            self._set_out(replica)
            if replica.takes_stream:
                mark = random_id().encode()
                replica.feed.put(b"$EOF:%s\r\n" % mark)
                replica.feed.put(text + mark)
            else:
                replica.feed.put(b"$%d\r\n" % len(text))
                replica.feed.put(text)
            self.streamed(replica)

    def _copy_to_sockets(self, group: list[Replica]) -> None:
        if not self._sockets.begin_for(group):
            self._refuse(group)
            return
        for replica in group:
            self._set_out(replica)
            self._sockets.add(replica)

    def _copy_to_disk(self, group: list[Replica]) -> None:
        background = self._snapshots.background
        at_once = background.method is Method.AT_ONCE
        if not self._snapshots.begin():
            self._refuse(group)
            return
        self._made_file = self._engine.config["rdb-del-sync-files"]
        for replica in group:
            self._set_out(replica)
        if at_once:
            self._file_made(Outcome.DONE)

    # -- Giving it -------------------------------------------------------------------------------

    def streamed(self, replica: Replica) -> None:
        """A replica was given all of a copy, of which it does not know the size."""
        primary = self._primary
        if replica.copy_only:
            replica.feed.on_sent = lambda: primary.put_online(replica)
            replica.session.pull()
            return
        self._engine.log(
            "notice",
            f"Streamed RDB transfer with replica {replica.name} succeeded (socket). Waiting for "
            "REPLCONF ACK from slave to enable streaming",
        )
        primary.put_online(replica)
        # The end of the copy is found by looking for a mark in what comes: nothing follows it
        # before the replica says that it has it.
        replica.confirms_copy = True
        replica.session.pull()

    def failed(self, replica: Replica) -> None:
        """There is no copy for a replica."""
        self._primary.drop(replica, "SYNC failed. BGSAVE child returned an error")

    def _file_made(self, outcome: Outcome) -> None:
        for replica in list(self._primary.replicas):
            if replica.state is not State.COPYING or self._sockets.serves(replica):
                continue
            if outcome is Outcome.DONE:
                self._send_file(replica)
            else:
                self.failed(replica)
        self.begin_waiting()

    def _send_file(self, replica: Replica) -> None:
        primary, engine = self._primary, self._engine
        try:
            source = FileSource(files.locate(engine, engine.config["dbfilename"]), replica, primary)
        except OSError as error:
            primary.drop(replica, f"SYNC failed. Can't open/stat DB after BGSAVE: {error.strerror}")
            return
        replica.state = State.SENDING
        replica.feed.put(b"$%d\r\n" % source.size)
        replica.feed.source = source

        def sent() -> None:
            primary.put_online(replica)
            if not replica.copy_only:
                primary.begin_stream(replica)

        replica.feed.on_sent = sent
        replica.session.pull()

    # -- What is left ----------------------------------------------------------------------------

    def left(self, replica: Replica, state: State) -> None:
        """A replica has gone, in this state: what is made for nobody else is of no use."""
        if state is not State.COPYING:
            return
        if self._sockets.serves(replica):
            self._sockets.remove(replica)
        elif any(each.state is State.COPYING for each in self._primary.replicas):
            return
        elif self._snapshots.running and not self._engine.config["save"]:
            self._snapshots.background.kill(self._snapshots)

    def remove_file(self) -> None:
        """Delete the file that only replicas needed (``rdb-del-sync-files``)."""
        engine, config = self._engine, self._engine.config
        if not config["rdb-del-sync-files"]:
            self._made_file = False
        if not self._made_file or config["save"] or config["appendonly"]:
            return
        needed = {State.WAITING, State.COPYING, State.SENDING}
        if any(each.state in needed for each in self._primary.replicas):
            return
        path = files.locate(engine, config["dbfilename"])
        if os.path.exists(path):
            self._made_file = False
            engine.log(
                "notice",
                "Removing the RDB file used to feed replicas in a persistence-less instance",
            )
            files.remove(path)
