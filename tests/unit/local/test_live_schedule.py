from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from solosolve.local.live_schedule import Schedule
from solosolve.local.live_turn import FIRST_OUTCOMES

AT = datetime(2026, 1, 2, 12, tzinfo=UTC)
FOUR_MINUTES = timedelta(minutes=4)


@pytest.mark.parametrize(
    ("outcomes", "has_files", "expects_outcomes", "is_due"),
    [
        (FIRST_OUTCOMES - 1, True, True, False),
        (FIRST_OUTCOMES, False, True, True),
        (0, True, False, True),
        (1, False, False, True),
        (0, False, False, False),
    ],
)
def test_first_turn_waits_for_outcomes_as_long_as_more_are_to_come(
    outcomes: int, has_files: bool, expects_outcomes: bool, is_due: bool
) -> None:
    schedule = Schedule(4, AT, outcomes)
    assert schedule.is_due(AT, has_files=has_files, expects_outcomes=expects_outcomes) == is_due
    early = AT - timedelta(seconds=1)
    assert not schedule.is_due(early, has_files=has_files, expects_outcomes=expects_outcomes)


def test_later_turn_starts_when_its_time_has_come_with_any_outcome() -> None:
    schedule = Schedule(4, AT, FIRST_OUTCOMES)
    schedule.begin(AT)
    later = AT + FOUR_MINUTES
    assert not schedule.is_due(later, has_files=True, expects_outcomes=True)
    assert not schedule.is_due(later, has_files=False, expects_outcomes=False)
    schedule.outcome_count = 1
    assert not schedule.is_due(later - timedelta(seconds=1), has_files=True, expects_outcomes=True)
    assert schedule.is_due(later, has_files=False, expects_outcomes=True)


def test_without_a_loop_no_turn_starts() -> None:
    assert not Schedule(0, AT, FIRST_OUTCOMES).is_due(AT, has_files=True, expects_outcomes=False)
