"""Prints the results of a run."""

from __future__ import annotations

import shutil
import sys

from rich.console import Console
from rich.table import Table as Grid

from solosolve.errors import ConservationError, NotYetError
from solosolve.local.conservation import Conservation
from solosolve.local.run_report import RunReport
from solosolve.local.summary import Champion, Summary
from solosolve.names import COMPLAINTS_RAW, FEATURES, OUTCOME_NAMES
from solosolve.settings import Settings
from solosolve.storage.store_reader import reader_of

_BETTER = {"log_loss": "lower", "calibration_error": "lower", "review_share": "as chosen"}
"""Which values are better; higher ones for all other metrics."""


def show_report(settings: Settings, console: Console) -> None:
    """Prints rows per table, set-aside records, the champion, its predictions, seconds per task, and next steps.

    Args:
        settings: The settings that locate the tables.
        console: The console to print to.

    Raises:
        NotYetError: Nothing has been landed yet.
        ConservationError: Rows were lost or duplicated; everything is printed first.
    """
    summary = Summary(reader_of(settings))
    if COMPLAINTS_RAW not in summary.existing:
        raise NotYetError(f"there are no tables in {settings.warehouse_url or settings.warehouse} yet", "make demo")
    console.print(_rows_grid(summary))
    for title, counts in (("quarantined: reason", summary.quarantined), ("rejected: failed rule", summary.rejected)):
        if counts:
            console.print(_counts_grid(title, counts))
    if summary.is_mixed:
        advice = "The tables mix made-up and real complaints; use a separate SOLOSOLVE_HOME for each."
        console.print(advice, style="yellow")
    checks = summary.conservation
    for check in checks:
        _print_check(check, console)
    if FEATURES in summary.existing:
        console.print(_splits_grid(summary))
    champion = summary.champion
    if champion is not None:
        _print_champion(champion, settings.min_labels, console)
        _print_predictions(summary, console)
    if run := RunReport.latest(settings.runs):
        console.print(_seconds_grid(run))
    _print_next_steps(champion, console)
    broken = [check.statement for check in checks if not check.holds]
    if broken:
        raise ConservationError(f"does not hold: {'; '.join(broken)}")


def _rows_grid(summary: Summary) -> Grid:
    grid = Grid(title="Rows", title_justify="left")
    grid.add_column("table")
    grid.add_column("rows", justify="right")
    for table, count in summary.row_counts.items():
        grid.add_row(str(table), f"{count:,}")
    return grid


def _counts_grid(title: str, counts: dict[str, int]) -> Grid:
    grid = Grid(title_justify="left")
    grid.add_column(title)
    grid.add_column("count", justify="right")
    for name, count in counts.items():
        grid.add_row(name, f"{count:,}")
    return grid


def _print_predictions(summary: Summary, console: Console) -> None:
    if not (predicted := summary.predicted):
        return
    grid = Grid(title="Predictions", title_justify="left")
    for name, side in (("scored from", "left"), (OUTCOME_NAMES[1.0], "right"), (OUTCOME_NAMES[0.0], "right")):
        grid.add_column(name, justify=side)  # type: ignore[arg-type]
    for row in predicted:
        grid.add_row(row["source"], f"{row['successful']:,}", f"{row['not_successful']:,}")
    console.print(grid)
    if not (newest := summary.newest_streamed):
        return
    grid = Grid(title="Newest predictions from the stream", title_justify="left")
    for name in ("complaint", "company", "probability", "position"):
        grid.add_column(name, no_wrap=True, overflow="ellipsis", max_width=30)
    for row in newest:
        position = f"{row['source']} {row['source_position']}"
        grid.add_row(str(row["complaint_id"]), row["company"], f"{row['probability']:.3f}", position)
    console.print(grid)


def _print_check(check: Conservation, console: Console) -> None:
    mark = "[green]holds[/]" if check.holds else "[red]BROKEN[/]"
    missing = f" ({check.left - check.right:,} {check.allowed})" if check.holds and check.left != check.right else ""
    sign = "=" if check.holds else "≠"
    console.print(f"{mark}  {check.statement}: {check.left:,} {sign} {check.right:,}{missing}", highlight=False)


