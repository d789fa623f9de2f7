"""The instant from which a version is champion, on a real registry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from solosolve.storage.champion_moves import ChampionMove
from solosolve.storage.model_events import ModelEvent

AT = datetime(2018, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)


FIRST = ChampionMove(1, AT, None, ModelEvent.PROMOTED)


@pytest.mark.parametrize("move", [ChampionMove(3, AT, 2, ModelEvent.ROLLED_BACK), FIRST])
def test_move_is_read_as_it_was_written(move: ChampionMove) -> None:
    assert ChampionMove.parse(str(move)) == move


@pytest.mark.parametrize("text", ["", "3", "3 at now after 2 as promoted", str(FIRST)[:-1], f"x{FIRST}"])
def test_other_text_is_no_move(text: str) -> None:
    assert ChampionMove.parse(text) is None


def test_move_is_to_the_microsecond() -> None:
    later = replace(FIRST, effective_at=AT + timedelta(microseconds=1))
    assert ChampionMove.parse(str(later)) != FIRST
