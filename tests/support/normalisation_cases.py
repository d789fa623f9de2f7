"""How published texts are read: one table of cases for each rule, however often the rule is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any


@dataclass(frozen=True)
class Case:
    """A text and what it is read as; None is unknown or not valid."""

    name: str
    text: str | None
    expected: Any


TRIMMED = {
    "space": " ",
    "tab": "\t",
    "carriage return": "\r",
    "line feed": "\n",
    "vertical tab": "\v",
    "form feed": "\f",
    "unit separator": "\x1f",
    "next line": "\u0085",
    "no-break space": "\u00a0",
    "em space": "\u2003",
    "ideographic space": "\u3000",
    "line separator": "\u2028",
    "zero-width space": "\u200b",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
}
KEPT = {"NUL": "\0", "soft hyphen": "\u00ad", "combining accent": "\u0301", "replacement character": "\ufffd"}
"""Characters that are part of the text, although some of them are invisible."""

MARCH_FIRST = date(2016, 3, 1)
_UNKNOWN = [
    Case("null", None, None),
    Case("empty", "", None),
    Case("all trimmed characters", "\n\t \r\n", None),
    Case("N/A", "N/A", None),
    Case("N/A between blanks", "\n N/A\t\r\n", None),
    *(
        Case(text, text, None)
        for text in (
            *("-", "n/a", "#N/A", "NA", "<NA>", "None", "none", "NONE"),
            *("NULL", "Null", "null", "NaN", "nan", "NAN", "\\N"),
        )
    ),
    Case("None between white space of two kinds", "\u00a0None\u200b ", None),
]


def _with_ends(value: str, trimmed: Any, *, is_kept: bool) -> Iterator[Case]:
    """A value with each character before it, after it and on both sides.

    Args:
        value: The text.
        trimmed: What it is read as without the characters.
        is_kept: Whether a character that is not trimmed is part of what is read, or makes the text invalid.
    """
    for name, character in (TRIMMED | KEPT).items():
        for place, text in {
            f"{name} before {value}": character + value,
            f"{name} after {value}": value + character,
            f"{name} around {value}": character + value + character,
        }.items():
            yield Case(place, text, trimmed if name in TRIMMED else text if is_kept else None)


TEXT_CASES = [
    *_UNKNOWN,
    *_with_ends("A b", "A b", is_kept=True),
    *_with_ends("N/A", None, is_kept=True),
    *(Case(f"{name} alone", character, None) for name, character in TRIMMED.items()),
    *(Case(f"{name} alone", character, character) for name, character in KEPT.items()),
    Case("plain", "CA", "CA"),
    Case("trimmed characters inside", " A \t\r\n b ", "A \t\r\n b"),
    *(Case(text, text, text) for text in ("N/a", "n/A", "N / A", "N/A N/A", "None of it", "Nan", "--", "\\n", "NA.")),
    Case("accents and an emoji", " \u00e9\U0001f600 ", "\u00e9\U0001f600"),
]

COMPLAINT_ID_CASES = [
    *_UNKNOWN,
    *_with_ends("42", 42, is_kept=False),
    Case("one", "1", 1),
    Case("leading zeros", "0007", 7),
    Case("18 digits with leading zeros", "0" * 17 + "7", 7),
    Case("19 digits with leading zeros", "0" * 18 + "7", None),
    Case("18 digits", "9" * 18, 10**18 - 1),
    Case("19 digits", "1" + "0" * 18, None),
    Case("40 digits", "9" * 40, None),
    Case("zero", "0", None),
    Case("zeros", "000", None),
    Case("plus sign", "+5", None),
    Case("minus sign", "-5", None),
    Case("Unicode minus sign", "\u22125", None),
    Case("Arabic-Indic digits", "\u0661\u0662", None),
    Case("full-width digits", "\uff11\uff12", None),
    Case("ASCII and Arabic-Indic digits", "1\u0662", None),
    Case("superscript digit", "\u00b2", None),
    *(Case(text, text, None) for text in ("1.0", "1e3", "1,000", "1_000", "0x1F", "12a", "a12", "1 2", "1\n2", "abc")),
]

ZIP_CODE_CASES = [
    *_UNKNOWN,
    *_with_ends("90001", "90001", is_kept=True),
    *_with_ends("2139", "02139", is_kept=True),
    *_with_ends("501", "00501", is_kept=True),
    Case("four digits with a leading zero", "0501", "00501"),
    Case("decimal number", "90001.0", "90001"),
    Case("decimal number without its zeros", "2127.00", "02127"),
    Case("nine digits without a leading zero", "3301-1234", "03301-1234"),
    *(Case(text, text, text) for text in ("1", "12", "123456", "123X", "941XX", "XXXXX", "02139-4307", "-501", "+501")),
    *(Case(text, text, text) for text in ("2127.5", "2127.", "2127-12")),
    Case("three Arabic-Indic digits", "\u0661\u0662\u0663", "\u0661\u0662\u0663"),
    Case("four full-width digits", "\uff12\uff11\uff13\uff19", "\uff12\uff11\uff13\uff19"),
    Case("five Arabic-Indic digits", "\u0661" * 5, "\u0661" * 5),
]

ISO_DATE_CASES = [
    *_UNKNOWN,
    *_with_ends("2016-03-01", MARCH_FIRST, is_kept=False),
    Case("plain", "2016-03-01", MARCH_FIRST),
    Case("leap day", "2016-02-29", date(2016, 2, 29)),
    Case("first day", "0001-01-01", date.min),
    Case("last day", "9999-12-31", date.max),
    *(Case(f"impossible {text}", text, None) for text in ("2015-02-29", "2016-02-30", "2016-13-01", "2016-00-10")),
    *(Case(text, text, None) for text in ("0000-00-00", "12016-03-01", "2016-03-011", "x2016-03-01", "2016-03-01x")),
    *(Case(text, text, None) for text in ("2016", "2016-03", "20160301", "2016-W09-2", "2016-061", "2016/03/01")),
    *(Case(text, text, None) for text in ("3-1-2016", "1.3.2016", "42430", "yesterday", "+2016-03-01")),
    Case("Arabic-Indic digits", "\u0662\u0660\u0661\u0666-\u0660\u0663-\u0660\u0661", None),
    Case("full-width digits", "\uff12\uff10\uff11\uff16-03-01", None),
]
"""Texts that files and requests read alike: a date as YYYY-MM-DD, or no date at all."""

FILE_DATE_CASES = [
    *(
        Case(text, text, MARCH_FIRST)
        for text in (
            "2016-3-1",
            "2016-03-01T23:30:00",
            "2016-03-01T12:00:00-05:00",
            "2016-03-01T23:59:59.999Z",
            "2016-03-01 12:00:00+00",
            "3/1/2016",
            "03/01/2016",
            "3/1/16",
            "03/01/16",
            "3/1/2016 12:00:00 AM",
        )
    ),
    Case("tabs around an American date", "\t3/1/2016\t", MARCH_FIRST),
    Case("line ends around a date and time", "\r\n2016-03-01T23:30:00\r\n", MARCH_FIRST),
    Case("American leap day", "2/29/16", date(2016, 2, 29)),
    *(Case(f"impossible {text}", text, None) for text in ("2/30/2016", "13/1/2016", "0/1/2016")),
    *(Case(text, text, None) for text in ("3/1/116", "3/1/6")),
    Case("line separator after an American date", "3/1/2016\u2028", MARCH_FIRST),
    Case("no-break space around an American date", "\u00a03/1/2016\u00a0", MARCH_FIRST),
    Case("Arabic-Indic digits in an American date", "\u0663/\u0661/\u0662\u0660\u0661\u0666", None),
]
"""Other dates in files, and texts like them; a request's date must be YYYY-MM-DD."""


def generated_texts(count: int) -> list[str]:
    """Random texts of a few characters, so that those with a special rule are frequent."""
    random = Random(1)
    alphabet = "0123459 \t\r\n\u00a0\u2028\v\f\u0661NA/n/aX\u00e9\U0001f600\0"
    return ["".join(random.choices(alphabet, k=random.randint(0, 6))) for _ in range(count)]
