"""The feature kernels: fitted, serialisable functions from a raw complaint column to a block of numbers.

Training, batch and stream all compute their features with these kernels, so equal input gives equal bits.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

import mmh3
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from solosolve.names import OTHER_CATEGORY

Block = NDArray[np.float32]
"""One row per complaint, one column per feature."""

TERM_PREFIX = "term_"
"""What the name of a feature that counts hashed words starts with; the number of its bucket follows."""

_LOWERED_TO_ASCII = {"\u0130": "i ", "\u212a": "k"}
"""The two non-ASCII letters whose lower case contains a letter from a to z: the dotted capital I, which the JVM turns
into i and a combining dot that ends the word, and the Kelvin sign."""
_LETTERS = b"abcdefghijklmnopqrstuvwxyz"
_TO_WORDS = bytes(
    code if code in _LETTERS + b"'" else code + 32 if code in _LETTERS.upper() else 32 for code in range(256)
)
"""Translation of each byte: letters to lower case, the apostrophe to itself, everything else to a space."""

_TEXTS_AT_ONCE = 1024
"""So many texts at a time keep their words and counts in the processor's cache."""

# The seed of Spark's HashingTF (org.apache.spark.ml.feature.HashingTF), so that words fall into the same buckets.
_HASHING_TF_SEED = 42


class _Kernel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    column: str

    @property
    def names(self) -> list[str]:
        """The features' names, one per column of the block."""
        raise NotImplementedError

    def encode(self, values: pa.Array) -> Block:
        """Computes the block.

        Args:
            values: The raw column, string, or date32 for dates; nulls are allowed.

        Returns:
            float32, shape (len(values), len(names)), without NaN.
        """
        raise NotImplementedError


class TextLength(_Kernel):
    """Number of characters of the text."""

    kind: Literal["text_length"] = "text_length"

    @property
    def names(self) -> list[str]:
        """One feature."""
        return ["narrative_length"]

    def encode(self, values: pa.Array) -> Block:
        """0 for null."""
        return _column(pc.fill_null(pc.utf8_length(values), 0))


class HashedTerms(_Kernel):
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

    def encode(self, values: pa.Array) -> Block:
        """Zeros for null."""
        block = np.empty((len(values), self.size), np.float32)
        for start in range(0, len(values), _TEXTS_AT_ONCE):
            some = values.slice(start, _TEXTS_AT_ONCE)
            block[start : start + len(some)] = self._counts(some)
        return block

    def _counts(self, values: pa.Array) -> NDArray[np.int64]:
        words = _words(pc.fill_null(values, ""))
        rows = pc.list_parent_indices(words).to_numpy()
        coded = pc.list_flatten(words).dictionary_encode()
        bucket_of_word = np.fromiter(map(self._bucket, coded.dictionary.to_pylist()), np.int64, len(coded.dictionary))
        # Words that are not counted fall into a bucket of their own, which is cut off.
        bucket_of_word[bucket_of_word < 0] = self.size
        cells = rows * (self.size + 1) + bucket_of_word[coded.indices.to_numpy()]
        counts: NDArray[np.int64] = np.bincount(cells, minlength=len(values) * (self.size + 1))
        return counts.reshape(len(values), self.size + 1)[:, : self.size]

    def words_by_feature(self, text: str | None) -> dict[str, list[str]]:
        """Groups a text's words by the feature that counts them, in order of first appearance."""
        words = _words(pa.array([text or ""])).to_pylist()[0]
        found: dict[str, list[str]] = {}
        for word in dict.fromkeys(words):
            bucket = self._bucket(word)
            if bucket >= 0:
                found.setdefault(f"{TERM_PREFIX}{bucket}", []).append(word)
        return found

    def _bucket(self, word: str) -> int:
        """The word's bucket; -1 if it is not counted."""
        if len(word) < 2 or word in self._stop_words:
            return -1
        return mmh3.hash(word, _HASHING_TF_SEED) % self.size

    @cached_property
    def _stop_words(self) -> frozenset[str]:
        return frozenset(self.stop_words)


class TopCategories(_Kernel):
    """One-hot encoding of the most frequent values; all others and null are `Other`."""

    kind: Literal["top_categories"] = "top_categories"
    categories: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        """One feature per category, `Other` last."""
        return [f"{self.column}={category}" for category in (*self.categories, OTHER_CATEGORY)]

    def encode(self, values: pa.Array) -> Block:
        """Each row has exactly one 1."""
        known = pa.array(self.categories, pa.string())
        codes = pc.fill_null(pc.index_in(values, value_set=known), len(known)).to_numpy()
        block = np.zeros((len(values), len(known) + 1), np.float32)
        block[np.arange(len(values)), codes] = 1
        return block


class MonthOfYear(_Kernel):
    """The calendar month, 1 to 12."""

    kind: Literal["month_of_year"] = "month_of_year"

    @property
    def names(self) -> list[str]:
        """One feature."""
        return [f"{self.column}_month"]

    def encode(self, values: pa.Array) -> Block:
        """0 for null."""
        return _column(pc.fill_null(pc.month(values), 0))


class TextPattern(_Kernel):
    """Number of matches of a regular expression (RE2) in the text, without overlaps."""

    kind: Literal["text_pattern"] = "text_pattern"
    name: str
    pattern: str

    @property
    def names(self) -> list[str]:
        """One feature."""
        return [self.name]

    def encode(self, values: pa.Array) -> Block:
        """0 for null."""
        return _column(pc.fill_null(pc.count_substring_regex(values, self.pattern), 0))


Kernel = Annotated[TextLength | HashedTerms | TopCategories | MonthOfYear | TextPattern, Field(discriminator="kind")]


def _words(texts: pa.Array) -> pa.Array:
    """Lower-cases texts and splits them at [^a-z']+, everything but letters from a to z and the apostrophe.

    Translating all bytes in one call is ten times as fast as the regular expression.
    """
    for letter, lower in _LOWERED_TO_ASCII.items():
        texts = pc.replace_substring(texts, letter, lower)
    validity, offsets, data = texts.buffers()
    if data is None:
        return pa.array([[]] * len(texts), pa.list_(pa.string()))
    spaced = pa.py_buffer(data.to_pybytes().translate(_TO_WORDS))
    return pc.ascii_split_whitespace(
        pa.StringArray.from_buffers(len(texts), offsets, spaced, validity, texts.null_count, texts.offset)
    )


def _column(values: pa.Array) -> Block:
    return values.to_numpy(zero_copy_only=False).astype(np.float32).reshape(-1, 1)
