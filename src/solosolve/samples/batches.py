"""One batch of complaints: every column of the published file, with the truth behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from solosolve.names import NARRATIVE
from solosolve.samples.applicants import load_applicants
from solosolve.samples.calendar import load_calendar
from solosolve.samples.calibration import Bools, Days, Floats, Ints, Texts, as_texts
from solosolve.samples.companies import load_companies
from solosolve.samples.copies import load_copies
from solosolve.samples.handling import load_handling
from solosolve.samples.narratives import MEAN_THEME_EFFECT, THEME_EFFECTS, load_writer
from solosolve.samples.outcomes import IN_PROGRESS, UNTIMELY, Filed, Outcomes, load_outcome_model
from solosolve.samples.taxonomy import Subjects, load_taxonomy

REPUBLISHED_SHARE = 0.002
"""Share of records that are superseded by a later record of the same complaint id."""


@dataclass(frozen=True)
class Batch:
    """Complaints in order of arrival, one element per complaint id.

    `columns` has snake_case names and the texts as published; `is_labelled` says where `is_success` is published.
    """

    columns: dict[str, Texts]
    complaint_id: Ints
    probability: Floats
    is_success: Bools
    is_labelled: Bools
    has_narrative: Bools

    def with_ids_from(self, first_id: int) -> Batch:
        """The same complaints, their ids raised by a number."""
        complaint_id = self.complaint_id + first_id
        texts = as_texts([str(number) for number in complaint_id.tolist()])
        return replace(self, complaint_id=complaint_id, columns=self.columns | {"complaint_id": texts})


def build_batch(rng: np.random.Generator, quantile: Floats, last_id: int) -> Batch:
    """Makes the complaints that arrive at these quantiles of the whole file's volume.

    Args:
        rng: Source of every choice.
        quantile: Ascending numbers from 0 to 1, one per complaint.
        last_id: The complaint id given last.

    Returns:
        The batch; its ids ascend from above `last_id`.
    """
    calendar, handling, companies = load_calendar(), load_handling(), load_companies()
    moments = calendar.moments(quantile)
    days = calendar.days(moments)
    subjects = load_taxonomy().draw(rng, calendar.periods.at(days), calendar.taxonomies.at(days))
    company = companies.draw(rng, days, subjects.topic)
    is_open = handling.draw_open(rng, calendar, days)
    channel, consent = handling.draw_route(rng, calendar, days, subjects.issue_topic, is_open)
    has_narrative = (consent == handling.consent("Consent provided")) & ~is_open
    narrative, theme_strength = _write_narratives(rng, days, subjects, has_narrative)
    filed = Filed(
        days=days,
        issue=subjects.issue,
        issue_topic=subjects.issue_topic,
        channel=channel,
        consent=consent,
        is_tail=companies.is_tail(company),
        strength=companies.effects[company] + theme_strength,
    )
    outcomes = load_outcome_model().draw(rng, calendar, filed)
    is_labelled = (days < calendar.label_end) & ~is_open
    complaint_id = calendar.complaint_ids(moments, last_id)
    columns = {
        NARRATIVE: narrative,
        "company": companies.names[company],
        "complaint_id": as_texts([str(number) for number in complaint_id.tolist()]),
        **_subject_columns(subjects),
        **_applicant_columns(rng, days),
        **_handling_columns(rng, filed),
        **_outcome_columns(rng, filed, outcomes, is_open, is_labelled),
    }
    return Batch(columns, complaint_id, outcomes.probability, outcomes.is_success, is_labelled, has_narrative)


def published_columns(rng: np.random.Generator, batch: Batch, records: int) -> dict[str, Texts]:
    """Returns the batch's columns as published, some complaints twice.

    A complaint that is published twice stands in its place as it was while open, and again, final, at the batch's end.

    Args:
        rng: Chooses the complaints published twice.
        batch: At most `records` complaints.
        records: Number of records wanted.

    Returns:
        Column name to `records` texts.
    """
    complaints = len(batch.complaint_id)
    twice = np.sort(rng.choice(complaints, records - complaints, replace=False))
    order = np.concatenate([np.arange(complaints), twice])
    while_open = {
        NARRATIVE: "",
        "company_public_response": "",
        "consumer_consent_provided": "",
        "company_response_to_consumer": IN_PROGRESS,
        "timely_response": "Yes",
        "consumer_disputed": "N/A",
    }
    columns = {name: texts[order] for name, texts in batch.columns.items()}
    for name, text in while_open.items():
        columns[name][twice] = text
    return columns


def _write_narratives(
    rng: np.random.Generator, days: Days, subjects: Subjects, has_narrative: Bools
) -> tuple[Texts, Floats]:
    """Returns each complaint's narrative (blank without one) and what its themes add to its strength."""
    rows = np.flatnonzero(has_narrative)
    texts = np.full(len(days), "", dtype=object)
    strength = np.zeros(len(days))
    if len(rows) == 0:
        return texts, strength
    topic, issue = subjects.topic[rows], subjects.issue[rows]
    sources = load_copies().draw_sources(rng, days[rows], topic * len(load_taxonomy().issues) + issue)
    written, themes = load_writer().write(rng, topic, subjects.group[rows])
    texts[rows] = written[sources]
    strength[rows] = (themes @ THEME_EFFECTS - MEAN_THEME_EFFECT)[sources]
    return texts, strength


def _subject_columns(subjects: Subjects) -> dict[str, Texts]:
    taxonomy = load_taxonomy()
    return {
        "product": taxonomy.products[subjects.product],
        "sub_product": taxonomy.sub_products[subjects.sub_product],
        "issue": taxonomy.issues[subjects.issue],
        "sub_issue": taxonomy.sub_issues[subjects.sub_issue],
    }


def _applicant_columns(rng: np.random.Generator, days: Days) -> dict[str, Texts]:
    state, zip_code, tags = load_applicants().draw(rng, days)
    return {"state": state, "zip_code": zip_code, "tags": tags}


def _handling_columns(rng: np.random.Generator, filed: Filed) -> dict[str, Texts]:
    handling = load_handling()
    last_day = load_calendar().end - np.timedelta64(1, "D")
    sent = np.minimum(filed.days + handling.draw_lag_days(rng, filed.days, filed.channel), last_day)
    return {
        "date_received": _spell_days(filed.days),
        "date_sent_to_company": _spell_days(sent),
        "consumer_consent_provided": handling.spell_consent(rng, filed.days, filed.consent),
        "submitted_via": handling.channels[filed.channel],
    }


def _outcome_columns(
    rng: np.random.Generator, filed: Filed, outcomes: Outcomes, is_open: Bools, is_labelled: Bools
) -> dict[str, Texts]:
    handling = load_handling()
    response = np.where(is_open, IN_PROGRESS, outcomes.response)
    disputed = np.where(outcomes.is_disputed, "Yes", "No").astype(object)
    unknown = handling.spell_unknown_dispute(rng, filed.days)
    return {
        "company_public_response": handling.draw_public_response(rng, filed.days, (response != UNTIMELY) & ~is_open),
        "company_response_to_consumer": response,
        "timely_response": np.where(outcomes.is_timely | is_open, "Yes", "No").astype(object),
        "consumer_disputed": np.where(is_labelled, disputed, unknown),
    }


def _spell_days(days: Days) -> Texts:
    first = days.min()
    spellings = np.datetime_as_string(np.arange(first, days.max() + 1)).astype(object)
    texts: Texts = spellings[(days - first).astype(np.int64)]
    return texts
