from __future__ import annotations

import pytest

from solosolve.dashboard.views.routes import COMPLAINTS, DATA, REVIEW, TODAY, complaint_of, path_of, room_of


@pytest.mark.parametrize(
    ("path", "room"),
    [
        ("/", TODAY),
        ("", TODAY),
        ("/complaints", COMPLAINTS),
        ("/complaints/", COMPLAINTS),
        ("/complaints/17", COMPLAINTS),
        ("/review", REVIEW),
        ("/data", DATA),
        ("/no/such/page", TODAY),
        (None, TODAY),
        (["/review"], TODAY),
    ],
)
def test_room_at_an_address(path: object, room: str) -> None:
    assert room_of(path) == room


@pytest.mark.parametrize(
    ("path", "complaint_id"),
    [("/complaints/17", 17), ("/complaints/17/", 17), ("/complaints", None), ("/complaints/x", None), (None, None)],
)
def test_complaint_at_an_address(path: object, complaint_id: int | None) -> None:
    assert complaint_of(path) == complaint_id


def test_path_of_a_complaint_leads_to_it() -> None:
    assert complaint_of(path_of(8_535)) == 8_535
