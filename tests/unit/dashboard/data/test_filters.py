from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solosolve.dashboard.data.filters import Condition, Filters
from solosolve.errors import UsageError

TEXTS = st.lists(st.text(min_size=1, max_size=30), max_size=3, unique=True).map(lambda found: tuple(sorted(found)))
FILTERS = st.builds(
    Filters,
    first_day=st.none() | st.dates(date(1970, 1, 1), date(2020, 1, 1)),
    last_day=st.none() | st.dates(date(2020, 1, 1), date(2199, 12, 31)),
    product=TEXTS,
    company=TEXTS,
    state=TEXTS,
    model_version=st.none() | st.integers(1, 2**31 - 1),
)


@given(FILTERS)
def test_filters_read_back_from_their_address(filters: Filters) -> None:
    assert Filters.parse(filters.to_search()) == filters


@pytest.mark.parametrize("search", [None, "", "?", "?other=1", "?product="])
def test_address_without_filters_selects_everything(search: str | None) -> None:
    assert Filters.parse(search) == Filters()


@pytest.mark.parametrize(
    "search",
    [
        "?from=yesterday", "?to=2026-02-30", "?from=1600-01-01", "?to=2300-01-01", "?from=2026-02-02&to=2026-02-01",
        "?company=\ud800", "?model=0", "?model=-1", "?model=1;drop", "?model=99999999999999999999",
        "?model=²", f"?product={'x' * 201}",
        "?" + "&".join(f"state=S{n}" for n in range(51)), "?" + "a" * 20_001,
        f"?model=00000000001{'9' * 5_000}", 7, ["?product=a"],
    ],
)  # fmt: skip
def test_address_with_an_invalid_value_is_refused(search: object) -> None:
    with pytest.raises(UsageError):
        Filters.parse(search)


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ("?from=2026-02-02&to=2026-02-01", "to is before from: 2026-02-01 is earlier than 2026-02-02"),
        ("?from=2026-13-45", "from: expected a date such as 2026-01-31, found '2026-13-45'"),
        ("?to=1600-01-01", "to: expected a year from 1970 to 2199, found 1600"),
        ("?model=x", "model: expected a model version such as 2, found 'x'"),
    ],
)
def test_refusal_says_what_was_found_and_what_is_expected(search: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        Filters.parse(search)
    assert str(refused.value) == message


def test_period_is_whole_days_in_utc() -> None:
    actual = Filters(first_day=date(2026, 1, 31), last_day=date(2026, 2, 1)).in_period("scored_at")
    assert actual == Condition(
        "scored_at >= :period_start and scored_at < :period_end",
        (
            ("period_start", datetime(2026, 1, 31, tzinfo=UTC)),
            ("period_end", datetime(2026, 2, 2, tzinfo=UTC)),
        ),
    )


def test_segment_passes_values_only_as_parameters() -> None:
    hostile = "x') or true --"
    actual = Filters(company=(hostile,), state=("CA", "NY")).in_segment()
    assert hostile not in actual.sql
    assert actual.sql == "true and company in (:company_0) and state in (:state_0, :state_1)"
    assert dict(actual.parameters) == {"company_0": hostile, "state_0": "CA", "state_1": "NY"}
