from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dash import no_update

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.claims import Claims
from solosolve.dashboard.data.review_desk import ReviewDesk, ReviewRules
from solosolve.dashboard.data.review_queue import QUEUE_LENGTH
from solosolve.dashboard.data.verdicts import is_showing, new_review_item
from solosolve.dashboard.views.review import complaint_under_review
from solosolve.dashboard.views.review_turns import ReviewState, open_complaint, queue_contents
from solosolve.names import FEEDBACK
from solosolve.settings import Settings
from solosolve.storage.delta_feedback import DeltaFeedback
from solosolve.storage.delta_reader import DeltaReader
from support.components import as_json, text_of
from support.dashboards import StubExplainer
from support.warehouses import append, feedback


def desk_over(answers: Answers, home: Path) -> ReviewDesk:
    return ReviewDesk(answers, DeltaFeedback(Settings(home=home)), Claims(10), ReviewRules(second_reading_share=1.0))


@pytest.fixture
def desk(answers: Answers, tmp_path: Path) -> ReviewDesk:
    return desk_over(answers, tmp_path)


def room(desk: ReviewDesk, reviewer: str = "ann", **state: Any) -> dict[str, Any]:
    names = ("queue", "claims", "verdicts", "progress", "item", "picks")
    return dict(zip(names, queue_contents(desk, ReviewState(**state), reviewer), strict=True))


def ids(contents: dict[str, Any]) -> list[int]:
    return [pick["complaint_id"] for pick in contents["picks"]]


def test_room_opens_the_first_complaint_of_the_queue(desk: ReviewDesk) -> None:
    found = room(desk)
    assert len(ids(found)) == QUEUE_LENGTH
    assert found["item"]["complaint_id"] == ids(found)[0]
    assert as_json(found["queue"]).count('"aria') == 0
    assert all(str(number) in text_of(found["queue"]) for number in ids(found))
    assert text_of(found["verdicts"]) == "No verdicts yet."
    assert "Waiting 200" in text_of(found["progress"])


def test_room_follows_the_filters(desk: ReviewDesk) -> None:
    found = text_of(room(desk, search="?product=Mortgage")["queue"])
    assert "Mortgage" in found
    assert "Credit card" not in found


def test_two_reviewers_get_different_complaints(desk: ReviewDesk) -> None:
    first = room(desk)["item"]["complaint_id"]
    found = room(desk, "bo")
    assert first not in ids(found)
    assert found["item"]["complaint_id"] == ids(found)[0]
    assert found["claims"] == f"Being read by others: {first} (ann)"
    # After a reload, ann has the same one again.
    assert room(desk)["item"]["complaint_id"] == first


def test_complaint_under_review_stays_while_it_waits(desk: ReviewDesk) -> None:
    item = room(desk)["item"]
    assert room(desk, item=item, is_hidden=True)["item"] is no_update
    assert room(desk, item=item, search="?company=Elm%20Bank")["item"]["complaint_id"] != item["complaint_id"]


def test_next_complaint_is_the_one_after_and_the_first_after_the_last(desk: ReviewDesk) -> None:
    found = room(desk)
    after = open_complaint(desk, ReviewState(item=found["item"]), found["picks"], None, "ann")[4]
    assert after["complaint_id"] == ids(found)[1]
    last = {"complaint_id": ids(found)[-1]}
    around = open_complaint(desk, ReviewState(item=last), found["picks"], None, "ann")[4]
    assert around["complaint_id"] == ids(found)[0]
    desk.claims.claim(ids(found)[1], "bo")
    skipping = open_complaint(desk, ReviewState(item=found["item"]), found["picks"], None, "ann")[4]
    assert skipping["complaint_id"] == ids(found)[2]


def test_complaint_that_another_reviewer_has_opened_leaves_the_queue(desk: ReviewDesk) -> None:
    found = room(desk)
    taken = ids(found)[3]
    desk.claims.claim(taken, "bo")
    state = ReviewState(item=found["item"])
    _, claims, _, _, item, picks = open_complaint(desk, state, found["picks"], taken, "ann")
    assert item is no_update
    assert taken not in [pick["complaint_id"] for pick in picks]
    assert claims == f"Being read by others: {taken} (bo)"


def test_complaint_that_the_address_asks_for_is_opened_unless_another_reviewer_has_it(desk: ReviewDesk) -> None:
    found = room(desk)
    wanted = next(number for number in range(1, 200) if number not in ids(found))
    item = room(desk, item=found["item"], wanted=wanted)["item"]
    assert (item["complaint_id"], item["picked_by"]) == (wanted, None)
    assert room(desk, item=item, wanted=wanted)["item"] is no_update
    assert room(desk, "bo", wanted=wanted)["item"]["complaint_id"] != wanted


