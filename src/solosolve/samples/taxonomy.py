"""What complaints are about: issue by period, then product, sub-product and sub-issue as each era named them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.calibration import Conditional, Ints, Texts, as_texts, read_figures


@dataclass(frozen=True)
class Subjects:
    """The subjects of a batch, as codes into `Taxonomy`'s names."""

    issue: Ints
    product: Ints
    sub_product: Ints
    sub_issue: Ints
    issue_topic: Ints
    topic: Ints
    group: Ints


@dataclass(frozen=True)
class Taxonomy:
    """Names, and the distributions that tie them together.

    A topic is a family of products (nine of them); a group is a family of issues that is written about alike.
    """

    products: Texts
    sub_products: Texts
    issues: Texts
    sub_issues: Texts
    topics: tuple[str, ...]
    groups: tuple[str, ...]
    product_topic: Ints
    issue_topic: Ints
    issue_group: Ints
    issue_by_period: Conditional
    combination_by_issue: Conditional
    combinations: Ints

    def draw(self, rng: np.random.Generator, period: Ints, era: Ints) -> Subjects:
        """Draws a subject for each complaint from its period and its era of product names."""
        issue = self.issue_by_period.draw(rng, period)
        combination = self.combination_by_issue.draw(rng, era * len(self.issues) + issue)
        product, sub_product, sub_issue = self.combinations[combination].T
        return Subjects(
            issue=issue,
            product=product,
            sub_product=sub_product,
            sub_issue=sub_issue,
            issue_topic=self.issue_topic[issue],
            topic=self.product_topic[product],
            group=self.issue_group[issue],
        )


@cache
def load_taxonomy() -> Taxonomy:
    """Reads `taxonomy.json`; a combination is `product, sub-product, sub-issue, count`, four numbers in a row."""
    figures = read_figures("taxonomy")
    combinations: list[list[int]] = []
    distributions: list[tuple[list[int], list[float]]] = []
    for era in figures["combinations"]:
        for flat in era:
            rows = [flat[at : at + 4] for at in range(0, len(flat), 4)]
            first = len(combinations)
            combinations += [row[:3] for row in rows]
            distributions.append((list(range(first, first + len(rows))), [row[3] for row in rows]))
    return Taxonomy(
        products=as_texts(figures["products"]),
        sub_products=as_texts(figures["sub_products"]),
        issues=as_texts(figures["issues"]),
        sub_issues=as_texts(figures["sub_issues"]),
        topics=tuple(figures["topics"]),
        groups=tuple(figures["groups"]),
        product_topic=np.array(figures["product_topic"], dtype=np.int64),
        issue_topic=np.array(figures["issue_topic"], dtype=np.int64),
        issue_group=np.array(figures["issue_group"], dtype=np.int64),
        issue_by_period=Conditional.of_pairs(figures["issues_by_period"]),
        combination_by_issue=Conditional.of(distributions),
        combinations=np.array(combinations, dtype=np.int64),
    )
