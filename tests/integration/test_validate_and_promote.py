from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from mlflow.tracking import MlflowClient
from pyspark.sql import SparkSession

from solosolve.errors import ModelError, UsageError
from solosolve.flows import move_champion
from solosolve.model.encoder import FeatureEncoder
from solosolve.model.evaluation_data import gold_hash, trainable_features
from solosolve.model.kernels import TextLength
from solosolve.model.promotion import GateResult
from solosolve.model.version_tags import Subject, VersionState
from solosolve.names import (
    CHALLENGER,
    CHAMPION,
    FEATURES,
    SHADOW,
    TEST,
    TRAIN,
)
from solosolve.settings import Settings
from solosolve.storage import champion_moves
from solosolve.storage.champion_moves import champion_at
from solosolve.storage.registry import RegisteredModel
from solosolve.storage.tables import Tables
from support.gate_home import GOOD, INVERTED, LABELS, USELESS, Gate


@pytest.fixture(scope="module")
def home(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Gate:
    folder = tmp_path_factory.mktemp("gate")
    environ = {"SOLOSOLVE_HOME": str(folder / "home"), "SOLOSOLVE_BOOTSTRAP_ROUNDS": "50", "SOLOSOLVE_ACTOR": "tester"}
    return Gate.open(spark, Settings.load(environ=environ), folder)


@pytest.fixture
def gate(home: Gate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    # Every move waits for so long.
    monkeypatch.setattr(champion_moves, "LEAD", timedelta(seconds=0.5))
    yield home
    for alias in (CHALLENGER, CHAMPION, SHADOW):
        if home.registry.find(alias) is not None:
            home.registry.delete_alias(alias)


def test_validate_and_promote_do_nothing_without_a_challenger(gate: Gate) -> None:
    assert (gate.validate(), gate.promote()) == (None, None)


def test_validate_and_promote_do_nothing_if_the_challenger_is_the_champion(gate: Gate) -> None:
    model = gate.register(GOOD, CHALLENGER)
    gate.registry.set_alias(CHAMPION, model)
    assert (gate.validate(), gate.promote()) == (None, None)
    assert gate.events(model) == []


def test_first_model_that_beats_the_prior_is_promoted_once(gate: Gate) -> None:
    model = gate.register(GOOD, CHALLENGER)
    assert gate.validate() == GateResult.PASSED
    promoted, repeated = gate.promote(), gate.promote()
    assert (promoted is None, repeated) == (False, None)
    assert (gate.version(CHAMPION), gate.version(CHALLENGER)) == (model.version, None)
    assert gate.tags(CHAMPION).state == VersionState.PROMOTED
    assert gate.events(model) == [("validation_passed", None), ("promoted", CHAMPION)]


def test_first_model_that_does_not_beat_the_prior_is_promoted_provisionally(gate: Gate) -> None:
    model = gate.register(USELESS, CHALLENGER)
    assert gate.validate() == GateResult.PROVISIONAL
    gate.promote()
    assert gate.version(CHAMPION) == model.version
    assert gate.tags(CHAMPION).state == VersionState.PROVISIONAL
    assert gate.events(model) == [("validation_provisional", None), ("promoted_provisional", CHAMPION)]


def test_better_challenger_replaces_the_champion(gate: Gate) -> None:
    champion = gate.register(USELESS, CHAMPION)
    challenger = gate.register(GOOD, CHALLENGER)
    assert gate.validate() == GateResult.PASSED
    gate.promote()
    assert (gate.version(CHAMPION), gate.version(CHALLENGER)) == (challenger.version, None)
    promoted = gate.ledger(challenger)[-1]
    assert (promoted["event"], promoted["actor"]) == ("promoted", "tester")
    assert promoted["evidence"]["replaces"] == champion.version
    assert promoted["evidence"]["validation"].startswith(f"champion {champion.version} on ")


def test_challenger_that_is_better_by_suddenly_different_labels_waits_in_shadow(gate: Gate) -> None:
    gate.register(INVERTED, CHAMPION)
    challenger = gate.register(GOOD, CHALLENGER)
    gate.write_features(TEST, earlier=1 - LABELS)
    try:
        gate.retag(challenger, gold_data_hash=gold_hash(trainable_features(gate.tables.read(FEATURES))))
        assert gate.validate() == GateResult.SHADOW
    finally:
        gate.write_features(TEST)
    checks = gate.ledger(challenger)[-1]["evidence"]["checks"]
    assert [check["name"] for check in checks if not check["is_passed"]] == ["labels_as_expected"]


def test_promotion_interrupted_after_the_alias_moved_is_finished(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    champion = gate.register(USELESS, CHAMPION)
    challenger = gate.register(GOOD, CHALLENGER)
    gate.validate()
    with monkeypatch.context() as patch:
        patch.setattr(
            "solosolve.storage.champion_moves.record_event", lambda *_, **__: (_ for _ in ()).throw(OSError())
        )
        with pytest.raises(OSError):
            gate.promote()
    assert (gate.version(CHAMPION), gate.events(challenger)) == (challenger.version, [("validation_passed", None)])
    gate.promote()
    assert gate.promote() is None
    assert gate.events(challenger) == [("validation_passed", None), ("promoted", CHAMPION)]
    assert gate.ledger(challenger)[-1]["evidence"]["replaces"] == champion.version
    assert gate.version(CHALLENGER) is None


def test_validation_rejects_a_challenger_trained_on_other_features(gate: Gate) -> None:
    model = gate.register(GOOD, CHALLENGER)
    gate.retag(model, gold_data_hash="of other features")
    with pytest.raises(ModelError, match="run train_model again"):
        gate.validate()
    assert gate.tags(CHALLENGER).state == VersionState.REJECTED
    assert gate.events(model) == [("validation_rejected", None)]


def test_interrupted_validation_leaves_no_earlier_result(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    gate.register(GOOD, CHALLENGER)
    assert gate.validate() == GateResult.PASSED
    gate.register(USELESS, CHAMPION)
    with monkeypatch.context() as patch:
        patch.setattr("solosolve.flows.validate_model.record_event", lambda *_, **__: (_ for _ in ()).throw(OSError()))
        with pytest.raises(OSError):
            gate.validate()
    assert gate.tags(CHALLENGER).state == VersionState.TRAINED
    with pytest.raises(ModelError, match="run validate_model first"):
        gate.promote()


def test_worse_challenger_is_rejected_and_not_promoted(gate: Gate) -> None:
    champion = gate.register(GOOD, CHAMPION)
    challenger = gate.register(INVERTED, CHALLENGER)
    assert gate.validate() == GateResult.REJECTED
    assert gate.promote() is None
    assert (gate.version(CHAMPION), gate.version(CHALLENGER)) == (champion.version, challenger.version)
    (event,) = gate.ledger(challenger)
    assert event["event"] == "validation_rejected"
    evidence = event["evidence"]
    failed = [check["name"] for check in evidence["checks"] if not check["is_passed"]]
    assert evidence["verdict"] == "rejected"
    assert "log_loss_gain" in failed
    assert evidence["slice"] == str(gate.tags(CHALLENGER).subject)


def test_validation_on_the_same_slice_is_not_repeated(gate: Gate) -> None:
    model = gate.register(GOOD, CHALLENGER)
    assert [gate.validate(), gate.validate()] == [GateResult.PASSED, GateResult.PASSED]
    assert gate.events(model) == [("validation_passed", None)]


def assert_rejected_by_an_error(gate: Gate, model: RegisteredModel, error: str) -> None:
    """The ledger and the tags say no, and promotion refuses."""
    assert gate.tags(CHALLENGER).state == VersionState.REJECTED
    (event,) = gate.ledger(model)
    assert event["event"] == "validation_rejected"
    assert error in event["evidence"]["error"]
    with pytest.raises(
        ModelError, match=f"version {model.version} cannot be promoted: not validated against no champion: "
    ):
        gate.promote()
    assert gate.version(CHAMPION) is None


def test_validation_rejects_on_an_empty_slice(gate: Gate) -> None:
    gate.write_features(TRAIN)
    try:
        model = gate.register(GOOD, CHALLENGER)
        with pytest.raises(ModelError, match="the slice has no complaints"):
            gate.validate()
    finally:
        gate.write_features(TEST)
    assert_rejected_by_an_error(gate, model, "no complaints")


def test_validation_rejects_a_challenger_whose_files_are_broken(gate: Gate) -> None:
    files = gate.folder / "broken"
    files.mkdir()
    GOOD.save(files)
    (files / "boosted_trees.ubj").write_bytes(b"no trees")
    model = gate.register_files(files, CHALLENGER)
    with pytest.raises(ModelError, match="cannot load a model from"):
        gate.validate()
    assert_rejected_by_an_error(gate, model, "cannot load a model from")


@pytest.mark.parametrize("prior", [None, 1.0, float("nan")])
def test_validation_rejects_a_challenger_without_a_usable_prior(gate: Gate, prior: float | None) -> None:
    model = gate.register(GOOD, CHALLENGER, prior=prior)
    with pytest.raises(ModelError, match="success rate" if prior is None else "training success rate is"):
        gate.validate()
    assert_rejected_by_an_error(gate, model, "success")


def test_validation_that_failed_is_repeated(gate: Gate) -> None:
    model = gate.register(GOOD, CHALLENGER, prior=None)
    with pytest.raises(ModelError):
        gate.validate()
    gate.retag(gate.registry.get(model.version), prior=0.5)
    assert gate.validate() == GateResult.PASSED
    assert gate.events(model) == [("validation_rejected", None), ("validation_passed", None)]


def test_validation_rejects_if_the_champion_cannot_score(gate: Gate) -> None:
    champion = gate.register(GOOD, CHAMPION)
    needs_more = FeatureEncoder(kernels=(TextLength(column="zip_code"),))
    broken = gate.folder / "other"
    broken.mkdir()
    replace(GOOD, encoder=needs_more).save(broken)
    gate.registry.set_alias(CHAMPION, gate.register_files(broken, CHAMPION))
    challenger = gate.register(GOOD, CHALLENGER)
    with pytest.raises(ModelError, match=r"expects 2 features, but features\.json makes 1"):
        gate.validate()
    assert gate.tags(CHALLENGER).state == VersionState.REJECTED
    assert gate.events(challenger) == [("validation_rejected", None)]
    assert gate.version(CHAMPION) != champion.version


def test_promotion_refuses_a_challenger_that_was_not_validated(gate: Gate) -> None:
    model = gate.register(GOOD, CHALLENGER)
    with pytest.raises(
        ModelError, match=f"version {model.version} cannot be promoted: not validated against no champion: "
    ):
        gate.promote()
    assert (gate.version(CHAMPION), gate.events(model)) == (None, [])


def test_promotion_refuses_a_challenger_validated_against_another_champion(gate: Gate) -> None:
    challenger = gate.register(GOOD, CHALLENGER)
    assert gate.validate() == GateResult.PASSED
    champion = gate.register(USELESS, CHAMPION)
    with pytest.raises(ModelError, match=f"not validated against champion {champion.version}: run validate_model"):
        gate.promote()
    assert (gate.version(CHAMPION), gate.version(CHALLENGER)) == (champion.version, challenger.version)


def test_promotion_tells_champion_1_from_champion_12(gate: Gate) -> None:
    challenger = gate.register(GOOD, CHALLENGER)
    champion = gate.register(USELESS, CHAMPION)
    other = Subject(int(f"{champion.version}2"), "slice")
    gate.retag(challenger, validation=GateResult.PASSED, subject=other)
    with pytest.raises(ModelError, match="not validated against champion"):
        gate.promote()


@pytest.mark.parametrize("verdict", ["", "PASSED", "maybe"])
def test_promotion_refuses_an_unknown_validation_result(gate: Gate, verdict: str) -> None:
    challenger = gate.register(GOOD, CHALLENGER)
    gate.retag(challenger, subject=Subject(None, "slice"))
    MlflowClient().set_model_version_tag(challenger.name, str(challenger.version), "validation", verdict)
    with pytest.raises(ModelError, match="not validated against no champion"):
        gate.promote()


def moved(gate: Gate, version: int | None = None, reason: str = "a test") -> int | None:
    move = move_champion.run(gate.spark, gate.settings, version, reason)
    return move.version if move else None


def test_equal_challenger_goes_into_shadow_until_another_is_promoted(gate: Gate) -> None:
    gate.register(GOOD, CHAMPION)
    equal = gate.register(GOOD, CHALLENGER)
    assert gate.validate() == GateResult.SHADOW
    assert (gate.promote(), gate.promote()) == (None, None)
    assert (gate.version(SHADOW), gate.version(CHALLENGER)) == (equal.version, equal.version)
    assert gate.events(equal) == [("validation_shadow", None), ("shadowed", SHADOW)]
    weak = gate.register(USELESS, CHAMPION)
    better = gate.register(GOOD, CHALLENGER)
    assert gate.validate() == GateResult.PASSED
    assert gate.promote() is not None
    assert (gate.version(CHAMPION), gate.version(SHADOW), weak.version < better.version) == (better.version, None, True)


def test_rollback_goes_back_one_champion_at_a_time_and_says_why(gate: Gate) -> None:
    versions = []
    for scorer in (USELESS, INVERTED, GOOD):
        model = gate.register(scorer, "candidate")
        assert moved(gate, model.version) == model.version
        versions.append(model.version)
    assert moved(gate, versions[-1]) is None
    assert [moved(gate), gate.version(CHAMPION)] == [versions[1]] * 2
    assert [moved(gate), gate.version(CHAMPION)] == [versions[0]] * 2
    newest = gate.ledger(gate.registry.get(versions[0]))[-1]
    assert (newest["event"], newest["alias"], newest["actor"]) == ("rolled_back", CHAMPION, "tester")
    assert newest["evidence"] == {"reason": "a test", "replaces": versions[1]}


def test_champion_is_not_moved_without_a_reason_or_to_a_version_that_cannot_score(gate: Gate) -> None:
    champion = gate.register(GOOD, CHAMPION)
    broken_files = gate.folder / "broken"
    broken_files.mkdir(exist_ok=True)
    GOOD.save(broken_files)
    (broken_files / "boosted_trees.ubj").write_bytes(b"")
    broken = gate.register_files(broken_files, "candidate")
    for version, reason, error in (
        (broken.version, "a test", ModelError), (9_999, "a test", ModelError), (broken.version, " ", UsageError),
    ):  # fmt: skip
        with pytest.raises(error):
            move_champion.run(gate.spark, gate.settings, version, reason)
    assert (gate.version(CHAMPION), gate.events(broken)) == (champion.version, [])


def test_batch_planned_before_a_move_took_effect_gets_the_version_before(gate: Gate) -> None:
    models = [gate.register(scorer, "candidate") for scorer in (USELESS, INVERTED, GOOD)]
    moves = [move_champion.run(gate.spark, gate.settings, model.version, "a test") for model in models]
    tables = Tables(gate.spark, gate.settings)
    for number, move in enumerate(moves):
        assert move is not None
        # Asked after all moves, as by a stream that was stopped meanwhile.
        before = champion_at(tables, gate.registry, move.effective_at - timedelta(microseconds=1))
        after = champion_at(tables, gate.registry, move.effective_at)
        assert after is not None
        assert after.version == models[number].version
        if number:
            assert before is not None
            assert before.version == models[number - 1].version
        assert gate.ledger(models[number])[-1]["event_at"] == move.effective_at


@pytest.mark.parametrize("by_hand", [True, False])
def test_move_that_is_cut_off_before_the_ledger_has_it_is_completed(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, by_hand: bool
) -> None:
    versions = [gate.register(scorer, "candidate").version for scorer in (USELESS, INVERTED, GOOD)]
    for version in versions[:2] if by_hand else versions:
        moved(gate, version)
    command = versions[2] if by_hand else None

    def cut_off(*_: object, **__: object) -> None:
        raise RuntimeError("cut off")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="cut off"):
        patch.setattr(champion_moves, "record_event", cut_off)
        moved(gate, command)
    champion = versions[2] if by_hand else versions[1]
    assert gate.version(CHAMPION) == champion
    assert [moved(gate, command), gate.version(CHAMPION)] == [champion] * 2
    newest = gate.ledger(gate.registry.get(champion))[-1]
    assert newest["event"] == ("promoted_by_hand" if by_hand else "rolled_back")
    assert newest["evidence"] == {"reason": "a test", "replaces": versions[1] if by_hand else versions[2]}
    # What comes next finds a complete ledger.
    assert moved(gate) == versions[1 if by_hand else 0]
