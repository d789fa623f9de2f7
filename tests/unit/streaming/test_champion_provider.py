from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import xgboost as xgb

from solosolve.errors import ModelError, NoChampionError
from solosolve.model.scorer import ComplaintScorer, as_raw_complaints
from solosolve.names import FILED_COLUMNS
from solosolve.storage.registry import RegisteredModel
from solosolve.streaming.champion_provider import RETRY_SECONDS, ChampionProvider, ModelStore, load, with_control
from solosolve.transforms.predictions import Scoring
from support.live import ENCODER, request, scorer

NAME = "complaint_resolution"


@dataclass
class MemoryRegistry:
    """A registry whose champion and answers a test sets."""

    champion: int | None = None
    is_down: bool = False
    files: dict[int, Path] = field(default_factory=dict)

    def champion_at(self, instant: datetime) -> RegisteredModel | None:
        if self.is_down:
            raise ConnectionError("no route to the registry")
        return None if self.champion is None else self.get(self.champion)

    def get(self, version: int) -> RegisteredModel:
        return RegisteredModel(NAME, version, f"run-{version}", {})

    def fetch(self, model: RegisteredModel) -> Path:
        return self.files[model.version]


@dataclass
class Setting:
    """A registry, a ledger and predictions, as they outlive the stream's processes."""

    registry: MemoryRegistry = field(default_factory=MemoryRegistry)
    broken: dict[int, str] = field(default_factory=dict)
    loaded: list[int] = field(default_factory=list)
    ledger: list[tuple[int, Mapping[str, object]]] = field(default_factory=list)
    scored: list[int] = field(default_factory=list)
    now: float = 1_000.0

    def start(self) -> ChampionProvider:
        """The provider of a new process."""
        return ChampionProvider(
            self.registry,
            lambda version, evidence: self.ledger.append((version, evidence)),
            lambda: self.scored,
            load=self._load,
            clock=lambda: self.now,
        )

    def promote(self, version: int, *, broken: str | None = None) -> None:
        self.registry.champion = version
        if broken is not None:
            self.broken[version] = broken

    def _load(self, registry: ModelStore, model: RegisteredModel) -> Scoring:
        assert registry is self.registry
        self.loaded.append(model.version)
        if model.version in self.broken:
            raise ModelError(self.broken[model.version])
        return Scoring(lambda complaints: np.full(complaints.num_rows, 0.5), 0.5, model.name, model.version)


@pytest.fixture
def setting() -> Setting:
    return Setting()


@pytest.fixture
def running(setting: Setting) -> tuple[Setting, ChampionProvider]:
    """A stream that scores with version 1."""
    setting.promote(1)
    provider = setting.start()
    provider.current()
    return setting, provider


Running = tuple[Setting, ChampionProvider]


def test_champion_is_loaded_once(running: Running) -> None:
    setting, provider = running
    assert provider.current() is provider.current()
    assert (provider.current().model_name, provider.current().model_version, setting.loaded) == (NAME, 1, [1])


def test_promoted_version_is_picked_up_at_the_next_look(running: Running) -> None:
    setting, provider = running
    setting.promote(2)
    assert (provider.current().model_version, setting.loaded, setting.ledger) == (2, [1, 2], [])


def test_version_that_is_promoted_again_is_picked_up_again(running: Running) -> None:
    setting, provider = running
    for version in (2, 1):
        setting.promote(version)
        assert provider.current().model_version == version


def test_start_without_a_champion_is_refused(setting: Setting) -> None:
    with pytest.raises(NoChampionError, match="no champion model yet; run: solosolve run train_model"):
        setting.start().current()


def test_start_without_a_champion_uses_the_version_that_scored_last(setting: Setting) -> None:
    setting.scored = [3, 1]
    assert setting.start().current().model_version == 3


@pytest.fixture(autouse=True)
def _warnings_only(caplog: pytest.LogCaptureFixture) -> None:
    # Other tests may have set up logging with every level.
    caplog.set_level(logging.WARNING, "solosolve.champion_provider")


