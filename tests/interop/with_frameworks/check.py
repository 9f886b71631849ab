"""Run frameworks of Python's world, each with a real worker, against the server at a port.

    python check.py 6379 [celery huey ...]

Prints a line for each, and exits with 1 if one has failed. Most of
them need Lua.
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


def main() -> int:
    port, wanted = int(sys.argv[1]), sys.argv[2:] or NAMES
    os.environ["REDIS_PORT"] = str(port)
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
