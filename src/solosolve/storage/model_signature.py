"""What a registered version takes and returns, an example of it, and what it needs."""

from __future__ import annotations

from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, DataType, Schema

from solosolve.names import FILED_COLUMNS

REQUIREMENTS = ("mmh3", "numpy", "pandas", "pyarrow", "pydantic", "scipy", "xgboost-cpu")
EXAMPLE = {
    "date_received": "2017-01-15",
    "product": "Mortgage",
    "sub_product": "Conventional fixed mortgage",
    "issue": "Loan servicing, payments, escrow account",
    "sub_issue": None,
    "consumer_complaint_narrative": "My payment of {$100.00} was not applied to the account.",
    "company": "Example Bank",
    "state": "CA",
    "zip_code": "900XX",
    "tags": None,
    "submitted_via": "Web",
}
"""A made-up complaint as text, so that no personal text becomes an input example."""

SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(DataType.string, name, required=EXAMPLE[name] is not None) for name in FILED_COLUMNS]),
    outputs=Schema([ColSpec(DataType.double, "probability"), ColSpec(DataType.double, "prediction")]),
)
