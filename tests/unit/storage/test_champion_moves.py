"""The instant from which a version is champion, on a real registry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from solosolve.storage.champion_moves import ChampionMove

AT = datetime(2018, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("move", [ChampionMove(3, AT, 2), ChampionMove(1, AT, None)])
def test_move_is_read_as_it_was_written(move: ChampionMove) -> None:
    assert ChampionMove.parse(str(move)) == move


@pytest.mark.parametrize("text", ["", "3", "3 at now after 2", "x at 2018-06-01T00:00:00+00:00 after 0"])
def test_other_text_is_no_move(text: str) -> None:
    assert ChampionMove.parse(text) is None


def test_move_is_to_the_microsecond() -> None:
    later = ChampionMove(3, AT + timedelta(microseconds=1), 2)
    assert ChampionMove.parse(str(later)) != ChampionMove(3, AT, 2)
