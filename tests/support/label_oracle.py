"""Label resolution calculated with pandas, row by row, independently of the transform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pandas as pd

Resolved = tuple[float | None, datetime | None, str | None, int, int]


def resolved_by_hand(
    complaints: Sequence[Mapping[str, Any]], feedback: Sequence[Mapping[str, Any]], as_of: datetime, maturity_days: int
) -> dict[int, Resolved]:
    """Label, its time, its source, conflicts and reversals of each complaint."""
    seen = pd.DataFrame([row for row in feedback if row["given_at"] <= as_of], columns=COLUMNS).drop_duplicates()
    gone = set(seen.loc[seen.verdict == "withdrawn", "feedback_id"])
    seen = seen[~seen.feedback_id.isin(gone) & seen.verdict.isin(["success", "failure"])]
    seen = seen[seen.source.isin(["event", "review"])].sort_values(["given_at", "feedback_id"])
    by_complaint = dict(iter(seen.groupby("complaint_id")))
    nothing = seen.iloc[:0]
    return {
        row["complaint_id"]: _resolved(row, by_complaint.get(row["complaint_id"], nothing), maturity_days)
        for row in complaints
    }


COLUMNS = ["feedback_id", "complaint_id", "verdict", "source", "given_at"]


def _resolved(complaint: Mapping[str, Any], seen: pd.DataFrame, maturity_days: int) -> Resolved:
    published = complaint["is_successful_resolution"]
    labels: list[tuple[float, datetime, str]] = []
    if published is not None:
        day = complaint["date_received"] + timedelta(days=maturity_days)
        labels.append((published, datetime.combine(day, time(), UTC), "published"))
    reversals = 0
    for source in ("event", "review"):
        own = [
            (float(verdict == "success"), given_at.to_pydatetime(), source)
            for verdict, given_at in seen.loc[seen.source == source, ["verdict", "given_at"]].itertuples(index=False)
        ]
        reversals += sum(one[0] != next_one[0] for one, next_one in pairwise(own))
        labels += own
    if not labels:
        return None, None, None, 0, 0
    label, label_at, source = labels[-1]
    return label, label_at, source, sum(each[0] != label for each in labels), reversals
