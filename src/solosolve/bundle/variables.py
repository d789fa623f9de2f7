"""The values of a bundle's variables: from the command line, the environment, a file, the target, or the default."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from solosolve.bundle.nodes import Finding, Node, node_of
from solosolve.errors import BundleError, UsageError

ENV_PREFIX = "BUNDLE_VAR_"


def with_values(
    tree: Node, given: Mapping[str, str], environ: Mapping[str, str], root: Path, findings: list[Finding]
) -> Node:
    """Gives each variable its value, in the order of precedence that the Databricks CLI documents.

    A value comes from the command line, else from `BUNDLE_VAR_<name>`, else from the target's
    `.databricks/bundle/<target>/variable-overrides.json`, else from the target, else from the default.

    Args:
        tree: The tree of one target.
        given: Values from the command line.
        environ: The environment variables.
        root: The folder that holds `databricks.yml`.
        findings: Takes variables without a value.

    Returns:
        The tree; the value of the variable `x` is at `variables.x.value`.

    Raises:
        UsageError: A value is given to a variable that is not declared.
    """
    declared = tree.at("variables") or Node({}, tree.place)
    if unknown := sorted(set(given) - set(declared.entries)):
        raise UsageError(f"--var: found '{unknown[0]}', the bundle has {', '.join(sorted(declared.entries)) or 'none'}")
    overrides = _overrides(root, tree.text("bundle", "target"))
    values = {}
    for name, variable in declared.entries.items():
        value = _value_of(name, variable, given, environ, overrides)
        if value is None:
            place = variable.key or variable.place
            found = f"variables.{name} without a value"
            findings.append(Finding(place, found, f"a default, a value in the target, --var or {ENV_PREFIX}{name}"))
            continue
        values[name] = replace(variable, value=variable.entries | {"value": value})
    return tree.with_entries(variables=replace(declared, value=declared.entries | values))


def _value_of(
    name: str, variable: Node, given: Mapping[str, str], environ: Mapping[str, str], overrides: Mapping[str, Any]
) -> Node | None:
    place = variable.key or variable.place
    is_complex = variable.text("type") == "complex"
    for texts, key in ((given, name), (environ, ENV_PREFIX + name)):
        if key in texts:
            return node_of(_parsed(key, texts[key]) if is_complex else texts[key], place)
    if name in overrides:
        return node_of(overrides[name], place)
    if "default" in variable.entries:
        return variable.entries["default"]
    if (lookup := variable.at("lookup")) is not None:
        # Only a workspace knows the ID.
        named = next(((kind, node.plain()) for kind, node in lookup.entries.items()), ("object", ""))
        return Node(f"<ID of the {named[0].replace('_', ' ')} '{named[1]}'>", place)
    return None


def _parsed(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise UsageError(f"{name}: found {text!r}, a complex variable takes JSON") from None


def _overrides(root: Path, target: str) -> dict[str, Any]:
    file = root / ".databricks" / "bundle" / target / "variable-overrides.json"
    if not file.is_file():
        return {}
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BundleError(f"{file.name}: cannot be read as JSON ({error})") from None
    if not isinstance(found, dict):
        raise BundleError(f"{file.name}: found {found!r}, expected an object of variables")
    return found
