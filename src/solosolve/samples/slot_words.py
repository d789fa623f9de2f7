"""The words that fill the slots of a sentence.

The narrative's redactions decide how `{name}` and `{date}` are filled, and `{amount}` is exact only in narratives with
amounts. `{thing}`, `{firm}` and `{remedy}` depend on the product family; `{count}` and `{span}` on nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solosolve.samples.distributions import read_statistics

AMOUNT_POOL_SIZE = 4000
"""Number of exact amounts that narratives choose from."""

THINGS = {
    "report": ("credit report", "credit file", "report"),
    "debt": ("alleged debt", "account in collection", "old bill"),
    "mortgage": ("mortgage", "home loan", "mortgage account"),
    "card": ("credit card", "card account", "card"),
    "bank": ("checking account", "bank account", "savings account"),
    "student": ("student loan", "student loans", "federal loan"),
    "vehicle": ("auto loan", "car loan", "vehicle lease"),
    "loan": ("loan", "personal loan", "installment loan"),
    "transfer": ("transfer", "wallet account", "wire"),
}
FIRMS = {
    "report": ("the bureau", "the agency"),
    "debt": ("the collector", "the agency"),
    "mortgage": ("the servicer", "the lender"),
    "card": ("the card issuer", "the bank"),
    "bank": ("the bank", "the branch"),
    "student": ("the loan servicer", "the servicer"),
    "vehicle": ("the finance company", "the lender"),
    "loan": ("the lender", "the loan company"),
    "transfer": ("the payment company", "the app"),
}
REMEDIES = {
    "report": ("a deletion of the entry", "a corrected report", "the removal of this item"),
    "debt": ("proof of the debt", "an end to the collection", "a zero balance letter"),
    "mortgage": ("a proper payment history", "a review of my file", "a corrected escrow analysis"),
    "card": ("a refund", "a statement credit", "my fee back"),
    "bank": ("my money back", "access to my account", "a refund"),
    "student": ("the right payment count", "an income based plan", "a corrected balance"),
    "vehicle": ("my title", "a refund", "a corrected payoff"),
    "loan": ("a refund", "a payment plan", "a paid in full letter"),
    "transfer": ("my money back", "a refund", "the transfer completed"),
}
PLAIN_NAMES = ("the manager", "a clerk", "their office", "the agent", "the desk", "a man there", "a lady there")
REDACTED_NAMES = ("XXXX", "XXXX XXXX", "XXXX", "XXXX XXXX XXXX")
PLAIN_DATES = (
    "the first of the month",
    "the due date",
    "that Friday",
    "a Monday",
    "the same day",
    "the 15th",
    "New Year's Day",
)
REDACTED_DATES = ("XX/XX/XXXX",)
VAGUE_AMOUNTS = ("the full sum", "that sum", "the money", "the balance", "the charge")
COUNTS = ("two", "three", "four", "five", "six", "seven", "eight", "a dozen", "several", "many")
SPANS = ("three days", "a week", "two weeks", "three weeks", "a month", "two months", "half a year", "a year")


def words_by_slot(product_families: Sequence[str]) -> dict[str, list[Sequence[str]]]:
    """Returns the word lists of every slot.

    Args:
        product_families: Names of the product families; their order numbers the lists of family-dependent slots.

    Returns:
        The word lists by slot: plain and redacted (for amounts, vague and exact), or one per product family, or one.
    """
    return {
        "name": [PLAIN_NAMES, REDACTED_NAMES],
        "date": [PLAIN_DATES, REDACTED_DATES],
        "amount": [VAGUE_AMOUNTS, _exact_amounts()],
        "thing": [THINGS[family] for family in product_families],
        "firm": [FIRMS[family] for family in product_families],
        "remedy": [REMEDIES[family] for family in product_families],
        "count": [COUNTS],
        "span": [SPANS],
    }


def _exact_amounts() -> list[str]:
    """Returns amounts in the publisher's notation, `{$120.00}`, distributed like the published ones."""
    share, value = np.array(read_statistics("narratives")["amount_quantiles"]).T
    uniform = np.random.default_rng(120).random(AMOUNT_POOL_SIZE) * share[-1]
    return [f"{{${amount:.2f}}}" for amount in np.expm1(np.interp(uniform, share, np.log1p(value)))]
