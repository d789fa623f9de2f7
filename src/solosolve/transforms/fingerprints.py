"""A frame's data hash: equal for equal rows in any order, so work on unchanged rows can be skipped."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def data_hash(rows: DataFrame, columns: Sequence[str]) -> str:
    """Hashes the multiset of rows.

    Args:
        rows: Any frame.
        columns: The columns to hash; complex types are allowed.

    Returns:
        `<row count>-<sum of the rows' 64-bit hashes>` in hexadecimal: equal for equal multisets.
    """
    # xxhash64 skips nulls: hashing values alone would miss a value that moves to another column.
    cells = [cell for name in columns for cell in (F.col(name), F.col(name).isNull())]
    hashed = F.xxhash64(*cells).cast("decimal(38,0)")
    found = rows.agg(F.count(F.lit(1)).alias("count"), F.coalesce(F.sum(hashed), F.lit(0)).alias("total")).first()
    if found is None:
        return "0-0"
    return f"{found['count']:x}-{int(found['total']) % 2**128:032x}"
