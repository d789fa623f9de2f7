"""One turn of the loop of `solosolve live`: the bundle's jobs, with parameters and settings for minutes, not months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from solosolve.local.live_child import Child
from solosolve.local.live_files import LiveFiles

JOBS = ("medallion", "retrain", "score_batch")
"""What a turn runs: the arrivals land, the loop closes, and a new champion scores all complaints."""

WINDOW_MINUTES = 3
"""Length of the monitor's windows."""

FIRST_OUTCOMES = 250
"""Outcomes before the first turn: with fewer there is nothing to measure and nothing to learn from."""

SETTINGS = {
    "SOLOSOLVE_RETRAIN_COOLDOWN_DAYS": "0",
    "SOLOSOLVE_RETRAIN_LABELS": "5000",
    "SOLOSOLVE_BOOTSTRAP_ROUNDS": "200",
}
_PARAMETERS = {
    # In the complaints' days, of which one is `live_world.DAY_SECONDS` long.
    "retrain.window_days": "60",
    "retrain.holdout_labels": "1500",
    "retrain.monitor_days": str(WINDOW_MINUTES / 1440),
    # After a pause of days, only the newest windows are worth the time.
    "retrain.monitor_windows": "10",
}
_NICE = 10


def parameters_of(complaints: str | None, feedback: str, until: str) -> dict[str, str]:
    """The job parameters of a turn.

    Args:
        complaints: The files to land; None for none.
        feedback: Where outcomes are: `kafka`, or files.
        until: The present instant: windows that have ended are measured.
    """
    landed = {} if complaints is None else {"medallion.source": complaints}
    return _PARAMETERS | landed | {"retrain.source": feedback, "retrain.monitor_until": until}


@dataclass(frozen=True)
class Turn:
    """A running turn.

    Attributes:
        child: Its process.
        files: The files that it takes in, and that nobody needs once it is done.
        repair: The command that makes the tables whole again after it was cut off.
    """

    child: Child
    files: tuple[Path, ...]
    repair: str

    @classmethod
    def start(cls, files: LiveFiles, feedback: str, logs: Path, now: datetime) -> Turn:
        """Starts a turn; it stands back for the stream.

        Args:
            files: The closed files, which it takes in.
            feedback: The parameter `source` of `retrain`.
            logs: The folder of logs.
            now: The present instant.
        """
        given = parameters_of(files.complaints, feedback, now.isoformat())
        # Nothing arrives any more once --at-most have.
        jobs = JOBS if files.complaints is not None else JOBS[1:]
        words = ["run", *jobs, *(f"--param={name}={value}" for name, value in given.items())]
        child = Child.start("the loop", words, logs / "live_loop.log", SETTINGS, nice=_NICE)
        landed = "" if files.complaints is None else f"medallion --param 'medallion.source={files.complaints}' "
        repair = f"solosolve run {landed}score_batch"
        return cls(child, tuple(files.closed), repair)

    def is_done(self) -> bool:
        """Whether it has ended well; then its files are deleted, as the tables have what was in them.

        Raises:
            ChildEndedError: It has failed.
        """
        if not self.child.is_done():
            return False
        for file in self.files:
            file.unlink(missing_ok=True)
        return True
