"""A forked child: neither the parent's data nor the parent's locks are its own."""

from __future__ import annotations

import subprocess
import sys

PRELUDE = """
import os, sys, threading, time, warnings
warnings.simplefilter("ignore")
import carnelian

def in_child(function):
    pid = os.fork()
    if pid == 0:
        try:
            print(function(), flush=True)
        except Exception as error:
            print(type(error).__name__, error, flush=True)
        sys.exit(0)
    _, status = os.waitpid(pid, 0)
    print("status", os.waitstatus_to_exitcode(status), flush=True)
"""

REFUSAL = (
    "this engine belongs to the process that made it: a child made by fork has to make an engine "
    "of its own"
)


def run(program: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + program], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_child_gets_a_clear_error_and_the_parent_goes_on():
    assert run("""
engine = carnelian.Engine()
engine.execute("SET", "k", "v")
session = engine.session()
in_child(lambda: engine.execute("GET", "k"))
in_child(lambda: session.execute("GET", "k"))
in_child(lambda: (session.close(), engine.close(), engine.closed)[-1])
print(engine.execute("GET", "k"), session.execute("GET", "k"))
""") == [
        f"EngineClosedError {REFUSAL}", "status 0",
        f"EngineClosedError {REFUSAL}", "status 0",
        "True", "status 0",
        "b'v' b'v'",
    ]  # fmt: skip


def test_a_lock_held_elsewhere_does_not_stop_a_child():
    assert run("""
engine = carnelian.Engine(enable_debug_command="yes")
sleeper = threading.Thread(target=engine.execute, args=("DEBUG", "SLEEP", "1"))
sleeper.start()
time.sleep(0.2)
in_child(lambda: engine.execute("GET", "k"))
sleeper.join()
""") == [f"EngineClosedError {REFUSAL}", "status 0"]


def test_a_child_can_make_its_own():
    assert run("""
engine = carnelian.Engine()
engine.execute("SET", "k", "v", "PX", 10000)
def own():
    with carnelian.Engine() as other:
        return other.execute("SET", "k", "own", "PX", 1), other.execute("PING")
in_child(own)
""") == ["(b'OK', b'PONG')", "status 0"]


def test_redis_py_says_so_too():
    assert run("""
client = carnelian.Redis()
client.set("k", "v")
in_child(lambda: client.get("k"))
print(client.get("k"))
""") == [f"ConnectionError {REFUSAL}", "status 0", "b'v'"]
