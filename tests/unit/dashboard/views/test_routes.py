from __future__ import annotations

import pytest

from solosolve.dashboard.views.routes import COMPLAINTS, OVERVIEW, REVIEW, view_of


@pytest.mark.parametrize(
    ("path", "view"),
    [
        ("/", OVERVIEW),
        ("", OVERVIEW),
        ("/complaints", COMPLAINTS),
        ("/complaints/", COMPLAINTS),
        ("/review", REVIEW),
        ("/no/such/page", OVERVIEW),
        (None, OVERVIEW),
        (["/review"], OVERVIEW),
    ],
)
def test_view_of_an_address(path: object, view: str) -> None:
    assert view_of(path) == view
