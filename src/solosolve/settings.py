"""One frozen, validated Settings object: the bundle target's variables, overridden by SOLOSOLVE_* variables."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from solosolve.errors import SettingsError

ENV_PREFIX = "SOLOSOLVE_"
_SECRETS = {"kafka_password", "dashboard_password"}


class Settings(BaseModel):
    """Where the tables and models live, and the thresholds that every task shares."""

    # What is wrong is said by `load`; pydantic's own words would show a password.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    target: Literal["local", "dev", "staging", "prod"] = "local"
    home: Path = Field(default=Path(".solosolve"), description="Root of tables, models and logs on the local target.")
    catalog: str = Field(
        default="main", pattern=r"^[A-Za-z0-9_]+$", description="Catalog of the tables on the platform."
    )
    maturity_days: int = Field(default=60, ge=0, description="Newest days of the labelled period that are left out.")
    min_labels: int = Field(
        default=200, ge=2, description="Labelled rows below which results are said to be uncertain."
    )
    bootstrap_rounds: int = Field(default=300, ge=20, le=10_000, description="Resamples behind each 95 % interval.")
    training_workers: int = Field(default=1, ge=1, description="Spark tasks that distributed XGBoost trains in.")
    driver_memory: str = Field(default="4g", pattern=r"^[1-9][0-9]*[gm]$", description="Local JVM heap.")
    actor: str = Field(default="solosolve", min_length=1, description="Who acts, as the model ledger records it.")
    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092",
        pattern=r"^[^\s,:]+:[0-9]{1,5}(,[^\s,:]+:[0-9]{1,5})*$",
        description="Kafka brokers, as host:port, separated by commas.",
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    kafka_username: str | None = Field(default=None, description="Who logs in, with a SASL protocol.")
    kafka_password: SecretStr | None = Field(default=None, description="The password; never printed.")
    kafka_secret_scope: str | None = Field(
        default=None, description="Secret scope of the platform with the keys kafka_username and kafka_password."
    )
    kafka_ca_file: Path | None = Field(
        default=None, description="PEM file with the certificates that sign the brokers', with an SSL protocol."
    )
    max_request_bytes: int = Field(
        default=262_144, ge=1_024, description="Bytes above which a request is a dead letter."
    )

    dashboard_password: SecretStr | None = Field(
        default=None, min_length=8, description="What the dashboard asks for; needed where others reach it."
    )
    dashboard_identity_header: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z0-9-]*$",
        description="Header in which the platform's proxy names the dashboard's user.",
    )
    sql_warehouse: str | None = Field(
        default=None, description="HTTP path of the SQL warehouse that a dashboard reads."
    )

    @field_validator("home", mode="before")
    @classmethod
    def _home_is_named(cls, home: object) -> object:
        # An empty path would be the working folder, and tables would be strewn over it.
        if isinstance(home, str) and not home.strip():
            raise PydanticCustomError("blank_home", "should be a folder")
        return home

    @field_validator("kafka_ca_file", "dashboard_password", "dashboard_identity_header", "sql_warehouse", mode="before")
    @classmethod
    def _blank_is_none(cls, value: object) -> object:
        # A variable of the bundle has no null.
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
        """Whether tables are folders below `home` rather than entries of a catalog."""
        return self.target == "local"

    @property
    def kafka_port_here(self) -> int | None:
        """The port of this machine that a broker answers at; None where the brokers are elsewhere."""
        host, _, port = self.kafka_bootstrap.rpartition(":")
        return int(port) if host in ("127.0.0.1", "localhost") and 0 < int(port) < 1 << 16 else None

    @property
    def warehouse(self) -> Path:
        """Folder of the local Delta tables, one folder a layer."""
        return self.home / "warehouse"

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
        """Reads the target's variables from the bundle and then the environment.

        Args:
            target: A target of `bundle/targets.yml`.
            bundle: The folder that holds `databricks.yml`; found by `find_bundle` when None, and
                skipped when there is none (a wheel on a cluster).
            environ: Environment variables; the process's own when None.

        Returns:
            The validated settings, `home` made absolute.

        Raises:
            SettingsError: A value is not allowed; the message has its name, value and what is allowed.
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
                f"catalog: not set for target '{target}': no databricks.yml was found, set {ENV_PREFIX}CATALOG"
            )
        return loaded.model_copy(update={"home": loaded.home.expanduser().absolute()})


def find_bundle(start: Path | None = None) -> Path | None:
    """Finds the folder with `databricks.yml`: `start` (the working folder), a parent, the job's, or the checkout's."""
    here = (start or Path.cwd()).absolute()
    job, checkout = Path(sys.argv[0]).absolute(), Path(__file__).absolute().parents[2]
    for folder in (here, *here.parents, *job.parents[:2], checkout):
        if (folder / "databricks.yml").is_file():
            return folder
    return None


def bundle_variables(root: Path, target: str) -> dict[str, Any]:
    """Reads the bundle's variables as one target sees them.

    Args:
        root: The folder that holds `databricks.yml`.
        target: A target of `bundle/targets.yml`.

    Returns:
        Variable name to value: the default, or the target's own.

    Raises:
        SettingsError: The bundle has no such target, or a file of it is not what a bundle has there.
    """
    declared = _read_mapping(root / "bundle" / "variables.yml", "variables")
    targets = _read_mapping(root / "bundle" / "targets.yml", "targets")
    if target not in targets:
        raise SettingsError(f"target: found '{target}', allowed: {', '.join(targets)}")
    values = {name: spec["default"] for name, spec in declared.items() if "default" in (spec or {})}
    return values | ((targets[target] or {}).get("variables") or {})


def _read_mapping(path: Path, key: str) -> dict[str, Any]:
    """Reads a YAML file's mapping below a key; empty where the file has none."""
    try:
        with path.open(encoding="utf-8") as stream:
            content = yaml.safe_load(stream) or {}
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: cannot be read as YAML ({' '.join(str(error).split())})") from error
    found = content.get(key) or {} if isinstance(content, dict) else content
    if not isinstance(found, dict):
        raise SettingsError(f"{path}: found {found!r}, expected the mapping '{key}'")
    return found


def _from_environ(environ: Mapping[str, str], fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: environ[ENV_PREFIX + name.upper()] for name in fields if ENV_PREFIX + name.upper() in environ}


def _explain(error: ValidationError, environ: Mapping[str, str]) -> str:
    lines = []
    for problem in error.errors():
        if not problem["loc"]:  # about several settings together; the message names them, their values may be secret
            lines.append(problem["msg"])
            continue
        name = str(problem["loc"][0])
        variable = ENV_PREFIX + name.upper()
        label = variable if variable in environ else name
        found = "a value" if name in _SECRETS else repr(problem["input"])
        lines.append(f"{label}: found {found}, {problem['msg'].removeprefix('Input ')}")
    return "; ".join(lines)