@pytest.mark.parametrize(("picks", "complaint_id"), [(None, 7), ([], None), ("x", None), ([7], 7), ([{}], None)])
def test_malformed_queue_opens_nothing_that_is_not_in_the_queue(
    desk: ReviewDesk, picks: object, complaint_id: object
) -> None:
    item = open_complaint(desk, ReviewState(), picks, complaint_id, "ann")[4]
    assert item["complaint_id"] == ids(room(desk))[0]


def test_refused_verdict_leaves_its_complaint_open_and_a_withdrawn_one_comes_back(desk: ReviewDesk) -> None:
    item = room(desk)["item"]
    assert room(desk, item=item, done={"what": "refused", "complaint_id": 1})["item"] is no_update
    pick = {"picked_by": "audit", "pick_probability": 0.5}
    again = room(desk, item=item, done={"what": "withdrawn", "complaint_id": 9, "pick": pick})["item"]
    assert again == again | {"complaint_id": 9} | pick
    assert room(desk, item=item, done={"what": "withdrawn", "complaint_id": "x", "pick": 7})["item"] is no_update


def test_groups_are_parts_of_the_one_queue(desk: ReviewDesk) -> None:
    everything, random = room(desk), room(desk, group="audit")
    assert random["picks"] == [pick for pick in everything["picks"] if pick["picked_by"] == "audit"]
    assert len(random["picks"]) == 2
    uncertain = room(desk, group="uncertain")
    assert sorted(ids(uncertain) + ids(random)) == sorted(ids(everything))
    no_audit = replace(desk, rules=ReviewRules(audit_share=0.0))
    assert "Choose All" in text_of(room(no_audit, group="audit")["queue"])


def test_second_reading_is_offered_to_another_reviewer(warehouse: Path) -> None:
    append(warehouse, FEEDBACK, [feedback("a" * 32, reviewer="bo").as_row()])
    desk = desk_over(Answers(DeltaReader(warehouse)), warehouse.parent)
    found = room(desk)
    assert found["picks"][0] == {"complaint_id": 7, "picked_by": "second", "pick_probability": None}
    assert "second reading" in text_of(found["queue"])
    assert 7 not in ids(room(desk, "bo"))
    assert "success" not in text_of(list(found.values())[:3])


def test_empty_queue_says_why(desk: ReviewDesk) -> None:
    found = room(desk, search="?product=Spaceships")
    assert text_of(found["queue"]) == "No complaints to review match these filters."
    assert found["item"] is None
    search = "?product=Mortgage&company=Elm+Bank&state=WA"
    waiting = ids(room(desk, search=search))
    assert 0 < len(waiting) < QUEUE_LENGTH
    for number, complaint_id in enumerate(waiting):
        desk.claims.release(complaint_id, "ann")
        desk.claims.claim(complaint_id, f"reviewer {number}")
    assert "other reviewers are reading" in text_of(room(desk, search=search)["queue"])


def test_queue_before_there_are_predictions_names_the_command(no_answers: Answers, tmp_path: Path) -> None:
    found = room(desk_over(no_answers, tmp_path))
    assert "solosolve run score_batch" in text_of(found["queue"])
    assert found["item"] is None


def test_queue_of_an_invalid_address_shows_the_reason(desk: ReviewDesk) -> None:
    found = room(desk, search="?model=x")
    assert "model" in text_of(found["queue"])
    assert found["item"] is None


def test_hidden_probability_is_neither_in_the_queue_nor_with_the_complaint(desk: ReviewDesk) -> None:
    assert "%" in text_of(room(desk)["queue"])
    assert "%" not in text_of(room(desk, is_hidden=True)["queue"])
    details, shown = complaint_under_review(desk.answers, StubExplainer(), new_review_item(7), is_hidden=True)
    assert "They lost payment number 7." in text_of(details)
    assert not any(part in text_of(details) for part in ("%", "0.595", "log-odds"))
    assert shown is not None
    assert "probability" not in shown


def test_complaint_under_review_is_shown_with_its_newest_prediction(answers: Answers) -> None:
    item = new_review_item(7)
    details, shown = complaint_under_review(answers, StubExplainer(), item)
    assert "Complaint 7" in text_of(details)
    assert shown is not None
    assert shown["model_version"] == 2
    assert is_showing(shown, item)


@pytest.mark.parametrize(
    "item", [None, 7, "x", {}, {"complaint_id": -1}, {"complaint_id": "7"}, {"complaint_id": True}]
)
def test_nothing_is_under_review_without_a_valid_complaint(answers: Answers, item: object) -> None:
    details, shown = complaint_under_review(answers, StubExplainer(), item)
    assert text_of(details) == "Nothing to review."
    assert shown is None


def test_nothing_is_under_review_if_predictions_cannot_be_read(no_answers: Answers) -> None:
    details, shown = complaint_under_review(no_answers, StubExplainer(), new_review_item(7))
    assert "gold.predictions" in text_of(details)
    assert shown is None
