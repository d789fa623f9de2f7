"""Whom complaints are about: the companies with the most complaints, and a long tail of made-up ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.distributions import (
    Bools,
    ConditionalDistribution,
    DateBins,
    Dates,
    Floats,
    Ints,
    Texts,
    as_texts,
    read_statistics,
)

TAIL_PER_FAMILY = 1200
"""Made-up companies per product family; `tail_name` has 1,728 names for each."""

TAIL_EXPONENT = 0.7
"""Zipf exponent of the tail: its largest company gets about 140 times as many complaints as its smallest."""

EFFECT_SD = 0.18
TAIL_EFFECT_MEAN = -0.10
"""Planted: how much companies differ in resolving complaints, and the mean effect of those in the tail (log-odds)."""

TREES = (
    "Alder",
    "Amber",
    "Bramble",
    "Cedar",
    "Clover",
    "Fallow",
    "Hazel",
    "Juniper",
    "Larkspur",
    "Maple",
    "Sedge",
    "Teal",
)
PLACES = (
    "Basin",
    "Bend",
    "Cove",
    "Crossing",
    "Falls",
    "Gap",
    "Hollow",
    "Landing",
    "Meadow",
    "Orchard",
    "Reach",
    "Spur",
)
LEGAL_FORMS = (
    "LLC",
    "Inc.",
    "Corp.",
    ", LLC",
    ", Inc.",
    "L.P.",
    "Group",
    "& Associates",
    "Partners",
    "Holdings",
    "Co.",
    "USA",
)

TRADES = {
    "report": ("Credit Data", "Consumer Reports Bureau", "Screening", "Credit Repair", "Background Data"),
    "debt": ("Recovery", "Receivables", "Collections", "Asset Recovery", "Account Services", "Portfolio Recovery"),
    "mortgage": ("Home Loans", "Mortgage", "Loan Servicing", "Home Lending", "Mortgage Servicing"),
    "card": ("Card Services", "Bankcard", "Prepaid", "Credit Services"),
    "bank": ("Bank", "Savings Bank", "Credit Union", "Community Bank"),
    "student": ("Student Lending", "Education Loans", "Tuition Finance"),
    "vehicle": ("Auto Finance", "Motor Credit", "Vehicle Leasing", "Auto Acceptance"),
    "loan": ("Cash Advance", "Installment Loans", "Finance", "Personal Lending"),
    "transfer": ("Payments", "Money Transfer", "Remittance", "Digital Wallet"),
}


@dataclass(frozen=True)
class Companies:
    """Company names, their distribution by era and product family, and their planted effects on the outcome."""

    names: Texts
    effects: Floats
    named_count: int
    product_family_count: int
    eras: DateBins
    by_era_and_product_family: ConditionalDistribution

    def draw(self, rng: np.random.Generator, dates: Dates, product_family: Ints) -> Ints:
        """Draws each complaint's company, as a code, from its date and product family."""
        condition = self.eras.find(dates) * self.product_family_count + product_family
        return self.by_era_and_product_family.draw(rng, condition)

    def is_tail(self, company: Ints) -> Bools:
        """Returns which companies are in the made-up tail."""
        return company >= self.named_count


def tail_name(product_family: str, rank: int) -> str:
    """Makes up a company name, such as `Cedar Bend Mortgage, LLC`, that no other family or rank gets."""
    trades = TRADES[product_family]
    tree = TREES[rank % 12]
    place = PLACES[rank // 12 % 12]
    legal_form = LEGAL_FORMS[(rank + rank // 144) % 12]
    return f"{tree} {place} {trades[rank % len(trades)]} {legal_form}".replace(" ,", ",")


@cache
def load_companies() -> Companies:
    """Reads the named companies from `people.json`; adds the tail and the planted effects, the same for every seed."""
    statistics = read_statistics("people")
    product_families = read_statistics("taxonomy")["topics"]
    named = statistics["companies"]
    tail = [tail_name(family, rank) for family in product_families for rank in range(TAIL_PER_FAMILY)]
    zipf = np.arange(1, TAIL_PER_FAMILY + 1, dtype=np.float64) ** -TAIL_EXPONENT
    distributions: list[tuple[Ints, Floats]] = []
    for era in statistics["company_counts"]:
        for family, cell in enumerate(era):
            first = len(named) + family * TAIL_PER_FAMILY
            codes = np.concatenate([np.array(cell["named"][::2], np.int64), np.arange(first, first + TAIL_PER_FAMILY)])
            counts = np.concatenate([np.array(cell["named"][1::2], np.float64), zipf / zipf.sum() * cell["tail"]])
            distributions.append((codes, counts))
    effects = np.random.default_rng(2017).normal(0.0, EFFECT_SD, len(named) + len(tail))
    effects[len(named) :] += TAIL_EFFECT_MEAN
    return Companies(
        names=as_texts(named + tail),
        effects=effects,
        named_count=len(named),
        product_family_count=len(product_families),
        eras=DateBins.from_starts(statistics["company_eras"]),
        by_era_and_product_family=ConditionalDistribution.from_codes(distributions),
    )
