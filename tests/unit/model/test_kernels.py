from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pyspark.ml import Pipeline
from pyspark.ml.feature import HashingTF, RegexTokenizer, StopWordsRemover
from pyspark.sql import SparkSession

from solosolve.model.kernels import Kernel, MonthOfYear, TextLength, TextPattern, TopCategories
from solosolve.model.word_kernels import HashedTerms

STOP_WORDS = ("the", "my", "i", "don't", "was")
LENGTH = TextLength(column="text")
TERMS = HashedTerms(column="text", size=64, stop_words=STOP_WORDS)
MONTH = MonthOfYear(column="date_received")
PATTERN = TextPattern(column="text", name="redaction_count", pattern=r"XX+")
CATEGORIES = TopCategories(column="state", categories=("CA", "NY", "Österreich"))
TEXT_KERNELS: list[Kernel] = [LENGTH, TERMS, PATTERN, CATEGORIES]

TEXTS = [
    "They lost my payment, and I don't know why.",
    "THE THE the loan LOAN Loan",
    "",
    " ",
    "a b c I",
    "'quoted' o'clock 'tis '' ''' ' rock'n'roll",
    "--- 123 {$100.00} XXXX XX/XX/2016",
    "first line\nsecond\tline\r\nthird line",
    "naïve café façade Ünïcödé straße",
    "kelvin \u212a, dotted \u0130stanbul, \ufb01nance \u2019curly\u2019 don\u2019t",
    "日本語 emoji 😀 mixed text",
    "zero\u200bwidth non\u00a0breaking\u2028separator",
    "e\u0301 combining mark",
    "nul\x00byte",
    "word " * 5_000,
    "x" * 40_000,
]


def block(kernel: Kernel, *values: str | date | None) -> list[list[float]]:
    kind = pa.date32() if isinstance(kernel, MonthOfYear) else pa.string()
    return kernel.encode(pa.array(values, kind)).tolist()


def terms(kernel: HashedTerms, text: str) -> dict[int, float]:
    return {bucket: count for bucket, count in enumerate(block(kernel, text)[0]) if count}


def test_text_length_counts_characters_not_bytes() -> None:
    assert block(LENGTH, "abc", "", None, "é😀", "x" * 100_000) == [[3], [0], [0], [2], [100_000]]


def test_month_of_year_is_1_to_12_and_0_for_null() -> None:
    assert block(MONTH, date(2016, 1, 1), date(2016, 12, 31), date(1969, 2, 28), None) == [[1], [12], [2], [0]]


def test_text_pattern_counts_matches_without_overlaps() -> None:
    assert block(PATTERN, "XXXX and XX/XX", "X", "", None, "XX" * 9_999, "É XX") == [[3], [0], [0], [0], [1], [1]]


def test_top_categories_is_one_hot_with_other_last() -> None:
    assert block(CATEGORIES, "CA", "NY", "Österreich") == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]


@pytest.mark.parametrize("value", [None, "", "Other", "TX", "ca", "CA ", "O\u0308sterreich", "y" * 10_000])
def test_top_categories_encodes_all_other_values_as_other(value: str | None) -> None:
    assert block(CATEGORIES, value) == [[0, 0, 0, 1]]


def test_top_categories_without_categories_is_all_other() -> None:
    assert block(TopCategories(column="state", categories=()), "CA", None) == [[1], [1]]


def test_hashed_terms_counts_words_but_not_stop_words() -> None:
    counts = terms(TERMS, "The bank, the BANK; my loan")
    assert sorted(counts.values()) == [1, 2]
    assert counts == {**terms(TERMS, "bank bank"), **terms(TERMS, "loan")}


def test_hashed_terms_of_null_and_of_no_words_are_zeros() -> None:
    assert block(TERMS, None, "", "I was the", "1234") == [[0] * 64] * 4


