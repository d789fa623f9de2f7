from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from solosolve.alerts.facts import StreamFacts
from solosolve.loop_settings import LoopSettings
from solosolve.names import REQUESTS, STREAM_PROGRESS, Table
from solosolve.storage.alert_facts import gather_facts
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.reader import Value
from support.warehouses import NOW, append, batch, folder

HOUR = timedelta(hours=1)


def streams(warehouse: Path) -> tuple[StreamFacts, ...]:
    reader = DeltaReader(warehouse)

    def ask(sql: str, _: tuple[Table, ...], values: Mapping[str, Value]) -> pa.Table:
        return reader.query(sql, values)

    return gather_facts(ask, LoopSettings(), (), NOW).streams


def test_requests_that_a_kafka_stream_keeps_do_not_wait_for_the_delta_stream(tmp_path: Path) -> None:
    kept = [{"complaint_id": number, "requested_at": NOW - HOUR, "source": "kafka"} for number in (1, 2)]
    append(tmp_path, REQUESTS, kept)
    append(tmp_path, STREAM_PROGRESS, [batch(1, source="kafka", ended_at=NOW - HOUR, lag=0)])
    assert streams(tmp_path) == (StreamFacts("delta", None), StreamFacts("kafka", NOW - HOUR))
    append(tmp_path, REQUESTS, [{"complaint_id": 3, "requested_at": NOW - 2 * HOUR}])
    assert streams(tmp_path)[0] == StreamFacts("delta", None, 1, NOW - 2 * HOUR)


def test_requests_of_an_earlier_release_have_no_source_and_wait(tmp_path: Path) -> None:
    rows = pa.table({"complaint_id": [1], "requested_at": pa.array([NOW - HOUR], pa.timestamp("us", "UTC"))})
    write_deltalake(folder(tmp_path, REQUESTS), rows)
    assert streams(tmp_path) == (StreamFacts("delta", None, 1, NOW - HOUR),)
