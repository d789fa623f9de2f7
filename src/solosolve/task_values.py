"""Values that a task hands to later tasks of its job: on the platform, here, or nowhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from solosolve.errors import UsageError
from solosolve.where import is_on_platform

logger = logging.getLogger("solosolve.task_values")

MAX_BYTES = 48 * 1024
"""Size of a task value's JSON that the platform accepts (docs.databricks.com, task values)."""

_recorded: ContextVar[dict[str, Any] | None] = ContextVar("recorded_task_values", default=None)


def set_task_value(key: str, value: Any) -> None:
    """Sets a value that later tasks of the job read as `{{tasks.<task>.values.<key>}}`.

    In a Databricks job the platform keeps it; in `solosolve run` the runner does. A task that runs alone, as by
    `spark-submit`, has no later tasks: the value is only logged.

    Args:
        key: The value's name within the task.
        value: What JSON can express.

    Raises:
        UsageError: JSON cannot express the value, or it is too large.
    """
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"task value '{key}': found {type(value).__name__}, which JSON cannot express ({error})"
        ) from None
    if (size := len(text.encode())) > MAX_BYTES:
        raise UsageError(f"task value '{key}': found {size:,} bytes of JSON, allowed: {MAX_BYTES:,}")
    recorded = _recorded.get()
    if recorded is not None:
        recorded[key] = json.loads(text)
    elif is_on_platform():
        from databricks.sdk.runtime import dbutils

        dbutils.jobs.taskValues.set(key=key, value=value)
    logger.info("task value %s = %s", key, text)


@contextmanager
def recorded_task_values() -> Iterator[dict[str, Any]]:
    """Collects the task values that are set inside the block."""
    values: dict[str, Any] = {}
    token = _recorded.set(values)
    try:
        yield values
    finally:
        _recorded.reset(token)
