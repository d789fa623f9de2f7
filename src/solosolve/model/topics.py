"""Fits the topics of a text column: latent semantic analysis on a bounded sample of the training texts."""

from __future__ import annotations

import base64

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_matrix, diags
from sklearn.decomposition import TruncatedSVD

from solosolve.model.word_kernels import TextTopics
from solosolve.model.words import Words

SAMPLED_TEXTS = 20_000
"""Training texts, at most, that topics are fitted on: about 300 MB on the driver."""

READ_CHARACTERS = 20_000
"""Characters of a text that are read; nearly all texts are shorter."""

VOCABULARY_SIZE = 4096
MIN_TEXTS = 3
"""A word that occurs in fewer texts says nothing about how words occur together."""

_SEED = 42
_LEAST_SPREAD = 1e-3
"""Directions whose spread is below this share of the largest are rounding errors."""


def fit_topics(column: str, texts: pa.Array, stop_words: tuple[str, ...], size: int) -> TextTopics | None:
    """Fits the directions in which texts differ most.

    Args:
        column: The texts' column.
        texts: The training texts, in an order that does not depend on how they are stored.
        stop_words: Words to leave out, in lower case.
        size: How many topics.

    Returns:
        The kernel, with fewer topics if the texts differ in fewer directions; None if there are none to find, because
        fewer than two words occur in at least MIN_TEXTS texts, but not in all.
    """
    words = Words.of(texts)
    vocabulary, occurs = _vocabulary(words, frozenset(stop_words))
    if len(vocabulary) < 2:
        return None
    rarity = np.log(words.count / np.asarray(occurs.sum(axis=0)).ravel()).astype(np.float32)
    weighted = (occurs @ diags(rarity)).tocsr()
    lengths = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    scaled = (diags(1 / np.where(lengths > 0, lengths, 1)) @ weighted).tocsr()
    possible = min(size, len(vocabulary) - 1, words.count - 1)
    decomposed = TruncatedSVD(possible, n_iter=10, random_state=_SEED).fit(scaled)
    spread = decomposed.transform(scaled).std(axis=0)
    differs = spread > spread.max() * _LEAST_SPREAD
    if not differs.any():
        return None
    # Half-way between the topics as they are, where the first few drown the others, and topics of equal spread, where
    # the last, mostly noise, count as much as the first.
    directions = rarity[:, None] * decomposed.components_[differs].T / np.sqrt(spread[differs] * spread.max())
    return TextTopics(
        column=column,
        size=int(differs.sum()),
        vocabulary=tuple(vocabulary),
        rarity=base64.b64encode(rarity.astype("<f4").tobytes()),
        directions=base64.b64encode(directions.astype("<f4").tobytes()),
    )


def _vocabulary(words: Words, stop_words: frozenset[str]) -> tuple[list[str], csr_matrix]:
    """The words that occur in most texts, and which text each occurs in."""
    allowed = [word for word in words.distinct if len(word) > 1 and word not in stop_words]
    rows, numbers = words.renumbered({word: number for number, word in enumerate(allowed)})
    occurs = csr_matrix((np.ones(len(rows)), (rows, numbers)), shape=(words.count, len(allowed)))
    occurs.data[:] = 1
    counts = np.asarray(occurs.sum(axis=0)).ravel().astype(int)
    ranked = sorted(range(len(allowed)), key=lambda number: (-counts[number], allowed[number]))
    kept = [number for number in ranked[:VOCABULARY_SIZE] if MIN_TEXTS <= counts[number] < words.count]
    return [allowed[number] for number in kept], occurs[:, kept]
