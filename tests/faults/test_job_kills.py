"""Each job of the loop is stopped at any moment and run again: the tables are those of a run that nothing disturbed."""

from __future__ import annotations

import logging
import random
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from solosolve.clock import now
from solosolve.flows import (
    check_retrain,
    ingest_feedback,
    monitor_model,
    move_champion,
    promote_model,
    raise_alerts,
    validate_model,
)
from solosolve.model.scorer import ComplaintScorer
from solosolve.names import (
    ALERTS,
    CHALLENGER,
    CHAMPION,
    DEAD_LETTERS,
    DRIFT_METRICS,
    FEEDBACK,
    MEASURED_LABELS,
    MODEL_EVENTS,
    MODEL_PERFORMANCE,
    SHADOW,
    Table,
)
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.registry import Registry
from support.brokers import kafka_settings
from support.drills import LONG, StreamProcess, program
from support.feedback_drill import FeedbackDrill, deliver
from support.gate_home import GOOD, INVERTED, USELESS, Gate
from support.interruptions import stopped_after
from support.live import Live, with_champion
from support.loop_home import loop_home
from support.warehouses import append, dead_letter

KILLS = 30
EVENT_COUNT = 10_000 if LONG else 200
_OF_A_RUN = ("failed_at", "measured_at", "event_at", "opened_at")
_RUN = Path(__file__).parents[1] / "support" / "run_announced.py"
BEGUN = "the work begins"

logger = logging.getLogger("drills")


Prepare = Callable[[SparkSession, Settings, Path], object]
"""Makes a home, in which a job has something to do, from the registry with version 1."""


@dataclass(frozen=True)
class Job:
    """A job, and what it writes.

    Attributes:
        words: The options of its program in a home.
        run: Runs it in this process.
        tables: What it writes, besides the registry.
        is_done: Whether nobody would run it again after it was stopped; always run again when None.
        prepare: Makes its home.
    """

    words: Callable[[Settings], Sequence[str]]
    run: Callable[[SparkSession, Settings], object]
    tables: tuple[Table, ...]
    is_done: Callable[[Settings], bool] | None = None
    prepare: Prepare = loop_home


def has_moved(settings: Settings) -> bool:
    """Whether the ledger has a move by hand: `solosolve model champion` says so, and a rollback would go further."""
    found = DeltaReader(settings.warehouse).query(
        f"select count(*) as n from {MODEL_EVENTS} where event = 'rolled_back'"
    )
    return bool(found["n"][0].as_py())


def _move(version: int | None) -> Job:
    words = (f"--version={version or 0}", "--reason=a drill")

    def prepare(spark: SparkSession, settings: Settings, first_registry: Path) -> None:
        loop_home(spark, settings, first_registry)
        if version is None:
            move_champion.run(spark, settings, 2, "there is something to go back from")

    return Job(lambda _: ("move_champion", *words),
               lambda spark, settings: move_champion.run(spark, settings, version, "a drill"),
               (MODEL_EVENTS,), None if version else has_moved, prepare)  # fmt: skip


def _ingest(source: str) -> Job:
    def place(settings: Settings) -> str:
        return source if source == "kafka" else str(settings.home.with_name("home") / "landing")

    def prepare(spark: SparkSession, settings: Settings, first_registry: Path) -> None:
        loop_home(spark, settings, first_registry)
        events = FeedbackDrill.of(EVENT_COUNT, seed=6)
        deliver(settings, source, 0, [*events.delivery(0), *events.forgeries], events.bad)

    return Job(lambda settings: ("ingest_feedback", f"--source={place(settings)}"),
               lambda spark, settings: ingest_feedback.run(spark, settings, place(settings)),
               (FEEDBACK, DEAD_LETTERS), prepare=prepare)  # fmt: skip


def _gate(champion: ComplaintScorer, challenger: ComplaintScorer, *, is_validated: bool = False) -> Prepare:
    def prepare(spark: SparkSession, settings: Settings, first_registry: Path) -> None:
        with_champion(spark, settings, first_registry)
        gate = Gate.open(spark, settings, settings.home)
        gate.register(champion, CHAMPION)
        gate.register(challenger, CHALLENGER)
        if is_validated:
            gate.validate()

    return prepare


def _trouble(spark: SparkSession, settings: Settings, first_registry: Path) -> None:
    loop_home(spark, settings, first_registry)
    append(settings.warehouse, DEAD_LETTERS, [dead_letter("a", "blank company", failed_at=now())])


_VALIDATE = Job(lambda _: ("validate_model",), validate_model.run, (MODEL_EVENTS,))
_PROMOTE = Job(lambda _: ("promote_model",), promote_model.run, (MODEL_EVENTS,))

