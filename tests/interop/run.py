"""Run real clients and frameworks against a server started for them.

    python tests/interop/run.py [node] [frameworks]

- ``node``: clients of another language; needs node and npm.
- ``frameworks``: Celery, Django's caches, Huey, RQ, Dramatiq, channels_redis, limits and redis-py's
  locks, each with a real worker, in an environment of their own.

What is needed is installed into build/interop.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
WORK = ROOT / "build" / "interop"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_answers(port: int) -> None:
    for _ in range(100):
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as client:
                client.sendall(b"PING\r\n")
                if client.recv(16) == b"+PONG\r\n":
                    return
        except OSError:
            time.sleep(0.1)
    sys.exit("the server does not answer")


@contextmanager
def running_server() -> Iterator[int]:
    """A server for the time of the checks; its port."""
    port = free_port()
    command = [sys.executable, "-m", "carnelian", "--port", str(port), "--save", ""]
    server = subprocess.Popen(command, cwd=WORK, stdout=subprocess.DEVNULL)
    try:
        wait_until_it_answers(port)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def check_node() -> int:
    if shutil.which("npm") is None:
        sys.exit("node and npm are needed (Debian: apt install nodejs npm)")
    for name in ("package.json", "check.js"):
        shutil.copy(HERE / "node" / name, WORK / name)
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=WORK, check=True, timeout=300
    )
    with running_server() as port:
        return subprocess.run(["node", "check.js", str(port)], cwd=WORK, timeout=120).returncode


def check_frameworks() -> int:
    place = WORK / "frameworks"
    python = place / "bin" / "python"
    if not python.exists():
        venv.create(place, with_pip=True)
    requirements = HERE / "frameworks" / "requirements.txt"
    subprocess.run(
        [python, "-m", "pip", "-q", "--disable-pip-version-check", "install", "-r", requirements],
        check=True,
        timeout=600,
    )
    with running_server() as port:
        check = HERE / "frameworks" / "check.py"
        return subprocess.run([python, check, str(port)], timeout=600).returncode


CHECKS: dict[str, Callable[[], int]] = {"node": check_node, "frameworks": check_frameworks}


def main() -> int:
    WORK.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[1:] or list(CHECKS)
    return max([CHECKS[name]() for name in wanted])


if __name__ == "__main__":
    sys.exit(main())
