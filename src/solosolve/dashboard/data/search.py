"""A search for predictions, as the address of the Complaints room holds it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Self
from urllib.parse import parse_qs

from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.query_string import pairs_of, query_string
from solosolve.errors import UsageError
from solosolve.landing.normalise import COMPLAINT_ID_DIGITS, parse_complaint_id

COLUMNS = MappingProxyType({
    "complaint_id": "Complaint", "date_received": "Received", "scored_at": "Scored", "probability": "Probability",
    "prediction": "Predicted", "company": "Company", "product": "Product", "state": "State",
    "model_version": "Version", "source": "Source",
})  # fmt: skip
"""Columns of `gold.predictions` in the table and the export, and their headings on screen.

Tables of former releases lack `date_received`."""

FACTS = MappingProxyType({
    "sub-product": "sub_product", "issue": "issue", "sub-issue": "sub_issue", "zip": "zip_code", "tag": "tags",
    "via": "submitted_via", "response": "company_response_to_consumer", "public-response": "company_public_response",
    "timely": "timely_response", "disputed": "consumer_disputed",
})  # fmt: skip
"""The Bureau's own filters: name in the address to column of `silver.complaints`."""

NEWEST_FIRST = "-scored_at"
"""The order until a column is selected; a leading minus means descending."""

_OWN_NAMES = ("id", "words", "probability-from", "probability-to", *FACTS, "sort", "page")
"""The names of a search in an address, beside those of the filters."""

_MAX_WORDS = 8
_MAX_WORDS_LENGTH = 200
_MAX_PAGE = 10_000
_MAX_VALUES = 50
_MAX_VALUE_LENGTH = 200
_MAX_SHOWN_LENGTH = 40
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORD = re.compile(r'"([^"]*)"|(\S+)')


@dataclass(frozen=True)
class Search:
    """What the table of predictions shows.

    Attributes:
        filters: The filters of the page.
        complaint_id: Only this complaint; None for all.
        words: Only complaints whose narrative has all these words and phrases.
        lowest: The lowest probability, included.
        highest: The highest probability, included.
        facts: Name of FACTS to the values of which a complaint has one.
        sort: Key of COLUMNS, with a leading minus for descending.
        page: The page of the table, from 1.
    """

    filters: Filters = field(default_factory=Filters)
    complaint_id: int | None = None
    words: tuple[str, ...] = ()
    lowest: float = 0.0
    highest: float = 1.0
    facts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sort: str = NEWEST_FIRST
    page: int = 1

    @classmethod
    def parse(cls, search: object) -> Self:
        """Reads the query string of an address, and ignores names that it does not know.

        Raises:
            UsageError: A value is not one that its control can have.
        """
        filters = Filters.parse(search)
        found = parse_qs(search.removeprefix("?")) if isinstance(search, str) else {}
        last = {name: values[-1] for name, values in found.items()}
        lowest, highest = (parse_bound(last.get(f"probability-{name}", ""), default) for name, default in _BOUNDS)
        if lowest > highest:
            raise UsageError(f"probability: the lowest, {lowest}, is above the highest, {highest}")
        facts = ((name, parse_values(name, found[name])) for name in FACTS if name in found)
        return cls(
            filters=filters,
            complaint_id=parse_id(last.get("id", "")),
            words=parse_words(last.get("words", "")),
            lowest=lowest,
            highest=highest,
            facts=tuple((name, values) for name, values in facts if values),
            sort=_parse_sort(last.get("sort", "")),
            page=_parse_page(last.get("page", "")),
        )

    def to_search(self) -> str:
        """Writes the query string that `parse` reads; empty if everything is as it is without one."""
        pairs = pairs_of(self.filters.to_search())
        own: dict[str, object] = {
            "id": self.complaint_id,
            "words": written(self.words) or None,
            "probability-from": None if self.lowest == 0 else bound_text(self.lowest),
            "probability-to": None if self.highest == 1 else bound_text(self.highest),
            "sort": None if self.sort == NEWEST_FIRST else self.sort,
            "page": None if self.page == 1 else self.page,
        }
        pairs += [(name, str(value)) for name, value in own.items() if value is not None]
        pairs += [(name, value) for name, values in self.facts for value in values]
        return query_string(pairs)

    def from_start(self) -> Self:
        """Returns the same search in the first order and on the first page: what decides which rows there are."""
        return replace(self, sort=NEWEST_FIRST, page=1)

    def sorted_by(self, column: str) -> Self:
        """Returns the search in the order that a click on a column's heading asks for, on the first page.

        Times begin with the newest, everything else with the smallest; another click turns the order round.
        """
        first, second = (f"-{column}", column) if column in _NEWEST_FIRST_COLUMNS else (column, f"-{column}")
        return replace(self, sort=second if self.sort == first else first, page=1)


