"""SENTINEL's subcommands, and what Sentinels serve besides: exact replies and errors."""

from __future__ import annotations

import pytest

from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.resp.replies import Verbatim
from carnelian.sentinel.serving.served_commands import ServedCommands
from support.local import LocalClient

from .simulated_sentinels import NAME, Fleet, SimulatedSentinel


class Served:
    """A Sentinel of a fleet, and a client of it."""

    def __init__(self, fleet: Fleet, name: str = "s0", protocol: int = 2):
        self.fleet = fleet
        self.each = fleet.sentinel(name)
        self.engine = Engine(Config(), fleet.network.clock)
        ServedCommands(self.each.sentinel, self.engine).install()
        self.client = LocalClient(self.engine, protocol)

    def __call__(self, *words: object) -> object:
        return self.client(*words)  # type: ignore[arg-type]

    def only_script(self) -> dict[bytes, bytes]:
        reply = self("SENTINEL", "PENDING-SCRIPTS")
        assert isinstance(reply, list)
        assert len(reply) == 1
        return reply[0]

    def info(self, *words: str) -> bytes:
        reply = self("INFO", *words)
        assert isinstance(reply, Verbatim)
        return reply.text

    def error(self, *words: object) -> str:
        return self.client.error(*words)  # type: ignore[arg-type]


@pytest.fixture
def fleet() -> Fleet:
    fleet = Fleet()
    fleet.wait_for_meeting()
    fleet.run(1)
    return fleet


@pytest.fixture
def served(fleet: Fleet) -> Served:
    return Served(fleet)


