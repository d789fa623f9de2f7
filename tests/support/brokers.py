"""Real Kafka brokers for tests: one that a run shares, and what it takes to start others."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from solosolve.local.broker import Broker
from solosolve.settings import Settings


@pytest.fixture(scope="session")
def broker_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home folder of the shared broker."""
    return tmp_path_factory.mktemp("kafka_home")


@pytest.fixture(scope="session")
def broker(broker_home: Path) -> Iterator[str]:
    """The address of a broker that the run shares; a test that counts messages makes a topic of its own."""
    address = f"127.0.0.1:{free_port()}"
    shared = Broker(kafka_settings(broker_home, address))
    shared.start()
    yield address
    shared.stop()


def kafka_settings(home: Path, address: str, **overrides: str) -> Settings:
    """Settings for a broker of some home; overrides are settings' names without `kafka_`."""
    kafka = {"bootstrap": address, **overrides}
    variables = {f"SOLOSOLVE_KAFKA_{name.upper()}": value for name, value in kafka.items()}
    return Settings.load(environ={"SOLOSOLVE_HOME": str(home), **variables})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def lend_jars(lender: Path, borrower: Path) -> None:
    """Gives a home the jars that another home's broker has resolved."""
    (borrower / "kafka").mkdir(parents=True, exist_ok=True)
    shutil.copy(lender / "kafka" / "classpath", borrower / "kafka" / "classpath")
