from __future__ import annotations

import re
from datetime import date

import pytest

from solosolve.landing.normalise import (
    COMPLAINT_ID_PATTERN,
    EARLIEST_DATE,
    LARGEST_COMPLAINT_ID,
    known,
    parse_complaint_id,
    parse_iso_date,
    parse_published_date,
    restored_zip_code,
)
from support.normalisation_cases import (
    COMPLAINT_ID_CASES,
    FILE_DATE_CASES,
    ISO_DATE_CASES,
    TEXT_CASES,
    ZIP_CODE_CASES,
    Case,
)


def case_name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", TEXT_CASES, ids=case_name)
def test_known_trims_text_and_drops_unknown_values(case: Case) -> None:
    assert known(case.text) == case.expected


@pytest.mark.parametrize("case", COMPLAINT_ID_CASES, ids=case_name)
def test_parse_complaint_id_reads_positive_whole_numbers(case: Case) -> None:
    assert parse_complaint_id(case.text) == case.expected


@pytest.mark.parametrize("case", ZIP_CODE_CASES, ids=case_name)
def test_restored_zip_code_puts_back_leading_zeros(case: Case) -> None:
    assert restored_zip_code(case.text) == case.expected


@pytest.mark.parametrize("case", [case for case in ISO_DATE_CASES if case.text is not None], ids=case_name)
def test_parse_iso_date_reads_dates_as_year_month_day(case: Case) -> None:
    assert case.text is not None
    assert parse_iso_date(case.text) == case.expected


@pytest.mark.parametrize("case", [*ISO_DATE_CASES, *FILE_DATE_CASES], ids=case_name)
def test_parse_published_date_reads_each_published_spelling_and_no_other(case: Case) -> None:
    assert case.text is None or parse_published_date(case.text) == case.expected


@pytest.mark.parametrize("case", FILE_DATE_CASES, ids=case_name)
def test_parse_iso_date_refuses_the_other_spellings_in_files(case: Case) -> None:
    assert case.text is not None
    assert parse_iso_date(case.text) is None


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1, 1), (10**18 - 1, 10**18 - 1), (0, None), (-1, None), (10**18, None), (10**5_000, None)],
    ids=["smallest", "largest", "zero", "negative", "too large", "huge"],
)
def test_parse_complaint_id_takes_numbers_in_range(number: int, expected: int | None) -> None:
    assert parse_complaint_id(number) == expected


def test_largest_complaint_id_is_the_largest_that_the_pattern_allows() -> None:
    assert re.fullmatch(COMPLAINT_ID_PATTERN, str(LARGEST_COMPLAINT_ID))
    assert not re.fullmatch(COMPLAINT_ID_PATTERN, str(LARGEST_COMPLAINT_ID + 1))


def test_earliest_date_is_a_date() -> None:
    assert parse_iso_date(EARLIEST_DATE) == date(2011, 7, 1)
