"""Narratives: how long, with which redactions, amounts and line breaks, on which themes, in which sentences."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.calibration import Bools, Floats, Ints, Texts, read_figures
from solosolve.samples.grammar import Outline, positions_within
from solosolve.samples.lexicon import Lexicon, load_lexicon
from solosolve.samples.phrases import FORMULA_STARTS
from solosolve.samples.themes import THEMES

CLOSING_SHARE = 0.7
THEME_EFFECTS: Floats = np.array([theme.effect for theme in THEMES])
THEME_SHARES: Floats = np.array([theme.share for theme in THEMES])
MEAN_THEME_EFFECT = float(THEME_EFFECTS @ THEME_SHARES)


@dataclass(frozen=True)
class Traits:
    """Per narrative: the number of sentences to aim at and what it must contain."""

    sentences: Ints
    is_redacted: Bools
    is_dated: Bools
    has_amount: Bools
    has_quote: Bools
    has_breaks: Bools


@dataclass(frozen=True)
class Writer:
    """The lexicon with the measured figures of narratives."""

    lexicon: Lexicon
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

    def write(self, rng: np.random.Generator, topic: Ints, group: Ints) -> tuple[Texts, Bools]:
        """Writes a batch of narratives.

        Args:
            rng: Source of every choice.
            topic: Product family of each narrative.
            group: Issue family of each narrative.

        Returns:
            The texts, and which themes (columns) each speaks of.
        """
        traits = self._draw_traits(rng, topic)
        themes = _draw_themes(rng, traits.sentences)
        narrative, template = self._draw_sentences(rng, traits, themes, group)
        outline = Outline(narrative, template, self._variants(topic, traits), traits.has_breaks)
        texts = self.lexicon.grammar.render(rng, outline)
        upper = np.flatnonzero(rng.random(len(topic)) < self.upper_share)
        texts[upper] = [text.upper() for text in texts[upper]]
        starts = np.flatnonzero(rng.random(len(topic)) < self.formula_share)
        texts[starts] = [str(rng.choice(FORMULA_STARTS)) + text for text in texts[starts]]
        return texts, themes

    def _draw_traits(self, rng: np.random.Generator, topic: Ints) -> Traits:
        length = np.exp(np.interp(rng.random(len(topic)), self.length_quantiles, np.log(self.lengths)))
        sentences = np.maximum(1, np.round(length / self.mean_sentence_length)).astype(np.int64)
        is_redacted = _draw_among(rng, sentences >= 2, self.redacted_share[topic])
        return Traits(
            sentences=sentences,
            is_redacted=is_redacted,
            is_dated=is_redacted & (rng.random(len(topic)) < self.dated_share),
            has_amount=_draw_among(rng, sentences >= 3, self.amount_share[topic]),
            has_quote=_draw_among(rng, sentences >= 4, np.full(len(topic), self.quote_share)),
            has_breaks=_draw_among(rng, sentences >= 3, np.full(len(topic), self.break_share)),
        )

    def _draw_sentences(
        self, rng: np.random.Generator, traits: Traits, themes: Bools, group: Ints
    ) -> tuple[Ints, Ints]:
        """Returns (narrative, template) of every sentence, flat, in reading order."""
        count = traits.sentences
        lexicon = self.lexicon
        everyone = np.arange(len(count))
        opened = everyone[(count >= 2) | ~themes.any(axis=1)]
        redacted = traits.is_redacted[opened]
        closed = everyone[(count >= 4) & (rng.random(len(count)) < CLOSING_SHARE)]
        spoken, theme = self._draw_theme_sentences(rng, themes, count)
        body = [
            (spoken, theme),
            _pick(rng, everyone[traits.has_amount], lexicon.amounts),
            _pick(rng, everyone[traits.has_quote], lexicon.quoted),
        ]
        used = np.bincount(np.concatenate([opened, closed, *(rows for rows, _ in body)]), minlength=len(count))
        body.append(self._draw_filler(rng, np.maximum(count - used, 0), group))
        opening = np.where(redacted, _pick(rng, opened, lexicon.redacted)[1], _pick(rng, opened, lexicon.plain)[1])
        closing = _pick(rng, closed, lexicon.closings)[1]
        narrative = np.concatenate([opened, *(rows for rows, _ in body), closed])
        template = np.concatenate([opening, *(templates for _, templates in body), closing])
        order = rng.random(len(narrative))
        order[: len(opened)] = -1
        order[len(order) - len(closed) :] = 2
        reading = np.lexsort((order, narrative))
        return narrative[reading], template[reading]

    def _draw_theme_sentences(self, rng: np.random.Generator, themes: Bools, count: Ints) -> tuple[Ints, Ints]:
        """Gives every theme one sentence, and one more per ten sentences of the narrative, none twice."""
        rows, theme = np.nonzero(themes)
        first, size = self.lexicon.themes[theme].T
        repeats = np.minimum(1 + count[rows] // 10, size)
        start = (rng.random(len(rows)) * size).astype(np.int64)
        step = positions_within(repeats)
        wide = np.repeat(np.arange(len(rows)), repeats)
        return rows[wide], first[wide] + (start[wide] + step) % size[wide]

    def _draw_filler(self, rng: np.random.Generator, need: Ints, group: Ints) -> tuple[Ints, Ints]:
        """Fills up with sentences on the issue and general ones in turn, none twice before all were used."""
        rows = np.repeat(np.arange(len(need)), need)
        step = positions_within(need)
        start = rng.integers(0, 1 << 20, len(need))[rows]
        first, size = self.lexicon.groups[group[rows]].T
        general_first, general_size = self.lexicon.general
        on_issue = first + (start + step // 2) % size
        in_general = general_first + (start + step // 2) % general_size
        return rows, np.where(step % 2 == 0, on_issue, in_general)

    def _variants(self, topic: Ints, traits: Traits) -> Ints:
        by_slot = {
            "name": traits.is_redacted,
            "date": traits.is_dated,
            "amount": traits.has_amount,
            "thing": topic,
            "firm": topic,
            "remedy": topic,
        }
        variants = np.zeros((len(topic), len(self.lexicon.grammar.slots)), dtype=np.int64)
        for number, slot in enumerate(self.lexicon.grammar.slots):
            variants[:, number] = by_slot.get(slot.lower(), 0)
        return variants


def _draw_among(rng: np.random.Generator, is_candidate: Bools, share: Floats) -> Bools:
    """Draws a trait that only candidates can have, so that its share of all is still `share`."""
    drawn: Bools = is_candidate & (rng.random(len(share)) < share / max(is_candidate.mean(), 0.5))
    return drawn


def _draw_themes(rng: np.random.Generator, sentences: Ints) -> Bools:
    """Draws each theme by its share; a short narrative keeps as many as it has room for."""
    wanted = rng.random((len(sentences), len(THEMES))) < THEME_SHARES
    preference = np.where(wanted, rng.random(wanted.shape), 2.0)
    rank = preference.argsort(axis=1).argsort(axis=1)
    room = np.maximum(1, sentences - 1)
    kept: Bools = wanted & (rank < room[:, None])
    return kept


def _pick(rng: np.random.Generator, rows: Ints, section: tuple[int, int]) -> tuple[Ints, Ints]:
    first, count = section
    return rows, rng.integers(first, first + count, len(rows))


@cache
def load_writer() -> Writer:
    """Reads `narratives.json` and the grammar."""
    figures = read_figures("narratives")
    quantiles, lengths = np.array(figures["length_quantiles"], dtype=np.float64).T
    return Writer(
        lexicon=load_lexicon(),
        length_quantiles=quantiles,
        lengths=lengths,
        mean_sentence_length=figures["sentence_length"],
        redacted_share=np.array(figures["redacted"]),
        amount_share=np.array(figures["amount"]),
        dated_share=figures["dated_if_redacted"],
        quote_share=figures["quote"],
        break_share=figures["newline"],
        upper_share=figures["upper"],
        formula_share=figures["formula"],
    )
