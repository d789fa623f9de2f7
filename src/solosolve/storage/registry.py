"""The MLflow registry: runs, model versions, aliases, and the scorers they hold."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import mlflow
import pandas as pd
from filelock import FileLock
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types.schema import ColSpec, DataType, Schema

from solosolve.errors import ModelError
from solosolve.names import FILED_COLUMNS, MODEL
from solosolve.settings import Settings

logger = logging.getLogger("solosolve.registry")

EXPERIMENT = "complaint_resolution"
_LOADER = "solosolve.model.mlflow_flavor"
_REQUIREMENTS = ("mmh3", "numpy", "pandas", "pyarrow", "pydantic", "xgboost-cpu")
EXAMPLE = {
    "date_received": "2017-01-15",
    "product": "Mortgage",
    "sub_product": "Conventional fixed mortgage",
    "issue": "Loan servicing, payments, escrow account",
    "sub_issue": None,
    "consumer_complaint_narrative": "My payment of {$100.00} was not applied to the account.",
    "company": "Example Bank",
    "state": "CA",
    "zip_code": "900XX",
    "tags": None,
    "submitted_via": "Web",
}
"""A made-up complaint, as text: an input example never holds personal text."""


@dataclass(frozen=True)
class RegisteredModel:
    """One version of the registered model."""

    name: str
    version: int
    run_id: str
    tags: Mapping[str, str]


class Registry:
    """The model registry of the settings' target: SQLite and local artifacts, or the platform's Unity Catalog."""

    def __init__(self, settings: Settings) -> None:
        """Connects; on the local target the database is made, once, under a lock."""
        self._settings = settings
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        if settings.is_local:
            root = settings.home / "mlflow"
            root.mkdir(parents=True, exist_ok=True)
            mlflow.set_tracking_uri(f"sqlite:///{root / 'mlflow.db'}")
            # Two processes that both migrate an empty database break it.
            with FileLock(root / "migrate.lock"):
                self._experiment = self._ensure_experiment((root / "artifacts").as_uri())
        else:
            mlflow.set_registry_uri("databricks-uc")
            self._experiment = self._ensure_experiment(None)
        self._client = MlflowClient()
        self.model_name = MODEL if settings.is_local else f"{settings.catalog}.gold.{MODEL}"

    def _ensure_experiment(self, artifacts: str | None) -> str:
        name = EXPERIMENT if self._settings.is_local else f"/Shared/solosolve/{self._settings.target}/{EXPERIMENT}"
        found = mlflow.get_experiment_by_name(name)
        return found.experiment_id if found else mlflow.create_experiment(name, artifact_location=artifacts)

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str]) -> Iterator[mlflow.ActiveRun]:
        """Opens a run; it is marked failed when the block raises."""
        with mlflow.start_run(experiment_id=self._experiment, run_name=name, tags=dict(tags)) as active:
            yield active

    def find_run(self, name: str, fingerprint: str) -> str | None:
        """The id of the newest finished run of that name and fingerprint, None where there is none."""
        is_same = f"tags.`mlflow.runName` = '{name}' and tags.fingerprint = '{fingerprint}'"
        query = f"{is_same} and attributes.status = 'FINISHED'"
        runs = self._client.search_runs([self._experiment], query, max_results=1)
        return runs[0].info.run_id if runs else None

    def register(self, files: Path, tags: Mapping[str, str]) -> RegisteredModel:
        """Logs a folder with a scorer's files in the active run and registers it as the next version.

        The flavour is `pyfunc` with a loader module: the files are data (JSON and XGBoost's own format), nothing is
        pickled, and the same scorer serves Spark workers, the stream and the dashboard without a JVM.
        """
        logged = mlflow.pyfunc.log_model(
            name="model",
            loader_module=_LOADER,
            data_path=str(files),
            signature=_SIGNATURE,
            input_example=pd.DataFrame([EXAMPLE]),
            code_paths=[str(Path(__file__).parents[1])],
            pip_requirements=[f"{name}=={version(name)}" for name in _REQUIREMENTS],
        )
        said = io.StringIO()
        with redirect_stderr(said):  # it tells the terminal what the ledger and the report tell better
            made = mlflow.register_model(logged.model_uri, self.model_name, tags=dict(tags))
        logger.debug("%s", said.getvalue().strip())
        return _registered(made)

    def find(self, alias: str) -> RegisteredModel | None:
        """The version that an alias names, None where there is none."""
        try:
            return _registered(self._client.get_model_version_by_alias(self.model_name, alias))
        except MlflowException as error:
            if error.error_code in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
                return None
            raise

    def get(self, version: int) -> RegisteredModel:
        """The version with that number.

        Raises:
            ModelError: There is none.
        """
        try:
            return _registered(self._client.get_model_version(self.model_name, str(version)))
        except MlflowException as error:
            raise ModelError(f"there is no version {version} of {self.model_name}") from error

    def find_version(self, fingerprint: str) -> RegisteredModel | None:
        """The newest version trained from the same data and parameters, None where there is none."""
        # Unity Catalog finds versions by name only.
        versions = map(_registered, self._client.search_model_versions(f"name = '{self.model_name}'"))
        same = (found for found in versions if found.tags.get("fingerprint") == fingerprint)
        return max(same, key=lambda found: found.version, default=None)

    def set_alias(self, alias: str, model: RegisteredModel) -> None:
        """Points the alias at the version."""
        self._client.set_registered_model_alias(self.model_name, alias, str(model.version))

    def delete_alias(self, alias: str) -> None:
        """Takes the alias away."""
        self._client.delete_registered_model_alias(self.model_name, alias)

    def tag(self, model: RegisteredModel, key: str, value: str) -> None:
        """Sets a tag of the version."""
        self._client.set_model_version_tag(self.model_name, str(model.version), key, value)

    def untag(self, model: RegisteredModel, key: str) -> None:
        """Takes a tag of the version away, if it has it."""
        if key in self._client.get_model_version(self.model_name, str(model.version)).tags:
            self._client.delete_model_version_tag(self.model_name, str(model.version), key)

    def fetch(self, model: RegisteredModel) -> Path:
        """Fetches the version's files.

        Returns:
            A local folder with what was registered.

        Raises:
            ModelError: The version is not of the project's flavour, or its files cannot be had.
        """
        uri = f"models:/{model.name}/{model.version}"
        try:
            folder = Path(mlflow.artifacts.download_artifacts(uri))
            flavours = mlflow.models.Model.load(folder).flavors
        except (MlflowException, OSError) as error:
            raise ModelError(f"{uri} cannot be fetched: {error}") from error
        flavour = flavours.get("python_function", {})
        if flavour.get("loader_module") != _LOADER:
            raise ModelError(f"{uri}: found loader {flavour.get('loader_module')}, only {_LOADER} is loaded")
        return folder / str(flavour["data"])


def _registered(found: ModelVersion) -> RegisteredModel:
    return RegisteredModel(found.name, int(found.version), found.run_id, dict(found.tags))


_SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(DataType.string, name, required=EXAMPLE[name] is not None) for name in FILED_COLUMNS]),
    outputs=Schema([ColSpec(DataType.double, "probability"), ColSpec(DataType.double, "prediction")]),
)
