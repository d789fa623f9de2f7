"""Panels of Data: what was landed, how the jobs went, and how large the tables are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.job_runs import last_runs
from solosolve.dashboard.data.landings import landed_files, landed_totals, table_sizes
from solosolve.dashboard.views.elements import empty, instant, no_rows, number, table, tile, tiles
from solosolve.names import LANDINGS

_SHOWN_FILES = 20
_DIGEST_CHARACTERS = 12
_UNITS = ("B", "KB", "MB", "GB", "TB")


def landed(answers: Answers, filters: Filters) -> Component:
    """How much was landed, and the newest files.

    Raises:
        NotYetError: `bronze.landings` does not exist.
    """
    totals = landed_totals(answers, filters)
    if not totals.landing_count:
        return no_rows("landings", replace(filters.without_segment(), model_version=None), LANDINGS)
    files = landed_files(answers, filters)[:_SHOWN_FILES]
    rows = [
        (instant(each.landed_at), _name(each.source_file), each.record_count, each.bronze_count, each.quarantine_count,
         size_text(each.byte_count), html.Code(each.source_sha256[:_DIGEST_CHARACTERS], title=each.source_sha256))
        for each in files
    ]  # fmt: skip
    shown = tiles(
        tile("Landings", number(totals.landing_count), "files and batches of messages"),
        tile("Records", number(totals.record_count), "read"),
        tile("Landed", number(totals.bronze_count), "in bronze.complaints"),
        tile("Quarantined", number(totals.quarantine_count), "could not be read",
             tone="warn" if totals.quarantine_count else ""),
    )  # fmt: skip
    headings = ("Landed", "File", "Records", "In bronze", "Quarantined", "Size", "SHA-256")
    return html.Div([shown, table(headings, rows, "Newest landings")])


def job_runs(answers: Answers, _: Filters) -> Component:
    """How the last run of each job went."""
    if answers.settings is None or (runs := last_runs(answers.settings)) is None:
        return empty("The workspace's page Jobs shows the runs.")
    if not runs:
        return empty("No job has run in this home yet.")
    rows = [
        (run.job, run.outcome, instant(run.started_at),
         "–" if run.ended_at is None else number((run.ended_at - run.started_at).total_seconds(), 1, " s"),
         f"{run.failed_task}: {run.error}" if run.failed_task else run.error or "")
        for run in runs
    ]  # fmt: skip
    return table(("Job", "Outcome", "Began", "Took", "What went wrong"), rows, "Last run of each job")


def sizes(answers: Answers, _: Filters) -> Component:
    """Rows, files and bytes of each table."""
    found = table_sizes(answers)
    if not found:
        return empty("There are no tables yet.")
    rows: list[tuple[Any, ...]] = [
        (str(each.table), each.row_count, each.file_count, size_text(each.byte_count), instant(each.committed_at))
        for each in found
    ]
    return table(("Table", "Rows", "Files", "Size", "Newest commit"), rows, "Sizes of the tables")


def size_text(byte_count: int) -> str:
    """Formats a number of bytes with a unit of its size, in steps of 1,000."""
    amount, unit = float(byte_count), 0
    while amount >= 1_000 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1_000, unit + 1
    return f"{amount:,.0f} {_UNITS[unit]}" if unit == 0 or amount >= 100 else f"{amount:,.1f} {_UNITS[unit]}"


def _name(source_file: str) -> Component:
    """The last part of a path, with all of it on hover."""
    return html.Span(source_file.rstrip("/").rsplit("/", 1)[-1], title=source_file)
