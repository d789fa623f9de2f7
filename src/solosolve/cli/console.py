"""The consoles that commands print to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from solosolve.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console


def console(*, stderr: bool = True) -> Console:
    """A console: standard error for progress and messages, standard output for answers."""
    from rich.console import Console

    return Console(stderr=stderr)


def print_line(line: str, *, stderr: bool = True) -> None:
    """Prints a line as it is: not wrapped, not highlighted, brackets not read as markup."""
    console(stderr=stderr).print(line, highlight=False, soft_wrap=True, markup=False)


def logged_settings() -> Settings:
    """The local settings, with logging set up."""
    from solosolve.logs import set_up_logging

    settings = Settings.load()
    set_up_logging(settings.logs, console())
    return settings
