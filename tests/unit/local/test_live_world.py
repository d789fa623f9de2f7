from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from solosolve.local.live_world import DAY_SECONDS, Arrival, LivePlan, LiveWorld, Outcome

BEGUN = datetime(2026, 1, 2, 12, tzinfo=UTC)
FIRST_DAY = date(2023, 9, 21)


def world(
    rate: float = 3, at_most: int = 10_000, share: float = 0.7, shift_at: float | None = None, first: date = FIRST_DAY
) -> LiveWorld:
    return LiveWorld(LivePlan(rate, at_most, 60, share, shift_at, 1), 1_000, first, BEGUN)


def lived(seen: LiveWorld, seconds: int, step: int = 2) -> tuple[list[Arrival], list[Outcome]]:
    """Everything that arrives and is reported within some seconds."""
    arrivals: list[Arrival] = []
    outcomes: list[Outcome] = []
    for second in range(step, seconds + 1, step):
        arrivals += seen.arrive(BEGUN + timedelta(seconds=second))
        outcomes += seen.report(BEGUN + timedelta(seconds=second))
    return arrivals, outcomes


@pytest.mark.parametrize("rate", [0.2, 3, 7.5])
def test_complaints_arrive_at_the_rate_with_ids_without_gaps(rate: float) -> None:
    arrivals, _ = lived(world(rate), 100)
    assert len(arrivals) == pytest.approx(rate * 100, abs=1)
    assert [each.complaint_id for each in arrivals] == list(range(1_000, 1_000 + len(arrivals)))


def test_nothing_arrives_in_a_burst_after_a_pause() -> None:
    seen = world()
    assert len(seen.arrive(BEGUN + timedelta(seconds=2))) == 6
    assert len(seen.arrive(BEGUN + timedelta(hours=1))) == 12
    assert seen.arrive(BEGUN) == []


def test_complaints_stop_arriving_at_the_limit() -> None:
    seen = world(at_most=50)
    assert len(lived(seen, 100)[0]) == 50
    assert seen.is_over


def test_outcomes_of_the_share_are_reported_after_the_delay() -> None:
    arrivals, outcomes = lived(world(), 600)
    by_id = {each.complaint_id: each for each in arrivals}
    old = [each for each in arrivals if each.requested_at <= BEGUN + timedelta(seconds=540)]
    assert len(outcomes) == pytest.approx(0.7 * len(old), rel=0.1)
    assert len({each.complaint_id for each in outcomes}) == len(outcomes)
    for each in outcomes:
        assert each.given_at - by_id[each.complaint_id].requested_at == timedelta(seconds=60)
        assert each.is_success == by_id[each.complaint_id].made_up.is_success


def test_days_pass_and_end_today() -> None:
    arrivals, _ = lived(world(), 5 * DAY_SECONDS)
    days = sorted({each.received for each in arrivals})
    assert days[0] == FIRST_DAY
    assert len(days) >= 5
    assert all(after - before == timedelta(days=1) for before, after in pairwise(days))
    late, _ = lived(world(first=BEGUN.date()), 5 * DAY_SECONDS)
    assert {each.received for each in late} == {BEGUN.date()}


def test_world_changes_when_the_plan_says_so() -> None:
    seen = world(shift_at=100)
    assert not seen.has_shifted(BEGUN + timedelta(seconds=99))
    assert seen.has_shifted(BEGUN + timedelta(seconds=100))
    assert not world().has_shifted(BEGUN + timedelta(days=1))
