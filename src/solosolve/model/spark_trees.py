"""Converts Spark ML's boosted trees to an XGBoost booster that gives the same probabilities."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xgboost as xgb
from pyspark.ml.classification import GBTClassificationModel

from solosolve.errors import ModelError
from solosolve.model.feature_kernel import Block

_TREE = re.compile(r"^\s*Tree \d+ \(weight (?P<weight>\S+)\):$")
_SPLIT = re.compile(r"^\s*If \(feature (?P<feature>\d+) <= (?P<threshold>\S+)\)$")
_ELSE = re.compile(r"^\s*Else \(feature \d+ > \S+\)$")
_LEAF = re.compile(r"^\s*Predict: (?P<value>\S+)$")
_NONE, _ROOT_PARENT = -1, 2147483647


@dataclass
class _Tree:
    """One tree as XGBoost's arrays. Node 0 is the root; a leaf has no children, and its value is its condition."""

    factor: float
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    feature: list[int] = field(default_factory=list)
    condition: list[float] = field(default_factory=list)

    def add(self, parent: int) -> int:
        """Appends an empty node and returns its number."""
        self.left.append(_NONE)
        self.right.append(_NONE)
        self.parent.append(parent)
        self.feature.append(0)
        self.condition.append(0.0)
        return len(self.left) - 1


def booster_from_spark(model: GBTClassificationModel, features: Block) -> xgb.Booster:
    """Converts a fitted model.

    Spark sends a row left if `x <= threshold`, XGBoost if `x < condition`. With the next float32 above the threshold as
    the condition, both decide alike for every float32 x. Spark's probability is 1 / (1 + exp(-2 margin)), so the leaves
    are doubled (Friedman, Greedy Function Approximation, 2001, eq. 21; Spark's `LogLoss`).

    Args:
        model: The model to convert.
        features: Training rows, shape (rows, features); SHAP values weight each node by how many of them reach it.

    Returns:
        A booster with the same trees; its probabilities are float32.

    Raises:
        ModelError: The model has a split other than `feature <= number`.
    """
    trees = _parse(model.toDebugString)
    skeleton = _skeleton(model.numFeatures)
    booster = _with_trees(skeleton, [_to_json(tree, np.ones(len(tree.left)), model.numFeatures) for tree in trees])
    leaves = booster.predict(xgb.DMatrix(features), pred_leaf=True).reshape(len(features), len(trees)).astype(np.int64)
    covers = [_covers(tree, leaves[:, place]) for place, tree in enumerate(trees)]
    return _with_trees(
        skeleton, [_to_json(tree, cover, model.numFeatures) for tree, cover in zip(trees, covers, strict=True)]
    )


def _parse(text: str) -> list[_Tree]:
    lines = iter(text.splitlines()[1:])
    trees = []
    for line in lines:
        if not (header := _TREE.match(line)):
            raise ModelError(f"cannot convert Spark's trees: expected the start of a tree, found {line.strip()!r}")
        tree = _Tree(factor=2 * float(header["weight"]))
        _parse_node(lines, tree, tree.add(_ROOT_PARENT))
        trees.append(tree)
    return trees


def _parse_node(lines: Iterator[str], tree: _Tree, node: int) -> None:
    line = next(lines, "the end of the text")
    if leaf := _LEAF.match(line):
        tree.condition[node] = tree.factor * float(leaf["value"])
        return
    if not (split := _SPLIT.match(line)):
        raise ModelError(f"cannot convert Spark's trees: expected a numeric split or a leaf, found {line.strip()!r}")
    tree.feature[node], tree.condition[node] = int(split["feature"]), _next_above(float(split["threshold"]))
    # The children must be neighbours: XGBoost takes the node after the left child as the right child, whatever
    # `right_children` says.
    tree.left[node], tree.right[node] = tree.add(node), tree.add(node)
    _parse_node(lines, tree, tree.left[node])
    otherwise = next(lines, "the end of the text")
    if not _ELSE.match(otherwise):
        raise ModelError(f"cannot convert Spark's trees: expected the Else of a split, found {otherwise.strip()!r}")
    _parse_node(lines, tree, tree.right[node])


