"""Writing and reading whole files, and appending to one."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path

from harness import process
from harness.generator import Case, Generator
from harness.pairs import MORE, Pairs, order
from harness.servers import OURS, PEER
from harness.setting import Setting

_TIMEOUT_SECONDS = 300.0
_LOADED = re.compile(r"DB loaded from (?:disk|append only file): ([\d.]+) seconds")
_KEYSPACE = 100_000
_SIZE = 64
_CLIENTS = 50


def save(setting: Setting, pairs: Pairs) -> None:
    """SAVE."""
    running = setting.start_both(files=setting.data.snapshot())
    for number in range(setting.pairs):
        for name in order(number):
            server = running[name]
            with server.client() as client:
                client.socket.settimeout(_TIMEOUT_SECONDS)
                spent, began = process.cpu_seconds(server.pid), time.perf_counter()
                client("SAVE")
                pairs.add(name, "seconds", time.perf_counter() - began)
                pairs.add(name, "CPU seconds", process.cpu_seconds(server.pid) - spent)
            size = (server.folder / "dump.rdb").stat().st_size
            pairs.add(name, "file MB", size / 1e6)
        print(f"pair {number + 1}: {pairs.last('seconds')}, {pairs.last('CPU seconds')}")


def load(setting: Setting, pairs: Pairs) -> None:
    """A start with a snapshot."""
    _load(setting, pairs, setting.data.snapshot(), ())


def load_log(setting: Setting, pairs: Pairs) -> None:
    """A start with a log of commands."""
    _load(setting, pairs, setting.data.log(), ("--appendonly", "yes"))


def _load(
    setting: Setting, pairs: Pairs, files: Mapping[str, Path], options: tuple[str, ...]
) -> None:
    """Start servers with these files; CPU times are without those of a start without any."""
    idle: dict[str, float] = {}
    for name in (OURS, PEER):
        with setting.start(name) as server:
            idle[name] = process.cpu_seconds(server.pid)
    for number in range(setting.pairs):
        for name in order(number):
            with setting.start(name, *options, files=files) as server:
                spent = process.cpu_seconds(server.pid) - idle[name]
                told = _LOADED.search(server.output())
                if told is None:
                    raise ValueError(f"{name} says nothing of a load:\n{server.output()[-2000:]}")
                with server.client() as client:
                    keys = client("DBSIZE")
                    used = int(client.info("memory")["used_memory"])
            pairs.add(name, "seconds", float(told[1]))
            pairs.add(name, "CPU seconds", spent)
            pairs.add(name, "keys", keys)
            pairs.add(name, "used_memory MB", used / 1e6)
        print(f"pair {number + 1}: {pairs.last('seconds')}, {pairs.last('CPU seconds')}")


def append(setting: Setting, pairs: Pairs) -> None:
    """SET with an append-only file."""
    generator = Generator(_CLIENTS, _KEYSPACE)
    for policy in ("everysec", "always"):
        running = setting.start_both(
            "--appendonly", "yes", "--appendfsync", policy, "--auto-aof-rewrite-percentage", "0"
        )
        for pipeline in (1, 16):
            case = Case("SET", _SIZE, pipeline)
            requests = generator.requests_for(case, list(running.values()), setting.seconds)
            title = f"{policy} -P {pipeline}"
            for number in range(setting.pairs):
                for name in order(number):
                    run = generator.run(case, running[name], requests)
                    pairs.add(name, f"{title}: k/s", run.requests_per_second / 1e3, MORE)
                    pairs.add(name, f"{title}: CPU us", run.cpu_us)
                    pairs.add(name, f"{title}: p99.9 ms", run.latency["p99.9"])
                told = [pairs.last(f"{title}: {figure}") for figure in ("k/s", "CPU us")]
                print(", ".join(told), flush=True)
