"""The taxonomy: product names by date, and combinations for every issue."""

from __future__ import annotations

import pandas as pd

from solosolve.samples.calendar import load_calendar
from solosolve.samples.distributions import read_statistics


def test_products_are_renamed_on_the_published_dates(complaints: pd.DataFrame) -> None:
    spans = complaints.groupby("product")["received"].agg(["min", "max"])
    assert spans.loc["Credit reporting", "max"] < pd.Timestamp("2017-04-24")
    middle = spans.loc["Credit reporting, credit repair services, or other personal consumer reports"]
    assert pd.Timestamp("2017-04-24") <= middle["min"] <= middle["max"] < pd.Timestamp("2023-08-25")
    assert spans.loc["Credit reporting or other personal consumer reports", "min"] >= pd.Timestamp("2023-08-25")


def test_every_issue_of_a_period_has_combinations_to_draw_from() -> None:
    statistics, calendar = read_statistics("taxonomy"), load_calendar()
    eras = calendar.naming_eras.find(calendar.periods.starts)
    missing = [
        (str(start), statistics["issues"][issue])
        for start, era, pairs in zip(calendar.periods.starts, eras, statistics["issues_by_period"], strict=True)
        for issue in pairs[::2]
        if not statistics["combinations"][era][issue]
    ]
    assert missing == []
