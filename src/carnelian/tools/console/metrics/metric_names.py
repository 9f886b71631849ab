"""Which field of INFO is which metric: name, unit and meaning.

The names are those that ``redis_exporter`` has made common, without their ``redis_``, so that
dashboards and alerts made for it go on working.
"""

from __future__ import annotations

from typing import NamedTuple


class Named(NamedTuple):
    """A field of INFO as a metric."""

    field: str
    name: str
    help: str


# Numbers that go up and down. "ok", "up" and "yes" are 1, "err", "down" and "no" 0.
GAUGES = (
    Named("uptime_in_seconds", "uptime_in_seconds", "Seconds since the start."),
    Named("process_id", "process_id", "Number of the process."),
    Named("hz", "hz", "Timer ticks a second."),
    Named("configured_hz", "configured_hz", "Timer ticks a second, as configured."),
    Named("io_threads_active", "io_threads_active", "Whether threads read and write."),
    Named("connected_clients", "connected_clients", "Clients that are connected."),
    Named("blocked_clients", "blocked_clients", "Clients that wait in a blocking command."),
    Named("tracking_clients", "tracking_clients", "Clients that are told of changed keys."),
    Named("pubsub_clients", "pubsub_clients", "Clients that are subscribed."),
    Named("watching_clients", "watching_clients", "Clients that watch keys."),
    Named("clients_in_timeout_table", "clients_in_timeout_table", "Clients that time out."),
    Named("cluster_connections", "cluster_connections", "Connections of the cluster bus."),
    Named("maxclients", "max_clients", "Clients that there may be."),
    Named(
        "client_recent_max_output_buffer",
        "client_recent_max_output_buffer_bytes",
        "The largest output buffer of late.",
    ),
    Named(
        "client_recent_max_input_buffer",
        "client_recent_max_input_buffer_bytes",
        "The largest query buffer of late.",
    ),
    Named("total_blocking_keys", "total_blocking_keys", "Keys that clients wait for."),
    Named("total_watched_keys", "total_watched_keys", "Keys that are watched."),
    Named("allocator_active", "allocator_active_bytes", "Memory in pages of the allocator."),
    Named("allocator_allocated", "allocator_allocated_bytes", "Memory that was allocated."),
    Named("allocator_resident", "allocator_resident_bytes", "Resident memory of the allocator."),
    Named("allocator_frag_ratio", "allocator_frag_ratio", "Fragmentation of the allocator."),
    Named("allocator_frag_bytes", "allocator_frag_bytes", "The same in bytes."),
    Named("allocator_rss_ratio", "allocator_rss_ratio", "Resident to active memory."),
    Named("allocator_rss_bytes", "allocator_rss_bytes", "The same in bytes."),
    Named("used_memory", "memory_used_bytes", "Memory in use."),
    Named("used_memory_rss", "memory_used_rss_bytes", "Resident memory of the process."),
    Named("used_memory_peak", "memory_used_peak_bytes", "The most memory that was in use."),
    Named("used_memory_lua", "memory_used_lua_bytes", "Memory of Lua."),
    Named("used_memory_vm_total", "memory_used_vm_total_bytes", "Memory of all script engines."),
    Named("used_memory_overhead", "memory_used_overhead_bytes", "Memory that is not data."),
    Named("used_memory_startup", "memory_used_startup_bytes", "Memory after the start."),
    Named("used_memory_dataset", "memory_used_dataset_bytes", "Memory of the data."),
    Named("used_memory_scripts", "memory_used_scripts_bytes", "Memory of cached scripts."),
    Named("used_memory_functions", "memory_used_functions_bytes", "Memory of functions."),
    Named("number_of_cached_scripts", "number_of_cached_scripts", "Scripts that are cached."),
    Named("number_of_functions", "number_of_functions", "Functions that are loaded."),
    Named("number_of_libraries", "number_of_libraries", "Libraries of functions."),
    Named("maxmemory", "memory_max_bytes", "Memory that data may take; 0 is no limit."),
    Named("mem_fragmentation_ratio", "mem_fragmentation_ratio", "Resident to used memory."),
    Named("mem_fragmentation_bytes", "mem_fragmentation_bytes", "The same in bytes."),
    Named("mem_clients_slaves", "mem_clients_slaves", "Memory of links to replicas."),
    Named("mem_clients_normal", "mem_clients_normal", "Memory of clients."),
    Named("mem_cluster_links", "mem_cluster_links_bytes", "Memory of the cluster bus."),
    Named("mem_aof_buffer", "mem_aof_buffer_bytes", "Memory of what is to be logged."),
    Named(
        "mem_total_replication_buffers",
        "mem_total_replication_buffers_bytes",
        "Memory of what is to be replicated.",
    ),
    Named(
        "mem_not_counted_for_evict",
        "mem_not_counted_for_eviction_bytes",
        "Memory that is not data for evictions.",
    ),
    Named("lazyfree_pending_objects", "lazyfree_pending_objects", "Values still to be freed."),
    Named("active_defrag_running", "active_defrag_running", "Whether memory is defragmented."),
    Named("active_defrag_hits", "defrag_hits", "Values that were moved."),
    Named("active_defrag_misses", "defrag_misses", "Values that were left."),
    Named("active_defrag_key_hits", "defrag_key_hits", "Keys that were defragmented."),
    Named("active_defrag_key_misses", "defrag_key_misses", "Keys that were skipped."),
    Named("expired_stale_perc", "expired_stale_percentage", "Keys past their time, percent."),
    Named("migrate_cached_sockets", "migrate_cached_sockets_total", "Sockets kept by MIGRATE."),
    Named("loading", "loading_dump_file", "Whether data are being loaded."),
    Named("async_loading", "async_loading", "Whether a replica loads beside serving."),
    Named(
        "rdb_changes_since_last_save",
        "rdb_changes_since_last_save",
        "Changes since the last snapshot.",
    ),
    Named("rdb_bgsave_in_progress", "rdb_bgsave_in_progress", "Whether a snapshot is taken."),
    Named("rdb_last_save_time", "rdb_last_save_timestamp_seconds", "When the last one was."),
    Named("rdb_last_bgsave_status", "rdb_last_bgsave_status", "Whether it succeeded."),
    Named("rdb_last_bgsave_time_sec", "rdb_last_bgsave_duration_sec", "Seconds that it took."),
    Named(
        "rdb_current_bgsave_time_sec",
        "rdb_current_bgsave_duration_sec",
        "Seconds since the snapshot that is taken began.",
    ),
    Named("rdb_last_cow_size", "rdb_last_cow_size_bytes", "Memory copied for it."),
    Named("rdb_saves", "rdb_saves_total", "Snapshots since the start."),
    Named("aof_enabled", "aof_enabled", "Whether writes are logged."),
    Named("aof_rewrite_in_progress", "aof_rewrite_in_progress", "Whether the log is rewritten."),
    Named("aof_rewrite_scheduled", "aof_rewrite_scheduled", "Whether a rewrite is to begin."),
    Named("aof_last_rewrite_time_sec", "aof_last_rewrite_duration_sec", "Seconds the last took."),
    Named(
        "aof_current_rewrite_time_sec",
        "aof_current_rewrite_duration_sec",
        "Seconds since the rewrite that goes on began.",
    ),
    Named("aof_last_cow_size", "aof_last_cow_size_bytes", "Memory copied for the last rewrite."),
    Named("aof_current_size", "aof_current_size_bytes", "Size of the log."),
    Named("aof_base_size", "aof_base_size_bytes", "Its size after the last rewrite."),
    Named("aof_pending_rewrite", "aof_pending_rewrite", "Whether a rewrite waits."),
    Named("aof_buffer_length", "aof_buffer_length", "Bytes that are still to be written."),
    Named("aof_pending_bio_fsync", "aof_pending_bio_fsync", "Syncs that wait."),
    Named("aof_delayed_fsync", "aof_delayed_fsync", "Syncs that were late."),
    Named("aof_last_bgrewrite_status", "aof_last_bgrewrite_status", "Whether it succeeded."),
    Named("aof_last_write_status", "aof_last_write_status", "Whether the last write did."),
    Named("module_fork_in_progress", "module_fork_in_progress", "Whether a module has forked."),
    Named("module_fork_last_cow_size", "module_fork_last_cow_size", "Memory copied for that."),
    Named("instantaneous_ops_per_sec", "instantaneous_ops_per_sec", "Commands a second of late."),
    Named("pubsub_channels", "pubsub_channels", "Channels with subscribers."),
    Named("pubsub_patterns", "pubsub_patterns", "Patterns with subscribers."),
    Named("pubsubshard_channels", "pubsubshard_channels", "Shard channels with subscribers."),
    Named("latest_fork_usec", "latest_fork_usec", "Microseconds of the last fork."),
    # These grow, but are known by names without _total.
    Named("total_reads_processed", "total_reads_processed", "Reads of sockets."),
    Named("total_writes_processed", "total_writes_processed", "Writes to sockets."),
    Named("total_error_replies", "total_error_replies", "Commands that failed."),
    Named("unexpected_error_replies", "unexpected_error_replies", "Errors of replication."),
    Named("dump_payload_sanitizations", "dump_payload_sanitizations", "Payloads looked through."),
    Named("io_threaded_reads_processed", "io_threaded_reads_processed", "Reads by threads."),
    Named("io_threaded_writes_processed", "io_threaded_writes_processed", "Writes by threads."),
    Named("tracking_total_keys", "tracking_total_keys", "Keys of client-side caches."),
    Named("tracking_total_items", "tracking_total_items", "Keys by clients of these."),
    Named("tracking_total_prefixes", "tracking_total_prefixes", "Prefixes that are tracked."),
    Named("connected_slaves", "connected_slaves", "Replicas that are connected."),
    Named("repl_backlog_size", "replication_backlog_bytes", "Size of the backlog."),
    Named("repl_backlog_active", "repl_backlog_is_active", "Whether there is a backlog."),
    Named(
        "repl_backlog_first_byte_offset",
        "repl_backlog_first_byte_offset",
        "Where the backlog begins.",
    ),
    Named("repl_backlog_histlen", "repl_backlog_history_bytes", "What is in the backlog."),
    Named("master_repl_offset", "master_repl_offset", "How far the stream has come."),
    Named("second_repl_offset", "second_repl_offset", "How far the history before counts."),
    Named("slave_expires_tracked_keys", "slave_expires_tracked_keys", "Keys a replica expires."),
    Named("slave_priority", "slave_priority", "How willingly it becomes a primary."),
    Named("slave_repl_offset", "slave_repl_offset", "How far a replica has come."),
    Named("sync_full", "replica_resyncs_full", "Copies that were sent to replicas."),
    Named("sync_partial_ok", "replica_partial_resync_accepted", "Replicas that went on."),
    Named("sync_partial_err", "replica_partial_resync_denied", "Replicas that could not."),
    Named("cluster_enabled", "cluster_enabled", "Whether it is a node of a cluster."),
)

