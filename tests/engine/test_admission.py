"""The stages of admission: their order, checks that come and go, commands that are put off."""

from __future__ import annotations

import random

import pytest

from carnelian.engine.catalogue.registry import Command
from carnelian.engine.config import Config
from carnelian.engine.engine import Engine
from carnelian.engine.ground import stages
from carnelian.engine.ground.flags import NEEDS_AUTH, RESTRICTED
from carnelian.engine.parts.admission import Check
from carnelian.engine.shared.client_state import Client
from carnelian.resp.replies import NO_REPLY, QUEUED, Error, Status
from support.local import LocalClient

OF_FEATURES = [
    stages.USERS, stages.CLUSTER, stages.MEMORY, stages.DISK, stages.REPLICAS, stages.ROLE,
    stages.STALE, stages.LOADING, stages.BUSY, stages.LINK,
]  # fmt: skip


@pytest.fixture
def client() -> LocalClient:
    return LocalClient(Engine())


def refuse(client: LocalClient, stage: int, gate: int = 0) -> Check:
    """Refuse everything at a stage, with its number for an error."""
    check = Check(lambda session, command, args: Error(f"ERR stage {stage}"))
    client.engine.admission.add_check(check, stage=stage, gate=gate)
    return check


class TestOrder:
    def test_the_numbers_are_dense(self) -> None:
        numbers = sorted(value for name, value in vars(stages).items() if name.isupper())
        assert numbers == list(range(len(numbers)))

    def test_of_features(self, client: LocalClient) -> None:
        order = OF_FEATURES.copy()
        random.Random(5).shuffle(order)
        checks = {stage: refuse(client, stage) for stage in order}
        for stage in OF_FEATURES:
            assert client.error("GET", "a") == f"ERR stage {stage}"
            client.engine.admission.remove_check(checks[stage])
        assert client("GET", "a") is None
        assert client.engine.gate == 0

    def test_of_the_same_stage_the_first_is_asked_first(self, client: LocalClient) -> None:
        admission = client.engine.admission
        for name in ("one", "two"):
            error = Error(f"ERR {name}")
            admission.add_check(lambda *asked, error=error: error, stage=stages.DISK)
        assert client.error("GET", "a") == "ERR one"

    @pytest.mark.parametrize("stage", OF_FEATURES)
    def test_nobody_is_judged_by_features_before_it_is_known_who_it_is(self, stage: int) -> None:
        config = Config()
        config.load_text("requirepass secret")
        client = LocalClient(Engine(config))
        client.session.gate |= NEEDS_AUTH
        refuse(client, stage)
        assert client.error("GET", "a") == "NOAUTH Authentication required."
        assert client.error("DEBUG", "SLEEP", "0").startswith("ERR DEBUG command not allowed")
        assert client.error("GET") == "ERR wrong number of arguments for 'get' command"

    @pytest.mark.parametrize("stage", OF_FEATURES)
    def test_between_messages(self, client: LocalClient, stage: int) -> None:
        client("SUBSCRIBE", "channel")
        refuse(client, stage)
        ours = client.error("GET", "a").startswith("ERR Can't execute 'get'")
        assert ours == (stage > stages.SUBSCRIPTION)

    @pytest.mark.parametrize("stage", OF_FEATURES)
    def test_inside_of_multi(self, client: LocalClient, stage: int) -> None:
        client("MULTI")
        check = refuse(client, stage)
        assert client.error("SAVE") == "ERR Command not allowed inside a transaction"
        assert client.error("SET", "a", "1") == f"ERR stage {stage}"
        client.engine.admission.remove_check(check)
        assert client("SET", "a", "1") is QUEUED
        assert client.error("EXEC").startswith("EXECABORT Transaction discarded because of prev")

    def test_a_refused_exec(self, client: LocalClient) -> None:
        client("MULTI")
        client("SET", "a", "1")
        check = refuse(client, stages.CLUSTER)
        assert client.error("EXEC") == "EXECABORT Transaction discarded because of: stage 4"
        client.engine.admission.remove_check(check)
        assert client.error("EXEC") == "ERR EXEC without MULTI"

    def test_a_pause_comes_last(self, client: LocalClient) -> None:
        client.engine.pause.start(client.engine.clock.ms + 10_000, writes_only=False)
        check = refuse(client, stages.LINK)
        assert client.error("GET", "a") == "ERR stage 13"
        client.engine.admission.remove_check(check)
        assert client("GET", "a") is NO_REPLY
        assert client.session.blocked is not None


