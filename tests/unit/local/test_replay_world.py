from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from solosolve.local.replay_world import POISONED_SHARE, World
from solosolve.samples.months import Change

DELAY = 20


def world_in(folder: Path, changes: Mapping[Change, int] | None = None, months: int = 4, share: float = 0.5) -> World:
    """A world whose first months are written."""
    world = World(folder, 5, 400, changes or {}, share, DELAY, 1)
    for number in range(1, months + 1):
        world.write(number)
    return world


def reports(world: World, number: int) -> dict[int, bool]:
    """Complaint to the outcome that is reported in a month."""
    path, count = world.write_feedback(number)
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    given = [datetime.fromisoformat(event["given_at"]) for event in events]
    assert all(world.end(number - 1) < each <= world.end(number) for each in given)
    assert count == len(events) == len({event["event_id"] for event in events})
    return {event["complaint_id"]: event["outcome"] == "success" for event in events}


def true_outcomes(world: World, months: int) -> dict[int, bool]:
    rows = [row for number in range(1, months + 1) for row in world.truth(number).to_pylist()]
    return {row["complaint_id"]: row["is_success"] for row in rows}


def test_months_follow_one_another_from_january_2018(tmp_path: Path) -> None:
    world = World(tmp_path, 5, 400, {}, 0.5, DELAY, 3)
    assert [world.first_day(number) for number in (-2, 0, 1, 13)] == [
        date(2017, 10, 1), date(2017, 12, 1), date(2018, 1, 1), date(2019, 1, 1),
    ]  # fmt: skip
    assert world.end(1) == datetime(2018, 2, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_each_outcome_is_reported_once_for_the_given_share_of_complaints(tmp_path: Path, share: float) -> None:
    world = world_in(tmp_path, share=share)
    found = [reports(world, number) for number in range(1, 5)]
    true = true_outcomes(world, 4)
    assert sum(len(each) for each in found) == len({key for each in found for key in each})
    assert all(true[key] == value for each in found for key, value in each.items())
    # The month that is over for longer than the delay is complete.
    first_month = set(world.truth(1).column("complaint_id").to_pylist())
    reported = len(first_month & {key for each in found for key in each})
    assert reported == pytest.approx(share * len(first_month), abs=40 * share * (1 - share) + 1e-9)


def test_change_of_labels_poisons_what_one_month_reports_and_nothing_else(tmp_path: Path) -> None:
    world = world_in(tmp_path, {Change.LABELS: 2})
    true = true_outcomes(world, 4)
    wrong = [
        sum(true[key] != value for key, value in found.items()) / max(1, len(found))
        for found in (reports(world, number) for number in range(1, 5))
    ]
    assert wrong == pytest.approx([0, POISONED_SHARE, 0, 0], abs=0.1)
    assert wrong[0] == wrong[2] == wrong[3] == 0


def test_change_of_the_world_comes_in_its_month(tmp_path: Path) -> None:
    changed, same = world_in(tmp_path / "changed", {Change.CONCEPT: 3}), world_in(tmp_path / "same")
    equal = [changed.truth(number).equals(same.truth(number)) for number in range(1, 5)]
    assert equal == [True, True, False, False]
