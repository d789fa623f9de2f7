"""Makes one batch of complaints: every column of the published file, and the true probability of success."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solosolve.names import NARRATIVE
from solosolve.samples.calendar import load_calendar
from solosolve.samples.companies import load_companies
from solosolve.samples.complainants import load_complainants
from solosolve.samples.distributions import Bools, Dates, Floats, Ints, Texts, as_texts
from solosolve.samples.duplicates import load_duplicates
from solosolve.samples.handling import CONSENT_PROVIDED, NOT_APPLICABLE, load_handling
from solosolve.samples.narratives import load_narrative_writer
from solosolve.samples.outcomes import IN_PROGRESS, UNTIMELY, Filings, Outcomes, load_outcome_model
from solosolve.samples.taxonomy import Subjects, load_taxonomy
from solosolve.samples.themes import THEME_EFFECTS, planted_strength

REPUBLISHED_SHARE = 0.002
"""Share of records that a later record with the same complaint id supersedes."""


@dataclass(frozen=True)
class Batch:
    """Complaints in order of arrival; every array has one element per complaint id.

    Attributes:
        columns: The published texts by snake_case column name.
        complaint_id: The complaint ids, ascending.
        probability: The true probability of success, from which the outcome was drawn.
        is_success: Whether the complaint was resolved successfully.
    """

    columns: dict[str, Texts]
    complaint_id: Ints
    probability: Floats
    is_success: Bools

    def with_ids_raised_by(self, offset: int) -> Batch:
        """Returns the same complaints with `offset` added to their ids."""
        complaint_id = self.complaint_id + offset
        columns = self.columns | {"complaint_id": _as_decimals(complaint_id)}
        return replace(self, complaint_id=complaint_id, columns=columns)


def build_batch(
    rng: np.random.Generator, quantile: Floats, last_id: int, theme_effects: Floats = THEME_EFFECTS
) -> Batch:
    """Makes the complaints at the given quantiles of the file's total volume.

    Args:
        rng: Source of all randomness.
        quantile: Ascending numbers from 0 to 1, one per complaint.
        last_id: Id of the preceding complaint.
        theme_effects: What each theme adds to a complaint's strength (log-odds); shape (themes,).

    Returns:
        The batch, with ids greater than `last_id`.
    """
    calendar, handling, companies = load_calendar(), load_handling(), load_companies()
    arrival_times = calendar.arrival_times(quantile)
    dates = calendar.dates(arrival_times)
    subjects = load_taxonomy().draw(rng, calendar.periods.find(dates), calendar.naming_eras.find(dates))
    company = companies.draw(rng, dates, subjects.product_family)
    is_open = handling.draw_open(rng, calendar, dates)
    channel, consent = handling.draw_route(rng, calendar, dates, subjects.issue_product_family, is_open)
    has_narrative = (consent == handling.consent_code(CONSENT_PROVIDED)) & ~is_open
    narrative, theme_strength = _write_narratives(rng, dates, subjects, has_narrative, theme_effects)
    filings = Filings(
        dates=dates,
        issue=subjects.issue,
        issue_product_family=subjects.issue_product_family,
        channel=channel,
        consent=consent,
        is_tail=companies.is_tail(company),
        strength=companies.effects[company] + theme_strength,
    )
    outcomes = load_outcome_model().draw(rng, calendar, filings)
    is_labelled = (dates < calendar.label_end) & ~is_open
    complaint_id = calendar.complaint_ids(arrival_times, last_id)
    columns = {
        NARRATIVE: narrative,
        "company": companies.names[company],
        "complaint_id": _as_decimals(complaint_id),
        **_subject_columns(subjects),
        **_complainant_columns(rng, dates),
        **_handling_columns(rng, filings),
        **_outcome_columns(rng, filings, outcomes, is_open, is_labelled),
    }
    return Batch(columns, complaint_id, outcomes.probability, outcomes.is_success)


def published_columns(rng: np.random.Generator, batch: Batch, records: int) -> dict[str, Texts]:
    """Returns the batch's columns with some complaints published twice.

    The first record of such a complaint shows it in progress; its final record is at the end of the batch.

    Args:
        rng: Chooses the complaints to publish twice.
        batch: At most `records` complaints.
        records: Number of records to return.

    Returns:
        The texts by column name, `records` of them each.
    """
    complaints = len(batch.complaint_id)
    twice = np.sort(rng.choice(complaints, records - complaints, replace=False))
    order = np.concatenate([np.arange(complaints), twice])
    in_progress = {
        NARRATIVE: "",
        "company_public_response": "",
        "consumer_consent_provided": "",
        "company_response_to_consumer": IN_PROGRESS,
        "timely_response": "Yes",
        "consumer_disputed": NOT_APPLICABLE,
    }
    columns = {name: texts[order] for name, texts in batch.columns.items()}
    for name, text in in_progress.items():
        columns[name][twice] = text
    return columns


def _write_narratives(
    rng: np.random.Generator, dates: Dates, subjects: Subjects, has_narrative: Bools, effects: Floats
) -> tuple[Texts, Floats]:
    """Returns each complaint's narrative (or a blank) and what its themes add to its strength."""
    rows = np.flatnonzero(has_narrative)
    texts = np.full(len(dates), "", dtype=object)
    strength = np.zeros(len(dates))
    if len(rows) == 0:
        return texts, strength
    product_family, issue = subjects.product_family[rows], subjects.issue[rows]
    subject = product_family * len(load_taxonomy().issues) + issue
    originals = load_duplicates().draw_originals(rng, dates[rows], subject)
    written, themes = load_narrative_writer().write(rng, product_family, subjects.issue_group[rows])
    texts[rows] = written[originals]
    strength[rows] = planted_strength(themes, effects)[originals]
    return texts, strength


