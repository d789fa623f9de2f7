"""What every task does first: settings, logging, session."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import click
from filelock import FileLock, Timeout
from pyspark.sql import SparkSession
from rich.console import Console

from solosolve.errors import BusyError
from solosolve.logs import set_up_logging
from solosolve.settings import Settings
from solosolve.storage.spark import spark_session

Result = TypeVar("Result")
Command = TypeVar("Command", bound=Callable[..., object])

_INTERVAL = re.compile(r"\d+ (milli)?seconds?|\d+ (minute|hour)s?")

target_option = click.option(
    "--target", default="local", show_default=True, help="Bundle target: where tables and models are."
)


def flag_option(name: str, help: str) -> Callable[[Command], Command]:
    """An option that is a flag on a command line, and takes true or false where a bundle's parameter feeds it."""
    return click.option(name, type=bool, is_flag=False, flag_value=True, default=False, show_default=True, help=help)


def interval(_: click.Context, __: click.Parameter, value: str) -> str:
    """Checks an option that is a time, as Spark reads it."""
    if not _INTERVAL.fullmatch(value):
        raise click.BadParameter(f"found '{value}', expected a time as '500 milliseconds' or '10 seconds'")
    return value


def run_task(name: str, target: str, flow: Callable[[SparkSession, Settings], Result]) -> Result:
    """Runs a flow with the target's settings in the process's Spark session.

    Args:
        name: The task's name, with what tells it from others of its kind that may run beside it.
        target: A target of the bundle.
        flow: What to run.

    Returns:
        What the flow returns.

    Raises:
        SettingsError: A setting has a value that is not allowed.
        BusyError: Another process runs the task on the same home (local only).
        MissingDependencyError: Spark does not start, or has no Delta.
    """
    settings = Settings.load(target)
    if not settings.is_local:
        return flow(spark_session(settings, name), settings)
    set_up_logging(settings.logs, Console(stderr=True))
    # What is still to be done is decided before it is written: two of a kind would do it twice.
    lock = settings.home / "locks" / f"{name}.task.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=0):
            return flow(spark_session(settings, name), settings)
    except Timeout:
        raise BusyError(f"{name} is running in another process on {settings.home}: wait for it") from None
