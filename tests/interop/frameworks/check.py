"""Run frameworks of Python's world, each with a real worker, against the server at a port.

    python check.py 6379 [celery huey ...]

Prints a line for each, and exits with 1 if one has failed. All of them need Lua: without it they
are skipped, which is said.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
import traceback

NAMES = (
    "locks", "limits", "django_cache", "huey", "rq", "dramatiq", "channels", "celery",
)  # fmt: skip


def has_lua(port: int) -> bool:
    import redis

    try:
        with redis.Redis(port=port) as client:
            return client.eval("return 1", 0) == 1
    except redis.ResponseError:
        return False


def main() -> int:
    port, wanted = int(sys.argv[1]), sys.argv[2:] or NAMES
    os.environ["REDIS_PORT"] = str(port)
    if not has_lua(port):
        print(f"skipped {', '.join(wanted)}: the server has no Lua")
        return 0
    failed = 0
    for name in wanted:
        started = time.monotonic()
        try:
            importlib.import_module(f"with_{name}").check()
        except Exception:
            failed += 1
            traceback.print_exc()
            print(f"FAILED  {name}", flush=True)
        else:
            print(f"ok      {name} ({time.monotonic() - started:.1f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
