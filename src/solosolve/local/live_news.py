"""What the ledger has of models since `solosolve live` began, as lines for the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from solosolve.names import MODEL_EVENTS
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.reader import Reader, TableVersion

_WORDS = {
    ModelEvent.TRAINED: "trained",
    ModelEvent.VALIDATION_REJECTED: "rejected by the gate",
    ModelEvent.SHADOWED: "scores beside the champion, unseen",
    ModelEvent.PROMOTED: "promoted",
    ModelEvent.PROMOTED_PROVISIONAL: "promoted provisionally",
    ModelEvent.PROMOTED_BY_HAND: "promoted by hand",
    ModelEvent.ROLLED_BACK: "champion again",
    ModelEvent.LOAD_FAILED: "cannot be loaded",
}


class News:
    """The ledger, read on."""

    def __init__(self, reader: Reader, since: datetime) -> None:
        """Begins at an instant."""
        self._reader, self._since = reader, since
        self._seen: TableVersion | None = None
        self._told: set[tuple[datetime, int, str]] = set()

    def lines(self) -> Iterator[str]:
        """What is new since the last look, oldest first."""
        version = self._reader.version(MODEL_EVENTS)
        if version is None or version == self._seen:
            return
        self._seen = version
        sql = (
            f"select event_at, model_version, event, evidence from {MODEL_EVENTS} "
            "where event_at > :since order by event_at"
        )
        for row in self._reader.query(sql, {"since": self._since}).to_pylist():
            # The time of a promotion lies ahead, so events of earlier times may follow.
            key = (row["event_at"], row["model_version"], row["event"])
            if key not in self._told and (line := _line(row)):
                yield line
            self._told.add(key)


def _line(row: dict[str, Any]) -> str | None:
    if row["event"] == ModelEvent.RETRAIN_CHECKED:
        evidence = json.loads(row["evidence"])
        due = "is due" if evidence["is_due"] else "is not due"
        return f"retraining {due}: {'; '.join(evidence['reasons'])}"
    words = _WORDS.get(row["event"])
    return words and f"version {row['model_version']} {words}"
