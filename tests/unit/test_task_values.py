from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from solosolve.errors import UsageError
from solosolve.task_values import MAX_BYTES, recorded_task_values, set_task_value


def test_set_task_value_is_recorded_inside_the_block_only() -> None:
    with recorded_task_values() as values:
        set_task_value("rows", 3)
        with recorded_task_values() as inner:
            set_task_value("rows", [1, 2])
    set_task_value("rows", 4)
    assert (values, inner) == ({"rows": 3}, {"rows": [1, 2]})


def test_set_task_value_reaches_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[str, Any] = {}
    task_values = types.SimpleNamespace(set=lambda key, value: found.update({key: value}))
    runtime = types.ModuleType("databricks.sdk.runtime")
    runtime.dbutils = types.SimpleNamespace(jobs=types.SimpleNamespace(taskValues=task_values))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "databricks.sdk.runtime", runtime)
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    set_task_value("rows", 3)
    assert found == {"rows": 3}


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), object()])
def test_set_task_value_refuses_what_json_cannot_express(value: object) -> None:
    with pytest.raises(UsageError, match="task value 'x': found"):
        set_task_value("x", value)


def test_set_task_value_refuses_what_is_too_large() -> None:
    with pytest.raises(UsageError, match="allowed: 49,152"):
        set_task_value("x", "y" * MAX_BYTES)
