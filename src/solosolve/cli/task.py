"""The command line of a task, and what every task does first: settings, logging, lock, session."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, get_args

import click
from filelock import FileLock, Timeout
from pyspark.sql import SparkSession
from rich.console import Console

from solosolve.errors import BusyError
from solosolve.logs import log_to_output, set_up_logging
from solosolve.names import DELTA_SOURCE, SourceName
from solosolve.settings import Settings
from solosolve.storage.spark import spark_session

Result = TypeVar("Result")
Option = TypeVar("Option", bound=Callable[..., object])

Flow = Callable[[SparkSession, Settings], Result]
"""What a task does with a session and the settings."""

_INTERVAL = re.compile(r"\d+ (milli)?seconds?|\d+ (minute|hour)s?")


def task_command(
    name: str, description: str | None, *, lock: str | None = None
) -> Callable[[Callable[..., Flow[object]]], click.Command]:
    """Turns a function from options to a flow into the command of a task, with the option `--target`.

    Args:
        name: The task's name.
        description: What `--help` says of it: the docstring of the job file.
        lock: Lock name, as a format string over the options; the task's name when None.
    """

    def decorate(flow_of: Callable[..., Flow[object]]) -> click.Command:
        def run(target: str, **options: Any) -> None:
            run_task(name, target, flow_of(**options), lock=lock and lock.format(**options))

        run.__doc__ = description
        # Options that decorate the function are kept on it until a command takes them.
        run.__click_params__ = getattr(flow_of, "__click_params__", [])  # type: ignore[attr-defined]
        return click.command(name=name)(_target_option(run))

    return decorate


class Main(Protocol):
    """Runs a task with command-line arguments; without any given, those of the process."""

    def __call__(self, argv: Sequence[str] | None = None) -> None:
        """Runs the task."""
        ...


def main_of(command: click.Command) -> Main:
    """The function that runs a task's command."""

    def main(argv: Sequence[str] | None = None) -> None:
        command.main(args=argv, standalone_mode=False)

    return main


def flag_option(name: str, help: str) -> Callable[[Option], Option]:
    """An option that is a bare flag on a command line, and true or false as a bundle's parameter."""
    return click.option(name, type=bool, is_flag=False, flag_value=True, default=False, show_default=True, help=help)


source_option = click.option(
    "--source",
    type=click.Choice(get_args(SourceName)),
    default=DELTA_SOURCE,
    show_default=True,
    help="Where requests arrive: in a Delta table or a Kafka topic.",
)
"""The option for the source of a stream."""


def interval(_: click.Context, __: click.Parameter, value: str) -> str:
    """Checks an option that is a time interval, as Spark reads it."""
    if not _INTERVAL.fullmatch(value):
        raise click.BadParameter(f"found '{value}', expected an interval such as '500 milliseconds' or '10 seconds'")
    return value


def run_task(name: str, target: str, flow: Flow[Result], *, lock: str | None = None) -> Result:
    """Runs a flow with the target's settings in the session of this process.

    Args:
        name: The task's name.
        target: A target of the bundle.
        flow: The flow.
        lock: Name of the task's lock; the task's name when None.

    Returns:
        What the flow returns.

    Raises:
        SettingsError: A setting has a value that is not allowed.
        BusyError: Another process runs the task on the same home (local only).
        MissingDependencyError: Spark does not start, or has no Delta.
    """
    settings = Settings.load(target)
    if not settings.is_local:
        log_to_output()
        return flow(spark_session(settings, name), settings)
    set_up_logging(settings.logs, Console(stderr=True))
    lock = lock or name
    # A task decides what is left to do before it writes: two runs at once would both do it.
    try:
        with FileLock(settings.lock_file(f"{lock}.task"), timeout=0):
            return flow(spark_session(settings, name), settings)
    except Timeout:
        raise BusyError(f"{lock} is running in another process on {settings.home}: wait until it ends") from None


_target_option = click.option(
    "--target", default="local", show_default=True, help="Bundle target, which determines the tables and models."
)
