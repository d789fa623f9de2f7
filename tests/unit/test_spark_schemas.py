from __future__ import annotations

import pyarrow as pa
import pytest
from pyspark.sql.pandas.types import to_arrow_schema

from solosolve.names import MADE_BY, Table
from solosolve.schemas import SCHEMAS
from solosolve.spark_schemas import spark_schema


@pytest.mark.parametrize("table", sorted(MADE_BY), ids=str)
def test_spark_schema_is_the_arrow_schema_in_sparks_types(table: Table) -> None:
    assert pa.schema(to_arrow_schema(spark_schema(table), timezone="UTC")).equals(SCHEMAS[table])
