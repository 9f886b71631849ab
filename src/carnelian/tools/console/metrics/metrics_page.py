"""The metrics of a server, gathered from what it tells a client."""

from __future__ import annotations

import time

from carnelian.tools.console.answers.info_text import number, parse_facts, parse_info
from carnelian.tools.console.answers.live_figures import read_histograms
from carnelian.tools.console.link.link_errors import LinkError, RefusedError
from carnelian.tools.console.link.redis_link import RedisLink
from carnelian.tools.console.link.reply_stream import Reply
from carnelian.tools.console.metrics.exposition import Exposition
from carnelian.tools.console.metrics.metric_names import (
    CLUSTER_COUNTERS,
    CLUSTER_GAUGES,
    COUNTERS,
    GAUGES,
    INSTANCE_LABELS,
    WORDS,
    Named,
)

_COMMANDS = "cmdstat_"
_ERRORS = "errorstat_"
_PERCENTILES = "latency_percentiles_usec_"
_KEYSPACE = (
    ("keys", "db_keys", "Keys by database.", 1.0),
    ("expires", "db_keys_expiring", "Keys with a time to live.", 1.0),
    ("avg_ttl", "db_avg_ttl_seconds", "How long these have left, on average.", 1e-3),
    ("cached_keys", "db_keys_cached", "Keys that are cached.", 1.0),
    ("subexpiry", "db_keys_with_expiring_items", "Hashes with fields that expire.", 1.0),
)


def gather(link: RedisLink) -> Exposition:
    """All metrics. ``redis_up`` alone, which is 0, if the server cannot be asked.

    Raises LoginRefusedError if the user may not log in, RefusedError if they may not ask for INFO;
    what else they may not ask for is left out.
    """
    page = Exposition()
    began = time.perf_counter()
    try:
        link.attempt("PING")
        page.gauge(
            "exporter_last_scrape_connect_time_seconds",
            "Seconds that it took to connect and to log in.",
            time.perf_counter() - began,
        )
        reply = link.call("INFO", "everything")
    except LinkError as error:
        page.gauge("up", "Whether the server answers.", 0)
        page.gauge(
            "exporter_last_scrape_error", "Whether it could be asked.", 1, {"err": str(error)}
        )
        return page
    except RefusedError as error:
        kind = str(error).partition(" ")[0]
        if kind in ("LOADING", "BUSY"):
            page.gauge("up", "Whether the server answers.", 1)
            if kind == "LOADING":
                page.gauge("loading_dump_file", "Whether data are being loaded.", 1)
            return page
        raise
    info = parse_info(_text(reply))
    page.gauge("up", "Whether the server answers.", 1)
    page.gauge("exporter_last_scrape_error", "Whether it could be asked.", 0, {"err": ""})
    _add_fields(page, info, GAUGES, COUNTERS)
    _add_instance(page, info)
    _add_replication(page, info)
    _add_keyspace(page, info)
    _add_commands(page, info)
    _add_configuration(page, link)
    _add_latency(page, link, info)
    _add_slow_log(page, link)
    if info.get("cluster_enabled") == "1":
        cluster = parse_info(_text(link.attempt("CLUSTER", "INFO")))
        _add_fields(page, cluster, CLUSTER_GAUGES, CLUSTER_COUNTERS)
    page.gauge(
        "exporter_last_scrape_duration_seconds",
        "Seconds that it took to ask.",
        time.perf_counter() - began,
    )
    return page


def _add_fields(
    page: Exposition, info: dict[str, str], gauges: tuple[Named, ...], counters: tuple[Named, ...]
) -> None:
    for field, name, help in gauges:
        value = _value(info.get(field))
        if value is not None:
            page.gauge(name, help, value)
    for field, name, help in counters:
        value = _value(info.get(field))
        if value is not None:
            page.counter(name, help, value)


