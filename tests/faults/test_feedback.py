"""Feedback in any order, delivered three times, and a job that is killed: the labels are those of each event once."""

from __future__ import annotations

import logging
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from solosolve.flows import ingest_feedback
from solosolve.names import DEAD_LETTERS, FEEDBACK, FEEDBACK_TOPIC, Table
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback_events import Recorded
from solosolve.streaming.feedback_topic import STREAM
from solosolve.transforms.labels import resolve_labels
from support.brokers import kafka_settings
from support.builders import complaints
from support.drills import LONG, StreamProcess, listed, newest, program
from support.feedback_drill import AS_OF, DELIVERIES, MATURITY_DAYS, FeedbackDrill
from support.feedback_events import as_json_lines, as_messages
from support.label_oracle import resolved_by_hand
from support.live import Live
from support.topics import send

EVENT_COUNT = 10_000 if LONG else 1_000
KILLS = {"kafka": 15, "files": 15} if LONG else {"kafka": 2, "files": 1}
EACH_SOURCE = pytest.mark.parametrize("source", ["kafka", "files"])
_JOB = Path(__file__).parents[2] / "jobs" / "ingest_feedback.py"

logger = logging.getLogger("drills")


def deliver(
    settings: Settings, source: str, number: int, events: Sequence[dict[str, Any]], bad: Sequence[bytes]
) -> str:
    """Sends events to the topic, or writes them to a file; returns the source that the job reads."""
    if source == "kafka":
        send(settings, FEEDBACK_TOPIC, [*as_messages(events), *((b"bad", each) for each in bad)])
        return "kafka"
    folder = settings.home / "landing"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{number:03}.jsonl").write_bytes(as_json_lines(events) + b"\n".join([*bad, b""]))
    return str(folder)


def contents(settings: Settings, table: Table) -> Counter[tuple[Any, ...]]:
    """The multiset of a table's rows, without the time of failure."""
    rows = DeltaReader(settings.warehouse).query(f"select * from {table}").to_pylist()
    return Counter(tuple(value for name, value in row.items() if name != "failed_at") for row in rows)


@EACH_SOURCE
def test_labels_are_those_of_an_independent_calculation(live_of: Callable[[str], Live], source: str) -> None:
    live, drill = live_of(source), FeedbackDrill.of(EVENT_COUNT, seed=5)
    tables = live.tables
    counts = []
    for number in range(DELIVERIES):
        where = deliver(live.settings, source, number, drill.delivery(number), drill.bad)
        counts.append(ingest_feedback.run(tables.spark, live.settings, where))
    read = [(number + 1) * len(drill.bad) if source == "files" else len(drill.bad) for number in range(DELIVERIES)]
    assert counts[0] == Recorded(EVENT_COUNT, 0, read[0])
    assert counts[-1].new_count == 0
    assert counts[-1].refused_count == read[-1] + len(drill.forgeries)
    assert sum(contents(live.settings, FEEDBACK).values()) == EVENT_COUNT
    assert sum(contents(live.settings, DEAD_LETTERS).values()) == DELIVERIES * len(drill.bad) + len(drill.forgeries)

    resolved = resolve_labels(
        complaints(tables.spark, *drill.complaints), tables.read(FEEDBACK), AS_OF, MATURITY_DAYS
    ).toArrow()
    columns = ("label", "label_at", "label_source", "conflict_count", "reversal_count")
    actual = {row["complaint_id"]: tuple(row[name] for name in columns) for row in resolved.to_pylist()}
    expected = resolved_by_hand(drill.complaints, drill.feedback(), AS_OF, MATURITY_DAYS)
    differences = [number for number in actual.keys() | expected.keys() if actual.get(number) != expected.get(number)]
    assert differences == []
    sources = Counter(row[2] for row in expected.values())
    assert min(sources[name] for name in ("published", "event", "review", None)) > 0, sources
    logger.info("%s: %d events, %s, %d differences", source, EVENT_COUNT, dict(sources), len(differences))


@EACH_SOURCE
def test_killed_job_leaves_the_tables_of_an_unbroken_run(
    live_of: Callable[[str], Live], source: str, tmp_path: Path
) -> None:
    live, chance = live_of(source), random.Random(source)
    ingest_feedback.run(live.tables.spark, live.settings, "none")
    kills = KILLS[source]
    drill = FeedbackDrill.of(EVENT_COUNT, seed=6)
    parts = [drill.delivery(0)[number :: kills + 1] for number in range(kills + 1)]
    for number in range(kills):
        # What the killed runs before it have left is repeated, with the next part after it.
        where = deliver(live.settings, source, number, [*parts[number], *parts[number - 1]], drill.bad)
        with program(live, [sys.executable, str(_JOB), f"--source={where}"]) as job:
            place = kill(job, live.settings, source, chance)
        logger.info("%s: kill %d of %d: %s", source, number + 1, kills, place)
    where = deliver(live.settings, source, kills, [*parts[kills], *drill.forgeries], drill.bad)
    ingest_feedback.run(live.tables.spark, live.settings, where)
    assert ingest_feedback.run(live.tables.spark, live.settings, where).new_count == 0

    unbroken = kafka_settings(tmp_path / "unbroken", live.settings.kafka_bootstrap)
    ingest_feedback.run(live.tables.spark, unbroken, where)
    assert sum(contents(live.settings, FEEDBACK).values()) == EVENT_COUNT
    for table in (FEEDBACK, DEAD_LETTERS):
        actual, expected = contents(live.settings, table), contents(unbroken, table)
        assert actual - expected == expected - actual == Counter(), table


def kill(job: StreamProcess, settings: Settings, source: str, chance: random.Random) -> str:
    """Kills the job at a random moment of its work; returns how far it had got."""
    begun = state(settings, source)
    # From the first sign of work on; the job may also end before, as on a fast machine.
    deadline = time.monotonic() + 120
    while job.exit_code is None and state(settings, source) == begun:
        assert time.monotonic() < deadline, job.output
        time.sleep(0.002)
    # The work itself takes some seconds, of which its commits are the last.
    time.sleep(chance.choice([0.0, chance.uniform(0, 0.5), chance.uniform(0, 6)]))
    before = "ended" if job.exit_code is not None else "running"
    job.kill()
    changed = {name: now for name, now in state(settings, source).items() if now != begun[name]}
    return f"{before}, changed: {changed}"


def state(settings: Settings, source: str) -> dict[str, int]:
    """What work leaves on the disk: planned and finished batches, data files and commits of the two tables."""
    found = {}
    for table in (FEEDBACK, DEAD_LETTERS):
        folder = settings.table_folder(table)
        found[f"files of {table}"] = len([name for name in listed(folder) if name.endswith(".parquet")])
        found[f"commits of {table}"] = len([name for name in listed(folder / "_delta_log") if name.endswith(".json")])
    if source == "kafka":
        checkpoint = settings.checkpoint_folder / STREAM
        found |= {log: -1 if (batch := newest(checkpoint / log)) is None else batch for log in ("offsets", "commits")}
    return found
