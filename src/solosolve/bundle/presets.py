"""What a target's mode and presets do to its resources, as the Databricks CLI does it when it deploys."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from solosolve.bundle.nodes import Node, node_of

TRIGGERS = ("schedule", "continuous", "trigger")
"""The fields of a job that start it by themselves."""

_DEVELOPMENT_RUNS = 4
_BRACKETED = ("jobs", "pipelines", "models")
_NORMALISED = ("registered_models", "model_serving_endpoints", "schemas")


def short_name(user: str) -> str:
    """The short name of a user, as it appears in names: the part before the @, words joined by underscores."""
    return _normalised(user.partition("@")[0])


def _normalised(text: str) -> str:
    return re.sub(r"_+", "_", re.sub(r"[^\w]", "_", text)).strip("_").lower()


def apply_presets(tree: Node, user: str) -> Node:
    """Applies the mode and the presets of a target.

    Mode `development` prefixes names with `[dev <user>] ` (schemas and registered models with `dev_<user>_`), tags
    jobs, allows concurrent runs where a job sets no limit, and pauses what starts by itself unless its `pause_status`
    is set.

    Args:
        tree: The tree of one target, references to resources still in it.
        user: The user who deploys.

    Returns:
        The tree with changed resources.
    """
    resources = tree.at("resources")
    if resources is None or not resources.is_mapping:
        return tree
    presets = tree.at("presets") or Node({}, tree.place)
    is_development = tree.text("bundle", "mode") == "development"
    prefix = presets.text("name_prefix", default=f"[dev {short_name(user)}] " if is_development else "")
    pause = presets.text("trigger_pause_status", default="PAUSED" if is_development else "")
    runs = presets.text("jobs_max_concurrent_runs", default=str(_DEVELOPMENT_RUNS) if is_development else "")
    tags = {key: node.plain() for key, node in (presets.at("tags") or presets).entries.items() if presets.at("tags")}
    if is_development:
        tags = {"dev": short_name(user)} | tags

    def job(node: Node) -> Node:
        entries = dict(node.entries)
        for name in TRIGGERS:
            trigger = node.at(name)
            if trigger is not None and trigger.is_mapping and pause and trigger.at("pause_status") is None:
                entries[name] = trigger.with_entries(pause_status=Node(pause, trigger.place))
        if runs.isdigit() and node.at("max_concurrent_runs") is None:
            entries["max_concurrent_runs"] = Node(int(runs), node.place)
        if tags:
            own = (node.at("tags") or Node({}, node.place)).entries
            entries["tags"] = Node(node_of(tags, node.place).entries | own, node.place)
        if (run_as := tree.at("run_as")) is not None:
            entries.setdefault("run_as", run_as)
        return replace(node, value=entries)

    changed = _changed(resources, ("jobs",), job)
    changed = _changed(changed, _BRACKETED, lambda node: _prefixed(node, "name", prefix))
    plain = _normalised_prefix(prefix)
    changed = _changed(changed, _NORMALISED, lambda node: _prefixed(node, "name", plain))
    changed = _changed(changed, ("experiments",), lambda node: _prefixed_experiment(node, prefix))
    changed = _changed(changed, ("clusters",), lambda node: _prefixed(node, "cluster_name", prefix))
    changed = _changed(changed, ("dashboards",), lambda node: _prefixed(node, "display_name", prefix))
    return tree.with_entries(resources=changed)


def _normalised_prefix(prefix: str) -> str:
    words = _normalised(prefix)
    return f"{words}_" if prefix.strip().endswith("]") else words


def _changed(resources: Node, kinds: tuple[str, ...], change: Callable[[Node], Node]) -> Node:
    groups = dict(resources.entries)
    for kind in kinds:
        group = groups.get(kind)
        if group is not None and group.is_mapping:
            changed = {key: change(node) if node.is_mapping else node for key, node in group.entries.items()}
            groups[kind] = replace(group, value=changed)
    return replace(resources, value=groups)


def _prefixed(node: Node, field: str, prefix: str) -> Node:
    name = node.at(field)
    return (
        node
        if name is None or not prefix
        else node.with_entries(**{field: replace(name, value=f"{prefix}{name.value}")})
    )


def _prefixed_experiment(node: Node, prefix: str) -> Node:
    name = node.at("name")
    if name is None or not prefix:
        return node
    folder, slash, base = str(name.value).rpartition("/")
    return node.with_entries(name=replace(name, value=f"{folder}{slash}{prefix}{base}"))
