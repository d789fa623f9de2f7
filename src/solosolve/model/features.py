"""Automated feature engineering (AFE): feature sets as `pyspark.ml` pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pyarrow as pa
from pyspark import keyword_only
from pyspark.ml import Estimator, Pipeline, PipelineModel, Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasInputCols
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import ArrowUDFType, arrow_udf

from solosolve.errors import LeakageError, UsageError
from solosolve.model.kernels import HashedTerms, MonthOfYear, TextLength, TextPattern, TopCategories
from solosolve.model.scorer import FeatureEncoder
from solosolve.names import CATEGORY_COUNT, FILED_COLUMNS, NARRATIVE, OTHER_CATEGORY, OUTCOME_COLUMNS

PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        "redaction_count": r"XX+",
        "amount_count": r"\{\$[0-9.,]+\}",
        "question_count": r"\?",
        "exclamation_count": r"!",
        "number_count": r"[0-9]+",
    }
)


def require_filed_column(column: str) -> None:
    """Raises LeakageError unless the column is known when a complaint is filed."""
    if column in OUTCOME_COLUMNS:
        raise LeakageError(f"column {column} cannot be a feature: it is known only after the outcome")
    if column not in FILED_COLUMNS:
        raise LeakageError(
            f"column {column} cannot be a feature: it is not known when a complaint is filed; allowed: "
            f"{', '.join(FILED_COLUMNS)}"
        )


@dataclass(frozen=True)
class FeatureSet:
    """Which raw columns become features, and how.

    Attributes:
        name: The set's name for `--feature-set`.
        categorical: Columns whose most frequent values are one-hot encoded.
        term_buckets: Buckets that the narrative's words are hashed into.
        patterns: Keys of PATTERNS, counted in the narrative.

    Raises:
        LeakageError: A column is not known when a complaint is filed.
    """

    name: str
    categorical: tuple[str, ...]
    term_buckets: int
    patterns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for column in self.categorical:
            require_filed_column(column)


FEATURE_SETS: Mapping[str, FeatureSet] = MappingProxyType(
    {
        chosen.name: chosen
        for chosen in (
            FeatureSet("baseline", ("product", "company", "state", "submitted_via"), term_buckets=50),
            FeatureSet(
                "default",
                ("product", "company", "state", "submitted_via", "issue", "sub_issue", "sub_product", "tags"),
                term_buckets=512,
                patterns=tuple(PATTERNS),
            ),
        )
    }
)


def feature_set(name: str) -> FeatureSet:
    """Looks up a feature set.

    Raises:
        UsageError: No feature set has that name.
    """
    if name not in FEATURE_SETS:
        raise UsageError(f"feature set: found '{name}', allowed: {', '.join(FEATURE_SETS)}")
    return FEATURE_SETS[name]


def _encoder_param() -> Param[str]:
    return Param(Params._dummy(), "encoderJson", "The encoder as JSON.", TypeConverters.toString)


class CategoriesEstimator(Estimator, HasInputCols, DefaultParamsReadable, DefaultParamsWritable):
    """Completes an encoder: learns the most frequent values of some columns in one pass; ties go alphabetically.

    The fitted stage encodes the given kernels first, then the columns in order.
    """

    encoderJson = _encoder_param()  # noqa: N815
    size = Param(Params._dummy(), "size", "How many values to keep of each column.", TypeConverters.toInt)

    @keyword_only
    def __init__(
        self,
        *,
        encoderJson: str | None = None,  # noqa: N803
        inputCols: list[str] | None = None,  # noqa: N803
        size: int | None = None,
    ) -> None:
        super().__init__()
        self._setDefault(size=CATEGORY_COUNT)
        self._set(**self._input_kwargs)

    def _fit(self, dataset: DataFrame) -> EncodeFeatures:
        columns, size = self.getInputCols(), self.getOrDefault(self.size)
        cells = F.explode(
            F.array(*(F.struct(F.lit(name).alias("name"), F.col(name).alias("value")) for name in columns))
        )
        counted = dataset.select(cells.alias("cell")).groupBy("cell.name", "cell.value").count()
        is_category = F.col("value").isNotNull() & (F.col("value") != OTHER_CATEGORY)
        rank = F.row_number().over(Window.partitionBy("name").orderBy(F.desc("count"), "value"))
        top = counted.where(is_category).withColumn("rank", rank).where(F.col("rank") <= size).collect()
        values = {name: [row for row in top if row["name"] == name] for name in columns}
        learned = (
            TopCategories(
                column=name, categories=tuple(row["value"] for row in sorted(rows, key=lambda row: row["rank"]))
            )
            for name, rows in values.items()
        )
        given = FeatureEncoder.model_validate_json(self.getOrDefault(self.encoderJson))
        return EncodeFeatures(encoderJson=FeatureEncoder(kernels=(*given.kernels, *learned)).model_dump_json())


class EncodeFeatures(Transformer, DefaultParamsReadable, DefaultParamsWritable):
    """Adds `features` ARRAY<FLOAT>: all kernels of an encoder in one Arrow pass."""

    encoderJson = _encoder_param()  # noqa: N815

    @keyword_only
    def __init__(self, *, encoderJson: str | None = None) -> None:  # noqa: N803
        super().__init__()
        self._set(**self._input_kwargs)

    def encoder(self) -> FeatureEncoder:
        """The stage's encoder."""
        return FeatureEncoder.model_validate_json(self.getOrDefault(self.encoderJson))

    def _transform(self, dataset: DataFrame) -> DataFrame:
        encoder = self.encoder()

        def encode(complaints: pa.Array) -> pa.Array:
            return feature_lists(encoder, pa.RecordBatch.from_struct_array(complaints))

        encoded = arrow_udf(encode, "array<float>", ArrowUDFType.SCALAR)
        return dataset.withColumn("features", encoded(F.struct(*encoder.inputs)))


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
    return Pipeline(
        stages=[CategoriesEstimator(encoderJson=given.model_dump_json(), inputCols=list(chosen.categorical))]
    )


def describe(pipeline: Pipeline) -> str:
    """Describes an unfitted pipeline by its stages' parameters; equal for pipelines that fit alike."""
    stages = [(type(stage).__name__, stage.extractParamMap()) for stage in pipeline.getStages()]
    return str([(name, sorted((key.name, str(value)) for key, value in values.items())) for name, values in stages])


def encoder_of(pipeline: PipelineModel) -> FeatureEncoder:
    """The fitted encoder of a pipeline, whose columns are those of `features`."""
    return next(stage.encoder() for stage in pipeline.stages if isinstance(stage, EncodeFeatures))
