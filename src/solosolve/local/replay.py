"""Replays generated months through the real jobs, with a virtual clock: does the loop win back what a change takes?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from solosolve.clock import virtual_time
from solosolve.local.job_plan import Bundle, load_bundle
from solosolve.local.replay_facts import MonthFacts, read_events
from solosolve.local.replay_world import World
from solosolve.local.runner import only_tasks, run_tasks
from solosolve.local.task_call import environment_variables
from solosolve.model.scorer import ComplaintScorer
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.registry import Registry
from solosolve.storage.spark import interpret_plans, spark_session

_OVERRIDES = {
    # Generated outcomes are final.
    "SOLOSOLVE_MATURITY_DAYS": "0",
    "SOLOSOLVE_BOOTSTRAP_ROUNDS": "200",
}

WINDOW_DAYS = 120
"""Days of complaints that a challenger learns from: few, so that a changed world is learned in months, not years."""

_RETRAINING = {"window_days": str(WINDOW_DAYS), "holdout_labels": "500"}


@dataclass(frozen=True)
class ReplayedMonth:
    """What happened in one month.

    Attributes:
        month: Its number, from 1.
        complaints: Complaints that arrived.
        labels: Outcomes that were reported.
        auc_champion: AUC of the champion's predictions when they were made, against all true outcomes.
        auc_oracle: AUC of the true probabilities.
        auc_without_loop: AUC of the first champion.
        alarms: Features, or the score, that the monitor raised an alarm for.
        retrained: Whether a challenger was trained.
        promoted: The version that became champion; None if there was none.
        reasons: Why retraining was due or not.
    """

    month: int
    complaints: int
    labels: int
    auc_champion: float
    auc_oracle: float
    auc_without_loop: float
    alarms: tuple[str, ...]
    retrained: bool
    promoted: int | None
    reasons: tuple[str, ...]

    def as_data(self) -> dict[str, object]:
        """The month as JSON values."""
        return asdict(self) | {"alarms": list(self.alarms), "reasons": list(self.reasons)}


class Replay:
    """One world, run through the bundle's jobs in a home of its own."""

    def __init__(self, world: World, root: Path, home: Path, console: Console, *, is_loop_on: bool) -> None:
        """Plans nothing yet.

        Args:
            world: The world.
            root: The bundle's folder.
            home: The home of the replay; it must be empty.
            console: For the progress of the jobs.
            is_loop_on: Whether challengers are trained and promoted.
        """
        self._world, self._root, self._home, self._console = world, root, home, console
        self._is_loop_on = is_loop_on

    def run(self, months: int) -> Iterator[ReplayedMonth]:
        """Lives through the history and then through `months` months, and yields each when it is over."""
        with environment_variables({"SOLOSOLVE_HOME": str(self._home), **_OVERRIDES}):
            bundle, settings = load_bundle(self._root, "local"), Settings.load()
            interpret_plans(spark_session(settings, "replay"))
            first = self._begin(bundle, settings)
            for number in range(1, months + 1):
                with virtual_time(self._world.end(number)):
                    yield self._live(bundle, settings, first, number)

    def _begin(self, bundle: Bundle, settings: Settings) -> ComplaintScorer:
        """Lands the history with its outcomes, and trains the first champion, which is returned."""
        for number in range(1 - self._world.history, 1):
            self._world.write(number)
        with virtual_time(self._world.end(0)):
            self._run(
                bundle, ("medallion", "train_model"), {"medallion.source": str(self._world.folder / "month_*.csv")}
            )
        registry = Registry(settings)
        return ComplaintScorer.load(registry.fetch(registry.champion()))

    def _live(self, bundle: Bundle, settings: Settings, first: ComplaintScorer, number: int) -> ReplayedMonth:
        month = self._world.write(number)
        landed = ("ingest_complaints", "refine_complaints", "score_complaints")
        self._run(bundle, ("medallion", "score_batch"), {"medallion.source": str(month.path)}, only=landed)
        feedback, labels = self._world.write_feedback(number)
        without_loop = () if self._is_loop_on else ("ingest_feedback", "monitor_model")
        self._run(bundle, ("retrain",), {"source": str(feedback), **_RETRAINING}, only=without_loop)
        return self._measure(settings, first, number, labels)

    def _run(
        self, bundle: Bundle, jobs: tuple[str, ...], parameters: dict[str, str], only: tuple[str, ...] = ()
    ) -> None:
        tasks = bundle.plan(jobs, parameters)
        tasks = only_tasks(tasks, only) if only else tasks
        run_tasks(tasks, runs=self._home / "runs", resume="solosolve replay", console=self._console)

    def _measure(self, settings: Settings, first: ComplaintScorer, number: int, labels: int) -> ReplayedMonth:
        reader, truth = DeltaReader(settings.warehouse), self._world.truth(number)
        found = MonthFacts.read(reader, truth, first)
        events = read_events(reader, self._world.end(number), self._world.end(number + 1))
        return ReplayedMonth(
            month=number,
            complaints=truth.num_rows,
            labels=labels,
            auc_champion=found.auc_champion,
            auc_oracle=found.auc_oracle,
            auc_without_loop=found.auc_first,
            alarms=events.alarms,
            retrained=events.is_trained,
            promoted=events.promoted,
            reasons=events.reasons,
        )