def test_champion_that_is_withdrawn_keeps_scoring(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    setting, provider = running
    setting.registry.champion = None
    assert [provider.current().model_version for _ in range(3)] == [1, 1, 1]
    (warning,) = caplog.messages
    assert "there is no champion model yet" in warning
    assert warning.endswith("version 1 keeps scoring")


def test_start_without_a_registry_is_refused(setting: Setting) -> None:
    setting.registry.is_down = True
    with pytest.raises(ModelError, match=r"registry does not answer \(ConnectionError: no route") as refusal:
        setting.start().current()
    assert isinstance(refusal.value.__cause__, ConnectionError)


def test_start_without_a_registry_cannot_load_a_version_that_scored(setting: Setting) -> None:
    setting.registry.is_down, setting.scored = True, [4]
    setting.broken[4] = "cannot be fetched"
    with pytest.raises(ModelError, match="registry does not answer"):
        setting.start().current()


def test_registry_that_does_not_answer_leaves_the_champion_scoring(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    setting, provider = running
    for is_down in (True, True, False, True):
        setting.registry.is_down = is_down
        assert provider.current().model_version == 1
    # One warning for each time it went away, not for each batch.
    assert len([message for message in caplog.messages if "registry does not answer" in message]) == 2
    assert (setting.loaded, setting.ledger) == ([1], [])


def test_broken_champion_leaves_the_last_good_version_scoring(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    setting, provider = running
    setting.promote(2, broken="its trees are missing")
    assert provider.current().model_version == 1
    assert setting.ledger == [(2, {"error": "its trees are missing", "kept": 1})]
    assert caplog.messages == ["version 2 cannot score (its trees are missing): version 1 keeps scoring"]


def test_broken_champion_is_tried_again_after_a_minute_and_recorded_once(running: Running) -> None:
    setting, provider = running
    setting.promote(2, broken="its trees are missing")
    for seconds in (0.0, 1.0, RETRY_SECONDS - 1.5, 0.5, 1.0, RETRY_SECONDS):
        setting.now += seconds
        assert provider.current().model_version == 1
    assert setting.loaded == [1, 2, 2, 2]
    assert len(setting.ledger) == 1


def test_broken_champion_that_is_repaired_is_picked_up_at_the_next_try(running: Running) -> None:
    setting, provider = running
    setting.promote(2, broken="its trees are missing")
    provider.current()
    setting.broken.clear()
    assert provider.current().model_version == 1
    setting.now += RETRY_SECONDS
    assert provider.current().model_version == 2


def test_promotion_is_picked_up_at_once_while_another_version_is_broken(running: Running) -> None:
    setting, provider = running
    setting.promote(2, broken="its trees are missing")
    provider.current()
    setting.promote(3)
    assert (provider.current().model_version, setting.loaded) == (3, [1, 2, 3])


def test_start_with_a_broken_champion_alone_is_refused_and_tried_again(setting: Setting) -> None:
    setting.promote(1, broken="its trees are missing")
    provider = setting.start()
    for _ in range(2):
        with pytest.raises(ModelError, match=r"version 1 cannot score \(its trees are missing\)"):
            provider.current()
    assert (setting.loaded, setting.ledger) == ([1, 1], [])


def test_restart_with_a_broken_champion_uses_the_version_that_scored_last(setting: Setting) -> None:
    setting.scored = [2, 1]
    setting.promote(3, broken="its trees are missing")
    provider = setting.start()
    assert (provider.current().model_version, setting.loaded) == (2, [3, 2])
    assert setting.ledger == [(3, {"error": "its trees are missing", "kept": 2})]


def test_restart_passes_over_versions_that_scored_and_cannot_be_loaded(
    setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    # The champion scored last, before its files were damaged; of the others, one was deleted.
    setting.scored = [3, 2, 1]
    setting.promote(3, broken="its trees are missing")
    setting.broken[2] = "there is no version 2"
    assert (setting.start().current().model_version, setting.loaded) == (1, [3, 2, 1])
    assert "version 2, which has scored before, cannot be loaded (there is no version 2)" in caplog.messages


def test_version_that_fails_on_messages_gives_way_to_its_predecessor(running: Running) -> None:
    setting, provider = running
    setting.promote(2)
    assert provider.drop(provider.current(), "it gives 7").model_version == 1
    assert setting.ledger == [(2, {"error": "it gives 7", "kept": 1})]


def test_version_that_fails_on_messages_stays_out_until_a_restart(running: Running) -> None:
    setting, provider = running
    setting.promote(2)
    provider.drop(provider.current(), "it gives 7")
    setting.now += 100 * RETRY_SECONDS
    assert provider.current().model_version == 1
    assert (setting.loaded, len(setting.ledger)) == ([1, 2], 1)
    assert setting.start().current().model_version == 2


def test_promotion_after_a_version_that_failed_on_messages_is_picked_up(running: Running) -> None:
    setting, provider = running
    setting.promote(2)
    provider.drop(provider.current(), "it gives 7")
    setting.promote(3)
    assert provider.current().model_version == 3


def test_restarted_version_that_fails_on_messages_gives_way_to_another_that_scored(setting: Setting) -> None:
    # It scored before it failed, in an earlier process.
    setting.scored = [2, 1]
    setting.promote(2)
    provider = setting.start()
    assert (provider.drop(provider.current(), "it gives 7").model_version, setting.loaded) == (1, [2, 1])
    assert setting.ledger == [(2, {"error": "it gives 7", "kept": 1})]


def test_last_version_that_fails_on_messages_refuses_them_one_by_one(running: Running) -> None:
    setting, provider = running
    setting.promote(2)
    first = provider.drop(provider.current(), "it gives 7")
    assert (first.model_version, first.control) == (1, None)
    second = provider.drop(first, "it gives 8")
    assert (second.model_version, second.control is None) == (1, False)


@pytest.mark.parametrize("scored", [[], [1]], ids=["first start", "restart"])
def test_only_version_that_fails_on_messages_refuses_them_one_by_one(
    setting: Setting, scored: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    setting.scored = scored
    setting.promote(1)
    provider = setting.start()
    refusing = provider.drop(provider.current(), "it gives 7")
    assert (refusing.model_version, refusing.control is None) == (1, False)
    # It stays in use, and what it cannot score is the message's fault: the ledger has nothing.
    assert provider.current() is refusing
    assert setting.ledger == []
    assert caplog.messages == [
        "version 1 cannot score (it gives 7), no other model has scored before: what it fails on becomes a dead letter"
    ]


def test_only_version_that_fails_on_a_made_up_complaint_too_ends_the_stream(setting: Setting) -> None:
    setting.promote(1)
    provider = setting.start()
    refusing = provider.drop(provider.current(), "it gives 7")
    with pytest.raises(ModelError, match=r"version 1 cannot score \(it gives 8\), and no other model has scored"):
        provider.drop(refusing, "it gives 8")


def test_model_with_a_control_differs_in_nothing_else(running: Running) -> None:
    _, provider = running
    scoring = provider.current()
    control = with_control(scoring).control
    assert control is not None
    assert (control.num_rows, set(control.schema.names)) == (1, set(FILED_COLUMNS))
    assert with_control(scoring).score is scoring.score


def saved(folder: Path, made: ComplaintScorer) -> MemoryRegistry:
    """A registry whose version 1 is the scorer."""
    folder.mkdir()
    made.save(folder)
    return MemoryRegistry(champion=1, files={1: folder})


def test_loaded_version_scores_as_it_was_saved(tmp_path: Path) -> None:
    made = scorer(3)
    registry = saved(tmp_path / "model", made)
    scoring = load(registry, registry.get(1))
    filed = {name: request(8)[name] for name in FILED_COLUMNS}
    complaints = as_raw_complaints(pa.Table.from_pylist([filed]))
    assert (scoring.model_name, scoring.model_version, scoring.control) == (NAME, 1, None)
    assert scoring.score(complaints) == made.score(complaints)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


Spoil = Callable[[Path], object]
SPOILS: dict[str, Spoil] = {
    "no trees": lambda files: (files / "boosted_trees.ubj").unlink(),
    "broken features": lambda files: (files / "features.json").write_text("{}"),
    "half of the trees": lambda files: (files / "boosted_trees.ubj").write_bytes(
        (files / "boosted_trees.ubj").read_bytes()[:-200]
    ),
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_version_with_damaged_files_is_not_loaded(tmp_path: Path, spoil: Spoil) -> None:
    registry = saved(tmp_path / "model", scorer(3))
    spoil(tmp_path / "model")
    with pytest.raises(ModelError, match="cannot load a model from"):
        load(registry, registry.get(1))


def test_version_that_returns_no_probability_is_not_loaded(tmp_path: Path) -> None:
    parameters = {"objective": "reg:squarederror", "base_score": 7.0, "nthread": 1}
    rows = np.array([[50.0, 1.0], [400.0, 2.0]], dtype=np.float32)
    trees = xgb.train(parameters, xgb.DMatrix(rows, label=[7.0, 7.0]), num_boost_round=1)
    registry = saved(tmp_path / "model", ComplaintScorer(ENCODER, trees))
    with pytest.raises(ModelError, match=r"version 1 returned 7\.\d* for a complaint, expected a probability"):
        load(registry, registry.get(1))


def test_version_is_announced_when_it_is_picked_up(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "solosolve.champion_provider")
    setting.promote(1)
    provider = setting.start()
    for _ in range(3):
        provider.current()
    assert caplog.messages == ["version 1 scores from now on"]
