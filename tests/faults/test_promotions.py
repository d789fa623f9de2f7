"""Moves the champion while the stream runs: the ledger knows which version made each prediction, never a broken one."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import mlflow

from solosolve.flows import move_champion
from solosolve.kafka.client import send_messages
from solosolve.model.version_tags import VersionTags
from solosolve.names import CHAMPION, REQUESTS_TOPIC
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.model_history import ModelHistory
from solosolve.storage.registry import RegisteredModel
from support.drills import LONG, Disk, StreamProcess, mixed_batches, newest, streaming
from support.live import Live, messages_of, request, scorer

MOVE_COUNT, VERSION_COUNT, BROKEN_COUNT = (50, 12, 10) if LONG else (4, 3, 1)
RATE_SECONDS = 0.02

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


def saved(live: Live, seed: int) -> Path:
    files = live.settings.home / "candidates" / str(seed)
    files.mkdir(parents=True)
    scorer(seed).save(files)
    return files


def register_good(live: Live, seed: int) -> int:
    version = register(live, saved(live, seed)).version
    live.scorers[version] = scorer(seed)
    return version


def register_broken(live: Live, number: int) -> RegisteredModel:
    """Registers a version that cannot score, in each way in turn."""
    files, way = saved(live, 1_000 + number), number % (len(SPOILS) + 1)
    if way == len(SPOILS):
        return register_with_another_loader(live, files)
    SPOILS[way](files)
    return register(live, files)


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


def wait_for_a_batch(stream: StreamProcess, disk: Disk) -> None:
    """Waits until a batch that is planned from now on has ended."""
    log = disk.checkpoint.folder
    planned = newest(log / "offsets") or 0
    stream.wait_until(lambda: (newest(log / "commits") or 0) > planned)


class Operator:
    """Moves the champion by the commands, and knows what they should do."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self.champions: list[int] = []
        """Champions, the present one last; a rollback takes it away."""
        self._is_broken = False

    def promote(self, version: int) -> None:
        self.champions.append(version)
        self._move(version)

    def roll_back(self) -> None:
        if not self._is_broken:
            self.champions.pop()
        self._move(None)

    def move_to_broken(self, version: RegisteredModel) -> None:
        """No command does this: each refuses a version that cannot be loaded.

        The champion goes on scoring, so that a rollback goes back to it.
        """
        self._live.registry.set_alias(CHAMPION, version)
        self._is_broken = True

    def _move(self, version: int | None) -> None:
        move = move_champion.run(self._live.tables.spark, self._live.settings, version, "a drill")
        assert move is not None
        assert move.version == self.champions[-1]
        self._is_broken = False


def test_ledger_knows_the_version_of_every_prediction_made_beside_moves_of_the_champion(
    live_of: Callable[[str], Live],
) -> None:
    live, chance = live_of("kafka"), random.Random(4)
    operator, refused = Operator(live), []
    with streaming(live, "kafka") as stream:
        # While it starts.
        versions = [register_good(live, 1 + number) for number in range(VERSION_COUNT)]
        broken = [register_broken(live, number) for number in range(BROKEN_COUNT)]
        operator.promote(versions[0])
        disk = Disk(live.settings, "kafka")
        with load(live) as sent:
            wait_for_a_batch(stream, disk)
            for number in range(1, MOVE_COUNT):
                others = [version for version in versions if version != operator.champions[-1]]
                if len(operator.champions) > 1 and (chance.random() < 0.4 or number == MOVE_COUNT - 1):
                    operator.roll_back()
                else:
                    operator.promote(others[number % len(others)])
                wait_for_a_batch(stream, disk)
                if number % (MOVE_COUNT // (BROKEN_COUNT + 1)) == 0 and broken:
                    refused.append(broken.pop())
                    operator.move_to_broken(refused[-1])
                    wait_for_a_batch(stream, disk)
        stream.wait_until(lambda: live.scored_ids().total() >= sent.total(), poll_seconds=0.5)
        stream.terminate()
        assert stream.wait() == 0, stream.output

    assert live.scored_ids() == sent
    assert mixed_batches(live) == []
    history = ModelHistory(DeltaReader(live.settings.warehouse))
    made = live.query("select distinct batch_id, scored_at, model_version from gold.predictions")
    wrong = [row for row in made if history.champion_at(row["scored_at"]).version != row["model_version"]]
    assert wrong == []
    events = Counter(row["event"] for row in live.query("select event from gold.model_events"))
    assert events["promoted_by_hand"] + events["rolled_back"] == MOVE_COUNT
    assert min(events["promoted_by_hand"], events["rolled_back"]) > 0
    assert events["load_failed"] == len(refused) == BROKEN_COUNT
    champions = live.query("select distinct model_version as version from gold.model_events where alias = 'champion'")
    assert {row["model_version"] for row in made} == {row["version"] for row in champions}
    for row in live.predictions()[:: max(1, sent.total() // 50)]:
        assert row["probability"] == live.expected(request(row["complaint_id"]), row["model_version"])
