"""The dashboard with tables that Spark and the stream have written, and with models from the registry."""

from __future__ import annotations

import math
import subprocess
import sys

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from solosolve.errors import ModelError
from solosolve.model.scorer import INTERCEPT, as_raw_complaints
from solosolve.names import FEEDBACK, FILED_COLUMNS, PREDICTIONS
from solosolve.settings import Settings
from solosolve.storage.delta_feedback import DeltaFeedback
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import Verdict
from solosolve.storage.model_explainer import ModelExplainer
from solosolve.storage.tables import Tables
from support.dashboards import demo_dashboard
from support.live import Live, request
from support.warehouses import feedback


def test_reader_finds_the_rows_that_spark_has_added(live: Live) -> None:
    reader = DeltaReader(live.settings.warehouse)
    live.add_requests([request(number) for number in range(1, 6)])
    live.stream()
    before = reader.version(PREDICTIONS)
    live.add_requests([request(number) for number in range(6, 9)], files=2)
    live.stream()
    after = reader.version(PREDICTIONS)
    assert before is not None
    assert after is not None
    with reader.added(PREDICTIONS, before, after) as added:
        assert added is not None
        ids = added.query("select complaint_id from gold.predictions order by 1").column(0).to_pylist()
    assert ids == [6, 7, 8]


def test_explanation_adds_up_to_the_probability(live: Live) -> None:
    complaint = {name: request(7).get(name) for name in FILED_COLUMNS}
    explanation = ModelExplainer(live.settings).explain(complaint, 1)
    row = {name: pa.array([value and str(value)], pa.string()) for name, value in complaint.items()}
    raw = as_raw_complaints(pa.table(row))
    probability, average = live.scorers[1].score(raw)[0], live.scorers[1].explain(raw)[0][INTERCEPT]
    assert explanation.base == average
    assert explanation.log_odds == pytest.approx(math.log(probability / (1 - probability)), abs=1e-4)
    assert {effect.name for effect in explanation.effects} == {"length of the text", "month of receipt"}


def test_explanation_of_an_unknown_version_is_refused(live: Live) -> None:
    with pytest.raises(ModelError, match="no version 99"):
        ModelExplainer(live.settings).explain({}, 99)


def test_feedback_table_has_the_same_schema_whether_spark_or_the_dashboard_creates_it(
    tables: Tables, settings: Settings
) -> None:
    DeltaFeedback(settings).record(feedback("a"))
    of_dashboard = DeltaTable(settings.warehouse / "silver" / "feedback")
    found = {row["feedback_id"] for row in tables.read(FEEDBACK).collect()}
    assert found == {"a"}
    other = Tables(tables.spark, settings.model_copy(update={"home": settings.home / "other"}))
    other.create(FEEDBACK)
    of_spark = DeltaTable(settings.home / "other" / "warehouse" / "silver" / "feedback")
    assert of_dashboard.schema().to_json() == of_spark.schema().to_json()


def test_spark_and_the_dashboard_can_both_write_feedback(tables: Tables, settings: Settings) -> None:
    log = DeltaFeedback(settings)
    log.record(feedback("a"))
    tables.append(FEEDBACK, tables.read(FEEDBACK).selectExpr("'b' as feedback_id", *_columns_after_the_id()))
    log.record(feedback("a", verdict=Verdict.WITHDRAWN))
    rows = tables.read(FEEDBACK).select("feedback_id", "verdict").collect()
    assert sorted(map(tuple, rows)) == [("a", "success"), ("a", "withdrawn"), ("b", "success")]


def _columns_after_the_id() -> list[str]:
    return [name for name in feedback("a").as_row() if name != "feedback_id"]


def test_dashboard_of_a_home_with_models_serves_its_page(live: Live) -> None:
    client = demo_dashboard(live.settings.home).server.test_client()
    assert client.get("/").status_code == 200


def test_deployed_dashboard_imports_neither_spark_nor_delta() -> None:
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['pyspark', 'delta', 'deltalake']));"
        "import solosolve.dashboard.web.serve, solosolve.storage.warehouse, solosolve.cli.main"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
