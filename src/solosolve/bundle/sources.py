"""Reads `databricks.yml` and the files that it includes as one tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from solosolve.bundle.location import MAIN_FILE
from solosolve.bundle.merge import merge
from solosolve.bundle.nodes import Finding, Node
from solosolve.bundle.yaml_nodes import read_yaml


@dataclass(frozen=True)
class Sources:
    """What the files of a bundle say, before a target is chosen.

    Attributes:
        root: The folder that holds `databricks.yml`.
        files: The tree of each file, `databricks.yml` first.
        tree: All of them merged.
        findings: What is wrong with the files themselves.
    """

    root: Path
    files: dict[Path, Node]
    tree: Node
    findings: tuple[Finding, ...]


def read_sources(root: Path) -> Sources:
    """Reads the files of a bundle.

    Args:
        root: The folder that holds `databricks.yml`.

    Returns:
        The files and their merged tree. A resource that two files declare is a finding; the first one counts.

    Raises:
        BundleError: A file cannot be read as YAML with a mapping at its top level.
    """
    findings: list[Finding] = []
    main = root / MAIN_FILE
    files = {main: read_yaml(main, findings)}
    for file in _included(root, files[main], findings):
        files.setdefault(file, read_yaml(file, findings))
    tree = files[main]
    for file, content in files.items():
        if file != main:
            _check_include(content, findings)
        node = _with_mappings(content, findings)
        tree = node if file == main else merge(tree, _without_repeats(tree, node, findings))
    return Sources(root, files, tree, tuple(findings))


def _included(root: Path, main: Node, findings: list[Finding]) -> Iterator[Path]:
    include = main.at("include")
    if include is not None and not include.is_list:
        findings.append(Finding(include.place, f"include: {include.plain()!r}", "a list of files or globs"))
    for pattern in include.elements if include is not None else ():
        text = str(pattern.value)
        if text.startswith("/") or ".." in Path(text).parts:
            findings.append(Finding(pattern.place, f"include: '{text}'", "files inside the bundle"))
            continue
        matches = sorted(path for path in root.glob(text) if path.is_file() and path != root / MAIN_FILE)
        if not matches and not any(letter in text for letter in "*?["):
            findings.append(Finding(pattern.place, f"include: '{text}', which does not exist", "files that exist"))
        yield from matches


def _check_include(node: Node, findings: list[Finding]) -> None:
    if include := node.entries.get("include"):
        place = include.key or include.place
        findings.append(Finding(place, "include in a file that is itself included", f"include in {MAIN_FILE} only"))


def _with_mappings(node: Node, findings: list[Finding]) -> Node:
    """The file without sections that should be mappings and are not."""
    entries = dict(node.entries)
    for key in ("resources", "variables", "targets", "workspace", "bundle"):
        found = node.at(key)
        if found is not None and not found.is_mapping:
            findings.append(Finding(found.place, f"{key}: {found.plain()!r}", "a mapping"))
            del entries[key]
    if (resources := entries.get("resources")) is not None:
        for kind, group in resources.entries.items():
            if group.value is not None and not group.is_mapping:
                findings.append(Finding(group.place, f"resources.{kind}: {group.plain()!r}", "a mapping"))
        groups = {kind: group for kind, group in resources.entries.items() if group.is_mapping}
        entries["resources"] = replace(resources, value=groups)
    return replace(node, value=entries)


def _without_repeats(tree: Node, file: Node, findings: list[Finding]) -> Node:
    """The file without those resources that another file has declared."""
    resources = file.entries.get("resources")
    if resources is None or not resources.is_mapping:
        return file
    kept = {}
    for kind, group in resources.entries.items():
        known = tree.at("resources", kind)
        repeated = [key for key in group.entries if known is not None and key in known.entries]
        for key in repeated:
            first = known.entries[key].key if known is not None else None
            node = group.entries[key]
            where = f"{first.file.name}:{first.line}" if first else "another file"
            found = f"resources.{kind}.{key} again (first in {where})"
            findings.append(Finding(node.key or node.place, found, "each resource in one file"))
        entries = {key: node for key, node in group.entries.items() if key not in repeated}
        kept[kind] = replace(group, value=entries) if group.is_mapping else group
    return file.with_entries(resources=replace(resources, value=kept))
