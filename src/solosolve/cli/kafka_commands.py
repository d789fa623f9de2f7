"""The `solosolve kafka` commands: a broker for the laptop, and complaints sent to a broker."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import click

from solosolve.cli.console import console, logged_settings, print_line
from solosolve.errors import UsageError
from solosolve.names import RAW_TOPIC, REQUESTS_TOPIC, TOPICS

# Commands import what they need when they run, as on the whole command line.

_TOPICS = {"raw": RAW_TOPIC, "requests": REQUESTS_TOPIC}
_ROWS, _SEED = 1_000, 7


@click.group()
def kafka() -> None:
    """Run a Kafka broker on this machine, and send complaints to one."""


@kafka.command()
def start() -> None:
    """Start the broker and create its topics."""
    from solosolve.local.broker import Broker

    broker = Broker(logged_settings(), console=console()).start()
    runs = "Kafka is running" if broker.is_new else "Kafka is already running"
    print_line(f"{runs} at {broker.address} (pid {broker.pid}, cluster {broker.cluster_id})")


@kafka.command()
def stop() -> None:
    """Stop the broker; it keeps its messages."""
    from solosolve.local.broker import Broker

    has_stopped = Broker(logged_settings(), console=console()).stop()
    print_line("Kafka has stopped" if has_stopped else "no broker is running for this home")


@kafka.command()
def status() -> None:
    """Show where the broker listens and how many messages its topics hold."""
    from rich.table import Table

    from solosolve.kafka.client import cluster_id, message_counts
    from solosolve.local.broker import Broker

    settings = logged_settings()
    cluster = cluster_id(settings)
    counts = message_counts(settings, TOPICS)
    broker = Broker(settings).status()
    is_ours = broker is not None and broker.address == settings.kafka_bootstrap
    pid = f"pid {broker.pid}" if broker is not None and is_ours else "not started from this home"
    table = Table("topic", "messages")
    for topic in TOPICS:
        table.add_row(topic, f"{counts[topic]:,}" if topic in counts else "does not exist yet")
    print_line(f"Kafka answers at {settings.kafka_bootstrap} ({pid}, cluster {cluster})", stderr=False)
    console(stderr=False).print(table)


@kafka.command(name="produce")
@click.option(
    "--topic", type=click.Choice(list(_TOPICS)), default="requests", show_default=True, help="Topic to send to."
)
@click.option(
    "--csv", "path", type=click.Path(path_type=Path), help="Complaints to send, in any layout that can be landed."
)
@click.option(
    "--rows", type=click.IntRange(min=1), help=f"Sample complaints to make if there is no --csv.  [default: {_ROWS}]"
)
@click.option("--seed", type=click.IntRange(min=0), help=f"Seed of the sample.  [default: {_SEED}]")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), help="Messages per second; by default as fast as possible."
)
@click.option("--limit", type=click.IntRange(min=1), help="Maximum number of messages.")
def send_complaints(
    topic: str, path: Path | None, rows: int | None, seed: int | None, rate: float | None, limit: int | None
) -> None:
    """Send complaints to a topic, from a CSV or a generated sample."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from solosolve.kafka.client import ensure_topics
    from solosolve.local.produce import produce, read_complaints

    if path is not None and (rows is not None or seed is not None):
        raise UsageError("--csv: cannot be combined with --rows or --seed, which make sample complaints")
    settings, out = logged_settings(), console()
    name = _TOPICS[topic]
    ensure_topics(settings, [name])
    rows = _ROWS if rows is None else rows
    total = limit if path is not None else min(rows, limit or rows)
    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        _complaints(path, rows, _SEED if seed is None else seed) as csv,
        Progress(*columns, console=out, transient=True, disable=not out.is_interactive) as progress,
    ):
        bar = progress.add_task("sending", total=total)
        made = produce(
            settings,
            name,
            islice(read_complaints(csv, name), limit),
            rate,
            lambda done: progress.update(bar, completed=done),
        )
    speed = made.message_count / made.seconds
    print_line(f"{made.message_count:,} messages sent to {name} ({made.seconds:.1f} s, {speed:,.0f} per second)")


@contextmanager
def _complaints(path: Path | None, rows: int, seed: int) -> Iterator[Path]:
    """The given CSV, or a temporary sample."""
    if path is not None:
        yield path
        return
    from solosolve.samples.writer import write_sample

    with tempfile.TemporaryDirectory() as folder:
        yield write_sample(Path(folder) / "sample.csv", rows=rows, seed=seed).path
