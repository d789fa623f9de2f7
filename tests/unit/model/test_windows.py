from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from solosolve.model.windows import complete_windows

FIRST = datetime(2026, 1, 10, 15, tzinfo=UTC)


def test_windows_are_adjacent_and_the_last_one_has_ended() -> None:
    windows = complete_windows(FIRST, FIRST + timedelta(days=100), 28)
    assert windows[0].start <= FIRST < windows[0].end
    assert all(before.end == after.start for before, after in pairwise(windows))
    assert windows[-1].end <= FIRST + timedelta(days=100) < windows[-1].end + timedelta(days=28)


def test_borders_do_not_depend_on_the_first_instant() -> None:
    later = FIRST + timedelta(days=40)
    end = FIRST + timedelta(days=300)
    assert set(complete_windows(later, end, 7)) < set(complete_windows(FIRST, end, 7))


def test_window_is_complete_at_its_end() -> None:
    (window,) = complete_windows(FIRST, FIRST + timedelta(days=28), 28)
    assert complete_windows(FIRST, window.end, 28) == [window]
    assert complete_windows(FIRST, window.end - timedelta(microseconds=1), 28) == []


def test_no_window_is_complete_before_the_first_instant() -> None:
    assert complete_windows(FIRST, FIRST - timedelta(days=300), 28) == []


def test_windows_may_be_minutes_long() -> None:
    windows = complete_windows(FIRST, FIRST + timedelta(minutes=10), 3 / 1440)
    assert [each.length for each in windows] == [timedelta(minutes=3)] * 3
    assert windows[0].start == FIRST


def test_only_the_newest_windows_may_be_wanted() -> None:
    end = FIRST + timedelta(days=300)
    assert complete_windows(FIRST, end, 7, at_most=3) == complete_windows(FIRST, end, 7)[-3:]
    assert complete_windows(FIRST, end, 7, at_most=1_000) == complete_windows(FIRST, end, 7)
