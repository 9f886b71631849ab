"""The section ``persistence`` of INFO."""

from __future__ import annotations

import time

from carnelian.engine.engine import Engine
from carnelian.engine.shared.info import Fields, section
from carnelian.persistence.aof.append_only import AppendOnly, append_only_of
from carnelian.persistence.aof.log_files import LogState
from carnelian.persistence.background.jobs import Slot
from carnelian.persistence.saving.snapshots import Snapshots, snapshots_of


@section("persistence")
def persistence(engine: Engine) -> Fields:
    """What is being loaded and saved, and how the last time went."""
    snapshots, log = snapshots_of(engine), append_only_of(engine)
    fields: list[tuple[str, object]] = [
        ("loading", int(snapshots.loading is not None)),
        ("async_loading", int(snapshots.calm_loading is not None)),
    ]
    fields += _job(snapshots.background)
    writing = snapshots.background.snapshot
    fields += [
        ("rdb_changes_since_last_save", engine.keyspace.dirty),
        ("rdb_bgsave_in_progress", int(writing is not None)),
        ("rdb_last_save_time", snapshots.last_save_s),
        ("rdb_last_bgsave_status", "err" if snapshots.last_failed else "ok"),
        ("rdb_last_bgsave_time_sec", snapshots.last_seconds),
        ("rdb_current_bgsave_time_sec", -1 if writing is None else writing.running_seconds),
        ("rdb_saves", snapshots.saves),
        ("rdb_last_cow_size", snapshots.last_private_bytes),
        ("rdb_last_load_keys_expired", snapshots.keys_expired),
        ("rdb_last_load_keys_loaded", snapshots.keys_loaded),
    ]
    fields += _append_only(log)
    fields += [
        ("module_fork_in_progress", 0),
        ("module_fork_last_cow_size", 0),
    ]
    if log.state is not LogState.OFF:
        fields += _sizes(log)
    return fields + _loading(snapshots)


def _append_only(log: AppendOnly) -> list[tuple[str, object]]:
    return [
        ("aof_enabled", int(log.state is not LogState.OFF)),
        ("aof_rewrite_in_progress", int(log.renewal.running)),
        ("aof_rewrite_scheduled", int(log.renewal.scheduled)),
        ("aof_last_rewrite_time_sec", log.renewal.last_seconds),
        ("aof_current_rewrite_time_sec", log.renewal.running_seconds),
        ("aof_last_bgrewrite_status", "err" if log.renewal.last_failed else "ok"),
        ("aof_rewrites", log.renewal.count),
        ("aof_rewrites_consecutive_failures", log.renewal.limit.failures),
        ("aof_last_write_status", "err" if log.log.failed or log.syncer.failure else "ok"),
        ("aof_last_cow_size", log.renewal.last_private_bytes),
    ]


def _sizes(log: AppendOnly) -> list[tuple[str, object]]:
    return [
        ("aof_current_size", log.log.total_size),
        ("aof_base_size", log.base_size),
        ("aof_pending_rewrite", int(log.renewal.scheduled)),
        ("aof_buffer_length", log.log.buffer.length),
        ("aof_pending_bio_fsync", log.syncer.pending),
        ("aof_delayed_fsync", log.log.delayed),
    ]


def _job(background: Slot) -> list[tuple[str, object]]:
    job, total = background.job, background.keys_total
    if job is None:
        return [
            ("current_cow_peak", 0),
            ("current_cow_size", 0),
            ("current_cow_size_age", 0),
            ("current_fork_perc", "0.00"),
            ("current_save_keys_processed", 0),
            ("current_save_keys_total", 0),
        ]
    job.receive()
    percent = 100 * job.keys / total if total else 0.0
    age = int(time.monotonic() - job.reported) if job.private_bytes else 0
    return [
        ("current_cow_peak", job.peak_bytes),
        ("current_cow_size", job.private_bytes),
        ("current_cow_size_age", age),
        ("current_fork_perc", f"{percent:.2f}"),
        ("current_save_keys_processed", job.keys),
        ("current_save_keys_total", total),
    ]


def _loading(snapshots: Snapshots) -> list[tuple[str, object]]:
    loading = snapshots.loading or snapshots.calm_loading
    if loading is None:
        return []
    return [
        ("loading_start_time", loading.started_s),
        ("loading_total_bytes", loading.total_bytes),
        ("loading_rdb_used_mem", loading.rdb_used_memory),
        ("loading_loaded_bytes", loading.loaded_bytes),
        ("loading_loaded_perc", f"{loading.percent:.2f}"),
        ("loading_eta_seconds", loading.eta_seconds),
    ]
