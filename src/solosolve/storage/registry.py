"""The MLflow registry: runs, model versions, their tags and aliases, and the files of their scorers."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import pandas as pd
from filelock import FileLock
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from solosolve.errors import ModelError, NoChampionError
from solosolve.model.reference import REFERENCE_FILE, Reference
from solosolve.model.scoring_code import LOADER_MODULE, copy_scoring_code
from solosolve.model.version_tags import FINGERPRINT, TAG_NAMES, VersionTags
from solosolve.names import CHAMPION
from solosolve.settings import Settings
from solosolve.storage.model_signature import EXAMPLE, REQUIREMENTS, SIGNATURE

logger = logging.getLogger("solosolve.registry")

_OLDER_LOADERS = ("solosolve.model.served",)
"""Loader modules named by versions that earlier releases registered; the model files are the same."""


@dataclass(frozen=True)
class RegisteredModel:
    """One version of the registered model.

    Attributes:
        name: The registered model's name.
        version: The number of the version.
        run_id: The run that trained it.
        stored_tags: All its tags, as the registry stores them.
    """

    name: str
    version: int
    run_id: str
    stored_tags: Mapping[str, str]

    @property
    def tags(self) -> VersionTags:
        """The project's tags."""
        return VersionTags.read(self.stored_tags)