def bound_text(probability: float) -> str:
    """Writes a probability as `parse_bound` reads it, with at most six decimals."""
    return f"{probability:.6f}".rstrip("0").rstrip(".")


_BOUNDS = (("from", 0.0), ("to", 1.0))
_NEWEST_FIRST_COLUMNS = ("scored_at", "date_received")


def merged(search: object, chosen: Mapping[str, object]) -> str:
    """Returns a query string with other values for some names of a search, on the first page.

    Args:
        search: The query string.
        chosen: Name to value, or to several; empty ones are left out.
    """
    pairs = [(name, value) for name, value in pairs_of(search) if name not in chosen and name != "page"]
    for name, value in chosen.items():
        pairs += [
            (name, str(each)) for each in (value if isinstance(value, list) else [value]) if each not in (None, "")
        ]
    return query_string(pairs)


def without_search(search: object) -> str:
    """Returns a query string that keeps only what is not part of a search, such as the filters."""
    return merged(search, dict.fromkeys(_OWN_NAMES))


def parse_id(text: object) -> int | None:
    """Reads a complaint id as people write it: `85,352,602`, `#8535`, `8535 2602`; None for nothing.

    Raises:
        UsageError: It is not a complaint id.
    """
    written_id = text.strip() if isinstance(text, str) else ""
    if not written_id:
        return None
    found = parse_complaint_id(re.sub(r"[,\s]", "", written_id.removeprefix("#")))
    if found is None:
        raise UsageError(
            f"A complaint number has up to {COMPLAINT_ID_DIGITS} digits, such as 8535 or 85,352,602; found "
            f"{written_id[:_MAX_SHOWN_LENGTH]!r}"
        )
    return found


def parse_words(text: object) -> tuple[str, ...]:
    """Reads words, and phrases in double quotes.

    Raises:
        UsageError: There are too many.
    """
    written_words = text if isinstance(text, str) else ""
    if len(written_words) > _MAX_WORDS_LENGTH or _SURROGATE.search(written_words):
        raise UsageError(f"words: at most {_MAX_WORDS_LENGTH} characters are allowed")
    found = [" ".join((quoted or plain.replace('"', "")).split()) for quoted, plain in _WORD.findall(written_words)]
    words = tuple(dict.fromkeys(filter(None, found)))
    if len(words) > _MAX_WORDS:
        raise UsageError(f"words: {len(words)} are given; at most {_MAX_WORDS} are allowed")
    return words


def written(words: tuple[str, ...]) -> str:
    """Writes words as `parse_words` reads them."""
    return " ".join(f'"{word}"' if " " in word else word for word in words)


def parse_bound(text: object, default: float) -> float:
    """Reads a probability; the default for nothing.

    Raises:
        UsageError: It is not a number from 0 to 1.
    """
    if text in (None, ""):
        return default
    found = re.fullmatch(r"[01]?(\.[0-9]{1,6})?", str(text))
    if found is None or not 0 <= (value := float(found[0])) <= 1:
        raise UsageError(f"probability: expected a number from 0 to 1, found {str(text)[:_MAX_SHOWN_LENGTH]!r}")
    return value


def parse_values(name: str, values: list[str]) -> tuple[str, ...]:
    """Reads the values of one of FACTS.

    Raises:
        UsageError: There are too many, or one is too long.
    """
    # The Bureau writes 850XX.
    chosen = tuple(sorted({value.upper() if FACTS[name] == "zip_code" else value for value in values if value}))
    if len(chosen) > _MAX_VALUES or any(len(value) > _MAX_VALUE_LENGTH or _SURROGATE.search(value) for value in chosen):
        raise UsageError(f"{name}: at most {_MAX_VALUES} values of {_MAX_VALUE_LENGTH} characters are allowed")
    return chosen


def _parse_sort(text: str) -> str:
    if not text:
        return NEWEST_FIRST
    if text.removeprefix("-") not in COLUMNS:
        raise UsageError(f"sort: found {text[:_MAX_SHOWN_LENGTH]!r}, allowed: {', '.join(COLUMNS)}")
    return text


def _parse_page(text: str) -> int:
    if not text:
        return 1
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= _MAX_PAGE):
        raise UsageError(f"page: expected a number from 1 to {_MAX_PAGE:,}, found {text[:_MAX_SHOWN_LENGTH]!r}")
    return int(text)
