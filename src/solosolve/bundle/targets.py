"""The targets of a bundle: those that can be deployed, and the local one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from solosolve.bundle.merge import merge
from solosolve.bundle.nodes import Finding, Node, one_of
from solosolve.bundle.sources import Sources
from solosolve.bundle.yaml_nodes import read_yaml
from solosolve.errors import SettingsError

LOCAL_TARGET = "local"
LOCAL_FILE = Path("bundle") / "local.yml"
"""The local target, in the form of a target. `databricks.yml` does not include it, so it cannot be deployed."""

_MERGED = ("bundle", "workspace", "artifacts", "resources", "sync", "permissions", "presets")
_REPLACED = ("run_as",)
_OF_THE_BUNDLE = ("mode", "git", "cluster_id", "compute_id")
"""Fields of a target that become fields of `bundle`."""


def targets_of(sources: Sources, findings: list[Finding]) -> dict[str, Node]:
    """The targets by name, with the local one first if there is one."""
    declared = sources.tree.at("targets")
    targets = dict(declared.entries) if declared is not None else {}
    if (file := sources.root / LOCAL_FILE).is_file():
        return {LOCAL_TARGET: read_yaml(file, findings)} | targets
    return targets


def target_names(sources: Sources) -> list[str]:
    """The names of the targets, the local one first."""
    return list(targets_of(sources, []))


def choose_target(targets: Mapping[str, Node], name: str | None) -> tuple[str, Node]:
    """Finds a target by its name, or the default target.

    Raises:
        SettingsError: There is no such target, or no default.
    """
    if name is None:
        defaults = [key for key, node in targets.items() if node.text("default") == "true"]
        deployed = [key for key in targets if key != LOCAL_TARGET]
        if len(defaults) != 1 and len(deployed) != 1:
            raise SettingsError(
                f"target: none given, and {len(defaults)} are the default; allowed: {', '.join(targets)}"
            )
        name = defaults[0] if len(defaults) == 1 else deployed[0]
    if name not in targets:
        raise SettingsError(f"target: found '{name}', allowed: {', '.join(targets)}")
    return name, targets[name]


def merge_target(tree: Node, name: str, target: Node, findings: list[Finding]) -> Node:
    """Applies a target's changes to the tree.

    Args:
        tree: The merged files.
        name: The target's name.
        target: What the target says.
        findings: Takes variables that are set but not declared.

    Returns:
        The tree without `targets`.
    """
    entries = {key: node for key, node in tree.entries.items() if key != "targets"}
    for key in _MERGED:
        if (node := target.at(key)) is not None:
            entries[key] = merge(entries[key], node, (key,)) if tree.at(key) is not None else node
    entries |= {key: node for key in _REPLACED if (node := target.at(key)) is not None}
    place = target.key or target.place
    bundle = dict(entries.get("bundle", Node({}, place)).entries)
    bundle |= {key: node for key in _OF_THE_BUNDLE if (node := target.at(key)) is not None}
    bundle |= {"target": Node(name, place), "environment": Node(name, place)}
    entries["bundle"] = Node(bundle, place)
    variables = dict(entries.get("variables", Node({}, place)).entries)
    for variable, node in (target.at("variables") or Node({}, place)).entries.items():
        if variable not in variables:
            found = f"variables.{variable}, which is not declared"
            findings.append(Finding(node.key or node.place, found, one_of(variable, variables)))
            continue
        variables[variable] = _with_target_value(variables[variable], node)
    entries["variables"] = Node(variables, place)
    return replace(tree, value=entries)


def _with_target_value(declared: Node, given: Node) -> Node:
    """A variable as a target sets it: by its value alone, or in the long form with `default` or `lookup`."""
    entries = dict(declared.entries)
    is_long = given.is_mapping and bool({"default", "lookup"} & set(given.entries))
    if not is_long:
        entries.pop("lookup", None)
        return replace(declared, value=entries | {"default": given})
    if "lookup" in given.entries:
        entries.pop("default", None)
    else:
        entries.pop("lookup", None)
    return replace(declared, value=entries | given.entries)
