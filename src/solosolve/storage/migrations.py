"""Brings tables made by earlier releases up to date."""

from __future__ import annotations

from pyspark.sql import functions as F

from solosolve.names import DUPLICATE, FEATURES
from solosolve.storage.table_facts import properties
from solosolve.storage.tables import Tables
from solosolve.table_properties import CHECKS

_CHECK = "split_is_known"
_FORMER_NAME = "copy"


def rename_split(tables: Tables) -> None:
    """Renames the split `copy` of `gold.complaint_features` to `duplicate`, in its rows and its CHECK constraint.

    Tables that have the current constraint stay unchanged; an interrupted migration is completed.
    """
    if not tables.exists(FEATURES):
        return
    found = properties(tables, FEATURES).get(f"delta.constraints.{_CHECK}")
    if _normalised(found) == _normalised(CHECKS[FEATURES][_CHECK]):
        return
    table = tables.delta(FEATURES)
    with tables.writing(FEATURES):
        tables.drop_check(FEATURES, _CHECK)
        table.update(F.col("split") == _FORMER_NAME, {"split": F.lit(DUPLICATE)})
        tables.add_check(FEATURES, _CHECK)


def _normalised(condition: str | None) -> str:
    """A condition without the white space that Delta may add."""
    return "".join((condition or "").split())
