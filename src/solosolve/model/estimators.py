"""Two engines that fit gradient-boosted trees; both return an XGBoost booster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Protocol

import xgboost as xgb
from pyspark.ml.classification import GBTClassifier
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from solosolve.errors import UsageError
from solosolve.model.encoder import FeatureEncoder
from solosolve.model.feature_kernel import block_of
from solosolve.model.linear import LinearScore
from solosolve.model.linear_fit import fit_linear
from solosolve.model.spark_trees import booster_from_spark
from solosolve.names import LABEL

COVER_ROWS = 50_000
"""Training rows that the nodes' cover, and so the SHAP values, of Spark's trees are computed from."""


@dataclass(frozen=True)
class Fitted:
    """Trees, and the linear score beside them, if the engine fits one."""

    booster: xgb.Booster
    linear: LinearScore | None = None


class Engine(Protocol):
    """A way to fit boosted trees."""

    @property
    def name(self) -> str:
        """The engine's name for `--engine`."""

    def parameters(self) -> dict[str, float]:
        """Hyperparameters by name."""

    def fit(self, train: DataFrame, validate: DataFrame, encoder: FeatureEncoder) -> Fitted:
        """Fits a model.

        Args:
            train: `complaint_id`, `features` ARRAY<FLOAT> and the label DOUBLE, none null; rows in any order.
            validate: The same for later complaints, to choose parameters on.
            encoder: The encoder that computed the features.

        Returns:
            The model; equal for equal rows, whatever their order.
        """


@dataclass(frozen=True)
class GbtEngine:
    """Spark ML's GBTClassifier, with the project's baseline parameters.

    Attributes:
        cover_rows: Maximum training rows for node covers; not a hyperparameter.
    """

    maxDepth: int = 3  # noqa: N815 - Spark's own spelling
    maxBins: int = 32  # noqa: N815
    maxIter: int = 5  # noqa: N815
    seed: int = 42
    name: str = "gbt"
    cover_rows: int = COVER_ROWS

    def parameters(self) -> dict[str, float]:
        """Hyperparameters by Spark's names."""
        return {key: value for key, value in asdict(self).items() if key not in {"name", "cover_rows"}}

    def fit(self, train: DataFrame, validate: DataFrame, encoder: FeatureEncoder) -> Fitted:
        """Fits in the JVM, then converts the trees; the parameters are fixed."""
        vectors = train.orderBy("complaint_id").select(array_to_vector("features").alias("features"), LABEL)
        classifier = GBTClassifier(featuresCol="features", labelCol=LABEL, **self.parameters())
        drawn = train.orderBy(F.xxhash64("complaint_id")).select("features").limit(self.cover_rows)
        sample = drawn.toArrow().column("features").combine_chunks()
        return Fitted(booster_from_spark(classifier.fit(vectors), block_of(sample)))


@dataclass(frozen=True)
class XgboostEngine:
    """Distributed XGBoost, histogram trees fitted by `num_workers` Spark tasks at once, next to a linear score.

    The linear score learns many small effects from few rows. Shallow, slow trees learn interactions between features,
    and stop when they no longer help on the validation split.
    """

    n_estimators: int = 600
    max_depth: int = 3
    learning_rate: float = 0.03
    subsample: float = 0.7
    colsample_bytree: float = 0.3
    min_child_weight: float = 20.0
    reg_lambda: float = 20.0
    early_stopping_rounds: int = 30
    seed: int = 42
    num_workers: int = 1
    name: str = "xgboost"

    def parameters(self) -> dict[str, float]:
        """Hyperparameters by XGBoost's names."""
        return {key: value for key, value in asdict(self).items() if key != "name"}

    def fit(self, train: DataFrame, validate: DataFrame, encoder: FeatureEncoder) -> Fitted:
        """Fits the trees in the Python workers, and the linear score on the driver."""
        from xgboost.spark import SparkXGBClassifier  # takes a second to import

        rows = train.withColumn("is_later", F.lit(False)).unionAll(validate.withColumn("is_later", F.lit(True)))
        classifier = SparkXGBClassifier(
            features_col="features",
            label_col=LABEL,
            validation_indicator_col="is_later",
            eval_metric="logloss",
            tree_method="hist",
            verbosity=0,
            verbose=False,
            **self.parameters(),
        )
        booster = classifier.fit(rows.orderBy("complaint_id").select("features", LABEL, "is_later")).get_booster()
        best = booster[: booster.best_iteration + 1]
        best.set_param({"nthread": 1})
        return Fitted(best, fit_linear(train, validate, encoder))


ENGINES: Mapping[str, Engine] = {engine.name: engine for engine in (GbtEngine(), XgboostEngine())}


BOTH = "both"
"""The value of `--engine` for which every engine fits a candidate."""


def candidates(name: str, workers: int = 1) -> tuple[Engine, ...]:
    """Looks up the engines that compete: the named one, or for BOTH all of them.

    Raises:
        UsageError: No engine has that name.
    """
    names = ENGINES if name == BOTH else (name,)
    return tuple(engine(each, workers) for each in names)


def engine(name: str, workers: int = 1) -> Engine:
    """Looks up an engine.

    Args:
        name: The value of `--engine`.
        workers: Spark tasks that XGBoost trains in; Spark ML uses all that the session has.

    Raises:
        UsageError: No engine has that name.
    """
    if name not in ENGINES:
        raise UsageError(f"engine: found '{name}', allowed: {', '.join((*ENGINES, BOTH))}")
    found = ENGINES[name]
    return replace(found, num_workers=workers) if isinstance(found, XgboostEngine) else found
