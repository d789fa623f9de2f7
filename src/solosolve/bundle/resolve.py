"""The bundle as one target sees it: files merged, the target applied, variables and references replaced."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from solosolve.bundle.nodes import Finding, Node, Place
from solosolve.bundle.presets import apply_presets, short_name
from solosolve.bundle.references import References
from solosolve.bundle.sources import Sources, read_sources
from solosolve.bundle.targets import choose_target, merge_target, targets_of
from solosolve.bundle.variables import with_values
from solosolve.errors import BundleError

DEFAULT_USER = "someone@example.com"
"""Stands for the user who deploys."""


@dataclass(frozen=True)
class ResolvedBundle:
    """A bundle as one target sees it.

    Attributes:
        root: The folder that holds `databricks.yml`.
        target: The target's name.
        tree: The whole configuration.
        findings: What is wrong with the YAML, the variables and the references.
    """

    root: Path
    target: str
    tree: Node
    findings: tuple[Finding, ...] = ()

    @property
    def mode(self) -> str:
        """The target's mode; empty when it has none."""
        return self.tree.text("bundle", "mode")

    def resources(self, kind: str) -> dict[str, Node]:
        """The resources of a kind, such as `jobs`, by their key."""
        found = self.tree.at("resources", kind)
        return {} if found is None else found.entries


def resolve_bundle(
    root: Path,
    target: str | None,
    *,
    variables: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    user: str = DEFAULT_USER,
    strict: bool = True,
    sources: Sources | None = None,
) -> ResolvedBundle:
    """Reads the bundle as one target sees it.

    Args:
        root: The folder that holds `databricks.yml`.
        target: A target, or `local`; the default target when None.
        variables: Values for variables, as `--var` gives them.
        environ: Environment variables, for `BUNDLE_VAR_<name>`; those of the process when None.
        user: The user who deploys.
        strict: Whether a finding is an error.
        sources: The files, if they have been read already.

    Returns:
        The resolved bundle. A reference to what only a deployed resource has, such as its ID, stays as it is.

    Raises:
        BundleError: A file cannot be read, or, if strict, something is wrong with it.
        SettingsError: There is no such target.
        UsageError: A value is given to a variable that is not declared.
    """
    sources = sources or read_sources(root)
    findings = list(sources.findings)
    name, chosen = choose_target(targets_of(sources, findings), target)
    tree = merge_target(sources.tree, name, chosen, findings)
    tree = _with_workspace(tree, user, sources.tree.place)
    tree = with_values(tree, variables or {}, os.environ if environ is None else environ, root, findings)
    tree = References(tree, lambda path: not path.startswith("resources."), findings).resolved(tree)
    tree = apply_presets(tree, user)
    tree = References(tree, lambda path: path.startswith("resources."), findings).resolved(tree)
    if strict and findings:
        raise BundleError(findings[0].describe(root))
    return ResolvedBundle(root, name, tree, tuple(findings))


def _with_workspace(tree: Node, user: str, place: Place) -> Node:
    """The workspace's paths and the user, where the bundle does not say otherwise."""
    found = tree.at("workspace") or Node({}, place)
    home = f"/Workspace/Users/{user}"
    default_root = f"{home}/.bundle/${{bundle.name}}/${{bundle.target}}"
    paths = {"root_path": found.text("root_path", default=default_root)}
    for name, folder in (("file", "files"), ("artifact", "artifacts"), ("resource", "resources"), ("state", "state")):
        path = found.text(f"{name}_path", default=f"${{workspace.root_path}}/{folder}")
        paths[f"{name}_path"] = path
    entries = dict(found.entries)
    for key, text in paths.items():
        expanded = f"{home}/{text[2:]}" if text.startswith("~/") else text
        entries[key] = replace(entries[key], value=expanded) if key in entries else Node(expanded, place)
    identity = {
        "userName": user,
        "short_name": short_name(user),
        "domain_friendly_name": short_name(user).replace("_", "-"),
    }
    entries["current_user"] = Node({key: Node(text, place) for key, text in identity.items()}, place)
    return tree.with_entries(workspace=replace(found, value=entries))
