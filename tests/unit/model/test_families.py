"""Every line of the table of families is one name of one thing, with days and a source."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import date
from importlib.resources import files

from solosolve.model.families import FAMILIES
from solosolve.names import FILED_COLUMNS

LEGAL_FORM = r"\b(inc|llc|lp|corporation|co|company|na|national association|the)\b"


def lines() -> list[dict[str, str]]:
    text = files("solosolve.model").joinpath("families.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def without_legal_form(company: str) -> str:
    """A company's name in lower case, without punctuation and legal form."""
    letters = re.sub(r"[^a-z0-9& ]", "", company.lower().replace(",", " "))
    return " ".join(re.sub(LEGAL_FORM, " ", letters).split())


def test_each_name_is_in_one_family_of_a_column_that_is_known_at_filing() -> None:
    assert FAMILIES.keys() == {"product", "issue", "company"} <= set(FILED_COLUMNS)
    assert max(Counter((line["column"], line["name"]) for line in lines()).values()) == 1
    assert min(Counter((line["column"], line["family"]) for line in lines()).values()) >= 2


def test_each_line_has_its_days_and_a_source() -> None:
    for line in lines():
        assert line["source"]
        if line["first_seen"]:
            assert date.fromisoformat(line["first_seen"]) <= date.fromisoformat(line["last_seen"])


def test_former_issue_was_last_seen_before_its_successor_was_first_seen() -> None:
    seen: dict[str, str] = {}
    for line in (line for line in lines() if line["column"] == "issue"):
        assert seen.get(line["family"], "") < line["first_seen"], line
        seen[line["family"]] = line["last_seen"]


def test_names_of_a_company_differ_only_in_case_punctuation_and_legal_form() -> None:
    for name, family in FAMILIES["company"].items():
        assert without_legal_form(name) == without_legal_form(family)


def test_present_name_of_an_issue_or_company_is_the_name_of_its_family() -> None:
    for column in ("issue", "company"):
        assert set(FAMILIES[column].values()) <= FAMILIES[column].keys()
