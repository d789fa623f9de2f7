from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from solosolve.adapters.reader import DeltaReader
from solosolve.local.summary import Conservation, Summary
from solosolve.names import DEAD_LETTERS, PREDICTIONS, REQUESTS, Table

STATEMENT = "requests in the table = their predictions + their dead letters"


def write(warehouse: Path, table: Table, **columns: list[object]) -> None:
    write_deltalake(warehouse / table.layer / table.name, pa.table(columns))


@pytest.mark.parametrize(("requests", "holds"), [(3, True), (5, True), (2, False)])
def test_requests_are_answered_or_wait_for_the_stream(tmp_path: Path, requests: int, holds: bool) -> None:
    write(tmp_path, REQUESTS, complaint_id=list(range(requests)))
    # What came from a topic, or by batch, answers no request of the table.
    write(tmp_path, PREDICTIONS, source=["delta", "delta", "kafka", "batch", "replay"])
    write(tmp_path, DEAD_LETTERS, topic=["bronze.inference_requests", "consumer-complaints-inference-requests"])
    (check,) = Summary(DeltaReader(tmp_path)).conservation
    assert check == Conservation(STATEMENT, requests, 3, "wait for the stream")
    assert check.holds is holds


def test_requests_are_not_checked_before_the_stream_has_run(tmp_path: Path) -> None:
    write(tmp_path, REQUESTS, complaint_id=[1])
    assert Summary(DeltaReader(tmp_path)).conservation == []
