"""Writes narratives: their length, redactions, amounts, line breaks, themes and sentences."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.distributions import Bools, Floats, Ints, Texts, read_statistics
from solosolve.samples.grammar import Outline, positions_within
from solosolve.samples.sentence_bank import Section, SentenceBank, load_sentence_bank
from solosolve.samples.themes import THEME_SHARES, THEMES

CLOSING_SHARE = 0.7
"""Share of narratives of four or more sentences that end with a closing sentence."""

FORMULA_STARTS = ("- ", "= ", "+", "@")
"""First characters that a spreadsheet takes for the start of a formula."""


@dataclass(frozen=True)
class Traits:
    """The number of sentences each narrative aims for, and what it must contain; arrays of shape (narratives,)."""

    sentences: Ints
    is_redacted: Bools
    is_dated: Bools
    has_amount: Bools
    has_quote: Bools
    has_breaks: Bools


@dataclass(frozen=True)
class NarrativeWriter:
    """The sentence bank and the measured statistics of narratives.

    Attributes:
        bank: The sentences to choose from.
        length_quantiles: Quantiles, from 0 to 1, at which the length of narratives is known.
        lengths: Those lengths, in characters.
        mean_sentence_length: Characters per sentence.
        redacted_share: Share of narratives with `XXXX` redactions, by product family.
        amount_share: Share of narratives with exact amounts, by product family.
        dated_share: Share of redacted narratives with `XX/XX/XXXX` dates.
        quote_share: Share of narratives with quotation marks.
        break_share: Share of narratives with line breaks.
        upper_share: Share of narratives in capitals.
        formula_share: Share of narratives that begin like a spreadsheet formula.
    """

    bank: SentenceBank
    length_quantiles: Floats
    lengths: Floats
    mean_sentence_length: float
    redacted_share: Floats
    amount_share: Floats
    dated_share: float
    quote_share: float
    break_share: float
    upper_share: float
    formula_share: float

    def write(self, rng: np.random.Generator, product_family: Ints, issue_group: Ints) -> tuple[Texts, Bools]:
        """Writes a batch of narratives.

        Args:
            rng: Source of all randomness.
            product_family: Product family of each narrative.
            issue_group: Issue group of each narrative.

        Returns:
            The texts, and which themes each mentions, of shape (narratives, themes).
        """
        traits = self._draw_traits(rng, product_family)
        themes = _draw_themes(rng, traits.sentences)
        narrative, template = self._draw_sentences(rng, traits, themes, issue_group)
        outline = Outline(narrative, template, self._variants(product_family, traits), traits.has_breaks)
        texts = self.bank.grammar.render(rng, outline)
        upper = np.flatnonzero(rng.random(len(product_family)) < self.upper_share)
        texts[upper] = [text.upper() for text in texts[upper]]
        starts = np.flatnonzero(rng.random(len(product_family)) < self.formula_share)
        texts[starts] = [str(rng.choice(FORMULA_STARTS)) + text for text in texts[starts]]
        return texts, themes

    def _draw_traits(self, rng: np.random.Generator, product_family: Ints) -> Traits:
        length = np.exp(np.interp(rng.random(len(product_family)), self.length_quantiles, np.log(self.lengths)))
        sentences = np.maximum(1, np.round(length / self.mean_sentence_length)).astype(np.int64)
        is_redacted = _draw_trait(rng, sentences >= 2, self.redacted_share[product_family])
        return Traits(
            sentences=sentences,
            is_redacted=is_redacted,
            is_dated=is_redacted & (rng.random(len(product_family)) < self.dated_share),
            has_amount=_draw_trait(rng, sentences >= 3, self.amount_share[product_family]),
            has_quote=_draw_trait(rng, sentences >= 4, np.full(len(product_family), self.quote_share)),
            has_breaks=_draw_trait(rng, sentences >= 3, np.full(len(product_family), self.break_share)),
        )

    def _draw_sentences(
        self, rng: np.random.Generator, traits: Traits, themes: Bools, issue_group: Ints
    ) -> tuple[Ints, Ints]:
        """Returns the narrative and the template of every sentence, in reading order."""
        bank, count = self.bank, traits.sentences
        everyone = np.arange(len(count))
        opening_rows = everyone[(count >= 2) | ~themes.any(axis=1)]
        closing_rows = everyone[(count >= 4) & (rng.random(len(count)) < CLOSING_SHARE)]
        body = [
            self._draw_theme_sentences(rng, themes, count),
            _pick(rng, everyone[traits.has_amount], bank.with_amount),
            _pick(rng, everyone[traits.has_quote], bank.with_quote),
        ]
        used_rows = np.concatenate([opening_rows, closing_rows, *(rows for rows, _ in body)])
        used = np.bincount(used_rows, minlength=len(count))
        body.append(self._draw_filler(rng, np.maximum(count - used, 0), issue_group))
        _, redacted_opening = _pick(rng, opening_rows, bank.redacted_openings)
        _, plain_opening = _pick(rng, opening_rows, bank.plain_openings)
        opening = np.where(traits.is_redacted[opening_rows], redacted_opening, plain_opening)
        _, closing = _pick(rng, closing_rows, bank.closings)
        narrative = np.concatenate([opening_rows, *(rows for rows, _ in body), closing_rows])
        template = np.concatenate([opening, *(templates for _, templates in body), closing])
        order = rng.random(len(narrative))
        order[: len(opening_rows)] = -1
        order[len(order) - len(closing_rows) :] = 2
        reading = np.lexsort((order, narrative))
        return narrative[reading], template[reading]

    def _draw_theme_sentences(self, rng: np.random.Generator, themes: Bools, count: Ints) -> tuple[Ints, Ints]:
        """Gives every theme one sentence, plus one per ten sentences of the narrative, without repetition."""
        rows, theme = np.nonzero(themes)
        first, size = self.bank.themes[theme].T
        repeats = np.minimum(1 + count[rows] // 10, size)
        start = (rng.random(len(rows)) * size).astype(np.int64)
        step = positions_within(repeats)
        repeated = np.repeat(np.arange(len(rows)), repeats)
        return rows[repeated], first[repeated] + (start[repeated] + step) % size[repeated]

    def _draw_filler(self, rng: np.random.Generator, missing: Ints, issue_group: Ints) -> tuple[Ints, Ints]:
        """Alternates sentences about the issue with general ones; none repeats before all were used."""
        rows = np.repeat(np.arange(len(missing)), missing)
        step = positions_within(missing)
        start = rng.integers(0, 1 << 20, len(missing))[rows]
        first, size = self.bank.issue_groups[issue_group[rows]].T
        general_first, general_size = self.bank.general
        about_issue = first + (start + step // 2) % size
        general = general_first + (start + step // 2) % general_size
        return rows, np.where(step % 2 == 0, about_issue, general)

    def _variants(self, product_family: Ints, traits: Traits) -> Ints:
        """Returns which word list fills each slot; shape (narratives, slots)."""
        by_slot = {
            "name": traits.is_redacted,
            "date": traits.is_dated,
            "amount": traits.has_amount,
            "thing": product_family,
            "firm": product_family,
            "remedy": product_family,
        }
        variants = np.zeros((len(product_family), len(self.bank.grammar.slots)), dtype=np.int64)
        for number, slot in enumerate(self.bank.grammar.slots):
            variants[:, number] = by_slot.get(slot.lower(), 0)
        return variants


def _draw_trait(rng: np.random.Generator, is_candidate: Bools, share: Floats) -> Bools:
    """Draws a trait that only candidates can have, keeping its share of all narratives at `share`."""
    drawn: Bools = is_candidate & (rng.random(len(share)) < share / max(is_candidate.mean(), 0.5))
    return drawn


def _draw_themes(rng: np.random.Generator, sentences: Ints) -> Bools:
    """Draws each theme by its share; short narratives keep only as many as they have room for."""
    drawn = rng.random((len(sentences), len(THEMES))) < THEME_SHARES
    preference = np.where(drawn, rng.random(drawn.shape), 2.0)
    rank = preference.argsort(axis=1).argsort(axis=1)
    room = np.maximum(1, sentences - 1)
    kept: Bools = drawn & (rank < room[:, None])
    return kept


def _pick(rng: np.random.Generator, rows: Ints, section: Section) -> tuple[Ints, Ints]:
    """Picks a template of the section for each row; returns the rows with their templates."""
    first, count = section
    return rows, rng.integers(first, first + count, len(rows))


@cache
def load_narrative_writer() -> NarrativeWriter:
    """Reads `narratives.json` and compiles the sentences."""
    statistics = read_statistics("narratives")
    quantiles, lengths = np.array(statistics["length_quantiles"], dtype=np.float64).T
    return NarrativeWriter(
        bank=load_sentence_bank(),
        length_quantiles=quantiles,
        lengths=lengths,
        mean_sentence_length=statistics["sentence_length"],
        redacted_share=np.array(statistics["redacted"]),
        amount_share=np.array(statistics["amount"]),
        dated_share=statistics["dated_if_redacted"],
        quote_share=statistics["quote"],
        break_share=statistics["newline"],
        upper_share=statistics["upper"],
        formula_share=statistics["formula"],
    )
