from __future__ import annotations

from pathlib import Path

import pytest
from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers, Question
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.drawing import Panel, PanelCache
from solosolve.errors import TableError
from solosolve.names import MODEL_EVENTS, PREDICTIONS
from solosolve.storage.delta_reader import DeltaReader
from support.components import as_json
from support.warehouses import append, folder, prediction

COUNT = "select count(*) as n from gold.predictions"
QUESTION = Question(COUNT, (PREDICTIONS,))


def count_predictions(answers: Answers, filters: Filters) -> Component:
    return html.P(str(answers.ask(QUESTION).column("n")[0].as_py()))


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
    cache = PanelCache(Answers(DeltaReader(warehouse)))
    panel = Panel("events", "Events", "", (MODEL_EVENTS,), lambda answers, _: html.P("drawn"))
    log = folder(warehouse, MODEL_EVENTS) / "_delta_log" / f"{0:020}.json"
    content = log.read_text(encoding="utf-8")
    log.write_text("broken", encoding="utf-8")
    failed = cache.draw(panel, Filters())
    assert failed.error.startswith("Events: ")
    assert failed.content is None
    log.write_text(content, encoding="utf-8")
    assert cache.draw(panel, Filters()).error == ""


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
    panel = Panel("asked", "Asked", "", (PREDICTIONS,), count_predictions)
    drawn = PanelCache(no_answers).draw(panel, Filters())
    assert drawn.error == ""
    assert "solosolve run score_batch" in as_json(drawn.content)
