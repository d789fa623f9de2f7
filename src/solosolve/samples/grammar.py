"""Renders sentence templates as text, a batch of narratives at a time.

Each template is compiled once into pieces: literal texts and slots. A batch of narratives is one flat array of piece
numbers, so that filling the slots and joining the texts takes a few array operations instead of a loop over sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from solosolve.samples.distributions import Bools, Ints, Texts

GAPS = (" ", " ", " ", "\n", "\n\n")
BREAKS = ("\n", "\n\n")
"""Separators in narratives with line breaks: between sentences (GAPS) and after the first one (BREAKS)."""

EMPTY, SPACE = 0, 1
"""The first two pieces of every pool: an empty text and a space."""


@dataclass(frozen=True)
class Outline:
    """The sentences of a batch of narratives.

    Attributes:
        narrative: The narrative each sentence belongs to, ascending; shape (sentences,).
        template: The template of each sentence, in reading order; shape (sentences,).
        variants: Which of a slot's word lists to draw from; shape (narratives, slots).
        has_breaks: Which narratives have line breaks; shape (narratives,).
    """

    narrative: Ints
    template: Ints
    variants: Ints
    has_breaks: Bools


@dataclass(frozen=True)
class Grammar:
    """Compiled templates.

    Attributes:
        pool: The texts of all pieces: literals and slot words.
        pieces: The pieces of all templates in order. An entry of 0 or more is a position in `pool`; a negative entry
            `-n - 1` is slot number `n`.
        first: Where in `pieces` each template starts; shape (templates,).
        size: Number of pieces of each template; shape (templates,).
        slots: Names of the slots, by slot number.
        slot_first: Where in `pool` the words of a slot start; shape (slots, variants).
        slot_size: Number of those words; shape (slots, variants).
    """

    pool: pa.StringArray
    pieces: Ints
    first: Ints
    size: Ints
    slots: tuple[str, ...]
    slot_first: Ints
    slot_size: Ints

    def render(self, rng: np.random.Generator, outline: Outline) -> Texts:
        """Fills the slots at random and joins the sentences; returns one text per narrative."""
        # A sentence has one more piece than its template: the gap that follows it.
        size = self.size[outline.template] + 1
        position = positions_within(size)
        narrative = np.repeat(outline.narrative, size)
        template = np.repeat(outline.template, size)
        is_gap = position == np.repeat(size, size) - 1
        piece = self.pieces[np.where(is_gap, 0, self.first[template] + position)]
        piece[is_gap] = self._gaps(outline)
        slot = np.flatnonzero(piece < 0)
        number = -piece[slot] - 1
        variant = outline.variants[narrative[slot], number]
        piece[slot] = self.slot_first[number, variant] + (
            rng.random(len(slot)) * self.slot_size[number, variant]
        ).astype(np.int64)
        offsets = np.concatenate([[0], np.cumsum(np.bincount(narrative, minlength=len(outline.variants)))])
        words = self.pool.take(pa.array(piece))
        texts = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), words), "")
        return np.asarray(texts.to_numpy(zero_copy_only=False), dtype=object)

    def _gaps(self, outline: Outline) -> Ints:
        """Returns the gap after each sentence: empty after the last one, otherwise a space or a slot of line breaks."""
        is_first = np.diff(outline.narrative, prepend=-1) > 0
        is_last = np.diff(outline.narrative, append=len(outline.variants)) > 0
        breaks = outline.has_breaks[outline.narrative]
        slot = {name: -number - 1 for number, name in enumerate(self.slots)}
        gap = np.where(breaks, np.where(is_first, slot["break"], slot["gap"]), SPACE)
        return np.where(is_last, EMPTY, gap)


def positions_within(sizes: Ints) -> Ints:
    """Numbers the elements of consecutive runs of the given sizes, starting at 0 in each run."""
    return np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def compile_grammar(templates: Sequence[str], words: Mapping[str, Sequence[Sequence[str]]]) -> Grammar:
    """Compiles templates.

    Args:
        templates: Sentences with `{slot}` fields; `{Slot}` fills the slot with a capitalised word.
        words: The word lists of each slot, one per variant.

    Returns:
        The grammar; templates are numbered in the order of `templates`.
    """
    slots = {**words, "gap": (GAPS,), "break": (BREAKS,)}
    slots |= {name.capitalize(): [[_capitalise(word) for word in row] for row in rows] for name, rows in words.items()}
    names = tuple(slots)
    pool = ["", " "]  # EMPTY and SPACE
    pieces: list[int] = []
    size: list[int] = []
    for template in templates:
        compiled = _compile(template, names, pool)
        pieces += compiled
        size.append(len(compiled))
    shape = len(names), max(len(rows) for rows in slots.values())
    slot_first, slot_size = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for number, rows in enumerate(slots.values()):
        for variant, row in enumerate(rows):
            slot_first[number, variant], slot_size[number, variant] = len(pool), len(row)
            pool += row
    sizes = np.array(size, dtype=np.int64)
    return Grammar(
        pool=pa.array(pool, pa.string()),
        pieces=np.array(pieces, dtype=np.int64),
        first=np.cumsum(sizes) - sizes,
        size=sizes,
        slots=names,
        slot_first=slot_first,
        slot_size=slot_size,
    )


def _compile(template: str, slots: Sequence[str], pool: list[str]) -> list[int]:
    """Returns the pieces of a template, and appends its literal texts to `pool`."""
    pieces: list[int] = []
    for literal, field, _, _ in Formatter().parse(template):
        if literal:
            pieces.append(len(pool))
            pool.append(literal)
        if field is not None:
            pieces.append(-slots.index(field) - 1)
    return pieces


def _capitalise(word: str) -> str:
    """Capitalises the first letter; `str.capitalize` would lower the others."""
    return word[:1].upper() + word[1:]
