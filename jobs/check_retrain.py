"""Decides whether a challenger should be trained, and says why."""

from __future__ import annotations

from solosolve.cli.task import Flow, flag_option, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import check_retrain


@task_command("check_retrain", __doc__)
@flag_option("--force", help="Retraining is due, whatever has happened.")
def command(force: bool) -> Flow[object]:
    """Takes whether a person asks for retraining."""
    return lambda spark, settings: check_retrain.run(spark, settings, is_forced=force)


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
