"""How every program ends: errors become one line on the terminal and an exit code."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import click

from solosolve.errors import SettingsError, SolosolveError, StoppedError, UsageError, one_line
from solosolve.where import is_on_platform

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

_WRONG_USAGE = (SettingsError, UsageError)

logger = logging.getLogger("solosolve")


def run_as_program(main: Callable[[], object]) -> NoReturn:
    """Runs a program and exits: 0 done or stopped on request, 1 the work failed, 2 wrong usage, 130 interrupted.

    A failure prints one line on standard error; its traceback goes to the log file.
    """
    sys.exit(_exit_code(main))


def run_as_task(main: Callable[[], object]) -> None:
    """Runs a job file: as a program on one machine; on the platform, returns when done and raises what went wrong.

    The platform takes any SystemExit, even that of exit code 0, for a failure, and shows the traceback of an error.
    """
    if not is_on_platform():
        run_as_program(main)
    with suppress(StoppedError):
        main()


def _exit_code(main: Callable[[], object]) -> int:
    try:
        main()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _report("interrupted", INTERRUPTED)
    except StoppedError:
        return DONE
    except _WRONG_USAGE as error:
        return _report(str(error), WRONG_USAGE)
    except SolosolveError as error:
        logger.debug("failed", exc_info=True)
        return _report(str(error), WRONG_USAGE if isinstance(error.__cause__, _WRONG_USAGE) else FAILED)
    except Exception as error:
        logger.debug("failed unexpectedly", exc_info=True)
        return _report(one_line(error), FAILED)
    return DONE


def _report(message: str, code: int) -> int:
    click.echo(f"solosolve: {message}", err=True)
    return code
