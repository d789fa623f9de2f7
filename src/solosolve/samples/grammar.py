"""Turns sentence templates and per-narrative choices into text, a batch at a time.

A template is compiled once into pieces: literal text, or a slot. A batch of narratives is one flat array of piece
numbers, so that filling the slots and joining the text are a few array operations, not a loop over sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from solosolve.samples.calibration import Bools, Ints, Texts

GAPS = (" ", " ", " ", "\n", "\n\n")
BREAKS = ("\n", "\n\n")
"""What may stand between sentences of a narrative with line breaks, and after its first sentence."""

NOTHING, SPACE = 0, 1
"""Numbers of the first two pieces of every pool."""


@dataclass(frozen=True)
class Outline:
    """The sentences of a batch, flat and in reading order.

    `narrative` ascends and `template` has each sentence's template; `variants` has, per narrative and slot, which of
    the slot's word lists to draw from; `has_breaks` says which narratives have line breaks.
    """

    narrative: Ints
    template: Ints
    variants: Ints
    has_breaks: Bools


@dataclass(frozen=True)
class Grammar:
    """Compiled templates and the pool of pieces that they and their slots refer to.

    `pieces` has, template after template, a piece number or, for a slot, minus its number minus one. `first` and
    `size` bound each template's pieces; `slot_first` and `slot_size` bound, per slot and variant, its words in `pool`.
    """

    pool: pa.StringArray
    pieces: Ints
    first: Ints
    size: Ints
    slots: tuple[str, ...]
    slot_first: Ints
    slot_size: Ints

    def render(self, rng: np.random.Generator, outline: Outline) -> Texts:
        """Fills the outline's slots at random and joins the sentences; returns one text per narrative."""
        # Each sentence has one piece more than its template: the gap that follows it.
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
        """Returns the piece that follows each sentence: nothing after the last, else a space or line breaks."""
        is_first = np.diff(outline.narrative, prepend=-1) > 0
        is_last = np.diff(outline.narrative, append=len(outline.variants)) > 0
        breaks = outline.has_breaks[outline.narrative]
        slot = {name: -number - 1 for number, name in enumerate(self.slots)}
        gap = np.where(breaks, np.where(is_first, slot["break"], slot["gap"]), SPACE)
        return np.where(is_last, NOTHING, gap)


def positions_within(sizes: Ints) -> Ints:
    """Numbers the elements of consecutive runs of these sizes, each from 0."""
    return np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def compile_grammar(templates: Sequence[str], words: Mapping[str, Sequence[Sequence[str]]]) -> Grammar:
    """Compiles templates.

    Args:
        templates: Sentences with `{slot}` fields; a capitalised `{Slot}` is the slot with its first letter capitalised.
        words: Per slot, its word lists, one per variant.

    Returns:
        The grammar; a template's number is its place in `templates`, a slot's number its place in `slots`.
    """
    slots = {**words, "gap": (GAPS,), "break": (BREAKS,)}
    slots |= {name.capitalize(): [[_capital(word) for word in row] for row in rows] for name, rows in words.items()}
    names = tuple(slots)
    pool = ["", " "]  # NOTHING and SPACE
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
    """Returns a template's pieces and adds its literal texts to the pool."""
    pieces: list[int] = []
    for literal, field, _, _ in Formatter().parse(template):
        if literal:
            pieces.append(len(pool))
            pool.append(literal)
        if field is not None:
            pieces.append(-slots.index(field) - 1)
    return pieces


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]
