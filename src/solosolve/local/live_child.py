"""A process that `solosolve live` starts, ends and watches; its output goes to a log file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from solosolve.errors import SolosolveError
from solosolve.local.processes import end_with_parent

_TAIL_BYTES = 10_000


class ChildEndedError(SolosolveError):
    """A process has ended that should run, or failed."""


@dataclass(frozen=True)
class Child:
    """A running `solosolve` command.

    Attributes:
        name: What it is, in a message.
        process: Its process.
        log: Its output.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(
        cls, name: str, words: Sequence[str], log: Path, settings: Mapping[str, str] | None = None, *, nice: int = 0
    ) -> Child:
        """Starts a command that ends with this process.

        Args:
            name: What it is, in a message.
            words: The command after `solosolve`.
            log: The file for its output, which is replaced.
            settings: Environment variables, unless the user has set them.
            nice: How far it stands back for others.
        """

        def prepare() -> None:
            end_with_parent()
            os.nice(nice)

        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as file:
            # In a session of its own, Ctrl-C reaches it only through this process, which ends all together.
            process = subprocess.Popen(
                [sys.executable, "-m", "solosolve", *words], env={**(settings or {}), **os.environ}, stdout=file,
                stderr=file, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=prepare,
            )  # fmt: skip
        return cls(name, process, log)

    def require_running(self) -> None:
        """Raises ChildEndedError if it has ended."""
        if (code := self.process.poll()) is not None:
            raise self._ended(code)

    def is_done(self) -> bool:
        """Whether it has ended well.

        Raises:
            ChildEndedError: It has failed.
        """
        code = self.process.poll()
        if code:
            raise self._ended(code)
        return code == 0

    def _ended(self, code: int) -> ChildEndedError:
        lines = self.log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip().splitlines()
        reason = next((line.partition("solosolve: ")[2] for line in lines if line.startswith("solosolve: ")), None)
        last = reason or (lines[-1].strip() if lines else "it said nothing")
        return ChildEndedError(f"{self.name} ended with exit code {code}: {last}\n  its log is {self.log}")