def _splits_grid(summary: Summary) -> Grid:
    grid = Grid(title="Complaints by split, oldest first", title_justify="left")
    for name in ("split", "complaints", "success rate", "from", "to"):
        grid.add_column(name, justify="right" if name in ("complaints", "success rate") else "left")
    for row in summary.splits:
        rate = "unknown" if row["success_rate"] is None else f"{row['success_rate']:.1%}"
        grid.add_row(row["split"], f"{row['complaints']:,}", rate, str(row["first_day"]), str(row["last_day"]))
    return grid


def _print_champion(champion: Champion, min_labels: int, console: Console) -> None:
    standing = "[yellow]provisional champion[/]" if champion.is_provisional else "champion"
    has_oracle = any(metric.oracle is not None for metric in champion.metrics)
    title = f"Version {champion.version}, {standing}: {champion.test_count:,} complaints of the test split"
    grid = Grid(title=title, title_justify="left")
    for name in ("metric", "model", "95 % interval", "prior", *(["oracle"] if has_oracle else []), "better"):
        grid.add_column(name, justify="right" if name in ("model", "prior", "oracle") else "left")
    for metric in champion.metrics:
        interval = f"{metric.low:.3f} to {metric.high:.3f}"
        references = [metric.prior, *([metric.oracle] if has_oracle else [])]
        row = [metric.name, f"{metric.value:.3f}", interval, *(_number(value) for value in references)]
        grid.add_row(*row, _BETTER.get(metric.name, "higher"), style="bold" if metric.name == "auc" else None)
    console.print(grid)
    _print_meaning(champion, console)
    console.print("prior: predicts the success rate of the training split for every complaint", style="dim")
    if has_oracle:
        console.print("oracle: predicts the true probabilities that the sample's outcomes were drawn from", style="dim")
    if champion.is_provisional:
        console.print(
            "This champion does not reliably beat the prior. It was promoted provisionally, as there was no other. "
            "Do not act on its scores.",
            style="yellow",
        )
    if champion.label_count < min_labels:
        console.print(
            f"Only {champion.label_count:,} complaints have a known outcome ({min_labels:,} recommended): read every "
            "metric with its interval.",
            style="yellow",
        )


def _print_meaning(champion: Champion, console: Console) -> None:
    """Says in numbers of complaints what the model does for the people who read them."""
    shares = {metric.name: metric.value for metric in champion.metrics}
    if champion.failure_count is None or not {"failure_recall", "review_share"} <= set(shares):
        return
    flagged = round(shares["review_share"] * champion.test_count)
    found = round(shares["failure_recall"] * champion.failure_count)
    console.print(
        f"Below a probability of {champion.threshold:.3f}, it predicts a failure: reading those {flagged:,} of "
        f"{champion.test_count:,} complaints finds {found:,} of {champion.failure_count:,} failures."
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _seconds_grid(run: RunReport) -> Grid:
    grid = Grid(title="Seconds per task", title_justify="left")
    grid.add_column("task")
    grid.add_column("seconds", justify="right")
    for task in run.tasks:
        grid.add_row(f"{task.job} · {task.task}", f"{task.seconds:.1f}")
    grid.add_section()
    grid.add_row("total", f"{sum(task.seconds for task in run.tasks):.1f}")
    return grid


def _print_next_steps(champion: Champion | None, console: Console) -> None:
    steps = [
        ('solosolve sql "select company, avg(probability) from gold.predictions group by 1 order by 2 limit 10"', ""),
        ("solosolve dashboard", "live view, search, review of uncertain predictions"),
        ("make demo DATA=complaints.csv", "the same for your own file"),
        ("solosolve run medallion --param source=FOLDER", "land more files, then run train_model and score_batch"),
    ]
    if champion is None:
        steps.insert(0, ("solosolve run train_model score_batch", "there is no champion yet"))
    console.print("Next", style="bold")
    # If it is not on PATH, show it as it was invoked.
    program = "solosolve" if shutil.which("solosolve") else sys.argv[0]
    for command, why in steps:
        console.print(
            f"  [cyan]{command.replace('solosolve', program, 1)}[/]  [dim]{why}[/]", highlight=False, soft_wrap=True
        )
