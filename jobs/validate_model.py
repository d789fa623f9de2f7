"""Compares the challenger with the champion on the frozen test split, and records the gate's result."""

from __future__ import annotations

from solosolve.cli.task import Flow, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import validate_model


@task_command("validate_model", __doc__)
def command() -> Flow[object]:
    """Takes no options of its own."""
    return validate_model.run


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
