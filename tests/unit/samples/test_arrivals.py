from __future__ import annotations

import numpy as np

from solosolve.names import FILED_COLUMNS, NARRATIVE
from solosolve.samples.arrivals import FIRST_ARRIVAL_ID, Arrivals
from solosolve.samples.months import FIRST_ID, IDS_PER_MONTH, Change
from solosolve.samples.writer import ID_RANGES, IDS_PER_SAMPLE

CONCEPT = frozenset({Change.CONCEPT})


def test_same_seed_gives_the_same_complaints_however_they_are_taken() -> None:
    at_once, one_by_one = Arrivals((1,)), Arrivals((1,))
    assert at_once.take(150, frozenset()) == [one_by_one.take(1, frozenset())[0] for _ in range(150)]


def test_complaints_have_what_is_known_at_filing_and_are_in_scope() -> None:
    for each in Arrivals((1,)).take(50, frozenset()):
        assert {*each.filed, "date_received"} == set(FILED_COLUMNS)
        assert all(each.filed[name] for name in (NARRATIVE, "product", "company", "state", "submitted_via"))


def test_no_complaint_of_the_old_world_comes_after_a_change() -> None:
    before, after = Arrivals((1,)), Arrivals((1,))
    first = after.take(10, frozenset())
    assert first == before.take(10, frozenset())
    old, new = before.take(110, frozenset()), after.take(110, CONCEPT)
    assert not {each.filed[NARRATIVE] for each in old} & {each.filed[NARRATIVE] for each in new}


def test_ids_collide_with_no_sample_and_no_month() -> None:
    assert FIRST_ARRIVAL_ID >= FIRST_ID + ID_RANGES * IDS_PER_SAMPLE
    assert FIRST_ARRIVAL_ID > FIRST_ID + 1_000 * IDS_PER_MONTH


def test_outcomes_follow_the_true_probabilities() -> None:
    found = Arrivals((1,)).take(600, frozenset())
    expected = np.mean([each.probability for each in found])
    assert abs(np.mean([each.is_success for each in found]) - expected) < 0.06
