"""The feature sets: which columns that are known at filing become features, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from solosolve.errors import LeakageError, UsageError
from solosolve.model.families import FAMILIES
from solosolve.names import CATEGORY_COUNT, FILED_COLUMNS, OUTCOME_COLUMNS

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
        categorical: Columns to one-hot encode, and how many of their most frequent values to distinguish.
        term_buckets: Buckets that the narrative's words are hashed into.
        topics: Number of topics of the narrative.
        patterns: Keys of PATTERNS, counted in the narrative.
        renamed: For some categorical columns, the values that count as another one.

    Raises:
        LeakageError: A column is not known when a complaint is filed.
    """

    name: str
    categorical: Mapping[str, int]
    term_buckets: int
    topics: int = 0
    patterns: tuple[str, ...] = ()
    renamed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for column in self.categorical:
            require_filed_column(column)


_BASELINE_COLUMNS = ("product", "company", "state", "submitted_via")
FEATURE_SETS: Mapping[str, FeatureSet] = MappingProxyType(
    {
        chosen.name: chosen
        for chosen in (
            FeatureSet("baseline", dict.fromkeys(_BASELINE_COLUMNS, CATEGORY_COUNT), term_buckets=50),
            FeatureSet(
                "default",
                dict.fromkeys((*_BASELINE_COLUMNS, "issue", "sub_issue", "sub_product", "tags"), CATEGORY_COUNT)
                | {"company": 100, "issue": 100},
                term_buckets=128,
                topics=50,
                patterns=tuple(PATTERNS),
                renamed={"product": FAMILIES["product"]},
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
