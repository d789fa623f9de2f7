"""Checks the names and numbers for which the platform has limits."""

from __future__ import annotations

import re
from dataclasses import dataclass

from solosolve.bundle import ResolvedBundle
from solosolve.bundle.nodes import Node, as_text
from solosolve.local.checks.findings import Findings


@dataclass(frozen=True)
class _Limit:
    """What a text field may hold."""

    kind: str
    field: str
    pattern: str
    allowed: str


_OBJECT = r"[^\s./\x00-\x1f\x7f]{1,255}", "1 to 255 characters without a space, a dot or a slash"
_LIMITS = (
    _Limit("jobs", "name", r"[\s\S]{1,4096}", "1 to 4,096 characters"),
    _Limit("jobs", "description", r"[\s\S]{0,27700}", "at most 27,700 characters"),
    _Limit("pipelines", "name", r"[\s\S]{1,256}", "1 to 256 characters"),
    _Limit("apps", "name", r"[a-z0-9-]{2,30}", "2 to 30 lower-case letters, digits and hyphens"),
    _Limit("model_serving_endpoints", "name", r"[\w-]{1,63}", "1 to 63 letters, digits, - and _"),
    *(_Limit(kind, "name", *_OBJECT) for kind in ("schemas", "volumes", "registered_models")),
    *(_Limit(kind, "catalog_name", *_OBJECT) for kind in ("schemas", "volumes", "registered_models")),
    *(_Limit(kind, "schema_name", *_OBJECT) for kind in ("volumes", "registered_models")),
)
_MAX_TASKS, _MAX_TAGS = 1000, 25
_PARAMETER = re.compile(r"[\w.-]+")


def check_limits(bundle: ResolvedBundle, findings: Findings) -> None:
    """Checks the names of all resources, and the clusters of jobs."""
    for limit in _LIMITS:
        for key, resource in bundle.resources(limit.kind).items():
            node = resource.at(limit.field)
            if node is None or "${" in str(node.value):
                continue
            if not re.fullmatch(limit.pattern, str(node.value)):
                found = f"resources.{limit.kind}.{key}.{limit.field}: '{str(node.value)[:60]}'"
                findings.add(node, found, limit.allowed)
    name = bundle.tree.at("bundle", "name")
    if name is not None and not re.fullmatch(r"[\w .-]+", as_text(name.value)):
        findings.add(name, f"bundle.name: '{as_text(name.value)}'", "letters, digits, spaces, _, - and .")
    for key, job in bundle.resources("jobs").items():
        path = f"resources.jobs.{key}"
        for field, most in (("tasks", _MAX_TASKS), ("tags", _MAX_TAGS)):
            node = job.at(field)
            if node is not None and (node.is_list or node.is_mapping) and len(node.value) > most:
                findings.add_at_key(node, f"{path} with {len(node.value)} {field}", f"at most {most}")
        for parameter in (job.at("parameters") or job).elements:
            name = parameter.at("name")
            if name is not None and not _PARAMETER.fullmatch(str(name.value)):
                findings.add(name, f"{path}: the parameter '{name.value}'", "letters, digits, _, - and .")
        for _, node in job.walk():
            if (cluster := node.at("new_cluster")) is not None and cluster.is_mapping:
                _check_cluster(cluster, f"{path}: the cluster", findings)
    for key, cluster in bundle.resources("clusters").items():
        _check_cluster(cluster, f"resources.clusters.{key}", findings)


def _check_cluster(cluster: Node, path: str, findings: Findings) -> None:
    if cluster.at("policy_id") is not None:
        # A policy may give whatever is missing.
        return
    conf = cluster.at("spark_conf")
    profile = conf.entries.get("spark.databricks.cluster.profile") if conf is not None else None
    is_single = cluster.text("is_single_node") == "true" or (profile is not None and profile.value == "singleNode")
    workers, scale = cluster.at("num_workers"), cluster.at("autoscale")
    if workers is None and scale is None and not is_single:
        findings.add_at_key(cluster, f"{path} without a size", "num_workers, autoscale, or is_single_node")
    if workers is not None and scale is not None:
        findings.add_at_key(workers, f"{path} with num_workers and autoscale", "one of the two")
    if workers is not None and workers.value == 0 and not is_single:
        findings.add(workers, f"{path} with 0 workers, but not as a single node", "1 or more, or is_single_node: true")
    if scale is not None:
        least, most = scale.text("min_workers"), scale.text("max_workers")
        if least.isdigit() and most.isdigit() and int(least) > int(most):
            findings.add(
                scale, f"{path} with min_workers {least} and max_workers {most}", "min_workers up to max_workers"
            )
    if cluster.at("spark_version") is None:
        findings.add_at_key(cluster, f"{path} without spark_version", "spark_version is required")
    if cluster.at("node_type_id") is None and cluster.at("instance_pool_id") is None:
        findings.add_at_key(cluster, f"{path} without a node type", "node_type_id or instance_pool_id")
