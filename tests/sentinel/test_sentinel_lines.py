"""The ``sentinel`` lines of a file: read, written, and read again."""

from __future__ import annotations

import pytest

from carnelian.engine.config import ConfigFileError
from carnelian.sentinel.known import saved_lines, sentinel_lines

from .simulated_sentinels import NAME, Fleet, SimulatedSentinel, config_lines

MY_ID = "0123456789012345678901234567890123456789"
OTHER_ID = "f" * 40

# In an order in which no line may be read at once.
FILE = f"""\
sentinel down-after-milliseconds mymaster 5000
sentinel failover-timeout mymaster 9000
sentinel parallel-syncs mymaster 3
sentinel notification-script mymaster /bin/notify
sentinel client-reconfig-script mymaster "/bin/re configure"
sentinel auth-pass mymaster "p w"
sentinel auth-user mymaster me
sentinel master-reboot-down-after-period mymaster 100
sentinel config-epoch mymaster 3
sentinel leader-epoch mymaster 4
sentinel known-replica mymaster r1 6379
sentinel known-sentinel mymaster s1 26379 {OTHER_ID}
sentinel rename-command mymaster CONFIG guessme
sentinel monitor mymaster r0 6379 2
sentinel monitor other r9 6380 1
sentinel current-epoch 5
sentinel myid {MY_ID}
sentinel announce-ip 10.0.0.1
sentinel announce-port 1234
sentinel sentinel-user me
sentinel sentinel-pass secret
sentinel deny-scripts-reconfig no
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
"""


def loaded(text: str) -> SimulatedSentinel:
    fleet = Fleet(servers=1, sentinels=0)
    fleet.first_file = text.splitlines()
    fleet.network.node("s0", fleet._boot_sentinel)
    return fleet.sentinel()


def written(each: SimulatedSentinel, forced: bool = True) -> list[str]:
    return [
        line.text.decode()
        for word in saved_lines.WORDS
        for line in saved_lines.lines_of(each.watch, word)
        if line.forced or not forced
    ]


def test_everything_is_read() -> None:
    each = loaded(FILE)
    primary, options = each.primary, each.watch.options
    assert each.watch.my_id == MY_ID
    assert each.watch.current_epoch == 5
    assert (primary.down_after, primary.failover_timeout, primary.parallel_syncs) == (5000, 9000, 3)
    assert primary.notification_script == "/bin/notify"
    assert primary.reconfig_script == "/bin/re configure"
    assert (primary.auth_user, primary.auth_pass) == ("me", "p w")
    assert primary.reboot_down_after == 100
    assert (primary.config_epoch, primary.leader_epoch) == (3, 4)
    assert list(primary.replicas) == ["r1:6379"]
    assert list(primary.sentinels) == [OTHER_ID]
    assert {member.down_after for member in primary.members()} == {5000}
    assert primary.command("config") == b"guessme"
    assert primary.command("INFO") == b"INFO"
    assert (options.announce_ip, options.announce_port) == ("10.0.0.1", 1234)
    assert (options.sentinel_user, options.sentinel_pass) == ("me", "secret")
    assert not options.deny_scripts_reconfig
    assert options.resolve_hostnames
    assert options.announce_hostnames
    assert each.watch.primaries["other"].quorum == 1


def test_what_is_written_is_read_again() -> None:
    first = written(loaded(FILE), forced=False)
    again = written(loaded("\n".join(first)), forced=False)
    assert again == first
    assert set(FILE.splitlines()) <= set(first)


def test_defaults_are_not_added() -> None:
    assert written(loaded("sentinel monitor a r0 6379 1\nsentinel myid " + MY_ID)) == [
        f"sentinel myid {MY_ID}",
        "sentinel monitor a r0 6379 1",
        "sentinel config-epoch a 0",
        "sentinel leader-epoch a 0",
        "sentinel current-epoch 0",
    ]


def test_old_words() -> None:
    each = loaded(
        "sentinel monitor mymaster r0 6379 2\n"
        "sentinel known-slave mymaster r1 6379\n"
        "sentinel known-sentinel mymaster s1 26379\n"
        "SENTINEL MYID " + MY_ID
    )
    assert list(each.primary.replicas) == ["r1:6379"]
    assert not each.primary.sentinels


def test_in_a_failover_the_new_primary_is_written() -> None:
    fleet = Fleet()
    fleet.wait_for_meeting()
    fleet.network.crash("r0")
    fleet.network.run_until(lambda: bool(fleet.events("+promoted-slave")), 20)
    leader = fleet.sentinel(fleet.events("+promoted-slave")[0].node)
    new = leader.primary.current_address.host
    assert leader.primary.address.host == "r0"
    file = [line.decode() for line in leader.node.disk["file"]]
    assert f"sentinel monitor {NAME} {new} 6379 2" in file
    assert f"sentinel known-replica {NAME} r0 6379" in file
    assert f"sentinel known-replica {NAME} {new} 6379" not in file


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("sentinel nonsense", "Unrecognized sentinel configuration statement."),
        ("sentinel monitor a r0 6379", "Unrecognized sentinel configuration statement."),
        ("sentinel monitor a r0 6379 0", "Quorum must be 1 or greater."),
        ("sentinel monitor a r0 70000 1", "Invalid port number."),
        ("sentinel monitor mymaster r0 6379 1", "Duplicate master name."),
        ("sentinel monitor a nobody 6379 1", "Can't resolve instance hostname."),
        ("sentinel quorum mymaster 2", "Unrecognized sentinel configuration statement."),
        ("sentinel parallel-syncs x 2", "No such master with specified name."),
        ("sentinel down-after-milliseconds mymaster 0", "negative or zero time parameter."),
        ("sentinel failover-timeout mymaster -5", "negative or zero time parameter."),
        ("sentinel master-reboot-down-after-period mymaster -1", "negative time parameter."),
        (
            "sentinel notification-script mymaster nowhere",
            "Notification script seems non existing or non executable.",
        ),
        (
            "sentinel client-reconfig-script mymaster nowhere",
            "Client reconfiguration script seems non existing or non executable.",
        ),
        ("sentinel myid short", "Malformed Sentinel id in myid option."),
        (
            "sentinel known-replica mymaster r1 6379",
            "Duplicate hostname and port for replica.",
        ),
        (f"sentinel known-sentinel mymaster s2 1 {OTHER_ID}", "Duplicate runid for sentinel."),
        (
            "sentinel rename-command mymaster config x",
            "Same command renamed multiple times with rename-command.",
        ),
        (
            "sentinel deny-scripts-reconfig maybe",
            "Please specify yes or no for the deny-scripts-reconfig options.",
        ),
        (
            "sentinel resolve-hostnames maybe",
            "Please specify yes or no for the resolve-hostnames option.",
        ),
        (
            "sentinel announce-hostnames maybe",
            "Please specify yes or no for the announce-hostnames option.",
        ),
    ],
)
def test_bad_lines(line: str, reason: str) -> None:
    each = loaded(FILE)
    each.unknown = {"nobody"}
    each.watch.options.resolve_hostnames = False
    with pytest.raises(ConfigFileError) as caught:
        sentinel_lines.load(
            each.watch, config_lines([b"sentinel myid " + b"0" * 40, line.encode()])
        )
    assert caught.value.reason == reason
    assert caught.value.line_number == 2
    assert caught.value.line == line
