"""Shapes of files that people have, from landing to silver: what is right for each."""

from __future__ import annotations

import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest

from solosolve.errors import RefusedFilesError
from solosolve.flows import (
    build_features,
    ingest_complaints,
    promote_model,
    refine_complaints,
    score_complaints,
    train_model,
    validate_model,
)
from solosolve.names import (
    COMPLAINT_COLUMNS,
    COMPLAINTS,
    COMPLAINTS_RAW,
    FEATURES,
    PREDICTIONS,
    QUARANTINE,
    REJECTED,
    WITHDRAWN_COLUMNS,
)
from solosolve.storage.tables import Tables
from solosolve.transforms.split import NoOutcomesError
from support.builders import OFFICIAL_HEADER, landing_csv
from support.live import Live

MISSING = (
    "", " ", "\u00a0", "\u200b", "N/A", "n/a", "NA", "None", "NULL", "null", "nan", "NaN", r"\N", "-", "<NA>", "#N/A",
)  # fmt: skip


def land(tables: Tables, source: Path) -> None:
    ingest_complaints.run(tables.spark, tables.settings, str(source))
    refine_complaints.run(tables.spark, tables.settings)


def silver(tables: Tables, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in tables.read(COMPLAINTS).sort("complaint_id").select(*columns).collect()]


def failed_rules(tables: Tables) -> dict[str, list[str]]:
    return {row["_record_key"]: row["failed_rules"] for row in tables.read(REJECTED).collect()}


def test_missing_is_missing_however_it_is_written(tmp_path: Path, tables: Tables) -> None:
    optional = [{"complaint_id": str(n), "sub_product": text, "tags": text} for n, text in enumerate(MISSING, 1)]
    states = [{"complaint_id": str(n), "state": text} for n, text in enumerate(MISSING, 101)]
    narratives = [{"complaint_id": str(n), "consumer_complaint_narrative": text} for n, text in enumerate(MISSING, 201)]
    responses = [
        {"complaint_id": str(n), name: text}
        for start, name in ((301, "company_response_to_consumer"), (401, "timely_response"), (501, "consumer_disputed"))
        for n, text in enumerate(MISSING, start)
    ]
    (tmp_path / "a.csv").write_text(landing_csv(*optional, *states, *narratives, *responses), encoding="utf-8")
    land(tables, tmp_path)
    kept = silver(tables, "complaint_id", "sub_product", "tags", "is_successful_resolution")
    count = len(MISSING)
    assert [row for row in kept if row[0] <= 100] == [(n, None, None, 1.0) for n in range(1, count + 1)]
    assert [row[3] for row in kept if row[0] > 300] == [None] * (3 * count)
    expected = {str(n): ["has_state"] for n in range(101, 101 + count)}
    expected |= {str(n): ["has_narrative"] for n in range(201, 201 + count)}
    assert failed_rules(tables) == expected


def test_file_cut_in_its_last_id_replaces_no_other_complaint(tmp_path: Path, tables: Tables) -> None:
    (tmp_path / "a.csv").write_text(landing_csv({"complaint_id": "9100", "company": "Other Bank"}))
    whole = landing_csv({"complaint_id": "910004201"}, {"complaint_id": "910004202"})
    (tmp_path / "b.csv").write_text(whole[:-6])
    land(tables, tmp_path)
    assert silver(tables, "complaint_id", "company") == [(9100, "Other Bank"), (910004201, "Acme Bank")]
    assert tables.read(QUARANTINE).count() == 1
    (tmp_path / "b.csv").write_text(whole)
    land(tables, tmp_path)
    assert [row[0] for row in silver(tables, "complaint_id")] == [9100, 910004201, 910004202]


