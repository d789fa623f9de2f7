"""The passport of a prediction, on real tables and a real registry."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner
from deltalake import DeltaTable, write_deltalake

from solosolve.cli.main import cli
from solosolve.errors import SolosolveError
from solosolve.names import COMPLAINTS, COMPLAINTS_RAW, FEATURES, NARRATIVE, PREDICTIONS, REQUESTS
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.model_explainer import ModelExplainer
from solosolve.storage.passport import Passport, passport_of
from support.live import Live, with_champion
from support.warehouses import NOW, append, complaint, folder, prediction

ID = 41
SHORT, LONG = "They lost it.", "They lost my payment, and nobody answers. " * 9


@pytest.fixture
def home(settings: Settings, first_registry: Path) -> Live:
    return with_champion(None, settings, first_registry)


def add_scored(home: Live, row: dict[str, Any], **overrides: Any) -> float:
    """Adds the prediction that version 1 makes of a complaint."""
    probability = home.expected({name: row.get(name) for name in row} | _MISSING, 1)
    made = prediction(ID, probability=probability, model_version=1, **{"source": "batch", "batch_id": None} | overrides)
    append(home.settings.warehouse, PREDICTIONS, [made])
    return probability


_MISSING = {"sub_product": None, "sub_issue": None, "tags": None}


def passport(home: Live) -> Passport:
    return passport_of(DeltaReader(home.settings.warehouse), ModelExplainer(home.settings), ID)


def replace_complaint(home: Live, row: dict[str, Any]) -> None:
    DeltaTable(folder(home.settings.warehouse, COMPLAINTS)).delete(f"complaint_id = {ID}")
    append(home.settings.warehouse, COMPLAINTS, [row])


def test_batch_prediction_is_scored_again_from_the_version_of_silver_that_it_was_scored_from(home: Live) -> None:
    warehouse = home.settings.warehouse
    row = complaint(ID, **{NARRATIVE: LONG})
    append(warehouse, COMPLAINTS_RAW, [{"_source_file": "a.csv", "_source_sha256": "0" * 64, "_source_line": ID,
                                        "_ingested_at": NOW}])  # fmt: skip
    append(warehouse, COMPLAINTS, [row])
    probability = add_scored(home, row, source_position="0")
    replace_complaint(home, row | {NARRATIVE: SHORT, "_source_file": "newer.csv"})
    append(warehouse, FEATURES, [{"complaint_id": ID, "date_received": NOW.date(), "split": "train", "features": [],
                                  "feature_model_uri": "x", "is_successful_resolution": 0.0, "label_source": "event",
                                  "label_at": NOW}])  # fmt: skip

    found = passport(home)
    facts = dict(found.facts)
    assert facts["text"] == "silver.complaints, version 0"
    assert (facts["source"], facts["SHA-256 of the source"]) == (f"complaints.csv, line {ID}", "0" * 64)
    assert (facts["version of silver.complaints"], facts["version of bronze.complaints"]) == ("0", "0")
    assert facts["model"].startswith("complaint_resolution version 1, run ")
    assert facts["label"] == "not successful, event, 2026-05-04 12:00:00 UTC"
    assert found.explanation is not None
    assert found.explanation.probability == found.probability == probability
    assert found.scored_again == f"{probability!r}: the same, to the bit"
    assert 1 / (1 + math.exp(-found.explanation.log_odds)) == pytest.approx(probability, abs=1e-6)


def test_complaint_is_read_as_it_is_now_if_the_version_that_was_scored_is_no_longer_kept(home: Live) -> None:
    row = complaint(ID, **{NARRATIVE: LONG})
    append(home.settings.warehouse, COMPLAINTS, [row])
    add_scored(home, row, source_position="0")
    replace_complaint(home, row | {NARRATIVE: SHORT})
    table = DeltaTable(folder(home.settings.warehouse, COMPLAINTS))
    assert table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    found = passport(home)
    assert dict(found.facts)["text"] == "silver.complaints, version 4, as it is now"
    assert found.scored_again.endswith(": another value")


def test_request_is_scored_again_as_it_was_sent(home: Live) -> None:
    row = complaint(ID, **{NARRATIVE: LONG})
    for text, at in ((SHORT, NOW - timedelta(days=1)), (LONG, NOW)):
        append(home.settings.warehouse, REQUESTS, [row | {NARRATIVE: text, "requested_at": at}])
    add_scored(home, row, source="delta", source_position="1", batch_id=3)
    found = passport(home)
    facts = dict(found.facts)
    assert facts["requested through"] == "delta at 1, batch 3"
    assert facts["text"] == "bronze.inference_requests, version 1"
    assert found.scored_again.endswith("the same, to the bit")
    assert facts["label"] == "unknown"


def test_message_is_scored_again_as_the_stream_kept_it(home: Live) -> None:
    row = complaint(ID, **{NARRATIVE: LONG})
    kept = {"source": "kafka", "requested_at": NOW}
    for text, position in ((SHORT, "2:16"), (LONG, "2:17"), (SHORT, "2:18")):
        append(home.settings.warehouse, REQUESTS, [row | kept | {NARRATIVE: text, "source_position": position}])
    append(home.settings.warehouse, COMPLAINTS, [row | {NARRATIVE: SHORT}])
    add_scored(home, row, source="kafka", source_position="2:17", batch_id=5)
    found = passport(home)
    facts = dict(found.facts)
    assert facts["requested through"] == "kafka at 2:17, batch 5"
    assert facts["text"] == "bronze.inference_requests, version 2"
    assert found.scored_again.endswith("the same, to the bit")


def test_message_that_a_former_release_scored_is_read_as_silver_has_it_now(home: Live) -> None:
    row = complaint(ID, **{NARRATIVE: LONG})
    append(home.settings.warehouse, COMPLAINTS, [row])
    names = [name for name in SCHEMAS[REQUESTS].names if not name.startswith("source")]
    former = pa.Table.from_pylist([], schema=pa.schema([SCHEMAS[REQUESTS].field(name) for name in names]))
    write_deltalake(folder(home.settings.warehouse, REQUESTS), former)
    add_scored(home, row, source="kafka", source_position="2:17", batch_id=5)
    assert dict(passport(home).facts)["text"] == "silver.complaints, version 0, as it is now"


def test_message_whose_text_is_in_no_table_still_has_its_position_and_model(home: Live) -> None:
    append(home.settings.warehouse, PREDICTIONS, [
        prediction(ID, model_version=1, source="kafka", source_position="2:17", batch_id=5)
    ])  # fmt: skip
    found = passport(home)
    facts = dict(found.facts)
    assert facts["requested through"] == "kafka at 2:17, batch 5"
    assert (facts["text"], found.scored_again) == ("in no table", "not possible without the complaint's text")
    assert facts["model"].startswith("complaint_resolution version 1")


def test_complaint_without_a_prediction_is_an_error(home: Live) -> None:
    append(home.settings.warehouse, PREDICTIONS, [prediction(7)])
    with pytest.raises(SolosolveError, match="complaint 41 has no prediction"):
        passport(home)


def test_explain_prints_the_passport(home: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    row = complaint(ID, **{NARRATIVE: LONG})
    append(home.settings.warehouse, COMPLAINTS, [row])
    probability = add_scored(home, row, source_position="0")
    monkeypatch.setenv("SOLOSOLVE_HOME", str(home.settings.home))
    result = CliRunner().invoke(cli, ["model", "explain", str(ID)])
    assert result.exit_code == 0, result.output
    for part in ("contribution of the average", "sum (log-odds)", f"{probability!r}: the same, to the bit"):
        assert part in result.output
