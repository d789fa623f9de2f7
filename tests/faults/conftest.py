"""Homes for the drills: each of its own, with a champion, the topic of requests empty."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from brokers import broker, broker_home, kafka_settings
from live import Live, scorer
from topics import empty_topics

__all__ = ["broker", "broker_home"]

NO_BROKER = "127.0.0.1:9092"


@pytest.fixture
def home(first_registry: Path, tmp_path: Path) -> Path:
    """A home whose champion is version 1."""
    shutil.copytree(first_registry, tmp_path / "home" / "mlflow")
    return tmp_path / "home"


@pytest.fixture
def live_of(request: pytest.FixtureRequest, spark: SparkSession, home: Path) -> Callable[[str], Live]:
    """Makes the home ready for a source."""

    def made(source: str) -> Live:
        address = request.getfixturevalue("broker") if source == "kafka" else NO_BROKER
        live = Live(spark, kafka_settings(home, address), {1: scorer(1)})
        if source == "kafka":
            empty_topics(live.settings)
        return live

    return made