class TestChecks:
    def test_only_where_a_gate_is_up(self, client: LocalClient) -> None:
        check = refuse(client, stages.USERS, gate=RESTRICTED)
        assert client.engine.gate == 0
        assert client("GET", "a") is None
        client.session.gate |= RESTRICTED
        assert client.error("GET", "a") == "ERR stage 3"
        client.engine.admission.remove_check(check)
        assert client("GET", "a") is None

    def test_a_class(self, client: LocalClient) -> None:
        class NoGets(Check):
            def judge(self, session: Client, command: Command, args: list) -> Error | None:
                return Error("ERR no") if command.name == b"get" else None

        client.engine.admission.add_check(NoGets(), stage=stages.USERS)
        assert client.error("GET", "a") == "ERR no"
        assert client("SET", "a", "1") == Status(b"OK")

    def test_one_that_goes_while_it_is_asked(self, client: LocalClient) -> None:
        admission = client.engine.admission

        def once(session: Client, command: Command, args: list) -> None:
            admission.remove_check(once)

        admission.add_check(once, stage=stages.USERS)
        check = refuse(client, stages.DISK)
        assert client.error("GET", "a") == "ERR stage 6"
        admission.remove_check(check)
        assert client.engine.gate == 0

    def test_one_that_is_not_there(self, client: LocalClient) -> None:
        with pytest.raises(ValueError, match="no such check"):
            client.engine.admission.remove_check(lambda *asked: None)

    def test_refusals_are_counted(self, client: LocalClient) -> None:
        refuse(client, stages.DISK)
        client("GET", "a")
        found = client.engine.registry.find("get")
        assert found is not None and found.rejected_calls == 1


class TestPuttingOff:
    def test_until_somebody_lets_it_go_on(self, client: LocalClient) -> None:
        blocking, admission = client.engine.blocking, client.engine.admission

        def wait(session: Client, command: Command, args: list) -> object:
            if command.name != b"set":
                return None
            blocking.postpone(session, command, args)
            return NO_REPLY

        admission.add_check(wait, stage=stages.DISK)
        assert client("SET", "a", "1") is NO_REPLY
        other = LocalClient(client.engine)
        assert other("GET", "a") is None
        admission.remove_check(wait)
        blocking.release_postponed()
        client.engine.before_sleep()
        assert client.session.sent == [Status(b"OK")]
        assert other("GET", "a") == b"1"

    def test_what_is_put_off_is_no_refusal(self, client: LocalClient) -> None:
        client("MULTI")
        client.engine.pause.start(client.engine.clock.ms + 10_000, writes_only=True)
        assert client("SET", "a", "1") is NO_REPLY
        client.engine.pause.stop()
        client.engine.before_sleep()
        assert client.session.sent == [QUEUED]
        assert client("EXEC") == [Status(b"OK")]
        assert client.engine.gate == 0


class TestCommandsWithinCommands:
    def test_features_are_asked(self, client: LocalClient) -> None:
        asked: list[tuple[int, bytes]] = []
        for stage in OF_FEATURES:

            def note(session: object, command: Command, args: list[bytes], at: int = stage) -> None:
                asked.append((at, command.name))

            client.engine.admission.add_check(note, stage=stage)
        client.session.call("GET", "a")
        of_get = [stage for stage, name in asked if name == b"get"]
        assert of_get == [
            stages.LOADING, stages.STALE, stages.USERS, stages.ROLE, stages.DISK, stages.REPLICAS,
            stages.MEMORY, stages.CLUSTER,
        ]  # fmt: skip

    def test_the_error_is_raised(self, client: LocalClient) -> None:
        refuse(client, stages.MEMORY)
        with pytest.raises(Error, match="stage 5"):
            client.session.call("GET", "a")


class TestNumbers:
    def test_they_are_dense(self) -> None:
        registry = Engine().registry
        numbers = [one.number for one in registry.every()]
        assert sorted(numbers) == list(range(registry.numbered))
        assert registry.numbered > 300

    def test_every_engine_counts_alike(self) -> None:
        first, second = Engine().registry, Engine().registry
        for one in first.every():
            twin = second.find(one.name)
            assert twin is not None and twin.number == one.number

    def test_a_number_goes_to_no_other_command(self) -> None:
        registry = Engine().registry
        end, old = registry.numbered, registry.find("get")
        assert old is not None
        registry.remove("GET")
        again = registry.add(old.declaration)
        assert (again.number, registry.numbered) == (old.number, end)
        registry.remove("GET")
        other = registry.find("set")
        assert other is not None and other.number != old.number

    def test_a_renamed_command_keeps_its_number(self) -> None:
        registry = Engine().registry
        end, renamed = registry.numbered, registry.find("config")
        assert renamed is not None
        below = {one.number for one in renamed.subcommands.values()}
        declarations = [renamed.declaration, *(o.declaration for o in renamed.subcommands.values())]
        registry.rename(b"config", b"secret")
        added = [registry.add(declaration) for declaration in declarations]
        assert {one.number for one in added} == set(range(end, registry.numbered))
        assert {one.number for one in renamed.subcommands.values()} == below
