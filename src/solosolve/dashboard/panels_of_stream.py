"""Panels about the stream: how much, how fast, how far behind."""

from __future__ import annotations

import statistics

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard import questions
from solosolve.dashboard.answers import Answers, NotYetError
from solosolve.dashboard.elements import empty, graph, instant, number, tile, tiles
from solosolve.dashboard.figures import batch_lines
from solosolve.dashboard.filters import Filters
from solosolve.names import MADE_BY, STREAM_PROGRESS

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
        return empty("No batch of a stream in this period.", MADE_BY[STREAM_PROGRESS])
    newest = batches[:_RATED_BATCHES]
    seconds = [batch["batch_seconds"] for batch in newest]
    rate = sum(batch["request_count"] for batch in newest) / max(sum(seconds), 1e-9)
    dead = sum(batch["dead_letter_count"] for batch in batches)
    by_source = ", ".join(f"{row['source']} {row['n']:,}" for row in sorted(scored, key=lambda row: row["source"]))
    return html.Div(
        [
            tiles(
                tile("Records processed", number(sum(row["n"] for row in scored)), by_source or "none yet"),
                tile("Records a second", number(rate, 1), f"last {len(newest)} batches"),
                tile("Batch time", number(statistics.fmean(seconds), 2, " s"), "average"),
                tile("Batch time, p99", number(_p99(seconds), 2, " s"), f"latency p99 {_latency(newest)}"),
                tile("Lag", number(newest[0]["lag"]), "requests behind the stream"),
                tile("Dead letters", number(dead), f"last {len(batches)} batches", tone="warn" if dead else ""),
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
        return empty("No batch of a stream in this period.", MADE_BY[STREAM_PROGRESS])
    return graph("batches", batch_lines(batches[::-1]), f"seconds of the last {len(batches)} batches")


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[min(int(0.99 * len(seconds)), len(seconds) - 1)]


def _latency(batches: list[dict[str, float | None]]) -> str:
    found = [latency for batch in batches if (latency := batch["latency_p99_seconds"]) is not None]
    return number(max(found), 2, " s") if found else "–"
