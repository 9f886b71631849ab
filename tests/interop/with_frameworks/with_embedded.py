"""Frameworks that take a client object, with ``carnelian.Redis``: no server, no socket."""

from __future__ import annotations

from settings import part


def check() -> None:
    """Fails with an AssertionError, or whatever a framework raises."""
    for step in (_rq, _huey, _dramatiq, _limits, _locks, _sessions):
        with part(step.__name__.strip("_")):
            step()


def _client():
    import carnelian

    return carnelian.Redis()


def _rq() -> None:
    from rq import Queue, SimpleWorker
    from rq_tasks import add, failing

    connection = _client()
    queue = Queue("embedded", connection=connection)
    jobs = [queue.enqueue(add, n, n) for n in range(200)]
    after = queue.enqueue(add, 1, 2, depends_on=jobs[-1])
    bad = queue.enqueue(failing)
    SimpleWorker([queue], connection=connection).work(burst=True, logging_level="ERROR")
    assert [job.return_value() for job in jobs] == [2 * n for n in range(200)]
    assert after.return_value() == 3
    assert bad.get_status(refresh=True) == "failed"
    assert bad.id in queue.failed_job_registry


def _huey() -> None:
    from huey import RedisHuey

    huey = RedisHuey("embedded", connection_pool=_client().connection_pool)

    @huey.task()
    def add(x: int, y: int) -> int:
        return x + y

    tasks = [add(n, n) for n in range(200)]
    consumer = huey.create_consumer(workers=1, initial_delay=0.01, max_delay=0.05)
    consumer.start()
    assert [task.get(blocking=True, timeout=60) for task in tasks] == [2 * n for n in range(200)]
    consumer.stop(graceful=True)


def _dramatiq() -> None:
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker
    from dramatiq.results import Results
    from dramatiq.results.backends import RedisBackend

    client = _client()
    broker = RedisBroker(client=client)
    backend = RedisBackend(client=client)
    broker.add_middleware(Results(backend=backend))

    @dramatiq.actor(broker=broker, store_results=True)
    def add(x: int, y: int) -> int:
        return x + y

    messages = [add.send(n, n) for n in range(200)]
    worker = dramatiq.Worker(broker, worker_threads=2, worker_timeout=50)
    worker.start()
    found = [
        message.get_result(backend=backend, block=True, timeout=60_000) for message in messages
    ]
    worker.stop()
    assert found == [2 * n for n in range(200)]


def _limits() -> None:
    from limits import RateLimitItemPerHour, strategies
    from limits.storage import RedisStorage

    pool = _client().connection_pool
    storage = RedisStorage("redis://localhost", connection_pool=pool)
    for kind in (
        strategies.FixedWindowRateLimiter,
        strategies.MovingWindowRateLimiter,
        strategies.SlidingWindowCounterRateLimiter,
    ):
        limiter = kind(storage)
        allowed = [limiter.hit(RateLimitItemPerHour(20), kind.__name__) for _ in range(50)]
        assert allowed.count(True) == 20, kind


def _locks() -> None:
    client = _client()
    with client.lock("lock", timeout=5) as lock:
        assert lock.owned() and lock.extend(10)
        assert not client.lock("lock").acquire(blocking=False)
    assert client.get("lock") is None


def _sessions() -> None:
    import flask
    from flask_session import Session

    app = flask.Flask("embedded")
    app.config.update(SESSION_TYPE="redis", SESSION_REDIS=_client())
    Session(app)

    @app.get("/visits")
    def visits() -> str:
        flask.session["visits"] = flask.session.get("visits", 0) + 1
        return str(flask.session["visits"])

    browser = app.test_client()
    assert [browser.get("/visits").text for _ in range(3)] == ["1", "2", "3"]
