"""Merges the files of a bundle, and a target's changes to its resources."""

from __future__ import annotations

from dataclasses import replace

from solosolve.bundle.nodes import Node

Path = tuple[str, ...]

_KEYS: dict[tuple[str, str], str] = {
    ("jobs", "tasks"): "task_key",
    ("jobs", "job_clusters"): "job_cluster_key",
    ("jobs", "parameters"): "name",
    ("jobs", "environments"): "environment_key",
    ("pipelines", "clusters"): "label",
    ("apps", "resources"): "name",
}
"""Lists of a resource whose elements are merged by a key of theirs; other lists are joined."""


def merge(base: Node, change: Node, path: Path = ()) -> Node:
    """Merges a change into a tree: mappings by key, some lists by a key of their elements; other lists are joined.

    Args:
        base: The tree.
        change: What is added to it or replaces parts of it.
        path: Where both are in the bundle.

    Returns:
        The merged tree; each value keeps its place.
    """
    if change.value is None:
        return base
    if base.is_mapping and change.is_mapping:
        entries = dict(base.entries)
        for key, node in change.entries.items():
            entries[key] = merge(entries[key], node, (*path, key)) if key in entries else node
        return replace(base, value=entries)
    if base.is_list and change.is_list:
        return replace(base, value=_merged_lists(base.elements, change.elements, _key_of(path)))
    return change


def _key_of(path: Path) -> str | None:
    """The key of the elements of a list at `resources.<kind>.<name>.<field>`."""
    return _KEYS.get((path[1], path[3])) if len(path) == 4 and path[0] == "resources" else None


def _merged_lists(base: list[Node], change: list[Node], key: str | None) -> list[Node]:
    merged = list(base)
    for node in change:
        name = node.text(key) if key else ""
        same = [position for position, each in enumerate(merged) if name and each.text(key or "") == name]
        if same:
            merged[same[0]] = merge(merged[same[0]], node)
        else:
            merged.append(node)
    return merged
