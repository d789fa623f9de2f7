"""Products across the Bureau's renamings, so that a complaint of today is compared with those of the past.

The names are those of the published complaints; new ones came into use on 2017-04-24 and 2023-08-24.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "Bank account": ("Bank account or service", "Checking or savings account"),
    "Card": ("Credit card", "Credit card or prepaid card", "Prepaid card"),
    "Credit report": (
        "Credit reporting",
        "Credit reporting, credit repair services, or other personal consumer reports",
        "Credit reporting or other personal consumer reports",
    ),
    "Money transfer": (
        "Money transfers",
        "Money transfer, virtual currency, or money service",
        "Virtual currency",
        "Other financial service",
    ),
    "Payday or personal loan": (
        "Payday loan",
        "Payday loan, title loan, or personal loan",
        "Payday loan, title loan, personal loan, or advance loan",
    ),
    # Two thirds of the consumer loans were vehicle loans and leases.
    "Vehicle or consumer loan": ("Consumer Loan", "Vehicle loan or lease"),
}

PRODUCT_FAMILIES: Mapping[str, str] = MappingProxyType(
    {product: family for family, products in _FAMILIES.items() for product in products}
)
"""Product to family. A product that was never renamed is a family of its own."""
