from __future__ import annotations

import pytest

from solosolve.errors import MissingTableError
from solosolve.names import PREDICTIONS
from solosolve.where import command_here, is_on_platform


@pytest.fixture(params=["DATABRICKS_RUNTIME_VERSION", "DATABRICKS_APP_NAME"])
def _platform(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(request.param, "17.3")


def test_commands_are_those_of_a_laptop_by_default() -> None:
    assert not is_on_platform()
    assert command_here("solosolve run medallion --param source=x") == "solosolve run medallion --param source=x"
    assert str(MissingTableError(PREDICTIONS)).endswith("run: solosolve run score_batch")


@pytest.mark.usefixtures("_platform")
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("solosolve run medallion", "databricks bundle run medallion"),
        ("solosolve run medallion --param source=x --param recover=true",
         "databricks bundle run medallion --params source=x,recover=true"),
        ("solosolve dashboard", "solosolve dashboard"),
    ],
)  # fmt: skip
def test_jobs_are_run_by_the_platforms_cli_on_the_platform(command: str, expected: str) -> None:
    assert is_on_platform()
    assert command_here(command) == expected


@pytest.mark.usefixtures("_platform")
def test_a_missing_table_names_the_command_that_works_on_the_platform() -> None:
    error = MissingTableError(PREDICTIONS)
    assert str(error).endswith("run: databricks bundle run score_batch")
    assert error.command == "databricks bundle run score_batch"
