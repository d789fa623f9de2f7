"""The `solosolve kafka` commands: a broker for the laptop, and complaints that are sent to one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from solosolve.errors import UsageError
from solosolve.names import RAW_TOPIC, REQUESTS_TOPIC, TOPICS
from solosolve.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

# As on the whole command line, commands import what they need when they run.

_TOPICS = {"raw": RAW_TOPIC, "requests": REQUESTS_TOPIC}
_ROWS, _SEED = 1_000, 7


@click.group()
def kafka() -> None:
    """Run a Kafka broker on this machine, and send complaints to one."""


@kafka.command()
def start() -> None:
    """Start the broker, and make its topics."""
    from solosolve.local.broker import Broker

    settings, console = _set_up()
    broker = Broker(settings, console=console).start()
    runs = "Kafka runs" if broker.is_new else "Kafka runs already"
    _say(console, f"{runs} at {broker.address} (pid {broker.pid}, cluster {broker.cluster_id})")


@kafka.command()
def stop() -> None:
    """Stop the broker; its messages stay."""
    from solosolve.local.broker import Broker

    settings, console = _set_up()
    _say(console, "Kafka has stopped" if Broker(settings, console=console).stop() else "no broker of this home runs")


@kafka.command()
def status() -> None:
    """Say where the broker is, and how many messages its topics hold."""
    from rich.table import Table

    from solosolve.kafka.client import cluster_id, message_counts
    from solosolve.local.broker import Broker

    settings, _ = _set_up()
    cluster = cluster_id(settings)
    counts = message_counts(settings, TOPICS)
    broker = Broker(settings).status()
    is_ours = broker is not None and broker.address == settings.kafka_bootstrap
    pid = f"pid {broker.pid}" if broker is not None and is_ours else "not started from this home"
    table = Table("topic", "messages")
    for topic in TOPICS:
        table.add_row(topic, f"{counts[topic]:,}" if topic in counts else "not made yet")
    console = _console(stderr=False)
    _say(console, f"Kafka answers at {settings.kafka_bootstrap} ({pid}, cluster {cluster})")
    console.print(table)


@kafka.command()
@click.option(
    "--topic", type=click.Choice(list(_TOPICS)), default="requests", show_default=True, help="Where complaints go."
)
@click.option("--csv", "path", type=click.Path(path_type=Path), help="Complaints, in any layout that can be landed.")
@click.option(
    "--rows", type=click.IntRange(min=1), help=f"Sample complaints to make without --csv.  [default: {_ROWS}]"
)
@click.option("--seed", type=click.IntRange(min=0), help=f"Which sample.  [default: {_SEED}]")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Messages a second; without it, all at once.")
@click.option("--limit", type=click.IntRange(min=1), help="Stop after so many.")
def produce(
    topic: str, path: Path | None, rows: int | None, seed: int | None, rate: float | None, limit: int | None
) -> None:
    """Send complaints to a topic: those of a CSV, or sample ones."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from solosolve.kafka.client import ensure_topics
    from solosolve.local import produce as producing

    if path is not None and (rows is not None or seed is not None):
        raise UsageError("--csv: the file's complaints are sent, so there is nothing for --rows and --seed to make")
    settings, console = _set_up()
    name = _TOPICS[topic]
    ensure_topics(settings, [name])
    rows = _ROWS if rows is None else rows
    total = limit if path is not None else min(rows, limit or rows)
    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        _complaints(path, rows, _SEED if seed is None else seed) as csv,
        Progress(*columns, console=console, transient=True, disable=not console.is_interactive) as progress,
    ):
        bar = progress.add_task("sending", total=total)
        made = producing.produce(
            settings,
            name,
            islice(producing.read_complaints(csv, name), limit),
            rate,
            lambda done: progress.update(bar, completed=done),
        )
    speed = made.message_count / made.seconds
    _say(console, f"{made.message_count:,} messages are in {name} ({made.seconds:.1f} s, {speed:,.0f} a second)")


@contextmanager
def _complaints(path: Path | None, rows: int, seed: int) -> Iterator[Path]:
    """The given CSV, or a sample that is there while it is sent."""
    if path is not None:
        yield path
        return
    from solosolve.samples.writer import write_sample

    with tempfile.TemporaryDirectory() as folder:
        yield write_sample(Path(folder) / "sample.csv", rows=rows, seed=seed).path


def _set_up() -> tuple[Settings, Console]:
    from solosolve.logs import set_up_logging

    settings, console = Settings.load(), _console()
    set_up_logging(settings.logs, console)
    return settings, console


def _console(*, stderr: bool = True) -> Console:
    from rich.console import Console

    return Console(stderr=stderr)


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, soft_wrap=True, markup=False)
