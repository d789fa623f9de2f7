from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pyarrow as pa
import pytest

from solosolve.landing import normalise
from solosolve.names import COMPLAINTS_RAW
from solosolve.schemas import SCHEMAS
from solosolve.transforms.rules import (
    SCOPE_RULES,
    Typed,
    are_known,
    complaint_ids,
    has_readable_date_sent,
    has_valid_complaint_id,
    has_valid_date_received,
    known_texts,
    published_dates,
    success_labels,
    zip_codes,
)
from solosolve.transforms.silver import judge
from support.builders import record
from support.normalisation_cases import (
    COMPLAINT_ID_CASES,
    FILE_DATE_CASES,
    ISO_DATE_CASES,
    TEXT_CASES,
    ZIP_CODE_CASES,
    Case,
    generated_texts,
)

UNKNOWN = ("", "  ", "\n\t\r\n", "N/A", " N/A ", None)


def texts(values: list[str | None]) -> pa.Array:
    return pa.array(values, pa.string())


def typed(*rows: dict[str, Any]) -> Typed:
    """Records of `bronze.complaints`, each a `record` with overrides."""
    return Typed(pa.RecordBatch.from_pylist([record(**row) for row in rows], SCHEMAS[COMPLAINTS_RAW]))


@pytest.mark.parametrize(
    ("rule", "cases"),
    [
        (known_texts, TEXT_CASES),
        (published_dates, [*ISO_DATE_CASES, *FILE_DATE_CASES]),
        (complaint_ids, COMPLAINT_ID_CASES),
        (zip_codes, ZIP_CODE_CASES),
    ],
)
def test_rules_read_whole_columns(rule: Any, cases: list[Case]) -> None:
    read = rule(texts([case.text for case in cases])).to_pylist()
    assert dict(zip([case.name for case in cases], read, strict=True)) == {case.name: case.expected for case in cases}


def test_complaint_ids_of_plain_numbers_only() -> None:
    assert complaint_ids(texts(["1", "9" * 18])).to_pylist() == [1, 10**18 - 1]
    assert complaint_ids(texts([])).to_pylist() == []


def test_rules_read_generated_texts_as_the_functions_for_one_text_do() -> None:
    values = generated_texts(4_000)
    column = texts(values)
    assert known_texts(column).to_pylist() == [normalise.known(text) for text in values]
    assert complaint_ids(column).to_pylist() == [normalise.parse_complaint_id(text) for text in values]
    assert zip_codes(column).to_pylist() == [normalise.restored_zip_code(text) for text in values]
    assert are_known(column).to_pylist() == [normalise.known(text) is not None for text in values]


def test_are_known_looks_into_long_texts() -> None:
    values = ["word " * 50, " " * 200, "\u00a0\u200b" * 100, " " * 200 + "x", "\u00e9" * 99, None]
    assert are_known(texts(values)).to_pylist() == [True, False, False, True, True, False]


def test_success_labels_have_three_states() -> None:
    successful = ["Closed with explanation", "Closed with monetary relief", "Closed with non-monetary relief"]
    unsuccessful = ["Closed", "Closed with relief", "Closed without relief", "Untimely response", "closed WITH relief"]
    unobserved = ["In progress", *UNKNOWN]
    answers = ["Yes", "No", "yes", *UNKNOWN]

    def label(response: str | None, timely: str | None, disputed: str | None) -> float | None:
        if response in unobserved or timely not in ("Yes", "No") or disputed not in ("Yes", "No"):
            return None
        return float(response in successful and (timely, disputed) == ("Yes", "No"))

    outcomes = list(product([*successful, *unsuccessful, *unobserved], answers, answers))
    columns = [known_texts(texts([outcome[place] for outcome in outcomes])) for place in range(3)]
    assert success_labels(*columns).to_pylist() == [label(*outcome) for outcome in outcomes]


def test_has_valid_date_received_is_true_from_the_bureaus_opening_to_the_day_after_landing() -> None:
    late = datetime(2026, 1, 2, 23, 59, 59, tzinfo=UTC)
    days = {
        "2011-06-30": False,
        "2011-07-01": True,
        "7/1/11": True,
        "2026-01-02": True,
        "2026-01-03": True,
        "2026-01-04": False,
        "2116-03-01": False,
        "2016-02-30": False,
        "": False,
        None: False,
    }
    rows = typed(*({"date_received": day, "_ingested_at": late} for day in days))
    assert has_valid_date_received(rows).to_pylist() == list(days.values())


def test_has_readable_date_sent_is_true_of_an_unknown_date() -> None:
    days = {"2016-03-02": True, "3/2/16": True, "": True, "N/A": True, None: True, "soon": False, "2016-02-30": False}
    rows = typed(*({"date_sent_to_company": day} for day in days))
    assert has_readable_date_sent(rows).to_pylist() == list(days.values())


def test_has_valid_complaint_id_is_false_and_not_null_without_an_id() -> None:
    rows = typed(*({"complaint_id": text} for text in ("1", "abc", "", None)))
    assert has_valid_complaint_id(rows).to_pylist() == [True, False, False, False]


def test_failed_rules_lists_each_broken_rule_in_order() -> None:
    broken = {
        "has_valid_complaint_id": {"complaint_id": "0"},
        "has_valid_date_received": {"date_received": "2016-02-30"},
        "has_readable_date_sent": {"date_sent_to_company": "soon"},
        "has_narrative": {"consumer_complaint_narrative": " "},
        "has_product": {"product": "N/A"},
        "has_company": {"company": ""},
        "has_state": {"state": None},
        "has_submitted_via": {"submitted_via": "N/A"},
    }
    assert list(broken) == list(SCOPE_RULES)
    everything = {name: value for overrides in broken.values() for name, value in overrides.items()}
    two = broken["has_state"] | broken["has_valid_complaint_id"]
    unneeded = {"sub_product": "", "issue": None, "zip_code": "", "consumer_disputed": None, "tags": "N/A"}
    cases = [
        ({}, []),
        (unneeded, []),
        *((overrides, [name]) for name, overrides in broken.items()),
        (two, ["has_valid_complaint_id", "has_state"]),
        (everything, list(SCOPE_RULES)),
        (dict.fromkeys(everything), [name for name in SCOPE_RULES if name != "has_readable_date_sent"]),
    ]
    batch = typed(*(overrides for overrides, _ in cases)).records.append_column(
        "_record_key", texts(["k"] * len(cases))
    )
    assert judge(batch).column("failed_rules").to_pylist() == [names for _, names in cases]
