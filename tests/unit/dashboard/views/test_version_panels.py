from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

from solosolve.clock import now
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.version_panels import ROLLBACK, ledger, roles, versions
from solosolve.names import MODEL_EVENTS, MODEL_PERFORMANCE
from solosolve.storage.delta_reader import DeltaReader
from support.components import as_json, text_of
from support.warehouses import append, delete, event, folder, performance


def answers_with(warehouse: Path, *events: dict[str, object]) -> Answers:
    append(warehouse, MODEL_EVENTS, events)
    return Answers(DeltaReader(warehouse))


def test_roles_name_champion_challenger_and_shadow_with_since_and_by_whom(warehouse: Path) -> None:
    answers = answers_with(
        warehouse, event(3, "trained", 0, "challenger"), event(3, "validation_shadow", 1),
        event(3, "shadowed", 2, "shadow"), event(4, "trained", 0, "challenger"),
        event(4, "validation_rejected", 1, checks=[{"name": "log_loss_gain", "is_passed": False}]),
    )  # fmt: skip
    shown = text_of(roles(answers, Filters()))
    assert "Champion Version 2 since  2026-04-26 12:02:00 UTC promoted by solosolve" in shown
    assert "Challenger Version 4 since  2026-04-28 12:00:00 UTC trained by solosolve rejected: log loss gain" in shown
    assert "Shadow Version 3 since  2026-04-27 12:02:00 UTC sent into shadow by solosolve" in shown


def test_promotion_ends_challenger_and_shadow(answers: Answers) -> None:
    shown = text_of(roles(answers, Filters()))
    assert "Challenger none Shadow none" in shown


def test_provisional_champion_has_a_badge(warehouse: Path) -> None:
    answers = answers_with(warehouse, event(2, "promoted_provisional", 9_000, "champion"))
    assert "Version 2   provisional" in text_of(roles(answers, Filters()))


def test_records_are_told_apart_by_split(answers: Answers) -> None:
    assert "2,000 to train, 250 to validate, 400 to test" in text_of(roles(answers, Filters()))


def test_old_champion_that_does_as_well_as_ever_needs_no_rollback(warehouse: Path) -> None:
    append(warehouse, MODEL_PERFORMANCE, [performance("auc", -1, 0.8)])
    assert "rollback" not in text_of(roles(Answers(DeltaReader(warehouse)), Filters()))


def test_recent_promotion_shows_how_to_go_back(warehouse: Path) -> None:
    promoted = event(3, "promoted", 0, "champion") | {"event_at": now() - timedelta(days=2)}
    shown = text_of(roles(answers_with(warehouse, promoted), Filters()))
    assert f"Version 3 is new. To go back to version 2:  {ROLLBACK}" in shown


def test_fall_of_the_auc_shows_how_to_go_back_further_than_what_was_rolled_back_from(warehouse: Path) -> None:
    shutil.rmtree(folder(warehouse, MODEL_PERFORMANCE))
    append(warehouse, MODEL_PERFORMANCE, [
        performance("auc", 1, 0.4, model_version=2, value_high=0.41), performance("auc", 0, None, model_version=2),
    ])  # fmt: skip
    answers = answers_with(warehouse, event(3, "promoted", 0, "champion"), event(2, "rolled_back", 9_000, "champion"))
    shown = text_of(roles(answers, Filters()))
    assert "Version 2 is worse on the newest labels than on its test split: AUC at most 0.410, expected" in shown
    assert "To go back to version 1:" in shown


def test_roles_before_any_model_name_the_command(warehouse: Path) -> None:
    delete(warehouse, MODEL_EVENTS, "true")
    assert "solosolve run train_model" in text_of(roles(Answers(DeltaReader(warehouse)), Filters()))


def test_versions_show_state_and_splits_and_a_click_selects_one(answers: Answers) -> None:
    shown = versions(answers, Filters(state=("CA",)))
    assert "v2 champion" in text_of(shown)
    assert "v1 champion until 2026-04-26" in text_of(shown)
    assert "2,000 / 250 / 400" in text_of(shown)
    assert '{"type": "filter", "column": "model", "value": "1"}' in as_json(shown)


def test_ledger_evidence_is_summarised(warehouse: Path) -> None:
    failed = {"name": "auc_beats_chance", "is_passed": False}
    reasons = ["1289 new labels, due from 500"]
    answers = answers_with(
        warehouse, event(2, "validation_rejected", 9_000, checks=[failed]),
        event(2, "retrain_checked", 9_001, is_due=True, reasons=reasons),
    )  # fmt: skip
    shown = text_of(ledger(answers, Filters()))
    assert "failed: auc beats chance" in shown
    assert "1 check passed" in shown
    assert "engine xgboost" in shown
    assert "due: 1289 new labels, due from 500" in shown
