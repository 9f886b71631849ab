"""Run real clients of other languages against a server started for them.

    python tests/interop/run.py

Needs node and npm; the clients are installed into build/interop.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
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


def main() -> int:
    if shutil.which("npm") is None:
        sys.exit("node and npm are needed (Debian: apt install nodejs npm)")
    WORK.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "check.js"):
        shutil.copy(ROOT / "tests" / "interop" / "node" / name, WORK / name)
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=WORK, check=True, timeout=300
    )
    port = free_port()
    command = [sys.executable, "-m", "carnelian", "--port", str(port), "--save", ""]
    server = subprocess.Popen(command, cwd=WORK, stdout=subprocess.DEVNULL)
    try:
        wait_until_it_answers(port)
        return subprocess.run(["node", "check.js", str(port)], cwd=WORK, timeout=120).returncode
    finally:
        server.terminate()
        server.wait(10)


if __name__ == "__main__":
    sys.exit(main())
