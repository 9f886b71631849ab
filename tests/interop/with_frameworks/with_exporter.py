"""redis_exporter, for Prometheus: what it reads of INFO, CONFIG, SLOWLOG and the rest."""

from __future__ import annotations

import re
import socket
import subprocess
import urllib.request

import redis
from settings import PORT, part, wait_for

# Some of what the dashboards for it show.
WANTED = (
    "redis_up", "redis_uptime_in_seconds", "redis_connected_clients", "redis_blocked_clients",
    "redis_memory_used_bytes", "redis_memory_max_bytes", "redis_commands_processed_total",
    "redis_commands_total", "redis_commands_duration_seconds_total", "redis_keyspace_hits_total",
    "redis_keyspace_misses_total", "redis_evicted_keys_total", "redis_expired_keys_total",
    "redis_net_input_bytes_total", "redis_net_output_bytes_total", "redis_db_keys",
    "redis_db_keys_expiring", "redis_db_avg_ttl_seconds", "redis_rdb_last_save_timestamp_seconds",
    "redis_aof_enabled", "redis_connected_slaves", "redis_master_repl_offset",
    "redis_instance_info",
    "redis_slowlog_length", "redis_slowlog_last_id", "redis_mem_fragmentation_ratio",
    "redis_cpu_sys_seconds_total", "redis_cpu_user_seconds_total", "redis_config_maxclients",
    "redis_process_id", "redis_pubsub_channels", "redis_rejected_connections_total",
    "redis_key_size", "redis_key_value", "redis_stream_length", "redis_stream_groups",
)  # fmt: skip


def check() -> None:
    """Fails with an AssertionError."""
    client = redis.Redis(port=PORT)
    client.set("interop:number", 42)
    client.set("interop:soon", 1, ex=1000)
    client.get("none")
    client.xadd("interop:stream", {"a": 1})
    client.xgroup_create("interop:stream", "g", "0")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        web = probe.getsockname()[1]
    program = [
        "prometheus-redis-exporter", f"-redis.addr=redis://127.0.0.1:{PORT}",
        f"-web.listen-address=127.0.0.1:{web}", "-check-single-keys=db0=interop:number",
        "-check-single-streams=db0=interop:stream", "-is-tile38=false", "-include-system-metrics",
        "-export-client-list",
    ]  # fmt: skip
    process = subprocess.Popen(program, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _fetch(web), "metrics of the exporter")
        text = _fetch(web)
    finally:
        process.terminate()
        process.wait(20)
    found = re.search(r'^redis_exporter_build_info\{.*version="v?([^"]*)"', text, re.MULTILINE)
    print(f"version redis_exporter {found[1] if found else '?'}")
    with part("metrics"):
        values = dict(re.findall(r"^(\w+)(?:\{[^}]*\})? (\S+)$", text, re.MULTILINE))
        missing = [name for name in WANTED if name not in values]
        assert not missing, missing
        assert values["redis_up"] == "1"
        assert float(values["redis_exporter_last_scrape_error"]) == 0
        assert re.search(r"redis_key_value\{.*interop:number.*\} 42$", text, re.MULTILINE)
        assert re.search(r'redis_db_keys\{db="db0"\} 3$', text, re.MULTILINE), text
        assert re.search(r'redis_db_keys_expiring\{db="db0"\} 1$', text, re.MULTILINE)


def _fetch(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            return answer.read().decode()
    except OSError:
        return ""
