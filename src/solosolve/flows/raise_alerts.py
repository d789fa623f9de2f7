"""Records what needs a person: opens and closes alerts in `gold.alerts`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import astuple
from datetime import datetime
from functools import partial

from pyspark.sql import SparkSession

from solosolve.alerts.history import AlertRow, Settled
from solosolve.clock import now
from solosolve.names import ALERTS
from solosolve.settings import Settings
from solosolve.spark_schemas import spark_schema
from solosolve.storage.judged_alerts import judge
from solosolve.storage.table_facts import ask
from solosolve.storage.tables import Tables

logger = logging.getLogger("solosolve.raise_alerts")


def run(spark: SparkSession, settings: Settings, at: datetime | None = None) -> Settled:
    """Judges the facts, and records the alerts that opened, changed or closed.

    Changes `gold.alerts` in one commit; not at all if nothing has changed.

    Args:
        spark: The session.
        settings: Locates the tables and the runs of jobs; `alert_*`, `retrain_auc_fall`.
        at: The instant for which to judge; now when None.

    Returns:
        The alerts that are open, and those that changed.
    """
    tables = Tables(spark, settings)
    recorded, settled = judge(partial(ask, tables), settings, at or now())
    _write(tables, recorded, settled.changed)
    logger.info("%d alerts are open, %d changed", len(settled.open), len(settled.changed))
    for row in settled.open:
        logger.warning("%s: %s %s", row.alert, row.summary, row.what_to_do)
    return settled


def _write(tables: Tables, recorded: Sequence[AlertRow], changed: Sequence[AlertRow]) -> None:
    """Writes all rows in one commit, each changed one in place of the one that has its alert and `opened_at`."""
    if not changed:
        return
    rows = {(row.alert, row.opened_at): astuple(row) for row in (*recorded, *changed)}
    tables.overwrite(ALERTS, tables.spark.createDataFrame(list(rows.values()), spark_schema(ALERTS)).coalesce(1))
