"""Metrics, and what probes are told."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from carnelian.tools.console.metrics.exposition import Exposition
from support.servers import require
from support.waiting import free_port, wait_for

from .conftest import Console, StartConsole

SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana-dashboard.json"
# What there is only with replicas, on a replica, or after an error.
AT_TIMES = {
    "redis_connected_slave_lag_seconds",
    "redis_connected_slave_offset_bytes",
    "redis_master_link_up",
}

# What the exporter tells of itself and of what is not asked for here.
OF_THE_EXPORTER = {
    # It changes nothing here.
    "redis_config_io_threads",
    # No Redis tells it; the exporter makes it 0.
    "redis_db_keys_cached",
    "redis_exporter_build_info",
    "redis_exporter_scrape_duration_seconds_count",
    "redis_exporter_scrape_duration_seconds_sum",
    "redis_exporter_scrapes_total",
    "redis_last_key_groups_scrape_duration_milliseconds",
    "redis_target_scrape_request_errors_total",
}


def samples(text: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """Names, labels and values; fails for a line that is none of these and no comment."""
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        found = SAMPLE.fullmatch(line)
        assert found is not None, line
        yield found[1], dict(LABEL.findall(found[2] or "")), found[3]


def value(text: str, name: str, **labels: str) -> float:
    (found,) = [text for sample, marks, text in samples(text) if sample == name and marks == labels]
    return float(found)


def test_metrics_are_openmetrics(console: Console) -> None:
    client = console.client()
    client.call("FLUSHALL")
    client.call("SET", "a", "1", "EX", 100)
    client.call("SET", "b", "1")
    client.call("GET", "missing")
    answer = console.browser().get("/metrics")
    assert (answer.status, answer.headers["Content-Type"]) == (200, OPENMETRICS)
    text = answer.text
    assert text.endswith("\n# EOF\n")
    assert value(text, "redis_up") == 1
    assert value(text, "redis_db_keys", db="db0") == 2
    assert value(text, "redis_db_keys_expiring", db="db0") == 1
    assert value(text, "redis_connected_clients") >= 1
    assert value(text, "redis_commands_total", cmd="set") >= 2
    assert value(text, "redis_keyspace_misses_total") >= 1
    assert value(text, "redis_config_maxclients") == 10000
    assert value(text, "redis_latency_usec_bucket", cmd="set", le="+Inf") >= 2


def test_each_family_stands_together_with_its_type_before_it(console: Console) -> None:
    families: dict[str, str] = {}
    current = ""
    for line in console.browser().get("/metrics").text.splitlines():
        if line.startswith("# TYPE "):
            _, _, current, kind = line.split(" ")
            assert current not in families
            families[current] = kind
        elif not line.startswith("#"):
            name = line.partition(" ")[0].partition("{")[0]
            suffixes = {
                "counter": ("_total",),
                "gauge": ("",),
                "info": ("_info",),
                "summary": ("", "_count", "_sum"),
                "histogram": ("_bucket", "_count", "_sum"),
            }[families[current]]
            assert name in {current + suffix for suffix in suffixes}
    assert {"counter", "gauge", "info", "summary", "histogram"} == set(families.values())


def test_buckets_only_grow(console: Console) -> None:
    for _ in range(20):
        console.client().call("PING")
    last: dict[str, tuple[float, float]] = {}
    for name, labels, text in samples(console.browser().get("/metrics").text):
        if name != "redis_latency_usec_bucket":
            continue
        bound, count = float(labels["le"]), float(text)
        before = last.get(labels["cmd"], (0.0, 0.0))
        assert bound > before[0]
        assert count >= before[1]
        last[labels["cmd"]] = (bound, count)
    assert last


def test_the_older_format_for_those_who_ask_for_it(console: Console) -> None:
    answer = console.browser().get("/metrics", Accept="text/plain;version=0.0.4")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "# TYPE redis_commands_total counter\n" in answer.text
    assert "# TYPE redis_instance_info gauge\n" in answer.text
    assert "# EOF" not in answer.text


def test_labels_are_escaped() -> None:
    page = Exposition("x_")
    page.gauge("level", 'A "level"\nof \\ things', 1.5, {"name": 'a"b\\c\nd'})
    page.counter("events", "Events", 2**40)
    assert page.openmetrics() == (
        "# TYPE x_level gauge\n"
        '# HELP x_level A \\"level\\"\\nof \\\\ things\n'
        'x_level{name="a\\"b\\\\c\\nd"} 1.5\n'
        "# TYPE x_events counter\n"
        "# HELP x_events Events\n"
        "x_events_total 1099511627776\n"
        "# EOF\n"
    )


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_a_user_is_needed_where_there_is_a_password(start: StartConsole) -> None:
    console = start("--requirepass", "sesame")
    client = console.client()
    client.call("AUTH", "sesame")
    client.call("ACL", "SETUSER", "metrics", "on", ">m:m", "+info")
    client.call("ACL", "SETUSER", "nothing", "on", ">n", "+ping")
    browser = console.browser()
    answer = browser.get("/metrics")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Redis user", charset="UTF-8"'
    assert browser.get("/metrics", Authorization="Basic %%%").status == 400
    assert browser.get("/metrics", Authorization=basic("metrics", "wrong")).status == 401
    answer = browser.get("/metrics", Authorization=basic("metrics", "m:m"))
    assert value(answer.text, "redis_up") == 1
    # What the user may not ask for is left out.
    assert "redis_config_maxclients" not in answer.text
    assert browser.get("/metrics", Authorization=basic("nothing", "n")).status == 403
    assert browser.get("/health").text == "ok\n"
    assert browser.get("/ready").text == "ready\n"


def test_a_replica_is_ready_when_it_is_linked(start: StartConsole) -> None:
    primary = start()
    replica = start("--replicaof", f"127.0.0.1 {primary.server.port}")
    browser = replica.browser()
    wait_for(lambda: browser.get("/ready").status == 200)
    text = browser.get("/metrics").text
    place = {"master_host": "127.0.0.1", "master_port": str(primary.server.port)}
    assert value(text, "redis_master_link_up", **place) == 1
    primary.server.stop()
    wait_for(lambda: browser.get("/ready").status == 503)
    assert browser.get("/ready").text == "unlinked\n"
    assert browser.get("/health").status == 200


def test_names_are_those_of_redis_exporter(console: Console) -> None:
    require("prometheus-redis-exporter", "prometheus-redis-exporter")
    console.client().call("SET", "k", "v", "EX", 100)
    port = free_port()
    exporter = subprocess.Popen(
        [
            "prometheus-redis-exporter",
            f"-redis.addr=redis://127.0.0.1:{console.server.port}",
            f"-web.listen-address=127.0.0.1:{port}",
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        theirs = _scraped(f"http://127.0.0.1:{port}/metrics")
    finally:
        exporter.terminate()
        exporter.wait(10)
    ours = {
        (name, frozenset(labels))
        for name, labels, _ in samples(console.browser().get("/metrics").text)
    }
    names = {name for name, _ in ours}
    wanted = {
        (name, frozenset(labels))
        for name, labels, _ in samples(theirs)
        if name.startswith("redis_") and name not in OF_THE_EXPORTER
    }
    assert len(wanted) > 100
    assert sorted({name for name, _ in wanted} - names) == []
    # Later versions of it have one label more.
    assert [name for name, _ in wanted - ours] == ["redis_instance_info"]


def _scraped(url: str) -> str:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.mark.parametrize("path", ["/metrics", "/health", "/ready"])
def test_head_tells_without_a_body(console: Console, path: str) -> None:
    answer = console.browser().request("HEAD", path)
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0


def test_the_dashboard_asks_for_what_there_is(console: Console) -> None:
    client = console.client()
    client.call("SET", "k", "v", "EX", 100)
    client.call("NO-SUCH-COMMAND")
    names = {name for name, _, _ in samples(console.browser().get("/metrics").text)} | AT_TIMES
    dashboard = json.loads(DASHBOARD.read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for target in panel["targets"]:
            asked = set(re.findall(r"redis_[a-z_]+", target["expr"]))
            assert asked
            assert asked <= names, panel["title"]
    assert len(panels) >= 20
