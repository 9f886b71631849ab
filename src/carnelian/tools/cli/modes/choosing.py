"""Which task an option asks for."""

from __future__ import annotations

from importlib import import_module

from carnelian.tools.cli.cli_options import Options

# Each module has a function ``run(options)`` that returns the exit status.
_ROOM = "carnelian.tools.cli.modes"
_MODULES = {
    "stat": "timing.stat_lines",
    "latency": "timing.latency_sampling",
    "latency-history": "timing.latency_sampling",
    "latency-dist": "timing.latency_spectrum",
    "intrinsic-latency": "timing.intrinsic_latency",
    "lru-test": "timing.eviction_load",
    "scan": "keys.key_listing",
    "bigkeys": "keys.largest_keys",
    "memkeys": "keys.largest_keys",
    "keystats": "keys.key_statistics",
    "hotkeys": "keys.hottest_keys",
    "pipe": "transfers.mass_insertion",
    "rdb": "transfers.snapshot_transfer",
    "functions-rdb": "transfers.snapshot_transfer",
    "replica": "transfers.replica_view",
}


def run(options: Options, words: list[str]) -> int:
    """Do it; returns the exit status. ``words`` are those of the whole command line."""
    if options.mode == "cluster":
        from carnelian.tools.cli.modes import cluster_handover

        return cluster_handover.run(words)
    module = import_module(f"{_ROOM}.{_MODULES[options.mode]}")
    status: int = module.run(options)
    return status
