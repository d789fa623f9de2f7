"""Where complaints and outcomes of `solosolve live` go in: the Delta table and files, or the Kafka topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from solosolve.kafka.client import ensure_topics, send_messages
from solosolve.local.live_files import LiveFiles, event_of
from solosolve.local.live_world import Arrival, Outcome
from solosolve.local.produce import encode_message
from solosolve.names import FEEDBACK_TOPIC, KAFKA_SOURCE, NO_SOURCE, REQUESTS_TOPIC, TOPICS, SourceName
from solosolve.settings import Settings
from solosolve.storage.delta_requests import append_requests


class Desk(Protocol):
    """What takes in requests and outcomes."""

    @property
    def feedback_source(self) -> str:
        """The parameter `source` of the job `retrain`."""
        ...

    def request(self, arrivals: Sequence[Arrival]) -> None:
        """Asks for a score of each complaint."""
        ...

    def report(self, outcomes: Sequence[Outcome]) -> None:
        """Reports outcomes."""
        ...


class DeltaDesk:
    """Requests are rows of `bronze.inference_requests`, outcomes lines of files."""

    def __init__(self, settings: Settings, files: LiveFiles) -> None:
        self._settings, self._files = settings, files

    @property
    def feedback_source(self) -> str:
        """The closed files."""
        return self._files.outcomes or NO_SOURCE

    def request(self, arrivals: Sequence[Arrival]) -> None:
        """Appends them in one commit."""
        append_requests(self._settings, [_request(each) for each in arrivals])

    def report(self, outcomes: Sequence[Outcome]) -> None:
        """Appends them to the growing file."""
        self._files.add_outcomes(outcomes)


class KafkaDesk:
    """Requests and outcomes are messages of their topics."""

    feedback_source = str(KAFKA_SOURCE)

    def __init__(self, settings: Settings) -> None:
        """Makes the topics that do not exist.

        Raises:
            BrokerError: No broker answers.
        """
        self._settings = settings
        ensure_topics(settings, TOPICS)

    def request(self, arrivals: Sequence[Arrival]) -> None:
        """Sends them, and waits until all are acknowledged."""
        messages = (encode_message(_request(each)) for each in arrivals)
        send_messages(self._settings, REQUESTS_TOPIC, messages)

    def report(self, outcomes: Sequence[Outcome]) -> None:
        """Sends them, and waits until all are acknowledged."""
        messages = ((str(each.complaint_id).encode(), msgspec.json.encode(event_of(each))) for each in outcomes)
        send_messages(self._settings, FEEDBACK_TOPIC, messages)


def desk_of(source: SourceName, settings: Settings, files: LiveFiles) -> Desk:
    """The desk of a source."""
    return KafkaDesk(settings) if source == KAFKA_SOURCE else DeltaDesk(settings, files)


def _request(arrival: Arrival) -> Mapping[str, Any]:
    return {
        "complaint_id": arrival.complaint_id,
        "date_received": arrival.received,
        "requested_at": arrival.requested_at,
        **arrival.made_up.filed,
    }