def test_one_bad_file_stops_no_other(tmp_path: Path, tables: Tables) -> None:
    header = ",".join(OFFICIAL_HEADER).encode()
    values = landing_csv({"complaint_id": "3"}).split("\n", 1)[1].encode()
    (tmp_path / "a.csv").write_text(landing_csv({"complaint_id": "1"}))
    (tmp_path / "m.csv").write_bytes(header + ",Montant pay\xe9\n".encode("cp1252") + values.rstrip(b"\n") + b",12\n")
    (tmp_path / os.fsdecode(b"n\xe9.csv")).write_text(landing_csv({"complaint_id": "4"}))
    (tmp_path / "p.csv.xz").write_bytes(b"\xfd7zXZ\x00 and then nothing that makes sense")
    (tmp_path / "q.zip").write_bytes(b"PK\3\4 cut")
    (tmp_path / "z.csv").write_text(landing_csv({"complaint_id": "2"}))
    with pytest.raises(RefusedFilesError) as refused:
        ingest_complaints.run(tables.spark, tables.settings, str(tmp_path))
    assert [Path(reason.split(": ")[0]).name for reason in refused.value.reasons] == ["p.csv.xz", "q.zip"]
    refine_complaints.run(tables.spark, tables.settings)
    assert [row[0] for row in silver(tables, "complaint_id")] == [1, 2, 3, 4]
    rescued = {row["_rescued"] for row in tables.read(COMPLAINTS_RAW).select("_rescued").collect()}
    assert rescued == {None, r'{"Montant pay\\xe9": "12"}'}
    files = {row["_source_file"] for row in tables.read(COMPLAINTS_RAW).select("_source_file").collect()}
    assert rf"{tmp_path}/n\xe9.csv" in files


def test_archive_lands_both_members_of_one_name_and_no_apple_double(tmp_path: Path, tables: Tables) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("complaints.csv", landing_csv({"complaint_id": "1"}))
        archive.writestr("complaints.csv", landing_csv({"complaint_id": "2"}))
        archive.writestr("data/._complaints.csv", b"\0\5\26\7Mac OS X")
    land(tables, tmp_path)
    assert [row[0] for row in silver(tables, "complaint_id")] == [1, 2]


def test_second_header_with_another_order_puts_nothing_in_the_wrong_column(tmp_path: Path, tables: Tables) -> None:
    turned = landing_csv({"complaint_id": "2"}, header=OFFICIAL_HEADER[::-1], columns=COMPLAINT_COLUMNS[::-1])
    (tmp_path / "a.csv").write_text(landing_csv({"complaint_id": "1"}) + turned)
    land(tables, tmp_path)
    assert silver(tables, "complaint_id", "company", "state") == [(1, "Acme Bank", "CA"), (2, "Acme Bank", "CA")]
    assert [row["_reason"] for row in tables.read(QUARANTINE).collect()] == ["repeats the header"]


def test_zip_codes_and_ids_lose_what_spreadsheets_did_to_them(tmp_path: Path, tables: Tables) -> None:
    codes = {"2127.0": "02127", "3301-1234": "03301-1234", "2139": "02139", "432XX": "432XX"}
    rows = [{"complaint_id": f" \u00a0{number} ", "zip_code": code} for number, code in enumerate(codes, 1)]
    (tmp_path / "a.csv").write_text(landing_csv(*rows), encoding="utf-8")
    land(tables, tmp_path)
    assert silver(tables, "complaint_id", "zip_code") == list(enumerate(codes.values(), 1))


def test_publication_without_outcomes_lands_and_says_why_nothing_is_learned(tmp_path: Path, tables: Tables) -> None:
    columns = [name for name in COMPLAINT_COLUMNS if name not in WITHDRAWN_COLUMNS]
    (tmp_path / "a.csv").write_text(landing_csv({}, {"complaint_id": "2"}, header=columns, columns=columns))
    land(tables, tmp_path)
    assert silver(tables, "complaint_id", "is_successful_resolution") == [(1, None), (2, None)]
    built = build_features.run(tables.spark, tables.settings, "default")
    assert (built.row_count, built.is_new) == (0, False)
    assert not tables.exists(FEATURES)
    with pytest.raises(NoOutcomesError, match="no complaint has a known outcome, so there is nothing to learn from"):
        train_model.run(tables.spark, tables.settings, "xgboost")


def test_publication_without_outcomes_is_scored_by_a_given_champion(tmp_path: Path, live: Live) -> None:
    columns = [name for name in COMPLAINT_COLUMNS if name not in WITHDRAWN_COLUMNS]
    (tmp_path / "a.csv").write_text(landing_csv({}, {"complaint_id": "2"}, header=columns, columns=columns))
    spark, settings = live.tables.spark, live.settings
    land(live.tables, tmp_path / "a.csv")
    build_features.run(spark, settings, "default")
    assert train_model.run(spark, settings, "xgboost").version == 1
    assert (validate_model.run(spark, settings), promote_model.run(spark, settings)) == (None, None)
    assert score_complaints.run(spark, settings) == 2
    scored = live.tables.read(PREDICTIONS).select("complaint_id", "model_version").collect()
    assert sorted(map(tuple, scored)) == [(1, 1), (2, 1)]
