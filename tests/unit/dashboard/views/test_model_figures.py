from __future__ import annotations

from datetime import timedelta
from typing import Any

from solosolve.dashboard.data.counted_scores import ReadShare
from solosolve.dashboard.data.model_roles import Term
from solosolve.dashboard.views.model_figures import metric_by_window, read_and_found, versions_over_time
from solosolve.names import CHAMPION
from support.warehouses import NOW, event, performance


def window(number: int, value: float | None) -> dict[str, Any]:
    row = performance("auc", number, value)
    return {**row, "metrics": {"auc": row}}


def test_curve_begins_at_nothing_read_and_marks_the_threshold() -> None:
    figure = read_and_found([ReadShare(0.4, 10, 8), ReadShare(0.9, 100, 20)], 100, 20, (10, 8))
    assert (list(figure.data[1].x), list(figure.data[1].y)) == ([0, 0.1, 1], [0, 0.4, 1])
    assert (list(figure.data[2].x), list(figure.data[2].y)) == ([0.1], [0.4])


def test_window_without_enough_labels_has_no_mark() -> None:
    figure = metric_by_window({"version 2": [window(1, 0.6), window(0, None)]}, "auc", in_per_cent=False, expected=0.7)
    assert list(figure.data[0].y) == [0.6]
    assert figure.layout.shapes[0].y0 == 0.7


def test_two_versions_of_one_window_do_not_hide_each_other() -> None:
    both = {"version 2": [window(0, 0.6)], "version 3": [window(0, 0.6)]}
    figure = metric_by_window(both, "auc", in_per_cent=False, expected=None)
    assert figure.data[0].x != figure.data[1].x


def test_lasting_champion_is_drawn_beyond_the_newest_event() -> None:
    term = Term(CHAMPION, 2, NOW, None, "promoted", "ann")
    figure = versions_over_time([term], [{**event(2, "trained", 0), "event_at": NOW}], [2])
    assert [trace.name for trace in figure.data] == ["champion", "trained"]
    assert figure.data[0].x[1] > NOW
    assert figure.data[0].x[1] - NOW < timedelta(hours=1)
