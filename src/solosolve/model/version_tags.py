"""The tags of a model version as one value, and the steps by which it becomes champion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self, TypeVar

from solosolve.errors import ModelError
from solosolve.model.promotion import GateResult

Parsed = TypeVar("Parsed")

FINGERPRINT = "fingerprint"
"""The tag for the data and parameters of a training run or a model version."""

_NO_CHAMPION = "none"


class VersionState(StrEnum):
    """The stage that a model version has reached."""

    TRAINED = "trained"
    """Not validated, or its validation was interrupted."""
    VALIDATED = "validated"
    """The gate accepted it."""
    SHADOW = "shadow"
    """The gate lets it score beside the champion."""
    REJECTED = "rejected"
    """The gate rejected it."""
    PROMOTED = "promoted"
    """It became champion."""
    PROVISIONAL = "provisional"
    """It became champion without beating the prior, because there was no other."""


@dataclass(frozen=True)
class Subject:
    """What a validation compared a challenger with.

    Attributes:
        champion: The champion's version; None if there was none.
        slice_hash: Data hash of the evaluation slice.
    """

    champion: int | None
    slice_hash: str

    def __str__(self) -> str:
        return f"champion {_NO_CHAMPION if self.champion is None else self.champion} on {self.slice_hash}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads what `str` writes.

        Raises:
            ValueError: The text has another form.
        """
        match text.split(" "):
            case ["champion", champion, "on", slice_hash] if champion == _NO_CHAMPION or champion.isdecimal():
                return cls(None if champion == _NO_CHAMPION else int(champion), slice_hash)
            case _:
                raise ValueError(f"found '{text}', expected 'champion VERSION on HASH'")


@dataclass(frozen=True)
class VersionTags:
    """All tags that the project gives a model version.

    Attributes:
        feature_model_uri: The fitted features that the version was trained with.
        gold_data_hash: Features, split and labels that it was trained and measured on.
        gold_version: Version of `gold.complaint_features` at training.
        git_commit: Commit of the bundle's checkout.
        solosolve_version: Version of this package.
        prior: Success rate of the training split.
        label_count: Labelled complaints in all splits.
        fingerprint: Data and parameters of the training. It is written last: a version without one was interrupted.
        validation: The gate's result.
        subject: What the validation compared the version with.
        is_provisional: Whether the version became champion without beating the prior; None if it never did.
        replaces: The champion before it.
    """

    feature_model_uri: str | None = None
    gold_data_hash: str | None = None
    gold_version: str | None = None
    git_commit: str | None = None
    solosolve_version: str | None = None
    prior: float | None = None
    label_count: int | None = None
    fingerprint: str | None = None
    validation: GateResult | None = None
    subject: Subject | None = None
    is_provisional: bool | None = None
    replaces: int | None = None

    @classmethod
    def read(cls, tags: Mapping[str, str]) -> Self:
        """Reads the tags of a version, ignoring unknown ones.

        A tag with an invalid value counts as missing, which stops the gate and the promotion.
        """
        return cls(
            **{name: tags.get(name) for name in _TEXTS},
            prior=_parsed(tags, "prior", float),
            label_count=_parsed(tags, "label_count", int),
            validation=_parsed(tags, "validation", GateResult),
            subject=_parsed(tags, "validation_subject", Subject.parse),
            is_provisional=_parsed(tags, "standing", _STANDINGS.__getitem__),
            replaces=_parsed(tags, "replaces", int),
        )

    def write(self) -> dict[str, str]:
        """Returns the tags as the registry stores them; an attribute that is None gets no tag."""
        tags: dict[str, object] = {name: getattr(self, name) for name in _TEXTS}
        standing = next((name for name, value in _STANDINGS.items() if value is self.is_provisional), None)
        tags |= {
            "prior": None if self.prior is None else repr(self.prior),
            "label_count": self.label_count,
            "validation": self.validation,
            "validation_subject": self.subject,
            "standing": standing,
            "replaces": self.replaces,
        }
        return {name: str(value) for name, value in tags.items() if value is not None}

    @property
    def state(self) -> VersionState:
        """The stage that the version has reached."""
        if self.is_provisional is not None:
            return VersionState.PROVISIONAL if self.is_provisional else VersionState.PROMOTED
        if self.validation is None:
            return VersionState.TRAINED
        states = {GateResult.REJECTED: VersionState.REJECTED, GateResult.SHADOW: VersionState.SHADOW}
        return states.get(self.validation, VersionState.VALIDATED)

    def without_result(self, subject: Subject | None) -> Self:
        """The tags at the start of a validation: earlier result and promotion cleared."""
        return replace(self, validation=None, subject=subject, is_provisional=None, replaces=None)

    def validated(self, result: GateResult) -> Self:
        """The tags after a validation.

        Raises:
            ModelError: No validation is running.
        """
        if self.state != VersionState.TRAINED:
            raise ModelError(f"the version is {self.state} already: begin a new validation first")
        return replace(self, validation=result)

    def promoted(self, champion: int | None) -> Self:
        """The tags after a promotion.

        Args:
            champion: The current champion's version; None if there is none.

        Raises:
            ModelError: The version has not passed a validation against this champion.
        """
        self.require_validated_against(champion)
        if self.validation in (GateResult.REJECTED, GateResult.SHADOW):
            raise ModelError(f"the version's validation says {self.validation}, not {GateResult.PASSED}")
        return replace(self, is_provisional=self.validation == GateResult.PROVISIONAL, replaces=champion)

    def require_validated_against(self, champion: int | None) -> None:
        """Raises ModelError unless the version was validated against the current champion, or against none."""
        if self.validation is None or self.subject is None or self.subject.champion != champion:
            against = "no champion" if champion is None else f"champion {champion}"
            raise ModelError(f"not validated against {against}: run validate_model first")


def _parsed(tags: Mapping[str, str], name: str, parse: Callable[[str], Parsed]) -> Parsed | None:
    try:
        return parse(tags[name])
    except (ValueError, KeyError):
        return None


_TEXTS = ("feature_model_uri", "gold_data_hash", "gold_version", "git_commit", "solosolve_version", FINGERPRINT)
_STANDINGS = {"provisional": True, "established": False}
"""Values of the tag `standing`."""

TAG_NAMES = frozenset({*_TEXTS, "prior", "label_count", "validation", "validation_subject", "standing", "replaces"})
"""The tags in the registry that belong to the project."""
