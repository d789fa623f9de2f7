"""The rules for one published text: what is trimmed, what is unknown, and what is an id, ZIP code or date.

Requests are read by these functions, and so are files: `transforms.rules` applies them to whole columns. The rule for
ids is also stated for Spark (`transforms.silver`) and in SQL (`local.conservation`); a test holds them all together.
"""

from __future__ import annotations

import re
from datetime import date

WHITE_SPACE = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
    "\u180e\u200b\u200c\u200d\u2060\ufeff"
)
"""The characters trimmed from both ends of a text: Unicode's white space, and the invisible ones without width."""

MISSING = (
    *("", "-", "N/A", "n/a", "#N/A", "NA", "<NA>"),
    *("None", "none", "NONE", "NULL", "Null", "null", "NaN", "nan", "NAN", "\\N"),
)
"""How an unknown value is written, after trimming: by the publisher (blank, `N/A`), by its search API (`None`), and by
the programs that people pass its files through (R, pandas, databases, spreadsheets)."""

EARLIEST_DATE = "2011-07-01"
"""The Bureau opened and began to take complaints in July 2011."""

MAX_DAYS_AHEAD = 1
"""How many days a complaint may be dated after it arrives, to allow for clocks and time zones."""

COMPLAINT_ID_DIGITS = 18
"""The most digits that a complaint id has; numbers of this length fit in a BIGINT."""

COMPLAINT_ID_PATTERN = f"[0-9]{{1,{COMPLAINT_ID_DIGITS}}}"
"""A complaint id's digits, as a regular expression that Python, Java and SQL read alike. Zero is not an id."""

LARGEST_COMPLAINT_ID = 10**COMPLAINT_ID_DIGITS - 1
"""The largest number that COMPLAINT_ID_PATTERN allows."""

ZIP_CODE_PATTERN = r"([0-9]{3,5})(?:\.0+|(-[0-9]{4}))?"
"""A ZIP code as spreadsheets and data frames leave it: without its leading zeros, or as a decimal number.

Group 1 has its digits, group 2 the four digits that may be added to them."""

ZIP_CODE_LENGTH = 5

_COMPLAINT_ID = re.compile(COMPLAINT_ID_PATTERN)
_ZIP_CODE = re.compile(ZIP_CODE_PATTERN)
_ISO_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_IN_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ].*)?")
_AMERICAN_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})(?: .*)?")


def known(text: str | None) -> str | None:
    """Returns the trimmed text, or None if it is one of MISSING."""
    if text is None:
        return None
    trimmed = text.strip(WHITE_SPACE)
    return None if trimmed in MISSING else trimmed


def parse_complaint_id(value: str | int | None) -> int | None:
    """Reads a complaint id: up to COMPLAINT_ID_DIGITS ASCII digits, with optional white space around them, or a number.

    Returns:
        The id, from 1 to LARGEST_COMPLAINT_ID, or None if the value is not an id.
    """
    if isinstance(value, str):
        trimmed = value.strip(WHITE_SPACE)
        value = int(trimmed) if _COMPLAINT_ID.fullmatch(trimmed) else None
    return value if value is not None and 0 < value <= LARGEST_COMPLAINT_ID else None


def restored_zip_code(text: str | None) -> str | None:
    """Returns the trimmed ZIP code with the leading zeros that spreadsheets remove, or None if it is unknown."""
    code = known(text)
    found = _ZIP_CODE.fullmatch(code) if code is not None else None
    return found[1].rjust(ZIP_CODE_LENGTH, "0") + (found[2] or "") if found else code


def parse_iso_date(text: str) -> date | None:
    """Reads a date written as YYYY-MM-DD, with or without white space around it; None if the text is not one."""
    trimmed = text.strip(WHITE_SPACE)
    # The pattern comes first: date.fromisoformat also takes 20160301 and 2016-W09-2.
    if not _ISO_DATE.fullmatch(trimmed):
        return None
    try:
        return date.fromisoformat(trimmed)
    except ValueError:
        return None


def parse_published_date(text: str) -> date | None:
    """Reads a date in one of the spellings that files have; None if the text is not one.

    These are ISO, alone or followed by a time with or without a zone (the date as written counts), and the American
    M/D/YYYY and M/D/YY (20YY), each optionally followed by a time. White space around them is ignored.
    """
    trimmed = text.strip(WHITE_SPACE)
    if found := _DATE_IN_ISO.fullmatch(trimmed):
        year, month, day = found.groups()
    elif found := _AMERICAN_DATE.fullmatch(trimmed):
        month, day, year = found.groups()
    else:
        return None
    try:
        return date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None
