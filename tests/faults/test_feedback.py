"""Feedback in any order, delivered three times: the labels are those of each event once."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from solosolve.flows import ingest_feedback
from solosolve.names import DEAD_LETTERS, FEEDBACK, Table
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback_events import Recorded
from solosolve.transforms.labels import resolve_labels
from support.builders import complaints
from support.drills import LONG
from support.feedback_drill import AS_OF, DELIVERIES, MATURITY_DAYS, FeedbackDrill, deliver
from support.label_oracle import resolved_by_hand
from support.live import Live

EVENT_COUNT = 10_000 if LONG else 1_000
EACH_SOURCE = pytest.mark.parametrize("source", ["kafka", "files"])

logger = logging.getLogger("drills")


def contents(settings: Settings, table: Table) -> Counter[tuple[Any, ...]]:
    """The multiset of a table's rows, without the time of failure."""
    rows = DeltaReader(settings.warehouse).query(f"select * from {table}").to_pylist()
    return Counter(tuple(value for name, value in row.items() if name != "failed_at") for row in rows)


@EACH_SOURCE
def test_labels_are_those_of_an_independent_calculation(live_of: Callable[[str], Live], source: str) -> None:
    live, drill = live_of(source), FeedbackDrill.of(EVENT_COUNT, seed=5)
    tables = live.tables
    counts = []
    for number in range(DELIVERIES):
        where = deliver(live.settings, source, number, drill.delivery(number), drill.bad)
        counts.append(ingest_feedback.run(tables.spark, live.settings, where))
    read = [(number + 1) * len(drill.bad) if source == "files" else len(drill.bad) for number in range(DELIVERIES)]
    assert counts[0] == Recorded(EVENT_COUNT, 0, read[0])
    assert counts[-1].new_count == 0
    assert counts[-1].refused_count == read[-1] + len(drill.forgeries)
    assert sum(contents(live.settings, FEEDBACK).values()) == EVENT_COUNT
    assert sum(contents(live.settings, DEAD_LETTERS).values()) == DELIVERIES * len(drill.bad) + len(drill.forgeries)

    resolved = resolve_labels(
        complaints(tables.spark, *drill.complaints), tables.read(FEEDBACK), AS_OF, MATURITY_DAYS
    ).toArrow()
    columns = ("label", "label_at", "label_source", "conflict_count", "reversal_count")
    actual = {row["complaint_id"]: tuple(row[name] for name in columns) for row in resolved.to_pylist()}
    expected = resolved_by_hand(drill.complaints, drill.feedback(), AS_OF, MATURITY_DAYS)
    differences = [number for number in actual.keys() | expected.keys() if actual.get(number) != expected.get(number)]
    assert differences == []
    sources = Counter(row[2] for row in expected.values())
    assert min(sources[name] for name in ("published", "event", "review", None)) > 0, sources
    logger.info("%s: %d events, %s, %d differences", source, EVENT_COUNT, dict(sources), len(differences))
