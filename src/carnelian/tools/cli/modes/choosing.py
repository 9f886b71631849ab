"""Which task an option asks for."""

from __future__ import annotations

from importlib import import_module

from carnelian.tools.cli.cli_options import Options

# Each module has a function ``run(options)`` that returns the exit status.
_ROOM = "carnelian.tools.cli.modes"
_MODULES = {
    "stat": "stat_lines",
    "latency": "latency_sampling",
    "latency-history": "latency_sampling",
    "latency-dist": "latency_spectrum",
    "intrinsic-latency": "intrinsic_latency",
    "lru-test": "eviction_load",
    "scan": "key_listing",
    "bigkeys": "largest_keys",
    "memkeys": "largest_keys",
    "keystats": "key_statistics",
    "hotkeys": "hottest_keys",
    "pipe": "mass_insertion",
    "rdb": "snapshot_transfer",
    "functions-rdb": "snapshot_transfer",
    "replica": "replica_view",
}


def run(options: Options, words: list[str]) -> int:
    """Do it; returns the exit status. ``words`` are those of the whole command line."""
    if options.mode == "cluster":
        from carnelian.tools.cli.modes import cluster_handover

        return cluster_handover.run(words)
    module = import_module(f"{_ROOM}.{_MODULES[options.mode]}")
    status: int = module.run(options)
    return status
