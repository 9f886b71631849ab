"""Which replicas go where, and when nodes start again."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carnelian.tools.fleet.planning.replica_plans import plan_replicas, spare_replica
from carnelian.tools.fleet.planning.restart_rules import (
    FIRST_DELAY,
    LONGEST_DELAY,
    Circumstances,
    Step,
    delay,
    failover_patience,
    next_step,
)

COUNTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 5), min_size=1)


@given(COUNTS, st.integers(0, 12))
def test_new_replicas_go_where_fewest_are(counts: dict[str, int], number: int) -> None:
    chosen = plan_replicas(counts, [str(place) for place in range(number)])
    assert len(chosen) == number
    after = dict(counts)
    for primary in chosen.values():
        assert after[primary] == min(after.values())
        after[primary] += 1


def test_ties_go_to_the_first() -> None:
    assert plan_replicas({"b": 0, "a": 0}, ["x", "y", "z"]) == {"x": "b", "y": "a", "z": "b"}


def test_replicas_need_a_primary() -> None:
    assert plan_replicas({}, []) == {}
    with pytest.raises(ValueError):
        plan_replicas({}, ["x"])


def test_the_spare_replica_is_of_the_one_who_has_most() -> None:
    assert spare_replica({"a": ["1"], "b": ["2", "3"]}) == "3"
    assert spare_replica({"a": []}) is None
    assert spare_replica({}) is None


# -- Restarts --------------------------------------------------------------------------------------

REPLICA_DIED = Circumstances(
    down=0.0, failures=0, owns_slots=False, heir=False, electable=True, node_timeout=5.0
)
PRIMARY_DIED = dataclasses.replace(REPLICA_DIED, owns_slots=True, heir=True)


def step(case: Circumstances, down: float) -> Step:
    return next_step(dataclasses.replace(case, down=down))


def test_a_replica_is_started_again_soon() -> None:
    assert step(REPLICA_DIED, 0.1) is Step.WAIT
    assert step(REPLICA_DIED, FIRST_DELAY) is Step.START


def test_a_node_that_ends_again_and_again_waits_longer_each_time() -> None:
    delays = [delay(failures) for failures in range(100)]
    assert delays[:4] == [0.5, 1.0, 2.0, 4.0]
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY


def test_a_primary_waits_for_its_replica_to_be_elected() -> None:
    patience = failover_patience(5.0)
    assert step(PRIMARY_DIED, patience - 0.1) is Step.WAIT
    assert step(PRIMARY_DIED, patience) is Step.START


def test_a_primary_whose_replica_was_promoted_is_started_at_once() -> None:
    assert step(dataclasses.replace(PRIMARY_DIED, owns_slots=False), 0.6) is Step.START


def test_a_primary_without_a_replica_is_started_at_once() -> None:
    assert step(dataclasses.replace(PRIMARY_DIED, heir=False), 0.6) is Step.START


def test_a_replica_takes_over_where_nobody_can_be_elected() -> None:
    case = dataclasses.replace(PRIMARY_DIED, electable=False)
    assert step(case, 0.5) is Step.WAIT
    assert step(case, 1.0) is Step.TAKE_OVER
