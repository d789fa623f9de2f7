"""Automated feature engineering (AFE): feature sets as `pyspark.ml` pipelines."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pydantic import BaseModel
from pyspark import keyword_only
from pyspark.ml import Estimator, Pipeline, PipelineModel, Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, FloatType, StructField, StructType

from solosolve.model.encoder import FeatureEncoder
from solosolve.model.feature_sets import PATTERNS, FeatureSet
from solosolve.model.kernels import Kernel, MonthOfYear, TextLength, TextPattern, TopCategories
from solosolve.model.topics import READ_CHARACTERS, SAMPLED_TEXTS, fit_topics
from solosolve.model.word_kernels import HashedTerms, TextTopics
from solosolve.names import NARRATIVE, OTHER_CATEGORY
from solosolve.transforms.lookups import looked_up


def _json_param(name: str, doc: str) -> Param[str]:
    return Param(Params._dummy(), name, doc, TypeConverters.toString)


class _Categories(BaseModel):
    """A column to learn the most frequent values of; ties go alphabetically."""

    column: str
    size: int
    renamed: dict[str, str]


class _Topics(BaseModel):
    """A text column to learn topics of."""

    column: str
    size: int
    stop_words: tuple[str, ...]


class _Plan(BaseModel):
    """An encoder to complete: kernels that need no fitting, then topics, then categories."""

    given: FeatureEncoder
    topics: _Topics | None
    categories: tuple[_Categories, ...]


class EncoderEstimator(Estimator, DefaultParamsReadable, DefaultParamsWritable):
    """Learns an encoder: topics from a bounded sample of the texts, and frequent values in one pass over all rows."""

    planJson = _json_param("planJson", "What to learn, as JSON.")  # noqa: N815

    @keyword_only
    def __init__(self, *, planJson: str | None = None) -> None:  # noqa: N803
        super().__init__()
        self._set(**self._input_kwargs)

    def _fit(self, dataset: DataFrame) -> EncodeFeatures:
        plan = _Plan.model_validate_json(self.getOrDefault(self.planJson))
        topics = None if plan.topics is None else _learn_topics(dataset, plan.topics)
        learned: list[Kernel] = [*([topics] if topics else []), *_learn_categories(dataset, plan.categories)]
        encoder = FeatureEncoder(kernels=(*plan.given.kernels, *learned))
        return EncodeFeatures(encoderJson=encoder.model_dump_json())


def _learn_topics(dataset: DataFrame, plan: _Topics) -> TextTopics | None:
    # Ordered by a hash, a sample is the same however the rows are stored.
    text = F.substring(plan.column, 1, READ_CHARACTERS).alias(plan.column)
    sample = dataset.select("complaint_id", text).orderBy(F.xxhash64("complaint_id")).limit(SAMPLED_TEXTS)
    texts = sample.select(plan.column).toArrow().column(0).combine_chunks()
    return fit_topics(plan.column, texts, plan.stop_words, plan.size)


def _learn_categories(dataset: DataFrame, plans: tuple[_Categories, ...]) -> list[TopCategories]:
    cells = (F.struct(F.lit(plan.column).alias("name"), _renamed(plan).alias("value")) for plan in plans)
    counted = dataset.select(F.explode(F.array(*cells)).alias("cell")).groupBy("cell.name", "cell.value").count()
    is_category = F.col("value").isNotNull() & (F.col("value") != OTHER_CATEGORY)
    rank = F.row_number().over(Window.partitionBy("name").orderBy(F.desc("count"), "value"))
    ranked = counted.where(is_category).withColumn("rank", rank)
    top = ranked.where(F.col("rank") <= max(plan.size for plan in plans)).collect()
    values = {
        plan.column: tuple(
            row["value"] for row in sorted(top, key=lambda row: row["rank"]) if row["name"] == plan.column
        )
        for plan in plans
    }
    return [
        TopCategories(column=plan.column, categories=values[plan.column][: plan.size], renamed=plan.renamed)
        for plan in plans
    ]


def _renamed(plan: _Categories) -> Column:
    column = F.col(plan.column)
    return F.coalesce(looked_up(plan.renamed, column), column) if plan.renamed else column


class EncodeFeatures(Transformer, DefaultParamsReadable, DefaultParamsWritable):
    """Adds `features` ARRAY<FLOAT>: all kernels of an encoder in one Arrow pass."""

    encoderJson = _json_param("encoderJson", "The encoder as JSON.")  # noqa: N815

    @keyword_only
    def __init__(self, *, encoderJson: str | None = None) -> None:  # noqa: N803
        super().__init__()
        self._set(**self._input_kwargs)

    def encoder(self) -> FeatureEncoder:
        """The stage's encoder."""
        return FeatureEncoder.model_validate_json(self.getOrDefault(self.encoderJson))

    def _transform(self, dataset: DataFrame) -> DataFrame:
        encoder = self.encoder()

        def encode(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for complaints in batches:
                arrays = [*complaints.columns, feature_lists(encoder, complaints)]
                yield pa.RecordBatch.from_arrays(arrays, [*complaints.schema.names, "features"])

        encoded = StructField("features", ArrayType(FloatType()))
        return dataset.mapInArrow(encode, StructType([*dataset.schema.fields, encoded]))


def feature_lists(encoder: FeatureEncoder, complaints: pa.RecordBatch) -> pa.Array:
    """Encodes complaints to one list of float32 each.

    Args:
        encoder: The encoder.
        complaints: Raw columns with the types of FILED_TYPES; other columns are ignored.

    Returns:
        Lists of equal length, one per complaint, without a copy of the values.
    """
    block = encoder.encode(complaints)
    offsets = np.arange(0, block.size + 1, block.shape[1], dtype=np.int32)
    return pa.ListArray.from_arrays(offsets, block.reshape(-1))


def build_pipeline(chosen: FeatureSet, stop_words: tuple[str, ...]) -> Pipeline:
    """Builds the unfitted pipeline of a feature set.

    Args:
        chosen: The feature set.
        stop_words: Words to leave uncounted, in lower case.

    Returns:
        A pipeline whose fitted model adds `features` ARRAY<FLOAT> to complaints.
    """
    given = FeatureEncoder(
        kernels=(
            TextLength(column=NARRATIVE),
            HashedTerms(column=NARRATIVE, size=chosen.term_buckets, stop_words=stop_words),
            MonthOfYear(column="date_received"),
            *(TextPattern(column=NARRATIVE, name=name, pattern=PATTERNS[name]) for name in chosen.patterns),
        )
    )
    plan = _Plan(
        given=given,
        topics=_Topics(column=NARRATIVE, size=chosen.topics, stop_words=stop_words) if chosen.topics else None,
        categories=tuple(
            _Categories(column=column, size=size, renamed=dict(chosen.renamed.get(column, {})))
            for column, size in chosen.categorical.items()
        ),
    )
    return Pipeline(stages=[EncoderEstimator(planJson=plan.model_dump_json())])


def describe(pipeline: Pipeline) -> str:
    """Describes an unfitted pipeline by its stages' parameters; equal for pipelines that fit alike."""
    stages = [(type(stage).__name__, stage.extractParamMap()) for stage in pipeline.getStages()]
    return str([(name, sorted((key.name, str(value)) for key, value in values.items())) for name, values in stages])


def encoder_of(pipeline: PipelineModel) -> FeatureEncoder:
    """The fitted encoder of a pipeline, whose columns are those of `features`."""
    return next(stage.encoder() for stage in pipeline.stages if isinstance(stage, EncodeFeatures))
