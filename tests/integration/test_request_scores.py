from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from solosolve.errors import TableError
from solosolve.flows.request_scores import run
from solosolve.names import COMPLAINTS, REQUESTS
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from solosolve.spark_schemas import spark_schema
from support.builders import complaint, complaints
from support.live import Live


def unknown(complaint_id: int) -> dict[str, Any]:
    """A complaint without an outcome; two share a date, and a greater number is never older."""
    received = date(2016, 1, 1) + timedelta(days=complaint_id // 2)
    return {"complaint_id": complaint_id, "date_received": received, "is_successful_resolution": None}


def ask(live: Live, at_most: int) -> int:
    assert live.spark is not None
    return run(live.spark, live.settings, "delta", at_most)


def test_scores_of_the_newest_tenth_of_unknown_outcome_are_requested_once(prepared: Live, spark: SparkSession) -> None:
    known = [{"complaint_id": number, "date_received": date(2017, 1, 1)} for number in range(1001, 1011)]
    odd = {"tags": "Servicemember", "zip_code": None, "sub_product": None, "consumer_complaint_narrative": " \u00e9 "}
    silver = [*(unknown(number) for number in range(1, 69)), unknown(69) | odd, *known]
    prepared.tables.append(COMPLAINTS, complaints(spark, *silver))

    started = datetime.now(UTC)
    assert ask(prepared, at_most=4) == 4
    requests = prepared.tables.read(REQUESTS)
    (asked_at,) = [row["requested_at"] for row in requests.select("requested_at").distinct().collect()]
    assert started <= asked_at.astimezone(UTC) <= datetime.now(UTC)
    newest = [complaint(**row) for row in silver if 66 <= row["complaint_id"] <= 69]
    of_table = {"requested_at": asked_at, "source": "delta", "source_position": None}
    rows = [[(row | of_table)[name] for name in SCHEMAS[REQUESTS].names] for row in newest]
    expected_df = spark.createDataFrame(rows, spark_schema(REQUESTS))
    assert_df_equality(requests, expected_df, ignore_row_order=True)

    assert ask(prepared, at_most=4) == 0
    # The newest tenth of sixty-nine is six complaints, of which four are waiting.
    assert ask(prepared, at_most=100) == 2
    assert ask(prepared, at_most=100) == 0
    assert prepared.stream().dead_letter_count == 0
    assert prepared.scored_ids() == Counter(range(64, 70))
    assert ask(prepared, at_most=100) == 0

    prepared.promote(2)
    assert ask(prepared, at_most=5) == 5
    assert ask(prepared, at_most=100) == 1
    counts = prepared.tables.read(REQUESTS).groupBy("complaint_id").agg(F.count("*").alias("n")).collect()
    assert {row["complaint_id"]: row["n"] for row in counts} == dict.fromkeys(range(64, 70), 2)


def test_fewer_than_ten_complaints_have_no_tenth_and_a_missing_silver_table_is_refused(
    spark: SparkSession, settings: Settings
) -> None:
    live = Live(spark, settings)
    with pytest.raises(TableError, match=r"silver\.complaints does not exist yet; run: solosolve run medallion"):
        ask(live, at_most=100)
    live.tables.append(COMPLAINTS, complaints(spark, *(unknown(number) for number in range(1, 10))))
    assert ask(live, at_most=100) == 0
