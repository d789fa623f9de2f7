"""The rule for complaint ids is written four times, for one text, in Arrow, in Spark and in SQL: all read alike."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake
from pyspark.sql import SparkSession

from solosolve.landing.normalise import parse_complaint_id
from solosolve.local.conservation import PARSED_COMPLAINT_ID
from solosolve.names import COMPLAINTS_RAW
from solosolve.storage.delta_reader import DeltaReader
from solosolve.transforms.rules import complaint_ids
from solosolve.transforms.silver import parsed_complaint_id
from support.normalisation_cases import COMPLAINT_ID_CASES, generated_texts

GENERATED = {text: parse_complaint_id(text) for text in generated_texts(2_000)}
EXPECTED = GENERATED | {case.text: case.expected for case in COMPLAINT_ID_CASES}
TEXTS = list(EXPECTED)


def read_one_by_one() -> list[int | None]:
    return [parse_complaint_id(text) for text in TEXTS]


def read_by_arrow() -> list[int | None]:
    found: list[int | None] = complaint_ids(pa.array(TEXTS, pa.string())).to_pylist()
    return found


def read_by_spark(spark: SparkSession) -> list[int | None]:
    rows = spark.createDataFrame(list(enumerate(TEXTS)), "place int, complaint_id string")
    return [row["id"] for row in rows.select("place", parsed_complaint_id().alias("id")).sort("place").collect()]


def read_by_sql(warehouse: Path) -> list[int | None]:
    write_deltalake(COMPLAINTS_RAW.folder_in(warehouse), pa.table({"place": range(len(TEXTS)), "complaint_id": TEXTS}))
    query = f"select {PARSED_COMPLAINT_ID} as id from {COMPLAINTS_RAW} order by place"
    found: list[int | None] = DeltaReader(warehouse).query(query).column("id").to_pylist()
    return found


def test_every_spelling_of_the_complaint_id_rule_reads_the_same_texts_as_the_same_ids(
    spark: SparkSession, tmp_path: Path
) -> None:
    spellings = {
        "one text": read_one_by_one(),
        "Arrow": read_by_arrow(),
        "Spark": read_by_spark(spark),
        "SQL": read_by_sql(tmp_path),
    }
    wrong = {
        (spelling, text): number
        for spelling, numbers in spellings.items()
        for text, number in zip(TEXTS, numbers, strict=True)
        if number != EXPECTED[text]
    }
    assert wrong == {}
