"""The rules for published text, in Python: what is trimmed, what is unknown, and what is an id, ZIP code or date.

`transforms.rules` applies the same constants and patterns in Spark; one table of test cases covers both.
"""

from __future__ import annotations

import re
from datetime import date

WHITE_SPACE = " \t\r\n"
"""The characters trimmed from both ends of a text; no others, so a no-break space is part of the value."""

MISSING = ("", "N/A")
"""How the publisher spells an unknown value, after trimming."""

EARLIEST_DATE = "2011-07-01"
"""The Bureau opened and began to take complaints in July 2011."""

MAX_DAYS_AHEAD = 1
"""How many days a complaint may be dated after it arrives, to allow for clocks and time zones."""

COMPLAINT_ID_PATTERN = "[0-9]{1,18}"
"""A complaint id's digits, as a regular expression that Python, Java and SQL read alike. Zero is not an id."""

LARGEST_COMPLAINT_ID = 10**18 - 1
"""The largest number that COMPLAINT_ID_PATTERN allows; it fits in a BIGINT."""

SHORT_ZIP_CODE_PATTERN = "[0-9]{3,4}"
"""A ZIP code whose leading zeros a spreadsheet removed."""

ZIP_CODE_LENGTH = 5

_COMPLAINT_ID = re.compile(COMPLAINT_ID_PATTERN)
_SHORT_ZIP_CODE = re.compile(SHORT_ZIP_CODE_PATTERN)
_ISO_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def known(text: str | None) -> str | None:
    """Returns the trimmed text, or None if it is one of MISSING."""
    if text is None:
        return None
    trimmed = text.strip(WHITE_SPACE)
    return None if trimmed in MISSING else trimmed


def parse_complaint_id(value: str | int | None) -> int | None:
    """Reads a complaint id: 1 to 18 ASCII digits, with or without white space around them, or the number itself.

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
    return code.rjust(ZIP_CODE_LENGTH, "0") if code is not None and _SHORT_ZIP_CODE.fullmatch(code) else code


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