class TestAsking:
    def test_master(self, served: Served) -> None:
        reply = served("SENTINEL", "MASTER", NAME)
        assert isinstance(reply, dict)
        assert list(reply) == [
            b"name", b"ip", b"port", b"runid", b"flags", b"link-pending-commands",
            b"link-refcount", b"last-ping-sent", b"last-ok-ping-reply", b"last-ping-reply",
            b"down-after-milliseconds", b"info-refresh", b"role-reported", b"role-reported-time",
            b"config-epoch", b"num-slaves", b"num-other-sentinels", b"quorum", b"failover-timeout",
            b"parallel-syncs",
        ]  # fmt: skip
        assert reply[b"name"] == b"mymaster"
        assert reply[b"flags"] == b"master"
        assert reply[b"num-slaves"] == b"2"
        assert reply[b"num-other-sentinels"] == b"2"
        assert served("SENTINEL", "MASTERS") == [served("SENTINEL", "MASTER", NAME)]

    def test_replicas(self, served: Served) -> None:
        reply = served("SENTINEL", "REPLICAS", NAME)
        assert isinstance(reply, list)
        assert [row[b"name"] for row in reply] == [b"r2:6379", b"r1:6379"]
        assert list(reply[0])[-7:] == [
            b"master-link-down-time", b"master-link-status", b"master-host", b"master-port",
            b"slave-priority", b"slave-repl-offset", b"replica-announced",
        ]  # fmt: skip
        assert reply[0][b"flags"] == b"slave"
        assert reply[0][b"master-host"] == b"r0"
        assert reply == served("SENTINEL", "SLAVES", NAME)

    def test_replicas_that_do_not_want_to_be_known(self, served: Served) -> None:
        served.each.primary.replicas["r1:6379"].announced = False
        reply = served("SENTINEL", "REPLICAS", NAME)
        assert isinstance(reply, list)
        assert [row[b"name"] for row in reply] == [b"r2:6379"]

    def test_sentinels(self, served: Served) -> None:
        reply = served("SENTINEL", "SENTINELS", NAME)
        assert isinstance(reply, list)
        assert {row[b"ip"] for row in reply} == {b"s1", b"s2"}
        assert list(reply[0])[-3:] == [
            b"last-hello-message",
            b"voted-leader",
            b"voted-leader-epoch",
        ]
        assert reply[0][b"voted-leader"] == b"?"

    def test_rows_of_a_failover(self, fleet: Fleet) -> None:
        fleet.network.crash("r0")
        fleet.network.run_until(lambda: bool(fleet.events("+slave-reconf-sent")), 30)
        served = Served(fleet, fleet.events("+slave-reconf-sent")[0].node)
        row = served("SENTINEL", "MASTER", NAME)
        assert isinstance(row, dict)
        assert b"s_down,o_down,master" in row[b"flags"]
        assert row[b"flags"].endswith(b"failover_in_progress")
        assert row[b"failover-state"] == b"reconf_slaves"
        assert {b"s-down-time", b"o-down-time"} <= row.keys()
        rows = served("SENTINEL", "REPLICAS", NAME)
        assert isinstance(rows, list)
        assert {row[b"flags"] for row in rows} == {b"slave,promoted", b"slave,reconf_sent"}

    def test_where_a_primary_is(self, served: Served) -> None:
        assert served("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME) == [b"r0", b"6379"]
        assert served("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "x") is None

    def test_names_that_nobody_has(self, served: Served) -> None:
        for subcommand in ("MASTER", "REPLICAS", "SENTINELS", "CKQUORUM", "FAILOVER", "REMOVE"):
            wanted = "ERR No such master with that name"
            assert served.error("SENTINEL", subcommand, "x") == wanted
        assert served.error("SENTINEL", "SET", "x", "quorum", 1) == wanted

    def test_wrong_numbers_of_words(self, served: Served) -> None:
        wanted = "ERR wrong number of arguments for 'sentinel|%s' command"
        assert served.error("SENTINEL", "MASTER") == wanted % "master"
        assert served.error("SENTINEL", "MASTERS", "x") == wanted % "masters"
        assert served.error("SENTINEL", "SET", NAME, "quorum") == wanted % "set"
        assert served.error("SENTINEL") == "ERR wrong number of arguments for 'sentinel' command"
        assert served.error("SENTINEL", "X") == "ERR unknown subcommand 'X'. Try SENTINEL HELP."

    def test_quorum(self, served: Served) -> None:
        assert served("SENTINEL", "CKQUORUM", NAME) == (
            b"OK 3 usable Sentinels. Quorum and failover authorization can be reached"
        )
        served("SENTINEL", "SET", NAME, "quorum", 4)
        quorum = "Not enough available Sentinels to reach the specified quorum for this master"
        majority = "Not enough available Sentinels to reach the majority and authorize a failover"
        assert served.error("SENTINEL", "CKQUORUM", NAME) == (
            f"NOQUORUM 3 usable Sentinels. {quorum}"
        )
        for peer in served.each.primary.sentinels.values():
            peer.s_down = True
        assert served.error("SENTINEL", "CKQUORUM", NAME) == (
            f"NOQUORUM 1 usable Sentinels. {quorum}. {majority}"
        )
        served("SENTINEL", "SET", NAME, "quorum", 1)
        assert served.error("SENTINEL", "CKQUORUM", NAME) == (
            f"NOQUORUM 1 usable Sentinels. {majority}"
        )

    def test_info_cache(self, served: Served) -> None:
        reply = served("SENTINEL", "INFO-CACHE", NAME, "x", NAME)
        assert isinstance(reply, list)
        assert reply[0] == b"mymaster"
        assert len(reply[1]) == 3
        assert b"role:master" in reply[1][0][1]
        assert b"role:slave" in reply[1][1][1]
        assert served("SENTINEL", "INFO-CACHE", "x") == []

    def test_votes(self, served: Served) -> None:
        ask = ("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", "r0", 6379)
        assert served(*ask, 0, "*") == [0, b"*", 0]
        assert served(*ask, 7, "abc") == [0, b"abc", 7]
        assert served(*ask, 7, "def") == [0, b"abc", 7]
        served.each.primary.s_down = True
        assert served(*ask, 0, "*") == [1, b"*", 0]
        assert served("SENTINEL", "IS-MASTER-DOWN-BY-ADDR", "r7", 6379, 9, "x") == [0, b"*", 0]
        assert served.error(*ask, "x", "*") == "ERR value is not an integer or out of range"

    def test_who_it_is(self, served: Served) -> None:
        assert served("SENTINEL", "MYID") == served.each.watch.my_id.encode()
        assert served("ROLE") == [b"sentinel", [b"mymaster"]]

    def test_help(self, served: Served) -> None:
        reply = served("SENTINEL", "HELP")
        assert isinstance(reply, list)
        assert reply[0] == b"SENTINEL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"
        assert b"MONITOR <name> <ip> <port> <quorum>" in reply


class TestChanging:
    def test_monitor_and_remove(self, served: Served) -> None:
        assert served("SENTINEL", "MONITOR", "b", "r1", 6379, 2) == b"OK"
        assert b"sentinel monitor b r1 6379 2" in served.each.node.disk["file"]
        assert served.each.events("+monitor")[-1].text == "master b r1 6379 quorum 2"
        assert served("ROLE") == [b"sentinel", [b"mymaster", b"b"]]
        served.fleet.run(3)
        assert served.each.watch.primaries["b"].info_refresh
        assert served("SENTINEL", "REMOVE", "b") == b"OK"
        assert served.each.events("-monitor")[-1].text == "master b r1 6379"
        assert not any(b" b " in line for line in served.each.node.disk["file"])

    @pytest.mark.parametrize(
        ("words", "error"),
        [
            (("b", "r1", 6379, "x"), "ERR Invalid quorum"),
            (("b", "r1", "x", 1), "ERR Invalid port"),
            (("b", "r1", 6379, 0), "ERR Quorum must be 1 or greater."),
            (("b", "r1", 65536, 1), "ERR Invalid port number."),
            (("b", "nobody", 6379, 1), "ERR Invalid IP address or hostname specified"),
            ((NAME, "r1", 6379, 1), "ERR Duplicate master name."),
            (("b\rc", "r1", 6379, 1), "ERR Master name must not contain control characters"),
        ],
    )
    def test_monitor_errors(self, served: Served, words: tuple, error: str) -> None:
        served.each.unknown = {"nobody"}
        assert served.error("SENTINEL", "MONITOR", *words) == error
        assert list(served.each.watch.primaries) == [NAME]

    def test_names_with_blanks_survive(self, served: Served) -> None:
        assert served("SENTINEL", "MONITOR", "my master", "r1", 6379, 2) == b"OK"
        served.fleet.network.crash("s0")
        served.fleet.network.restart("s0")
        assert "my master" in served.fleet.sentinel("s0").watch.primaries

    def test_reset(self, served: Served) -> None:
        assert served("SENTINEL", "RESET", "my*") == 1
        assert not served.each.primary.replicas
        assert not served.each.primary.sentinels
        assert served.each.events("+reset-master")[-1].text == "master mymaster r0 6379"
        assert served("SENTINEL", "RESET", "x*") == 0
        served.fleet.wait_for_meeting()

    def test_failover(self, served: Served) -> None:
        assert served("SENTINEL", "FAILOVER", NAME) == b"OK"
        assert served.error("SENTINEL", "FAILOVER", NAME) == "INPROG Failover already in progress"
        served.fleet.network.run_until(lambda: len(served.fleet.events("+switch-master")) == 3, 30)
        address = served("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
        assert address != [b"r0", b"6379"]

    def test_failover_without_a_replica(self, served: Served) -> None:
        for replica in served.each.primary.replicas.values():
            replica.priority = 0
        assert served.error("SENTINEL", "FAILOVER", NAME) == (
            "NOGOODSLAVE No suitable replica to promote"
        )

    def test_flushconfig(self, served: Served) -> None:
        saves = served.each.saves
        assert served("SENTINEL", "FLUSHCONFIG") == b"OK"
        assert served.each.saves == saves + 1

    def test_a_full_disk(self, served: Served) -> None:
        served.each.disk_is_full = True
        error = "ERR Failed to save config file. Check server logs."
        assert served.error("SENTINEL", "FLUSHCONFIG") == error
        assert served.error("SENTINEL", "SET", NAME, "quorum", 1) == error
        assert served.error("SENTINEL", "MONITOR", "b", "r1", 6379, 2) == error
        assert "b" in served.each.watch.primaries
        assert served.error("SENTINEL", "REMOVE", "b") == error
        assert served.error("SENTINEL", "CONFIG", "SET", "announce-ip", "x") == error

    def test_only_hello_messages_are_published(self, served: Served) -> None:
        assert served.error("PUBLISH", "x", "y") == (
            "ERR Only HELLO messages are accepted by Sentinel instances."
        )
        hello = f"s9,26379,{'a' * 40},0,{NAME},r0,6379,0"
        assert served("PUBLISH", "__sentinel__:hello", hello) == 1
        assert "a" * 40 in served.each.primary.sentinels

    def test_simulated_failures(self, served: Served) -> None:
        simulate = ("SENTINEL", "SIMULATE-FAILURE")
        assert served(*simulate, "help") == [b"crash-after-election", b"crash-after-promotion"]
        assert served(*simulate, "crash-after-election", "CRASH-AFTER-PROMOTION") == b"OK"
        assert served.each.watch.simulated_failure.value == 3
        assert served.error(*simulate, "x") == "ERR Unknown failure simulation specified"
        assert served.each.watch.simulated_failure.value == 0

    def test_pending_scripts(self, served: Served) -> None:
        queue = served.each.sentinel.scripts
        queue.add(["/bin/a", "b"])
        assert served("SENTINEL", "PENDING-SCRIPTS") == [
            {
                b"argv": [b"/bin/a", b"b"],
                b"flags": b"scheduled",
                b"pid": b"0",
                b"run-delay": b"0",
                b"retry-num": b"0",
            }
        ]
        served.fleet.run(1)
        job = served.only_script()
        assert job[b"flags"] == b"running"
        assert 800 <= int(job[b"run-time"]) <= 1000
        served.each.fake_scripts.end(1, status=1)
        served.fleet.run(1)
        job = served.only_script()
        assert 29_000 <= int(job[b"run-delay"]) <= 30_000
        assert job[b"retry-num"] == b"1"


class TestSet:
    def test_every_option(self, served: Served) -> None:
        served.each.watch.options.deny_scripts_reconfig = False
        words = [
            "down-after-milliseconds", 5000, "failover-timeout", 60000, "parallel-syncs", 3,
            "notification-script", "/bin/x", "client-reconfig-script", "/bin/y", "auth-pass", "p",
            "auth-user", "u", "quorum", 1, "rename-command", "config", "guessme",
            "master-reboot-down-after-period", 0,
        ]  # fmt: skip
        assert served("SENTINEL", "SET", NAME, *words) == b"OK"
        primary = served.each.primary
        assert (primary.down_after, primary.failover_timeout, primary.parallel_syncs) == (
            5000,
            60000,
            3,
        )
        assert {member.down_after for member in primary.members()} == {5000}
        assert (primary.notification_script, primary.reconfig_script) == ("/bin/x", "/bin/y")
        assert (primary.auth_pass, primary.auth_user, primary.quorum) == ("p", "u", 1)
        assert primary.command("CONFIG") == b"guessme"
        texts = [event.text.partition("6379 ")[2] for event in served.each.events("+set")]
        assert texts[0] == "down-after-milliseconds 5000"
        assert "auth-pass ******" in texts
        assert "rename-command config guessme" in texts
        assert b"sentinel rename-command mymaster config guessme" in served.each.node.disk["file"]

    def test_things_are_unset(self, served: Served) -> None:
        served.each.watch.options.deny_scripts_reconfig = False
        for option, value in (("notification-script", "/x"), ("auth-pass", "p")):
            served("SENTINEL", "SET", NAME, option, value)
            assert served("SENTINEL", "SET", NAME, option, "") == b"OK"
        assert served.each.primary.notification_script is None
        assert served.each.primary.auth_pass is None
        served("SENTINEL", "SET", NAME, "rename-command", "PING", "PONG")
        served("SENTINEL", "SET", NAME, "rename-command", "ping", "PING")
        assert not served.each.primary.renamed

    @pytest.mark.parametrize(
        ("words", "error"),
        [
            (("quorum", 0), "ERR Invalid argument '0' for SENTINEL SET 'quorum'"),
            (("Quorum", "x"), "ERR Invalid argument 'x' for SENTINEL SET 'Quorum'"),
            (
                ("master-reboot-down-after-period", -1),
                "ERR Invalid argument '-1' for SENTINEL SET 'master-reboot-down-after-period'",
            ),
            (
                ("fake", "x"),
                "ERR Unknown option or number of arguments for SENTINEL SET 'fake'",
            ),
            (
                ("rename-command", "x"),
                "ERR Unknown option or number of arguments for SENTINEL SET 'rename-command'",
            ),
            (
                ("rename-command", "x", ""),
                "ERR Invalid argument '' for SENTINEL SET 'rename-command'",
            ),
            (
                ("notification-script", "/bin/x"),
                "ERR Reconfiguration of scripts path is denied for security reasons. Check the "
                "deny-scripts-reconfig configuration directive in your Sentinel configuration",
            ),
        ],
    )
    def test_errors(self, served: Served, words: tuple, error: str) -> None:
        assert served.error("SENTINEL", "SET", NAME, *words) == error

    def test_scripts_have_to_exist(self, served: Served) -> None:
        served.each.watch.options.deny_scripts_reconfig = False
        assert served.error("SENTINEL", "SET", NAME, "notification-script", "x") == (
            "ERR Notification script seems non existing or non executable"
        )
        assert served.error("SENTINEL", "SET", NAME, "client-reconfig-script", "x") == (
            "ERR Client reconfiguration script seems non existing or non executable"
        )

    @pytest.mark.parametrize(
        ("words", "what"),
        [
            (("notification-script", "/bin/ok\n/bin/x"), "notification-script"),
            (("client-reconfig-script", "/bin/ok\x7f"), "client-reconfig-script"),
            (("rename-command", "CONFIG\nX", "Y"), "rename-command"),
            (("rename-command", "CONFIG", "X\rY"), "rename-command"),
        ],
    )
    def test_no_other_line_of_the_file_is_smuggled_in(
        self, served: Served, words: tuple, what: str
    ) -> None:
        served.each.watch.options.deny_scripts_reconfig = False
        expected = f"ERR {what} must not contain control characters"
        assert served.error("SENTINEL", "SET", NAME, *words) == expected

    def test_passwords_may_have_any_byte(self, served: Served) -> None:
        for option in ("auth-pass", "auth-user"):
            served("SENTINEL", "SET", NAME, option, "x\nsentinel monitor a b 1 2")
            line = f'sentinel {option} mymaster "x\\nsentinel monitor a b 1 2"'
            assert line.encode() in served.each.node.disk["file"]
        served("SENTINEL", "SET", NAME, "auth-pass", "my \"comp#$&^`'!,lex pass")
        line = 'sentinel auth-pass mymaster "my \\"comp#$&^`\'!,lex pass"'
        assert line.encode() in served.each.node.disk["file"]

    def test_what_stands_before_an_error_is_set(self, served: Served) -> None:
        served.error("SENTINEL", "SET", NAME, "quorum", 7, "quorum", "x")
        assert served.each.primary.quorum == 7
        assert b"sentinel monitor mymaster r0 6379 7" in served.each.node.disk["file"]

    def test_a_new_password_is_tried_at_once(self, served: Served) -> None:
        assert not served.each.primary.link.disconnected
        served("SENTINEL", "SET", NAME, "auth-pass", "p")
        assert served.each.primary.link.disconnected
        served.fleet.run(3)
        assert not served.each.primary.link.disconnected


class TestConfig:
    def test_options(self, served: Served) -> None:
        words = [
            "resolve-hostnames", "yes", "announce-hostnames", "no", "announce-ip", "10.0.0.1",
            "announce-port", 1234, "sentinel-user", "u", "sentinel-pass", "p", "loglevel", "debug",
        ]  # fmt: skip
        assert served("SENTINEL", "CONFIG", "SET", *words) == b"OK"
        assert served("SENTINEL", "CONFIG", "GET", "*") == {
            b"resolve-hostnames": b"yes",
            b"announce-hostnames": b"no",
            b"announce-ip": b"10.0.0.1",
            b"announce-port": b"1234",
            b"sentinel-user": b"u",
            b"sentinel-pass": b"p",
            b"loglevel": b"debug",
        }
        found = served("SENTINEL", "CONFIG", "GET", "ANNOUNCE-P*", "sentinel-user", "x")
        assert found == {b"announce-port": b"1234", b"sentinel-user": b"u"}
        assert b"sentinel announce-ip 10.0.0.1" in served.each.node.disk["file"]

    def test_a_new_password_is_tried_at_once(self, served: Served) -> None:
        (peer, *_) = served.each.primary.sentinels.values()
        assert not peer.link.disconnected
        served("SENTINEL", "CONFIG", "SET", "sentinel-pass", "p")
        assert peer.link.disconnected

    @pytest.mark.parametrize(
        ("words", "error"),
        [
            (("SET", "x", "y"), "ERR Invalid argument 'x' to SENTINEL CONFIG SET"),
            (
                ("SET", "announce-port", "65536"),
                "ERR Invalid value '65536' to SENTINEL CONFIG SET 'announce-port'",
            ),
            (
                ("SET", "resolve-hostnames", "maybe"),
                "ERR Invalid value 'maybe' to SENTINEL CONFIG SET 'resolve-hostnames'",
            ),
            (
                ("SET", "loglevel", "loud"),
                "ERR Invalid value 'loud' to SENTINEL CONFIG SET 'loglevel'",
            ),
            (
                ("SET", "announce-ip", "x", "announce-ip", "y"),
                "ERR Duplicate argument 'announce-ip' to SENTINEL CONFIG SET",
            ),
            (
                ("SET", "announce-ip", "1.2.3.4\nx"),
                "ERR announce-ip must not contain control characters",
            ),
            (
                ("SET", "announce-ip", "x", "announce-port"),
                "ERR Missing argument 'announce-port' value",
            ),
            (
                ("DEL", "x"),
                "ERR Only SENTINEL CONFIG GET <param> [<param> <param> ...] / SET <param> <value> "
                "[<param> <value> ...] are supported.",
            ),
        ],
    )
    def test_errors(self, served: Served, words: tuple, error: str) -> None:
        assert served.error("SENTINEL", "CONFIG", *words) == error
        assert served.each.watch.options.announce_ip is None


class TestDebug:
    def test_periods(self, served: Served) -> None:
        reply = served("SENTINEL", "DEBUG")
        assert isinstance(reply, dict)
        assert list(reply) == [
            b"INFO-PERIOD", b"PING-PERIOD", b"ASK-PERIOD", b"PUBLISH-PERIOD",
            b"DEFAULT-DOWN-AFTER", b"DEFAULT-FAILOVER-TIMEOUT", b"TILT-TRIGGER", b"TILT-PERIOD",
            b"SLAVE-RECONF-TIMEOUT", b"MIN-LINK-RECONNECT-PERIOD", b"ELECTION-TIMEOUT",
            b"SCRIPT-MAX-RUNTIME", b"SCRIPT-RETRY-DELAY",
        ]  # fmt: skip
        assert served("SENTINEL", "DEBUG", "info-period", 500, "TILT-TRIGGER", 9) == b"OK"
        assert served.each.watch.periods.info == 500
        assert served.each.watch.periods.tilt_trigger == 9

    def test_errors(self, served: Served) -> None:
        assert served.error("SENTINEL", "DEBUG", "x", 1) == (
            "ERR Unknown option or number of arguments for SENTINEL DEBUG 'x'"
        )
        assert served.error("SENTINEL", "DEBUG", "info-period") == (
            "ERR Unknown option or number of arguments for SENTINEL DEBUG 'info-period'"
        )
        assert served.error("SENTINEL", "DEBUG", "info-period", 0) == (
            "ERR Invalid argument '0' for SENTINEL DEBUG 'info-period'"
        )


class TestWhatElseIsServed:
    def test_the_commands(self, served: Served) -> None:
        assert sorted(command.name for command in served.engine.registry) == [
            b"acl", b"auth", b"client", b"command", b"hello", b"info", b"ping", b"psubscribe",
            b"publish", b"punsubscribe", b"role", b"sentinel", b"shutdown", b"subscribe",
            b"unsubscribe",
        ]  # fmt: skip
        assert served.error("GET", "x").startswith("ERR unknown command 'GET'")
        assert served.error("CONFIG", "GET", "x").startswith("ERR unknown command 'CONFIG'")
        assert served("PING") == b"PONG"

    @pytest.mark.parametrize("words", [(), ("all",), ("default",), ("everything",), ("cpu", "all")])
    def test_all_of_info(self, served: Served, words: tuple) -> None:
        text = served.info(*words)
        titles = [line for line in text.decode().splitlines() if line.startswith("#")]
        assert titles == ["# Server", "# Clients", "# Stats", "# CPU", "# Sentinel"]

    def test_parts_of_info(self, served: Served) -> None:
        text = served.info("sentinel", "replication")
        assert text == (
            b"# Sentinel\r\nsentinel_masters:1\r\nsentinel_tilt:0\r\n"
            b"sentinel_tilt_since_seconds:-1\r\nsentinel_running_scripts:0\r\n"
            b"sentinel_scripts_queue_length:0\r\nsentinel_simulate_failure_flags:0\r\n"
            b"master0:name=mymaster,status=ok,address=r0:6379,slaves=2,sentinels=3\r\n"
        )
        assert served.info("replication") == b""

    def test_status(self, served: Served) -> None:
        served.each.primary.s_down = True
        assert b"status=sdown" in served.info("sentinel")
        served.each.primary.o_down = True
        assert b"status=odown" in served.info("sentinel")

    def test_maps_of_resp3(self, fleet: Fleet) -> None:
        served = Served(fleet, protocol=3)
        reply = served.client.call("SENTINEL", "MASTER", NAME)
        assert reply.kind == b"%"
        assert [part.text for part in reply.items[:2]] == [b"name", b"mymaster"]


def test_names_of_hosts() -> None:
    """With resolve-hostnames, hosts may have no address for a while."""
    fleet = Fleet(lines=["sentinel resolve-hostnames yes", "sentinel announce-hostnames yes"])
    each: SimulatedSentinel = fleet.sentinel()
    each.unknown = {"r7"}
    primary = each.sentinel.roster.add_primary("late", "r7", 6379, 1)
    fleet.run(3)
    assert primary.link.commands is None
    assert primary.link.disconnected
    each.unknown = set()
    fleet.network.node("r7", fleet._boot_server)
    fleet.run(3)
    assert not primary.link.disconnected
    assert each.watch.addresses.shown(primary.address) == "r7"