class Registry:
    """The model registry of a target: SQLite and local artifacts, or Unity Catalog."""

    def __init__(self, settings: Settings) -> None:
        """Connects; on the local target, creates the database under a lock if necessary."""
        self._settings = settings
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        if settings.is_local:
            root = settings.home / "mlflow"
            root.mkdir(parents=True, exist_ok=True)
            mlflow.set_tracking_uri(f"sqlite:///{root / 'mlflow.db'}")
            # Two processes that migrate an empty database at once would break it.
            with FileLock(root / "migrate.lock"):
                self._experiment = self._ensure_experiment((root / "artifacts").as_uri())
        else:
            mlflow.set_registry_uri(settings.registry_uri)
            self._experiment = self._ensure_experiment(None)
        self._client = MlflowClient()
        self.model_name = settings.model_name

    def _ensure_experiment(self, artifacts: str | None) -> str:
        name = self._settings.experiment_name
        found = mlflow.get_experiment_by_name(name)
        return found.experiment_id if found else mlflow.create_experiment(name, artifact_location=artifacts)

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str]) -> Iterator[mlflow.ActiveRun]:
        """Opens a run; marks it as failed if the block raises."""
        with mlflow.start_run(experiment_id=self._experiment, run_name=name, tags=dict(tags)) as active:
            yield active

    def find_run(self, name: str, fingerprint: str, tag: str = FINGERPRINT) -> str | None:
        """The id of the newest finished run with that name and fingerprint, if any; `tag` holds the fingerprint."""
        is_same = f"tags.`mlflow.runName` = '{name}' and tags.{tag} = '{fingerprint}'"
        query = f"{is_same} and attributes.status = 'FINISHED'"
        runs = self._client.search_runs([self._experiment], query, max_results=1)
        return runs[0].info.run_id if runs else None

    def register(self, files: Path, tags: VersionTags) -> RegisteredModel:
        """Logs a folder with a scorer's files in the active run and registers it as the next version.

        The flavour is `pyfunc` with a loader module. The files are data (JSON and XGBoost's own format), nothing is
        pickled, and the same scorer serves Spark workers, the stream and the dashboard without a JVM.

        Args:
            files: The folder that `ComplaintScorer.save` wrote.
            tags: The project's tags of the new version.

        Returns:
            The new version.
        """
        with TemporaryDirectory() as code:
            logged = mlflow.pyfunc.log_model(
                name="model",
                loader_module=LOADER_MODULE,
                data_path=str(files),
                signature=SIGNATURE,
                input_example=pd.DataFrame([EXAMPLE]),
                code_paths=[str(copy_scoring_code(Path(code)))],
                pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
            )
        output = io.StringIO()
        with redirect_stderr(output):  # MLflow's output repeats what the ledger and report show
            made = mlflow.register_model(logged.model_uri, self.model_name, tags=tags.write())
        logger.debug("%s", output.getvalue().strip())
        return _registered(made)

    def find(self, alias: str) -> RegisteredModel | None:
        """The version that an alias names, if any."""
        try:
            return _registered(self._client.get_model_version_by_alias(self.model_name, alias))
        except MlflowException as error:
            if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
                return None
            raise

    def champion(self) -> RegisteredModel:
        """The champion.

        Raises:
            NoChampionError: No model has been promoted.
        """
        champion = self.find(CHAMPION)
        if champion is None:
            raise NoChampionError
        return champion

    def get(self, version: int) -> RegisteredModel:
        """The version with that number.

        Raises:
            ModelError: There is no such version.
        """
        try:
            return _registered(self._client.get_model_version(self.model_name, str(version)))
        except MlflowException as error:
            raise ModelError(f"there is no version {version} of {self.model_name}") from error

    def find_version(self, fingerprint: str) -> RegisteredModel | None:
        """The newest version trained with the same data and parameters, if any."""
        same = (found for found in self.versions() if found.stored_tags.get(FINGERPRINT) == fingerprint)
        return max(same, key=lambda found: found.version, default=None)

    def versions(self) -> Iterator[RegisteredModel]:
        """All versions, in no particular order."""
        # Unity Catalog can search by name only, and a version that it finds has no tags.
        for found in self._client.search_model_versions(f"name = '{self.model_name}'"):
            yield self.get(int(found.version))

    def set_alias(self, alias: str, model: RegisteredModel) -> None:
        """Points the alias at the version."""
        self._client.set_registered_model_alias(self.model_name, alias, str(model.version))

    def delete_alias(self, alias: str) -> None:
        """Removes the alias."""
        self._client.delete_registered_model_alias(self.model_name, alias)

    def model_tag(self, name: str) -> str | None:
        """A tag of the registered model, which all its versions share; None if it has none."""
        try:
            value = self._client.get_registered_model(self.model_name).tags.get(name)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        return None if value is None else str(value)

    def set_model_tag(self, name: str, value: str) -> None:
        """Sets a tag of the registered model."""
        self._client.set_registered_model_tag(self.model_name, name, value)

    def write_tags(self, model: RegisteredModel, tags: VersionTags) -> RegisteredModel:
        """Replaces the version's project tags; deletes before it sets.

        Args:
            model: The version.
            tags: All its project tags; those that are None are deleted.

        Returns:
            The version with its new tags.
        """
        stored, wanted = self.get(model.version).stored_tags, tags.write()
        for key in (stored.keys() & TAG_NAMES) - wanted.keys():
            self._client.delete_model_version_tag(self.model_name, str(model.version), key)
        for key, value in wanted.items():
            if stored.get(key) != value:
                self._client.set_model_version_tag(self.model_name, str(model.version), key, value)
        return self.get(model.version)

    def reference(self, model: RegisteredModel) -> Reference | None:
        """What a version was trained on, in counts; None if its training did not record that."""
        if all(file.path != REFERENCE_FILE for file in self._client.list_artifacts(model.run_id)):
            return None
        text = mlflow.artifacts.load_text(f"runs:/{model.run_id}/{REFERENCE_FILE}")
        return Reference.model_validate_json(text)

    def fetch(self, model: RegisteredModel) -> Path:
        """Fetches the files of a version.

        Returns:
            A local folder with the files that were registered.

        Raises:
            ModelError: The version does not have the project's flavour, or its files cannot be fetched.
        """
        uri = f"models:/{model.name}/{model.version}"
        try:
            folder = Path(mlflow.artifacts.download_artifacts(uri))
            flavours = mlflow.models.Model.load(folder).flavors
        except (MlflowException, OSError) as error:
            raise ModelError(f"{uri} cannot be fetched: {error}") from error
        flavour = flavours.get("python_function", {})
        loader = flavour.get("loader_module")
        if loader not in (LOADER_MODULE, *_OLDER_LOADERS):
            raise ModelError(f"{uri}: found loader {loader}, only {LOADER_MODULE} is allowed")
        return folder / str(flavour["data"])


def _registered(found: ModelVersion) -> RegisteredModel:
    return RegisteredModel(found.name, int(found.version), found.run_id, dict(found.tags))
