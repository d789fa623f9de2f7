"""Makes a challenger that passed its validation the champion."""

from __future__ import annotations

from solosolve.cli.task import Flow, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import promote_model


@task_command("promote_model", __doc__)
def command() -> Flow[object]:
    """Takes no options of its own."""
    return promote_model.run


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
