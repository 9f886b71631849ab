"""What the sections of INFO say. Field names and their order are those of Redis 8.

Fields of features that are still to come report what a server without them reports.
See https://redis.io/docs/latest/commands/info/
"""

from __future__ import annotations

import os
import resource
import sys

from carnelian import REDIS_VERSION, __version__
from carnelian.engine.catalogue.registry import Command
from carnelian.engine.engine import Engine
from carnelian.engine.ground.flags import REPLICA
from carnelian.engine.ground.script_facts import ScriptFacts
from carnelian.engine.ground.stats import Rate
from carnelian.engine.shared.info import Fields, section
from carnelian.keyspace.database import Database
from carnelian.resp.numbers import format_float


def human(size: int) -> str:
    """A number of bytes with a unit: ``918.96K``."""
    if size < 1024:
        return f"{size}B"
    scaled = float(size)
    for unit in "KMGTP":
        scaled /= 1024
        if scaled < 1024:
            return f"{scaled:.2f}{unit}"
    return f"{size}B"


@section("server")
def server(engine: Engine) -> Fields:
    """Who this is, since when, and where its files are."""
    fact = engine.facts.get
    now_us = engine.clock.wall_us()
    uptime = max(0, (now_us // 1000 - engine.started_ms) // 1000)
    machine = os.uname()
    return [
        ("redis_version", fact("redis_version", REDIS_VERSION)),
        ("redis_git_sha1", "00000000"),
        ("redis_git_dirty", 0),
        ("redis_build_id", engine.run_id[:16]),
        ("redis_mode", fact("redis_mode", "standalone")),
        ("os", f"{machine.sysname} {machine.release} {machine.machine}"),
        ("arch_bits", 64 if sys.maxsize > 2**32 else 32),
        ("monotonic_clock", "POSIX clock_gettime"),
        ("multiplexing_api", fact("multiplexing_api", "none")),
        ("atomicvar_api", "c11-builtin"),
        ("gcc_version", sys.version.rpartition("GCC ")[2].rstrip("]")),
        ("process_id", os.getpid()),
        ("process_supervised", fact("process_supervised", "no")),
        ("run_id", engine.run_id),
        ("tcp_port", fact("tcp_port", 0)),
        ("server_time_usec", now_us),
        ("uptime_in_seconds", uptime),
        ("uptime_in_days", uptime // 86400),
        ("hz", fact("hz", engine.config["hz"])),
        ("configured_hz", engine.config["hz"]),
        ("lru_clock", now_us // 1_000_000 & 0xFFFFFF),
        ("executable", fact("executable", sys.executable)),
        ("config_file", fact("config_file", "")),
        ("io_threads_active", 0),
        ("server_name", "carnelian"),
        ("carnelian_version", __version__),
        ("python_version", ".".join(map(str, sys.version_info[:3]))),
        *_shutdown(engine),
        *[(f"listener{number}", text) for number, text in enumerate(fact("listeners", ()))],
    ]


def _shutdown(engine: Engine) -> Fields:
    """How long the end of the server may still be put off, while it is."""
    if "shutdown_at_ms" not in engine.facts:
        return []
    return [("shutdown_in_milliseconds", engine.facts["shutdown_at_ms"] - engine.clock.wall_ms())]


@section("clients")
def clients(engine: Engine) -> Fields:
    """How many sessions there are, and how much the greediest took."""
    fact = engine.facts.get
    sessions = list(engine.sessions)
    subscribed = sum(1 for one in sessions if one.subscription_count() or one.shard_channels)
    watching = sum(one.watch is not None for one in sessions)
    blocked_keys = engine.blocking.waiters
    return [
        ("connected_clients", sum(one.output_class() != REPLICA for one in sessions)),
        ("cluster_connections", 0 if engine.cluster is None else engine.cluster.connections()),
        ("maxclients", engine.config["maxclients"]),
        ("client_recent_max_input_buffer", fact("recent_max_input", 0)),
        ("client_recent_max_output_buffer", fact("recent_max_output", 0)),
        ("blocked_clients", engine.blocking.count),
        ("tracking_clients", len(engine.tracking.trackers)),
        ("pubsub_clients", subscribed),
        ("watching_clients", watching),
        ("clients_in_timeout_table", engine.blocking.timed),
        ("total_watched_keys", len(engine.watches.keys)),
        ("total_blocking_keys", len(blocked_keys)),
        # Those with a waiter whom the key's end concerns, too.
        ("total_blocking_keys_on_nokey", sum(None in kinds for kinds in blocked_keys.values())),
    ]


def _tracked_keys(engine: Engine) -> int:
    side = None if engine.replication is None else engine.replication.replica_side
    return 0 if side is None else side.tracked_keys


def _script_facts(engine: Engine) -> ScriptFacts:
    return ScriptFacts() if engine.scripting is None else engine.scripting.facts()


def _script_memory(engine: Engine) -> Fields:
    facts = _script_facts(engine)
    states = facts.eval_state + facts.function_state
    known = facts.eval_scripts + facts.function_libraries
    return [
        ("used_memory_lua", facts.eval_state),
        ("used_memory_vm_eval", facts.eval_state),
        ("used_memory_lua_human", human(facts.eval_state)),
        ("used_memory_scripts_eval", facts.eval_scripts),
        ("number_of_cached_scripts", facts.scripts),
        ("number_of_functions", facts.functions),
        ("number_of_libraries", facts.libraries),
        ("used_memory_vm_functions", facts.function_state),
        ("used_memory_vm_total", states),
        ("used_memory_vm_total_human", human(states)),
        ("used_memory_functions", facts.function_libraries),
        ("used_memory_scripts", known),
        ("used_memory_scripts_human", human(known)),
    ]


@section("memory")
def memory(engine: Engine) -> Fields:
    """What the data takes, by our own count and by that of the system."""
    numbers = MemoryReading(engine)
    limit, log = engine.config["maxmemory"], engine.append_only
    total, cluster = _physical_memory(), engine.cluster
    leaving, held, most_held = (0, 0, 0) if cluster is None else cluster.migration_memory()
    return [
        ("used_memory", numbers.used),
        ("used_memory_human", human(numbers.used)),
        ("used_memory_rss", numbers.resident),
        ("used_memory_rss_human", human(numbers.resident)),
        ("used_memory_peak", numbers.peak),
        ("used_memory_peak_human", human(numbers.peak)),
        ("used_memory_peak_time", numbers.peak_time),
        ("used_memory_peak_perc", f"{numbers.used * 100 / max(1, numbers.peak):.2f}%"),
        ("used_memory_overhead", numbers.overhead),
        ("used_memory_startup", numbers.startup),
        ("used_memory_dataset", numbers.dataset),
        ("used_memory_dataset_perc", f"{numbers.dataset_share:.2f}%"),
        ("allocator_allocated", numbers.used),
        ("allocator_active", numbers.used),
        ("allocator_resident", numbers.resident),
        ("allocator_muzzy", 0),
        ("total_system_memory", total),
        ("total_system_memory_human", human(total)),
        *_script_memory(engine),
        ("maxmemory", limit),
        ("maxmemory_human", human(limit)),
        ("maxmemory_policy", engine.config.text("maxmemory-policy")),
        ("allocator_frag_ratio", "1.00"),
        ("allocator_frag_bytes", 0),
        ("allocator_rss_ratio", f"{numbers.resident / max(1, numbers.used):.2f}"),
        ("allocator_rss_bytes", numbers.resident - numbers.used),
        ("rss_overhead_ratio", "1.00"),
        ("rss_overhead_bytes", 0),
        ("mem_fragmentation_ratio", f"{numbers.fragmentation:.2f}"),
        ("mem_fragmentation_bytes", numbers.resident - numbers.used),
        ("mem_not_counted_for_evict", engine.memory_limit.not_counted()),
        ("mem_replication_backlog", numbers.backlog),
        ("mem_total_replication_buffers", numbers.stream),
        ("mem_replica_full_sync_buffer", 0),
        ("mem_clients_slaves", numbers.replicas),
        ("mem_clients_normal", numbers.clients),
        ("mem_cluster_links", numbers.links),
        ("mem_cluster_slot_migration_output_buffer", leaving),
        ("mem_cluster_slot_migration_input_buffer", held),
        ("mem_cluster_slot_migration_input_buffer_peak", most_held),
        ("mem_aof_buffer", 0 if log is None else log.log.buffer.room),
        ("mem_allocator", "libc"),
        ("mem_overhead_db_hashtable_rehashing", 0),
        ("active_defrag_running", 0),
        ("lazyfree_pending_objects", engine.keyspace.lazyfree_pending_objects),
        ("lazyfreed_objects", engine.keyspace.lazyfreed_objects),
    ]


class MemoryReading:
    """The figures that INFO memory and MEMORY STATS share, read at one moment."""

    def __init__(self, engine: Engine):
        engine.note_peak()
        self.used = engine.memory_limit.used()
        self.peak, self.peak_time = engine.peak_memory, engine.peak_memory_time
        self.resident = resident_memory()
        self.startup = min(engine.startup_memory, self.used)
        self.clients = self.replicas = 0
        for one in engine.sessions:
            if one.output_class() != REPLICA:
                self.clients += one.memory()
        self.backlog = self.stream = 0
        if engine.replication is not None:
            self.backlog, self.stream, self.replicas = engine.replication.memory()
        self.tables = sum(map(table_memory, engine.keyspace.databases))
        self.links = 0 if engine.cluster is None else engine.cluster.links_memory()
        self.overhead = self.startup + self.clients + self.replicas + self.backlog + self.tables
        self.dataset = max(0, self.used - self.overhead)
        net = max(1, self.used - self.startup)
        self.dataset_share = min(100.0, self.dataset * 100 / net)
        self.fragmentation = self.resident / max(1, self.used)


def table_memory(db: Database) -> int:
    """The bytes that the hash tables of a database take, without the entries in them."""
    return sum(table["bytes"] for table in db.table_stats.values())


def resident_memory() -> int:
    """The resident set of this process in bytes; its peak where the system tells no more."""
    try:
        with open("/proc/self/statm", "rb") as stream:
            return int(stream.read().split()[1]) * resource.getpagesize()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _physical_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@section("threads")
def threads(engine: Engine) -> Fields:
    """What the threads do that read and write for clients: there is one, which does all."""
    counted = engine.stats
    clients = len(list(engine.sessions))
    return [
        ("io_thread_0", f"clients={clients},reads={counted.reads},writes={counted.writes}"),
    ]


@section("stats")
def stats(engine: Engine) -> Fields:
    """Counters since the start, or since CONFIG RESETSTAT."""
    counted, keyspace, fact = engine.stats, engine.keyspace, engine.facts.get
    denied = engine.users.log.counts
    exceeded, exceeded_now = engine.memory_limit.exceeded_ms
    return [
        ("total_connections_received", counted.connections),
        ("total_commands_processed", counted.commands),
        ("instantaneous_ops_per_sec", int(counted.ops_rate.per_second)),
        ("total_net_input_bytes", counted.input_bytes + counted.replica_input_bytes),
        ("total_net_output_bytes", counted.output_bytes + counted.replica_output_bytes),
        ("total_net_repl_input_bytes", counted.replica_input_bytes),
        ("total_net_repl_output_bytes", counted.replica_output_bytes),
        ("instantaneous_input_kbps", _kilobytes(counted.input_rate)),
        ("instantaneous_output_kbps", _kilobytes(counted.output_rate)),
        ("instantaneous_input_repl_kbps", _kilobytes(counted.replica_input_rate)),
        ("instantaneous_output_repl_kbps", _kilobytes(counted.replica_output_rate)),
        ("rejected_connections", counted.rejected_connections),
        ("sync_full", counted.full_syncs),
        ("sync_partial_ok", counted.partial_syncs),
        ("sync_partial_err", counted.refused_partial_syncs),
        ("expired_subkeys", keyspace.stats.expired_fields),
        ("expired_subkeys_active", keyspace.stats.expired_fields_active),
        ("expired_keys", keyspace.stats.expired),
        ("expired_keys_active", keyspace.stats.expired_active),
        ("expired_stale_perc", f"{keyspace.stats.expired_stale_perc:.2f}"),
        ("expired_time_cap_reached_count", keyspace.stats.expired_time_cap_reached),
        ("expire_cycle_cpu_milliseconds", keyspace.stats.expire_cycle_us // 1000),
        ("evicted_keys", keyspace.stats.evicted),
        ("evicted_clients", engine.client_eviction.evicted),
        ("evicted_scripts", _script_facts(engine).evicted),
        ("total_eviction_exceeded_time", exceeded),
        ("current_eviction_exceeded_time", exceeded_now),
        ("keyspace_hits", keyspace.stats.hits),
        ("keyspace_misses", keyspace.stats.misses),
        ("pubsub_channels", len(engine.pubsub.channels)),
        ("pubsub_patterns", len(engine.pubsub.patterns)),
        ("pubsubshard_channels", len(engine.pubsub.shard_channels)),
        ("latest_fork_usec", fact("latest_fork_usec", 0)),
        ("total_forks", fact("total_forks", 0)),
        ("migrate_cached_sockets", fact("migrate_cached_sockets", 0)),
        ("slave_expires_tracked_keys", _tracked_keys(engine)),
        ("active_defrag_hits", 0),
        ("active_defrag_misses", 0),
        ("active_defrag_key_hits", 0),
        ("active_defrag_key_misses", 0),
        ("total_active_defrag_time", 0),
        ("current_active_defrag_time", 0),
        ("tracking_total_keys", engine.tracking.total_keys),
        ("tracking_total_items", engine.tracking.total_items),
        ("tracking_total_prefixes", len(engine.tracking.prefixes)),
        ("unexpected_error_replies", fact("unexpected_error_replies", 0)),
        ("total_error_replies", counted.error_replies),
        ("dump_payload_sanitizations", fact("dump_payload_sanitizations", 0)),
        ("total_reads_processed", counted.reads),
        ("total_writes_processed", counted.writes),
        ("io_threaded_reads_processed", 0),
        ("io_threaded_writes_processed", 0),
        ("io_threaded_total_prefetch_batches", 0),
        ("io_threaded_total_prefetch_entries", 0),
        ("client_query_buffer_limit_disconnections", counted.input_limit_disconnections),
        ("client_output_buffer_limit_disconnections", counted.output_limit_disconnections),
        ("reply_buffer_shrinks", fact("reply_buffer_shrinks", 0)),
        ("reply_buffer_expands", fact("reply_buffer_expands", 0)),
        ("eventloop_cycles", counted.turns),
        ("eventloop_duration_sum", counted.turn_ns // 1000),
        ("eventloop_duration_cmd_sum", counted.command_ns // 1000),
        ("instantaneous_eventloop_cycles_per_sec", int(counted.turn_rate.per_second)),
        ("instantaneous_eventloop_duration_usec", counted.turn_us),
        ("slowlog_commands_count", counted.slow_commands),
        ("slowlog_commands_time_ms_max", f"{counted.slowest_ns / 1e6:.2f}"),
        ("slowlog_commands_time_ms_sum", f"{counted.slow_ns / 1e6:.2f}"),
        ("acl_access_denied_auth", denied[b"auth"]),
        ("acl_access_denied_cmd", denied[b"command"]),
        ("acl_access_denied_key", denied[b"key"]),
        ("acl_access_denied_channel", denied[b"channel"]),
        ("acl_access_denied_tls_cert", denied[b"tls-cert"]),
        *_incompatible(engine),
    ]


def _incompatible(engine: Engine) -> Fields:
    """What a cluster would have refused, if anybody wants to know."""
    compatibility = engine.compatibility
    return [("cluster_incompatible_ops", compatibility.count)] if compatibility.ratio else []


@section("debug")
def debug(engine: Engine) -> Fields:
    """Where the time of the event loop goes."""
    counted = engine.stats
    return [
        ("eventloop_duration_aof_sum", counted.log_ns // 1000),
        ("eventloop_duration_cron_sum", counted.cron_ns // 1000),
        ("eventloop_duration_max", counted.longest_turn_ns // 1000),
        ("eventloop_cmd_per_cycle_max", counted.most_commands),
    ]


def _kilobytes(rate: Rate) -> str:
    return f"{rate.per_second / 1024:.2f}"


@section("cpu")
def cpu(engine: Engine) -> Fields:
    """Processor time in seconds."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    thread = resource.getrusage(getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF))
    return [
        ("used_cpu_sys", f"{own.ru_stime:.6f}"),
        ("used_cpu_user", f"{own.ru_utime:.6f}"),
        ("used_cpu_sys_children", f"{children.ru_stime:.6f}"),
        ("used_cpu_user_children", f"{children.ru_utime:.6f}"),
        ("used_cpu_sys_main_thread", f"{thread.ru_stime:.6f}"),
        ("used_cpu_user_main_thread", f"{thread.ru_utime:.6f}"),
    ]


@section("modules")
def modules(engine: Engine) -> Fields:
    """The user modules that are loaded."""
    return [
        (
            "module",
            f"name={module.name},ver={module.version},api=1,filters=0,"
            "usedby=[],using=[],options=[]",
        )
        for module in engine.modules
    ]


@section("commandstats")
def commandstats(engine: Engine) -> Fields:
    """Calls and times of every command that was called."""
    rows = []
    for command in engine.registry.every():
        if not (command.calls or command.rejected_calls or command.failed_calls):
            continue
        per_call = command.microseconds / command.calls if command.calls else 0
        rows.append(
            (
                f"cmdstat_{command.name.decode()}",
                f"calls={command.calls},usec={command.microseconds},usec_per_call={per_call:.2f},"
                f"rejected_calls={command.rejected_calls},failed_calls={command.failed_calls}"
                f"{_slow_calls(command)}",
            )
        )
    return rows


def _slow_calls(command: Command) -> str:
    """What the slow log had of a command, if it had any."""
    if not command.slow_calls:
        return ""
    return (
        f",slowlog_count={command.slow_calls}"
        f",slowlog_time_ms_sum={command.slow_ns / 1e6:.2f}"
        f",slowlog_time_ms_max={command.slowest_ns / 1e6:.2f}"
    )


@section("errorstats")
def errorstats(engine: Engine) -> Fields:
    """How often each kind of error was replied."""
    return [
        (f"errorstat_{_as_field(code)}", f"count={count}")
        for code, count in sorted(engine.stats.errors.items())
    ]


# What a reader of INFO would take for the end of a name, or for a title.
_SAFE = bytes.maketrans(b"#:\r\n", b"____")


def _as_field(code: str) -> str:
    """The code of an error as a name in INFO; a script may have made one of any bytes."""
    return code.encode("latin-1").translate(_SAFE).decode("utf-8", "surrogateescape")


@section("latencystats")
def latencystats(engine: Engine) -> Fields:
    """Latency percentiles of every command that was called."""
    percents = engine.config["latency-tracking-info-percentiles"]
    rows = []
    for command in engine.registry.every():
        histogram = command.histogram
        if histogram is None or not histogram.total:
            continue
        shown = ",".join(
            f"p{format_float(percent).decode()}={histogram.percentile(percent) / 1000:.3f}"
            for percent in percents
        )
        rows.append((f"latency_percentiles_usec_{command.name.decode()}", shown))
    return rows


@section("cluster")
def cluster(engine: Engine) -> Fields:
    """Whether this node stands in a cluster."""
    return [("cluster_enabled", int(engine.cluster is not None))]


@section("keyspace")
def keyspace(engine: Engine) -> Fields:
    """Keys, keys with an expiry and the mean time they have left, by database."""
    return [
        (
            f"db{db.index}",
            f"keys={len(db)},expires={db.expires_count},avg_ttl={db.avg_ttl},"
            f"subexpiry={len(db.timed_hashes)}",
        )
        for db in engine.keyspace.databases
        if len(db)
    ]
