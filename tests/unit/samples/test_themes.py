"""Themes: every one can be recognised by its marker words."""

from __future__ import annotations

import re

import numpy as np
import pytest

from solosolve.samples import sentences
from solosolve.samples.slot_words import REMEDIES
from solosolve.samples.themes import THEMES, Theme, planted_strength


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_marker_words_occur_in_all_sentences_of_their_theme_and_in_no_others(theme: Theme) -> None:
    neutral = [
        *sentences.REDACTED_OPENINGS,
        *sentences.PLAIN_OPENINGS,
        *sentences.CLOSINGS,
        *sentences.GENERAL,
        *sentences.WITH_AMOUNT,
        *sentences.WITH_QUOTE,
        *(sentence for group in sentences.BY_ISSUE_GROUP.values() for sentence in group),
        *(word for words in REMEDIES.values() for word in words),
    ]
    foreign = [*neutral, *(text for other in THEMES if other is not theme for text in other.sentences)]
    marker = re.compile(rf"\b({'|'.join(theme.markers)})\b", re.IGNORECASE)
    assert [text for text in theme.sentences if not marker.search(text)] == []
    assert [text for text in foreign if marker.search(text)] == []


def test_planted_strength_is_centred_on_the_share_of_each_theme() -> None:
    rng = np.random.default_rng(5)
    shares = np.array([theme.share for theme in THEMES])
    strength = planted_strength(rng.random((100_000, len(THEMES))) < shares)
    assert strength.mean() == pytest.approx(0, abs=0.01)
