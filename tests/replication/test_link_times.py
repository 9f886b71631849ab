"""What INFO tells of how long a link to a primary has been there, and how often it was sought."""

from __future__ import annotations

from carnelian.resp.replies import Verbatim

from .simulated_nodes import Family, Server


def shown(replica: Server) -> dict[str, object]:
    link = replica.side.following
    assert link is not None
    fields = dict(link.fields())
    names = (
        "master_link_status", "master_current_sync_attempts", "master_total_sync_attempts",
        "master_link_up_since_seconds", "total_disconnect_time_sec",
    )  # fmt: skip
    return {name: fields[name] for name in names if name in fields}


def test_a_link_that_ends_and_comes_again() -> None:
    family = Family(3, count=2)
    family.arrange("n0")
    family.quiet()
    replica = family.server("n1")
    before = shown(replica)["master_link_up_since_seconds"]
    assert isinstance(before, int)
    family.network.run(20)
    now = shown(replica)
    assert now == {
        "master_link_status": "up",
        "master_current_sync_attempts": 1,
        "master_total_sync_attempts": 1,
        "master_link_up_since_seconds": before + 20,
        "total_disconnect_time_sec": 0,
    }
    family.network.crash("n0")
    family.network.run(10)
    now = shown(replica)
    assert now["master_link_status"] == "down"
    assert "master_link_up_since_seconds" not in now
    attempts, away = now["master_current_sync_attempts"], now["total_disconnect_time_sec"]
    assert isinstance(attempts, int) and attempts > 1
    assert now["master_total_sync_attempts"] == attempts + 1
    assert isinstance(away, int) and 8 <= away <= 10
    family.network.restart("n0")
    family.network.run(15)
    now = shown(replica)
    assert now["master_link_status"] == "up"
    assert isinstance(now["total_disconnect_time_sec"], int)
    assert away <= now["total_disconnect_time_sec"] <= away + 2


def test_time_away_goes_from_one_primary_to_the_next() -> None:
    family = Family(5, count=3)
    family.arrange("n0")
    family.quiet()
    replica = family.server("n1")
    assert shown(replica)["total_disconnect_time_sec"] == 0
    replica.follow(None)
    family.network.run(10)
    replica.follow("n2")
    family.network.run(10)
    now = shown(replica)
    assert now["master_link_status"] == "up"
    assert now["master_current_sync_attempts"] == now["master_total_sync_attempts"] == 1
    away = now["total_disconnect_time_sec"]
    assert isinstance(away, int) and 10 <= away <= 13
    replica.follow("nobody")
    family.network.run(5)
    later = shown(replica)
    assert later["master_link_status"] == "down"
    assert later["total_disconnect_time_sec"] in (away + 4, away + 5)


def test_fields_of_threads_and_of_full_copies() -> None:
    family = Family(4, count=2)
    family.arrange("n0")
    family.quiet()
    link = family.server("n1").side.following
    assert link is not None
    names = [name for name, _ in link.fields()]
    at = names.index("slave_repl_offset") + 1
    assert names[at : at + 3] == [
        "replica_full_sync_buffer_size", "replica_full_sync_buffer_peak",
        "master_current_sync_attempts",
    ]  # fmt: skip
    at = names.index("master_link_up_since_seconds") + 1
    assert names[at : at + 2] == ["master_client_io_thread", "total_disconnect_time_sec"]
    text = family.server("n0").call("INFO", "replication")
    assert isinstance(text, Verbatim)
    assert b",state=online," in text.text
    assert b",lag=0,io-thread=0\r\nmaster_failover_state:" in text.text
