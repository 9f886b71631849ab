"""``--cluster``: the work of redis-cli, which is asked to do it."""

from __future__ import annotations

import os
import shutil
import sys

_NO_PROGRAM = """\
carnelian-cli leaves --cluster to redis-cli, and there is none on this machine (Debian: apt install
redis-tools). carnelian-fleet starts, grows, shrinks and rebalances clusters of this machine, and
CLUSTER commands work as they are: carnelian-cli -c cluster nodes"""


def run(words: list[str]) -> int:
    """Become redis-cli; returns the exit status if there is none."""
    program = shutil.which("redis-cli")
    if program is None:
        print(_NO_PROGRAM, file=sys.stderr)
        return 1
    sys.stdout.flush()
    return os.execv(program, ["redis-cli", *words])
