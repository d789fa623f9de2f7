"""Settings in environment variables: how they are named, read, and what is said of wrong ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

ENV_PREFIX = "SOLOSOLVE_"
SECRETS = {"kafka_password", "dashboard_password"}


def values_in(environ: Mapping[str, str], fields: Mapping[str, Any]) -> dict[str, str]:
    """The values that environment variables give to settings, by the name of the setting."""
    return {name: environ[ENV_PREFIX + name.upper()] for name in fields if ENV_PREFIX + name.upper() in environ}


def explain(error: ValidationError, environ: Mapping[str, str]) -> str:
    """Says on one line which settings have values that are not allowed, and what is; a secret is never shown."""
    lines = []
    for problem in error.errors():
        if not problem["loc"]:  # The message names the settings; their values may be secret.
            lines.append(problem["msg"])
            continue
        name = str(problem["loc"][0])
        variable = ENV_PREFIX + name.upper()
        label = variable if variable in environ else name
        found = "a value" if name in SECRETS else repr(problem["input"])
        lines.append(f"{label}: found {found}, {problem['msg'].removeprefix('Input ')}")
    return "; ".join(lines)
