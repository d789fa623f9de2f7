from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pytest

from solosolve.names import REQUESTS_TOPIC
from solosolve.streaming.sources import DeltaSource, KafkaSource

MESSAGES = pa.RecordBatch.from_pydict({"partition": pa.array([0, 1], pa.int32()), "offset": pa.array([7, 12])})


def progress(latest: dict[str, int] | None, end: dict[str, int]) -> Any:
    """Spark's figures of a batch over the topic: partition to offset."""
    offsets = [None if each is None else json.dumps({REQUESTS_TOPIC: each}) for each in (latest, end)]
    return SimpleNamespace(latestOffset=offsets[0], endOffset=offsets[1])


def test_position_of_a_message_names_its_partition_and_offset() -> None:
    assert KafkaSource.position(MESSAGES).to_pylist() == ["0:7", "1:12"]


def test_position_of_a_row_is_its_tables_version() -> None:
    assert DeltaSource.position(MESSAGES).to_pylist() == ["7", "12"]


@pytest.mark.parametrize(
    ("latest", "end", "lag"),
    [
        ({"0": 10, "1": 5}, {"0": 10, "1": 5}, 0),
        ({"0": 10, "1": 5}, {"0": 4, "1": 3}, 8),
        # A partition that was added is not planned yet.
        ({"0": 10, "1": 5, "2": 9}, {"0": 4, "1": 3}, 8),
        (None, {"0": 4, "1": 3}, None),
    ],
    ids=["all read", "some unread", "new partition", "unknown"],
)
def test_lag_counts_the_unread_messages_of_all_partitions(
    latest: dict[str, int] | None, end: dict[str, int], lag: int | None
) -> None:
    source = KafkaSource(cast(Any, None), cast(Any, None))
    assert source.lag(progress(latest, end)) == lag
