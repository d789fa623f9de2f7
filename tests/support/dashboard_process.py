"""A dashboard in its own process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psutil

_TESTS = Path(__file__).parents[1]


@contextmanager
def serving(
    home: Path, password: str = "", stderr: IO[Any] | int | None = None, poll_seconds: int = 2
) -> Iterator[tuple[str, psutil.Process]]:
    """Serves a home's dashboard, which polls more often than a user's; yields its address and its process."""
    words = [str(home), str(poll_seconds), *([password] if password else [])]
    command = [sys.executable, "-m", "support.serve_for_browsers", *words]
    with served_by(command, stderr) as served:
        yield served


@contextmanager
def served_by(command: list[Any], stderr: IO[Any] | int | None = None) -> Iterator[tuple[str, psutil.Process]]:
    """Runs a program for the length of the block; yields the address on its first output line, and its process."""
    paths = filter(None, (str(_TESTS), os.environ.get("PYTHONPATH")))
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environ)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip(), psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(20)
