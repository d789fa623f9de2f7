"""Every number that a room shows, and the SQL that it equals: run by the browser tests, and printed in the docs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solosolve.storage.reader import Reader


@dataclass(frozen=True)
class PageNumber:
    """A number, or a sentence with numbers, on a page without filters.

    Attributes:
        room: The address of the room.
        what: What it is, in words.
        selector: The CSS selector of the element whose text it is.
        sql: A statement with one row.
        text: How the row's columns are shown, as a format string with their names.
    """

    room: str
    what: str
    selector: str
    sql: str
    text: str

    def expected(self, reader: Reader) -> str:
        """The text that the tables demand."""
        row: Mapping[str, Any] = reader.query(self.sql).to_pylist()[0]
        return self.text.format(**row)


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


PAGE_NUMBERS: tuple[PageNumber, ...] = (
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
"""The numbers, room by room."""
