"""What keyword arguments there are, for type checkers.

Made from the declarations of directives and the signatures of redis-py: see
tests/support/keywords.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

from carnelian.engine.extensions.conversion import Word

Switch = bool | Literal["yes", "no"]
Number = int | str | bytes
Words = Word | None | Sequence[Word | Sequence[Word]]


class Directives(TypedDict, total=False):
    """Directives of redis.conf that an engine in one's own process heeds."""

    acl_pubsub_default: Literal["allchannels", "resetchannels"]
    aclfile: str | bytes | None
    acllog_max_len: Number
    active_defrag_cycle_max: Number
    active_defrag_cycle_min: Number
    active_defrag_ignore_bytes: Number
    active_defrag_max_scan_fields: Number
    active_defrag_threshold_lower: Number
    active_defrag_threshold_upper: Number
    active_expire_effort: Number
    activedefrag: Switch
    activerehashing: Switch
    aof_disable_auto_gc: Switch
    aof_load_corrupt_tail_max_size: Number
    aof_load_truncated: Switch
    aof_rewrite_incremental_fsync: Switch
    aof_timestamp_enabled: Switch
    aof_use_rdb_preamble: Switch
    aof_write_interval: Number
    appenddirname: str | bytes | None
    appendfilename: str | bytes | None
    appendfsync: Literal["everysec", "always", "no"]
    appendonly: Switch
    array_slice_size: Number
    array_sparse_kmax: Number
    array_sparse_kmin: Number
    auto_aof_rewrite_min_size: Number
    auto_aof_rewrite_percentage: Number
    bind_source_addr: str | bytes | None
    busy_reply_threshold: Number
    client_output_buffer_limit: Words
    databases: Number
    dbfilename: str | bytes | None
    dir: str | bytes | None
    disable_thp: Switch
    enable_debug_assert: Switch
    enable_debug_command: Literal["no", "yes", "local"]
    enable_module_command: Literal["no", "yes", "local"]
    enable_protected_configs: Literal["no", "yes", "local"]
    hash_max_listpack_entries: Number
    hash_max_listpack_value: Number
    hash_max_ziplist_entries: Number
    hash_max_ziplist_value: Number
    hide_user_data_from_log: Switch
    hll_sparse_max_bytes: Number
    hz: Number
    ignore_warnings: str | bytes | None
    jemalloc_bg_thread: Switch
    key_load_delay: Number
    key_memory_histograms: Switch
    latency_monitor_threshold: Number
    latency_tracking: Switch
    latency_tracking_info_percentiles: Words
    lazyfree_lazy_eviction: Switch
    lazyfree_lazy_expire: Switch
    lazyfree_lazy_server_del: Switch
    lazyfree_lazy_user_del: Switch
    lazyfree_lazy_user_flush: Switch
    lfu_decay_time: Number
    lfu_log_factor: Number
    list_compress_depth: Number
    list_max_listpack_size: Number
    list_max_ziplist_size: Number
    loading_process_events_interval_bytes: Number
    locale_collate: str | bytes | None
    lua_enable_deprecated_api: Switch
    lua_memory_limit: Number
    lua_time_limit: Number
    masterauth: str | bytes | None
    masteruser: str | bytes | None
    maxmemory: Number
    maxmemory_clients: Number
    maxmemory_eviction_tenacity: Number
    maxmemory_policy: Literal[
        "volatile-lru",
        "volatile-lfu",
        "volatile-lrm",
        "volatile-random",
        "volatile-ttl",
        "allkeys-lru",
        "allkeys-lfu",
        "allkeys-lrm",
        "allkeys-random",
        "noeviction",
    ]
    maxmemory_samples: Number
    no_appendfsync_on_rewrite: Switch
    notify_keyspace_events: str | bytes | None
    propagation_error_behavior: Literal["ignore", "panic", "panic-on-replicas"]
    proto_max_bulk_len: Number
    rdb_key_save_delay: Number
    rdb_save_incremental_fsync: Switch
    rdb_version: Number
    rdbchecksum: Switch
    rdbcompression: Switch
    repl_diskless_load: Literal["disabled", "on-empty-db", "swapdb", "flushdb"]
    repl_timeout: Number
    replica_ignore_disk_write_errors: Switch
    replica_ignore_maxmemory: Switch
    replica_lazy_flush: Switch
    replica_read_only: Switch
    replica_serve_stale_data: Switch
    requirepass: str | bytes | None
    sanitize_dump_payload: Literal["no", "yes", "clients"]
    save: Words
    set_max_intset_entries: Number
    set_max_listpack_entries: Number
    set_max_listpack_value: Number
    slave_ignore_maxmemory: Switch
    slave_lazy_flush: Switch
    slave_read_only: Switch
    slave_serve_stale_data: Switch
    slowlog_entry_max_argc: Number
    slowlog_entry_max_string_len: Number
    slowlog_log_slower_than: Number
    slowlog_max_len: Number
    stop_writes_on_bgsave_error: Switch
    stream_idmp_duration: Number
    stream_idmp_maxsize: Number
    stream_node_max_bytes: Number
    stream_node_max_entries: Number
    tls_auth_clients: Literal["no", "yes", "optional"]
    tls_ca_cert_dir: str | bytes | None
    tls_ca_cert_file: str | bytes | None
    tls_cert_file: str | bytes | None
    tls_client_cert_file: str | bytes | None
    tls_client_key_file: str | bytes | None
    tls_client_key_file_pass: str | bytes | None
    tls_key_file: str | bytes | None
    tls_key_file_pass: str | bytes | None
    tls_replication: Switch
    tracking_table_max_keys: Number
    zset_max_listpack_entries: Number
    zset_max_listpack_value: Number
    zset_max_ziplist_entries: Number
    zset_max_ziplist_value: Number


class ClientOptions(Directives, total=False):
    """What redis-py's clients take as well, and directives for an engine of their own."""

    auto_close_connection_pool: Any
    cache: Any
    cache_config: Any
    client_name: Any
    connected: Any
    credential_provider: Any
    db: Any
    decode_responses: Any
    driver_info: Any
    encoding: Any
    encoding_errors: Any
    health_check_interval: Any
    host: Any
    legacy_responses: Any
    lib_name: Any
    lib_version: Any
    lua_modules: Any
    maint_notifications_config: Any
    max_connections: Any
    modules: Any
    oss_cluster_maint_notifications_handler: Any
    password: Any
    port: Any
    protocol: Any
    redis_connect_func: Any
    retry: Any
    retry_on_error: Any
    retry_on_timeout: Any
    server_type: Any
    share: Any
    socket_connect_timeout: Any
    socket_keepalive: Any
    socket_keepalive_options: Any
    socket_read_size: Any
    socket_timeout: Any
    ssl: Any
    ssl_ca_certs: Any
    ssl_ca_data: Any
    ssl_ca_path: Any
    ssl_cert_reqs: Any
    ssl_certfile: Any
    ssl_check_hostname: Any
    ssl_ciphers: Any
    ssl_exclude_verify_flags: Any
    ssl_include_verify_flags: Any
    ssl_keyfile: Any
    ssl_min_version: Any
    ssl_ocsp_context: Any
    ssl_ocsp_expected_cert: Any
    ssl_password: Any
    ssl_validate_ocsp: Any
    ssl_validate_ocsp_stapled: Any
    unix_socket_path: Any
    username: Any
    version: Any
