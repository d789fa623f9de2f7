"""Which fields a bundle has: its own sections here, its resources as the package `databricks-bundles` types them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Literal

from solosolve.bundle import ResolvedBundle
from solosolve.bundle.nodes import Node
from solosolve.bundle.sources import Sources
from solosolve.errors import MissingDependencyError
from solosolve.local.checks.findings import Findings
from solosolve.local.checks.types import check_type

_RESOURCES = {
    "alerts": "Alert",
    "apps": "App",
    "catalogs": "Catalog",
    "clusters": "Cluster",
    "dashboards": "Dashboard",
    "database_catalogs": "DatabaseCatalog",
    "database_instances": "DatabaseInstance",
    "experiments": "MlflowExperiment",
    "external_locations": "ExternalLocation",
    "genie_spaces": "GenieSpace",
    "jobs": "Job",
    "model_serving_endpoints": "ModelServingEndpoint",
    "models": "MlflowModel",
    "pipelines": "Pipeline",
    "quality_monitors": "QualityMonitor",
    "registered_models": "RegisteredModel",
    "schemas": "Schema",
    "secret_scopes": "SecretScope",
    "sql_warehouses": "SqlWarehouse",
    "synced_database_tables": "SyncedDatabaseTable",
    "volumes": "Volume",
}
"""The kinds of resources, and the class of each."""


@dataclass
class Git:
    """`bundle.git`."""

    branch: str = ""
    origin_url: str = ""


@dataclass
class BundleSection:
    """`bundle`."""

    name: str
    databricks_cli_version: str = ""
    cluster_id: str = ""
    compute_id: str = ""
    uuid: str = ""
    git: Git | None = None
    deployment: Any = None
    engine: str = ""


@dataclass
class Permission:
    """An entry of `permissions` at the top or in a target."""

    level: Literal["CAN_MANAGE", "CAN_RUN", "CAN_VIEW"]
    user_name: str = ""
    group_name: str = ""
    service_principal_name: str = ""


@dataclass
class RunAs:
    """`run_as`."""

    user_name: str = ""
    service_principal_name: str = ""


@dataclass
class Workspace:
    """`workspace`."""

    host: str = ""
    profile: str = ""
    root_path: str = ""
    file_path: str = ""
    artifact_path: str = ""
    state_path: str = ""
    resource_path: str = ""
    auth_type: str = ""
    client_id: str = ""
    account_id: str = ""
    workspace_id: str = ""
    azure_client_id: str = ""
    azure_environment: str = ""
    azure_login_app_id: str = ""
    azure_tenant_id: str = ""
    azure_use_msi: bool = False
    azure_workspace_resource_id: str = ""
    google_service_account: str = ""


@dataclass
class Artifact:
    """An entry of `artifacts`."""

    type: Literal["whl", "jar"] = "whl"
    build: str = ""
    path: str = ""
    files: Any = None
    executable: Literal["bash", "sh", "cmd"] = "bash"
    dynamic_version: bool = False


@dataclass
class Sync:
    """`sync`."""

    include: list[str] | None = None
    exclude: list[str] | None = None
    paths: list[str] | None = None


@dataclass
class Presets:
    """`presets`."""

    name_prefix: str = ""
    trigger_pause_status: Literal["PAUSED", "UNPAUSED"] = "PAUSED"
    jobs_max_concurrent_runs: int = 0
    pipelines_development: bool = False
    source_linked_deployment: bool = False
    artifacts_dynamic_version: bool = False
    tags: dict[str, str] | None = None


@dataclass
class Variable:
    """An entry of `variables`."""

    default: Any = None
    description: str = ""
    lookup: dict[str, str] | None = None
    type: Literal["complex"] = "complex"
    value: Any = None


@dataclass
class Target:
    """An entry of `targets`."""

    default: bool = False
    mode: Literal["development", "production"] = "development"
    bundle: Any = None
    workspace: Workspace | None = None
    variables: dict[str, Any] | None = None
    resources: Any = None
    artifacts: dict[str, Artifact] | None = None
    permissions: list[Permission] | None = None
    presets: Presets | None = None
    run_as: RunAs | None = None
    sync: Sync | None = None
    git: Git | None = None
    cluster_id: str = ""
    compute_id: str = ""


@dataclass
class Root:
    """The top level."""

    bundle: BundleSection
    include: list[str] | None = None
    variables: dict[str, Variable] | None = None
    targets: dict[str, Target] | None = None
    resources: Any = None
    workspace: Workspace | None = None
    artifacts: dict[str, Artifact] | None = None
    permissions: list[Permission] | None = None
    presets: Presets | None = None
    run_as: RunAs | None = None
    sync: Sync | None = None
    python: Any = None
    scripts: Any = None
    experimental: Any = None


def check_sections(sources: Sources, findings: Findings) -> None:
    """Checks the fields and types of everything but the resources."""
    check_type(sources.tree, Root, "bundle configuration", findings)


def check_resources(bundle: ResolvedBundle, findings: Findings) -> None:
    """Checks the fields and types of the resources of one target.

    Raises:
        MissingDependencyError: The package with the types is not installed.
    """
    resources = bundle.tree.at("resources") or Node({}, bundle.tree.place)
    for kind, group in resources.entries.items():
        if kind not in _RESOURCES:
            findings.add_name(group, "resources: the unknown kind", kind, _RESOURCES, at_key=True)
            continue
        for key, node in group.entries.items():
            if node.value is None:
                findings.add_at_key(node, f"resources.{kind}.{key} without content", f"the fields of {kind}")
            check_type(node, _class_of(kind), f"resources.{kind}.{key}", findings)


def _class_of(kind: str) -> Any:
    try:
        return getattr(importlib.import_module(f"databricks.bundles.{kind}"), _RESOURCES[kind])
    except ImportError:
        raise MissingDependencyError(
            "the package databricks-bundles, which has the types of the resources, is not installed; "
            "run: pip install --constraint constraints.txt '.[local]'"
        ) from None