def _subject_columns(subjects: Subjects) -> dict[str, Texts]:
    taxonomy = load_taxonomy()
    return {
        "product": taxonomy.products[subjects.product],
        "sub_product": taxonomy.sub_products[subjects.sub_product],
        "issue": taxonomy.issues[subjects.issue],
        "sub_issue": taxonomy.sub_issues[subjects.sub_issue],
    }


def _complainant_columns(rng: np.random.Generator, dates: Dates) -> dict[str, Texts]:
    state, zip_code, tags = load_complainants().draw(rng, dates)
    return {"state": state, "zip_code": zip_code, "tags": tags}


def _handling_columns(rng: np.random.Generator, filings: Filings) -> dict[str, Texts]:
    handling = load_handling()
    last_day = load_calendar().end - np.timedelta64(1, "D")
    sent = np.minimum(filings.dates + handling.draw_lag_days(rng, filings.dates, filings.channel), last_day)
    return {
        "date_received": _iso_dates(filings.dates),
        "date_sent_to_company": _iso_dates(sent),
        "consumer_consent_provided": handling.draw_consent_text(rng, filings.dates, filings.consent),
        "submitted_via": handling.channels[filings.channel],
    }


def _outcome_columns(
    rng: np.random.Generator, filings: Filings, outcomes: Outcomes, is_open: Bools, is_labelled: Bools
) -> dict[str, Texts]:
    handling = load_handling()
    response = np.where(is_open, IN_PROGRESS, outcomes.response)
    disputed = np.where(outcomes.is_disputed, "Yes", "No").astype(object)
    unknown = handling.draw_unknown_dispute_text(rng, filings.dates)
    return {
        "company_public_response": handling.draw_public_response(rng, filings.dates, (response != UNTIMELY) & ~is_open),
        "company_response_to_consumer": response,
        "timely_response": np.where(outcomes.is_timely | is_open, "Yes", "No").astype(object),
        "consumer_disputed": np.where(is_labelled, disputed, unknown),
    }


def _iso_dates(dates: Dates) -> Texts:
    first = dates.min()
    iso_dates = np.datetime_as_string(np.arange(first, dates.max() + 1)).astype(object)
    texts: Texts = iso_dates[(dates - first).astype(np.int64)]
    return texts


def _as_decimals(numbers: Ints) -> Texts:
    return as_texts([str(number) for number in numbers.tolist()])
