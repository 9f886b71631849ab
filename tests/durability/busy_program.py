"""A program that does nothing but write to an engine of its own, until it is killed.

Each thread counts up in a key of its own, and notes in a file that is mapped into memory what the
engine has taken: the next count begins only then.

Arguments: the path of the engine, the file of counts, how many threads, the seconds after which a
thread that computes lets another one in, the directives as JSON.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import sys
import threading

import carnelian

COUNT = struct.Struct("=q")


def main(path: str, counts: str, threads: int, interval: float, directives: dict) -> None:
    engine = carnelian.Engine(path, **directives)
    fd = os.open(counts, os.O_RDWR)
    taken = mmap.mmap(fd, COUNT.size * threads)

    def write(number: int) -> None:
        key, place = f"count:{number}", COUNT.size * number
        count = COUNT.unpack_from(taken, place)[0]
        while True:
            count += 1
            engine.execute("SET", key, count)
            COUNT.pack_into(taken, place, count)

    sys.setswitchinterval(interval)
    for number in range(1, threads):
        threading.Thread(target=write, args=(number,), daemon=True).start()
    write(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), json.loads(sys.argv[5]))
