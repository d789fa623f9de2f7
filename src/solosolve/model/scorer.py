"""The one scorer: raw complaint columns in, probability of success out, for batch, stream and dashboard."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xgboost as xgb
from pydantic import BaseModel, ConfigDict

from solosolve.errors import ModelError
from solosolve.model.blend import Blend
from solosolve.model.encoder import ENCODER_FILE, FILED_TYPES, FeatureEncoder
from solosolve.model.feature_kernel import Block
from solosolve.model.kernels import TopCategories
from solosolve.model.linear import LinearScore
from solosolve.model.metrics import Floats
from solosolve.names import THRESHOLD

_TREES_FILE, _MANIFEST_FILE = "boosted_trees.ubj", "model.json"
_FORMER_TREES_FILE = "trees.ubj"
"""The trees of versions from before there was a formula, and so a manifest."""

INTERCEPT = "(base)"
"""The name under which `explain` gives the average, which is not a feature."""


class Formula(BaseModel):
    """What a model has besides trees.

    Attributes:
        linear: The linear score, if it has one.
        blend: From both parts' log-odds to probability and prediction; None for versions from before there was one,
            whose trees give the probability.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    linear: LinearScore | None = None
    blend: Blend | None = None


@dataclass(frozen=True)
class ComplaintScorer:
    """A fitted encoder, and a linear score and boosted trees that read its features.

    Both training engines end as one XGBoost `Booster`, so there is one way to score. It needs no JVM, and exact SHAP
    values (Lundberg et al., TreeSHAP, 2018) come with it.

    Attributes:
        encoder: Raw complaint columns to features.
        booster: The trees.
        formula: The linear score and the calibration.
    """

    encoder: FeatureEncoder
    booster: xgb.Booster
    formula: Formula = field(default_factory=Formula)

    def score(self, complaints: pa.RecordBatch) -> Floats:
        """Scores complaints.

        Args:
            complaints: Raw columns with the types of FILED_TYPES; other columns are ignored.

        Returns:
            Probabilities, shape (rows,). A row's value does not depend on the other rows.

        Raises:
            ModelError: A column that the features need is missing or has another type.
        """
        return self.score_features(self.encoder.encode(self._checked(complaints)))

    @property
    def threshold(self) -> float:
        """Probability from which success is predicted."""
        return THRESHOLD if self.formula.blend is None else self.formula.blend.threshold

    def score_features(self, features: Block) -> Floats:
        """Scores rows of encoded features, shape (rows, len(encoder.names)), to probabilities, shape (rows,)."""
        if len(features) == 0:
            return np.empty(0)
        if self.formula.blend is None:
            return self.booster.inplace_predict(features).astype(np.float64)
        return self.formula.blend.probability(*self.log_odds(features))

    def log_odds(self, features: Block) -> tuple[Floats | None, Floats]:
        """The log-odds of the linear score, if there is one, and of the trees, each of shape (rows,)."""
        linear = self.formula.linear
        trees = self.booster.inplace_predict(features, predict_type="margin").astype(np.float64)
        return None if linear is None else linear.log_odds(features), trees

    def explain(self, complaints: pa.RecordBatch) -> list[dict[str, float]]:
        """Attributes each probability to the features.

        Args:
            complaints: As for `score`.

        Returns:
            For each row, feature name to SHAP value in log-odds, largest effect first; INTERCEPT is the average.
            The values add up to the log-odds of the probability; what a feature adds through the linear score and
            through the trees is one value.

        Raises:
            ModelError: A column that the features need is missing or has another type.
        """
        features = self.encoder.encode(self._checked(complaints))
        if len(features) == 0:
            return []
        effects = self.booster.predict(xgb.DMatrix(features), pred_contribs=True).astype(np.float64)
        linear, blend = self.formula.linear, self.formula.blend
        if blend is not None:
            effects *= blend.trees
            effects[:, -1] += blend.intercept
            if linear is not None:
                added, base = linear.contributions(features)
                effects += blend.linear * np.column_stack([added, np.full(len(features), base)])
        self._gather_categories(features, effects)
        names = [*self.encoder.names, INTERCEPT]
        return [
            {names[place]: float(row[place]) for place in np.argsort(-np.abs(row), kind="stable")} for row in effects
        ]

    def _gather_categories(self, features: Block, effects: Floats) -> None:
        """Gives each column's present category the effects of the absent ones: nobody looks for those."""
        end = 0
        for kernel in self.encoder.kernels:
            start, end = end, end + len(kernel.names)
            if isinstance(kernel, TopCategories):
                total, present = effects[:, start:end].sum(axis=1), features[:, start:end].argmax(axis=1)
                effects[:, start:end] = 0
                effects[np.arange(len(effects)), start + present] = total

    def importances(self) -> dict[str, float]:
        """Each feature's share of the trees' total gain, largest first, without the features that no tree uses."""
        gains = self.booster.get_score(importance_type="total_gain")
        total = sum(gains.values()) or 1.0
        by_name = {self.encoder.names[int(key.removeprefix("f"))]: gain / total for key, gain in gains.items()}
        return dict(sorted(by_name.items(), key=lambda item: -item[1]))

    def save(self, folder: Path) -> None:
        """Writes the scorer's three files into an existing folder."""
        (folder / ENCODER_FILE).write_text(self.encoder.model_dump_json(indent=1), encoding="utf-8")
        self.booster.save_model(folder / _TREES_FILE)
        hashes = {name: _sha256(folder / name) for name in (ENCODER_FILE, _TREES_FILE)}
        manifest = _Manifest(formula=self.formula, sha256=hashes)
        (folder / _MANIFEST_FILE).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote.

        Raises:
            ModelError: A file is missing or broken, or the parts do not have the same number of features.
        """
        try:
            trees, formula = _checked_files(folder)
            encoder = FeatureEncoder.model_validate_json((folder / ENCODER_FILE).read_bytes())
            booster = xgb.Booster(params={"nthread": 1}, model_file=folder / trees)
        except (OSError, ValueError, xgb.core.XGBoostError) as error:
            raise ModelError(f"cannot load a model from {folder}: {str(error).splitlines()[0]}") from error
        made = len(encoder.names)
        if booster.num_features() != made:
            raise ModelError(
                f"cannot load the model in {folder}: {trees} expects {booster.num_features()} features, but "
                f"{ENCODER_FILE} makes {made}"
            )
        if formula.linear is not None and not 0 <= min(formula.linear.places) <= max(formula.linear.places) < made:
            raise ModelError(
                f"cannot load the model in {folder}: its linear score reads feature {max(formula.linear.places)}, but "
                f"{ENCODER_FILE} makes only {made}"
            )
        return cls(encoder, booster, formula)

    def _checked(self, complaints: pa.RecordBatch) -> pa.RecordBatch:
        for name in self.encoder.inputs:
            position = complaints.schema.get_field_index(name)
            found = complaints.schema.field(position).type if position >= 0 else "no such column"
            if found != FILED_TYPES[name]:
                raise ModelError(f"column {name}: found {found}, the model needs {FILED_TYPES[name]}")
        return complaints


class _Manifest(BaseModel):
    """The formula, and what the other files must hash to: XGBoost crashes on some files that are cut off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    formula: Formula
    sha256: dict[str, str]


def _checked_files(folder: Path) -> tuple[str, Formula]:
    """The name of the file with the trees, and the formula, once the files are what was saved."""
    if (folder / _FORMER_TREES_FILE).exists():
        return _FORMER_TREES_FILE, Formula()
    manifest = _Manifest.model_validate_json((folder / _MANIFEST_FILE).read_bytes())
    for name in (ENCODER_FILE, _TREES_FILE):
        if _sha256(folder / name) != manifest.sha256.get(name):
            raise ValueError(f"{name} is not the file that {_MANIFEST_FILE} describes")
    return _TREES_FILE, manifest.formula


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def as_raw_complaints(complaints: pa.Table) -> pa.RecordBatch:
    """Casts the filed columns to FILED_TYPES, dates from ISO text, and drops all other columns.

    Raises:
        ModelError: A value cannot be cast.
    """
    try:
        columns = {
            name: pc.cast(complaints.column(name), kind).combine_chunks()
            for name, kind in FILED_TYPES.items()
            if name in complaints.column_names
        }
    except pa.ArrowInvalid as error:
        raise ModelError(f"a complaint column has a value of the wrong type: {error}") from error
    return pa.RecordBatch.from_pydict(columns)
