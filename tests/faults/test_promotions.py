"""Promotes models while the stream runs: a batch never mixes two, and a broken one never scores."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count, pairwise
from pathlib import Path

import mlflow

from solosolve.kafka.client import send_messages
from solosolve.model.version_tags import VersionTags
from solosolve.names import CHAMPION, REQUESTS_TOPIC
from solosolve.storage.registry import RegisteredModel
from support.drills import LONG, Disk, StreamProcess, mixed_batches, newest, streaming
from support.live import Live, messages_of, request, scorer

PROMOTION_COUNT, BROKEN_COUNT = (50, 10) if LONG else (4, 2)
RATE_SECONDS = 0.02
FIRST = 1

Spoil = Callable[[Path], None]


def without_trees(files: Path) -> None:
    (files / "boosted_trees.ubj").unlink()


def with_half_of_the_trees(files: Path) -> None:
    trees = files / "boosted_trees.ubj"
    trees.write_bytes(trees.read_bytes()[:-200])


def with_broken_features(files: Path) -> None:
    features = files / "features.json"
    features.write_text(features.read_text()[:-20])


def with_another_feature(files: Path) -> None:
    features = files / "features.json"
    another = '{"kind": "text_pattern", "column": "company", "name": "banks", "pattern": "Bank"}'
    features.write_text(features.read_text().replace('"kernels": [', f'"kernels": [{another},'))


SPOILS: tuple[Spoil, ...] = (without_trees, with_another_feature, with_broken_features, with_half_of_the_trees)
WRONG_LOADER = "solosolve.model.scorer"


@dataclass
class Promotion:
    """A version, whether it can score, and the period in which it certainly was the champion."""

    version: int
    is_good: bool
    since: datetime
    until: datetime = field(default=datetime.max.replace(tzinfo=UTC))


def register(live: Live, files: Path) -> RegisteredModel:
    with live.registry.run("train_model", {}):
        return live.registry.register(files, VersionTags())


def register_with_another_loader(live: Live, files: Path) -> RegisteredModel:
    """Registers a version as a program other than this project may: its own code would load it."""
    registry = live.registry
    with registry.run("train_model", {}):
        logged = mlflow.pyfunc.log_model(
            name="model", loader_module=WRONG_LOADER, data_path=str(files), pip_requirements=["numpy"]
        )
        made = mlflow.register_model(logged.model_uri, registry.model_name)
    return registry.get(int(made.version))


def promote(live: Live, number: int, done: list[Promotion], spoil: Spoil | None, is_loader_wrong: bool) -> None:
    files = live.settings.home / "promoted" / str(number)
    files.mkdir(parents=True)
    made = scorer(number)
    made.save(files)
    if spoil is not None:
        spoil(files)
    model = register_with_another_loader(live, files) if is_loader_wrong else register(live, files)
    done[-1].until = datetime.now(UTC)
    live.registry.set_alias(CHAMPION, model)
    is_good = spoil is None and not is_loader_wrong
    done.append(Promotion(model.version, is_good, datetime.now(UTC)))
    if is_good:
        live.scorers[model.version] = made


@contextmanager
def load(live: Live) -> Iterator[Counter[int]]:
    """Sends a request every few milliseconds; yields the requests sent, complete once the block has ended."""
    is_over, sent = threading.Event(), Counter[int]()

    def requests() -> Iterator[dict[str, object]]:
        for number in count(1):
            if is_over.wait(RATE_SECONDS):
                return
            sent[number] += 1
            yield request(number)

    thread = threading.Thread(
        target=lambda: send_messages(live.settings, REQUESTS_TOPIC, messages_of(requests())),  # type: ignore[arg-type]
    )
    thread.start()
    try:
        yield sent
    finally:
        is_over.set()
        thread.join()


def wait_for_batches(stream: StreamProcess, disk: Disk, more: int) -> None:
    offsets = disk.checkpoint.folder / "offsets"
    until = (newest(offsets) or 0) + more
    stream.wait_until(lambda: (newest(offsets) or 0) >= until)


def is_broken(number: int) -> bool:
    """Whether a promotion is of a broken version: spread evenly, never the last."""
    return number % (PROMOTION_COUNT // BROKEN_COUNT) == 0


def expected_versions(promotions: list[Promotion], batches: list[dict[str, object]]) -> dict[int, tuple[int, int]]:
    """Maps a batch to its champion and to the version that should have scored it, if both are certain.

    The champion is looked up after the previous batch was planned, and before this batch's rows are visible.
    """
    expected = {}
    for before, batch in pairwise(batches):
        good = 0
        for promotion in promotions:
            good = promotion.version if promotion.is_good else good
            if promotion.since <= before["scored_at"] and batch["scored_at"] <= promotion.until:  # type: ignore[operator]
                expected[batch["batch_id"]] = (promotion.version, good)
    return expected  # type: ignore[return-value]


def test_promotions_under_load_are_picked_up_unless_they_are_broken(live_of: Callable[[str], Live]) -> None:
    live = live_of("kafka")
    promotions = [Promotion(FIRST, True, datetime.min.replace(tzinfo=UTC))]
    broken = 0
    with streaming(live, "kafka") as stream:
        disk = Disk(live.settings, "kafka")
        with load(live) as sent:
            wait_for_batches(stream, disk, 2)
            for number in range(PROMOTION_COUNT):
                ways = [*SPOILS, None]
                way = ways[broken % len(ways)] if is_broken(number) else None
                promote(live, 2 + number, promotions, way, is_loader_wrong=is_broken(number) and way is None)
                broken += is_broken(number)
                wait_for_batches(stream, disk, 3)
        stream.wait_until(lambda: live.scored_ids().total() >= sent.total(), poll_seconds=0.5)
        stream.terminate()
        assert stream.wait() == 0, stream.output

    assert live.scored_ids() == sent
    assert mixed_batches(live) == []
    batches = live.query(
        "select batch_id, max(scored_at) as scored_at, max(model_version) as version from gold.predictions "
        "group by 1 order by 1"
    )
    versions = {batch["batch_id"]: batch["version"] for batch in batches}
    expected = expected_versions(promotions, batches)
    assert {batch: versions[batch] for batch in expected} == {batch: good for batch, (_, good) in expected.items()}
    assert {champion for champion, _ in expected.values()} == {promotion.version for promotion in promotions}
    assert set(versions.values()) == {promotion.version for promotion in promotions if promotion.is_good}
    refused = [promotion.version for promotion in promotions if not promotion.is_good]
    failed = live.query("select model_version, event from gold.model_events order by 1")
    assert failed == [{"model_version": version, "event": "load_failed"} for version in refused]
    assert (len(promotions) - 1, len(refused)) == (PROMOTION_COUNT, BROKEN_COUNT)
    for row in live.predictions()[:: max(1, sent.total() // 50)]:
        assert row["probability"] == live.expected(request(row["complaint_id"]), row["model_version"])
