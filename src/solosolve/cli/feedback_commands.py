"""The `solosolve feedback` commands: observed outcomes sent to Kafka, or brought into the tables from files."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import click

from solosolve.cli.console import console, logged_settings, print_line
from solosolve.names import FEEDBACK_TOPIC

# Commands import what they need when they run, as on the whole command line.


@click.group()
def feedback() -> None:
    """Bring in observed outcomes of complaints, from which labels are made."""


@feedback.command()
@click.option(
    "--file", "path", required=True, type=click.Path(path_type=Path), help="Events to send: a CSV or JSON lines."
)
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), help="Messages per second; by default as fast as possible."
)
@click.option("--limit", type=click.IntRange(min=1), help="Maximum number of messages.")
def produce(path: Path, rate: float | None, limit: int | None) -> None:
    """Send the events of a file to the feedback topic."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from solosolve.kafka.client import ensure_topics
    from solosolve.local.produce import produce as send
    from solosolve.local.produce_feedback import read_feedback_events

    settings, out = logged_settings(), console()
    ensure_topics(settings, [FEEDBACK_TOPIC])
    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_interactive) as progress:
        bar = progress.add_task("sending", total=limit)
        events = islice(read_feedback_events(path), limit)
        made = send(settings, FEEDBACK_TOPIC, events, rate, lambda done: progress.update(bar, completed=done))
    print_line(f"{made.message_count:,} messages sent to {FEEDBACK_TOPIC} ({made.seconds:.1f} s)")


@feedback.command(name="import")
@click.argument("path")
def import_events(path: str) -> None:
    """Record the events of PATH in silver.feedback, each once.

    PATH is a file, a folder or a glob of CSV files or JSON lines, plain or packed. A file may be given again.
    """
    from solosolve.cli.task import run_task
    from solosolve.flows import ingest_feedback

    found = run_task("ingest_feedback", "local", lambda spark, settings: ingest_feedback.run(spark, settings, path))
    print_line(
        f"{found.message_count:,} messages: {found.new_count:,} new events, {found.repeated_count:,} known ones, "
        f"{found.refused_count:,} dead letters"
    )
