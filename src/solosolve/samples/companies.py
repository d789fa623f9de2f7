"""Whom complaints are about: the companies named most often, and a long tail of made-up ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.calibration import Bools, Conditional, Days, Floats, Ints, Steps, Texts, as_texts, read_figures

TAIL_PER_TOPIC = 1200
"""Made-up companies of each product family; their names allow for 1,728."""

TAIL_EXPONENT = 0.7
"""Rank-frequency exponent of the tail: the first is met about 140 times as often as the last."""

EFFECT_SD = 0.18
TAIL_EFFECT_MEAN = -0.10
"""Planted: how far companies differ in resolving complaints (log-odds), and how the small ones compare."""

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
FORMS = (
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
    """Company names, their distribution by era and product family, and their planted effect on the outcome."""

    names: Texts
    effects: Floats
    named_count: int
    topic_count: int
    eras: Steps
    by_era_and_topic: Conditional

    def draw(self, rng: np.random.Generator, days: Days, topic: Ints) -> Ints:
        """Draws each complaint's company code from its day and its product's family."""
        return self.by_era_and_topic.draw(rng, self.eras.at(days) * self.topic_count + topic)

    def is_tail(self, company: Ints) -> Bools:
        """Says which companies are made-up small ones."""
        return company >= self.named_count


def tail_name(topic: str, rank: int) -> str:
    """Returns the made-up name of the tail's company of this family and rank, such as `Cedar Bend Mortgage, LLC`."""
    trades = TRADES[topic]
    tree = TREES[rank % 12]
    place = PLACES[rank // 12 % 12]
    form = FORMS[(rank + rank // 144) % 12]
    return f"{tree} {place} {trades[rank % len(trades)]} {form}".replace(" ,", ",")


@cache
def load_companies() -> Companies:
    """Reads `people.json`'s companies and adds the tail and the planted effects, which no seed changes."""
    figures = read_figures("people")
    topics = read_figures("taxonomy")["topics"]
    named = figures["companies"]
    tail = [tail_name(topic, rank) for topic in topics for rank in range(TAIL_PER_TOPIC)]
    zipf = np.arange(1, TAIL_PER_TOPIC + 1, dtype=np.float64) ** -TAIL_EXPONENT
    distributions: list[tuple[Ints, Floats]] = []
    for era in figures["company_counts"]:
        for topic, cell in enumerate(era):
            first = len(named) + topic * TAIL_PER_TOPIC
            codes = np.concatenate([np.array(cell["named"][::2], np.int64), np.arange(first, first + TAIL_PER_TOPIC)])
            counts = np.concatenate([np.array(cell["named"][1::2], np.float64), zipf / zipf.sum() * cell["tail"]])
            distributions.append((codes, counts))
    fixed = np.random.default_rng(2017)
    effects = fixed.normal(0.0, EFFECT_SD, len(named) + len(tail))
    effects[len(named) :] += TAIL_EFFECT_MEAN
    return Companies(
        names=as_texts(named + tail),
        effects=effects,
        named_count=len(named),
        topic_count=len(topics),
        eras=Steps.of(figures["company_eras"]),
        by_era_and_topic=Conditional.of(distributions),
    )
