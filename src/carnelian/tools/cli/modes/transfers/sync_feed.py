"""The way of a replica: what SYNC brings, a snapshot first."""

from __future__ import annotations

from collections.abc import Callable

from carnelian.resp.client.reply_values import Refusal
from carnelian.tools.cli.talking.cli_login import tell
from carnelian.tools.cli.wire.cli_client import Client, LostError

# A snapshot whose length is not known beforehand ends with so many bytes that it has announced.
_MARK = 40


class ReplicationError(Exception):
    """The server gives nothing away; the text says why."""


class SyncFeed:
    """What a server sends to its replicas.

    ``mark`` is the end that was announced, None if ``size`` was instead.
    """

    def __init__(self, client: Client):
        self._link = client.link
        self._client = client
        self._left = b""
        self.size = 0
        self.mark: bytes | None = None

    def begin(self, *, snapshot_only: bool, functions_only: bool) -> None:
        """Ask for everything. Raises ReplicationError and LostError."""
        self._tell_replica("capa", "eof")
        if snapshot_only:
            self._tell_replica("rdb-only", "1")
        if functions_only:
            self._tell_replica("rdb-filter-only", "functions", needed=True)
        self._client.send_bytes(b"SYNC\r\n")
        line = self._line()
        if line.startswith(b"-"):
            raise ReplicationError(f"SYNC with master failed: {line.decode('utf-8', 'replace')}")
        if line.startswith(b"$EOF:") and len(line) >= 5 + _MARK:
            self.mark = line[5 : 5 + _MARK]
        elif line[:1] == b"$" and line[1:].isdigit():
            self.size = int(line[1:])
        else:
            raise ReplicationError(f"SYNC with master failed: {line!r}")

    def _tell_replica(self, name: str, value: str, needed: bool = False) -> None:
        tell(f"sending REPLCONF {name} {value}")
        reply = self._client.call("REPLCONF", name, value)
        if isinstance(reply, Refusal):
            text = reply.decode("utf-8", "replace")
            if needed:
                raise ReplicationError(f"REPLCONF {name} error: {text}")
            # Older servers know fewer of these, and do without.
            tell(f"REPLCONF {name} error: {text}")

    def _line(self) -> bytes:
        """The next line; empty ones are sent while a snapshot is being made."""
        while True:
            end = self._left.find(b"\n")
            if end < 0:
                self._left += self.receive()
                continue
            line, self._left = self._left[:end].rstrip(b"\r"), self._left[end + 1 :]
            if line:
                return line

    def receive(self, timeout: float | None = None) -> bytes:
        """Some bytes. Raises LostError, and TimeoutError after so many seconds."""
        if self._left:
            data, self._left = self._left, b""
            return data
        try:
            data = self._link.receive(timeout)
        except TimeoutError:
            raise
        except OSError as error:
            raise LostError(error.strerror or str(error)) from None
        if not data:
            raise LostError("Server closed the connection")
        return data

    def acknowledge(self) -> None:
        """Say that the snapshot is there: only then do commands follow one of unknown length."""
        # It is not answered.
        self._client.send(("REPLCONF", "ACK", "0"))

    def snapshot(self, take: Callable[[bytes], object]) -> int:
        """Hand the snapshot over in pieces; returns its size. Raises LostError."""
        if self.mark is None:
            return self._sized(take)
        done, kept = 0, b""
        while True:
            kept += self.receive()
            end = kept.find(self.mark)
            if end >= 0:
                take(kept[:end])
                self._left = kept[end + _MARK :]
                return done + end
            # The mark may have come in part.
            sure = max(len(kept) - _MARK + 1, 0)
            take(kept[:sure])
            done, kept = done + sure, kept[sure:]

    def _sized(self, take: Callable[[bytes], object]) -> int:
        left = self.size
        while left:
            data = self.receive()
            take(data[:left])
            self._left = data[left:]
            left -= min(left, len(data))
        return self.size
