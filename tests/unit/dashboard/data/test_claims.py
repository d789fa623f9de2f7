from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from solosolve.clock import now
from solosolve.dashboard.data.claims import Claims


class Timer:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_claimed_complaint_stays_with_its_reviewer() -> None:
    claims = Claims(10)
    assert claims.claim(7, "ann").reviewer == "ann"
    assert claims.claim(7, "bo").reviewer == "ann"
    assert claims.of("bo") is None
    assert list(claims.of_others("bo")) == [7]
    assert claims.of_others("ann") == {}


def test_moving_on_releases_the_complaint() -> None:
    claims = Claims(10)
    claims.claim(7, "ann")
    claims.claim(8, "ann")
    assert claims.claim(7, "bo").reviewer == "bo"
    assert list(claims.of_others("bo")) == [8]


def test_only_its_reviewer_releases_a_claim() -> None:
    claims = Claims(10)
    claims.claim(7, "ann")
    claims.release(7, "bo")
    assert claims.claim(7, "bo").reviewer == "ann"
    claims.release(7, "ann")
    assert claims.claim(7, "bo").reviewer == "bo"


def test_claim_expires_unless_it_is_renewed() -> None:
    timer = Timer()
    claims = Claims(10, timer)
    claim = claims.claim(7, "ann")
    assert 590 < (claim.until - now()).total_seconds() <= 600
    timer.seconds = 599
    claims.claim(7, "ann")
    timer.seconds = 1_198
    assert claims.claim(7, "bo").reviewer == "ann"
    timer.seconds = 1_200
    assert claims.of("ann") is None
    assert claims.claim(7, "bo").reviewer == "bo"


def test_one_of_many_reviewers_gets_the_complaint() -> None:
    claims = Claims(10)
    names = [f"reviewer {number}" for number in range(50)]
    with ThreadPoolExecutor(8) as pool:
        holders = {claim.reviewer for claim in pool.map(lambda name: claims.claim(7, name), names)}
    assert len(holders) == 1
