"""What the parts of an engine share: data, time, configuration, and the flags that they raise."""

from collections.abc import Callable

from carnelian.engine.catalogue.registry import Command, Registry
from carnelian.engine.config import Config
from carnelian.engine.ground.latency import LatencyMonitor
from carnelian.engine.ground.stats import Stats
from carnelian.engine.shared.client_state import Client
from carnelian.engine.shared.effects import Effects
from carnelian.engine.shared.sessions import Sessions
from carnelian.keyspace.clock import Clock
from carnelian.keyspace.keyspace import Keyspace

class Core:
    @property
    def config(self) -> Config: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def keyspace(self) -> Keyspace: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def stats(self) -> Stats: ...
    @property
    def latency(self) -> LatencyMonitor: ...
    @property
    def effects(self) -> Effects: ...
    log: Callable[[str, str], None]
    @property
    def run_id(self) -> str: ...
    @property
    def started_ms(self) -> int: ...
    gate: int
    depth: int
    monitored: bool
    tracked: bool
    keys_ready: bool
    timed: bool
    latency_tracking: bool
    slow_ns: int
    latency_ns: int
    interrupts: list[BaseException] | None

    def __init__(self, config: Config | None = None, clock: Clock | None = None) -> None: ...
    def defer(self, interrupt: BaseException) -> None: ...
    def execute(self, client: Client, args: list[bytes]) -> object: ...
    def call(self, client: Client, command: Command, args: list[bytes]) -> object: ...
    def parts_written(self, client: Client, args: list[bytes]) -> None: ...
