"""Panels on the stream: its volume, speed and lag."""

from __future__ import annotations

import math
import statistics

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.elements import graph, instant, no_rows, number, tile, tiles
from solosolve.dashboard.views.time_figures import batch_lines
from solosolve.errors import NotYetError
from solosolve.names import STREAM_PROGRESS

_RECENT_BATCHES = 60
"""Newest batches that the rate and the average time cover."""


def stream_figures(answers: Answers, filters: Filters) -> Component:
    """Records processed, rate, batch times, lag, dead letters and the last batch.

    Raises:
        NotYetError: `gold.stream_progress` does not exist.
    """
    try:
        scored = answers.ask(questions.streamed_predictions(filters.without_segment())).to_pylist()
    except NotYetError:
        scored = []
    batches = answers.ask(questions.stream_batches(filters)).to_pylist()
    if not batches:
        return no_rows("stream batches", filters.without_segment(), STREAM_PROGRESS)
    recent = batches[:_RECENT_BATCHES]
    recent_batches, all_batches = _last_batches(len(recent)), _last_batches(len(batches))
    seconds = [batch["batch_seconds"] for batch in recent]
    rate = sum(batch["request_count"] for batch in recent) / max(sum(seconds), 1e-9)
    # Each source's newest lag that is known.
    lags = {batch["source"]: batch["lag"] for batch in reversed(batches) if batch["lag"] is not None}
    dead = sum(batch["dead_letter_count"] for batch in batches)
    by_source = ", ".join(f"{row['source']} {row['n']:,}" for row in sorted(scored, key=lambda row: row["source"]))
    newest = recent[0]
    return html.Div(
        [
            tiles(
                tile("Records processed", number(sum(row["n"] for row in scored)), by_source or "none yet"),
                tile("Records per second", number(rate, 1), f"while processing, {recent_batches}"),
                tile("Batch time", number(statistics.fmean(seconds), 2, " s"), f"average, {recent_batches}"),
                tile("Batch time, p99", number(_p99(batches), 2, " s"), all_batches),
                tile("Lag", number(sum(lags.values()) if lags else None), "requests waiting"),
                tile("Dead letters", number(dead), all_batches, tone="warn" if dead else ""),
            ),
            html.P(["Last update ", instant(newest["ended_at"]), f": batch {newest['batch_id']} from ",
                    newest["source"], f", scored by version {newest['model_version'] or '–'}."],
                   className="note"),
        ]
    )  # fmt: skip


def batch_times(answers: Answers, filters: Filters) -> Component:
    """How long the newest batches took.

    Raises:
        NotYetError: `gold.stream_progress` does not exist.
    """
    batches = answers.ask(questions.stream_batches(filters)).to_pylist()
    if not batches:
        return no_rows("stream batches", filters.without_segment(), STREAM_PROGRESS)
    return graph("batches", batch_lines(batches[::-1]))


def _p99(batches: list[dict[str, float]]) -> float:
    seconds = sorted(batch["batch_seconds"] for batch in batches)
    return seconds[math.ceil(0.99 * len(seconds)) - 1]


def _last_batches(count: int) -> str:
    return "last batch" if count == 1 else f"last {count} batches"
