"""Panels about the stream: how much, how fast, how far behind."""

from __future__ import annotations

import math
import statistics

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers, NotYetError
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.elements import graph, instant, nothing, number, tile, tiles
from solosolve.dashboard.views.figures import batch_lines
from solosolve.names import STREAM_PROGRESS

_RATED_BATCHES = 60
"""Newest batches that rate and times are of."""


def figures(answers: Answers, filters: Filters) -> Component:
    """Records processed, rate, batch times, lag and when the last batch ended."""
    try:
        scored = answers.ask(questions.streamed(filters.without_segment())).to_pylist()
    except NotYetError:
        scored = []
    batches = answers.ask(questions.stream_batches(filters)).to_pylist()
    if not batches:
        return nothing("No batch of a stream in this period.", filters, STREAM_PROGRESS)
    newest = batches[:_RATED_BATCHES]
    seconds = [batch["batch_seconds"] for batch in newest]
    lags = {batch["source"]: batch["lag"] for batch in reversed(batches) if batch["lag"] is not None}
    rate = sum(batch["request_count"] for batch in newest) / max(sum(seconds), 1e-9)
    dead = sum(batch["dead_letter_count"] for batch in batches)
    by_source = ", ".join(f"{row['source']} {row['n']:,}" for row in sorted(scored, key=lambda row: row["source"]))
    return html.Div(
        [
            tiles(
                tile("Records processed", number(sum(row["n"] for row in scored)), by_source or "none yet"),
                tile("Records a second", number(rate, 1), f"while busy, {_batches(len(newest))}"),
                tile("Batch time", number(statistics.fmean(seconds), 2, " s"), f"average, {_batches(len(newest))}"),
                tile("Batch time, p99", number(_p99(batches), 2, " s"), _batches(len(batches))),
                tile("Lag", number(sum(lags.values()) if lags else None), "requests that wait"),
                tile("Dead letters", number(dead), _batches(len(batches)), tone="warn" if dead else ""),
            ),
            html.P(["Last update ", instant(newest[0]["ended_at"]), f", batch {newest[0]['batch_id']:,} of ",
                    newest[0]["source"], f", scored by version {newest[0]['model_version'] or '–'}."],
                   className="note"),
        ]
    )  # fmt: skip


def batch_times(answers: Answers, filters: Filters) -> Component:
    """How long the newest batches took."""
    batches = answers.ask(questions.stream_batches(filters)).to_pylist()
    if not batches:
        return nothing("No batch of a stream in this period.", filters, STREAM_PROGRESS)
    return graph("batches", batch_lines(batches[::-1]), f"seconds of the last {len(batches)} batches")


def _p99(batches: list[dict[str, float]]) -> float:
    seconds = sorted(batch["batch_seconds"] for batch in batches)
    return seconds[math.ceil(0.99 * len(seconds)) - 1]


def _batches(count: int) -> str:
    return "the last batch" if count == 1 else f"last {count} batches"
