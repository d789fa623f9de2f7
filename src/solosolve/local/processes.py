"""The processes that a command starts: they end with it, however it ends."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

import psutil

_INTERRUPTS = (signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_DEATH_SECONDS = 20


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP interrupt the block as Ctrl-C does, rather than end the process as it stands.

    Raises:
        KeyboardInterrupt: One of them came. Later ones are ignored, so that what the block stops is stopped.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in _INTERRUPTS:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_parent() -> None:
    """Has Linux send this process SIGTERM when its parent ends, even if it is killed; a `preexec_fn` of `Popen`.

    On other systems it does nothing.
    """
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def end(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Asks a process to end, then kills what is left of it and of its descendants.

    Args:
        process: A process of this one.
        seconds: How long it may take to end; with 0 it is not asked.
    """
    end_all([process], seconds)


def end_all(processes: Sequence[subprocess.Popen[bytes]], seconds: float) -> None:
    """Asks processes to end, all at once, then kills what is left of them and of their descendants.

    Args:
        processes: Processes of this one.
        seconds: How long they may take to end together; with 0 they are not asked.
    """
    found = [descendant for each in processes for descendant in _descendants(each)]
    if seconds:
        deadline = time.monotonic() + seconds
        for process in processes:
            process.terminate()
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(deadline - time.monotonic(), 0))
    for process in processes:
        process.kill()
        process.wait()
    for each in found:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(found, timeout=_DEATH_SECONDS)


def _descendants(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(process.pid).children(recursive=True)
    return []
