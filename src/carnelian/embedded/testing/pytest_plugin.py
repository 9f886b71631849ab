"""Fixtures for tests that need a Redis: one of their own for each test.

``carnelian`` is an empty engine, ``carnelian_client`` and ``carnelian_async_client`` are clients
of it, ``carnelian_server`` is a port that leads to it, and ``carnelian_clock`` moves its time. In
``carnelian_process`` a server runs in a process of its own, in ``carnelian_cluster`` a cluster.
The mark ``carnelian`` says what they are made with. In ``carnelian_engine`` and
``carnelian_redis`` time stands still until the test moves it. Installed with carnelian, pytest
finds them by itself.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

# Every run of pytest imports this module: the rest is imported where it is used.
if TYPE_CHECKING:
    from carnelian.embedded.aio import Redis as AsyncRedis
    from carnelian.embedded.client import Redis
    from carnelian.embedded.local_engine import Engine
    from carnelian.embedded.redis_py.python_clock import PythonClock
    from carnelian.embedded.serving.engine_service import Service
    from carnelian.embedded.testing.cluster_process import ClusterProcess
    from carnelian.embedded.testing.server_process import ServerProcess

# Seconds that a wait has, beyond those that it would last, for somebody to move the clock.
_PATIENCE = 1.0

# What the mark says to clients; the rest are directives of the engine.
_OF_CLIENTS = frozenset(
    ("decode_responses", "protocol", "db", "encoding", "encoding_errors", "username", "password",
     "single_connection_client", "client_name", "socket_timeout")
)  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    """What pytest.ini may say."""
    parser.addini(
        "carnelian_decode_responses",
        "whether the clients of carnelian's fixtures give text rather than bytes",
        type="bool",
        default=False,
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line(
        "markers",
        "carnelian(**options): what the fixtures of carnelian are made with: decode_responses, "
        "protocol, db and the like for clients, directives for the engine",
    )


@pytest.fixture
def carnelian_clock() -> PythonClock:
    """The time of ``carnelian``: it goes by, and ``advance(seconds)`` moves it on at once."""
    from carnelian.embedded.redis_py.python_clock import PythonClock

    return PythonClock()


@pytest.fixture
def carnelian(request: pytest.FixtureRequest, carnelian_clock: PythonClock) -> Iterator[Engine]:
    """An empty engine."""
    from carnelian.embedded.local_engine import Engine

    with Engine(clock=carnelian_clock, **_marked(request, False)) as engine:
        yield engine


@pytest.fixture
def carnelian_client(request: pytest.FixtureRequest, carnelian: Engine) -> Iterator[Redis]:
    """A redis-py client of ``carnelian``."""
    from carnelian.embedded.client import Redis

    with Redis(engine=carnelian, **_marked(request, True)) as client:
        yield client


@pytest.fixture
def carnelian_async_client(request: pytest.FixtureRequest, carnelian: Engine) -> AsyncRedis:
    """An asyncio client of ``carnelian``, for the loop of the test, whoever runs that."""
    from carnelian.embedded.aio import Redis as AsyncRedis

    # What it leaves open ends with the engine: the loop may be closed by then.
    return AsyncRedis(engine=carnelian, **_marked(request, True))


@pytest.fixture
def carnelian_server(carnelian: Engine) -> Iterator[Service]:
    """``carnelian`` behind a port: ``host``, ``port`` and ``url``, for any client."""
    with carnelian.serve(port=0) as service:
        yield service


@pytest.fixture
def carnelian_fresh_hosts() -> Iterator[None]:
    """What clients name by host, port or socket is new in this test, and ends with it."""
    from carnelian.embedded.redis_py.fake_server import forget_servers

    forget_servers()
    yield
    forget_servers()


@pytest.fixture
def carnelian_process(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServerProcess]:
    """A server in a process of its own: ``host``, ``port``, ``url``, ``pid``, ``kill()``."""
    from carnelian.embedded.testing.server_process import ServerProcess

    words = _command_line(_marked(request, False))
    server = ServerProcess(tmp_path_factory.mktemp("carnelian-process"), *words)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def carnelian_cluster_session(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ClusterProcess]:
    """The cluster of all tests of a process, started by the first that asks for one."""
    from carnelian.embedded.testing.cluster_process import ClusterProcess

    cluster = ClusterProcess(tmp_path_factory.mktemp("carnelian-cluster") / "fleet")
    yield cluster
    cluster.stop()


@pytest.fixture
def carnelian_cluster(carnelian_cluster_session: ClusterProcess) -> ClusterProcess:
    """A cluster of three nodes without data: ``host``, ``port``, ``ports``, ``url``,
    ``client(**options)``.
    """
    carnelian_cluster_session.flush()
    return carnelian_cluster_session


def _marked(request: pytest.FixtureRequest, of_clients: bool) -> dict[str, Any]:
    """What the marks of a test say, to clients or to the engine; the nearest mark counts."""
    options: dict[str, Any] = {}
    if of_clients:
        options["decode_responses"] = request.config.getini("carnelian_decode_responses")
    for mark in reversed(list(request.node.iter_markers("carnelian"))):
        if mark.args:
            raise TypeError(
                f"the mark carnelian takes keyword arguments only, not {mark.args[0]!r}: "
                "@pytest.mark.carnelian(maxmemory='1mb')"
            )
        for name, value in mark.kwargs.items():
            if (name in _OF_CLIENTS) is of_clients:
                options[name] = value
    return options


def _command_line(directives: dict[str, Any]) -> list[str]:
    words = []
    for name, value in directives.items():
        if name == "modules":
            for source in value:
                words += ["--loadmodule", str(getattr(source, "__file__", source))]
            continue
        text = ("no", "yes")[value] if isinstance(value, bool) else str(value)
        words += [f"--{name.replace('_', '-')}", text]
    return words


@pytest.fixture
def carnelian_engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty engine; ``carnelian_engine.clock.advance(ms)`` moves its time."""
    from carnelian.embedded.local_engine import Engine
    from carnelian.embedded.testing.frozen_clock import ManualClock

    with Engine(clock=ManualClock()) as engine:
        watch = _Watch(engine, request.node.nodeid, request.config)
        engine.host.on_wait = watch.begin
        try:
            yield engine
        finally:
            watch.end()


