"""Every sentence a narrative can contain, compiled, and where each kind of sentence is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples import sentences
from solosolve.samples.distributions import Ints
from solosolve.samples.grammar import Grammar, compile_grammar
from solosolve.samples.slot_words import words_by_slot
from solosolve.samples.taxonomy import load_taxonomy
from solosolve.samples.themes import THEMES

Section = tuple[int, int]
"""A run of templates of one kind: number of the first, and how many there are."""


@dataclass(frozen=True)
class SentenceBank:
    """The compiled templates in sections.

    `issue_groups` and `themes` have one section per row: arrays of shape (issue groups, 2) and (themes, 2).
    """

    grammar: Grammar
    redacted_openings: Section
    plain_openings: Section
    closings: Section
    general: Section
    with_amount: Section
    with_quote: Section
    issue_groups: Ints
    themes: Ints


@cache
def load_sentence_bank() -> SentenceBank:
    """Compiles the sentences of `sentences` and `themes`; issue groups are numbered as in the taxonomy."""
    taxonomy = load_taxonomy()
    parts: dict[str, Sequence[str]] = {
        "redacted openings": sentences.REDACTED_OPENINGS,
        "plain openings": sentences.PLAIN_OPENINGS,
        "closings": sentences.CLOSINGS,
        "general": sentences.GENERAL,
        "with amount": sentences.WITH_AMOUNT,
        "with quote": sentences.WITH_QUOTE,
    }
    parts |= {f"issue group {name}": sentences.BY_ISSUE_GROUP[name] for name in taxonomy.issue_groups}
    parts |= {f"theme {theme.name}": theme.sentences for theme in THEMES}
    templates: list[str] = []
    sections: dict[str, Section] = {}
    for name, part in parts.items():
        sections[name] = len(templates), len(part)
        templates += part
    return SentenceBank(
        grammar=compile_grammar(templates, words_by_slot(taxonomy.product_families)),
        redacted_openings=sections["redacted openings"],
        plain_openings=sections["plain openings"],
        closings=sections["closings"],
        general=sections["general"],
        with_amount=sections["with amount"],
        with_quote=sections["with quote"],
        issue_groups=np.array([sections[f"issue group {name}"] for name in taxonomy.issue_groups]),
        themes=np.array([sections[f"theme {theme.name}"] for theme in THEMES]),
    )
