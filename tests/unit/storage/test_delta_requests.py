from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from filelock import FileLock

from solosolve.errors import TableError
from solosolve.names import REQUESTS
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.delta_requests import append_requests
from solosolve.table_properties import table_properties

SCHEMA = SCHEMAS[REQUESTS]


def request(complaint_id: int) -> dict[str, object]:
    return {"complaint_id": complaint_id, "date_received": date(2026, 5, 4)}


def make_table_of_an_earlier_release(settings: Settings) -> None:
    earlier = pa.schema([field for field in SCHEMA if field.name not in ("source", "source_position")])
    DeltaTable.create(settings.table_location(REQUESTS), earlier, configuration=table_properties(REQUESTS))


def test_table_of_an_earlier_release_gets_the_columns_that_it_lacks_once(settings: Settings) -> None:
    make_table_of_an_earlier_release(settings)
    append_requests(settings, [request(1)])
    append_requests(settings, [request(2) | {"source": "kafka"}])
    table = DeltaTable(settings.table_location(REQUESTS))
    assert [field.name for field in table.schema().fields] == SCHEMA.names
    # Made, given its columns, and written twice.
    assert table.version() == 3
    found = DeltaReader(settings.warehouse).query(f"select complaint_id, source from {REQUESTS} order by 1")
    assert found.to_pylist() == [{"complaint_id": 1, "source": None}, {"complaint_id": 2, "source": "kafka"}]


def test_requests_are_refused_while_another_process_holds_the_lock(settings: Settings) -> None:
    with (
        FileLock(settings.lock_file(str(REQUESTS))),
        pytest.raises(TableError, match=r"^bronze\.inference_requests has been locked by another process for 0\.1 s$"),
    ):
        append_requests(settings, [request(1)], lock_seconds=0.1)
