"""The schemas of the tables in Spark's types, derived from those in Arrow."""

from __future__ import annotations

from functools import cache

import pyarrow as pa
from pyspark.sql import types

from solosolve.names import Table
from solosolve.schemas import SCHEMAS

_TYPES = {
    pa.string(): types.StringType(),
    pa.int64(): types.LongType(),
    pa.int32(): types.IntegerType(),
    pa.float64(): types.DoubleType(),
    pa.float32(): types.FloatType(),
    pa.date32(): types.DateType(),
    pa.timestamp("us", tz="UTC"): types.TimestampType(),
    pa.binary(): types.BinaryType(),
    pa.bool_(): types.BooleanType(),
}


@cache
def spark_schema(table: Table) -> types.StructType:
    """The schema of a table, with the columns and nullability of `SCHEMAS`."""
    return spark_types(SCHEMAS[table])


def spark_types(schema: pa.Schema | pa.StructType) -> types.StructType:
    """The same columns, with the same nullability, in Spark's types."""
    return types.StructType([types.StructField(each.name, _spark_type(each.type), each.nullable) for each in schema])


def _spark_type(kind: pa.DataType) -> types.DataType:
    if pa.types.is_struct(kind):
        return spark_types(kind)
    if pa.types.is_list(kind):
        return types.ArrayType(_spark_type(kind.value_type), containsNull=kind.value_field.nullable)
    return _TYPES[kind]
