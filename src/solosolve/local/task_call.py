"""Calls the code of a task in this process: its file or entry point, its environment, its time limit."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from solosolve.errors import BundleError, SolosolveError, UsageError
from solosolve.local.planned import Call

logger = logging.getLogger("solosolve.runner")

Main = Callable[[Sequence[str]], object]


class TaskTimeoutError(SolosolveError):
    """A task took longer than it may."""


class _TimeIsUp(BaseException):
    """Raised inside a task; not an Exception, so that the task does not take it for a failure of its own."""


def call(work: Call, arguments: Sequence[str], where: str) -> None:
    """Runs the code of a task.

    Args:
        work: The code.
        arguments: Its command-line arguments.
        where: The task, for messages.

    Raises:
        BundleError: The file is not Python, or there is no such package or entry point.
        SolosolveError: The code ends with an exit code that is not 0.
    """
    main = _main_of_file(work.file, where) if work.file is not None else _entry_point(work, where)
    try:
        main(arguments)
    except SystemExit as end:
        if end.code not in (None, 0):
            raise SolosolveError(f"it ended with exit code {end.code}") from end


def _main_of_file(file: Path, where: str) -> Main:
    spec = importlib.util.spec_from_file_location(f"solosolve_job_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise BundleError(f"{where}: {file.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    main: Main = module.main
    return main


def _entry_point(work: Call, where: str) -> Main:
    try:
        points = importlib.metadata.distribution(work.package).entry_points
    except importlib.metadata.PackageNotFoundError:
        raise BundleError(f"{where}: package_name: found '{work.package}', which is not installed here") from None
    named = [point for point in points if point.name == work.entry_point]
    if not named:
        known = ", ".join(sorted(point.name for point in points)) or "none"
        raise BundleError(f"{where}: entry_point: found '{work.entry_point}', {work.package} has {known}")
    function = named[0].load()

    def main(arguments: Sequence[str]) -> None:
        # Entry points take no arguments: they read the command line.
        before = sys.argv
        sys.argv = [work.entry_point, *arguments]
        try:
            function()
        finally:
            sys.argv = before

    return main


@contextmanager
def environment(variables: Mapping[str, str], where: str) -> Iterator[None]:
    """Sets environment variables that the user has not set, and removes them at the end of the block.

    Args:
        variables: Names and values, as in a cluster's `spark_env_vars`. A secret of the platform, and what only a
            deployment knows, is left out.
        where: The task, for messages.
    """
    added = {name: value for name, value in variables.items() if name not in os.environ}
    for name, value in list(added.items()):
        if value.strip().startswith("{{secrets/"):
            logger.warning("%s: %s is a secret of the platform; it is not set here", where, name)
            del added[name]
        elif "${resources." in value:
            del added[name]
    with environment_variables(added):
        yield


@contextmanager
def environment_variables(values: Mapping[str, str]) -> Iterator[None]:
    """Sets environment variables for the length of the block; then they are as before."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextmanager
def time_limit(seconds: float | None, where: str) -> Iterator[None]:
    """Interrupts the block when its time is up: between two steps of Python code, so not inside a call into C.

    Args:
        seconds: The limit; None for none.
        where: The task, for messages.

    Raises:
        TaskTimeoutError: The time was up, also when the block ended by itself only afterwards.
        UsageError: There is no way to interrupt a task here.
    """
    if seconds is None:
        yield
        return
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        raise UsageError(f"{where}: timeout_seconds can be honoured only in the main thread of a Unix system")
    started = time.monotonic()

    def interrupt(_: int, __: FrameType | None) -> None:
        raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        yield
    except _TimeIsUp:
        raise TaskTimeoutError(f"it took longer than {seconds:.1f} s") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if time.monotonic() - started > seconds:
        raise TaskTimeoutError(f"it took longer than {seconds:.1f} s")
