"""Looking up a column's values in a mapping, without a join."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F


def looked_up(mapping: Mapping[str, str | int], column: Column) -> Column:
    """What a mapping that is not empty has for each value of a column; null for a value that it does not have."""
    return F.create_map(*(F.lit(part) for pair in mapping.items() for part in pair))[column]
