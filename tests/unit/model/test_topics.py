from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from solosolve.model.topics import MIN_TEXTS, fit_topics
from solosolve.model.word_kernels import TextTopics
from solosolve.names import NARRATIVE

TEXTS = pa.array(
    ["loan interest payment", "the loan late", "card fee charge", "card fee limit the", None, "loan fee"] * 4
)
fitted = fit_topics(NARRATIVE, TEXTS, stop_words=("the",), size=3)
assert fitted is not None
TOPICS = fitted


def expected_topics(text: str) -> np.ndarray:
    """The definition, word by word."""
    rarity = np.frombuffer(TOPICS.rarity, "<f4")
    directions = np.frombuffer(TOPICS.directions, "<f4").reshape(-1, TOPICS.size)
    known = [TOPICS.vocabulary.index(word) for word in set(text.split()) if word in TOPICS.vocabulary]
    if not known:
        return np.zeros(TOPICS.size)
    return directions[known].sum(axis=0) / np.sqrt((rarity[known] ** 2).sum())


def test_vocabulary_leaves_out_stop_words_and_rare_words() -> None:
    texts = pa.array(["loan fee rare"] * (MIN_TEXTS - 1) + ["loan fee the", "card fee", "card loan", "card"])
    topics = fit_topics(NARRATIVE, texts, stop_words=("the",), size=2)
    assert topics is not None
    assert set(topics.vocabulary) == {"loan", "fee", "card"}


def test_vocabulary_is_ordered_by_how_many_texts_have_the_word_then_alphabetically() -> None:
    assert TOPICS.vocabulary[:2] == ("fee", "loan")
    assert TOPICS.vocabulary[2:] == ("card", "charge", "interest", "late", "limit", "payment")


@pytest.mark.parametrize("texts", [[], [None] * 5, ["one"], ["same words here"] * 9, ["all", "of", "them", "differ"]])
def test_texts_that_do_not_differ_have_no_topics(texts: list[str | None]) -> None:
    assert fit_topics(NARRATIVE, pa.array(texts, pa.string()), stop_words=(), size=3) is None


@given(texts=st.lists(st.lists(st.sampled_from([*TOPICS.vocabulary, "unknown", "the"])).map(" ".join), max_size=6))
@settings(deadline=None)
def test_topics_equal_their_definition(texts: list[str]) -> None:
    block = TOPICS.encode(pa.array(texts, pa.string()))
    expected = np.array([expected_topics(text) for text in texts]).reshape(len(texts), TOPICS.size)
    assert block.dtype == np.float32
    np.testing.assert_allclose(block, expected, rtol=1e-4, atol=1e-5)


@given(texts=st.lists(st.none() | st.sampled_from(TEXTS.to_pylist()), min_size=1, max_size=8))
@settings(deadline=None)
def test_topics_of_a_text_do_not_depend_on_the_others(texts: list[str | None]) -> None:
    together = TOPICS.encode(pa.array(texts, pa.string()))
    alone = [TOPICS.encode(pa.array([text], pa.string())) for text in texts]
    assert together.tobytes() == np.vstack(alone).tobytes()


def test_topics_survive_json() -> None:
    again = TextTopics.model_validate_json(TOPICS.model_dump_json())
    assert again.encode(TEXTS).tobytes() == TOPICS.encode(TEXTS).tobytes()


def test_topics_whose_arrays_do_not_fit_are_refused() -> None:
    with pytest.raises(ValidationError, match="the arrays do not fit 8 words and 2 topics"):
        TextTopics.model_validate(TOPICS.model_dump() | {"size": 2})


def test_word_shares_follow_the_weights_of_a_texts_words() -> None:
    shares = TOPICS.word_shares("the late loan, unknown")
    directions = np.abs(np.frombuffer(TOPICS.directions, "<f4").reshape(-1, TOPICS.size))
    late, loan = (float(directions[TOPICS.vocabulary.index(word), 0]) for word in ("late", "loan"))
    assert shares["topic_0"] == pytest.approx({"late": late / (late + loan), "loan": loan / (late + loan)})
    assert TOPICS.word_shares("unknown") == {}
