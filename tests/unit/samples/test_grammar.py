"""The grammar: slots filled by variant, capitals, and the gaps between sentences."""

from __future__ import annotations

import numpy as np

from solosolve.samples.grammar import Outline, compile_grammar, positions_within

TEMPLATES = ["{Firm} lost my {thing}.", "Please help."]
WORDS = {"firm": [["the bank"], ["the agency"]], "thing": [["card"]]}


def render(narrative: list[int], template: list[int], variants: dict[str, list[int]], has_breaks: bool) -> list[str]:
    grammar = compile_grammar(TEMPLATES, WORDS)
    count = max(narrative) + 1
    columns = [variants.get(slot.lower(), [0] * count) for slot in grammar.slots]
    outline = Outline(np.array(narrative), np.array(template), np.array(columns).T, np.full(count, has_breaks))
    return list(grammar.render(np.random.default_rng(1), outline))


def test_slots_take_words_of_the_variant_of_their_narrative() -> None:
    actual = render([0, 1], [0, 0], {"firm": [0, 1]}, has_breaks=False)
    assert actual == ["The bank lost my card.", "The agency lost my card."]


def test_sentences_of_a_narrative_are_joined_by_single_spaces() -> None:
    assert render([0, 0, 0], [1, 1, 1], {}, has_breaks=False) == ["Please help. Please help. Please help."]


def test_first_sentence_ends_a_line_in_narratives_with_breaks() -> None:
    (text,) = render([0, 0], [1, 1], {}, has_breaks=True)
    assert text in {"Please help.\nPlease help.", "Please help.\n\nPlease help."}


def test_positions_within_restart_in_each_run() -> None:
    assert positions_within(np.array([2, 0, 3])).tolist() == [0, 1, 0, 1, 2]
