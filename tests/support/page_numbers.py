"""Every number that a room shows, and the SQL that it equals: the browser tests run them, and the docs list them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from solosolve.storage.reader import Reader

_TEXTS = """found => found.map(each => each.tagName === "TR"
    ? [...each.cells].map(cell => cell.textContent.trim()).join(" | ").trim()
    : (each.firstChild?.nodeType === 3 ? each.firstChild : each).textContent.trim())"""


@dataclass(frozen=True)
class PageNumber:
    """A number, a sentence with numbers, or the rows of a table, on a page without filters.

    Attributes:
        room: The address of the room.
        what: What it is, in words.
        selector: The CSS selector of the element whose text it is; of a table, of its rows.
        sql: A statement with one row, or with a row for each of the table's.
        text: How a row's columns are shown, as a format string with their names; a bar parts the cells of a table.
    """

    room: str
    what: str
    selector: str
    sql: str
    text: str

    def expected(self, reader: Reader) -> list[str]:
        """The texts that the tables demand."""
        rows: list[Mapping[str, Any]] = reader.query(self.sql).to_pylist()
        return [self.text.format(**row).strip() for row in rows]

    def shown(self, page: Page) -> list[str]:
        """The texts on the page; of an element that is no row of a table, the first one."""
        texts: list[str] = page.locator(self.selector).evaluate_all(_TEXTS)
        return texts if self.selector.endswith("tr") else texts[:1]


_CHAMPION = "(select model_version from gold.model_events where alias = 'champion' order by event_at desc limit 1)"
_TESTED = f"gold.test_scores where model_version = {_CHAMPION}"
_THRESHOLD = (
    "coalesce((select max(value) from gold.model_metrics where metric = 'threshold' and split = 'test' "
    f"and model_version = {_CHAMPION}), 0.5)"
)
_WORK = (
    f"select count(*) filter (where probability < {_THRESHOLD}) as flagged, count(*) as total, "
    f"count(*) filter (where probability < {_THRESHOLD} and is_successful_resolution = 0.0) as found, "
    "count(*) filter (where is_successful_resolution = 0.0) as failures, "
    f"count(*) filter (where probability < {_THRESHOLD} and is_successful_resolution = 1.0) as in_vain from {_TESTED}"
)
_LARGEST_BAND = (
    "select 10 * band as low, 10 * band + 10 as high, rate, n from (select least(cast(floor(probability * 10) as int), "
    f"9) as band, avg(is_successful_resolution) as rate, count(*) as n from {_TESTED} group by 1) as bands "
    "order by n desc, low limit 1"
)
_PRIOR = (
    "select avg(is_successful_resolution) as rate, max(cast(regexp_match(evidence, '\"prior\": ([0-9.]+)')[1] as "
    "double)) as p from gold.test_scores t join gold.model_events e on e.model_version = t.model_version "
    f"and e.event = 'trained' where t.model_version = {_CHAMPION}"
)
_SHARES = ("failure_recall", "review_share")
_METRICS = {
    "failure_recall": "failures found", "review_share": "share to review", "accuracy": "accuracy", "auc": "AUC",
    "log_loss": "log loss", "calibration_error": "calibration error",
}  # fmt: skip
_WINDOW = (
    "select * from gold.model_performance where segment = 'all' and metric = '{metric}' and model_version = "
    f"{_CHAMPION} order by window_end desc limit 1"
)
_NEWEST_WINDOW = "#performance-results [aria-label='Performance by window'] tbody tr:first-child td:nth-child({column})"


def _recorded(metric: str) -> str:
    return (
        f"select 100 * value as percent, 100 * value_low as percent_low, 100 * value_high as percent_high, value, "
        f"value_low, value_high from gold.model_metrics where split = 'test' and metric = '{metric}' and "
        f"model_version = {_CHAMPION}"
    )


def _of_metric(place: str, where: str, metric: str) -> list[PageNumber]:
    is_share = metric in _SHARES
    value = "{percent:.1f}%" if is_share else "{value:.3f}"
    interval = "{percent_low:.1f} to {percent_high:.1f}%" if is_share else "{value_low:.3f} to {value_high:.3f}"
    tile, what = f"#{place}-{metric}", f"{where}: {_METRICS[metric]}"
    return [
        PageNumber("/model", what, f"{tile} .tile-value", _recorded(metric), value),
        PageNumber("/model", f"{what}, 95% interval", f"{tile} .interval", _recorded(metric), interval),
    ]


_NEW = "gold.predictions where scored_at >= now() - interval '24 hours'"
_LIVE = (
    "(select * from silver.feedback where verdict <> 'withdrawn' and feedback_id not in "
    "(select feedback_id from silver.feedback where verdict = 'withdrawn'))"
)
_UNREAD = (
    f"{_NEW} and prediction = 0 and complaint_id not in "
    f"(select complaint_id from {_LIVE} as live where source <> 'second_reading')"
)
_TODAY = f"{_LIVE} as live where source in ('review', 'second_reading') and given_at >= date_trunc('day', now())"
_FAILING = "count(distinct case when prediction = 0 then complaint_id end)"
_OFF_THE_MAP = "state is null or state in ('AA', 'AE', 'AP', 'AS', 'FM', 'GU', 'MH', 'MP', 'PR', 'PW', 'UM', 'VI')"
_BY_STATE = (
    "select state, count(*) as n, avg(prediction) as share, 1.959964 * 1.959964 as zz from gold.predictions "
    f"where not ({_OFF_THE_MAP}) group by state"
)
# Wilson's interval.
_STATES = (
    "select state, n, 100 * share as percent, 100 * (share + zz / 2 / n - width) / (1 + zz / n) as low, "
    "100 * (share + zz / 2 / n + width) / (1 + zz / n) as high from (select *, "
    f"sqrt(zz) * sqrt(share * (1 - share) / n + zz / 4 / n / n) as width from ({_BY_STATE}) as counted) as shares "
    "order by state"
)
_DISTRIBUTION = (
    "select step / 20.0 as low, step / 20.0 + 0.05 as high, count(p.complaint_id) as n from "
    "(select unnest(generate_series(0, 19)) as step) as steps left join gold.predictions as p "
    "on least(floor(floor(p.probability * 100) / 5), 19) = step group by step order by step"
)
_ARRIVALS = (
    "select date_trunc('minute', scored_at) as at, count(*) filter (where prediction = 1) as good, "
    "count(*) filter (where prediction = 0) as bad from gold.predictions where batch_id is not null "
    "group by 1 order by 1 desc limit 100"
)
_BATCHES = "(select * from gold.stream_progress order by ended_at desc limit 600) as batches"
_RECENT = "(select * from gold.stream_progress order by ended_at desc limit 60) as recent"
_LAG = (
    "select sum(lag) as n from (select lag, row_number() over (partition by source order by ended_at desc) as place "
    f"from {_BATCHES} where lag is not null) as newest where place = 1"
)
_SET_ASIDE = (
    "select kind, reason, n from (select 1 as place, 'unreadable record' as kind, _reason as reason, count(*) as n "
    "from bronze.complaints_quarantine group by _reason union all select 2, 'rejected complaint', "
    "replace(array_join(failed_rules, ', '), 'has_narrative', 'no narrative'), count(*) "
    "from silver.complaints_rejected group by 3 union all select 3, 'dead letter', reason, count(*) "
    "from bronze.dead_letters group by reason) as kinds "
    "order by place, n desc"
)
_COUNTED = ("bronze.landings", "silver.complaints", "silver.feedback", "gold.predictions", "gold.test_scores")


def _failing_by(column: str) -> str:
    return (
        f"select {column}, {_FAILING} as failing, count(distinct complaint_id) as n, "
        f"100.0 * {_FAILING} / count(distinct complaint_id) as percent from {_NEW} group by {column} "
        f"having {_FAILING} > 0 order by failing desc, n desc, {column} limit 10"
    )


def _tile(panel: str, place: int, part: str = "value") -> str:
    return f"{panel} .tile:nth-child({place}) .tile-{part}"


_TODAY_NUMBERS = (
    PageNumber("/", "new complaints", _tile("#panel-new", 1), f"select count(distinct complaint_id) as n from {_NEW}",
               "{n:,}"),
    PageNumber("/", "new complaints that a stream scored", _tile("#panel-new", 1, "detail"),
               f"select count(distinct complaint_id) as n from {_NEW} and batch_id is not null",
               "scored in the last 24 hours, {n:,} live"),
    PageNumber("/", "likely to fail", _tile("#panel-new", 2), f"select {_FAILING} as n from {_NEW}", "{n:,}"),
    PageNumber("/", "share that is likely to fail", _tile("#panel-new", 2, "detail"),
               f"select 100.0 * {_FAILING} / count(distinct complaint_id) as percent from {_NEW}",
               "{percent:.0f}% of them, by any version that scored them"),
    PageNumber("/", "likely to fail and unread", _tile("#panel-new", 3),
               f"select count(distinct complaint_id) as n from {_UNREAD}", "{n:,}"),
    *(PageNumber("/", f"likely to fail, by {column}", f"#panel-failing_{plural} tbody tr", _failing_by(column),
                 f"{{{column}}} | {{failing:,}} | {{n:,}} | {{percent:.0f}}% |")
      for column, plural in (("product", "products"), ("company", "companies"))),
    PageNumber("/", "read these first", "#panel-to_read tbody tr",
               "select complaint_id, 100 * min(probability) as percent, min(product) as product, "
               f"min(company) as company, min(state) as state from {_UNREAD} group by complaint_id "
               "order by percent, complaint_id limit 10",
               "{complaint_id} | {percent:.1f}% | {product} | {company} | {state}"),
    PageNumber("/", "predictions over time: the newest hundred minutes with arrivals",
               "#panel-time .as-table tbody tr", _ARRIVALS,
               "{at:%Y-%m-%d %H:%M:%S} | arrivals | {good:,} | {bad:,}"),
    PageNumber("/", "predictions by probability", "#panel-distribution .as-table tbody tr", _DISTRIBUTION,
               "{low:.2f} to {high:.2f} | {n:,}"),
    PageNumber("/", "predictions by state", "#panel-states .as-table tbody tr", _STATES,
               "{state} | {n:,} | {percent:.1f}% | {low:.1f}% to {high:.1f}%"),
    PageNumber("/", "predictions that are not on the map", "#panel-states .note",
               f"select count(*) as n from gold.predictions where {_OFF_THE_MAP}",
               "Not on the map: {n:,} predictions for territories, military addresses or no state."),
    PageNumber("/", "predictions by company", "#panel-companies .as-table tbody tr",
               "select company, count(*) filter (where prediction = 1) as good, count(*) filter (where prediction = 0) "
               "as bad from gold.predictions group by company order by count(*) desc, company limit 10",
               "{company} | {good:,} | {bad:,}"),
)  # fmt: skip
_COMPLAINT_NUMBERS = (
    PageNumber("/complaints", "predictions found", "#result-count", "select count(*) as n from gold.predictions",
               "{n:,} predictions"),
    PageNumber("/complaints", "the first page", "#table tbody tr",
               "select *, 100 * probability as percent, case prediction when 1 then 'successful' else 'not successful' "
               "end as outcome from gold.predictions order by scored_at desc, complaint_id, model_version, source "
               "limit 50",
               "{complaint_id} | {date_received} | {scored_at:%Y-%m-%d %H:%M} | {percent:.1f}% | {outcome} | {company} "
               "| {product} | {state} | {model_version} | {source}"),
)  # fmt: skip
_REVIEW_NUMBERS = (
    PageNumber("/review", "verdicts of today, by all reviewers", _tile("#review-progress", 1, "detail"),
               f"select count(*) as n from {_TODAY}", "{n:,} by all reviewers, in UTC"),
    PageNumber("/review", "complaints that wait", _tile("#review-progress", 2),
               "select count(distinct complaint_id) as n from gold.predictions where complaint_id not in "
               f"(select complaint_id from {_LIVE} as live where source <> 'second_reading')", "{n:,}"),
    PageNumber("/review", "share of today's verdicts that was picked at random", _tile("#review-progress", 3),
               "select 100.0 * count(*) filter (where picked_by = 'audit') / count(*) as percent "
               f"from {_TODAY}", "{percent:.0f}%"),
    PageNumber("/review", "how often reviewers agree", _tile("#review-progress", 4),
               "select 100.0 * count(*) filter (where given.verdict = again.verdict) / count(*) as percent "
               f"from {_LIVE} as given join {_LIVE} as again on given.complaint_id = again.complaint_id "
               "where given.source = 'review' and again.source = 'second_reading'", "{percent:.0f}%"),
)  # fmt: skip
_DATA_NUMBERS = (
    PageNumber("/data", "records processed", _tile("#panel-stream", 1),
               "select count(*) as n from gold.predictions where batch_id is not null", "{n:,}"),
    PageNumber("/data", "records per second, of the last 60 batches", _tile("#panel-stream", 2),
               f"select sum(request_count) / sum(batch_seconds) as rate from {_RECENT}", "{rate:,.1f}"),
    PageNumber("/data", "average time of the last 60 batches", _tile("#panel-stream", 3),
               f"select avg(batch_seconds) as seconds from {_RECENT}", "{seconds:,.2f} s"),
    PageNumber("/data", "99th percentile of the time of the last 600 batches", _tile("#panel-stream", 4),
               "select min(batch_seconds) as seconds from (select batch_seconds, row_number() over (order by "
               f"batch_seconds) as place, count(*) over () as n from {_BATCHES}) as ordered where place >= 0.99 * n",
               "{seconds:,.2f} s"),
    PageNumber("/data", "lag", _tile("#panel-stream", 5), _LAG, "{n:,}"),
    PageNumber("/data", "dead letters of the last 600 batches", _tile("#panel-stream", 6),
               f"select sum(dead_letter_count) as n from {_BATCHES}", "{n:,}"),
    PageNumber("/data", "time of the last hundred batches", "#panel-batches .as-table tbody tr",
               "select * from gold.stream_progress order by ended_at desc limit 100",
               "{ended_at:%Y-%m-%d %H:%M:%S} | {source} | {batch_seconds:,.3f} | {latency_p99_seconds:,.3f}"),
    *(PageNumber("/data", what, _tile("#panel-landed", place), f"select {count} as n from bronze.landings", "{n:,}")
      for place, (what, count) in enumerate(
          {"landings": "count(*)", "records in landed files": "sum(record_count)",
           "records that went to bronze": "sum(bronze_count)",
           "records that went to quarantine": "sum(quarantine_count)"}.items(), 1)),
    PageNumber("/data", "records set aside, by reason", "#panel-quality tbody tr", _SET_ASIDE,
               "{kind} | {reason} | {n:,}"),
    *(PageNumber("/data", f"rows of {table}", f"#panel-sizes tr:has(td:text-is('{table}')) td:nth-child(2)",
                 f"select count(*) as n from {table}", "{n:,}") for table in _COUNTED),
)  # fmt: skip


_MODEL_NUMBERS = (
    PageNumber("/model", "champion: complaints read and failures found", "#card-work", _WORK,
               "Reading {flagged:,} of {total:,} complaints finds {found:,} of {failures:,} failures."),
    *(number for metric in _METRICS for number in _of_metric("card", "champion", metric)),
    PageNumber("/model", "prior: accuracy", "#card-accuracy .references", _PRIOR, "prior {rate:.3f}"),
    PageNumber("/model", "prior: log loss", "#card-log_loss .references",
               f"select -rate * ln(p) - (1 - rate) * ln(1 - p) as loss from ({_PRIOR}) as prior", "prior {loss:.3f}"),
    PageNumber("/model", "who is champion", "#role-champion .version",
               f"select model_version from gold.model_events where model_version = {_CHAMPION} limit 1",
               "Version {model_version}"),
    PageNumber("/model", "threshold explorer: flags and failures found", "#threshold-work", _WORK,
               "Flag {flagged:,} of {total:,}, find {found:,} of {failures:,} failures, {in_vain:,} flags in vain."),
    *(number for metric in ("failure_recall", "review_share", "accuracy")
      for number in _of_metric("threshold", "threshold explorer", metric)),
    PageNumber("/model", "confusion matrix: failures found", "#threshold-results .confusion tbody tr:nth-child(1) "
               "td:nth-child(2) strong", _WORK, "{found:,}"),
    PageNumber("/model", "confusion matrix: flags in vain", "#threshold-results .confusion tbody tr:nth-child(2) "
               "td:nth-child(2) strong", _WORK, "{in_vain:,}"),
    PageNumber("/model", "calibration: the band with most complaints", "#calibration-work",
               f"select low, high, 100 * rate as percent, n from ({_LARGEST_BAND}) as largest",
               "Of complaints given {low}–{high}%, {percent:.0f}% succeeded (n = {n:,})."),
    PageNumber("/model", "newest window: labels", _NEWEST_WINDOW.format(column=3), _WINDOW.format(metric="auc"),
               "{label_count:,}"),
    PageNumber("/model", "newest window: complaints scored", _NEWEST_WINDOW.format(column=4),
               _WINDOW.format(metric="auc"), "{record_count:,}"),
    PageNumber("/model", "newest window: label delay", _NEWEST_WINDOW.format(column=5), _WINDOW.format(metric="auc"),
               "{label_delay_days:.1f} days"),
    PageNumber("/model", "newest window: AUC", _NEWEST_WINDOW.format(column=7), _WINDOW.format(metric="auc"),
               "{value:.3f} ({value_low:.3f} to {value_high:.3f})"),
    PageNumber("/model", "drift: the index of `state` in the newest window",
               "#panel-drift .heat tbody tr:has(th:text-is('state')) td:last-child > div",
               "select psi from gold.drift_metrics where feature = 'state' and model_version = "
               f"{_CHAMPION} order by window_end desc limit 1", "{psi:.2f}"),
    PageNumber("/model", "versions: records of the newest version",
               "#panel-versions [aria-label='Model versions'] tbody tr:first-child td:nth-child(4)",
               "select max(case when split = 'train' then record_count end) as train, "
               "max(case when split = 'validate' then record_count end) as validate, "
               "max(case when split = 'test' then record_count end) as test from gold.model_metrics "
               "where model_version = (select max(model_version) from gold.model_metrics)",
               "{train:,} / {validate:,} / {test:,}"),
)  # fmt: skip

PAGE_NUMBERS: tuple[PageNumber, ...] = (
    *_TODAY_NUMBERS, *_COMPLAINT_NUMBERS, *_REVIEW_NUMBERS, *_MODEL_NUMBERS, *_DATA_NUMBERS,
)  # fmt: skip
"""The numbers, room by room."""


def as_markdown() -> str:
    """The page of the docs: one table with a row for each number."""
    names = {"/": "Today", "/complaints": "Complaints", "/review": "Review", "/model": "Model", "/data": "Data"}
    rows = [(names[each.room], each.what, f"`{each.sql}`".replace("|", r"\|")) for each in PAGE_NUMBERS]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([_ABOUT, "", "| room | number | SQL |", "|---|---|---|", *lines, ""])


_ABOUT = """# Every number on the dashboard

Each number on a page without filters equals one SQL statement over the tables. The browser tests run every statement
of this list and compare it with the page (`tests/browser/test_page_numbers.py`); `solosolve sql` runs each of them,
too. The list is written by `python -m support.page_numbers` in `tests`. Alerts are the open rows of `gold.alerts`;
[operations.md](operations.md) has the query."""

if __name__ == "__main__":
    sys.stdout.write(as_markdown())
