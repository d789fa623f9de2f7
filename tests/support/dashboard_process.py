"""A dashboard in a process of its own."""

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
    home: Path, password: str = "", stderr: IO[Any] | int | None = None
) -> Iterator[tuple[str, psutil.Process]]:
    """The address and the process of a dashboard over a home."""
    words = [sys.executable, "-m", "support.serve_for_browsers", home, *([password] if password else [])]
    with served_by(words, stderr) as served:
        yield served


@contextmanager
def served_by(words: list[Any], stderr: IO[Any] | int | None = None) -> Iterator[tuple[str, psutil.Process]]:
    """The address that a program prints first, and its process; it ends with the block."""
    environ = os.environ | {"PYTHONPATH": str(_TESTS)}
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environ)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip(), psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(20)
