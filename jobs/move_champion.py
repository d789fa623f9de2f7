"""Makes a version champion by hand, or goes back to the champion before the present one."""

from __future__ import annotations

import click

from solosolve.cli.task import Flow, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import move_champion


@task_command("move_champion", __doc__, lock=move_champion.LOCK)
@click.option(
    "--version",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="The version; 0 goes back to the champion before the present one.",
)
@click.option("--reason", default="", help="Why; the ledger keeps it.")
def command(version: int, reason: str) -> Flow[object]:
    """Takes the version and the reason."""
    return lambda spark, settings: move_champion.run(spark, settings, version or None, reason)


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
