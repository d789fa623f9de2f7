"""Real Kafka brokers for tests: their settings, their ports, and jars borrowed from the shared broker's home."""

from __future__ import annotations

import shutil
from pathlib import Path

from solosolve.local.broker_process import broker_folder, free_port
from solosolve.settings import Settings

__all__ = ["free_port", "kafka_settings", "lend_jars"]


def kafka_settings(home: Path, address: str, **overrides: str) -> Settings:
    """Settings for the broker of a home; overrides are names of settings without the prefix `kafka_`."""
    kafka = {"bootstrap": address, **overrides}
    variables = {f"SOLOSOLVE_KAFKA_{name.upper()}": value for name, value in kafka.items()}
    return Settings.load(environ={"SOLOSOLVE_HOME": str(home), **variables})


def lend_jars(lender: Path, borrower: Path) -> None:
    """Gives a home the jars that another home's broker has downloaded."""
    broker_folder(borrower).mkdir(parents=True, exist_ok=True)
    shutil.copy(broker_folder(lender) / "classpath", broker_folder(borrower) / "classpath")
