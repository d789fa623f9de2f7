from __future__ import annotations

from dataclasses import replace

import pytest

from solosolve.errors import ModelError
from solosolve.model.promotion import GateResult
from solosolve.model.version_tags import TAG_NAMES, Subject, VersionState, VersionTags

SUBJECT, WITHOUT_CHAMPION = Subject(3, "ab-01"), Subject(None, "ab-01")
TRAINED = VersionTags(
    feature_model_uri="runs:/1/features.json",
    gold_data_hash="ab-02",
    gold_version="4",
    git_commit="unknown",
    solosolve_version="1.0",
    prior=0.1 + 0.2,
    label_count=1_000,
    fingerprint="f",
)
VALIDATING = TRAINED.without_result(SUBJECT)
PASSED = VALIDATING.validated(GateResult.PASSED)
REJECTED = VALIDATING.validated(GateResult.REJECTED)
FAILED = TRAINED.without_result(None).validated(GateResult.REJECTED)
FIRST = TRAINED.without_result(WITHOUT_CHAMPION).validated(GateResult.PROVISIONAL)
PROMOTED, PROVISIONAL = PASSED.promoted(3), FIRST.promoted(None)
ALL = [TRAINED, VALIDATING, PASSED, REJECTED, FAILED, FIRST, PROMOTED, PROVISIONAL]


@pytest.mark.parametrize("tags", [VersionTags(), *ALL])
def test_tags_read_what_they_write(tags: VersionTags) -> None:
    assert VersionTags.read(tags.write()) == tags
    assert tags.write().keys() <= TAG_NAMES


def test_tags_are_stored_as_text_under_the_names_of_earlier_releases() -> None:
    stored = PROMOTED.write()
    assert stored == {
        "feature_model_uri": "runs:/1/features.json",
        "gold_data_hash": "ab-02",
        "gold_version": "4",
        "git_commit": "unknown",
        "solosolve_version": "1.0",
        "prior": "0.30000000000000004",
        "label_count": "1000",
        "fingerprint": "f",
        "validation": "passed",
        "validation_subject": "champion 3 on ab-01",
        "standing": "established",
        "replaces": "3",
    }
    assert PROVISIONAL.write()["standing"] == "provisional"


def test_tags_of_earlier_releases_are_read() -> None:
    stored = {"threshold": "0.5", "replaces": "", "standing": "established", "validation_subject": "champion none on x"}
    assert VersionTags.read(stored) == VersionTags(is_provisional=False, subject=Subject(None, "x"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("validation", ""),
        ("validation", "PASSED"),
        ("validation_subject", "an error, not a decision"),
        ("validation_subject", "champion x on y"),
        ("standing", "maybe"),
        ("prior", "high"),
        ("label_count", "many"),
    ],
)
def test_tag_with_a_wrong_value_counts_as_missing(name: str, value: str) -> None:
    assert VersionTags.read({name: value}) == VersionTags()


@pytest.mark.parametrize(
    ("tags", "state"),
    [
        (VersionTags(), VersionState.TRAINED),
        (TRAINED, VersionState.TRAINED),
        (VALIDATING, VersionState.TRAINED),
        (PASSED, VersionState.VALIDATED),
        (FIRST, VersionState.VALIDATED),
        (REJECTED, VersionState.REJECTED),
        (FAILED, VersionState.REJECTED),
        (PROMOTED, VersionState.PROMOTED),
        (PROVISIONAL, VersionState.PROVISIONAL),
    ],
)
def test_state_follows_from_the_tags(tags: VersionTags, state: VersionState) -> None:
    assert tags.state == state


@pytest.mark.parametrize("tags", ALL)
def test_validation_may_begin_in_every_state_and_clears_what_came_of_earlier_ones(tags: VersionTags) -> None:
    begun = tags.without_result(WITHOUT_CHAMPION)
    assert begun.state == VersionState.TRAINED
    assert begun == replace(TRAINED, subject=WITHOUT_CHAMPION)


@pytest.mark.parametrize("result", list(GateResult))
@pytest.mark.parametrize("tags", ALL)
def test_validation_ends_only_where_one_has_begun(tags: VersionTags, result: GateResult) -> None:
    if tags.state == VersionState.TRAINED:
        assert tags.validated(result) == replace(tags, validation=result)
    else:
        with pytest.raises(ModelError, match=f"^the version is {tags.state} already: begin a new validation first$"):
            tags.validated(result)


@pytest.mark.parametrize(
    ("tags", "champion", "is_provisional"),
    # A promotion that was interrupted is repeated, so promoted versions may be promoted again.
    [(PASSED, 3, False), (PROMOTED, 3, False), (FIRST, None, True), (PROVISIONAL, None, True)],
)
def test_promotion_of_a_validated_version(tags: VersionTags, champion: int | None, is_provisional: bool) -> None:
    promoted = tags.promoted(champion)
    assert promoted == replace(tags, is_provisional=is_provisional, replaces=champion)
    assert promoted.state == (VersionState.PROVISIONAL if is_provisional else VersionState.PROMOTED)


@pytest.mark.parametrize(
    ("tags", "champion", "reason"),
    [
        (TRAINED, None, "not validated against no champion: run validate_model first"),
        (TRAINED, 3, "not validated against champion 3: run validate_model first"),
        (VALIDATING, 3, "not validated against champion 3: run validate_model first"),
        (PASSED, 4, "not validated against champion 4: run validate_model first"),
        (PASSED, 33, "not validated against champion 33: run validate_model first"),
        (PASSED, None, "not validated against no champion: run validate_model first"),
        (FIRST, 3, "not validated against champion 3: run validate_model first"),
        (FAILED, 3, "not validated against champion 3: run validate_model first"),
        (FAILED, None, "not validated against no champion: run validate_model first"),
        (REJECTED, 3, "the version's validation says rejected, not passed"),
        (PROMOTED, 5, "not validated against champion 5: run validate_model first"),
    ],
)
def test_promotion_is_refused_without_a_passed_validation_against_the_champion(
    tags: VersionTags, champion: int | None, reason: str
) -> None:
    with pytest.raises(ModelError, match=f"^{reason}$"):
        tags.promoted(champion)
