from __future__ import annotations

import pytest

from solosolve.urls import as_path


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("file:///data/a.csv", "/data/a.csv"),
        ("dbfs:/Volumes/main/bronze/landing", "/Volumes/main/bronze/landing"),
        ("dbfs:/landing/a.csv", "/dbfs/landing/a.csv"),
        ("data/a.csv", "data/a.csv"),
    ],
)
def test_urls_of_this_machine_become_paths(place: str, path: str) -> None:
    assert as_path(place) == path
