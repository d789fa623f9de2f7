"""Logging: everything to a file, and what a person needs to the terminal."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

from rich.console import Console
from rich.text import Text

LOG_FILE = "solosolve.log"


def set_up_logging(logs: Path, console: Console) -> None:
    """Sends the project's log records to `<logs>/solosolve.log` and, from level INFO on, to the terminal.

    Warnings of other libraries go only to the file. Further calls change nothing.
    """
    root = logging.getLogger()
    if any(isinstance(handler, RotatingFileHandler) for handler in root.handlers):
        return
    logs.mkdir(parents=True, exist_ok=True)
    to_file = RotatingFileHandler(logs / LOG_FILE, maxBytes=10_000_000, backupCount=3, encoding="utf-8")
    to_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(to_file)
    root.setLevel(logging.WARNING)
    ours = logging.getLogger("solosolve")
    ours.setLevel(logging.DEBUG)
    ours.addHandler(_ToTerminal(console))


def log_to_output() -> None:
    """Sends the project's log records, from level INFO on, to standard output, which the platform shows for a task.

    Further calls change nothing.
    """
    ours = logging.getLogger("solosolve")
    if ours.handlers:
        return
    to_output = logging.StreamHandler(sys.stdout)
    to_output.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    ours.addHandler(to_output)
    ours.setLevel(logging.INFO)


class _ToTerminal(logging.Handler):
    """Prints one line per record, warnings in yellow."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Prints the record's message."""
        style = "yellow" if record.levelno >= logging.WARNING else ""
        self._console.print(Text(f"      {record.getMessage()}", style), soft_wrap=True)