def _next_above(threshold: float) -> float:
    """The smallest float32 above every float32 that is at most the threshold."""
    nearest = np.float32(threshold)
    # Compare as doubles: NumPy compares a float32 with a Python float as float32.
    return float(nearest if float(nearest) > threshold else np.nextafter(nearest, np.float32(np.inf)))


def _covers(tree: _Tree, leaves: Any) -> Any:
    """How many rows pass each node."""
    covers = np.bincount(leaves, minlength=len(tree.left)).astype(float)
    # Children have higher numbers than their parents.
    for node in range(len(tree.left) - 1, 0, -1):
        covers[tree.parent[node]] += covers[node]
    # TreeSHAP divides by the cover, which is zero in a node that no row reaches.
    return np.maximum(covers, 1e-6)


def _skeleton(feature_count: int) -> dict[str, Any]:
    """The JSON of a one-tree booster, in the format of the installed XGBoost version."""
    data = xgb.DMatrix(np.zeros((2, feature_count), np.float32), label=[0, 1])
    one_tree = xgb.train({"objective": "binary:logistic", "base_score": 0.5, "nthread": 1}, data, num_boost_round=1)
    parsed: dict[str, Any] = json.loads(bytes(one_tree.save_raw("json")))
    return parsed


def _with_trees(skeleton: dict[str, Any], trees: list[dict[str, Any]]) -> xgb.Booster:
    learner = skeleton["learner"]
    model = learner["gradient_booster"]["model"]
    model["trees"] = [tree | {"id": number} for number, tree in enumerate(trees)]
    model["tree_info"] = [0] * len(trees)
    model["iteration_indptr"] = list(range(len(trees) + 1))
    model["gbtree_model_param"]["num_trees"] = str(len(trees))
    booster = xgb.Booster(params={"nthread": 1})
    booster.load_model(bytearray(json.dumps(skeleton), "utf-8"))
    booster.set_param({"nthread": 1})
    return booster


def _to_json(tree: _Tree, covers: Any, feature_count: int) -> dict[str, Any]:
    count = len(tree.left)
    means = _mean_leaves(tree, covers)
    return {
        "base_weights": list(map(float, means)),
        "categories": [],
        "categories_nodes": [],
        "categories_segments": [],
        "categories_sizes": [],
        "default_left": [0] * count,
        "left_children": tree.left,
        "loss_changes": _gains(tree, covers, means),
        "parents": tree.parent,
        "right_children": tree.right,
        "split_conditions": tree.condition,
        "split_indices": tree.feature,
        "split_type": [0] * count,
        "sum_hessian": list(map(float, covers)),
        "tree_param": {
            "num_deleted": "0",
            "num_feature": str(feature_count),
            "num_nodes": str(count),
            "size_leaf_vector": "1",
        },
    }


def _mean_leaves(tree: _Tree, covers: Any) -> Any:
    """For each node, the mean of the leaves below it, weighted by cover."""
    sums = np.array(
        [tree.condition[node] * covers[node] if tree.left[node] == _NONE else 0.0 for node in range(len(covers))]
    )
    for node in range(len(covers) - 1, 0, -1):
        sums[tree.parent[node]] += sums[node]
    return sums / covers


def _gains(tree: _Tree, covers: Any, means: Any) -> list[float]:
    """How much each split reduces the sum of squares, without the tree's weight, as in Spark's importances."""
    squares = covers * (means / tree.factor) ** 2
    children = zip(tree.left, tree.right, strict=True)
    return [
        0.0 if left == _NONE else max(0.0, float(squares[left] + squares[right] - squares[node]))
        for node, (left, right) in enumerate(children)
    ]
