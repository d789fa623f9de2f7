"""Records what needs a person: opens and closes alerts."""

from __future__ import annotations

from solosolve.cli.task import Flow, main_of, task_command
from solosolve.exit_codes import run_as_task
from solosolve.flows import raise_alerts


@task_command("raise_alerts", __doc__)
def command() -> Flow[object]:
    """Takes no options."""
    return raise_alerts.run


main = main_of(command)

if __name__ == "__main__":
    run_as_task(main)
