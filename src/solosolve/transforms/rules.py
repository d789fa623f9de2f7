"""The project's text rules, label and scope, as small named Column functions.

`landing.normalise` states the text rules; here they are in Spark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from pyspark.sql import Column
from pyspark.sql import functions as F

from solosolve.landing.normalise import (
    COMPLAINT_ID_PATTERN,
    EARLIEST_DATE,
    MAX_DAYS_AHEAD,
    MISSING,
    SHORT_ZIP_CODE_PATTERN,
    WHITE_SPACE,
    ZIP_CODE_LENGTH,
)

SUCCESSFUL_RESPONSES = ("Closed with explanation", "Closed with monetary relief", "Closed with non-monetary relief")

# These end in \z because Java's $ also matches before a final line break.
_ISO_DATE = r"^([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})(?:[T ].*)?\z"
_AMERICAN_DATE = r"^([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})(?: .*)?\z"


def known(column: str) -> Column:
    """The column's trimmed text; null where it is blank or `N/A`, the publisher's two spellings of unknown."""
    text = _trimmed(column)
    return F.when(~text.isin(*MISSING), text)


def parsed_date(column: str) -> Column:
    """The column's calendar date; null where the text is not a date in one of the published spellings.

    These are ISO, alone or followed by a time with or without a zone (the date as written counts), and the American
    M/D/YYYY and M/D/YY (20YY), each optionally followed by a time.
    """
    text = _trimmed(column)
    iso = F.regexp_extract(text, _ISO_DATE, 1)
    month, day, year = (F.regexp_extract(text, _AMERICAN_DATE, group) for group in (1, 2, 3))
    full_year = F.when(F.length(year) == 2, F.concat(F.lit("20"), year)).otherwise(year)
    spelled = F.when(iso != "", iso).when(year != "", F.concat_ws("-", full_year, month, day))
    return spelled.try_cast("date")


def parsed_complaint_id(column: str = "complaint_id") -> Column:
    """The complaint id as BIGINT; null unless the text is a positive whole number."""
    text = _trimmed(column)
    number = F.when(text.rlike(rf"^{COMPLAINT_ID_PATTERN}\z"), text).try_cast("bigint")
    return F.when(number > 0, number)


def restored_zip_code(column: str = "zip_code") -> Column:
    """The trimmed ZIP code with the leading zeros that spreadsheets remove; null where it is unknown."""
    code = known(column)
    is_short = code.rlike(rf"^{SHORT_ZIP_CODE_PATTERN}\z")
    return F.when(is_short, F.lpad(code, ZIP_CODE_LENGTH, "0")).otherwise(code)


def _trimmed(column: str) -> Column:
    return F.trim(F.col(column), F.lit(WHITE_SPACE))


def is_successful_resolution() -> Column:
    """The label of a typed complaint: 1.0, 0.0, or null where the outcome was not observed.

    Successful means not disputed, answered in time, and closed with an explanation or relief. The label is null while
    the case is in progress and where one of the three columns is unknown: since April 2017 the Bureau no longer asks
    whether the consumer disputes the response.
    """
    response, timely, disputed = "company_response_to_consumer", "timely_response", "consumer_disputed"
    is_observed = (
        F.col(disputed).isin("Yes", "No") & F.col(timely).isin("Yes", "No") & F.col(response).isNotNull()
    ) & (F.col(response) != "In progress")
    is_undisputed_in_time = (F.col(disputed) == "No") & (F.col(timely) == "Yes")
    is_success = is_undisputed_in_time & F.col(response).isin(*SUCCESSFUL_RESPONSES)
    return F.when(is_observed, is_success.cast("double"))


def has_valid_complaint_id() -> Column:
    """The id is a positive whole number."""
    return parsed_complaint_id().isNotNull()


def has_valid_date_received() -> Column:
    """The date is readable, not before the Bureau opened, and at most MAX_DAYS_AHEAD after the landing (in UTC)."""
    received = parsed_date("date_received")
    latest = F.date_add(F.to_date("_ingested_at"), MAX_DAYS_AHEAD)
    return F.coalesce(received.between(F.lit(EARLIEST_DATE).cast("date"), latest), F.lit(False))


def has_readable_date_sent() -> Column:
    """The date sent to the company is readable or unknown."""
    return known("date_sent_to_company").isNull() | parsed_date("date_sent_to_company").isNotNull()


def _is_present(column: str) -> Callable[[], Column]:
    def rule() -> Column:
        return known(column).isNotNull()

    rule.__doc__ = f"The complaint has a known {column}."
    return rule


SCOPE_RULES: Mapping[str, Callable[[], Column]] = MappingProxyType(
    {
        "has_valid_complaint_id": has_valid_complaint_id,
        "has_valid_date_received": has_valid_date_received,
        "has_readable_date_sent": has_readable_date_sent,
        "has_narrative": _is_present("consumer_complaint_narrative"),
        "has_product": _is_present("product"),
        "has_company": _is_present("company"),
        "has_state": _is_present("state"),
        "has_submitted_via": _is_present("submitted_via"),
    }
)
"""Rule name to a condition on verbatim bronze columns; a complaint is in scope if all hold."""


def failed_rules() -> Column:
    """The names of the scope rules that a bronze row fails, in the order of SCOPE_RULES; empty if it is in scope."""
    names = [F.when(~rule(), F.lit(name)) for name, rule in SCOPE_RULES.items()]
    return F.array_compact(F.array(*names))
