"""The scripts that a page loads besides those that Dash adds by itself, and how long a browser may keep them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from dash import Dash
from dash.fingerprint import check_fingerprint
from flask import Flask, Response, request

STATIC_PATHS = ("/assets/", "/_dash-component-suites/")

PLOTLY_VERSION = "4.1.1"
"""Version of `plotly.js-basic-dist-min`, which the dashboard brings along. It draws lines, bars and pies in 0.4 MB over
the wire; the full bundle that comes with Dash weighs 1.5 MB. Keep the major version that the `plotly` package has."""

PLOTLY_SHA512 = "orZ6OgVLrRp8vSfEJ9XXGswEzLgmW4nqH1ja1cWJRPqwAkyU0GcrM42aDvIcJjrK9EmGWyVZ3tpMmHXbCrrIaA=="
"""Hash of the file, in the form that browsers check. `openssl dgst -sha512 -binary FILE | base64` computes it."""

PLOTLY_FILE = "plotly-basic.min.js"

FOR_GOOD = "public, max-age=31536000, immutable"
"""For addresses that name a version: other content has another address."""

ASK_AGAIN = "no-cache"
"""For other files: the browser keeps them, and asks each time whether they have changed."""

_PACKAGE = Path(str(files("solosolve")))
_VENDOR = "dashboard/web/vendor"

_GRAPH = "dcc/async-graph.js"
"""The one part of Dash's own components that the pages use and that is not loaded with them. Left to itself, a graph
asks for it without a version, and only once it is on the page."""


def add_scripts(app: Dash, package: Path = _PACKAGE) -> None:
    """Adds Plotly's basic bundle and the part of Dash's components that draws with it.

    A page whose browser has refused the bundle, or that was not given one, loads Dash's own full one instead.

    Args:
        app: The app.
        package: The folder of the package `solosolve`; the bundle is left out if it is missing there.
    """
    scripts: list[dict[str, Any]] = [{"namespace": "dash", "relative_package_path": _GRAPH}]
    if (package / _VENDOR / PLOTLY_FILE).is_file():
        integrity = {"integrity": f"sha512-{PLOTLY_SHA512}"}
        path = f"{_VENDOR}/{PLOTLY_FILE}"
        scripts.append({"namespace": "solosolve", "relative_package_path": path, "attributes": integrity})
    for script in scripts:
        app.scripts.append_script(script)  # type: ignore[no-untyped-call]


def state_lifetimes(server: Flask) -> None:
    """Lets browsers keep static files: for good if their address names a version, else until they have changed."""

    @server.after_request
    def state(response: Response) -> Response:
        if request.path.startswith(STATIC_PATHS) and response.status_code in (200, 304):
            response.headers["Cache-Control"] = FOR_GOOD if _names_a_version() else ASK_AGAIN
        return response


def _names_a_version() -> bool:
    """Dash puts versions into the names of scripts, and the time of the last change after those of assets."""
    return bool(check_fingerprint(request.path)[1] or request.args.get("m"))  # type: ignore[no-untyped-call]
