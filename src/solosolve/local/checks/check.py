"""Checks a bundle as each of its targets sees it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from solosolve.bundle import LOCAL_TARGET, ResolvedBundle, resolve_bundle
from solosolve.bundle.nodes import Finding
from solosolve.bundle.references import REFERENCE
from solosolve.bundle.sources import Sources, read_sources
from solosolve.bundle.targets import target_names
from solosolve.errors import SettingsError
from solosolve.local.checks.access import check_local, check_mode, check_permissions, check_places
from solosolve.local.checks.command_lines import check_command_lines
from solosolve.local.checks.files import check_files
from solosolve.local.checks.findings import Findings
from solosolve.local.checks.job_rules import check_jobs
from solosolve.local.checks.limits import check_limits
from solosolve.local.checks.schema import check_resources, check_sections
from solosolve.local.checks.triggers import check_triggers

_BRACED = re.compile(r"\$\{[^}]*\}?")


def check_bundle(
    root: Path,
    targets: Sequence[str] = (),
    *,
    variables: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> tuple[list[str], list[Finding]]:
    """Checks a bundle without a workspace.

    Args:
        root: The folder that holds `databricks.yml`.
        targets: The targets to check; all, with the local one, when empty.
        variables: Values for variables, as `--var` gives them.
        environ: Environment variables; those of the process when None.

    Returns:
        The targets that were checked, and what was found, in the order of the files.

    Raises:
        BundleError: A file cannot be read as YAML.
        SettingsError: There is no such target.
        MissingDependencyError: The package with the types of resources is not installed.
    """
    sources = read_sources(root)
    names = target_names(sources)
    if unknown := [name for name in targets if name not in names]:
        raise SettingsError(f"target: found '{unknown[0]}', allowed: {', '.join(names)}")
    findings = Findings()
    findings.extend(sources.findings)
    check_sections(sources, findings)
    check_local(sources, findings)
    _check_braces(sources, findings)
    chosen = list(targets) or names
    for name in chosen:
        bundle = resolve_bundle(root, name, variables=variables, environ=environ, strict=False, sources=sources)
        findings.extend(bundle.findings)
        _check_target(sources, bundle, findings)
    return chosen, sorted(findings.found)


def _check_target(sources: Sources, bundle: ResolvedBundle, findings: Findings) -> None:
    for check in (check_resources, check_jobs, check_files, check_limits, check_permissions, check_command_lines):
        check(bundle, findings)
    if bundle.target != LOCAL_TARGET:
        check_triggers(bundle, findings)
        check_places(bundle, findings)
        check_mode(sources, bundle, findings)


def _check_braces(sources: Sources, findings: Findings) -> None:
    """Checks that every `${` begins a reference; what does not would be deployed as it is."""
    for tree in sources.files.values():
        for _, node in tree.walk():
            for found in _BRACED.findall(node.value) if isinstance(node.value, str) else ():
                if not REFERENCE.fullmatch(found):
                    findings.add(node, f"'{found}', which is not a reference", "${var.name}, ${bundle.target}, ...")
