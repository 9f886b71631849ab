"""A client as the parts of an engine know it."""

from typing import Any

from carnelian.engine.catalogue.registry import Command
from carnelian.engine.shared.begun import Blocked, Transaction, Watch
from carnelian.keyspace.database import Database
from carnelian.keyspace.keyspace import Keyspace
from carnelian.resp.output import Feed

class Client:
    keyspace: Keyspace
    db: Database
    @property
    def id(self) -> int: ...
    gate: int
    flags: int
    protocol: int
    reply_mode: int
    takes_rows: bool
    created_ms: int
    active_ms: int
    name: bytes
    lib_name: bytes
    lib_ver: bytes
    user: bytes
    rights: Any
    tracking: Any
    transaction: Transaction | None
    executing: Transaction | None
    watch: Watch | None
    blocked: Blocked | None
    rewritten: list[bytes] | None
    command: Command | None
    channels: dict[bytes, None] | None
    patterns: dict[bytes, None] | None
    shard_channels: dict[bytes, None] | None
    soft_since_ms: int
    memory_counted: int
    write_position: int
    commands: int
    replica: Any
    feed: Feed | None

    def __init__(self, keyspace: Keyspace, number: int, now_ms: int) -> None: ...
    def reset_identity(self) -> None: ...

    # What a carrier implements
    def send(self, value: object) -> None: ...
    def close(self, after_replies: bool = False) -> None: ...
    def resume(self) -> None: ...
    def begin_feed(self, feed: Feed) -> None: ...
    def pull(self) -> None: ...
    def send_raw(self, data: bytes) -> None: ...
    def peer(self) -> bytes: ...
    def origin(self) -> Client: ...
    def is_local(self) -> bool: ...
    def is_encrypted(self) -> bool: ...
    def memory(self) -> int: ...
    def output_class(self) -> int: ...
    def evict(self) -> None: ...
    def describe(self) -> dict[str, object]: ...

    # What handlers use
    def rewrite(self, args: list[bytes]) -> None: ...
    def select(self, index: int) -> None: ...
    def subscription_count(self) -> int: ...
