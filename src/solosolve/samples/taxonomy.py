"""What complaints are about: issue by quarter, then product, sub-product and sub-issue under the names of their time.

A product family groups related products (nine families); an issue group gathers issues whose narratives read alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.distributions import ConditionalDistribution, Ints, Texts, as_texts, read_statistics


@dataclass(frozen=True)
class Subjects:
    """The subjects of a batch, as codes into the names of `Taxonomy`.

    `product_family` is the family of the drawn product, `issue_product_family` the one in which the issue is most
    frequent.
    """

    issue: Ints
    product: Ints
    sub_product: Ints
    sub_issue: Ints
    issue_product_family: Ints
    product_family: Ints
    issue_group: Ints


@dataclass(frozen=True)
class Taxonomy:
    """Names of products and issues, and the distributions that relate them.

    `combinations` has one row of (product, sub-product, sub-issue) codes per published combination.
    """

    products: Texts
    sub_products: Texts
    issues: Texts
    sub_issues: Texts
    product_families: tuple[str, ...]
    issue_groups: tuple[str, ...]
    family_by_product: Ints
    family_by_issue: Ints
    group_by_issue: Ints
    issue_by_period: ConditionalDistribution
    combination_by_era_and_issue: ConditionalDistribution
    combinations: Ints

    def draw(self, rng: np.random.Generator, period: Ints, naming_era: Ints) -> Subjects:
        """Draws each complaint's subject from its quarter and the naming era it falls into."""
        issue = self.issue_by_period.draw(rng, period)
        condition = naming_era * len(self.issues) + issue
        combination = self.combination_by_era_and_issue.draw(rng, condition)
        product, sub_product, sub_issue = self.combinations[combination].T
        return Subjects(
            issue=issue,
            product=product,
            sub_product=sub_product,
            sub_issue=sub_issue,
            issue_product_family=self.family_by_issue[issue],
            product_family=self.family_by_product[product],
            issue_group=self.group_by_issue[issue],
        )


@cache
def load_taxonomy() -> Taxonomy:
    """Reads `taxonomy.json`, where four numbers in a row are a product, sub-product, sub-issue and their count."""
    statistics = read_statistics("taxonomy")
    combinations: list[list[int]] = []
    distributions: list[tuple[list[int], list[float]]] = []
    for naming_era in statistics["combinations"]:
        for flat in naming_era:
            rows = [flat[at : at + 4] for at in range(0, len(flat), 4)]
            first = len(combinations)
            combinations += [row[:3] for row in rows]
            distributions.append((list(range(first, first + len(rows))), [row[3] for row in rows]))
    return Taxonomy(
        products=as_texts(statistics["products"]),
        sub_products=as_texts(statistics["sub_products"]),
        issues=as_texts(statistics["issues"]),
        sub_issues=as_texts(statistics["sub_issues"]),
        product_families=tuple(statistics["topics"]),
        issue_groups=tuple(statistics["groups"]),
        family_by_product=np.array(statistics["product_topic"], dtype=np.int64),
        family_by_issue=np.array(statistics["issue_topic"], dtype=np.int64),
        group_by_issue=np.array(statistics["issue_group"], dtype=np.int64),
        issue_by_period=ConditionalDistribution.from_pairs(statistics["issues_by_period"]),
        combination_by_era_and_issue=ConditionalDistribution.from_codes(distributions),
        combinations=np.array(combinations, dtype=np.int64),
    )
