"""Where greenlets have taken the place of threads, each has what a thread has."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from textwrap import dedent

import pytest

SPAWN = {
    "gevent": """
        from gevent import monkey; monkey.patch_all()
        import gevent
        spawn, sleep = gevent.spawn, gevent.sleep
        def join(*jobs): gevent.joinall(jobs, raise_error=True)
    """,
    "eventlet": """
        import warnings; warnings.simplefilter("ignore")
        import eventlet; eventlet.monkey_patch()
        spawn, sleep = eventlet.spawn, eventlet.sleep
        def join(*jobs): [job.wait() for job in jobs]
    """,
}

SESSIONS = """
    def one():
        engine.execute("SELECT", 1)
        engine.execute("MULTI")
        sleep(0.02)
        assert engine.execute("SET", "k", 1) == b"QUEUED"
        sleep(0.02)
        assert engine.execute("EXEC") == [b"OK"]

    def two():
        sleep(0.01)
        assert engine.execute("SET", "k", 2) == b"OK"
        assert engine.execute("GET", "k") == b"2"

    join(spawn(one), spawn(two))
"""

WAITING = """
    done = []

    def pop():
        done.append(engine.execute("BLPOP", "q", 5))

    def push():
        done.append("pushing")
        engine.execute("RPUSH", "q", "x")

    waiting = spawn(pop)
    sleep(0.01)
    join(spawn(push), waiting)
    assert done == ["pushing", [b"q", b"x"]], done
    assert engine.execute("BLPOP", "q", 0.05) is None
"""

KILLED = """
    job = spawn(engine.execute, "BLPOP", "q", 0)
    sleep(0.01)
    assert engine.core.blocking.count == 1
    job.kill()
    sleep(0.01)
    assert engine.core.blocking.count == 0
    engine.execute("RPUSH", "q", "x")
    assert engine.execute("LPOP", "q") == b"x"
"""

ENDED = """
    import gc
    engine.execute("PING")
    for _ in range(20):
        join(spawn(engine.execute, "SUBSCRIBE", "c"))
        sleep(0)
    sleep(0.01)
    gc.collect()
    engine.execute("PING")
    # The one of the last greenlet may still be referred to.
    assert len(engine.core.sessions) <= 2, len(engine.core.sessions)
"""

CLIENTS = """
    import threading
    client = carnelian.Redis(engine=engine)
    join(*[spawn(client.incr, "n") for _ in range(50)])
    assert client.get("n") == b"50"
    thread = threading.Thread(target=client.incr, args=("n",))
    thread.start()
    thread.join()
    assert client.get("n") == b"51"
"""


@pytest.mark.parametrize("library", SPAWN)
@pytest.mark.parametrize("log", ["", "appendonly=True", 'appendonly=True, appendfsync="always"'])
@pytest.mark.parametrize(
    "work",
    [SESSIONS, WAITING, KILLED, ENDED, CLIENTS],
    ids=["sessions", "waiting", "killed", "ended", "clients"],
)
def test_greenlets(library: str, log: str, work: str) -> None:
    assert importlib.util.find_spec(library), f"pip install {library}, or .[dev]"
    place = "tempfile.mkdtemp() + '/app.db', " if log else ""
    program = "\n".join(
        (
            dedent(SPAWN[library]),
            "import tempfile, carnelian",
            f"engine = carnelian.Engine({place}{log})",
            dedent(work),
            "engine.close()",
        )
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True, timeout=60)
