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
from solosolve.model.spark_trees import booster_from_spark
from solosolve.names import LABEL

COVER_ROWS = 50_000
"""Training rows that the nodes' cover, and so the SHAP values, of Spark's trees are computed from."""


class Engine(Protocol):
    """A way to fit boosted trees."""

    @property
    def name(self) -> str:
        """The engine's name for `--engine`."""

    def parameters(self) -> dict[str, float]:
        """Hyperparameters by name."""

    def fit(self, labelled: DataFrame) -> xgb.Booster:
        """Fits trees.

        Args:
            labelled: `complaint_id`, `features` ARRAY<FLOAT> and the label DOUBLE, none null; rows in any order.

        Returns:
            The trees; equal for equal rows, whatever their order.
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

    def fit(self, labelled: DataFrame) -> xgb.Booster:
        """Fits in the JVM, then converts the trees."""
        vectors = labelled.orderBy("complaint_id").select(array_to_vector("features").alias("features"), LABEL)
        classifier = GBTClassifier(featuresCol="features", labelCol=LABEL, **self.parameters())
        drawn = labelled.orderBy(F.xxhash64("complaint_id")).select("features").limit(self.cover_rows)
        sample = drawn.toArrow().column("features").combine_chunks()
        features = sample.values.to_numpy().reshape(len(sample), -1)
        return booster_from_spark(classifier.fit(vectors), features)


@dataclass(frozen=True)
class XgboostEngine:
    """Distributed XGBoost: histogram trees, fitted by `num_workers` Spark tasks at once.

    Shallow trees, a slow learning rate, and row and column sampling suit labels whose variance is mostly noise: only a
    few per cent of it can be explained.
    """

    n_estimators: int = 120
    max_depth: int = 3
    learning_rate: float = 0.08
    subsample: float = 0.8
    colsample_bytree: float = 0.5
    min_child_weight: float = 5.0
    reg_lambda: float = 5.0
    seed: int = 42
    num_workers: int = 1
    name: str = "xgboost"

    def parameters(self) -> dict[str, float]:
        """Hyperparameters by XGBoost's names."""
        return {key: value for key, value in asdict(self).items() if key != "name"}

    def fit(self, labelled: DataFrame) -> xgb.Booster:
        """Fits in the Python workers."""
        from xgboost.spark import SparkXGBClassifier  # takes a second to import

        classifier = SparkXGBClassifier(
            features_col="features",
            label_col=LABEL,
            tree_method="hist",
            verbosity=0,
            verbose=False,
            **self.parameters(),
        )
        booster = classifier.fit(labelled.orderBy("complaint_id").select("features", LABEL)).get_booster()
        booster.set_param({"nthread": 1})
        return booster


ENGINES: Mapping[str, Engine] = {engine.name: engine for engine in (GbtEngine(), XgboostEngine())}


def engine(name: str, workers: int = 1) -> Engine:
    """Looks up an engine.

    Args:
        name: The value of `--engine`.
        workers: Spark tasks that XGBoost trains in; Spark ML uses all that the session has.

    Raises:
        UsageError: No engine has that name.
    """
    if name not in ENGINES:
        raise UsageError(f"engine: found '{name}', allowed: {', '.join(ENGINES)}")
    found = ENGINES[name]
    return replace(found, num_workers=workers) if isinstance(found, XgboostEngine) else found
