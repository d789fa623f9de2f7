"""Measures the champion's drift and performance in every complete window that has not been measured."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from solosolve.cli.task import Flow, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import monitor_model

_LEAST_DAYS = 1 / 1440


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
@click.option(
    "--monitor-days", type=click.FloatRange(min=_LEAST_DAYS), default=28, show_default=True, help="Length of a window."
)
@click.option(
    "--monitor-until", callback=_instant, default="", help="Leave out windows that end later; now when empty."
)
@click.option(
    "--monitor-windows", type=click.IntRange(min=0), default=0, help="The newest ones to look at; all when 0."
)
def command(monitor_days: float, monitor_until: datetime | None, monitor_windows: int) -> Flow[object]:
    """Takes the windows' length, their end and their number."""
    return lambda spark, settings: monitor_model.run(
        spark, settings, monitor_days, monitor_until, monitor_windows or None
    )


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
