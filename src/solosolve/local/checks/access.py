"""Checks permissions, identities, and the tables' places: who may do what, and whether what is named exists."""

from __future__ import annotations

from collections.abc import Iterator

from solosolve.bundle import LOCAL_TARGET, ResolvedBundle
from solosolve.bundle.nodes import Node
from solosolve.bundle.sources import Sources
from solosolve.bundle.targets import LOCAL_FILE
from solosolve.local.checks.findings import Findings

_PRINCIPALS = ("user_name", "group_name", "service_principal_name")
_UNITY_CATALOG = ("schemas", "volumes", "registered_models", "catalogs")
"""Kinds that have `grants`, not `permissions`."""

_PATHS = ("root_path", "file_path", "artifact_path", "state_path")


def check_permissions(bundle: ResolvedBundle, findings: Findings) -> None:
    """Checks the permissions of one target and of its resources."""
    everywhere = bundle.tree.at("permissions")
    at_top = _check_list(everywhere, "permissions", findings) if everywhere is not None else {}
    for kind, group in (bundle.tree.at("resources") or Node({}, bundle.tree.place)).entries.items():
        for key, resource in group.entries.items():
            permissions = resource.at("permissions")
            if permissions is None:
                continue
            path = f"resources.{kind}.{key}.permissions"
            if kind in _UNITY_CATALOG:
                findings.add_at_key(permissions, path, "grants, which this kind of resource has instead")
                continue
            for principal, entry in _check_list(permissions, path, findings).items():
                if principal in at_top:
                    line = at_top[principal].place.line
                    found = f"{path}: '{principal[1]}', who is also in the permissions at the top (line {line})"
                    findings.add(entry, found, "a principal in one of the two")
    for steps, node in bundle.tree.walk():
        if steps and steps[-1] == "run_as" and node.is_mapping:
            named = [name for name in _PRINCIPALS if node.at(name) is not None]
            if len(named) != 1:
                found = f"{'.'.join(map(str, steps))} with {' and '.join(named) or 'nobody'}"
                findings.add_at_key(node, found, "one of user_name and service_principal_name")


def _check_list(permissions: Node, path: str, findings: Findings) -> dict[tuple[str, str], Node]:
    seen: dict[tuple[str, str], Node] = {}
    for entry in permissions.elements:
        named = [name for name in _PRINCIPALS if entry.at(name) is not None]
        if len(named) != 1:
            findings.add(
                entry, f"{path}: an entry for {' and '.join(named) or 'nobody'}", f"one of {', '.join(_PRINCIPALS)}"
            )
            continue
        principal = (named[0], entry.text(named[0]))
        if principal in seen:
            first = seen[principal]
            found = f"{path}: '{principal[1]}' with {entry.text('level')} and with {first.text('level')}"
            findings.add(entry, f"{found} (line {first.place.line})", "one level for each principal")
        seen[principal] = entry
    return seen


def check_places(bundle: ResolvedBundle, findings: Findings) -> None:
    """Checks that a volume or model lies in a schema that the bundle declares, if it declares any in that catalog."""
    schemas = bundle.resources("schemas").values()
    declared = {(schema.text("catalog_name"), schema.text("name")) for schema in schemas}
    for kind in ("volumes", "registered_models"):
        for key, resource in bundle.resources(kind).items():
            node, catalog = resource.at("schema_name"), resource.text("catalog_name")
            names = [name for where, name in sorted(declared) if where == catalog]
            if node is None or not names or str(node.value) in names:
                continue
            found = f"resources.{kind}.{key}.schema_name: '{node.value}' in target '{bundle.target}'"
            keys = ", ".join(f"${{resources.schemas.{each}.name}}" for each in bundle.resources("schemas"))
            findings.add(node, found, f"a schema of this bundle: {keys}")


def check_mode(sources: Sources, bundle: ResolvedBundle, findings: Findings) -> None:
    """Checks what the mode of one target demands."""
    target = sources.tree.at("targets", bundle.target)
    if target is None:
        return
    for name in _PATHS:
        path = bundle.tree.at("workspace", name)
        if path is not None and not str(path.value).startswith(("/", "${")):
            findings.add(path, f"workspace.{name}: '{path.value}'", "a path that starts with / or ~/")
    place = target.at("mode") or target
    if bundle.mode == "production":
        layers = (sources.tree, target)
        is_fixed = any(each.at(*path) for each in layers for path in (("workspace", "root_path"), ("run_as",)))
        if not is_fixed:
            found = f"targets.{bundle.target}: mode production without workspace.root_path or run_as"
            findings.add_at_key(place, found, "one of them, so that there is one deployment whoever deploys")
        for key, pipeline in bundle.resources("pipelines").items():
            if pipeline.text("development") == "true":
                node = pipeline.at("development") or pipeline
                findings.add(node, f"resources.pipelines.{key}: development: true in production", "false")
    if bundle.mode == "development":
        user = bundle.tree.text("workspace", "current_user", "userName")
        short = bundle.tree.text("workspace", "current_user", "short_name")
        for name in _PATHS:
            path = bundle.tree.at("workspace", name)
            if path is not None and user not in str(path.value) and short not in str(path.value):
                found = f"workspace.{name}: '{path.value}' in mode development"
                findings.add(path, found, "a path that starts with ~/ or names the user")


def check_local(sources: Sources, findings: Findings) -> None:
    """Checks that the local target cannot be deployed, and that at most one target is the default."""
    targets = sources.tree.at("targets")
    if targets is not None and (local := targets.entries.get(LOCAL_TARGET)) is not None:
        found = f"targets.{LOCAL_TARGET}, which could be deployed"
        findings.add_at_key(local, found, f"the local target in {LOCAL_FILE.as_posix()}")
    include = sources.tree.at("include")
    for pattern in include.elements if include is not None else ():
        if sources.root / LOCAL_FILE in sources.root.glob(str(pattern.value).lstrip("/")):
            findings.add(
                pattern, f"include: '{pattern.value}', which includes {LOCAL_FILE.as_posix()}", "files without it"
            )
    if targets is None or not targets.entries:
        findings.add(sources.tree, "no targets", "at least one target")
    defaults = list(_defaults(targets))
    for node in defaults[1:]:
        findings.add_at_key(node, "a second default target", "one default target")


def _defaults(targets: Node | None) -> Iterator[Node]:
    for target in targets.entries.values() if targets is not None else ():
        if target.text("default") == "true":
            yield target.entries["default"]
