"""Homes for the drills: one for each test, with a champion and empty topics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from support.brokers import kafka_settings
from support.live import Live, with_champion
from support.topics import empty_topics

NO_BROKER = "127.0.0.1:9092"


@pytest.fixture
def live_of(
    request: pytest.FixtureRequest, spark: SparkSession, first_registry: Path, tmp_path: Path
) -> Callable[[str], Live]:
    """Makes the home, ready for a source."""

    def made(source: str) -> Live:
        address = request.getfixturevalue("broker") if source == "kafka" else NO_BROKER
        live = with_champion(spark, kafka_settings(tmp_path / "home", address), first_registry)
        if source == "kafka":
            empty_topics(live.settings)
        return live

    return made
