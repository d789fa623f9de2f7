from __future__ import annotations

from pathlib import Path

import pytest
from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers, Question
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.drawing import Panel, PanelCache
from solosolve.errors import TableError
from solosolve.names import DRIFT_METRICS, MODEL_EVENTS, PREDICTIONS
from solosolve.storage.delta_reader import DeltaReader
from support.components import as_json, text_of
from support.warehouses import append, folder, prediction

COUNT = "select count(*) as n from gold.predictions"
QUESTION = Question(COUNT, (PREDICTIONS,))
EVENTS = Question("select count(*) as n from gold.model_events where model_version = 1 group by event", (MODEL_EVENTS,))
IDS = Question("select complaint_id from gold.predictions", (PREDICTIONS,))


def count_predictions(answers: Answers, filters: Filters) -> Component:
    return html.P(str(answers.ask(QUESTION).column("n")[0].as_py()))


def count_kinds(answers: Answers, filters: Filters) -> Component:
    return html.P(str(answers.ask(EVENTS).num_rows))


def fail(answers: Answers, filters: Filters) -> Component:
    raise RuntimeError("secret detail")


COUNTED = Panel("counted", "Counted", "", (PREDICTIONS,), count_predictions)


def test_panel_is_drawn_once_until_one_of_its_tables_has_a_new_commit(warehouse: Path) -> None:
    cache = PanelCache(Answers(DeltaReader(warehouse)))
    first = cache.draw(COUNTED, Filters())
    assert cache.draw(COUNTED, Filters()) is first
    append(warehouse, PREDICTIONS, [prediction(1_000)])
    second = cache.draw(COUNTED, Filters())
    assert second.content != first.content
    assert second.digest != first.digest


def test_equal_content_has_an_equal_digest(answers: Answers) -> None:
    first, second = (PanelCache(answers).draw(COUNTED, Filters()) for _ in range(2))
    assert first == second


def test_panel_is_drawn_for_each_choice_of_filters(answers: Answers) -> None:
    cache = PanelCache(answers)
    by_state = Panel("states", "States", "", (PREDICTIONS,), lambda _, filters: html.P(", ".join(filters.state)))
    drawn = [cache.draw(by_state, Filters(state=(state,))).content["props"]["children"] for state in ("CA", "TX")]
    assert drawn == ["CA", "TX"]


def test_least_recently_used_panel_is_dropped_first(answers: Answers) -> None:
    cache = PanelCache(answers, size=2)
    choices = [Filters(state=(state,)) for state in ("CA", "TX", "NY")]
    drawn = [cache.draw(COUNTED, choice) for choice in choices]
    assert cache.draw(COUNTED, choices[2]) is drawn[2]
    assert cache.draw(COUNTED, choices[0]) is not drawn[0]


def test_unreadable_panel_carries_its_error_and_is_drawn_again_once_it_can_be_read(warehouse: Path) -> None:
    answers = Answers(DeltaReader(warehouse))
    cache = PanelCache(answers)
    panel = Panel("events", "Events", "", (MODEL_EVENTS,), count_kinds)
    log = folder(warehouse, MODEL_EVENTS) / "_delta_log" / f"{0:020}.json"
    content = log.read_text(encoding="utf-8")
    log.write_text("broken", encoding="utf-8")
    failed = cache.draw(panel, Filters())
    assert failed.error == ""
    assert "could not be loaded" in as_json(failed.content)
    assert list(answers.unreadable) == [(MODEL_EVENTS,)]
    log.write_text(content, encoding="utf-8")
    assert cache.draw(panel, Filters()).content["props"]["children"] == "3"
    assert answers.unreadable == {}


def test_panel_whose_data_is_gone_keeps_its_last_state_marked_stale(warehouse: Path) -> None:
    answers = Answers(DeltaReader(warehouse))
    cache = PanelCache(answers)
    panel = Panel("ids", "Ids", "", (PREDICTIONS,), lambda answers, _: html.P(str(answers.ask(IDS).num_rows)))
    before = cache.draw(panel, Filters())
    append(warehouse, PREDICTIONS, [prediction(1_000)])
    for file in folder(warehouse, PREDICTIONS).glob("*.parquet"):
        file.unlink()
    stale = cache.draw(panel, Filters())
    assert "stale-mark" in as_json(stale.content)
    assert before.content in stale.content["props"]["children"]
    assert list(answers.unreadable) == [(PREDICTIONS,)]


def test_unexpected_error_shows_its_kind_but_not_its_text(answers: Answers, caplog: pytest.LogCaptureFixture) -> None:
    drawn = PanelCache(answers).draw(Panel("broken", "Broken", "", (), fail), Filters())
    assert drawn.error == "Broken: RuntimeError; see the server's log"
    assert "secret detail" in caplog.text


def test_own_error_shows_its_text(answers: Answers) -> None:
    def refuse(answers: Answers, filters: Filters) -> Component:
        raise TableError("gold.predictions cannot be read")

    drawn = PanelCache(answers).draw(Panel("refused", "Refused", "", (), refuse), Filters())
    assert drawn.error == "Refused: gold.predictions cannot be read"


def test_panel_without_its_table_names_the_command_that_makes_it(no_answers: Answers) -> None:
    question = Question("select count(*) as n from gold.drift_metrics", (DRIFT_METRICS,))
    panel = Panel("asked", "Asked", "", (DRIFT_METRICS,), lambda answers, _: html.P(str(answers.ask(question))))
    drawn = PanelCache(no_answers).draw(panel, Filters())
    assert drawn.error == ""
    assert "solosolve run retrain" in as_json(drawn.content)


def test_panel_does_not_repeat_a_command_of_the_checklist(no_answers: Answers) -> None:
    drawn = PanelCache(no_answers).draw(Panel("asked", "Asked", "", (PREDICTIONS,), count_predictions), Filters())
    assert text_of(drawn.content) == "Nothing to show yet."