JOBS = {
    "ingest_feedback from files": _ingest("files"),
    "ingest_feedback from kafka": _ingest("kafka"),
    "monitor_model": Job(lambda _: ("monitor_model",), monitor_model.run,
                         (DRIFT_METRICS, MEASURED_LABELS, MODEL_PERFORMANCE)),
    "check_retrain": Job(lambda _: ("check_retrain",), check_retrain.run, (MODEL_EVENTS,)),
    "validate_model, passed": replace(_VALIDATE, prepare=_gate(USELESS, GOOD)),
    "validate_model, rejected": replace(_VALIDATE, prepare=_gate(GOOD, INVERTED)),
    "promote_model": replace(_PROMOTE, prepare=_gate(USELESS, GOOD, is_validated=True)),
    "promote_model into shadow": replace(_PROMOTE, prepare=_gate(GOOD, GOOD, is_validated=True)),
    "raise_alerts": Job(lambda _: ("raise_alerts",), raise_alerts.run, (ALERTS,), prepare=_trouble),
    "move_champion to a version": _move(2),
    "move_champion back": _move(None),
}  # fmt: skip
STOPPED_IN_PROCESS = (
    tuple(JOBS)
    if LONG
    else ("ingest_feedback from files", "check_retrain", "validate_model, passed", "promote_model into shadow")
)
"""In the short form, the integration tests stop the others: the monitor, and moves of the champion."""


@dataclass
class Drill:
    """A job, a home in which it has work, and what a run that nothing disturbs leaves."""

    spark: SparkSession
    job: Job
    before: Settings
    folder: Path
    expected: object = None

    def copy(self, name: str) -> Settings:
        home = self.folder / name
        shutil.copytree(self.before.home, home)
        return kafka_settings(home, self.before.kafka_bootstrap)

    def run(self, settings: Settings) -> None:
        self.job.run(self.spark, settings)

    def left(self, settings: Settings) -> object:
        """The multisets of rows, without what differs from run to run, and what the registry says of the versions."""
        reader, found = DeltaReader(settings.warehouse), {}
        for table in [each for each in self.job.tables if each in reader.tables()]:
            rows: list[dict[str, Any]] = reader.query(f"select * from {table}").to_pylist()
            found[table] = Counter(tuple(value for name, value in row.items() if name not in _OF_A_RUN) for row in rows)
        registry = Registry(settings)
        named = {alias: registry.find(alias) for alias in (CHAMPION, CHALLENGER, SHADOW)}
        tags = {model.version: model.tags for model in registry.versions()}
        return found, {alias: model.version for alias, model in named.items() if model is not None}, tags

    @contextmanager
    def begun(self, settings: Settings) -> Iterator[StreamProcess]:
        """A program that runs the job in a home, and has just begun its work."""
        with program(Live(None, settings), [sys.executable, str(_RUN), *self.job.words(settings)]) as job:
            job.wait_until(lambda: BEGUN in job.output, seconds=300, poll_seconds=0.01)
            yield job

    def work_seconds(self) -> float:
        """How long the work of such a program takes."""
        with self.begun(self.copy("timed")) as job:
            start = time.monotonic()
            assert job.wait(600) == 0, job.output
            return time.monotonic() - start

    def finish(self, settings: Settings) -> None:
        """Runs the job again; the tables are then the expected ones."""
        if self.job.is_done is None or not self.job.is_done(settings):
            self.run(settings)
        assert self.left(settings) == self.expected


@pytest.fixture
def drill_of(
    live_of: Callable[[str], Live], spark: SparkSession, first_registry: Path, tmp_path: Path
) -> Callable[[str], Drill]:
    def made(name: str) -> Drill:
        settings = live_of("kafka" if "kafka" in name else "files").settings
        shutil.rmtree(settings.home)
        JOBS[name].prepare(spark, settings, first_registry)
        drill = Drill(spark, JOBS[name], settings, tmp_path)
        unbroken = drill.copy("unbroken")
        drill.run(unbroken)
        drill.expected = drill.left(unbroken)
        assert drill.expected != drill.left(settings)
        return drill

    return made


@pytest.mark.parametrize("name", STOPPED_IN_PROCESS)
def test_job_that_is_stopped_after_any_write_is_completed_by_the_next_run(
    drill_of: Callable[[str], Drill], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    drill, stops = drill_of(name), 0
    for writes in count(1):
        stopped = drill.copy(f"stopped after {writes}")
        try:
            with stopped_after(monkeypatch, writes):
                drill.run(stopped)
        except pytest.fail.Exception:
            # It writes less often than that.
            break
        drill.finish(stopped)
        stops += 1
    assert stops


@pytest.mark.skipif(not LONG, reason="thirty kills of each job take a quarter of an hour")
@pytest.mark.parametrize("name", JOBS)
def test_job_that_is_killed_at_a_random_moment_is_completed_by_the_next_run(
    drill_of: Callable[[str], Drill], name: str
) -> None:
    drill, chance = drill_of(name), random.Random(name)
    before, seconds = drill.left(drill.before), drill.work_seconds()
    places = Counter[str]()
    for number in range(KILLS):
        settings = drill.copy(str(number))
        with drill.begun(settings) as job:
            time.sleep(chance.uniform(0, seconds))
            was_running = job.exit_code is None
            job.kill()
        changed = drill.left(settings) != before
        place = "ended" if not was_running else "had written" if changed else "had written nothing"
        logger.info("%s: kill %d of %d: %s", name, number + 1, KILLS, place)
        places[place] += 1
        drill.finish(settings)
        shutil.rmtree(settings.home)
    logger.info("%s: %d kills within %.1f s of work: %s", name, KILLS, seconds, dict(places))
