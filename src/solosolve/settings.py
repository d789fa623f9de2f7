"""The settings: the bundle target's variables, overridden by the environment's `SOLOSOLVE_*` variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from solosolve.bundle import bundle_variables, find_bundle
from solosolve.errors import SettingsError
from solosolve.names import Table

ENV_PREFIX = "SOLOSOLVE_"
_SECRETS = {"kafka_password", "dashboard_password"}


class Settings(BaseModel):
    """Where the tables and models live, and the thresholds that every task shares."""

    # `load` writes the error messages itself: pydantic's own messages would show a password.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    target: Literal["local", "dev", "staging", "prod"] = "local"
    home: Path = Field(default=Path(".solosolve"), description="Root of tables, models and logs on the local target.")
    catalog: str = Field(
        default="main", pattern=r"^[A-Za-z0-9_]+$", description="Catalog of the tables on the platform."
    )
    maturity_days: int = Field(default=60, ge=0, description="Newest days of the labelled period to leave out.")
    min_labels: int = Field(
        default=200, ge=2, description="Labelled rows below which reports warn that results are uncertain."
    )
    review_share: float = Field(
        default=0.2, gt=0, lt=1, description="Share of complaints, those likeliest to fail, that people can read."
    )
    bootstrap_rounds: int = Field(default=300, ge=20, le=10_000, description="Bootstrap resamples per 95 % interval.")
    training_workers: int = Field(default=1, ge=1, description="Spark tasks for distributed XGBoost training.")
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
    kafka_ca_file: Path | None = Field(
        default=None, description="PEM file of the CA certificates for the brokers, with an SSL protocol."
    )
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
    sql_warehouse: str | None = Field(
        default=None, description="HTTP path of the SQL warehouse that a dashboard reads."
    )

    @field_validator("home", mode="before")
    @classmethod
    def _home_is_named(cls, home: object) -> object:
        # An empty path means the working folder, and would scatter tables over it.
        if isinstance(home, str) and not home.strip():
            raise PydanticCustomError("blank_home", "should be a folder")
        return home

    @field_validator("kafka_ca_file", "dashboard_password", "dashboard_identity_header", "sql_warehouse", mode="before")
    @classmethod
    def _blank_is_none(cls, value: object) -> object:
        # Bundle variables cannot be null.
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
        return self.target == "local"

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

    def lock_file(self, name: str) -> Path:
        """Lock file of a table or task of this home; creates its folder."""
        path = self.home / "locks" / f"{name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def logs(self) -> Path:
        """Folder of the log files."""
        return self.home / "logs"

    @classmethod
    def load(
        cls,
        target: str = "local",
        *,
        bundle: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Self:
        """Loads the settings of a target: the bundle's variables first, then the environment.

        Args:
            target: A target of `bundle/targets.yml`.
            bundle: The folder that holds `databricks.yml`. When None, `find_bundle` looks for it;
                if it finds none (a wheel on a cluster), only the environment is used.
            environ: Environment variables; those of the process when None.

        Returns:
            The validated settings, with an absolute `home`.

        Raises:
            SettingsError: A value is not allowed; the message gives the name, the value and what is allowed.
        """
        environ = os.environ if environ is None else environ
        root = bundle or find_bundle()
        values: dict[str, Any] = {}
        if root is not None:
            values |= {k: v for k, v in bundle_variables(root, target).items() if k in cls.model_fields}
        values |= _from_environ(environ, cls.model_fields)
        values["target"] = target
        try:
            loaded = cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(_explain(error, environ)) from None
        if not loaded.is_local and "catalog" not in values:
            raise SettingsError(
                f"catalog: not set for target '{target}', and no databricks.yml was found: set {ENV_PREFIX}CATALOG"
            )
        return loaded.model_copy(update={"home": loaded.home.expanduser().absolute()})


def _from_environ(environ: Mapping[str, str], fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: environ[ENV_PREFIX + name.upper()] for name in fields if ENV_PREFIX + name.upper() in environ}


def _explain(error: ValidationError, environ: Mapping[str, str]) -> str:
    lines = []
    for problem in error.errors():
        if not problem["loc"]:  # The message names the settings; their values may be secret.
            lines.append(problem["msg"])
            continue
        name = str(problem["loc"][0])
        variable = ENV_PREFIX + name.upper()
        label = variable if variable in environ else name
        found = "a value" if name in _SECRETS else repr(problem["input"])
        lines.append(f"{label}: found {found}, {problem['msg'].removeprefix('Input ')}")
    return "; ".join(lines)
