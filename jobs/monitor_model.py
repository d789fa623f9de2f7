"""Measures the champion's drift and performance in every complete window that has not been measured."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from solosolve.cli.task import Flow, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import monitor_model


def _instant(_: click.Context, __: click.Parameter, value: str) -> datetime | None:
    """Reads a date or a time; without a time zone it is in UTC. Parameters of a bundle cannot be null, but empty."""
    if not value:
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"found '{value}', expected a date such as '2026-01-31'") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


@task_command("monitor_model", __doc__)
@click.option("--window-days", type=click.IntRange(min=1), default=28, show_default=True, help="Length of a window.")
@click.option("--until", callback=_instant, default="", help="Leave out windows that end later; now when empty.")
def command(window_days: int, until: datetime | None) -> Flow[object]:
    """Takes the windows' length and their end."""
    return lambda spark, settings: monitor_model.run(spark, settings, window_days, until)


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
