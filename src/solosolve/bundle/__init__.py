"""The Databricks bundle: where it is, what its YAML says for one target, and what is wrong with it."""

from solosolve.bundle.location import find_bundle, git_commit
from solosolve.bundle.resolve import DEFAULT_USER, ResolvedBundle, resolve_bundle
from solosolve.bundle.targets import LOCAL_TARGET, target_names

__all__ = [
    "DEFAULT_USER",
    "LOCAL_TARGET",
    "ResolvedBundle",
    "find_bundle",
    "git_commit",
    "resolve_bundle",
    "target_names",
]
