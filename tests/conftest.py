"""Fixtures of all tests: one Spark session and one Kafka broker per process, and a home folder per test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from solosolve.local.broker import Broker
from solosolve.settings import Settings
from solosolve.storage.spark import interpret_plans, spark_session, stop_session
from solosolve.storage.tables import Tables
from support.brokers import free_port, kafka_settings
from support.builders import settings_in
from support.connect import SERVER, connect_session
from support.live import Live, with_champion

_SLOW = {"platform", "integration", "faults", "browser"}

QUICK_JVM = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"
"""Only the JVM's quick compiler, with room for all code: by default it would discard and compile code again."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, so that no process is left with one at the end."""
    items.sort(key=lambda item: not _SLOW & set(item.path.parts))


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> None:
    for name in [name for name in os.environ if name.startswith("SOLOSOLVE_")]:
        del os.environ[name]
    # For the programs that tests start: most of what they do is done once, and compiling it well takes longer.
    os.environ["SOLOSOLVE_DRIVER_JAVA_OPTIONS"] = QUICK_JVM


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The process's one session, with the bundle's Spark defaults, but plans interpreted.

    Programs that tests start have the defaults as they are, and compile plans.
    """
    if SERVER is not None:
        remote = connect_session(SERVER)
        yield remote
        remote.stop()
        return
    home = tmp_path_factory.mktemp("spark_home")
    environ = {"SOLOSOLVE_HOME": str(home), "SOLOSOLVE_DRIVER_JAVA_OPTIONS": QUICK_JVM}
    session = spark_session(Settings.load(environ=environ), "tests")
    interpret_plans(session)
    yield session
    stop_session()


# pytest takes a fixture that two conftest files import for two fixtures, and would start two brokers: define it once.
@pytest.fixture(scope="session")
def broker_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of the shared broker."""
    return tmp_path_factory.mktemp("kafka_home")


@pytest.fixture(scope="session")
def broker(broker_home: Path) -> Iterator[str]:
    """The address of the process's broker; a test that counts messages uses its own topic or empties the shared one."""
    address = f"127.0.0.1:{free_port()}"
    shared = Broker(kafka_settings(broker_home, address))
    shared.start()
    yield address
    shared.stop()


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
