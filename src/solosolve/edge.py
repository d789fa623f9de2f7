"""The edge of every program: errors become one line on the terminal and an exit code."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from typing import NoReturn

import click

from solosolve.errors import SettingsError, SolosolveError, UsageError

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130

_WRONG_USAGE = (SettingsError, UsageError)
_TRACEBACK = "Traceback (most recent call last)"
_JAVA_CAUSE = re.compile(r"(?:Caused by)?: (?=[\w.$]+)")
_RAISED = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)\b")

logger = logging.getLogger("solosolve")


def run_as_program(main: Callable[[], object]) -> NoReturn:
    """Runs a program and exits: 0 done, 1 the work failed, 2 wrong usage, 130 interrupted.

    What failed is said in one line on standard error; tracebacks go to the log file.
    """
    sys.exit(_exit_code(main))


def _exit_code(main: Callable[[], object]) -> int:
    try:
        main()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _say("interrupted", INTERRUPTED)
    except _WRONG_USAGE as error:
        return _say(str(error), WRONG_USAGE)
    except SolosolveError as error:
        logger.debug("failed", exc_info=True)
        return _say(str(error), WRONG_USAGE if isinstance(error.__cause__, _WRONG_USAGE) else FAILED)
    except Exception as error:
        logger.debug("failed unexpectedly", exc_info=True)
        return _say(one_line(error), FAILED)
    return DONE


def one_line(error: BaseException) -> str:
    """What an error says in one line, with its kind where the project did not raise it itself.

    Of an error in a Spark worker, whose message holds the worker's traceback, this is the traceback's last line; of
    one in the JVM its innermost cause.
    """
    lines = str(error).strip().splitlines()
    if isinstance(error, SolosolveError):
        return lines[0] if lines else ""
    raised_in_worker = [line for line in lines if _RAISED.match(line)] if _TRACEBACK in str(error) else []
    if raised_in_worker:
        return raised_in_worker[-1]
    causes = [line[found.end() :].strip() for line in lines if (found := _JAVA_CAUSE.match(line))]
    if causes:
        return causes[-1]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"


def _say(message: str, code: int) -> int:
    click.echo(f"solosolve: {message}", err=True)
    return code