def test_hashed_terms_equal_the_stages_of_spark_ml(spark: SparkSession) -> None:
    stop_words = StopWordsRemover.loadDefaultStopWords("english")
    stages = Pipeline(
        stages=[
            RegexTokenizer(inputCol="text", outputCol="words", pattern="[^a-z']+", minTokenLength=2),
            StopWordsRemover(inputCol="words", outputCol="kept", stopWords=stop_words),
            HashingTF(inputCol="kept", outputCol="terms", numFeatures=256),
        ]
    )
    rows = spark.createDataFrame(list(enumerate(TEXTS)), "row int, text string").repartition(1)
    expected = [row["terms"].toArray().tolist() for row in stages.fit(rows).transform(rows).orderBy("row").collect()]
    kernel = HashedTerms(column="text", size=256, stop_words=tuple(stop_words))
    assert dict(zip(TEXTS, block(kernel, *TEXTS), strict=True)) == dict(zip(TEXTS, expected, strict=True))


@pytest.mark.parametrize("kernel", [*TEXT_KERNELS, MONTH], ids=lambda kernel: kernel.kind)
def test_kernel_of_no_rows_has_its_columns(kernel: Kernel) -> None:
    kind = pa.date32() if kernel is MONTH else pa.string()
    assert kernel.encode(pa.array([], kind)).shape == (0, len(kernel.names))


@pytest.mark.parametrize("kernel", TEXT_KERNELS, ids=lambda kernel: kernel.kind)
def test_kernel_makes_float32_with_one_column_per_name(kernel: Kernel) -> None:
    encoded = kernel.encode(pa.array([*TEXTS, None]))
    assert (encoded.dtype, encoded.shape) == (np.float32, (len(TEXTS) + 1, len(kernel.names)))
    assert np.isfinite(encoded).all()


@pytest.mark.parametrize("kernel", TEXT_KERNELS, ids=lambda kernel: kernel.kind)
@given(texts=st.lists(st.none() | st.text() | st.sampled_from([*TEXTS, "CA", "NY"]), max_size=6))
@settings(deadline=None)
def test_kernel_encodes_each_row_independently_of_the_others(kernel: Kernel, texts: list[str | None]) -> None:
    assert block(kernel, *texts) == [block(kernel, text)[0] for text in texts]


@given(dates=st.lists(st.none() | st.dates(), max_size=6))
@settings(deadline=None)
def test_month_of_year_is_the_calendar_month(dates: list[date | None]) -> None:
    assert block(MONTH, *dates) == [[day.month if day else 0] for day in dates]


@given(texts=st.lists(st.none() | st.text(), min_size=2, max_size=6))
@settings(deadline=None)
def test_kernel_encodes_a_slice_like_its_rows(texts: list[str | None]) -> None:
    values = pa.array(texts, pa.string())
    for kernel in TEXT_KERNELS:
        assert kernel.encode(values.slice(1)).tolist() == block(kernel, *texts[1:])


def test_kernel_names_describe_its_columns() -> None:
    assert [kernel.names for kernel in (LENGTH, MONTH, PATTERN, CATEGORIES)] == [
        ["narrative_length"],
        ["date_received_month"],
        ["redaction_count"],
        ["state=CA", "state=NY", "state=Österreich", "state=Other"],
    ]
    assert TERMS.names == [f"term_{bucket}" for bucket in range(64)]


@pytest.mark.parametrize("kernel", [*TEXT_KERNELS, MONTH], ids=lambda kernel: kernel.kind)
def test_kernel_is_unchanged_by_a_round_trip_through_json(kernel: Kernel) -> None:
    adapter: TypeAdapter[Kernel] = TypeAdapter(Kernel)
    assert adapter.validate_json(kernel.model_dump_json()) == kernel


def test_hashed_terms_needs_at_least_one_bucket() -> None:
    with pytest.raises(ValidationError):
        HashedTerms(column="text", size=0, stop_words=())


def test_word_shares_hold_the_words_that_each_feature_counts() -> None:
    kernel = HashedTerms(column="consumer_complaint_narrative", size=16, stop_words=("the",))
    text = "The bank took the payment. The bank kept the PAYMENT it took."
    found = kernel.word_shares(text)
    assert sorted(word for words in found.values() for word in words) == ["bank", "it", "kept", "payment", "took"]
    block = kernel.encode(pa.array([text]))[0]
    assert {kernel.names[place] for place in block.nonzero()[0]} == set(found)
    assert [sum(words.values()) for words in found.values()] == pytest.approx([1] * len(found))
    assert kernel.word_shares(None) == {}
