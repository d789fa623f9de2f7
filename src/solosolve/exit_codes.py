"""How every program ends: errors become one line on the terminal and an exit code."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import NoReturn

import click

from solosolve.errors import SettingsError, SolosolveError, StoppedError, UsageError, one_line

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

_WRONG_USAGE = (SettingsError, UsageError)

logger = logging.getLogger("solosolve")


def run_as_program(main: Callable[[], object]) -> NoReturn:
    """Runs a program and exits: 0 done or stopped on request, 1 the work failed, 2 wrong usage, 130 interrupted.

    A failure prints one line on standard error; its traceback goes to the log file.
    """
    sys.exit(_exit_code(main))


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
