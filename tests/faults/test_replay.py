"""The loop in a world that changes, in one that does not, and with wrong labels: months through the real jobs.

The long form takes hours: fifteen replays, of ten to 24 months.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import pytest
from pyspark.sql import SparkSession
from rich.console import Console

from solosolve.local.replay import Replay, ReplayedMonth
from solosolve.local.replay_world import World
from solosolve.samples.months import Change
from solosolve.storage.delta_reader import DeltaReader
from support.drills import LONG
from support.replays import clean_from, enough_labels, won_back

ROOT = Path(__file__).parents[2]
SEEDS = (1, 2, 3, 4, 5)
CHANGE_AT = 3

logger = logging.getLogger("drills")
in_full = pytest.mark.skipif(not LONG, reason="takes hours: make faults")


def world_of(folder: Path, seed: int, changes: Mapping[Change, int]) -> World:
    return World(folder / "landing", seed, 2_000, changes, feedback_share=0.5, delay_days=20, history=6)


def replayed(world: World, months: int) -> list[ReplayedMonth]:
    home = world.folder.parent
    replay = Replay(world, ROOT, home, Console(file=io.StringIO()), is_loop_on=True)
    found = list(replay.run(months))
    logger.info("%s seed %d: %s", dict(world.changes), world.seed, json.dumps([month.as_data() for month in found]))
    return found


@pytest.fixture
def folders(tmp_path: Path, spark: SparkSession) -> Path:
    """Where replays live; they run in the session of the tests."""
    return tmp_path


def test_month_goes_through_the_loop(folders: Path) -> None:
    changes = {Change.CONCEPT: 1}
    world = World(folders / "landing", 1, 1_000, changes, feedback_share=1.0, delay_days=10, history=2)
    (month,) = replayed(world, 1)
    reader = DeltaReader(folders / "warehouse")
    assert (month.complaints, reader.query("select count(*) as n from silver.complaints").to_pylist()[0]["n"]) == (
        1_000, 3_000,
    )  # fmt: skip
    assert 500 < month.labels == reader.query("select count(*) as n from silver.feedback").to_pylist()[0]["n"]
    assert month.reasons[0] == f"{month.labels} new labels, due from 500"
    assert month.retrained
    # What texts mean has turned round, so the champion ranks worse than by chance.
    assert month.auc_champion == month.auc_without_loop < 0.5 < month.auc_oracle


@in_full
def test_loop_wins_back_what_a_changed_world_takes(folders: Path) -> None:
    shares = []
    for seed in SEEDS:
        world = world_of(folders / str(seed), seed, {Change.CONCEPT: CHANGE_AT})
        months = replayed(world, 10)
        shares.append(won_back(months, CHANGE_AT, enough_labels(world, CHANGE_AT)))
    logger.info("won back: %s", [round(share, 3) for share in shares])
    assert median(shares) >= 0.8


@in_full
def test_loop_promotes_nothing_where_nothing_changes(folders: Path) -> None:
    months = [
        month for seed in SEEDS for month in replayed(world_of(folders / str(seed), seed, {}), 24)
    ]  # fmt: skip
    alarming = sum(bool(month.alarms) for month in months)
    logger.info("%d of %d months with an alarm", alarming, len(months))
    assert [month.promoted for month in months if month.promoted] == []
    # Up to 13 windows a year share a budget of 0.5; more than this many would come by chance in 1 of 100 such runs.
    assert alarming <= 11


@in_full
def test_poisoned_labels_promote_nothing_and_clean_ones_do_afterwards(folders: Path) -> None:
    poisoned_at, world_changes_at = 2, 4
    for seed in SEEDS:
        world = world_of(folders / str(seed), seed, {Change.LABELS: poisoned_at, Change.CONCEPT: world_changes_at})
        months = replayed(world, 11)
        clean = clean_from(world, poisoned_at)
        promoted = [month.month for month in months if month.promoted]
        logger.info("seed %d: clean from month %d, promoted in %s", seed, clean, promoted)
        assert promoted and min(promoted) >= clean
