"""Serving clients while snapshots are taken in the background, and the memory that these take."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from harness import process
from harness.client import Client, ReplyError
from harness.generator import PERCENTILES, Case, Generator
from harness.pairs import MORE, Pairs, order
from harness.servers import Server
from harness.setting import Setting

_TIMEOUT_SECONDS = 120.0
_POLL_SECONDS = 0.02
_SETTLE_SECONDS = 1.0
_SIZE = 64
_CLIENTS = 50
# More than any run needs: it is stopped when the snapshot is there.
_ENDLESS = 1_000_000_000


# -- Serving -------------------------------------------------------------------------------------


def serve(setting: Setting, pairs: Pairs) -> None:
    """GET and SET while one snapshot follows the other."""
    running = setting.start_both(files=setting.data.snapshot())
    generator = Generator(_CLIENTS, setting.data.strings)
    for test in ("GET", "SET"):
        for pipeline in (1, 16):
            case = Case(test, _SIZE, pipeline)
            requests = generator.requests_for(case, list(running.values()), setting.seconds)
            for number in range(setting.pairs):
                for name in order(number):
                    _serve(running[name], generator, case, requests, pairs)
                told = [pairs.last(f"{test} -P {pipeline}: {f}") for f in ("k/s", "p99.9 ms")]
                print(", ".join(told), flush=True)


def _serve(server: Server, generator: Generator, case: Case, requests: int, pairs: Pairs) -> None:
    """One run, with snapshots from its beginning to its end."""
    title = f"{case.test} -P {case.pipeline}"
    faults = process.page_faults(server.pid)
    waited = process.wait_seconds(server.pid)
    with _snapshots(server) as seconds:
        run = generator.run(case, server, requests)
    faults = process.page_faults(server.pid) - faults
    waited = process.wait_seconds(server.pid) - waited
    add = pairs.add
    add(server.name, f"{title}: k/s", run.requests_per_second / 1e3, MORE)
    add(server.name, f"{title}: CPU us", run.cpu_us)
    for percentile in PERCENTILES:
        add(server.name, f"{title}: {percentile} ms", run.latency[percentile])
    add(server.name, f"{title}: a snapshot, s", sum(seconds) / len(seconds))
    add(server.name, f"{title}: page faults k", faults / 1e3)
    add(server.name, f"{title}: waited for CPU ms", waited * 1e3)
    with server.client() as client:
        add(server.name, f"{title}: fork ms", int(client.info()["latest_fork_usec"]) / 1e3)


@contextmanager
def _snapshots(server: Server) -> Iterator[list[float]]:
    """Have a snapshot taken all the time; gives how many seconds each took."""
    taken: list[float] = []
    ended = threading.Event()

    def repeat() -> None:
        with server.client() as client:
            while not ended.is_set():
                taken.append(take_snapshot(client))

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield taken
    finally:
        ended.set()
        thread.join()


def take_snapshot(client: Client) -> float:
    """BGSAVE; returns the seconds until it is done. Raises ReplyError when it is not written."""
    began = time.perf_counter()
    client("BGSAVE")
    while True:
        time.sleep(_POLL_SECONDS)
        fields = client.info("persistence")
        if fields["rdb_bgsave_in_progress"] == "0":
            break
        if time.perf_counter() - began > _TIMEOUT_SECONDS:
            raise TimeoutError("a snapshot takes too long")
    if fields["rdb_last_bgsave_status"] != "ok":
        raise ReplyError("the snapshot failed")
    return time.perf_counter() - began


# -- Memory --------------------------------------------------------------------------------------


def weigh(setting: Setting, pairs: Pairs) -> None:
    """Memory of a server and its child at the worst moment of a snapshot."""
    running = setting.start_both(files=setting.data.snapshot())
    strings = Generator(_CLIENTS, setting.data.strings)
    hashes = Generator(_CLIENTS, setting.data.hashes)
    loads = {
        "idle": (strings, None),
        "GET": (strings, Case("GET", _SIZE, 1)),
        "HGET": (hashes, Case("HGET", _SIZE, 1, ("HGET", "user:__rand_int__", "name"))),
        "SET": (strings, Case("SET", _SIZE, 1)),
    }
    for title, (generator, case) in loads.items():
        for number in range(setting.pairs):
            for name in order(number):
                _weigh(running[name], generator, case, title, pairs)
            print(pairs.last(f"{title}: over the baseline MB"), flush=True)


def _weigh(
    server: Server, generator: Generator, case: Case | None, title: str, pairs: Pairs
) -> None:
    """One snapshot, under the load of a case or none."""
    with server.client() as client, _load(server, generator, case):
        time.sleep(_SETTLE_SECONDS)
        before = _proportional(server.pid)
        commands = _commands(client)
        with _watch(server) as peak:
            seconds = take_snapshot(client)
        commands = _commands(client) - commands
        fields = client.info("persistence")
    add = pairs.add
    add(server.name, f"{title}: baseline MB", before / 1e6)
    add(server.name, f"{title}: peak MB", peak["both"] / 1e6)
    add(server.name, f"{title}: over the baseline MB", (peak["both"] - before) / 1e6)
    add(server.name, f"{title}: private to the child MB", peak["child"] / 1e6)
    add(server.name, f"{title}: rdb_last_cow_size MB", int(fields["rdb_last_cow_size"]) / 1e6)
    add(server.name, f"{title}: a snapshot, s", seconds)
    if case is not None:
        add(server.name, f"{title}: commands meanwhile k", commands / 1e3, MORE)


def _commands(client: Client) -> int:
    return int(client.info("stats")["total_commands_processed"])


def _proportional(pid: int) -> int:
    return process.memory(pid).get("Pss", 0)


@contextmanager
def _load(server: Server, generator: Generator, case: Case | None) -> Iterator[None]:
    """A load that goes on from here to the end of the block."""
    if case is None:
        yield
        return
    load = subprocess.Popen(
        ["timeout", str(_TIMEOUT_SECONDS), *generator.command(case, server, _ENDLESS)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        load.terminate()
        load.wait()


@contextmanager
def _watch(server: Server) -> Iterator[dict[str, int]]:
    """Look at the memory again and again; gives the highest figures in bytes."""
    peak = {"both": 0, "child": 0}
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_POLL_SECONDS):
            both = _proportional(server.pid)
            for child in process.children(server.pid):
                figures = process.memory(child)
                both += figures.get("Pss", 0)
                peak["child"] = max(peak["child"], figures.get("Private_Dirty", 0))
            peak["both"] = max(peak["both"], both)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        ended.set()
        thread.join()
