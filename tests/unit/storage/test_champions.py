from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solosolve.errors import NoChampionError
from solosolve.names import MODEL_EVENTS
from solosolve.storage.champions import CHAMPION_EVENTS_SQL, CurrentChampion, champion_to_go_back_to
from solosolve.storage.delta_reader import DeltaReader
from support.warehouses import append, event


def current_champion(warehouse: Path, *events: dict[str, Any]) -> CurrentChampion:
    append(warehouse, MODEL_EVENTS, events)
    return CurrentChampion.from_events(DeltaReader(warehouse).query(CHAMPION_EVENTS_SQL))


def test_champion_is_the_newest_version_with_the_alias(tmp_path: Path) -> None:
    promoted = [event(1, "promoted", 2, "champion"), event(2, "promoted", 2, "champion")]
    challenger = event(3, "trained", 0, "challenger")
    assert current_champion(tmp_path, *promoted, challenger) == CurrentChampion(2, is_provisional=False, previous=1)


def test_champion_that_was_promoted_provisionally_is_provisional(tmp_path: Path) -> None:
    found = current_champion(tmp_path, event(1, "promoted_provisional", 2, "champion"))
    assert found == CurrentChampion(1, is_provisional=True, previous=None)


def test_previous_champion_is_another_version(tmp_path: Path) -> None:
    promoted = [
        event(1, "promoted", 2, "champion"), event(2, "promoted_provisional", 2, "champion"),
        event(2, "promoted", 3, "champion"),
    ]  # fmt: skip
    assert current_champion(tmp_path, *promoted) == CurrentChampion(2, is_provisional=False, previous=1)


def test_ledger_without_a_promotion_has_no_champion(tmp_path: Path) -> None:
    with pytest.raises(NoChampionError):
        current_champion(tmp_path, event(1, "trained", 0, "challenger"))


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([(1, "promoted")], None),
        ([(1, "promoted"), (2, "promoted")], 1),
        ([(1, "promoted"), (2, "promoted"), (3, "promoted"), (2, "rolled_back")], 1),
        ([(1, "promoted"), (2, "promoted"), (1, "rolled_back")], None),
        ([(1, "promoted"), (2, "promoted"), (1, "promoted_by_hand")], 2),
    ],
)
def test_rollback_goes_back_to_the_champion_before_and_never_to_what_was_rolled_back_from(
    moves: list[tuple[int, str]], expected: int | None
) -> None:
    assert champion_to_go_back_to(moves, moves[-1][0]) == expected
