"""Where the process runs: on one machine, or on the platform, where commands have other names."""

from __future__ import annotations

import os
import re

_PLATFORM_VARIABLES = ("DATABRICKS_RUNTIME_VERSION", "DATABRICKS_APP_NAME")
"""Environment variables that the platform sets for jobs and for apps."""


def is_on_platform() -> bool:
    """Whether Databricks runs this process."""
    return any(name in os.environ for name in _PLATFORM_VARIABLES)


def command_here(command: str) -> str:
    """A `solosolve run` command as it works where it is shown: on the platform, its own CLI runs the jobs."""
    if not is_on_platform():
        return command
    match = re.fullmatch(r"solosolve run (\w+)((?: --param \S+=\S+)*)", command)
    if match is None:
        return command
    parameters = re.findall(r"--param (\S+=\S+)", match[2])
    return f"databricks bundle run {match[1]}" + (f" --params {','.join(parameters)}" if parameters else "")
