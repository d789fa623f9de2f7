"""How far the review has come, and how far reviewers agree."""

from __future__ import annotations

from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.review_progress import progress_of
from solosolve.dashboard.data.second_readings import Agreement, agreement_of
from solosolve.dashboard.views.elements import counted, empty, number, tile, tiles
from solosolve.errors import TableError


def progress_tiles(answers: Answers, reviewer: str, waiting: int | None) -> Component:
    """Tiles: the reviewer's verdicts of today, what waits, what measures the model, and the agreement.

    Args:
        answers: Where the verdicts are read.
        reviewer: Who looks.
        waiting: Complaints that wait and match the filters; None if unknown.
    """
    try:
        progress, agreement = progress_of(answers, reviewer), agreement_of(answers)
    except TableError as error:
        return empty(str(error))
    share = f"{progress.audited / progress.by_all:.0%}" if progress.by_all else "–"
    return tiles(
        tile("Your verdicts today", number(progress.by_reviewer), f"{progress.by_all:,} by all reviewers, in UTC"),
        tile("Waiting", number(waiting), "match the filters and have no verdict"),
        tile("Picked at random", share, f"{progress.audited:,} of today's verdicts; they measure the model"),
        _agreement_tile(agreement),
    )


def _agreement_tile(agreement: Agreement) -> Component:
    if not agreement.count:
        return tile("Reviewers agree", "–", "no complaint has been read a second time yet")
    kappa = "" if agreement.kappa is None else f"; Cohen's kappa {agreement.kappa:.2f}"
    detail = f"on {agreement.agreed:,} of {counted(agreement.count, 'second reading')}{kappa}"
    return tile("Reviewers agree", f"{agreement.agreed / agreement.count:.0%}", detail)
