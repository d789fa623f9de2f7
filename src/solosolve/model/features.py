"""Automated feature engineering (AFE): feature sets as `pyspark.ml` pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd
import pyarrow as pa
from pydantic import TypeAdapter
from pyspark import keyword_only
from pyspark.ml import Estimator, Pipeline, PipelineModel, Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasInputCol, HasInputCols, HasOutputCol
from pyspark.ml.util import DefaultParamsReadable, DefaultParamsWritable
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from solosolve.errors import LeakageError, UsageError
from solosolve.model.kernels import HashedTerms, Kernel, MonthOfYear, TextLength, TextPattern, TopCategories
from solosolve.model.scorer import FILED_TYPES, FeatureEncoder
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


class KernelTransformer(Transformer, HasOutputCol, DefaultParamsReadable, DefaultParamsWritable):
    """A pipeline stage that adds a kernel's block as an ARRAY<FLOAT> column."""

    kernelJson = Param(Params._dummy(), "kernelJson", "The kernel as JSON.", TypeConverters.toString)  # noqa: N815

    @keyword_only
    def __init__(self, *, kernelJson: str | None = None, outputCol: str | None = None) -> None:  # noqa: N803
        super().__init__()
        self._set(**self._input_kwargs)

    def kernel(self) -> Kernel:
        """The stage's kernel."""
        return _KERNELS.validate_json(self.getOrDefault(self.kernelJson))

    def _transform(self, dataset: DataFrame) -> DataFrame:
        kernel = self.kernel()
        kind = FILED_TYPES[kernel.column]

        def encode(values: pd.Series) -> pd.Series:
            return pd.Series(list(kernel.encode(pa.array(values, kind, from_pandas=True))))

        encoded = pandas_udf(encode, "array<float>")  # type: ignore[call-overload]
        return dataset.withColumn(self.getOutputCol(), encoded(F.col(kernel.column)))


class TopCategoriesEstimator(Estimator, HasInputCol, HasOutputCol, DefaultParamsReadable, DefaultParamsWritable):
    """Learns the most frequent values of a column; ties are broken alphabetically."""

    size = Param(Params._dummy(), "size", "How many values to keep.", TypeConverters.toInt)

    @keyword_only
    def __init__(
        self,
        *,
        inputCol: str | None = None,  # noqa: N803
        outputCol: str | None = None,  # noqa: N803
        size: int | None = None,
    ) -> None:
        super().__init__()
        self._setDefault(size=CATEGORY_COUNT)
        self._set(**self._input_kwargs)

    def _fit(self, dataset: DataFrame) -> KernelTransformer:
        column = self.getInputCol()
        counted = dataset.where(F.col(column).isNotNull() & (F.col(column) != OTHER_CATEGORY)).groupBy(column).count()
        top = counted.orderBy(F.desc("count"), column).limit(self.getOrDefault(self.size)).collect()
        kernel = TopCategories(column=column, categories=tuple(row[column] for row in top))
        return KernelTransformer(kernelJson=kernel.model_dump_json(), outputCol=self.getOutputCol())


class AssembleFeatures(Transformer, HasInputCols, HasOutputCol, DefaultParamsReadable, DefaultParamsWritable):
    """Concatenates the blocks into one ARRAY<FLOAT> column, then drops them."""

    @keyword_only
    def __init__(self, *, inputCols: list[str] | None = None, outputCol: str | None = None) -> None:  # noqa: N803
        super().__init__()
        self._set(**self._input_kwargs)

    def _transform(self, dataset: DataFrame) -> DataFrame:
        blocks = self.getInputCols()
        return dataset.withColumn(self.getOutputCol(), F.concat(*blocks)).drop(*blocks)


def build_pipeline(chosen: FeatureSet, stop_words: tuple[str, ...]) -> Pipeline:
    """Builds the unfitted pipeline of a feature set.

    Args:
        chosen: The feature set.
        stop_words: Words to leave uncounted, in lower case.

    Returns:
        A pipeline whose fitted model adds `features` ARRAY<FLOAT> to complaints.
    """
    kernels: list[Kernel] = [
        TextLength(column=NARRATIVE),
        HashedTerms(column=NARRATIVE, size=chosen.term_buckets, stop_words=stop_words),
        MonthOfYear(column="date_received"),
        *(TextPattern(column=NARRATIVE, name=name, pattern=PATTERNS[name]) for name in chosen.patterns),
    ]
    stages: list[Transformer | Estimator] = [
        KernelTransformer(kernelJson=kernel.model_dump_json(), outputCol=f"_block_{number}")
        for number, kernel in enumerate(kernels)
    ]
    stages += [TopCategoriesEstimator(inputCol=column, outputCol=f"_block_{column}") for column in chosen.categorical]
    blocks = [stage.getOutputCol() for stage in stages]
    return Pipeline(stages=[*stages, AssembleFeatures(inputCols=blocks, outputCol="features")])


def describe(pipeline: Pipeline) -> str:
    """Describes an unfitted pipeline by its stages' parameters; equal for pipelines that fit alike."""
    stages = [(type(stage).__name__, stage.extractParamMap()) for stage in pipeline.getStages()]
    return str([(name, sorted((key.name, str(value)) for key, value in values.items())) for name, values in stages])


def encoder_of(pipeline: PipelineModel) -> FeatureEncoder:
    """Extracts the fitted kernels of a pipeline, in the order of its `features` column."""
    stages = [stage for stage in pipeline.stages if isinstance(stage, KernelTransformer)]
    return FeatureEncoder(kernels=tuple(stage.kernel() for stage in stages))


_KERNELS: TypeAdapter[Kernel] = TypeAdapter(Kernel)
