from __future__ import annotations

from datetime import timedelta

from solosolve.local.live_news import News
from solosolve.names import MODEL_EVENTS
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from support.warehouses import NOW, append, event


def test_news_are_told_once_in_the_order_of_events(settings: Settings) -> None:
    news = News(DeltaReader(settings.warehouse), NOW - timedelta(days=1))
    assert list(news.lines()) == []
    checked = event(1, "retrain_checked", 0, is_due=True, reasons=["AUC at most 0.5"])
    rows = [checked, event(2, "trained", 0), event(2, "validation_passed", 0)]
    for number, row in enumerate(rows):
        row["event_at"] = NOW + timedelta(seconds=number)
    append(settings.warehouse, MODEL_EVENTS, rows)
    assert list(news.lines()) == ["retraining is due: AUC at most 0.5", "version 2 trained"]
    assert list(news.lines()) == []
    promoted = event(2, "promoted", 0, "champion") | {"event_at": NOW + timedelta(seconds=9)}
    late = event(3, "validation_rejected", 0) | {"event_at": NOW + timedelta(seconds=8)}
    append(settings.warehouse, MODEL_EVENTS, [promoted])
    assert list(news.lines()) == ["version 2 promoted"]
    append(settings.warehouse, MODEL_EVENTS, [late])
    assert list(news.lines()) == ["version 3 rejected by the gate"]