# Numbers that only grow; the names end in _total.
COUNTERS = (
    Named("total_connections_received", "connections_received", "Connections taken."),
    Named("total_commands_processed", "commands_processed", "Commands that have run."),
    Named("rejected_connections", "rejected_connections", "Connections that were refused."),
    Named("total_net_input_bytes", "net_input_bytes", "Bytes that have come."),
    Named("total_net_output_bytes", "net_output_bytes", "Bytes that were sent."),
    Named("total_net_repl_input_bytes", "net_repl_input_bytes", "Those of replication, come."),
    Named("total_net_repl_output_bytes", "net_repl_output_bytes", "Those of replication, sent."),
    Named("expired_keys", "expired_keys", "Keys whose time was over."),
    Named("expired_subkeys", "expired_subkeys", "Fields of hashes whose time was over."),
    Named("evicted_keys", "evicted_keys", "Keys that went for want of memory."),
    Named("evicted_clients", "evicted_clients", "Clients that went for want of memory."),
    Named("evicted_scripts", "evicted_scripts", "Scripts that left the cache."),
    Named(
        "expired_time_cap_reached_count",
        "expired_time_cap_reached",
        "Expiry cycles that were out of time.",
    ),
    Named("keyspace_hits", "keyspace_hits", "Look-ups that found a key."),
    Named("keyspace_misses", "keyspace_misses", "Look-ups that found none."),
    Named("total_forks", "forks", "Forks of the process."),
    Named("eventloop_cycles", "eventloop_cycles", "Turns of the event loop."),
    Named("used_cpu_sys", "cpu_sys_seconds", "Time of the processor in the kernel."),
    Named("used_cpu_user", "cpu_user_seconds", "Time of the processor in the server."),
    Named("used_cpu_sys_children", "cpu_sys_children_seconds", "The first, of children."),
    Named("used_cpu_user_children", "cpu_user_children_seconds", "The second, of children."),
    Named(
        "used_cpu_sys_main_thread", "cpu_sys_main_thread_seconds", "The first, of the main thread."
    ),
    Named(
        "used_cpu_user_main_thread",
        "cpu_user_main_thread_seconds",
        "The second, of the main thread.",
    ),
)

