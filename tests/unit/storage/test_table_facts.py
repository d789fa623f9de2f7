from __future__ import annotations

import pytest

from solosolve.storage.table_facts import with_places

PLACES = {"bronze.dead_letters": "delta.`/home/dead_letters`", "gold.alerts": "main.gold.alerts"}


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select 1 from gold.alerts, gold.alerts as b", "select 1 from main.gold.alerts, main.gold.alerts as b"),
        ("select 1 from bronze.dead_letters where topic = 'gold.alerts'",
         "select 1 from delta.`/home/dead_letters` where topic = 'gold.alerts'"),
        ("select 'it''s gold.alerts' from gold.alerts", "select 'it''s gold.alerts' from main.gold.alerts"),
        ("select 1 from gold.alerts where topic = 'bronze.inference_requests'",
         "select 1 from main.gold.alerts where topic = 'bronze.inference_requests'"),
        ("select 1 from silver.feedback, gold.alerts_of_old", "select 1 from silver.feedback, gold.alerts_of_old"),
    ],
)  # fmt: skip
def test_only_tables_that_are_named_get_their_place(sql: str, found: str) -> None:
    assert with_places(sql, PLACES) == found