@pytest.fixture
def carnelian_redis(carnelian_engine: Engine) -> Iterator[Redis]:
    """A redis-py client of ``carnelian_engine``."""
    from carnelian.embedded.client import Redis

    with Redis(engine=carnelian_engine) as client:
        yield client


@pytest.fixture
def carnelian_live_engine() -> Iterator[Engine]:
    """An empty engine in real time: keys expire and blocking commands end while a test sleeps."""
    from carnelian.embedded.local_engine import Engine

    with Engine() as engine:
        yield engine


@pytest.fixture
def carnelian_live_redis(carnelian_live_engine: Engine) -> Iterator[Redis]:
    """A redis-py client of ``carnelian_live_engine``."""
    from carnelian.embedded.client import Redis

    with Redis(engine=carnelian_live_engine) as client:
        yield client


class _Watch:
    """Warns when a command waits for a time that nobody moves, and would for ever."""

    def __init__(self, engine: Engine, test: str, config: pytest.Config):
        self._engine = engine
        self._test = test
        self._capture = config.pluginmanager.get_plugin("capturemanager")
        self._timer: threading.Timer | None = None

    def begin(self) -> None:
        """A session waits now: look in real time whether it goes on waiting."""
        core = self._engine.core
        deadline = core.next_deadline_ms()
        if not deadline or self._timer is not None:
            return
        seconds = max(deadline - core.clock.wall_ms(), 0) / 1000
        self._timer = threading.Timer(seconds + _PATIENCE, self._look, (deadline,))
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        """The test is over."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, deadline: int) -> None:
        self._timer = None
        try:
            left = self._engine.host.perform(self._engine.core.next_deadline_ms)
        except RuntimeError:
            # It is closed.
            return
        if left != deadline:
            return
        message = (
            f"{self._test}: a command waits until its timeout, and the time of carnelian_engine "
            "stands still. Move it with carnelian_engine.clock.advance(ms) in another thread or "
            "task, or take carnelian_live_engine or carnelian_live_redis"
        )
        if self._capture is not None:
            # Now: a test that hangs does not get as far as the summary.
            with self._capture.global_and_fixture_disabled():
                print(f"\nwarning: {message}", flush=True)
        warnings.warn(message, stacklevel=2)