# Of CLUSTER INFO.
CLUSTER_GAUGES = (
    Named("cluster_state", "cluster_state", "Whether the cluster serves."),
    Named("cluster_slots_assigned", "cluster_slots_assigned", "Slots that have an owner."),
    Named("cluster_slots_ok", "cluster_slots_ok", "Slots whose owner is well."),
    Named("cluster_slots_pfail", "cluster_slots_pfail", "Slots whose owner may have failed."),
    Named("cluster_slots_fail", "cluster_slots_fail", "Slots whose owner has failed."),
    Named("cluster_known_nodes", "cluster_known_nodes", "Nodes of the cluster."),
    Named("cluster_size", "cluster_size", "Primaries with slots."),
    Named("cluster_current_epoch", "cluster_current_epoch", "The latest epoch."),
    Named("cluster_my_epoch", "cluster_my_epoch", "The epoch of this node."),
)
CLUSTER_COUNTERS = (
    Named("cluster_stats_messages_sent", "cluster_messages_sent", "Messages of the bus, sent."),
    Named("cluster_stats_messages_received", "cluster_messages_received", "The same, received."),
)

# Labels of the metric that says what a server is.
INSTANCE_LABELS = (
    "role",
    "redis_version",
    "redis_build_id",
    "redis_mode",
    "os",
    "maxmemory_policy",
    "tcp_port",
    "run_id",
    "process_id",
    "master_replid",
)

WORDS = {"ok": 1.0, "up": 1.0, "yes": 1.0, "err": 0.0, "fail": 0.0, "down": 0.0, "no": 0.0}
