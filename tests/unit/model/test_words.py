from __future__ import annotations

import re

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from solosolve.model.words import Words


def by_text(words: Words) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in range(words.count)]
    for row, code in zip(words.rows, words.codes, strict=True):
        found[row].append(words.distinct[code])
    return found


@given(texts=st.lists(st.none() | st.text(st.sampled_from("aBz' .-é1\n"), max_size=12), max_size=5))
def test_words_are_what_letters_and_apostrophes_make_between_anything_else(texts: list[str | None]) -> None:
    expected = [[word for word in re.split("[^a-z']+", (text or "").lower()) if word] for text in texts]
    assert by_text(Words.of(pa.array(texts, pa.string()))) == expected


def test_words_of_a_slice_are_those_of_its_texts() -> None:
    texts = pa.array(["one two", None, "two three", "four"])
    assert by_text(Words.of(texts.slice(1, 2))) == [[], ["two", "three"]]


def test_renumbered_keeps_the_words_that_have_a_number_in_reading_order() -> None:
    rows, numbers = Words.of(pa.array(["b x a", "", "a a"])).renumbered({"a": 7, "b": 3})
    assert (rows.tolist(), numbers.tolist()) == ([0, 0, 2, 2], [3, 7, 7, 7])
