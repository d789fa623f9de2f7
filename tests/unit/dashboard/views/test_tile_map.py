from __future__ import annotations

from typing import Any

import pytest

from solosolve.dashboard.views.picture import MIN_COMPLAINTS
from solosolve.dashboard.views.tile_map import MAPPED_STATES, PLACES, colour_of, success_by_state


def counts(*rows: tuple[str | None, float, int]) -> list[dict[str, Any]]:
    return [{"state": state, "prediction": prediction, "n": count} for state, prediction, count in rows]


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_map_has_fifty_states_and_the_district_each_in_its_own_place() -> None:
    assert len(MAPPED_STATES) == 51
    assert len(set(PLACES.values())) == 51
    assert PLACES["WA"][0] < PLACES["ME"][0]
    assert PLACES["ND"][1] < PLACES["TX"][1]


def test_state_with_few_complaints_is_grey_and_does_not_change_the_scale() -> None:
    both = success_by_state(counts(("CA", 1.0, 80), ("CA", 0.0, 20), ("TX", 1.0, 10), ("PR", 1.0, 900))).figure
    alone = success_by_state(counts(("CA", 1.0, 80), ("CA", 0.0, 20))).figure
    enough, few, names = both.data[:3]
    assert [state for _, state, *_ in enough.customdata] == ["CA"]
    assert "TX" in [state for _, state, *_ in few.customdata]
    assert sorted(names.text) == sorted(MAPPED_STATES)
    assert [(x, y) for x, y in zip(names.x, names.y, strict=True)] == [PLACES[state] for state in names.text]
    assert few.name == f"fewer than {MIN_COMPLAINTS} complaints"
    assert few.marker.color not in enough.marker.color
    assert enough.marker.color == alone.data[0].marker.color


def test_shares_five_points_apart_between_half_and_all_have_different_colours() -> None:
    shares = [0.525 + 0.05 * step for step in range(10)]
    assert len({colour_of(share) for share in shares}) == 10
    assert colour_of(0.0) == colour_of(0.52)
    assert colour_of(1.0) == colour_of(0.97)


@pytest.mark.parametrize("percent", range(2, 100, 5))
def test_letters_of_a_state_can_be_read_on_its_colour(percent: int) -> None:
    tiles, _, names, *_ = success_by_state(counts(("CA", 1.0, percent), ("CA", 0.0, 100 - percent))).figure.data
    assert contrast(tiles.marker.color[0], names.textfont.color[list(names.text).index("CA")]) >= 4.5


def test_tile_says_its_count_share_and_interval_and_filters_by_its_state() -> None:
    picture = success_by_state(counts(("CA", 1.0, 40), ("CA", 0.0, 10)))
    (query, state, count, said), *_ = picture.figure.data[0].customdata
    assert (query, state, count) == ("state=CA", "CA", 50)
    assert said == "80.0% predicted to succeed (95% interval 67.0% to 88.8%)"
    assert list(picture.rows) == [("CA", 50, "80.0%", "67.0% to 88.8%")]


def test_map_is_drawn_of_traces_that_the_small_bundle_has() -> None:
    assert {trace.type for trace in success_by_state(counts(("CA", 1.0, 60))).figure.data} <= {"bar", "scatter", "pie"}


def test_map_without_a_state_is_grey() -> None:
    picture = success_by_state(counts(("PR", 1.0, 9), (None, 1.0, 3)))
    assert len(picture.figure.data[1].customdata) == 51
    assert picture.rows == []
