"""What moved a probability, in words that a person reads: single words of the text, and features by plain names."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from solosolve.model.word_kernels import TERM_PREFIX, TOPIC_PREFIX
from solosolve.names import OTHER_CATEGORY

ABSENT_WORDS = "words that are not there"

_NAMES = MappingProxyType(
    {
        "narrative_length": "length of the text",
        "date_received_month": "month of receipt",
        "redaction_count": "redactions (XXXX)",
        "amount_count": "amounts of money",
        "question_count": "question marks",
        "exclamation_count": "exclamation marks",
        "number_count": "numbers",
    }
)


@dataclass(frozen=True)
class Effect:
    """What one thing adds to a complaint's log-odds of success.

    Attributes:
        name: What it is, such as `product: Mortgage`.
        log_odds: Its contribution.
        word: The word of the text that it is, in lower case; empty for anything else.
    """

    name: str
    log_odds: float
    word: str = ""


def readable_effects(
    contributions: Mapping[str, float], shares: Mapping[str, Mapping[str, float]], complaint: Mapping[str, object]
) -> list[Effect]:
    """Names the contributions of features.

    A feature that reads words (a bucket of hashed words, a topic) means nothing to a person, so its contribution is
    divided among the words of the text that it reads, by their shares. Features whose words the text lacks are summed.

    Args:
        contributions: Feature name to contribution, in log-odds.
        shares: Feature name to word to share, from `FeatureEncoder.word_shares`.
        complaint: The filed columns, which tell which rare value a category of all rarer ones means here.

    Returns:
        The effects, largest first; their sum is that of the contributions.
    """
    of_words: dict[str, list[float]] = {}
    absent, others = [], []
    for feature, contribution in contributions.items():
        if feature in shares:
            for word, share in shares[feature].items():
                of_words.setdefault(word, []).append(share * contribution)
        elif feature.startswith((TERM_PREFIX, TOPIC_PREFIX)):
            absent.append(contribution)
        else:
            others.append(Effect(_readable(feature, complaint), contribution))
    effects = [*others, *(Effect(f"“{word}”", math.fsum(parts), word) for word, parts in of_words.items())]
    if absent:
        effects.append(Effect(ABSENT_WORDS, math.fsum(absent)))
    return sorted(effects, key=lambda effect: -abs(effect.log_odds))


def percentage_points(effects: Iterable[Effect], log_odds: float) -> list[tuple[Effect, float]]:
    """Turns contributions in log-odds into points of probability.

    An effect's points are what the probability would lose without it, everything else unchanged: with s the logistic
    function, 100 * (s(x) - s(x - c)) for the complaint's log-odds x and the contribution c. The curve is not straight,
    so points do not add up; contributions in log-odds do.

    Args:
        effects: The effects.
        log_odds: The log-odds that the average and all effects add up to.

    Returns:
        Each effect with its points, from -100 to 100.
    """
    probability = logistic(log_odds)
    return [(effect, 100 * (probability - logistic(log_odds - effect.log_odds))) for effect in effects]


def logistic(value: float) -> float:
    """Turns log-odds into a probability."""
    # Written with tanh, which does not overflow.
    return (1 + math.tanh(value / 2)) / 2


def _readable(feature: str, complaint: Mapping[str, object]) -> str:
    column, is_category, value = feature.partition("=")
    if not is_category:
        return _NAMES.get(feature, feature.replace("_", " "))
    if value == OTHER_CATEGORY:
        value = f"{complaint[column]} (rarer ones together)" if complaint.get(column) else "none"
    return f"{column.replace('_', ' ')}: {value}"
