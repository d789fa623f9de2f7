from __future__ import annotations

import pytest

from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.search import Search, merged, parse_id, parse_words, without_search, written
from solosolve.errors import UsageError

FULL = Search(
    filters=Filters(company=("A; B & C",), state=("CA",)), complaint_id=7, words=("late fee", "refund"), lowest=0.25,
    highest=0.5, facts=(("issue", ("Late fee", "Other")), ("timely", ("No",))), sort="-probability", page=3,
)  # fmt: skip


@pytest.mark.parametrize("search", [Search(), FULL], ids=["empty", "full"])
def test_search_reads_back_from_its_address(search: Search) -> None:
    assert Search.parse(search.to_search()) == search


def test_search_without_conditions_has_an_empty_address() -> None:
    assert Search().to_search() == ""


@pytest.mark.parametrize("text", ["85352602", "85,352,602", " #85352602 ", "85 352 602", "#85,352,602"])
def test_complaint_number_is_read_as_people_write_it(text: str) -> None:
    assert parse_id(text) == 85_352_602


@pytest.mark.parametrize(
    "text", ["x", "-1", "0", "#", "1" * 19, "9223372036854775807", "0" * 20 + "9" * 5_000, "٣", "8.5"]
)
def test_text_that_is_no_complaint_number_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"^A complaint number has up to 18 digits, such as 8535 or 85,352,602; found"):
        parse_id(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("  refund  late refund ", ("refund", "late")),
        ('"late  fee" refund', ("late fee", "refund")),
        ("50% o'clock :w \\ --", ("50%", "o'clock", ":w", "\\", "--")),
        ('"late fee', ("late", "fee")),
        ('""', ()),
    ],
)
def test_words_are_split_at_spaces_and_phrases_are_kept(text: str, words: tuple[str, ...]) -> None:
    assert parse_words(text) == words
    assert parse_words(written(words)) == words


@pytest.mark.parametrize(
    "address",
    ["?id=x", "?words=" + "a" * 201, "?words=a+b+c+d+e+f+g+h+i", "?words=%ED%A0%80" + "x" * 200, "?probability-from=2",
     "?probability-from=0.5&probability-to=0.4", "?probability-to=nan", "?sort=1;drop", "?sort=issue", "?page=0",
     "?page=x", "?page=99999999", "?issue=" + "x" * 201, "?state=" + "x" * 201],
)  # fmt: skip
def test_address_with_a_value_that_no_control_has_is_refused(address: str) -> None:
    with pytest.raises(UsageError):
        Search.parse(address)


def test_another_search_begins_on_the_first_page_and_keeps_the_filters_and_the_order() -> None:
    address = merged(FULL.to_search(), {"words": "escrow", "id": None, "issue": ["Other"]})
    found = Search.parse(address)
    assert (found.filters, found.sort, found.page) == (FULL.filters, FULL.sort, 1)
    assert (found.words, found.complaint_id) == (("escrow",), None)
    assert dict(found.facts) == {"issue": ("Other",), "timely": ("No",)}


def test_cleared_search_keeps_the_filters() -> None:
    assert Search.parse(without_search(FULL.to_search())) == Search(FULL.filters)


@pytest.mark.parametrize(
    ("column", "orders"),
    [("probability", ["probability", "-probability", "probability"]),
     ("date_received", ["-date_received", "date_received"]),
     ("scored_at", ["scored_at", "-scored_at"])],
)  # fmt: skip
def test_clicks_on_a_heading_turn_the_order_round(column: str, orders: list[str]) -> None:
    search = Search(page=5)
    for order in orders:
        search = search.sorted_by(column)
        assert (search.sort, search.page) == (order, 1)
