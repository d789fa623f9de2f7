"""The grammar of all sentences, compiled, and where each kind of sentence lies in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples import phrases
from solosolve.samples.calibration import Ints, read_figures
from solosolve.samples.grammar import Grammar, compile_grammar
from solosolve.samples.taxonomy import load_taxonomy
from solosolve.samples.themes import THEMES

AMOUNT_POOL = 4000
"""Different amounts that narratives can speak of."""

Section = tuple[int, int]
"""First template and number of templates."""


@dataclass(frozen=True)
class Lexicon:
    """The compiled grammar; `groups` and `themes` have one section per row."""

    grammar: Grammar
    redacted: Section
    plain: Section
    closings: Section
    general: Section
    amounts: Section
    quoted: Section
    groups: Ints
    themes: Ints


@cache
def load_lexicon() -> Lexicon:
    """Compiles the sentences of `phrases` and `themes`; groups and topics are numbered as the taxonomy does."""
    taxonomy = load_taxonomy()
    parts: dict[str, Sequence[str]] = {
        "redacted": phrases.OPENINGS_REDACTED,
        "plain": phrases.OPENINGS_PLAIN,
        "closings": phrases.CLOSINGS,
        "general": phrases.GENERAL,
        "amounts": phrases.AMOUNTS,
        "quoted": phrases.QUOTED,
    }
    parts |= {f"group {name}": phrases.BY_GROUP[name] for name in taxonomy.groups}
    parts |= {f"theme {theme.name}": theme.sentences for theme in THEMES}
    templates: list[str] = []
    sections: dict[str, Section] = {}
    for name, sentences in parts.items():
        sections[name] = len(templates), len(sentences)
        templates += sentences
    return Lexicon(
        grammar=compile_grammar(templates, _slot_words(taxonomy.topics)),
        redacted=sections["redacted"],
        plain=sections["plain"],
        closings=sections["closings"],
        general=sections["general"],
        amounts=sections["amounts"],
        quoted=sections["quoted"],
        groups=np.array([sections[f"group {name}"] for name in taxonomy.groups]),
        themes=np.array([sections[f"theme {theme.name}"] for theme in THEMES]),
    )


def _slot_words(topics: Sequence[str]) -> dict[str, list[Sequence[str]]]:
    """Returns each slot's word lists: unredacted and redacted, or one per topic, or one for all."""
    return {
        "name": [phrases.NAMES_PLAIN, phrases.NAMES_REDACTED],
        "date": [phrases.DATES_PLAIN, phrases.DATES_REDACTED],
        "amount": [phrases.AMOUNTS_PLAIN, _amount_words()],
        "thing": [phrases.THINGS[topic] for topic in topics],
        "firm": [phrases.FIRMS[topic] for topic in topics],
        "remedy": [phrases.REMEDIES[topic] for topic in topics],
        "count": [phrases.COUNTS],
        "span": [phrases.SPANS],
    }


def _amount_words() -> list[str]:
    """Spells amounts as the publisher does, `{$120.00}`, spread as the real ones are."""
    share, value = np.array(read_figures("narratives")["amount_quantiles"]).T
    uniform = np.random.default_rng(120).random(AMOUNT_POOL) * share[-1]
    return [f"{{${amount:.2f}}}" for amount in np.expm1(np.interp(uniform, share, np.log1p(value)))]
