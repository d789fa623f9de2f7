from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from dash import Dash
from flask.testing import FlaskClient
from plotly.offline import get_plotlyjs_version

import solosolve
from solosolve.dashboard.web.scripts import (
    ASK_AGAIN,
    FOR_GOOD,
    PLOTLY_FILE,
    PLOTLY_SHA512,
    PLOTLY_VERSION,
    add_scripts,
    state_lifetimes,
)
from support.dashboards import dashboard

VENDOR = Path(solosolve.__file__).parent / "dashboard" / "web" / "vendor"
FULL_PLOTLY = "/_dash-component-suites/plotly/package_data/plotly.min.js"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    return dashboard(tmp_path_factory.mktemp("home")).server.test_client()


@pytest.fixture(scope="module")
def addresses(client: FlaskClient) -> list[str]:
    """What the page loads."""
    return re.findall(r'(?:src|href)="(/(?:_dash-component-suites|assets)/[^"]+)"', client.get("/").text)


def test_plotly_is_the_file_that_is_pinned_and_has_its_licence() -> None:
    script = (VENDOR / PLOTLY_FILE).read_bytes()
    assert base64.b64encode(hashlib.sha512(script).digest()).decode() == PLOTLY_SHA512
    assert f"plotly.js (basic - minified) v{PLOTLY_VERSION}".encode() in script[:200]
    licence = (VENDOR / "plotly-basic.LICENSE.txt").read_text(encoding="utf-8")
    assert licence.startswith("MIT License")
    assert "Plotly" in licence


def test_plotly_has_the_major_version_that_the_python_package_draws_for() -> None:
    assert PLOTLY_VERSION.split(".")[0] == get_plotlyjs_version().split(".")[0]


def test_every_script_and_style_of_the_page_may_be_kept_for_good(client: FlaskClient, addresses: list[str]) -> None:
    assert any("plotly-basic" in address for address in addresses)
    assert any("async-graph" in address for address in addresses)
    assert any("style.css" in address for address in addresses)
    kept = {address: client.get(address).headers.get("Cache-Control") for address in addresses}
    assert kept == dict.fromkeys(addresses, FOR_GOOD)


def test_browser_checks_the_hash_of_plotly(client: FlaskClient) -> None:
    assert f'integrity="sha512-{PLOTLY_SHA512}"' in client.get("/").text


@pytest.mark.parametrize("path", [FULL_PLOTLY, "/_dash-component-suites/dash/dcc/async-markdown.js"])
def test_script_without_a_version_is_asked_for_again_and_not_sent_again(client: FlaskClient, path: str) -> None:
    client.get("/")
    headers = {"Accept-Encoding": "gzip"}
    first = client.get(path, headers=headers)
    assert (first.status_code, first.headers["Cache-Control"]) == (200, ASK_AGAIN)
    again = client.get(path, headers=headers | {"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.headers["Cache-Control"]) == (304, ASK_AGAIN)


@pytest.mark.parametrize("path", ["/", "/_dash-layout", "/_dash-component-suites/dash/no.v1m1.js", "/assets/no.js?m=1"])
def test_pages_answers_and_missing_files_are_never_kept_for_good(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers.get("Cache-Control") != FOR_GOOD


def test_pages_fall_back_to_the_plotly_of_dash_when_the_file_is_missing(tmp_path: Path) -> None:
    app = Dash(__name__)
    app.layout = []
    add_scripts(app, package=tmp_path)
    state_lifetimes(app.server)
    client = app.server.test_client()
    assert "plotly-basic" not in client.get("/").text
    assert client.get(FULL_PLOTLY).status_code == 200
