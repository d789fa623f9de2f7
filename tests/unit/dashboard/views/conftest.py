from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.storage.delta_reader import DeltaReader
from support.warehouses import write_everything


@pytest.fixture(scope="session")
def full_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with rows in every table but feedback; tests only read it."""
    warehouse = tmp_path_factory.mktemp("full_warehouse")
    write_everything(warehouse, predictions=200)
    return warehouse


@pytest.fixture
def warehouse(full_warehouse: Path, tmp_path: Path) -> Path:
    """A copy of the full warehouse that the test may change."""
    shutil.copytree(full_warehouse, tmp_path / "warehouse")
    return tmp_path / "warehouse"


@pytest.fixture
def answers(full_warehouse: Path) -> Answers:
    """Answers from the full warehouse."""
    return Answers(DeltaReader(full_warehouse))


@pytest.fixture
def no_answers(tmp_path: Path) -> Answers:
    """Answers from a warehouse that has no table yet."""
    return Answers(DeltaReader(tmp_path / "no_warehouse"))
