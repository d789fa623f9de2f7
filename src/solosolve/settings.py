"""The settings: environment variables named `SOLOSOLVE_*`, which the bundle sets for its tasks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from solosolve.environment import ENV_PREFIX, as_folder, explain, values_in
from solosolve.errors import SettingsError
from solosolve.loop_settings import LoopSettings
from solosolve.names import MODEL, Layer, Table

LOCAL: Final = "local"
"""The target of one machine without a workspace; every other target is one of the platform."""

_NAME = r"^[A-Za-z0-9_]+$"


class Settings(LoopSettings):
    """Where the tables and models live, and the thresholds that every task shares."""

    # `load` writes the error messages itself: pydantic's own messages would show a password.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    target: str = Field(default=LOCAL, pattern=r"^[A-Za-z0-9_-]+$", description="Bundle target.")
    home: Path = Field(default=Path(".solosolve"), description="Root of tables, models and logs on the local target.")
    catalog: str = Field(default="main", pattern=_NAME, description="Catalog of the tables on the platform.")
    bronze_schema: str = Field(default="bronze", pattern=_NAME, description="Schema of the bronze tables there.")
    silver_schema: str = Field(default="silver", pattern=_NAME, description="Schema of the silver tables there.")
    gold_schema: str = Field(default="gold", pattern=_NAME, description="Schema of the gold tables there.")
    registered_model: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_]+(\.[A-Za-z0-9_]+){2}$",
        description="Registered model on the platform, as catalog.schema.name; in the gold schema by default.",
    )
    experiment: str | None = Field(
        default=None, pattern=r"^/", description="Workspace path of the MLflow experiment on the platform."
    )
    registry_uri: str = Field(default="databricks-uc", description="MLflow's model registry on the platform.")
    checkpoints: Path | None = Field(
        default=None, description="Folder of the streams' checkpoints; a volume of the bronze schema on the platform."
    )
    warehouse_url: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9+.-]*://[^\s?#]+$",
        description="Where Spark keeps the tables if not below the home, such as s3a://bucket/warehouse; local target.",
    )
    maturity_days: int = Field(default=60, ge=0, description="Newest days of the published labels to leave out.")
    min_labels: int = Field(
        default=200, ge=2, description="Labelled rows below which reports warn that results are uncertain."
    )
    review_share: float = Field(
        default=0.2, gt=0, lt=1, description="Share of complaints, those likeliest to fail, that people can read."
    )
    training_workers: int = Field(default=1, ge=1, description="Spark tasks for distributed XGBoost training.")
    spark_properties: Path | None = Field(default=None, description="Spark properties in place of the bundle's.")
    driver_java_options: str = Field(default="", description="Further options of the local JVM.")
    driver_memory: str = Field(default="4g", pattern=r"^[1-9][0-9]*[gm]$", description="Local JVM heap.")
    actor: str = Field(default="solosolve", min_length=1, description="Name that the model ledger records.")
    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092",
        pattern=r"^[^\s,:]+:[0-9]{1,5}(,[^\s,:]+:[0-9]{1,5})*$",
        description="Kafka brokers, as host:port, separated by commas.",
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    kafka_username: str | None = Field(default=None, description="User name for a SASL protocol.")
    kafka_password: SecretStr | None = Field(default=None, description="Password for a SASL protocol; never printed.")
    kafka_secret_scope: str | None = Field(
        default=None, description="Databricks secret scope that holds kafka_username and kafka_password."
    )
    kafka_ca_file: Path | None = Field(default=None, description="PEM file of the brokers' CA certificates, for SSL.")
    max_request_bytes: int = Field(
        default=262_144, ge=1_024, description="Size in bytes above which a request becomes a dead letter."
    )

    dashboard_password: SecretStr | None = Field(
        default=None, min_length=8, description="Password of the dashboard; required when other machines can reach it."
    )
    dashboard_identity_header: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z0-9-]*$",
        description="Request header in which the platform's proxy names the user.",
    )
    dashboard_principal: str | None = Field(
        pattern=r"^[A-Za-z0-9@._-]+$",
        default=None,
        description="Service principal of the deployed dashboard, which writes feedback.",
    )
    sql_warehouse: str | None = Field(default=None, description="Id or HTTP path of the dashboard's SQL warehouse.")

    @field_validator("home", "checkpoints", mode="before")
    @classmethod
    def _folder_is_a_path(cls, folder: object, info: ValidationInfo) -> object:
        return as_folder(folder, may_be_blank=info.field_name != "home") if isinstance(folder, str) else folder

    @field_validator(
        "registered_model", "experiment", "checkpoints", "warehouse_url", "spark_properties", "kafka_username",
        "kafka_secret_scope", "kafka_ca_file", "dashboard_password", "dashboard_identity_header",
        "dashboard_principal", "sql_warehouse", mode="before",
    )  # fmt: skip
    @classmethod
    def _blank_is_none(cls, value: object) -> object:
        # Bundle variables and environment variables cannot be null.
        return None if value == "" else value

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        has_login = (self.kafka_username and self.kafka_password) or self.kafka_secret_scope
        if self.kafka_security_protocol.startswith("SASL") and not has_login:
            raise PydanticCustomError(
                "no_login",
                "kafka_security_protocol: a SASL protocol needs kafka_username and kafka_password, "
                "or kafka_secret_scope",
            )
        return self

    @property
    def is_local(self) -> bool:
        """Whether tables are folders below `home`, not entries of a catalog."""
        return self.target == LOCAL

    @property
    def has_table_folders(self) -> bool:
        """Whether tables are folders that this process sees, and not only Spark."""
        return self.is_local and self.warehouse_url is None

    @property
    def kafka_port_here(self) -> int | None:
        """The port on this machine where a broker would listen; None when the brokers are elsewhere."""
        host, _, port = self.kafka_bootstrap.rpartition(":")
        return int(port) if host in ("127.0.0.1", "localhost") and 0 < int(port) < 1 << 16 else None

    @property
    def warehouse(self) -> Path:
        """Folder of the local Delta tables, with one folder per layer."""
        return self.home / "warehouse"

    def table_folder(self, table: Table) -> Path:
        """Folder of a local Delta table."""
        return table.folder_in(self.warehouse)

    def table_location(self, table: Table) -> str:
        """Where Spark finds a table that is in no catalog: a folder, or a URL."""
        url = self.warehouse_url and f"{self.warehouse_url.rstrip('/')}/{table.layer}/{table.name}"
        return url or str(self.table_folder(table))

    def schema_of(self, layer: Layer) -> str:
        """The schema of a layer in the platform's catalog."""
        return {
            Layer.BRONZE: self.bronze_schema,
            Layer.SILVER: self.silver_schema,
            Layer.GOLD: self.gold_schema,
        }[layer]

    def table_name(self, table: Table) -> str:
        """The name of a table in the platform's catalog."""
        return f"{self.catalog}.{self.schema_of(table.layer)}.{table.name}"

    @property
    def model_name(self) -> str:
        """The name of the registered model."""
        return MODEL if self.is_local else self.registered_model or f"{self.catalog}.{self.gold_schema}.{MODEL}"

    @property
    def experiment_name(self) -> str:
        """The name of the MLflow experiment; a workspace path on the platform."""
        return MODEL if self.is_local else self.experiment or f"/Shared/solosolve_{self.target}"

    @property
    def checkpoint_folder(self) -> Path:
        """The folder of the streams' checkpoints."""
        if self.checkpoints is not None:
            return self.checkpoints
        volume = Path("/Volumes") / self.catalog / self.bronze_schema
        return (self.home if self.is_local else volume) / "checkpoints"

    def landing_source(self, source: str) -> str:
        """Resolves a relative path that is not in the working folder against the home (local only)."""
        at_home = self.home / source
        return str(at_home) if self.is_local and not Path(source).exists() and at_home.exists() else source

    def lock_file(self, name: str) -> Path:
        """Lock file of a table or task of this home; creates its folder."""
        path = self.home / "locks" / f"{name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def runs(self) -> Path:
        """Folder of the reports of runs, and of one record for each run of a job."""
        return self.home / "runs"

    @property
    def logs(self) -> Path:
        """Folder of the log files."""
        return self.home / "logs"

    @classmethod
    def load(cls, target: str = LOCAL, *, environ: Mapping[str, str] | None = None) -> Self:
        """Loads the settings of a target from the environment; what is not set has its default.

        Args:
            target: A target of the bundle, or `local`.
            environ: Environment variables; those of the process when None.

        Returns:
            The validated settings, with an absolute `home`.

        Raises:
            SettingsError: A value is not allowed; the message gives the name, the value and what is allowed.
        """
        environ = os.environ if environ is None else environ
        values = values_in(environ, cls.model_fields) | {"target": target}
        try:
            loaded = cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(explain(error, environ)) from None
        if not loaded.is_local and "catalog" not in values:
            # Without it, a typing error in --target would make tables in whatever catalog is called main.
            raise SettingsError(f"{ENV_PREFIX}CATALOG: not set, expected the catalog of target '{target}'")
        return loaded.model_copy(update={"home": loaded.home.expanduser().absolute()})
