"""Duplicates: which narratives repeat which."""

from __future__ import annotations

import numpy as np
import pytest

from solosolve.samples.distributions import StepFunction
from solosolve.samples.duplicates import Duplicates


def test_duplicates_repeat_originals_of_their_own_subject() -> None:
    rng = np.random.default_rng(4)
    dates = np.full(10_000, np.datetime64("2020-01-01"))
    subject = rng.integers(0, 50, len(dates))
    originals = Duplicates(StepFunction.from_rows([("2011-12-01", 0.3)])).draw_originals(rng, dates, subject)
    is_duplicate = originals != np.arange(len(dates))
    assert is_duplicate.mean() == pytest.approx(0.3, abs=0.02)
    assert (subject[originals] == subject).all()
    assert not is_duplicate[originals].any()


def test_narrative_without_another_of_its_subject_is_an_original() -> None:
    duplicates = Duplicates(StepFunction.from_rows([("2011-12-01", 1.0)]))
    dates = np.full(3, np.datetime64("2020-01-01"))
    assert duplicates.draw_originals(np.random.default_rng(1), dates, np.arange(3)).tolist() == [0, 1, 2]
