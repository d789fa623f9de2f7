"""Homes made once per run and copied for each test: creating tables and starting streams is most of a test's time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from solosolve.names import CHECKPOINTS, DEAD_LETTERS, MODEL_EVENTS, PREDICTIONS, REQUESTS, STREAM_PROGRESS
from support.builders import settings_in
from support.live import Live, request, scorer, with_champion


@pytest.fixture(scope="session")
def prepared_home(spark: SparkSession, first_registry: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a champion and the stream's tables, which are empty."""
    home = tmp_path_factory.mktemp("prepared") / "home"
    live = with_champion(spark, settings_in(home), first_registry)
    for table in (REQUESTS, PREDICTIONS, DEAD_LETTERS, CHECKPOINTS, STREAM_PROGRESS, MODEL_EVENTS):
        live.tables.create(table)
    return home


@pytest.fixture(scope="session")
def scored_home(spark: SparkSession, prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose Delta stream has finished batch 0: requests 1 and 2 have predictions, 3 is a dead letter."""
    live = copy_of(prepared_home, spark, tmp_path_factory.mktemp("scored") / "home")
    live.add_requests([request(1), request(2), request(3, state=None)])
    live.stream()
    return live.settings.home


@pytest.fixture
def prepared(spark: SparkSession, prepared_home: Path, tmp_path: Path) -> Live:
    """A test's own copy of the prepared home."""
    return copy_of(prepared_home, spark, tmp_path / "home")


@pytest.fixture
def scored(spark: SparkSession, scored_home: Path, tmp_path: Path) -> Live:
    """A test's own copy of the scored home."""
    return copy_of(scored_home, spark, tmp_path / "home")


def copy_of(home: Path, spark: SparkSession, target: Path) -> Live:
    shutil.copytree(home, target)
    return Live(spark, settings_in(target), {1: scorer(1)})