def _value(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(text)
    except ValueError:
        return WORDS.get(text)


def _add_instance(page: Exposition, info: dict[str, str]) -> None:
    page.info(
        "instance",
        "What the server is.",
        {label: info.get(label, "") for label in INSTANCE_LABELS},
    )
    if "latest_fork_usec" in info:
        seconds = number(info["latest_fork_usec"]) / 1e6
        page.gauge("latest_fork_seconds", "Seconds of the last fork.", seconds)
    if "uptime_in_seconds" in info:
        page.gauge(
            "start_time_seconds",
            "When the server was started.",
            int(time.time()) - number(info["uptime_in_seconds"]),
        )


def _add_replication(page: Exposition, info: dict[str, str]) -> None:
    for name, text in info.items():
        if not name.startswith("slave") or not name[5:].isdigit():
            continue
        facts = parse_facts(text)
        labels = {
            "slave_ip": facts.get("ip", ""),
            "slave_port": facts.get("port", ""),
            "slave_state": facts.get("state", ""),
        }
        offset, lag = number(facts.get("offset")), number(facts.get("lag"))
        page.gauge("connected_slave_offset_bytes", "How far a replica is.", offset, labels)
        if lag >= 0:
            page.gauge("connected_slave_lag_seconds", "Since when it is silent.", lag, labels)
    if info.get("role") != "slave":
        return
    primary = {
        "master_host": info.get("master_host", ""),
        "master_port": info.get("master_port", ""),
    }
    up = float(info.get("master_link_status") == "up")
    page.gauge("master_link_up", "Whether the link to the primary is up.", up, primary)
    for field, help in (
        ("master_last_io_seconds_ago", "Seconds since the primary was heard."),
        ("master_sync_in_progress", "Whether a copy comes from the primary."),
    ):
        if field in info:
            page.gauge(field, help, number(info[field]), primary)
    page.info(
        "slave",
        "Whom a replica follows.",
        {**primary, "read_only": info.get("slave_read_only", "")},
    )


def _add_keyspace(page: Exposition, info: dict[str, str]) -> None:
    databases = {
        name: parse_facts(text)
        for name, text in info.items()
        if name.startswith("db") and name[2:].isdigit()
    }
    for fact, metric, help, scale in _KEYSPACE:
        for name, facts in databases.items():
            if fact in facts:
                page.gauge(metric, help, number(facts[fact]) * scale, {"db": name})


def _add_commands(page: Exposition, info: dict[str, str]) -> None:
    for name, text in info.items():
        if name.startswith(_COMMANDS):
            facts, labels = parse_facts(text), {"cmd": name[len(_COMMANDS) :]}
            calls, seconds = number(facts.get("calls")), number(facts.get("usec")) / 1e6
            page.counter("commands", "Calls by command.", calls, labels)
            page.counter("commands_duration_seconds", "Their time.", seconds, labels)
            for fact, help in (
                ("rejected_calls", "Calls that were not let in."),
                ("failed_calls", "Calls that ended with an error."),
            ):
                if fact in facts:
                    page.counter(f"commands_{fact}", help, number(facts[fact]), labels)
        elif name.startswith(_ERRORS):
            count = number(parse_facts(text).get("count"))
            labels = {"err": name[len(_ERRORS) :]}
            page.counter("errors", "Errors by their first word.", count, labels)
        elif name.startswith(_PERCENTILES):
            _add_percentiles(page, info, name[len(_PERCENTILES) :], parse_facts(text))


def _add_percentiles(
    page: Exposition, info: dict[str, str], command: str, facts: dict[str, str]
) -> None:
    stats = parse_facts(info.get(_COMMANDS + command, ""))
    page.summary(
        "latency_percentiles_usec",
        "Microseconds that calls take, by command.",
        {number(name[1:]) / 100: number(text) for name, text in facts.items()},
        number(stats.get("calls")),
        number(stats.get("usec")),
        {"cmd": command},
    )


def _add_configuration(page: Exposition, link: RedisLink) -> None:
    for name in ("maxmemory", "maxclients"):
        # One at a time: older servers take no more.
        reply = link.attempt("CONFIG", "GET", name)
        if isinstance(reply, list) and len(reply) == 2:
            page.gauge(f"config_{name}", "As configured.", number(_text(reply[1])))


def _add_latency(page: Exposition, link: RedisLink, info: dict[str, str]) -> None:
    events = link.attempt("LATENCY", "LATEST")
    for event in events if isinstance(events, list) else []:
        if isinstance(event, list) and isinstance(event[1], int) and isinstance(event[2], int):
            labels = {"event_name": _text(event[0])}
            page.gauge("latency_spike_last", "When it was last slow.", event[1], labels)
            page.gauge("latency_spike_duration_seconds", "For how long.", event[2] / 1e3, labels)
    for command, counts in read_histograms(link.attempt("LATENCY", "HISTOGRAM")).items():
        stats = parse_facts(info.get(_COMMANDS + command, ""))
        page.histogram(
            "latency_usec",
            "Microseconds that calls take, by command.",
            {float(bound): count for bound, count in counts.items()},
            max(counts.values(), default=0),
            number(stats.get("usec")),
            {"cmd": command},
        )


def _add_slow_log(page: Exposition, link: RedisLink) -> None:
    length = link.attempt("SLOWLOG", "LEN")
    newest = link.attempt("SLOWLOG", "GET", 1)
    if not isinstance(length, int) or not isinstance(newest, list):
        return
    page.gauge("slowlog_length", "Entries of the slow log.", length)
    entry = newest[0] if newest and isinstance(newest[0], list) else [0, 0, 0]
    identity, usec = entry[0], entry[2]
    if isinstance(identity, int) and isinstance(usec, int):
        page.gauge("slowlog_last_id", "Its newest entry.", identity)
        page.gauge("last_slow_execution_duration_seconds", "How long that took.", usec / 1e6)


def _text(reply: Reply) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else ""
