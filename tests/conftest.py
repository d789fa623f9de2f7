"""What all tests share: one Spark session a run, and a home folder a test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from solosolve.settings import Settings
from solosolve.storage.spark import spark_session, stop_session
from solosolve.storage.tables import Tables
from support.brokers import broker, broker_home
from support.live import Live, with_champion

__all__ = ["broker", "broker_home"]


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> None:
    for name in [name for name in os.environ if name.startswith("SOLOSOLVE_")]:
        del os.environ[name]


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The run's one session, with the bundle's own Spark defaults."""
    home = tmp_path_factory.mktemp("spark_home")
    yield spark_session(settings_in(home), "tests")
    stop_session()


@pytest.fixture(scope="session")
def first_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with a champion, to be copied: making its database takes longer than most tests."""
    live = Live(None, settings_in(tmp_path_factory.mktemp("first_home")))
    live.promote(1)
    return live.settings.home / "mlflow"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a home of the test's own."""
    return settings_in(tmp_path / "home")


@pytest.fixture
def live(spark: SparkSession, settings: Settings, first_registry: Path) -> Live:
    """A home whose champion is version 1."""
    return with_champion(spark, settings, first_registry)


@pytest.fixture
def tables(spark: SparkSession, settings: Settings) -> Tables:
    return Tables(spark, settings)


def settings_in(home: Path) -> Settings:
    return Settings.load(environ={"SOLOSOLVE_HOME": str(home), "SOLOSOLVE_BOOTSTRAP_ROUNDS": "50"})
