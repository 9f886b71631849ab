"""What is read in INFO."""

from __future__ import annotations

from carnelian.sentinel.known.instances import Role
from carnelian.sentinel.watching.info_report import parse

PRIMARY = b"""# Server\r
redis_version:7.0.15\r
run_id:0123456789012345678901234567890123456789\r
# Replication\r
role:master\r
connected_slaves:2\r
slave0:ip=127.0.0.1,port=6380,state=online,offset=14,lag=1\r
slave1:ip=::1,port=6381,state=wait_bgsave,offset=0,lag=0\r
slave_priority:7\r
master_repl_offset:14\r
"""

REPLICA = b"""role:slave\r
master_host:10.0.0.1\r
master_port:6379\r
master_link_status:up\r
slave_repl_offset:123456789012\r
slave_priority:50\r
replica_announced:0\r
master_link_down_since_seconds:12\r
"""


def test_a_primary() -> None:
    report = parse(PRIMARY)
    assert report.role is Role.PRIMARY
    assert report.run_id == "0123456789012345678901234567890123456789"
    assert report.replicas == [("127.0.0.1", 6380), ("::1", 6381)]
    # What replicas say is of no interest here.
    assert report.priority is None


def test_a_replica() -> None:
    report = parse(REPLICA)
    assert report.role is Role.REPLICA
    assert (report.primary_host, report.primary_port) == ("10.0.0.1", 6379)
    assert report.link_is_up is True
    assert report.offset == 123456789012
    assert report.priority == 50
    assert report.announced is False
    assert report.link_down_ms == 12_000


def test_old_lines_of_replicas() -> None:
    assert parse(b"role:master\r\nslave0:10.0.0.2,6380,online\r\n").replicas == [("10.0.0.2", 6380)]


def test_nonsense_is_nothing() -> None:
    report = parse(
        b"\xff\x00role:master\r\nrun_id:short\r\nslave0\r\nslave1:a,b\r\nslave2:ip=x\r\n"
    )
    assert report.role is None
    assert report.run_id is None
    assert report.replicas == []


def test_what_is_missing_is_not_known() -> None:
    report = parse(b"role:slave\r\n")
    assert report.primary_host is None
    assert report.primary_port is None
    assert report.link_is_up is None
    assert report.link_down_ms == 0
