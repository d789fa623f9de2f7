"""Settings in environment variables: how they are named, read, and what is said of wrong ones."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from solosolve.urls import as_path

ENV_PREFIX = "SOLOSOLVE_"
SECRETS = {"kafka_password", "dashboard_password"}
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def values_in(environ: Mapping[str, str], fields: Mapping[str, Any]) -> dict[str, str]:
    """The values that environment variables give to settings, by the name of the setting."""
    return {name: environ[ENV_PREFIX + name.upper()] for name in fields if ENV_PREFIX + name.upper() in environ}


def as_folder(value: str, *, may_be_blank: bool) -> str:
    """The path of a setting that is a folder; without one, files would be in the working folder or one called `s3a:`.

    Raises:
        PydanticCustomError: It is blank or the URL of a store.
    """
    path = as_path(value)
    if _URL.match(path) or not (may_be_blank or path.strip()):
        raise PydanticCustomError(
            "no_folder",
            "should be a folder that this process and all workers see, such as /mnt/shared or /Volumes/...; only "
            "landing files and tables (warehouse_url) can have the URL of a store",
        )
    return path


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
