from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from solosolve.alerts.history import AlertRow, settle
from solosolve.alerts.rules import Alert, Severity

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LETTERS = Alert("dead_letters", Severity.ACT, NOW - timedelta(hours=5), '{"summary": "2 messages"}', "read them")
DRIFT = Alert("drift", Severity.LOOK, NOW - timedelta(hours=1), '{"summary": "state"}', "look")


def row(alert: Alert, **changes: object) -> AlertRow:
    opened = AlertRow(alert.name, alert.since, None, alert.severity, alert.evidence, alert.what_to_do)
    return replace(opened, **changes)  # type: ignore[arg-type]


def test_alert_opens_when_it_began() -> None:
    found = settle([], [DRIFT, LETTERS], NOW)
    assert found.open == (row(LETTERS), row(DRIFT))
    assert set(found.changed) == set(found.open)


def test_open_alerts_come_most_severe_first_then_newest_by_when_they_opened() -> None:
    failed = replace(LETTERS, name="failed_job:retrain", since=NOW)
    recorded = row(failed, opened_at=NOW - timedelta(days=2))
    found = settle([recorded], [failed, DRIFT, LETTERS], NOW)
    assert [each.alert for each in found.open] == ["dead_letters", "failed_job:retrain", "drift"]


def test_alert_that_lasts_is_not_opened_again() -> None:
    closed = row(LETTERS, opened_at=NOW - timedelta(days=9), closed_at=NOW - timedelta(days=8))
    assert settle([closed, row(LETTERS)], [replace(LETTERS, since=NOW)], NOW).changed == ()


def test_alert_that_lasts_keeps_its_beginning_and_takes_the_newest_evidence() -> None:
    more = replace(LETTERS, since=NOW, evidence='{"summary": "3 messages"}')
    found = settle([row(LETTERS)], [more], NOW)
    assert found.open == found.changed == (row(LETTERS, evidence=more.evidence),)
    assert found.open[0].summary == "3 messages"


def test_alert_that_is_over_is_closed_once() -> None:
    found = settle([row(LETTERS), row(DRIFT)], [DRIFT], NOW)
    assert found.open == (row(DRIFT),)
    assert found.changed == (row(LETTERS, closed_at=NOW),)
