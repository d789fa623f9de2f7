"""The feature kernels that read the words of a text."""

from __future__ import annotations

from functools import cached_property
from typing import Literal, Self

import mmh3
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Base64Bytes, Field, model_validator
from scipy.sparse import csr_matrix

from solosolve.model.feature_kernel import Block, FeatureKernel
from solosolve.model.words import Words

TERM_PREFIX = "term_"
"""Prefix of a feature that counts hashed words; the number of its bucket follows."""

TOPIC_PREFIX = "topic_"
"""Prefix of a topic's feature; its number follows."""

# The seed of Spark's HashingTF (org.apache.spark.ml.feature.HashingTF), so that words fall into the same buckets.
_HASHING_TF_SEED = 42


class WordKernel(FeatureKernel):
    """A kernel that reads words, which those of one column share."""

    def encode(self, values: pa.Array) -> Block:
        """Zeros for null."""
        return self.encode_words(Words.of(values))

    def encode_words(self, words: Words) -> Block:
        """Computes the block from texts that are split already."""
        raise NotImplementedError

    def word_shares(self, text: str | None) -> dict[str, dict[str, float]]:
        """Says which of a text's words a feature's value comes from.

        Returns:
            Feature name to word to the word's share, of all shares of the feature; only features that read a word of
            the text.
        """
        raise NotImplementedError


class HashedTerms(WordKernel):
    """Word counts without stop words, hashed into a fixed number of buckets.

    The buckets equal those of Spark's `RegexTokenizer(pattern="[^a-z']+", minTokenLength=2)`, `StopWordsRemover` and
    `HashingTF` in a row.
    """

    kind: Literal["hashed_terms"] = "hashed_terms"
    size: int = Field(gt=0)
    stop_words: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """One feature per bucket."""
        return [f"{TERM_PREFIX}{bucket}" for bucket in range(self.size)]

    def encode_words(self, words: Words) -> Block:
        """Counts the words of each bucket."""
        bucket_of_word = np.fromiter(map(self._bucket, words.distinct), np.int64, len(words.distinct))
        # Words that are not counted fall into a bucket of their own, which is cut off.
        bucket_of_word[bucket_of_word < 0] = self.size
        cells = words.rows * (self.size + 1) + bucket_of_word[words.codes]
        counts = np.bincount(cells, minlength=words.count * (self.size + 1))
        return counts.reshape(words.count, self.size + 1)[:, : self.size].astype(np.float32)

    def word_shares(self, text: str | None) -> dict[str, dict[str, float]]:
        """A word's share of its bucket is how often it occurs."""
        words = Words.of(pa.array([text or ""]))
        counts = np.bincount(words.codes, minlength=len(words.distinct))
        found: dict[str, dict[str, float]] = {}
        for word, count in zip(words.distinct, counts.tolist(), strict=True):
            bucket = self._bucket(word)
            if bucket >= 0:
                found.setdefault(f"{TERM_PREFIX}{bucket}", {})[word] = count
        return {feature: _as_shares(weights) for feature, weights in found.items()}

    def _bucket(self, word: str) -> int:
        """The word's bucket; -1 if it is not counted."""
        if len(word) < 2 or word in self._stop_words:
            return -1
        return mmh3.hash(word, _HASHING_TF_SEED) % self.size

    @cached_property
    def _stop_words(self) -> frozenset[str]:
        return frozenset(self.stop_words)


class TextTopics(WordKernel):
    """The topics of a text: latent semantic analysis (Deerwester et al., 1990) of the words that occur in it.

    A text is the vector of its distinct known words, each weighted by how rare it is, scaled to length 1. Its topics
    are that vector's projection on the directions in which the training texts differ most.
    """

    kind: Literal["text_topics"] = "text_topics"
    size: int = Field(gt=0)
    vocabulary: tuple[str, ...]
    rarity: Base64Bytes
    """Weight of each word, float32, little-endian, shape (words,)."""
    directions: Base64Bytes
    """Weighted coordinates of each word, float32, little-endian, shape (words, size)."""

    @model_validator(mode="after")
    def _require_shapes(self) -> Self:
        if len(self.rarity) != 4 * len(self.vocabulary) or len(self.directions) != self.size * len(self.rarity):
            raise ValueError(f"text topics: the arrays do not fit {len(self.vocabulary)} words and {self.size} topics")
        return self

    @property
    def names(self) -> list[str]:
        """One feature per topic."""
        return [f"{TOPIC_PREFIX}{number}" for number in range(self.size)]

    def encode_words(self, words: Words) -> Block:
        """Projects each text; zeros for a text without known words."""
        rows, numbers = words.renumbered(self._number_of)
        # The order of a row's words is that of the vocabulary, so that sums do not depend on the batch.
        cells = np.unique(rows * len(self.vocabulary) + numbers)
        rows, numbers = np.divmod(cells, max(1, len(self.vocabulary)))
        starts = np.searchsorted(rows, np.arange(words.count + 1))
        occurs = csr_matrix(
            (np.ones(len(cells), np.float32), numbers, starts), shape=(words.count, len(self.vocabulary))
        )
        rarity, directions = self._arrays
        lengths = np.sqrt(occurs @ (rarity * rarity))
        scaled: Block = (occurs @ directions) / np.where(lengths > 0, lengths, 1)[:, None]
        return scaled

    def word_shares(self, text: str | None) -> dict[str, dict[str, float]]:
        """A word's share of a topic is the size of its coordinate: words of either sign place the text."""
        words = [word for word in Words.of(pa.array([text or ""])).distinct if word in self._number_of]
        _, directions = self._arrays
        weights = np.abs(directions[[self._number_of[word] for word in words]]).astype(np.float64)
        return {
            name: _as_shares(dict(zip(words, weights[:, topic].tolist(), strict=True)))
            for topic, name in enumerate(self.names)
            if weights[:, topic].any()
        }

    @cached_property
    def _number_of(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.vocabulary)}

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.float32], Block]:
        rarity, directions = (np.frombuffer(data, "<f4") for data in (self.rarity, self.directions))
        return rarity, directions.reshape(-1, self.size)


def _as_shares(weights: dict[str, float]) -> dict[str, float]:
    total = sum(weights.values())
    return {word: weight / total for word, weight in weights.items()}
